//! The stage between the supervisor and an app's command, in the process that becomes the command.
//!
//! The supervisor starts `ovhai __launch PID` with a socket as its standard input, and writes the
//! [`LaunchSpec`] to it. Here the process gets what can only be set from inside: the kernel ends it when
//! the supervisor ends, however it does, new files are readable by others as usual, and none of the
//! emulator's descriptors is open. Then it becomes the command, which closes the socket; if it
//! can't, the reason is written to it.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Error, ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use rustix::fs::Mode;
use rustix::process::getppid;
use serde::{Deserialize, Serialize};

use crate::descriptors;
use crate::environment::is_for_apps;

/// The hidden subcommand of `ovhai`.
pub const SUBCOMMAND: &str = "__launch";
/// Permissions that new files of an app do not have, as in a login shell. The emulator's own umask
/// is stricter.
const UMASK: Mode = Mode::WGRP.union(Mode::WOTH);

/// What to run. It goes over the socket, since others can read arguments, and is never shown: the
/// environment may have secrets.
#[derive(Clone, Serialize, Deserialize)]
pub struct LaunchSpec {
    /// Program and arguments; not empty.
    pub command: Vec<String>,
    /// Whether the command inherits the variables that every app inherits from the emulator.
    pub inherits: bool,
    /// Variables of the command; the last one of a name wins.
    pub env: Vec<(String, String)>,
    /// Where to run it.
    pub directory: Option<String>,
    /// Whether the file that comes with the spec is a terminal for all three standard streams, and
    /// the command is to lead its session. Else that file is the standard input alone.
    #[serde(default)]
    pub terminal: bool,
}

/// Sends a spec, and a file for the command's standard streams.
pub(crate) fn send(
    socket: &UnixStream,
    spec: &LaunchSpec,
    file: Option<&OwnedFd>,
) -> io::Result<()> {
    let line = line(spec)?;
    let (first, rest) = line.split_at(1);
    descriptors::send(socket, first, file)?;
    let mut socket = socket;
    socket.write_all(rest)
}

/// A spec as it is sent; not empty.
pub(crate) fn line(spec: &LaunchSpec) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(spec)?;
    line.push(b'\n');
    Ok(line)
}

/// Receives what [`send`] sends. The reader has read no more than that.
pub(crate) fn receive(
    socket: &UnixStream,
    reader: &mut impl BufRead,
) -> io::Result<(LaunchSpec, Option<OwnedFd>)> {
    let mut first = [0; 1];
    let file = descriptors::receive(socket, &mut first)?;
    let mut line = first.to_vec();
    reader.read_until(b'\n', &mut line)?;
    Ok((serde_json::from_slice(&line)?, file))
}

/// Runs the stage; `main` calls this before anything else when the subcommand is given.
pub fn main() -> ExitCode {
    let socket = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    if let Ok(mut socket) = socket {
        let Err(why) = become_command(&socket);
        // The supervisor may be gone.
        let _ = write!(socket, "{why}");
    }
    ExitCode::FAILURE
}

fn become_command(socket: &UnixStream) -> io::Result<Infallible> {
    let supervisor = std::env::args().nth(2).and_then(|pid| pid.parse().ok());
    let (spec, file) = receive(socket, &mut BufReader::new(socket))?;
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    // It may have ended before the signal was set.
    if getppid().map(|parent| parent.as_raw_nonzero().get()) != supervisor {
        return Err(Error::other("the supervisor is gone"));
    }
    rustix::process::umask(UMASK);
    descriptors::keep_from_children();
    let mut command = command(&spec)?;
    match file {
        Some(terminal) if spec.terminal => {
            rustix::process::setsid()?;
            rustix::process::ioctl_tiocsctty(&terminal)?;
            command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal);
        }
        Some(input) => {
            command.stdin(input);
        }
        None => {}
    }
    Err(command.exec())
}

fn command(spec: &LaunchSpec) -> io::Result<Command> {
    let (program, arguments) = spec
        .command
        .split_first()
        .ok_or_else(|| Error::new(ErrorKind::InvalidInput, "an empty command"))?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).env_clear();
    if spec.inherits {
        let is_passed_on = |name: &OsStr| name.to_str().is_some_and(is_for_apps);
        command.envs(std::env::vars_os().filter(|(name, _)| is_passed_on(name)));
    }
    command.envs(spec.env.iter().map(|(name, value)| (name, value)));
    if let Some(directory) = &spec.directory {
        let there = std::fs::metadata(directory).is_ok_and(|found| found.is_dir());
        if !there {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no directory {directory}"),
            ));
        }
        command.current_dir(directory);
    }
    Ok(command)
}
