//! Frames of WebSockets (RFC 6455 section 5), as a server reads and writes them.

use crate::buffer::Buffer;

/// Maximum payload of a frame that is read, in bytes.
pub const PAYLOAD_MAX: usize = 64 * 1024;
/// Maximum payload of a control frame, in bytes.
const CONTROL_MAX: usize = 125;
/// Bytes of a mask.
const MASK: usize = 4;
/// Maximum bytes of a frame.
pub const FRAME_MAX: usize = PAYLOAD_MAX + 10 + MASK;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// More of the message before it.
    Continuation = 0,
    /// Text.
    Text = 1,
    /// Bytes.
    Binary = 2,
    /// The sender sends no more.
    Close = 8,
    /// The receiver has to send the payload back.
    Ping = 9,
    /// The answer to a ping.
    Pong = 10,
}

impl Opcode {
    fn of(bits: u8) -> Option<Self> {
        let all =
            [Self::Continuation, Self::Text, Self::Binary, Self::Close, Self::Ping, Self::Pong];
        all.into_iter().find(|opcode| *opcode as u8 == bits)
    }

    fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }
}

/// Why a WebSocket is closed (section 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// There is no more.
    Normal = 1000,
    /// The peer does not keep to the protocol.
    ProtocolError = 1002,
    /// A frame is larger than allowed.
    TooBig = 1009,
}

/// A frame of a client.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub opcode: Opcode,
    /// Whether the message ends with it.
    pub is_last: bool,
    /// Its payload, unmasked.
    pub payload: Vec<u8>,
}

/// Takes the frame at the beginning of the buffer; none when more of it has to come.
pub fn read(buffer: &mut Buffer) -> Result<Option<Frame>, CloseCode> {
    let bytes = buffer.filled();
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let is_last = first & 0x80 != 0;
    let opcode = Opcode::of(first & 0x0f).ok_or(CloseCode::ProtocolError)?;
    // No extension was agreed on, and clients mask what they send.
    if first & 0x70 != 0 || second & 0x80 == 0 || (opcode.is_control() && !is_last) {
        return Err(CloseCode::ProtocolError);
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
    let most = if opcode.is_control() { CONTROL_MAX } else { PAYLOAD_MAX };
    let Some(length) = usize::try_from(length).ok().filter(|length| *length <= most) else {
        let code = if opcode.is_control() { CloseCode::ProtocolError } else { CloseCode::TooBig };
        return Err(code);
    };
    let Some((mask, rest)) = rest[size..].split_first_chunk::<MASK>() else { return Ok(None) };
    let Some(masked) = rest.get(..length) else { return Ok(None) };
    let mut payload = masked.to_vec();
    unmask(*mask, &mut payload);
    let frame = Frame { opcode, is_last, payload };
    buffer.consume(2 + size + MASK + length);
    Ok(Some(frame))
}

/// Takes the mask off, eight bytes at a time.
fn unmask([a, b, c, d]: [u8; MASK], bytes: &mut [u8]) {
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (chunks, rest) = bytes.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip([a, b, c, d].into_iter().cycle()) {
        *byte ^= mask;
    }
}

/// Writes a whole message, or a control frame, as a server does: without a mask.
pub fn write(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    out.push(0x80 | opcode as u8);
    match payload.len() {
        length @ 0..=125 => out.push(u8::try_from(length).unwrap_or_default()),
        length => match u16::try_from(length) {
            Ok(length) => {
                out.push(126);
                out.extend_from_slice(&length.to_be_bytes());
            }
            Err(_) => {
                out.push(127);
                out.extend_from_slice(&(length as u64).to_be_bytes());
            }
        },
    }
    out.extend_from_slice(payload);
}

/// Writes the frame that closes a WebSocket.
pub fn write_close(out: &mut Vec<u8>, code: CloseCode) {
    write(out, Opcode::Close, &(code as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        write(&mut frame, Opcode::Text, payload);
        let head = frame.len() - payload.len();
        frame[0] = first;
        frame[1] |= 0x80;
        let mask = [1, 2, 3, 4];
        let body: Vec<u8> = payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m).collect();
        [&frame[..head], &mask, &body].concat()
    }

    /// Section 5.7.
    #[test]
    fn frames_match_the_examples_of_the_rfc() {
        let mut out = Vec::new();
        write(&mut out, Opcode::Text, b"Hello");
        assert_eq!(out, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let mut buffer = Buffer::with(masked.to_vec());
        let expected = Frame { opcode: Opcode::Text, is_last: true, payload: b"Hello".to_vec() };
        assert_eq!(read(&mut buffer), Ok(Some(expected)));
        assert!(buffer.is_empty());
        for (length, head) in [(256, 4), (65_536, 10)] {
            let mut out = Vec::new();
            write(&mut out, Opcode::Binary, &vec![0; length]);
            assert_eq!(out.len(), head + length);
        }
    }

    #[test]
    fn malformed_frames_are_refused() {
        let code = |bytes: Vec<u8>| read(&mut Buffer::with(bytes)).err();
        assert_eq!(code(vec![0x81, 0x05, b'H']), Some(CloseCode::ProtocolError), "no mask");
        assert_eq!(code(masked(0xc1, b"x")), Some(CloseCode::ProtocolError), "an extension");
        assert_eq!(code(masked(0x83, b"x")), Some(CloseCode::ProtocolError), "not an opcode");
        assert_eq!(code(masked(0x09, b"x")), Some(CloseCode::ProtocolError), "a ping in pieces");
        assert_eq!(code(masked(0x89, &[0; 126])), Some(CloseCode::ProtocolError), "a long ping");
        assert_eq!(code(masked(0x81, &vec![0; PAYLOAD_MAX + 1])), Some(CloseCode::TooBig));
        let huge = vec![0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(code(huge), Some(CloseCode::TooBig));
        assert_eq!(code(masked(0x81, &vec![0; PAYLOAD_MAX])), None);
    }

    proptest! {
        #[test]
        fn frames_in_pieces(payload in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..310) {
            let frame = masked(0x82, &payload);
            let cut = cut.min(frame.len() - 1);
            prop_assert_eq!(read(&mut Buffer::with(frame[..cut].to_vec())), Ok(None));
            let expected = Frame { opcode: Opcode::Binary, is_last: true, payload };
            prop_assert_eq!(read(&mut Buffer::with(frame)), Ok(Some(expected)));
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = read(&mut Buffer::with(bytes));
        }
    }
}
