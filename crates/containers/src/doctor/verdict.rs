//! What runs of the image tell: as 42420, and as root to compare.

use std::collections::BTreeSet;
use std::time::Duration;

use super::facts::Facts;
use super::finding::{Finding, Level};
use super::observe::Answer;
use super::run::{Ended, Observed};
use super::words::{give, some};
use super::{UID, settings};
use crate::exit::{self, End};

/// Time to the first good answer from which it is worth a word.
const SLOW: Duration = Duration::from_secs(15);
/// Paths that engines and every system write to.
const SYSTEM: [&str; 9] = [
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/var/run",
    "/tmp",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/mtab",
];

/// What was run.
pub(super) struct Runs<'a> {
    pub(super) app: &'a Observed,
    pub(super) root: Option<&'a Observed>,
    pub(super) port: u16,
    pub(super) path: Option<&'a str>,
    pub(super) host: &'a str,
    pub(super) deadline: Duration,
    /// Whether the user chose the deadline.
    pub(super) is_deadline_given: bool,
    /// The engine's architecture, if it is another one than the image's.
    pub(super) emulated: Option<&'a str>,
}

/// Lines of output that have a meaning: name, weight, parts of which a line has one, fix.
const LINES: [(&str, Level, &[&str], &str); 9] = [
    (
        "user-name",
        Level::Error,
        &["getpwuid(): uid not found", "no username set in the environment"],
        "ENV USER=ovh",
    ),
    (
        "missing-library",
        Level::Error,
        &[
            "error while loading shared libraries",
            "Error loading shared library",
            "Error relocating",
        ],
        "install it: RUN apt-get install -y …, apk add …",
    ),
    (
        "gpu",
        Level::Info,
        &["libcuda.so", "Found no NVIDIA driver", "CUDA driver version is insufficient"],
        "ovhai app run --gpu 1 …, or let the app fall back to the CPU",
    ),
    (
        "shared-memory",
        Level::Error,
        &["Bus error", "bus error", "insufficient shared memory"],
        "fewer workers, or file_system sharing: torch.multiprocessing.set_sharing_strategy",
    ),
    (
        "font-and-jit-caches",
        Level::Error,
        &["cannot cache function"],
        "ENV NUMBA_CACHE_DIR=/tmp/numba",
    ),
    (
        "font-and-jit-caches",
        Level::Warning,
        &["Matplotlib created a temporary cache directory"],
        "ENV MPLCONFIGDIR=/tmp/matplotlib",
    ),
    (
        "caches-in-home",
        Level::Warning,
        &["is not a writable directory", "There was a problem when trying to write in your cache"],
        "ENV HF_HOME=/workspace/.cache/huggingface",
    ),
    (
        "needs-root",
        Level::Error,
        &[
            "must be run as root",
            "must be root",
            "requires root",
            "need to be root",
            "are you root",
            "run as root",
        ],
        "remove the step that needs root, and do its work in the build",
    ),
    (
        "needs-root",
        Level::Error,
        &["setgroups: ", "setuid: ", "setgid: ", "cannot set groups", "failed switching to"],
        "remove gosu, su-exec or sudo from the entrypoint",
    ),
];

/// What the runs tell.
pub(super) fn all(facts: &Facts, runs: &Runs<'_>) -> Vec<Finding> {
    let app = runs.app;
    let mut found = Vec::new();
    if let Some(said) = &app.not_started {
        return vec![not_started(said, runs)];
    }
    found.extend(output(app));
    found.extend(denied(facts, runs));
    found.extend(settings::calls_localhost(&app.lines.join("\n")));
    match (&app.ended, app.ready_after) {
        (Some(ended), _) => found.extend(end(ended, runs, &found)),
        (None, Some(after)) => found.extend(ready(runs, after)),
        (None, None) => found.extend(not_ready(runs)),
    }
    found.extend(written(facts, runs, &found));
    found
}

/// Static findings that a good run disproves or weakens.
pub(super) fn corrected(findings: Vec<Finding>, app: &Observed) -> Vec<Finding> {
    const DISPROVED: [&str; 10] = [
        "loopback-only",
        "other-port",
        "ends-at-once",
        "missing-library",
        "missing-program",
        "needs-root",
        "websocket-origin",
        "privileged-port",
        "bad-script",
        "not-executable",
    ];
    let is_decided = |finding: &Finding| {
        app.is_ready() && DISPROVED.contains(&finding.id)
            || finding.id == "ignores-sigterm" && app.ends_when_asked.is_some()
    };
    let mut findings = findings;
    findings.retain(|finding| !is_decided(finding));
    if app.is_ready() {
        for finding in findings.iter_mut().filter(|it| it.level == Level::Error) {
            finding.level = Level::Warning;
            finding.evidence += "; the app answered nevertheless";
        }
    }
    findings
}

/// Findings of the files and of a run, each row once: a run tells more, unless nothing was started.
pub(super) fn joined(
    mut files: Vec<Finding>,
    mut seen: Vec<Finding>,
    app: &Observed,
) -> Vec<Finding> {
    let has = |all: &[Finding], id: &str| all.iter().any(|finding| finding.id == id);
    if app.not_started.is_some() {
        seen.retain(|finding| !has(&files, finding.id));
    } else {
        files.retain(|finding| !has(&seen, finding.id));
    }
    files.extend(seen);
    files
}

fn not_started(said: &str, runs: &Runs<'_>) -> Finding {
    let failure = exit::not_started(said);
    let evidence = failure.message.clone();
    let code = match failure.status {
        Some(ovhai_core::replica::ExitStatus::Code(code)) => code,
        _ => 0,
    };
    let lower = said.to_lowercase();
    match code {
        126 => Finding::new("not-executable", Level::Error, evidence, "RUN chmod a+rx FILE"),
        127 => Finding::new(
            "missing-program",
            Level::Error,
            evidence,
            "correct ENTRYPOINT or CMD, or install the program",
        ),
        _ if lower.contains("exec format error") => format_error(evidence, runs),
        _ if lower.contains("no command") => Finding::new(
            "ends-at-once",
            Level::Error,
            evidence,
            "CMD [\"the server\", \"in the foreground\"]",
        ),
        _ => Finding::new("run", Level::Undecided, evidence, "mend the engine, and check again"),
    }
}

fn format_error(evidence: String, runs: &Runs<'_>) -> Finding {
    match runs.emulated {
        Some(machine) => Finding::new(
            "run",
            Level::Undecided,
            format!("{evidence}; this machine is {machine}, and runs no programs of amd64"),
            "docker run --privileged --rm tonistiigi/binfmt --install amd64",
        ),
        None => Finding::new(
            "bad-script",
            Level::Error,
            evidence,
            "begin the script with #!/bin/sh, and build for linux/amd64",
        ),
    }
}

/// Lines that have a meaning of their own.
fn output(app: &Observed) -> Vec<Finding> {
    let mut found = Vec::new();
    for (id, level, parts, fix) in LINES {
        let line = app.lines.iter().find(|line| parts.iter().any(|part| line.contains(part)));
        let Some(line) = line else { continue };
        // An app that answers copes with it.
        let level = match level {
            Level::Error if app.is_ready() => Level::Warning,
            level => level,
        };
        found.push(Finding::new(id, level, format!("its output: {}", line.trim()), fix));
    }
    if app.ended.as_ref().is_some_and(|ended| ended.code == 135) {
        let fix = "fewer workers, or file_system sharing";
        found.push(Finding::new("shared-memory", Level::Error, "a bus error ended it", fix));
    }
    found
}

/// The path in a line about a refused permission.
fn path_in(line: &str) -> Option<&str> {
    let words = line.split(|c: char| c.is_whitespace() || "\"'`,;()[]{}‘’“”=".contains(c));
    let mut paths = words.map(|word| word.trim_matches([':', '.'])).filter(|word| {
        word.trim_end_matches('/').len() > 1 && word.starts_with('/') && !word.starts_with("//")
    });
    let first = paths.next()?;
    // `/bin/sh: 1: cannot create /data/x: Permission denied`
    Some(paths.next_back().unwrap_or(first).trim_end_matches('/'))
}

/// Lines about refused permissions: ports, and paths that 42420 may not use.
fn denied(facts: &Facts, runs: &Runs<'_>) -> Vec<Finding> {
    let app = runs.app;
    let mut paths = BTreeSet::new();
    let mut found = Vec::new();
    for line in &app.lines {
        let lower = line.to_lowercase();
        let is_denied =
            ["permission denied", "eacces", "errno 13", "access denied", "read-only file system"]
                .iter()
                .any(|part| lower.contains(part));
        if !is_denied {
            continue;
        }
        let words = ["bind", "listen", "socket", "address"];
        if path_in(line).is_none() && words.iter().any(|word| lower.contains(word)) {
            found.push(Finding::new(
                "privileged-port",
                if app.is_ready() { Level::Warning } else { Level::Error },
                format!("its output: {}", line.trim()),
                "listen on 8080, or on another port above 1023 with --default-http-port",
            ));
        } else if let Some(path) = path_in(line) {
            paths.insert(path.to_owned());
        }
    }
    let level = if app.is_ready() { Level::Warning } else { Level::Error };
    let home = facts.home.as_ref().map_or("/", |home| home.path.as_str());
    let is_at_home = |path: &String| {
        let rest = path.strip_prefix(home.trim_end_matches('/')).unwrap_or_default();
        rest.starts_with("/.") || path.starts_with("/root/")
    };
    let (at_home, elsewhere): (Vec<String>, Vec<String>) = paths.into_iter().partition(is_at_home);
    if !at_home.is_empty() {
        let evidence = format!("EACCES for {UID}: {}", some(&at_home));
        let fix = format!("ENV HOME=/workspace, and {}", give("/workspace"));
        found.push(Finding::new("home", level, evidence, fix));
    }
    if let Some(first) = elsewhere.first() {
        let evidence = format!("EACCES for {UID}: {}", some(&elsewhere));
        found.push(Finding::new("writes-elsewhere", level, evidence, mend(first)));
    }
    found
}

/// The line that gives the directory of a path to the app.
fn mend(path: &str) -> String {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let place = if directory.is_empty() { path } else { directory };
    format!("{}, or move it by the app's own setting", give(place))
}

fn end(ended: &Ended, runs: &Runs<'_>, before: &[Finding]) -> Vec<Finding> {
    let app = runs.app;
    let lines: Vec<&String> = app.lines.iter().filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(3)..];
    let last: Vec<String> = last.iter().map(|line| (*line).clone()).collect();
    let is_format = last.iter().any(|line| line.to_lowercase().contains("exec format error"));
    if is_format {
        return vec![format_error(last.join(" / "), runs)];
    }
    let end = End {
        code: ended.code,
        is_out_of_memory: ended.is_out_of_memory,
        memory: None,
        last: &last,
    };
    let message = exit::ended(&end).message;
    let seconds = ended.after.as_secs_f32();
    if ended.code == 0 {
        return vec![Finding::new(
            "ends-at-once",
            Level::Error,
            format!("{seconds:.1} s after its start: {message}"),
            "CMD [\"the server\", \"in the foreground\"]",
        )];
    }
    let is_explained = before.iter().any(|finding| finding.level == Level::Error);
    let root_is_ready = runs.root.is_some_and(Observed::is_ready);
    let mut found = Vec::new();
    if root_is_ready && !is_explained {
        found.push(Finding::new(
            "needs-root",
            Level::Error,
            format!("it answers as root, and as {UID}: {message}"),
            format!("give {UID} what it needs: {}", give("/workspace")),
        ));
    } else if !is_explained {
        let fix = "see the lines above; run it as the cloud does: docker run --user 42420:42420 …";
        found.push(Finding::new("crash", Level::Error, message, fix));
    }
    found
}

fn is_any_loopback(address: &std::net::SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// It runs, and the probe is not good.
fn not_ready(runs: &Runs<'_>) -> Vec<Finding> {
    let Runs { app, port, .. } = runs;
    let path = runs.path.unwrap_or("/");
    let watched = app.watched.as_secs();
    if let Some(Ok(answer)) = &app.answer {
        return refused(answer, runs, Level::Error);
    }
    let said = match &app.answer {
        Some(Err(said)) => said.as_str(),
        _ => "the engine publishes no port of it",
    };
    let sockets = app.sockets.as_deref();
    let ours: Vec<_> = sockets.into_iter().flatten().filter(|it| it.port() == *port).collect();
    if !ours.is_empty() && ours.iter().all(|it| is_any_loopback(it)) {
        return vec![Finding::new(
            "loopback-only",
            Level::Error,
            format!("it listens on {} only", ours[0]),
            "--host 0.0.0.0, or ENV GRADIO_SERVER_NAME=0.0.0.0",
        )];
    }
    if !ours.is_empty() && ours.iter().all(|it| it.is_ipv6()) && said.contains("refused") {
        let seen = format!("it listens on {} and refuses IPv4", ours[0]);
        return vec![
            Finding::new("ipv6-only", Level::Warning, seen.clone(), "listen on 0.0.0.0"),
            Finding::new(
                "run",
                Level::Undecided,
                seen + ", which the probe uses",
                "listen on 0.0.0.0",
            ),
        ];
    }
    // Docker's own resolver listens on loopback, too.
    let others =
        sockets.into_iter().flatten().filter(|it| !it.ip().to_string().starts_with("127.0.0.11"));
    let others: Vec<_> = others.collect();
    if ours.is_empty()
        && let Some(other) = others.first()
    {
        let all: Vec<String> = others.iter().map(ToString::to_string).collect();
        return vec![Finding::new(
            "other-port",
            Level::Error,
            format!("it listens on {}, and on nothing at the app's port {port}", all.join(", ")),
            format!("--default-http-port {}, or the app's own setting", other.port()),
        )];
    }
    let level = if runs.is_deadline_given { Level::Error } else { Level::Undecided };
    let evidence = match sockets {
        Some([]) => format!("it runs, and listens on no port after {watched} s"),
        Some(_) => format!("port {port} at {path}: {said}, after {watched} s"),
        None => format!(
            "port {port} at {path}: {said}, after {watched} s; the addresses that it listens on are unknown for this engine"
        ),
    };
    let fix = format!(
        "give it more time: --deadline {}s; in the cloud: --progress-deadline-seconds; bake the model into the image or mount it",
        runs.deadline.as_secs() * 4
    );
    vec![Finding::new("slow-start", level, evidence, fix)]
}

/// An answer that is not good.
fn refused(answer: &Answer, runs: &Runs<'_>, level: Level) -> Vec<Finding> {
    let path = runs.path.unwrap_or("/");
    let status = answer.status;
    if let Some(other) = runs.app.as_localhost.filter(|other| (200..400).contains(other)) {
        return vec![Finding::new(
            "probe",
            Level::Error,
            format!(
                "{path} is answered with {status} for the host {}, and with {other} for localhost",
                runs.host
            ),
            "allow the host in the app's own setting, such as ALLOWED_HOSTS",
        )];
    }
    let fix = match status {
        401 | 403 => {
            "--probe-path with a path that needs no login: the gateway checks tokens before"
        }
        500..=599 => "see the app's output; --probe-path with a path that answers",
        _ => "--probe-path with a path that answers 200",
    };
    vec![Finding::new("probe", level, format!("GET {path} is answered with {status}"), fix)]
}

/// It answers.
fn ready(runs: &Runs<'_>, after: Duration) -> Vec<Finding> {
    let app = runs.app;
    let mut found = Vec::new();
    if let Some(Ok(answer)) = &app.answer {
        if answer.status >= 400 {
            found.extend(refused(answer, runs, Level::Warning));
        }
        found.extend(links(answer));
    }
    for upgrade in &app.upgrades {
        if upgrade.without == 101 {
            found.push(Finding::new(
                "websocket-origin",
                Level::Error,
                format!(
                    "a WebSocket at {} is answered with {} for the origin https://{}, and with 101 without one",
                    upgrade.path, upgrade.with_origin, runs.host
                ),
                "allow the origin: ENV STREAMLIT_SERVER_ENABLE_CORS=false STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false, ENV BOKEH_ALLOW_WS_ORIGIN=*, --ServerApp.allow_origin='*'",
            ));
        }
    }
    if app.ends_when_asked == Some(false) {
        found.push(Finding::new(
            "ignores-sigterm",
            Level::Warning,
            "it still ran 5 s after SIGTERM, and was killed (137)",
            "CMD [\"program\", \"argument\"], exec \"$@\" at the script's end, or a handler",
        ));
    }
    if after >= SLOW {
        found.push(Finding::new(
            "slow-start",
            Level::Warning,
            format!("the first good answer came after {} s", after.as_secs()),
            "--progress-deadline-seconds of 3 times as much; bake the model into the image or mount it",
        ));
    }
    found
}

/// Redirects and links that lead away from the gateway.
fn links(answer: &Answer) -> Option<Finding> {
    let local = ["http://localhost", "http://127.0.0.1", "http://0.0.0.0"];
    let evidence = if let Some(location) = &answer.location
        && (local.iter().any(|it| location.starts_with(it)) || location.starts_with("http://"))
    {
        format!("it redirects to {location}")
    } else {
        let at = local.iter().find_map(|it| answer.body.find(&format!("{it}:")))?;
        let link = answer.body[at..].split(['"', '\'', ' ', '<', '\n', ')']).next()?;
        format!("its page has the link {link}")
    };
    let fix = "use relative links, no base path, and trust X-Forwarded-Proto and X-Forwarded-Host";
    Some(Finding::new("absolute-links", Level::Warning, evidence, fix))
}

/// What it writes as root, and not as 42420.
fn written(facts: &Facts, runs: &Runs<'_>, before: &[Finding]) -> Option<Finding> {
    let root = runs.root.filter(|root| root.is_ready() || !root.changes.is_empty())?;
    if before.iter().any(|finding| finding.id == "writes-elsewhere") {
        return None;
    }
    let own: BTreeSet<&String> = runs.app.changes.iter().collect();
    let is_of_app = |path: &&String| {
        let is_below = |place: &str| {
            let rest = path.strip_prefix(place.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_system = SYSTEM.iter().any(|place| is_below(place));
        let is_writable = [Some(&facts.workspace), Some(&facts.working), facts.home.as_ref()]
            .into_iter()
            .flatten()
            .any(|place| place.is_writable() && place.path != "/" && is_below(&place.path));
        // Python writes these where it can, and needs none.
        let is_cache = path.contains("/__pycache__");
        !(is_system || is_writable || is_cache || own.contains(path))
    };
    let all: Vec<&String> = root.changes.iter().filter(is_of_app).collect();
    // Of a directory that changed because of what is in it, only that.
    let is_leaf = |path: &&&String| {
        !all.iter().any(|other| other.len() > path.len() && other.starts_with(&format!("{path}/")))
    };
    let paths: Vec<String> = all.iter().filter(is_leaf).map(|path| (**path).clone()).collect();
    let first = paths.first()?;
    let level = if runs.app.is_ready() { Level::Warning } else { Level::Error };
    let evidence = format!("as root it writes {}, and as {UID} it can't", some(&paths));
    Some(Finding::new("writes-elsewhere", level, evidence, mend(first)))
}
