//! HTTP/2 as frames: a client that sends what no library would.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::TestEmulator;
use crate::raw::SOON;

/// Type of frames with a body's data.
pub const DATA: u8 = 0;

/// Type of frames that begin a head.
pub const HEADERS: u8 = 1;

/// Type of frames that reset a stream.
pub const RST_STREAM: u8 = 3;

/// Type of frames with settings.
pub const SETTINGS: u8 = 4;

/// Type of frames that announce a push.
pub const PUSH_PROMISE: u8 = 5;

/// Type of frames that measure a round trip.
pub const PING: u8 = 6;

/// Type of frames that end a connection.
pub const GOAWAY: u8 = 7;

/// Type of frames that open a window.
pub const WINDOW_UPDATE: u8 = 8;

/// Type of frames that continue a head.
pub const CONTINUATION: u8 = 9;

/// Flag: the sender's side of the stream ends here.
pub const END_STREAM: u8 = 1;

/// Flag of SETTINGS and PING: an acknowledgement.
pub const ACK: u8 = 1;

/// Flag: the head ends here.
pub const END_HEADERS: u8 = 4;

/// Error code of RFC 9113, section 7.
pub const PROTOCOL_ERROR: u32 = 1;

/// Error code of RFC 9113, section 7.
pub const FLOW_CONTROL_ERROR: u32 = 3;

/// Error code of RFC 9113, section 7.
pub const FRAME_SIZE_ERROR: u32 = 6;

/// Error code of RFC 9113, section 7.
pub const REFUSED_STREAM: u32 = 7;

/// Error code of RFC 9113, section 7.
pub const CANCEL: u32 = 8;

/// Error code of RFC 9113, section 7.
pub const ENHANCE_YOUR_CALM: u32 = 11;

/// A frame as bytes.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Appends a string in HPACK without Huffman coding.
pub fn string(text: &[u8], out: &mut Vec<u8>) {
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

/// A literal field without indexing, in HPACK.
pub fn field(name: &str, value: &[u8]) -> Vec<u8> {
    let mut out = vec![0];
    string(name.as_bytes(), &mut out);
    string(value, &mut out);
    out
}

/// The header block of a GET.
pub fn block(host: &str, target: &[u8]) -> Vec<u8> {
    let mut out = vec![0x82, 0x86, 0x04];
    string(target, &mut out);
    out.push(0x01);
    string(host.as_bytes(), &mut out);
    out
}

/// A head: a HEADERS frame, and as many CONTINUATION frames as its block needs.
pub fn head(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    let parts: Vec<_> = block.chunks(16 * 1024).collect();
    let mut out = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let ends = if at + 1 == parts.len() { END_HEADERS } else { 0 };
        let (kind, flags) = if at == 0 { (HEADERS, flags | ends) } else { (CONTINUATION, ends) };
        out.extend(frame(kind, flags, stream, part));
    }
    out
}

/// A frame that cancels a stream.
pub fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

/// A frame that was received.
#[derive(Debug)]
pub struct Frame {
    /// Type.
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// Number of its stream; 0 for the connection.
    pub stream: u32,
    /// Payload.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The error code of a `GOAWAY` or `RST_STREAM` frame.
    pub fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// A connection that sends the frames that a test gives it.
#[derive(Debug)]
pub struct FrameClient(pub TcpStream);

impl FrameClient {
    /// Connects to an emulator and begins.
    pub async fn connect(e: &TestEmulator) -> Self {
        let stream = TcpStream::connect(e.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut raw = Self(stream);
        raw.begin().await;
        raw
    }

    /// Sends the preface and empty settings.
    pub async fn begin(&mut self) {
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        self.send(frame(SETTINGS, 0, 0, b"")).await;
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next frame; none when the connection is closed.
    pub async fn next(&mut self) -> Option<Frame> {
        let read = async {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let [a, b, c, kind, flags, stream @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.0.read_exact(&mut payload).await.ok()?;
            Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
        };
        tokio::time::timeout(SOON, read).await.expect("a frame or the end")
    }

    /// Waits for the first answer on a stream; the error is the code with which it was reset.
    pub async fn answer(&mut self, stream: u32) -> Result<(), u32> {
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

    /// Waits until the other side has read everything sent so far.
    pub async fn settle(&mut self) {
        self.send(frame(PING, 0, 0, b"settled?")).await;
        loop {
            let frame = self.next().await.expect("a pong");
            if frame.kind == PING && frame.flags & ACK != 0 {
                return;
            }
        }
    }

    /// Sends as much of it as the other side reads, waits until the connection is closed, and returns
    /// the error code of its GOAWAY frame.
    pub async fn until_closed(mut self, bytes: &[u8]) -> Option<u32> {
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
