//! The options of the last `emulator start` in a state directory (`options.json`, mode 0600). A
//! command that starts an emulator automatically uses them, so that an emulator with HTTPS, for
//! instance, still has it after a crash, a restart of the machine, or `emulator stop`.

use std::collections::BTreeMap;

use ovhai_emulator::state::StateDir;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::private_file;

/// The options of `emulator start` that are saved, and the variables that override them.
const KEPT: [(&str, Option<&str>); 17] = [
    ("port", Some("OVHAI_PORT")),
    ("tls", Some("OVHAI_TLS")),
    ("host", Some("OVHAI_HOST")),
    ("domain", Some("OVHAI_DOMAINS")),
    ("regions", Some("OVHAI_REGIONS")),
    ("runtime", Some("OVHAI_RUNTIME")),
    ("quota", Some("OVHAI_QUOTA")),
    ("access-log", Some("OVHAI_ACCESS_LOG")),
    ("limit", Some("OVHAI_LIMITS")),
    ("restart-delay", Some("OVHAI_RESTART_DELAY")),
    ("engine", Some("OVHAI_ENGINE")),
    ("container-label", Some("OVHAI_CONTAINER_LABELS")),
    ("keep-failed", Some("OVHAI_KEEP_FAILED")),
    ("from-apps", Some("OVHAI_FROM_APPS")),
    ("token-exec", Some("OVHAI_TOKEN_EXEC")),
    ("weekly-restarts", Some("OVHAI_WEEKLY_RESTARTS")),
    ("stop-after", Some("OVHAI_STOP_AFTER")),
];

const IF_DAMAGED: &str =
    "delete it, or start the emulator with the options you want: ovhai emulator start";

/// The given options, with their values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Options(BTreeMap<String, String>);

impl Options {
    /// The saved options of a directory.
    pub(crate) fn of(state: &StateDir) -> Result<Self> {
        private_file::read(&state.options(), IF_DAMAGED)
    }

    /// Saves the options for the next start, but for two: an emulator listens beyond this machine
    /// only if asked to each time, and an automatic start must not stop in the middle of its use.
    pub(crate) fn keep(mut self, state: &StateDir) -> Result<()> {
        self.0.remove("host");
        self.0.remove("stop-after");
        if self.is_empty() {
            // Without options there is no file.
            let _ = std::fs::remove_file(state.options());
            return Ok(());
        }
        private_file::write(&state.options(), &self)
    }

    pub(crate) fn set(&mut self, name: &str, value: impl ToString) {
        debug_assert!(KEPT.iter().any(|(known, _)| *known == name), "{name} would be lost");
        self.0.insert(name.to_owned(), value.to_string());
    }

    /// The options that no variable overrides.
    pub(crate) fn within(mut self, context: &Context) -> Self {
        for (name, variable) in KEPT {
            if variable.is_some_and(|variable| context.var(variable).is_some()) {
                self.0.remove(name);
            }
        }
        self
    }

    /// The options that the others lack.
    pub(crate) fn without(mut self, others: &Self) -> Self {
        self.0.retain(|name, _| !others.has(name));
        self
    }

    /// Whether the others have all of these, with the same values.
    pub(crate) fn is_within(&self, others: &Self) -> bool {
        self.0.iter().all(|(name, value)| others.0.get(name) == Some(value))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of an option.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The options as arguments of a command line.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let given = |(name, _): (&str, _)| Some(format!("--{name}={}", self.0.get(name)?));
        KEPT.into_iter().filter_map(given).collect()
    }

    /// The options as one string, for people.
    pub(crate) fn shown(&self) -> String {
        self.arguments().join(" ")
    }
}
