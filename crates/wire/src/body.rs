//! The framing of HTTP/1.1 bodies (RFC 9112 sections 6 and 7), read strictly and written plainly.

use crate::fields::parse_trailers;
use crate::framing::{Framing, Malformed, bad};

/// Maximum digits of a chunk's size: 2^60 bytes are enough.
const SIZE_DIGITS: usize = 15;
/// Maximum length of the line with a chunk's size and its extensions, in bytes.
const SIZE_LINE: usize = 1024;
/// Maximum bytes of chunk extensions in a whole body.
const EXTENSIONS: usize = 16 * 1024;
/// Maximum length of a trailer section, in bytes.
const TRAILERS: usize = 16 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(u64),
    UntilClose,
    Size,
    Data(u64),
    DataEnd,
    Trailers,
    Done,
}

/// What stands at the beginning of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Nothing whole yet.
    More,
    /// Bytes of the body, behind bytes of framing.
    Data {
        /// Bytes of framing.
        skip: usize,
        /// Bytes of the body.
        len: usize,
    },
    /// This number of bytes of framing, and nothing else.
    Skip(usize),
    /// The body's end, behind bytes of framing.
    End {
        /// Bytes of framing, the trailer section included.
        skip: usize,
        /// Bytes of the trailer section, which are the last of them.
        trailers: usize,
    },
}

/// Takes a body's framing off.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    extensions: usize,
    is_lenient: bool,
}

impl Decoder {
    /// One at the beginning of a body.
    #[inline]
    pub fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size,
            Framing::UntilClose => State::UntilClose,
        };
        Self { state, extensions: 0, is_lenient: false }
    }

    /// The same for an app's answer, which is read as browsers read servers: a size may be padded,
    /// and a stream that goes on for days may have any number of chunk extensions.
    #[must_use]
    #[inline]
    pub fn lenient(self) -> Self {
        Self { is_lenient: true, ..self }
    }

    /// Whether the body's end was read.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes note that the sender has closed. Returns whether that ends the body in order.
    pub fn end_of_stream(&mut self) -> bool {
        if self.state == State::UntilClose {
            self.state = State::Done;
        }
        self.is_done()
    }

    /// Looks at what was read. The bytes that a piece names have to be consumed before the next call.
    #[inline]
    pub fn next(&mut self, bytes: &[u8]) -> Result<Piece, Malformed> {
        match self.state {
            State::Done => Ok(Piece::End { skip: 0, trailers: 0 }),
            _ if bytes.is_empty() => Ok(Piece::More),
            State::UntilClose => Ok(Piece::Data { skip: 0, len: bytes.len() }),
            State::Length(left) => {
                let len = clamp(left, bytes.len());
                let left = left - len as u64;
                self.state = if left == 0 { State::Done } else { State::Length(left) };
                Ok(Piece::Data { skip: 0, len })
            }
            State::Data(left) => {
                let len = clamp(left, bytes.len());
                let left = left - len as u64;
                self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
                Ok(Piece::Data { skip: 0, len })
            }
            State::DataEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    self.state = State::Size;
                    Ok(Piece::Skip(2))
                }
                [b'\r'] => Ok(Piece::More),
                _ => Err(bad("a chunk does not end where its size says")),
            },
            State::Size => self.size(bytes),
            State::Trailers => self.trailers(bytes),
        }
    }

    fn size(&mut self, bytes: &[u8]) -> Result<Piece, Malformed> {
        let window = &bytes[..bytes.len().min(SIZE_LINE)];
        let Some(end) = memchr::memchr(b'\n', window) else {
            return if window.len() == SIZE_LINE {
                Err(bad("the line with a chunk's size is too long"))
            } else {
                Ok(Piece::More)
            };
        };
        let line = bytes[..end]
            .strip_suffix(b"\r")
            .ok_or(bad("a line of a chunked body ends without a carriage return"))?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if !(1..=SIZE_DIGITS).contains(&digits) {
            return Err(bad("a chunk's size is not a hexadecimal number"));
        }
        let (number, mut extension) = line.split_at(digits);
        if self.is_lenient {
            extension = extension.trim_ascii_end();
        }
        check_extension(extension)?;
        self.extensions += extension.len();
        if self.extensions > EXTENSIONS && !self.is_lenient {
            return Err(bad("the body has too many chunk extensions"));
        }
        let size = number.iter().fold(0_u64, |size, digit| {
            size << 4 | u64::from((*digit as char).to_digit(16).unwrap_or_default())
        });
        self.state = if size == 0 { State::Trailers } else { State::Data(size) };
        Ok(Piece::Skip(end + 1))
    }

    fn trailers(&mut self, bytes: &[u8]) -> Result<Piece, Malformed> {
        let window = &bytes[..bytes.len().min(TRAILERS)];
        let mut line = 0;
        for at in memchr::memchr_iter(b'\n', window) {
            if at == 0 || window[at - 1] != b'\r' {
                return Err(bad("a line of the trailers ends without a carriage return"));
            }
            if at == line + 1 {
                // Checked here, so that the user of a trailer section need not.
                parse_trailers(&window[..=at], |_, _| {})?;
                self.state = State::Done;
                return Ok(Piece::End { skip: at + 1, trailers: at + 1 });
            }
            line = at + 1;
        }
        if window.len() == TRAILERS {
            return Err(bad("the trailers are too long"));
        }
        Ok(Piece::More)
    }
}

/// `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`: only what could end the line
/// for another reader, or hide that it has ended, is looked for.
fn check_extension(extension: &[u8]) -> Result<(), Malformed> {
    let trimmed = extension.trim_ascii_start();
    let fits = match trimmed.first() {
        None => extension.is_empty(),
        Some(b';') => trimmed.iter().all(|b| matches!(b, b'\t' | b' '..=b'~')),
        Some(_) => false,
    };
    if fits { Ok(()) } else { Err(bad("there are unexpected bytes after a chunk's size")) }
}

fn clamp(left: u64, len: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(len)
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is: the length was said, or the end is the connection's.
    Plain,
    /// In chunks.
    Chunked,
}

/// Writes a chunk's size and the end of its line.
pub fn chunk_head(out: &mut Vec<u8>, size: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut shift = (usize::BITS - size.leading_zeros()).div_ceil(4).max(1) * 4;
    while shift > 0 {
        shift -= 4;
        out.push(DIGITS[size >> shift & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body and what follows it, given in pieces of at most `step` bytes.
    fn decode(framing: Framing, bytes: &[u8], step: usize) -> Result<(Vec<u8>, usize), Malformed> {
        let mut decoder = Decoder::new(framing);
        let (mut body, mut seen, mut used) = (Vec::new(), step.min(bytes.len()), 0);
        loop {
            match decoder.next(&bytes[used..seen])? {
                Piece::More if seen == bytes.len() => return Ok((body, usize::MAX)),
                Piece::More => seen = (seen + step).min(bytes.len()),
                Piece::Skip(count) => used += count,
                Piece::Data { skip, len } => {
                    body.extend_from_slice(&bytes[used + skip..used + skip + len]);
                    used += skip + len;
                }
                Piece::End { skip, .. } => return Ok((body, used + skip)),
            }
        }
    }

    #[test]
    fn well_formed() {
        for step in [1, 2, 3, 1000] {
            let chunked = b"5\r\nhello\r\n1;a=\"b;c\" ; d\r\n!\r\n000\r\nx-t: 1\r\n\r\nnext";
            let end = chunked.len() - 4;
            let got = decode(Framing::Chunked, chunked, step);
            assert_eq!(got, Ok((b"hello!".to_vec(), end)), "{step}");
            assert_eq!(decode(Framing::Length(5), b"hellonext", step), Ok((b"hello".to_vec(), 5)));
            assert_eq!(decode(Framing::None, b"next", step), Ok((Vec::new(), 0)));
            assert_eq!(decode(Framing::Chunked, b"0\r\n\r\n", step), Ok((Vec::new(), 5)));
        }
    }

    #[test]
    fn apps_may_pad_and_extend() {
        let long = format!("1;{}\r\nx\r\n", "e".repeat(1000)).repeat(20);
        for (bytes, body) in [
            ("5  \r\nhello\r\n0 \r\n\r\n".to_owned(), "hello".to_owned()),
            (long + "0\r\n\r\n", "x".repeat(20)),
        ] {
            let read = |mut decoder: Decoder| -> Result<Vec<u8>, Malformed> {
                let (mut rest, mut body) = (bytes.as_bytes(), Vec::new());
                loop {
                    match decoder.next(rest)? {
                        Piece::Skip(count) => rest = &rest[count..],
                        Piece::Data { skip, len } => {
                            body.extend_from_slice(&rest[skip..skip + len]);
                            rest = &rest[skip + len..];
                        }
                        Piece::End { .. } | Piece::More => return Ok(body),
                    }
                }
            };
            let decoder = || Decoder::new(Framing::Chunked);
            assert!(read(decoder()).is_err(), "clients may not");
            assert_eq!(read(decoder().lenient()), Ok(body.into_bytes()));
        }
        let wrong = b"5 x\r\nhello\r\n0\r\n\r\n";
        assert!(Decoder::new(Framing::Chunked).lenient().next(wrong).is_err());
    }

    #[test]
    fn malformed() {
        for wrong in [
            "\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x5\r\nhello\r\n",
            "5\nhello\r\n",
            "5 \r\nhello\r\n",
            "5\r\nhello!\r\n",
            "5\r\nhello\n",
            "5\r\nhello\rX",
            "5 x\r\n",
            "5\t;\x01\r\n",
            "5;a\rb\r\n",
            "1111111111111111\r\n",
            "0\r\n\n",
            "0\r\nx: 1\n\r\n",
            "0\r\n x: 1\r\n\r\n",
            "0\r\nx : 1\r\n\r\n",
            "0\r\nno colon\r\n\r\n",
        ] {
            for step in [1, 1000] {
                let got = decode(Framing::Chunked, wrong.as_bytes(), step);
                assert!(got.is_err(), "{wrong:?} {step}: {got:?}");
            }
        }
        let endless = format!("5;{}", "x".repeat(2 * SIZE_LINE));
        assert!(decode(Framing::Chunked, endless.as_bytes(), 100).is_err());
        let endless = format!("0\r\n{}", "x: y\r\n".repeat(TRAILERS));
        assert!(decode(Framing::Chunked, endless.as_bytes(), 100).is_err());
        let small = format!("1;{}\r\nx\r\n", "e".repeat(500)).repeat(100);
        assert!(decode(Framing::Chunked, small.as_bytes(), 100).is_err());
    }

    #[test]
    fn sizes() {
        for size in [1, 9, 10, 15, 16, 255, 256, 65_536, 0xdead_beef] {
            let mut out = Vec::new();
            chunk_head(&mut out, size);
            assert_eq!(String::from_utf8(out), Ok(format!("{size:x}\r\n")));
        }
    }

    proptest! {
        #[test]
        fn written_bodies_are_read_again(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..8), step in 1_usize..400) {
            let mut out = Vec::new();
            for piece in &pieces {
                chunk_head(&mut out, piece.len());
                out.extend_from_slice(piece);
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(b"0\r\n\r\n");
            let all = out.len();
            prop_assert_eq!(decode(Framing::Chunked, &out, step), Ok((pieces.concat(), all)));
        }

        #[test]
        fn bodies_are_read_alike_in_any_pieces(bytes in "[0-9a-f\r\n;x: ]{0,60}", step in 1_usize..10) {
            let whole = decode(Framing::Chunked, bytes.as_bytes(), 1000);
            let cut = decode(Framing::Chunked, bytes.as_bytes(), step);
            prop_assert_eq!(whole.is_err(), cut.is_err());
            if let (Ok(whole), Ok(cut)) = (whole, cut) {
                prop_assert_eq!(whole, cut);
            }
        }
    }
}
