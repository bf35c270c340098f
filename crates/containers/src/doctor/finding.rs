//! What the doctor reports.

use serde::Serialize;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The app would not run.
    Error,
    /// A part that matters could not be decided.
    Undecided,
    /// The app may fail, or a part of it.
    Warning,
    /// Good to know.
    Info,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Undecided => "undecided",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name, which never changes: a row of the table in `docs/reference.md`.
    pub id: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What was seen: a path, a mode, an address, a line of output.
    pub evidence: String,
    /// What mends it, with the line of the Dockerfile.
    pub fix: String,
}

impl Finding {
    pub(super) fn new(
        id: &'static str,
        level: Level,
        evidence: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { id, level, evidence: evidence.into(), fix: fix.into() }
    }
}

/// Sorts findings by weight, and drops those that an earlier one of the same name makes redundant.
pub(super) fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.level);
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        let is_known = |one: &Finding| one.id == finding.id && one.evidence == finding.evidence;
        if !kept.iter().any(is_known) {
            kept.push(finding);
        }
    }
    kept
}

/// The names of all findings, in the order of the table in `docs/reference.md`.
pub const IDS: [&str; 35] = [
    "platform",
    "foreign-binary",
    "user-ignored",
    "needs-root",
    "home",
    "workspace",
    "workdir",
    "writes-elsewhere",
    "tmp",
    "caches-in-home",
    "font-and-jit-caches",
    "compile-caches",
    "user-name",
    "privileged-port",
    "loopback-only",
    "ipv6-only",
    "other-port",
    "not-executable",
    "private-files",
    "bad-script",
    "missing-program",
    "missing-library",
    "ends-at-once",
    "ignores-sigterm",
    "slow-start",
    "probe",
    "websocket-origin",
    "absolute-links",
    "size",
    "secrets",
    "gpu",
    "shared-memory",
    "calls-localhost",
    "crash",
    "run",
];
