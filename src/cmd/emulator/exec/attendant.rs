//! The process between `emulator exec` and its command.
//!
//! `ovhai __attend COMMAND …` has a socket to `emulator exec` as its standard input. Over it comes
//! first the command's standard input, as a descriptor, then a line of JSON ([`Go`]), then
//! `signal NUMBER` for each signal that `emulator exec` has got. Back goes one line, when the command
//! and all its processes have ended: `exited CODE` or `signalled NUMBER`. As a subreaper it gets the
//! processes that the command leaves. When the socket closes, it ends all of them, and removes what
//! `emulator exec` could not.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::io::{Errno, FdFlags, IoSliceMut, fcntl_setfd};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncBufReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::stage;
use crate::cmd::emulator::rendezvous;

/// The hidden subcommand.
pub const SUBCOMMAND: &str = "__attend";

/// Signals that a terminal sends to a whole process group.
const FROM_TERMINALS: [Signal; 3] = [Signal::INT, Signal::QUIT, Signal::HUP];
/// Others that end a process, and that `emulator exec` forwards.
const OTHERS: [Signal; 3] = [Signal::TERM, Signal::USR1, Signal::USR2];
/// How long a signal that the kernel has sent to the group may be on its way to this process.
const ON_ITS_WAY: Duration = Duration::from_millis(20);
/// How long a signal of this process can be the same as one of `emulator exec`.
const SAME: Duration = Duration::from_secs(1);
/// Time that processes which the command left have after SIGTERM.
const GRACE: Duration = Duration::from_secs(1);
/// Time after which they are given up.
const GIVE_UP: Duration = Duration::from_secs(4);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// What `emulator exec` tells when the emulator is ready.
#[derive(Serialize, Deserialize)]
pub(super) struct Go {
    /// The directory to remove if `emulator exec` can't.
    pub(super) directory: PathBuf,
    /// Variables of the command.
    pub(super) environment: Vec<(String, String)>,
}

/// How a command has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

impl End {
    fn line(self) -> String {
        match self {
            Self::Exited(code) => format!("exited {code}\n"),
            Self::Signalled(signal) => format!("signalled {signal}\n"),
        }
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        let (how, number) = line.split_once(' ')?;
        let number = number.trim().parse().ok()?;
        match how {
            "exited" => Some(Self::Exited(number)),
            "signalled" => Some(Self::Signalled(number)),
            _ => None,
        }
    }
}

/// The signals of `emulator exec` and its attendant, without those that their starter ignores, as
/// `nohup` does: the command has to inherit that.
pub(super) fn signals() -> impl Iterator<Item = Signal> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let is_ignored = move |signal: &Signal| mask & (1 << (signal.as_raw() - 1)) != 0;
    FROM_TERMINALS.into_iter().chain(OTHERS).filter(move |signal| !is_ignored(signal))
}

/// Runs the attendant.
pub fn main() -> ExitCode {
    let socket = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    match socket.and_then(attend) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn attend(socket: UnixStream) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before `emulator exec` can get one and expect that this process has got it, too.
        let own = own_signals()?;
        let stdin = receive(&socket)?;
        let mut reader = BufReader::new(socket.try_clone()?);
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            // It has failed.
            return Ok(());
        }
        let go: Go = serde_json::from_str(&line)?;
        let outcome = run(&socket, own, stdin, &go).await;
        finish(&socket, &go, outcome)
    })
}

/// The signals of this process, as they come.
fn own_signals() -> io::Result<UnboundedReceiver<Signal>> {
    let (sender, receiver) = unbounded_channel();
    for number in signals() {
        let mut stream = signal(SignalKind::from_raw(number.as_raw()))?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() && sender.send(number).is_ok() {}
        });
    }
    Ok(receiver)
}

/// The command's standard input.
fn receive(socket: &UnixStream) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::empty())?;
    let rights = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut rights) => rights.next(),
        _ => None,
    });
    let stdin = rights.ok_or(io::ErrorKind::UnexpectedEof)?;
    fcntl_setfd(&stdin, FdFlags::CLOEXEC)?;
    Ok(stdin)
}

/// Runs the command to its end; none if `emulator exec` ended first.
async fn run(
    socket: &UnixStream,
    mut own: UnboundedReceiver<Signal>,
    stdin: OwnedFd,
    go: &Go,
) -> io::Result<Option<End>> {
    let mut ended = signal(SignalKind::child())?;
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let child = Command::new(super::this_program()?)
        .arg0("ovhai")
        .args([stage::BECOME, &std::process::id().to_string()])
        .args(std::env::args_os().skip(2))
        .envs(go.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(stdin))
        .spawn()?;
    // Reaped here, with whatever else becomes a child of this process.
    let child = Pid::from_child(&child);
    let socket = socket.try_clone()?;
    socket.set_nonblocking(true)?;
    let reader = tokio::io::BufReader::new(tokio::net::UnixStream::from_std(socket)?);
    let mut lines = reader.lines();
    let mut seen = HashMap::new();
    loop {
        tokio::select! {
            _ = ended.recv() => if let Some(end) = reap(child) { return Ok(Some(end)) },
            Some(signal) = own.recv() => drop(seen.insert(signal.as_raw(), Instant::now())),
            line = lines.next_line() => {
                let Ok(Some(line)) = line else { return Ok(None) };
                let number = line.strip_prefix("signal ").and_then(|number| number.parse().ok());
                if let Some(signal) = number.and_then(Signal::from_named_raw)
                    && !has_come(signal, &mut own, &mut seen).await
                {
                    // It may just have ended.
                    let _ = kill_process(child, signal);
                }
            }
        }
    }
}

/// Whether a terminal, or another sender, has sent a signal to the whole group: then the command has
/// got it.
async fn has_come(
    signal: Signal,
    own: &mut UnboundedReceiver<Signal>,
    seen: &mut HashMap<i32, Instant>,
) -> bool {
    if !FROM_TERMINALS.contains(&signal) {
        return false;
    }
    let deadline = tokio::time::Instant::now() + ON_ITS_WAY;
    loop {
        if seen.remove(&signal.as_raw()).is_some_and(|at| at.elapsed() < SAME) {
            return true;
        }
        match tokio::time::timeout_at(deadline, own.recv()).await {
            Ok(Some(other)) => drop(seen.insert(other.as_raw(), Instant::now())),
            Ok(None) | Err(_) => return false,
        }
    }
}

/// Reaps the processes that have ended; the command's end if it is among them.
fn reap(child: Pid) -> Option<End> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == child => {
                return Some(match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => End::Exited(code),
                    (None, Some(signal)) => End::Signalled(signal),
                    (None, None) => End::Exited(1),
                });
            }
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Ends what the command has left, reports its end, and waits until `emulator exec` is gone.
fn finish(mut socket: &UnixStream, go: &Go, outcome: io::Result<Option<End>>) -> io::Result<()> {
    end_children();
    let outcome = outcome.map(|end| end.map(End::line));
    // It shares its modes with the reader of `run`.
    socket.set_nonblocking(false)?;
    if let Ok(Some(line)) = &outcome {
        // It may be gone.
        let _ = socket.write_all(line.as_bytes());
    }
    if outcome.is_ok() {
        // Signals may still be forwarded.
        let _ = io::copy(&mut socket, &mut io::sink());
        rendezvous::clear(&go.directory);
    }
    outcome.map(drop)
}

/// Ends the children of this process, and what becomes its child by that.
fn end_children() {
    let begun = Instant::now();
    let mut told = Vec::new();
    while begun.elapsed() < GIVE_UP {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => continue,
            // There is none.
            Err(_) => return,
            Ok(None) => {}
        }
        for child in children() {
            if begun.elapsed() > GRACE {
                let _ = kill_process(child, Signal::KILL);
            } else if !told.contains(&child) {
                told.push(child);
                let _ = kill_process(child, Signal::TERM);
                // A stopped process would not notice.
                let _ = kill_process(child, Signal::CONT);
            }
        }
        std::thread::sleep(PAUSE);
    }
}

/// The children of this process, as far as the system tells.
fn children() -> Vec<Pid> {
    let own = std::process::id();
    let text = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
    let text = text.unwrap_or_default();
    let numbers = text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
    numbers.filter_map(Pid::from_raw).collect()
}
