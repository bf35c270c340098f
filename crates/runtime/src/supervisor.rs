//! The process that stands between the emulator and an app's command.
//!
//! The emulator starts `ovhai __supervise APP` with a socket as its standard input; the
//! supervisor starts the command (see [`crate::launch`]) in a process group of its own and ends that
//! group on request, when the command itself ends, and when the socket closes, which happens
//! even if the emulator is killed by SIGKILL. It is a subreaper, so that what the
//! command left behind outside the group comes to it and is ended too. If it is killed itself, the
//! kernel ends the command, and the emulator, or the next one, ends the rest ([`crate::remains`]).
//!
//! On the socket, a line each. To the supervisor: first a [`LaunchSpec`] as JSON, with a file for the
//! command's standard streams, if any; then `term MS`
//! (SIGTERM, and SIGKILL after that many milliseconds), `signal NUMBER` or `kill`. From it: `started PID`, or
//! `failed WHY`; then `exited CODE` or `signalled NUMBER`, when nothing is left.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::launch::{self, LaunchSpec};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, setsid, wait};

/// The hidden subcommand of `ovhai`.
pub const SUBCOMMAND: &str = "__supervise";
/// Time that the command has after SIGTERM when the emulator is gone.
const ORPHAN_GRACE: Duration = Duration::from_secs(1);

struct Shared {
    socket: Mutex<UnixStream>,
    ended: AtomicBool,
}

impl Shared {
    fn say(&self, line: &str) {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        // The emulator may be gone; the other thread ends everything in that case.
        let _ = socket.write_all(line.as_bytes());
    }
}

/// Runs the supervisor; `main` calls this before anything else when the subcommand is given.
pub fn main() -> ExitCode {
    let socket = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    match socket.and_then(supervise) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn supervise(socket: UnixStream) -> io::Result<()> {
    // A session of its own: Ctrl-C at the emulator's terminal is the emulator's, which then stops its
    // apps in order; and by its session the next emulator recognises what is left of an app.
    setsid()?;
    let mut reader = BufReader::new(socket.try_clone()?);
    let (spec, file) = launch::receive(&socket, &mut reader)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let shared = Arc::new(Shared { socket: Mutex::new(socket), ended: AtomicBool::new(false) });
    let child = match spawn(&spec, file) {
        Ok(child) => child,
        Err(error) => {
            shared.say(&format!("failed {error}\n"));
            return Ok(());
        }
    };
    let group = i32::try_from(child)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("no process id"))?;
    shared.say(&format!("started {child}\n"));
    let listener = Arc::clone(&shared);
    std::thread::spawn(move || obey(reader, group, &listener));
    let outcome = reap_until(group);
    shared.ended.store(true, Ordering::SeqCst);
    end_all(group);
    shared.say(&outcome);
    Ok(())
}

/// Starts the command; the error says why it does not start.
fn spawn(spec: &LaunchSpec, file: Option<OwnedFd>) -> io::Result<u32> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(this_program()?);
    command
        .arg0("ovhai")
        .arg(launch::SUBCOMMAND)
        .arg(std::process::id().to_string())
        .stdin(Stdio::from(OwnedFd::from(theirs)));
    // With a terminal it leads a session, and so a group; the leader of a group can't.
    if !spec.terminal {
        command.process_group(0);
    }
    // Reaped by `reap_until`, with whatever else becomes a child of this process.
    let child = command.spawn()?.id();
    // Only the stage may have the other end: it closes when the stage becomes the command.
    drop(command);
    launch::send(&ours, spec, file.as_ref())?;
    // Its reader learns of the end, or its terminal closes, with the command.
    drop(file);
    let mut why = String::new();
    ours.read_to_string(&mut why)?;
    if why.is_empty() { Ok(child) } else { Err(io::Error::other(why)) }
}

/// This executable, even if another version has replaced its file.
fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// Waits for `child`, and reaps the orphans that end meanwhile.
fn reap_until(child: Pid) -> String {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => {
                return match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => format!("exited {code}\n"),
                    (None, Some(signal)) => format!("signalled {signal}\n"),
                    (None, None) => "exited -1\n".into(),
                };
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return "exited -1\n".into(),
        }
    }
}

/// Ends what is left of the group, and the orphans that left it.
fn end_all(group: Pid) {
    let _ = kill_process_group(group, Signal::KILL);
    for _ in 0..200 {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => continue,
            Err(_) => return,
            Ok(None) => {}
        }
        for orphan in children() {
            let _ = kill_process(orphan, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The children of this process, as far as the system tells.
fn children() -> Vec<Pid> {
    let own = std::process::id().to_string();
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let is_ours = |status: &str| {
        status.lines().find_map(|line| line.strip_prefix("PPid:")).is_some_and(|p| p.trim() == own)
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|text| is_ours(&text))
        })
        .filter_map(Pid::from_raw)
        .collect()
}

/// Does what the emulator says, until the socket closes.
fn obey(mut reader: BufReader<UnixStream>, group: Pid, shared: &Shared) {
    let signal = |signal| {
        if !shared.ended.load(Ordering::SeqCst) {
            let _ = kill_process_group(group, signal);
        }
    };
    let mut line = String::new();
    loop {
        line.clear();
        match reader.read_line(&mut line) {
            // The grace is over.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                signal(Signal::KILL);
                let _ = reader.get_ref().set_read_timeout(None);
            }
            Err(_) | Ok(0) => break,
            Ok(_) => match line.trim().split_once(' ').unwrap_or((line.trim(), "")) {
                ("term", grace) => {
                    let grace = Duration::from_millis(grace.parse().unwrap_or(0));
                    signal(Signal::TERM);
                    let _ = reader
                        .get_ref()
                        .set_read_timeout(Some(grace.max(Duration::from_millis(1))));
                }
                ("signal", number) => {
                    let number = number.parse().ok().and_then(Signal::from_named_raw);
                    number.into_iter().for_each(signal);
                }
                _ => signal(Signal::KILL),
            },
        }
    }
    // The emulator is gone.
    signal(Signal::TERM);
    std::thread::sleep(ORPHAN_GRACE);
    signal(Signal::KILL);
}
