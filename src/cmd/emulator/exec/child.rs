//! The command of `emulator exec`, from the emulator's side: its attendant, and the signals to
//! forward.

use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use ovhai_runtime::remains;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::attendant::{self, End, Go};
use crate::cmd::emulator::rendezvous::COMMAND_MARK;
use crate::context::Context;
use crate::error::{Failure, Result};

/// Prefix of the variables that the command does not inherit.
const OWN: &[u8] = b"OVHAI_";

/// The signals that this process gets.
pub(super) struct Signals(UnboundedReceiver<i32>);

impl Signals {
    /// From this call on they do not end the program any more.
    pub(super) fn listen() -> Result<Self> {
        let (sender, receiver) = unbounded_channel();
        for number in attendant::signals().map(Signal::as_raw) {
            let mut stream = signal(SignalKind::from_raw(number))?;
            let sender = sender.clone();
            tokio::spawn(async move {
                while stream.recv().await.is_some() && sender.send(number).is_ok() {}
            });
        }
        Ok(Self(receiver))
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> i32 {
        match self.0.recv().await {
            Some(number) => number,
            // All are ignored.
            None => std::future::pending().await,
        }
    }
}

/// See the module.
pub(super) struct Child {
    attendant: std::process::Child,
    to: OwnedWriteHalf,
    from: Lines<BufReader<OwnedReadHalf>>,
    /// The directory of the emulator, once the command may run.
    mark: Option<String>,
}

impl Child {
    /// Starts the attendant, which waits.
    pub(super) fn prepare(context: &Context, command: &[OsString]) -> Result<Self> {
        use std::os::unix::ffi::OsStrExt;
        let (ours, theirs) = StdStream::pair()?;
        let mut attend = Command::new(super::this_program()?);
        attend
            .arg0("ovhai")
            .arg(attendant::SUBCOMMAND)
            .args(command)
            .current_dir(&context.directory)
            .stdin(Stdio::from(OwnedFd::from(theirs)));
        for (name, _) in std::env::vars_os() {
            if name.as_bytes().starts_with(OWN) {
                attend.env_remove(name);
            }
        }
        let attendant = attend.spawn()?;
        // Or the socket would not close with the attendant.
        drop(attend);
        send_stdin(&ours)?;
        ours.set_nonblocking(true)?;
        let (from, to) = UnixStream::from_std(ours)?.into_split();
        Ok(Self { attendant, to, from: BufReader::new(from).lines(), mark: None })
    }

    /// Starts the command.
    pub(super) async fn go(
        &mut self,
        directory: &Path,
        environment: Vec<(&str, String)>,
    ) -> Result<()> {
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value));
        let go = Go { directory: directory.to_owned(), environment: environment.collect() };
        let mut line = serde_json::to_vec(&go).map_err(io::Error::from)?;
        line.push(b'\n');
        self.mark = Some(directory.to_string_lossy().into_owned());
        // Whether the attendant is gone, `ended` will tell.
        let _ = self.to.write_all(&line).await;
        Ok(())
    }

    /// Forwards a signal to the command, unless it has got it.
    pub(super) async fn forward(&mut self, signal: i32) {
        let _ = self.to.write_all(format!("signal {signal}\n").as_bytes()).await;
    }

    /// Waits for the end of the command and of all its processes. Can be cancelled.
    pub(super) async fn ended(&mut self) -> Result<End> {
        let line = self.from.next_line().await.ok().flatten();
        if let Some(end) = line.as_deref().and_then(End::parse) {
            return Ok(end);
        }
        // The kernel has ended the command, but not its children.
        if let Some(mark) = self.mark.clone() {
            let end = move || remains::end_marked(COMMAND_MARK, &mark);
            let _ = tokio::task::spawn_blocking(end).await;
        }
        Err(Failure::new("the command was ended")
            .because("the process that watches it was killed")
            .hint("run it again: ovhai emulator exec -- COMMAND")
            .exit_code(super::stage::code_of(Signal::KILL.as_raw())))
    }

    /// Lets the attendant end, and waits for that.
    pub(super) async fn release(self) {
        let Self { mut attendant, to, from, .. } = self;
        drop((to, from));
        // It has nothing more to do, but may have been stopped.
        let _ = tokio::task::spawn_blocking(move || attendant.wait()).await;
    }
}

/// Gives the command this process's standard input.
fn send_stdin(socket: &StdStream) -> io::Result<()> {
    let stdin = io::stdin();
    let rights = [stdin.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&rights)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sendmsg(socket, &[IoSlice::new(b"\n")], &mut control, SendFlags::empty())?;
    Ok(())
}
