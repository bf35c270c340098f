//! The client's side of a command in an app: moves input, output, resizes and signals, and waits for
//! nothing longer than it must.

use ovhai_api_types::{EXEC_CHUNK_MAX, EXEC_INPUT_WINDOW, ExecStatus, TerminalSize};
use ovhai_client::{Error as ClientError, ExecMessage, ExecReceiver, ExecSender, ExecTask};
use tokio::sync::mpsc;

use crate::error::{Failure, Result};
use crate::server::target::{Server, Target};

/// Messages that wait in a channel.
pub(super) const WAITING: usize = 4;

/// Bytes of the command.
#[derive(Debug)]
pub(super) enum Output {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

/// A message for the command.
#[derive(Debug, Clone, Copy)]
pub(super) enum Control {
    Resize(TerminalSize),
    Signal(i32),
}

/// What the receiving half has for the sending half.
enum Note {
    Credit(u32),
    Ping(Vec<u8>),
}

/// A connection to a command that was started.
pub(super) struct Session {
    sender: ExecSender,
    receiver: ExecReceiver,
}

impl Session {
    /// Starts a command.
    pub(super) async fn start(
        target: &Target,
        app: &ovhai_api_types::App,
        replica: Option<u32>,
        task: &ExecTask,
    ) -> Result<Self> {
        let started = target.client.exec(app.id, replica, task).await;
        let (sender, receiver) = started.map_err(|error| refused(target, app, error))?;
        Ok(Self { sender, receiver })
    }

    /// Moves bytes until the command has ended. Without input, the command's is empty. Notices go to
    /// `output` as lines of standard error.
    pub(super) async fn drive(
        self,
        input: Option<mpsc::Receiver<Vec<u8>>>,
        output: mpsc::Sender<Output>,
        controls: mpsc::Receiver<Control>,
    ) -> Result<ExecStatus> {
        let (notes, granted) = mpsc::unbounded_channel();
        tokio::select! {
            outcome = receive(self.receiver, &output, &notes) => outcome,
            never = send(self.sender, input, controls, granted) => match never {},
        }
    }
}

async fn receive(
    mut receiver: ExecReceiver,
    output: &mpsc::Sender<Output>,
    notes: &mpsc::UnboundedSender<Note>,
) -> Result<ExecStatus> {
    let cut = |why: String| {
        Failure::new("the connection ended before the command did").because(why).hint(
            "see whether the emulator runs: ovhai emulator status; its log: ovhai emulator logs",
        )
    };
    loop {
        let message = receiver.next().await.map_err(|error| cut(error.to_string()))?;
        let message = message.ok_or_else(|| {
            cut("the emulator stopped, or the caller's access was revoked".into())
        })?;
        let said = match message {
            ExecMessage::Stdout(bytes) => Output::Stdout(bytes),
            ExecMessage::Stderr(bytes) => Output::Stderr(bytes),
            ExecMessage::Status(ExecStatus::Notice { message }) => {
                Output::Stderr(format!("[ovhai] {message}\n").into_bytes())
            }
            ExecMessage::Status(status) => return Ok(status),
            // The other half ends with this one.
            ExecMessage::Credit(count) => {
                let _ = notes.send(Note::Credit(count));
                continue;
            }
            ExecMessage::Ping(payload) => {
                let _ = notes.send(Note::Ping(payload));
                continue;
            }
        };
        // The reader of the output is gone, as that of a pipe.
        output.send(said).await.map_err(|_| Failure::silent(0))?;
    }
}

async fn send(
    mut sender: ExecSender,
    mut input: Option<mpsc::Receiver<Vec<u8>>>,
    mut controls: mpsc::Receiver<Control>,
    mut noted: mpsc::UnboundedReceiver<Note>,
) -> std::convert::Infallible {
    let mut half = Half { credit: EXEC_INPUT_WINDOW, rest: Vec::new(), is_open: input.is_some() };
    let mut has_controls = true;
    loop {
        let sent = tokio::select! {
            Some(note) = noted.recv() => match note {
                Note::Credit(count) => {
                    half.credit = half.credit.saturating_add(count);
                    half.push(&mut sender).await
                }
                Note::Ping(payload) => sender.pong(&payload).await,
            },
            asked = controls.recv(), if has_controls => match asked {
                Some(Control::Resize(size)) => sender.resize(size).await,
                Some(Control::Signal(number)) => sender.signal(number).await,
                None => {
                    has_controls = false;
                    Ok(())
                }
            },
            bytes = next(&mut input), if half.is_open && half.rest.is_empty() => match bytes {
                Some(bytes) => {
                    half.rest = bytes;
                    half.push(&mut sender).await
                }
                None => {
                    half.is_open = false;
                    sender.end_input().await
                }
            },
        };
        if sent.is_err() {
            // What was received last says why.
            std::future::pending::<()>().await;
        }
    }
}

async fn next(input: &mut Option<mpsc::Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    match input {
        Some(input) => input.recv().await,
        None => None,
    }
}

/// The input that is to be sent.
struct Half {
    credit: u32,
    rest: Vec<u8>,
    is_open: bool,
}

impl Half {
    /// Sends as much as the server takes.
    async fn push(&mut self, sender: &mut ExecSender) -> ovhai_client::Result<()> {
        let mut sent = 0;
        while sent < self.rest.len() && self.credit > 0 {
            let most = usize::try_from(self.credit).unwrap_or(usize::MAX).min(EXEC_CHUNK_MAX);
            let piece = &self.rest[sent..self.rest.len().min(sent + most)];
            sender.input(piece).await?;
            sent += piece.len();
            self.credit -= u32::try_from(piece.len()).unwrap_or(self.credit);
        }
        self.rest.drain(..sent);
        Ok(())
    }
}

/// Why no command was started.
fn refused(target: &Target, app: &ovhai_api_types::App, error: ClientError) -> Failure {
    let name = app.spec.name.as_deref().unwrap_or_default();
    match (&error, &target.server) {
        (
            ClientError::Api { status: 404 | 405 | 501, .. } | ClientError::Answer(_),
            Server::Remote { name: endpoint, .. },
        ) => Failure::new(format!(
            "the endpoint {endpoint} runs no commands in apps and copies no files of them"
        ))
        .because(&error)
        .hint("app exec and app cp are extensions of the emulator; the cloud has neither")
        .hint(format!("read what the app writes: ovhai app logs {name}")),
        (ClientError::Api { status: 409, message }, _) => {
            Failure::new(format!("no command runs in the app {name}"))
                .because(message)
                .hint(format!("see its replicas: ovhai app get {name}"))
                .hint(format!("start it: ovhai app start {name}; wait for it: ovhai app wait {name}"))
        }
        (ClientError::Api { status: 501, message }, _) => {
            Failure::new(format!("no command runs in the app {name}"))
                .because(message)
                .hint("run an image in a container engine, or a command: ovhai app run … --runtime process -- COMMAND")
        }
        (ClientError::Api { status: 404, message }, _) => Failure::not_found(message.clone())
            .hint(format!("see its replicas: ovhai app get {name}")),
        _ => error.into(),
    }
}

/// The failure for the end of a command, if that is one.
pub(super) fn end(status: ExecStatus) -> Result<()> {
    let code = |code: i32| match u8::try_from(code & 0xff) {
        Ok(code @ 1..) => code,
        Ok(0) | Err(_) => crate::error::FAILED,
    };
    match status {
        ExecStatus::Exited { code: 0 } | ExecStatus::Notice { .. } => Ok(()),
        ExecStatus::Exited { code: of } => Err(Failure::silent(code(of))),
        ExecStatus::Signalled { signal } => Err(Failure::silent(code(128 + signal))),
        ExecStatus::Failed { message, code: Some(of) } => {
            Err(Failure::new(message).exit_code(code(of)))
        }
        ExecStatus::Failed { message, code: None } => {
            Err(Failure::new("the command was broken off").because(message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_passed_on() {
        let code = |status| end(status).err().map_or(0, |failure| failure.code());
        assert_eq!(code(ExecStatus::Exited { code: 0 }), 0);
        assert_eq!(code(ExecStatus::Exited { code: 42 }), 42);
        assert_eq!(code(ExecStatus::Exited { code: 256 }), 1);
        assert_eq!(code(ExecStatus::Signalled { signal: 15 }), 143);
        let failed = |code| ExecStatus::Failed { message: "x".into(), code };
        assert_eq!(code(failed(Some(127))), 127);
        assert_eq!(code(failed(None)), 1);
    }
}
