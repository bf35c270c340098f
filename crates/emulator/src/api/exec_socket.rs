//! The server's side of a command's WebSocket.
//!
//! Nothing piles up: output is taken from the command only while the client takes what was written
//! before, and a client that sends more input than it was granted is disconnected. Resizes and
//! signals wait behind nothing.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;

use ovhai_api_types::{EXEC_CHUNK_MAX, EXEC_INPUT_WINDOW, ExecChannel, ExecStatus, TerminalSize};
use ovhai_core::ports::{ExecControl, ExecOutput, ExecSession};
use ovhai_core::replica::ExitStatus;
use ovhai_wire::buffer::{Buffer, Fill};
use ovhai_wire::websocket::{self, CloseCode, FRAME_MAX, Opcode};
use tokio::io::{AsyncWriteExt, DuplexStream, WriteHalf};

use crate::gateway::tunnel::FarEnd;

/// Bytes that wait for the client before no more output is taken.
const OUT_MAX: usize = 2 * EXEC_CHUNK_MAX;
/// Highest number of a signal.
const SIGNAL_MAX: i32 = 64;

/// Runs the session until the command has ended, the client is gone, or `over` says why it has to
/// end.
pub(super) async fn run(
    far: FarEnd,
    session: ExecSession,
    over: impl Future<Output = &'static str>,
) {
    let (stream, _done) = far.into_parts();
    run_on(stream, session, over).await;
}

async fn run_on(
    stream: DuplexStream,
    session: ExecSession,
    over: impl Future<Output = &'static str>,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut socket = Socket { out: Vec::new(), is_closing: false };
    let mut input = Input::default();
    let ExecSession { input: mut sink, control, mut output } = session;
    let mut received = Buffer::default();
    let mut over = pin!(over);
    let why = loop {
        if let Err(code) = take(&mut received, &mut socket, &mut input, &control) {
            websocket::write_close(&mut socket.out, code);
            socket.is_closing = true;
        }
        if socket.is_closing {
            // The client may be gone.
            let _ = socket.finish(&mut writer).await;
            return;
        }
        if input.has_ended && input.waiting.is_empty() {
            sink = None;
        }
        tokio::select! {
            why = &mut over => break why,
            filled = poll_fn(|cx| received.poll_fill(cx, &mut reader, FRAME_MAX)) => {
                if !matches!(filled, Ok(Fill::Read(_))) {
                    return;
                }
            }
            written = writer.write(&socket.out), if !socket.out.is_empty() => match written {
                Ok(count @ 1..) => drop(socket.out.drain(..count)),
                Ok(0) | Err(_) => return,
            },
            said = output.recv(), if socket.out.len() < OUT_MAX => {
                socket.tell(said.unwrap_or_else(|| ExecOutput::Failed {
                    message: "the end of the command is not known".into(),
                    code: None,
                }));
            }
            // The credit is output, too: a client that reads none gets none.
            permit = reserve(sink.as_ref()),
                if !input.waiting.is_empty() && socket.out.len() < OUT_MAX =>
            {
                let bytes = input.waiting.pop_front().unwrap_or_default();
                let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                // Without a permit the command reads no more: what comes is dropped.
                if let Some(permit) = permit {
                    permit.send(bytes);
                }
                input.granted = input.granted.saturating_add(count);
                socket.message(ExecChannel::Credit, count.to_string().as_bytes());
            }
        }
    };
    // At once: nothing of it may go on while the client reads the reason.
    drop((output, sink, control));
    socket.tell(ExecOutput::Failed { message: why.into(), code: None });
    let _ = socket.finish(&mut writer).await;
}

async fn reserve(
    sink: Option<&tokio::sync::mpsc::Sender<Vec<u8>>>,
) -> Option<tokio::sync::mpsc::Permit<'_, Vec<u8>>> {
    sink?.reserve().await.ok()
}

/// What waits for the client.
struct Socket {
    out: Vec<u8>,
    is_closing: bool,
}

impl Socket {
    fn message(&mut self, channel: ExecChannel, bytes: &[u8]) {
        let message = [&[channel as u8], bytes].concat();
        websocket::write(&mut self.out, Opcode::Binary, &message);
    }

    fn tell(&mut self, said: ExecOutput) {
        let status = match said {
            ExecOutput::Stdout(bytes) => return self.message(ExecChannel::Stdout, &bytes),
            ExecOutput::Stderr(bytes) => return self.message(ExecChannel::Stderr, &bytes),
            ExecOutput::Notice(message) => ExecStatus::Notice { message },
            ExecOutput::Ended(ExitStatus::Code(code)) => ExecStatus::Exited { code },
            ExecOutput::Ended(ExitStatus::Signal(signal)) => ExecStatus::Signalled { signal },
            ExecOutput::Failed { message, code } => ExecStatus::Failed { message, code },
        };
        // It is made of strings and numbers only.
        let text = serde_json::to_vec(&status).unwrap_or_default();
        self.message(ExecChannel::Status, &text);
        if !matches!(status, ExecStatus::Notice { .. }) {
            websocket::write_close(&mut self.out, CloseCode::Normal);
            self.is_closing = true;
        }
    }

    async fn finish(&mut self, writer: &mut WriteHalf<DuplexStream>) -> std::io::Result<()> {
        writer.write_all(&self.out).await?;
        writer.shutdown().await
    }
}

/// The client's standard input.
struct Input {
    waiting: VecDeque<Vec<u8>>,
    /// Bytes that the client may send.
    granted: u32,
    has_ended: bool,
}

impl Default for Input {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), granted: EXEC_INPUT_WINDOW, has_ended: false }
    }
}

/// Takes the messages that were received.
fn take(
    received: &mut Buffer,
    socket: &mut Socket,
    input: &mut Input,
    control: &tokio::sync::mpsc::Sender<ExecControl>,
) -> Result<(), CloseCode> {
    while let Some(frame) = websocket::read(received)? {
        match frame.opcode {
            Opcode::Binary if frame.is_last => message(frame.payload, input, control)?,
            Opcode::Ping if socket.out.len() < OUT_MAX => {
                websocket::write(&mut socket.out, Opcode::Pong, &frame.payload);
            }
            Opcode::Ping | Opcode::Pong => {}
            Opcode::Close => {
                websocket::write_close(&mut socket.out, CloseCode::Normal);
                socket.is_closing = true;
                return Ok(());
            }
            Opcode::Binary | Opcode::Continuation | Opcode::Text => {
                return Err(CloseCode::ProtocolError);
            }
        }
    }
    received.shrink();
    Ok(())
}

fn message(
    mut payload: Vec<u8>,
    input: &mut Input,
    control: &tokio::sync::mpsc::Sender<ExecControl>,
) -> Result<(), CloseCode> {
    let channel = payload.first().and_then(|channel| ExecChannel::of(*channel));
    let bytes = payload.get(1..).unwrap_or_default();
    let asked = match channel {
        Some(ExecChannel::Stdin) if !input.has_ended => {
            let count = u32::try_from(bytes.len()).ok();
            let left = count.and_then(|count| input.granted.checked_sub(count));
            input.granted = left.ok_or(CloseCode::TooBig)?;
            payload.remove(0);
            match input.waiting.back_mut() {
                // Many short ones take no more memory than one long one.
                Some(last) if last.len() + payload.len() <= EXEC_CHUNK_MAX => {
                    last.append(&mut payload);
                }
                _ if payload.is_empty() => {}
                _ => input.waiting.push_back(payload),
            }
            return Ok(());
        }
        Some(ExecChannel::Close) if bytes == [ExecChannel::Stdin as u8] => {
            input.has_ended = true;
            return Ok(());
        }
        Some(ExecChannel::Resize) => {
            serde_json::from_slice::<TerminalSize>(bytes).ok().map(ExecControl::Resize)
        }
        Some(ExecChannel::Signal) => serde_json::from_slice(bytes)
            .ok()
            .filter(|signal| (1..=SIGNAL_MAX).contains(signal))
            .map(ExecControl::Signal),
        _ => None,
    };
    let asked = asked.ok_or(CloseCode::ProtocolError)?;
    // Full: the command reads them too slowly, and the last ones may be left out.
    let _ = control.try_send(asked);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(channel: ExecChannel, rest: &[u8]) -> Vec<u8> {
        [&[channel as u8], rest].concat()
    }

    #[tokio::test(start_paused = true)]
    async fn credit_waits_for_a_client_that_reads_nothing() {
        const WAITING: usize = 1024;
        let (mut client, stream) = tokio::io::duplex(WAITING);
        let (session, mut command) = ExecSession::new();
        tokio::spawn(run_on(stream, session, std::future::pending()));
        // A credit of one byte takes four.
        let most = (OUT_MAX + WAITING) / 4 + 1;
        let mut taken = 0;
        // A masked message of one byte, whenever the last one was taken.
        while client.write_all(&[0x82, 0x82, 0, 0, 0, 0, 0, b'x']).await.is_ok() {
            let soon =
                tokio::time::timeout(std::time::Duration::from_secs(1), command.input.recv());
            match soon.await {
                Ok(Some(_)) => taken += 1,
                Ok(None) | Err(_) => break,
            }
            assert!(taken <= most, "{taken} answers wait for a client that reads none");
        }
        assert!(taken > 1000, "{taken}: it takes what there is room for");
    }

    #[tokio::test]
    async fn input_beyond_the_window_ends_the_session() {
        let (control, mut asked) = tokio::sync::mpsc::channel(1);
        let mut input = Input { granted: 4, ..Input::default() };
        assert_eq!(message(bytes(ExecChannel::Stdin, b"abcd"), &mut input, &control), Ok(()));
        let more = message(bytes(ExecChannel::Stdin, b"e"), &mut input, &control);
        assert_eq!(more, Err(CloseCode::TooBig));
        assert_eq!(input.waiting, [b"abcd"]);
        // A signal is behind nothing.
        assert_eq!(message(bytes(ExecChannel::Signal, b"15"), &mut input, &control), Ok(()));
        assert_eq!(asked.recv().await, Some(ExecControl::Signal(15)));
        for refused in [&b""[..], b"\x05", b"\x05999", b"\x04{}", b"\x01x", b"\xff\x01", b"\x63"] {
            let refused = message(refused.to_vec(), &mut input, &control);
            assert_eq!(refused, Err(CloseCode::ProtocolError));
        }
        assert_eq!(message(vec![255, 0], &mut input, &control), Ok(()));
        assert!(input.has_ended);
        let late = message(bytes(ExecChannel::Stdin, b"x"), &mut input, &control);
        assert_eq!(late, Err(CloseCode::ProtocolError));
    }
}
