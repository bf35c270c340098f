//! Whether an emulator that runs answers. One that hangs takes connections all the same, as the
//! kernel does that for it, and would have its callers wait until their time is out.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ovhai_emulator::state::Running;
use tokio::sync::Notify;

use crate::error::{Failure, TIMEOUT};
use crate::target::reachable;
use crate::trace::Trace;

/// How long an emulator may take to say that it is well, which takes it less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most commands have their first answer by then, and nobody asks how the emulator is.
const GRACE: Duration = Duration::from_millis(300);

/// The emulator that a command has found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    running: OnceLock<Running>,
    told: Notify,
}

impl Found {
    pub(crate) fn tell(&self, running: &Running) {
        if self.running.set(running.clone()).is_ok() {
            self.told.notify_one();
        }
    }
}

/// Ready when the emulator that a command talks to turns out to hang. Once it has answered
/// anything, nobody looks any more: what takes long then is for the command to judge.
pub(crate) async fn until_it_hangs(found: Arc<Found>, trace: Arc<Trace>) -> Failure {
    found.told.notified().await;
    tokio::time::sleep(GRACE).await;
    if let Some(running) = found.running.get().filter(|_| !trace.has_answer()) {
        let asked = running.clone();
        // In a thread: a question at the terminal may hold up this one.
        let answer = tokio::task::spawn_blocking(move || ask(&asked)).await;
        if let Ok(Err(error)) = answer
            && is_silence(&error)
            && !trace.has_answer()
        {
            return failure(running.pid);
        }
    }
    std::future::pending().await
}

/// Asks it how it is. The error says that it is silent, or that there is nobody to ask.
pub(crate) fn ask(running: &Running) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut stream = TcpStream::connect_timeout(&reachable(running.address), PATIENCE)?;
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))?;
    stream.write_all(b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    match stream.read(&mut [0; 512])? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// Whether it took the question, or would have, and did not answer.
pub(crate) fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// What there is to say of one that does not answer.
pub(crate) fn failure(pid: u32) -> Failure {
    let failure = Failure::new(format!("the emulator (pid {pid}) does not answer"));
    let what = "see what it said last: ovhai emulator logs; end it, and the next command starts one: ovhai emulator stop --force";
    let failure = if is_stopped(pid) {
        failure
            .because("its process is stopped (SIGSTOP)")
            .hint(format!("let it go on: kill -CONT {pid}; {what}"))
    } else {
        failure.because(format!("it said nothing for {} s", PATIENCE.as_secs())).hint(what)
    };
    failure.exit_code(TIMEOUT)
}

/// Whether a process is stopped by a signal or a debugger, where the system tells.
fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // After the program's name, which may have blanks and parentheses.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    matches!(state, Some('T' | 't'))
}
