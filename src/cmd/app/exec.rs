//! `ovhai app exec`: a command in an app's replica.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use clap::Args;
use ovhai_api_types::{EXEC_CHUNK_MAX, TerminalSize};
use ovhai_client::ExecTask;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::resolve;
use super::session::{Control, Output, Session, WAITING, end};
use crate::calls::liveness;
use crate::context::{Context, interrupted};
use crate::error::{Failure, Result};
use crate::server::target::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "An extension of the emulator: the cloud runs no commands in apps. The command runs in the replica's container, or beside its local process, with the same user, environment and directory, and ends with this command. Its exit code is passed on; 128 and the signal's number if a signal ended it. Without a terminal, SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on."
)]
pub(super) struct Exec {
    /// Id, name, or beginning of an id
    app: String,
    /// Number of the replica, from 1 [default: the first one that is ready]
    #[arg(long, value_name = "NUMBER")]
    replica: Option<u32>,
    /// Pass standard input on, to its end; with a terminal always
    #[arg(short = 'i', long = "stdin")]
    has_input: bool,
    /// Give the command a terminal [default: if standard input and output are terminals]
    #[arg(short, long)]
    tty: bool,
    /// Give the command no terminal
    #[arg(short = 'T', long, conflicts_with = "tty")]
    no_tty: bool,
    /// Program and arguments; all options of this command stand before them
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Exec {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let are_terminals = io::stdin().is_terminal() && io::stdout().is_terminal();
        let has_terminal = self.tty || (are_terminals && !self.no_tty);
        let kind = context.var("TERM").filter(|_| has_terminal).map(str::to_owned);
        let task = ExecTask::Command {
            command: self.command.clone(),
            has_input: self.has_input || has_terminal,
            terminal: has_terminal.then(|| (size().unwrap_or(SIZE), kind)),
        };
        // Caught from here on: none is lost between two who wait for them.
        let signals = Signals::catch(has_terminal);
        let hangs =
            liveness::until_it_hangs(Arc::clone(&context.found), Arc::clone(&context.trace));
        let begin = async {
            let target = Target::find_to_change(context).await?;
            let app = resolve(&target.client, &self.app).await?;
            Session::start(&target, &app, self.replica, &task).await
        };
        let session = tokio::select! {
            session = begin => session?,
            failure = hangs => return Err(failure),
            () = interrupted() => return Err(Failure::interrupted()),
        };
        // From here on Ctrl-C is the command's.
        let raw = (has_terminal && io::stdin().is_terminal()).then(Raw::enter).transpose()?;
        let input = (self.has_input || has_terminal).then(read_input);
        let (output, written) = write_output();
        let (told, controls) = mpsc::channel(WAITING);
        let outcome = tokio::select! {
            outcome = session.drive(input, output, controls) => outcome,
            number = signals.pass_on(told) => Err(Failure::silent(128 + number)),
        };
        // All of it, before anything else is shown.
        let written = written.await;
        drop(raw);
        match written {
            // The reader of a pipe is gone: that is its own affair.
            Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new("the command's output can't be written").because(error).hint(
                    "some of it is lost: make room where it goes, or redirect it, and run the command again",
                ))
            }
            _ => end(outcome?),
        }
    }
}

/// The size of a terminal that does not tell.
const SIZE: TerminalSize = TerminalSize { width: 80, height: 24 };

/// The size of this terminal, if there is one.
fn size() -> Option<TerminalSize> {
    let size = tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin())).ok()?;
    (size.ws_col > 0 && size.ws_row > 0)
        .then_some(TerminalSize { width: size.ws_col, height: size.ws_row })
}

/// A terminal that passes every key on. Dropping it restores the terminal's modes.
struct Raw(Termios);

impl Raw {
    fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        modes.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // There is no other terminal to tell.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}

/// The signals that are the command's.
struct Signals {
    caught: mpsc::Receiver<u8>,
    resized: Option<tokio::signal::unix::Signal>,
    has_terminal: bool,
}

impl Signals {
    fn catch(has_terminal: bool) -> Self {
        let kinds = [
            (SignalKind::interrupt(), 2),
            (SignalKind::terminate(), 15),
            (SignalKind::hangup(), 1),
            (SignalKind::quit(), 3),
        ];
        let (signals, caught) = mpsc::channel(WAITING);
        for (kind, number) in kinds {
            let signals = signals.clone();
            let Ok(mut of_kind) = signal(kind) else { continue };
            tokio::spawn(async move {
                while of_kind.recv().await.is_some() && signals.send(number).await.is_ok() {}
            });
        }
        let resized = signal(SignalKind::window_change()).ok().filter(|_| has_terminal);
        Self { caught, resized, has_terminal }
    }

    /// Passes resizes and signals on. With a terminal, Ctrl-C is a key of the command's; a signal that
    /// comes all the same ends this program, and its number is returned.
    async fn pass_on(mut self, to: mpsc::Sender<Control>) -> u8 {
        loop {
            let changed = async {
                match &mut self.resized {
                    Some(resized) => resized.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = changed => {
                    if let Some(size) = size() {
                        let _ = to.send(Control::Resize(size)).await;
                    }
                }
                Some(number) = self.caught.recv() => {
                    if self.has_terminal {
                        return number;
                    }
                    let _ = to.send(Control::Signal(number.into())).await;
                }
            }
        }
    }
}

/// Reads standard input to its end, as fast as it is taken.
fn read_input() -> mpsc::Receiver<Vec<u8>> {
    let (to, input) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut stdin = tokio::io::stdin();
        let mut room = vec![0; EXEC_CHUNK_MAX];
        while let Ok(count @ 1..) = stdin.read(&mut room).await {
            if to.send(room[..count].to_vec()).await.is_err() {
                return;
            }
        }
    });
    input
}

/// Writes the command's output. The task ends when all was written, or a reader is gone.
fn write_output() -> (mpsc::Sender<Output>, tokio::task::JoinHandle<io::Result<()>>) {
    let (output, mut said) = mpsc::channel(WAITING);
    let written = tokio::spawn(async move {
        let (mut out, mut err) = (tokio::io::stdout(), tokio::io::stderr());
        while let Some(said) = said.recv().await {
            match said {
                Output::Stdout(bytes) => {
                    out.write_all(&bytes).await?;
                    out.flush().await?;
                }
                Output::Stderr(bytes) => {
                    err.write_all(&bytes).await?;
                    err.flush().await?;
                }
            }
        }
        Ok(())
    });
    (output, written)
}
