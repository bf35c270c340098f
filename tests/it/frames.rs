//! HTTP/2 on the level of frames: clients that send what no library would.

use ovhai_test_support::TestEmulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::SOON;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
pub(crate) const FRAME_SIZE_ERROR: u32 = 6;
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;
pub(crate) const CALM: u32 = 11;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A string of HPACK, not compressed.
pub(crate) fn string(text: &[u8], out: &mut Vec<u8>) {
    let mut left = text.len();
    if left < 127 {
        out.push(u8::try_from(left).unwrap());
    } else {
        out.push(127);
        left -= 127;
        while left >= 128 {
            out.push(u8::try_from(left % 128 + 128).unwrap());
            left /= 128;
        }
        out.push(u8::try_from(left).unwrap());
    }
    out.extend(text);
}

/// A field that goes into no table.
pub(crate) fn field(name: &str, value: &[u8]) -> Vec<u8> {
    let mut out = vec![0];
    string(name.as_bytes(), &mut out);
    string(value, &mut out);
    out
}

/// The block of a GET.
pub(crate) fn block(host: &str, target: &[u8]) -> Vec<u8> {
    let mut out = vec![0x82, 0x86, 0x04];
    string(target, &mut out);
    out.push(0x01);
    string(host.as_bytes(), &mut out);
    out
}

/// A whole head in as many frames as it takes.
pub(crate) fn head(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    let parts: Vec<_> = block.chunks(16 * 1024).collect();
    let mut out = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let ends = if at + 1 == parts.len() { END_HEADERS } else { 0 };
        let (kind, flags) = if at == 0 { (HEADERS, flags | ends) } else { (CONTINUATION, ends) };
        out.extend(frame(kind, flags, stream, part));
    }
    out
}

pub(crate) fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The number that a payload ends with, or begins with.
    pub(crate) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// A connection that says what a test wants.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn connect(e: &TestEmulator) -> Self {
        let stream = TcpStream::connect(e.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut raw = Self(stream);
        raw.begin().await;
        raw
    }

    pub(crate) async fn begin(&mut self) {
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        self.send(frame(SETTINGS, 0, 0, b"")).await;
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next frame; none when the connection is closed.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let read = async {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let [a, b, c, kind, flags, stream @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.0.read_exact(&mut payload).await.ok()?;
            Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
        };
        tokio::time::timeout(SOON, read).await.expect("a frame, or an end")
    }

    /// The first answer on a stream: its head, or that it was reset and why.
    pub(crate) async fn answer(&mut self, stream: u32) -> Result<(), u32> {
        loop {
            let frame = self.next().await.expect("an answer");
            assert_ne!(frame.kind, GOAWAY, "{frame:?}");
            match frame.kind {
                HEADERS if frame.stream == stream => return Ok(()),
                RST_STREAM if frame.stream == stream => return Err(frame.code()),
                _ => {}
            }
        }
    }

    /// Until everything that was sent has been read by the other side.
    pub(crate) async fn settle(&mut self) {
        self.send(frame(PING, 0, 0, b"settled?")).await;
        loop {
            let frame = self.next().await.expect("a pong");
            if frame.kind == PING && frame.flags & ACK != 0 {
                return;
            }
        }
    }

    /// Sends all of it, as far as it is read, and waits for the end; returns the reason.
    pub(crate) async fn until_closed(mut self, bytes: &[u8]) -> Option<u32> {
        let (mut reader, mut writer) = self.0.split();
        let mut got = Vec::new();
        let talk = async {
            let (_, _) = tokio::join!(writer.write_all(bytes), reader.read_to_end(&mut got));
        };
        tokio::time::timeout(SOON, talk).await.expect("the connection is closed");
        let (mut rest, mut why) = (&got[..], None);
        while let Some(([a, b, c, kind, ..], _)) = rest.split_first_chunk::<9>() {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            let Some(payload) = rest.get(9..9 + length) else { break };
            if *kind == GOAWAY {
                why = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
            }
            rest = &rest[9 + length..];
        }
        why
    }
}
