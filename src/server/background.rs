//! Starts an emulator in the background: a process that inherits nothing from its starter.
//!
//! It has no descriptor of the starter's, `/` as its working directory, a session of its own, and
//! only the variables that [`environment::is_for_emulators`] allows. Its standard error is
//! `emulator.log`. Its standard output is a pipe to the starter, on which it reports in one line
//! that it runs, or why it does not, also if the log can't be written; then it closes the pipe.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::time::Duration;

use ovhai_emulator::state::{Running, StateDir};
use ovhai_runtime::{descriptors, environment};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::options::Options;
use crate::settings::port;

/// Time-out for the start of an emulator in the background.
const START_TIMEOUT: Duration = Duration::from_secs(15);
/// Size in bytes from which the log is started again.
const LOG_MAX: u64 = 10 * 1024 * 1024;
/// Maximum bytes to read of the log of an emulator that did not start.
const LAST_WORDS_MAX: u64 = 64 * 1024;
/// Variables that name files. They are made absolute, because the emulator runs in another
/// directory than its starter.
const PATHS: [&str; 8] = [
    "OVHAI_ACCESS_LOG",
    "OVHAI_CONFIG_DIR",
    "OVHAI_STATE_DIR",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
];

/// The report of an emulator in the background to its starter.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    /// The emulator runs, and can be found through its state directory.
    Started,
    Failed(Failure),
}

/// Reports to the starter that this emulator runs, and closes the pipe.
pub(crate) fn say_started() {
    say(&Word::Started);
}

/// Reports to the starter why this emulator does not run.
pub(crate) fn say_failed(failure: &Failure) {
    say(&Word::Failed(failure.clone()));
}

fn say(word: &Word) {
    let mut out = std::io::stdout();
    // The starter may be gone.
    let _ = serde_json::to_writer(&mut out, word)
        .map_err(std::io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    if let Ok(nothing) = File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(nothing);
    }
}

/// Starts an emulator in the background with these options, and waits until it runs. An ephemeral
/// one has its state in memory; its directory only serves to find it.
pub(crate) async fn start(
    context: &Context,
    state: &StateDir,
    options: &Options,
    is_ephemeral: bool,
) -> Result<Running> {
    let program = context
        .executable
        .as_ref()
        .ok_or_else(|| Failure::new("can't determine the path of the ovhai executable"))?;
    let unusable = |error| {
        Failure::new(format!("{} can't be used", state.path().display()))
            .because(error)
            .hint("use another directory: --state-dir DIR or OVHAI_STATE_DIR")
    };
    state.create().and_then(|()| rotate(state)).map_err(unusable)?;
    let log = File::options().create(true).append(true).mode(0o600).open(state.log());
    let log = log.map_err(|error| {
        Failure::new(format!("the emulator's log {} can't be written", state.log().display()))
            .because(error)
            .hint("free space on its disk, or use another directory: --state-dir DIR or OVHAI_STATE_DIR")
    })?;
    let log_start = log.metadata()?.len();
    // The new process does not need the caller's descriptors.
    descriptors::keep_from_children();
    let mut command = Command::new(program);
    command
        .args(["emulator", "start", "--background"])
        .args(options.arguments())
        .arg("--state-dir")
        .arg(state.path())
        .current_dir("/")
        .env_clear()
        .envs(variables(context))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::from(log));
    if is_ephemeral {
        command.arg("--ephemeral");
    }
    if !options.has("port") {
        command.args(["--port", &port(context)?.to_string()]);
    }
    let mut child = command.spawn()?;
    match tokio::time::timeout(START_TIMEOUT, word(&mut child)).await {
        Ok(Ok(Some(Word::Started))) => state.running().ok_or_else(|| {
            Failure::new("the emulator exited immediately")
                .hint(format!("see why: {}", state.log().display()))
        }),
        Ok(outcome) => {
            // It has ended or is ending; if not, it must not start later.
            let _ = child.start_kill();
            let status = child.wait().await?;
            // Another command may have started one first.
            if let Some(running) = wait_for_other(state).await {
                return Ok(running);
            }
            Err(match outcome {
                Ok(Some(Word::Failed(failure))) => failure,
                _ => why_not(state, log_start, &status.to_string()),
            })
        }
        Err(_) => {
            let _ = child.start_kill();
            Err(Failure::new("the emulator did not start")
                .because(format!("it did not respond within {} s", START_TIMEOUT.as_secs()))
                .hint(format!("see why: {}", state.log().display())))
        }
    }
}

/// The report of an emulator; none if it ended without one.
async fn word(child: &mut Child) -> std::io::Result<Option<Word>> {
    let Some(out) = child.stdout.take() else { return Ok(None) };
    let line = BufReader::new(out).lines().next_line().await?;
    Ok(line.and_then(|line| serde_json::from_str(&line).ok()))
}

/// The environment of an emulator in the background.
fn variables(context: &Context) -> impl Iterator<Item = (OsString, OsString)> {
    // Not the context's variables, which are UTF-8 only.
    std::env::vars_os().filter_map(|(name, value)| {
        let known = name.to_str().filter(|name| environment::is_for_emulators(name))?;
        if context.secret_variables.iter().any(|secret| secret == known) {
            return None;
        }
        let is_path = PATHS.contains(&known) && !value.is_empty() && value != "off";
        let value = if is_path { context.directory.join(value).into() } else { value };
        Some((name, value))
    })
}

/// The emulator that another command is starting in the directory.
pub(crate) async fn wait_for_other(state: &StateDir) -> Option<Running> {
    for _ in 0..200 {
        if let Some(running) = state.running() {
            return Some(running);
        }
        if !state.is_locked() {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

fn rotate(state: &StateDir) -> std::io::Result<()> {
    match std::fs::metadata(state.log()) {
        Ok(log) if log.len() > LOG_MAX => {
            std::fs::rename(state.log(), state.log().with_extension("log.1"))
        }
        _ => Ok(()),
    }
}

/// The last log line of an emulator that ended without a report.
fn why_not(state: &StateDir, from: u64, status: &str) -> Failure {
    let mut said = String::new();
    if let Ok(mut log) = File::open(state.log()) {
        // The log may be a link to an endless device.
        let _ = log
            .seek(SeekFrom::Start(from))
            .and_then(|_| log.take(LAST_WORDS_MAX).read_to_string(&mut said));
    }
    let field = |name: &str| {
        said.lines()
            .rev()
            .find_map(|line| line.trim().strip_prefix(name).map(|text| text.trim().to_owned()))
    };
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    let ended = || match last {
        Some(line) => format!("{status}; its last line was: {}", line.trim()),
        None => status.to_owned(),
    };
    let failure = Failure::new("the emulator can't start")
        .because(field("cause:").or_else(|| field("error:")).unwrap_or_else(ended));
    failure.hint(field("hint:").unwrap_or_else(|| format!("see {}", state.log().display())))
}
