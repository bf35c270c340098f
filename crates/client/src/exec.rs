//! Commands inside apps, over a WebSocket: an extension of the emulator.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ovhai_api_types::{
    AppId, CopyDirection, EXEC_CHUNK_MAX, ExecChannel, ExecStatus, TerminalSize,
};
use reqwest::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Method, StatusCode, Upgraded};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};

use crate::error::Error;
use crate::{Client, Result, encode};

/// Maximum payload of a frame of a server.
const FRAME_MAX: u64 = 1024 * 1024;
const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What to run in an app.
#[derive(Debug, Clone)]
pub enum ExecTask {
    /// A command.
    Command {
        /// Program and arguments.
        command: Vec<String>,
        /// Whether it gets an input.
        has_input: bool,
        /// The size and the kind of its terminal, if it gets one.
        terminal: Option<(TerminalSize, Option<String>)>,
    },
    /// A copy of files.
    Copy {
        /// The direction.
        direction: CopyDirection,
        /// The file or the directory in the app.
        path: String,
    },
}

/// A message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecMessage {
    /// Bytes of standard output.
    Stdout(Vec<u8>),
    /// Bytes of standard error.
    Stderr(Vec<u8>),
    /// News of the command.
    Status(ExecStatus),
    /// More bytes of standard input may be sent.
    Credit(u32),
    /// Has to be answered by [`ExecSender::pong`].
    Ping(Vec<u8>),
}

/// Sends messages to a command.
#[derive(Debug)]
pub struct ExecSender {
    to: WriteHalf<Upgraded>,
    masks: RandomState,
    count: u64,
}

/// Receives messages of a command.
#[derive(Debug)]
pub struct ExecReceiver {
    from: ReadHalf<Upgraded>,
    buffer: Vec<u8>,
}

impl Client {
    /// Runs a command in the replica with this ordinal, or in the first one that is ready.
    pub async fn exec(
        &self,
        id: AppId,
        replica: Option<u32>,
        task: &ExecTask,
    ) -> Result<(ExecSender, ExecReceiver)> {
        let mut query: Vec<(&str, String)> = Vec::new();
        let operation = match task {
            ExecTask::Command { command, has_input, terminal } => {
                query.extend(command.iter().map(|word| ("command", word.clone())));
                query.push(("stdin", has_input.to_string()));
                if let Some((size, kind)) = terminal {
                    query.push(("tty", "true".into()));
                    query.push(("width", size.width.to_string()));
                    query.push(("height", size.height.to_string()));
                    query.extend(kind.iter().map(|kind| ("term", kind.clone())));
                }
                "exec"
            }
            ExecTask::Copy { direction, path } => {
                query.push(("direction", direction.as_str().into()));
                query.push(("path", path.clone()));
                "archive"
            }
        };
        query.extend(replica.map(|replica| ("replica", replica.to_string())));
        let path = format!("/v1/app/{id}/{operation}?{}", encode(&query));
        let key = STANDARD.encode(nonce());
        let request = self
            .endless(Method::GET, &path)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        let response = self.send(request).await?;
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT);
        let is_accepted =
            accepted.is_some_and(|accepted| accepted.as_bytes() == accept(&key).as_bytes());
        if response.status() != StatusCode::SWITCHING_PROTOCOLS || !is_accepted {
            return Err(Error::Answer(format!("{}, and no WebSocket", response.status())));
        }
        let stream = response.upgrade().await.map_err(Error::from_reqwest)?;
        let (from, to) = split(stream);
        Ok((
            ExecSender { to, masks: RandomState::new(), count: 0 },
            ExecReceiver { from, buffer: Vec::new() },
        ))
    }
}

/// Whether a request runs something in an app, or writes files there: a WebSocket begins with a GET.
pub(crate) fn changes(path: &str, query: &str) -> bool {
    path.ends_with("/exec") || (path.ends_with("/archive") && query.contains("direction=write"))
}

fn nonce() -> [u8; 16] {
    let part = || RandomState::new().hash_one(0_u8).to_ne_bytes();
    let (a, b) = (part(), part());
    std::array::from_fn(|at| if at < 8 { a[at] } else { b[at - 8] })
}

/// The server's answer to a key (RFC 6455, section 1.3).
fn accept(key: &str) -> String {
    const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MAGIC}").as_bytes());
    STANDARD.encode(digest)
}

fn broken(error: io::Error) -> Error {
    Error::Broken(error.to_string())
}

impl ExecSender {
    /// Sends bytes of standard input: at most [`EXEC_CHUNK_MAX`], and no more than the server has
    /// granted.
    pub async fn input(&mut self, bytes: &[u8]) -> Result<()> {
        debug_assert!(bytes.len() <= EXEC_CHUNK_MAX, "one message");
        self.message(ExecChannel::Stdin, bytes).await
    }

    /// The standard input has ended.
    pub async fn end_input(&mut self) -> Result<()> {
        self.message(ExecChannel::Close, &[ExecChannel::Stdin as u8]).await
    }

    /// The terminal has another size.
    pub async fn resize(&mut self, size: TerminalSize) -> Result<()> {
        let text = serde_json::to_vec(&size).unwrap_or_default();
        self.message(ExecChannel::Resize, &text).await
    }

    /// Sends a signal, by its number on Linux.
    pub async fn signal(&mut self, number: i32) -> Result<()> {
        self.message(ExecChannel::Signal, number.to_string().as_bytes()).await
    }

    /// Answers a ping.
    pub async fn pong(&mut self, payload: &[u8]) -> Result<()> {
        self.frame(PONG, &[payload]).await
    }

    async fn message(&mut self, channel: ExecChannel, bytes: &[u8]) -> Result<()> {
        self.frame(BINARY, &[&[channel as u8], bytes]).await
    }

    async fn frame(&mut self, opcode: u8, parts: &[&[u8]]) -> Result<()> {
        self.count += 1;
        let [a, b, c, d, ..] = self.masks.hash_one(self.count).to_ne_bytes();
        let frame = masked(opcode, parts, [a, b, c, d]);
        self.to.write_all(&frame).await.map_err(broken)?;
        self.to.flush().await.map_err(broken)
    }
}

/// A frame of a client (RFC 6455, section 5).
fn masked(opcode: u8, parts: &[&[u8]], mask: [u8; 4]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut frame = Vec::with_capacity(length + 14);
    frame.push(0x80 | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => frame.push(0x80 | short),
        (_, Ok(long)) => {
            frame.push(0xfe);
            frame.extend(long.to_be_bytes());
        }
        _ => {
            frame.push(0xff);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    let head = frame.len();
    for part in parts {
        frame.extend_from_slice(part);
    }
    apply(mask, &mut frame[head..]);
    frame
}

/// Masks bytes, eight at a time.
fn apply([a, b, c, d]: [u8; 4], bytes: &mut [u8]) {
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip([a, b, c, d].into_iter().cycle()) {
        *byte ^= mask;
    }
}

impl ExecReceiver {
    /// The next message; none at the end. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Result<Option<ExecMessage>> {
        loop {
            while let Some((opcode, payload)) = frame(&mut self.buffer)? {
                match opcode {
                    BINARY => {
                        if let Some(message) = message(&payload)? {
                            return Ok(Some(message));
                        }
                    }
                    CLOSE => return Ok(None),
                    PING => return Ok(Some(ExecMessage::Ping(payload))),
                    PONG => {}
                    _ => return Err(Error::Answer("a message that is not binary".into())),
                }
            }
            self.buffer.reserve(EXEC_CHUNK_MAX);
            let count = self.from.read_buf(&mut self.buffer).await.map_err(broken)?;
            if count == 0 {
                return Ok(None);
            }
        }
    }
}

/// Takes a whole frame of a server off the front.
fn frame(buffer: &mut Vec<u8>) -> Result<Option<(u8, Vec<u8>)>> {
    let malformed = |why: &str| Err(Error::Answer(format!("a malformed WebSocket frame: {why}")));
    let [first, second, rest @ ..] = &buffer[..] else { return Ok(None) };
    let opcode = first & 0x0f;
    if first & 0xf0 != 0x80 || second & 0x80 != 0 || opcode == CONTINUATION {
        return malformed("in pieces, masked or extended");
    }
    let (size, length) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(length) => (2, u64::from(u16::from_be_bytes(*length))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (8, u64::from_be_bytes(*length)),
            None => return Ok(None),
        },
        length => (0, u64::from(length)),
    };
    if length > FRAME_MAX {
        return malformed("too long");
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let Some(payload) = rest.get(size..size + length).map(<[u8]>::to_vec) else { return Ok(None) };
    buffer.drain(..2 + size + length);
    Ok(Some((opcode, payload)))
}

fn message(payload: &[u8]) -> Result<Option<ExecMessage>> {
    let invalid = |error: serde_json::Error| Error::Answer(error.to_string());
    let Some((channel, bytes)) = payload.split_first() else { return Ok(None) };
    Ok(match ExecChannel::of(*channel) {
        Some(ExecChannel::Stdout) => Some(ExecMessage::Stdout(bytes.to_vec())),
        Some(ExecChannel::Stderr) => Some(ExecMessage::Stderr(bytes.to_vec())),
        Some(ExecChannel::Status) => {
            Some(ExecMessage::Status(serde_json::from_slice(bytes).map_err(invalid)?))
        }
        Some(ExecChannel::Credit) => {
            Some(ExecMessage::Credit(serde_json::from_slice(bytes).map_err(invalid)?))
        }
        // Of a later version.
        _ => None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// RFC 6455, sections 1.3 and 5.7.
    #[test]
    fn the_examples_of_the_standard() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let hello = masked(1, &[b"He", b"llo"], [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(hello, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        assert_eq!(masked(BINARY, &[&[0; 256]], [0; 4])[..4], [0x82, 0xfe, 1, 0]);
    }

    #[test]
    fn frames_of_a_server() {
        let whole = [0x82, 3, 1, b'h', b'i', 0x88, 0];
        for cut in 0..5 {
            assert_eq!(frame(&mut whole[..cut].to_vec()).unwrap(), None);
        }
        let mut buffer = whole.to_vec();
        assert_eq!(frame(&mut buffer).unwrap(), Some((BINARY, b"\x01hi".to_vec())));
        assert_eq!(frame(&mut buffer).unwrap(), Some((CLOSE, Vec::new())));
        assert_eq!(message(b"\x01hi").unwrap(), Some(ExecMessage::Stdout(b"hi".to_vec())));
        assert_eq!(message(b"\x0612").unwrap(), Some(ExecMessage::Credit(12)));
        assert_eq!(message(b"\x63x").unwrap(), None);
        assert!(message(b"\x03x").is_err());
        for bad in [[0x02, 0], [0x82, 0x80], [0xc2, 0], [0x80, 0]] {
            assert!(frame(&mut bad.to_vec()).is_err(), "{bad:?}");
        }
        assert!(frame(&mut vec![0x82, 127, 1, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
