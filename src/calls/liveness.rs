//! Checks that a running emulator answers. A hanging one still accepts connections, because the
//! kernel does, and its callers would wait for their time-outs.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ovhai_api_types::{CapturedApp, Fault};
use ovhai_emulator::state::Running;
use serde::Deserialize;
use tokio::sync::Notify;

use super::address::near;
use super::trace::Trace;
use crate::error::{Failure, TIMEOUT};

/// Time-out for an emulator's health, which it reports within a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time before the first check; most requests are answered by then.
const GRACE: Duration = Duration::from_millis(300);
/// Maximum bytes to read of a response.
const ANSWER_MAX: u64 = 64 * 1024;
/// Interval of polling.
const AGAIN: Duration = Duration::from_secs(1);

/// The emulator that a command has found.
#[derive(Debug, Default)]
pub(crate) struct FoundEmulator {
    running: OnceLock<Running>,
    told: Notify,
}

impl FoundEmulator {
    pub(crate) fn tell(&self, running: &Running) {
        if self.running.set(running.clone()).is_ok() {
            self.told.notify_one();
        }
    }
}

/// Ready when the emulator that a command talks to hangs, before its first response or while a
/// request waits. A slow response is no proof, so the emulator's health is checked each time.
/// Responses whose head has come are left to the command.
pub(crate) async fn until_it_hangs(found: Arc<FoundEmulator>, trace: Arc<Trace>) -> Failure {
    found.told.notified().await;
    let Some(running) = found.running.get() else { return std::future::pending().await };
    tokio::time::sleep(GRACE).await;
    if !trace.has_answer() && is_silent(running).await && !trace.has_answer() {
        return failure(running.pid);
    }
    let waiting = trace.waiting();
    loop {
        let (number, since) = waiting.oldest().await;
        tokio::time::sleep_until((since + GRACE).into()).await;
        if waiting.has(number) && is_silent(running).await && waiting.has(number) {
            return failure(running.pid);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn is_silent(running: &Running) -> bool {
    let asked = running.clone();
    // In a thread, because a question at the terminal may block this one.
    let answer = tokio::task::spawn_blocking(move || ask(&asked)).await;
    answer.is_ok_and(|answer| answer.is_err_and(|error| is_silence(&error)))
}

/// Checks the emulator's health. The error says that it is silent, or can't be reached.
pub(crate) fn ask(running: &Running) -> io::Result<()> {
    match question(running, "")?.read(&mut [0; 512])? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// What an emulator tells its administrator about itself.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    /// The components that fail or were restarted.
    #[serde(default)]
    pub(crate) faults: Vec<Fault>,
    /// The apps of which the heads of requests are captured.
    #[serde(default)]
    pub(crate) captured: Vec<CapturedApp>,
    /// The time of apps, while it differs from real time.
    #[serde(default)]
    pub(crate) domain_time: Option<jiff::Timestamp>,
}

/// Asks the emulator about itself, as its administrator.
pub(crate) fn health(running: &Running) -> io::Result<Health> {
    let header = format!("Authorization: Bearer {}\r\n", running.administrator);
    let mut answer = Vec::new();
    question(running, &header)?.take(ANSWER_MAX).read_to_end(&mut answer)?;
    if answer.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let head = head.map_or(answer.len(), |end| end + 4);
    // Another version may answer something else.
    Ok(serde_json::from_slice(&answer[head..]).unwrap_or_default())
}

/// A connection with the question sent.
fn question(running: &Running, header: &str) -> io::Result<TcpStream> {
    let deadline = Instant::now() + PATIENCE;
    let mut stream = TcpStream::connect_timeout(&near(running.address), PATIENCE)?;
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))?;
    let close = "Connection: close\r\n";
    let question =
        format!("GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n{header}{close}\r\n");
    stream.write_all(question.as_bytes())?;
    Ok(stream)
}

/// Whether the emulator accepted the connection, but did not answer.
pub(crate) fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// The failure for an emulator that does not answer.
pub(crate) fn failure(pid: u32) -> Failure {
    let failure = Failure::new(format!("the emulator (pid {pid}) does not answer"));
    let what = "see its last log lines: ovhai emulator logs; kill it (the next command starts a new one): ovhai emulator stop --force";
    let failure = if is_stopped(pid) {
        failure
            .because("its process is stopped (SIGSTOP)")
            .hint(format!("continue it: kill -CONT {pid}; {what}"))
    } else {
        failure.because(format!("it did not respond within {} s", PATIENCE.as_secs())).hint(what)
    };
    failure.exit_code(TIMEOUT)
}

/// Whether a process is stopped by a signal or a debugger, if the system reports it.
fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the program's name, which may contain blanks and parentheses.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    matches!(state, Some('T' | 't'))
}
