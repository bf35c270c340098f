//! Starting an emulator in the background: a process that holds nothing of its starter.
//!
//! It has no descriptor of the starter's, `/` as its working directory, a session of its own, and of
//! the environment what [`environment::is_for_emulators`] lets through. Its standard error is
//! `emulator.log`. Its standard output is a pipe to the starter, on which it says in one line that it
//! runs, or why it does not, also when the log can't be written; then it lets go of it.

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

/// How long an emulator in the background has to start.
const START_TIMEOUT: Duration = Duration::from_secs(15);
/// A log larger than this begins anew, in bytes.
const LOG_MAX: u64 = 10 * 1024 * 1024;
/// Bytes that are read of what an emulator that did not start wrote.
const LAST_WORDS_MAX: u64 = 64 * 1024;
/// Variables of the emulator's environment that name files. The emulator is in another directory
/// than its starter, where a relative path would lead elsewhere.
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

/// What an emulator in the background says to its starter.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    /// It can be found in its state directory.
    Started,
    Failed(Failure),
}

/// Says to the starter that this emulator runs, and lets go of the pipe.
pub(crate) fn say_started() {
    say(&Word::Started);
}

/// Says to the starter why this emulator does not run.
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

/// Starts an emulator in the background with these options, and waits until it runs. One that is
/// ephemeral has its state in memory, and the directory only to be found by.
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
            .hint("make room on its disk, or use another directory: --state-dir DIR or OVHAI_STATE_DIR")
    })?;
    let log_start = log.metadata()?.len();
    // Nothing that this command starts needs what the caller has open.
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
            Failure::new("the emulator ended at once")
                .hint(format!("see why: {}", state.log().display()))
        }),
        Ok(outcome) => {
            // It ends, or has ended; and if it does not, it must not come up later.
            let _ = child.start_kill();
            let status = child.wait().await?;
            // Another command may have been faster.
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
            Err(Failure::new("the emulator does not start")
                .because(format!("it said nothing for {} s", START_TIMEOUT.as_secs()))
                .hint(format!("see why: {}", state.log().display())))
        }
    }
}

/// The first word of an emulator; none if it ended without one.
async fn word(child: &mut Child) -> std::io::Result<Option<Word>> {
    let Some(out) = child.stdout.take() else { return Ok(None) };
    let line = BufReader::new(out).lines().next_line().await?;
    Ok(line.and_then(|line| serde_json::from_str(&line).ok()))
}

/// The environment of an emulator in the background.
fn variables(context: &Context) -> impl Iterator<Item = (OsString, OsString)> {
    // Not those of the context, which has no values that are not UTF-8.
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

/// The emulator that another command is starting in the directory at this moment.
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

/// What an emulator that ended without a word to its starter said last in its log.
fn why_not(state: &StateDir, from: u64, status: &str) -> Failure {
    let mut said = String::new();
    if let Ok(mut log) = File::open(state.log()) {
        // The log may be a link to a device, which has no end.
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
