//! `--compressed`: decodes bodies as they arrive.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

const PIECE: usize = 32 * 1024;

/// Decodes the bytes written to it and passes them on.
pub(super) enum Decoder<'a> {
    Plain(&'a mut dyn Write),
    Gzip(MultiGzDecoder<&'a mut dyn Write>),
    Deflate(Deflate<'a>),
}

impl<'a> Decoder<'a> {
    /// A decoder for a `Content-Encoding`; unknown ones are passed on undecoded.
    pub(super) fn new(encoding: Option<&str>, to: &'a mut dyn Write) -> Self {
        match encoding.map(|name| name.trim().to_ascii_lowercase()).as_deref() {
            Some("gzip" | "x-gzip") => Self::Gzip(MultiGzDecoder::new(to)),
            Some("deflate") => Self::Deflate(Deflate { to, state: None, ended: false }),
            _ => Self::Plain(to),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(to) => to.write_all(bytes),
            Self::Gzip(gzip) => gzip.write_all(bytes),
            Self::Deflate(deflate) => deflate.write(bytes),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(to) => to.flush(),
            Self::Gzip(gzip) => gzip.get_mut().flush(),
            Self::Deflate(deflate) => deflate.to.flush(),
        }
    }

    /// Fails if the encoded body was incomplete.
    pub(super) fn finish(mut self, received: u64) -> io::Result<()> {
        match &mut self {
            Self::Plain(_) => Ok(()),
            _ if received == 0 => Ok(()),
            Self::Gzip(gzip) => gzip.try_finish(),
            Self::Deflate(deflate) if deflate.ended => Ok(()),
            Self::Deflate(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// What servers call deflate: zlib's format (RFC 1950), or the raw one (RFC 1951).
pub(super) struct Deflate<'a> {
    to: &'a mut dyn Write,
    state: Option<Decompress>,
    ended: bool,
}

impl Deflate<'_> {
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        let mut is_full = false;
        while !self.ended && (is_full || !bytes.is_empty()) {
            // Zlib's first byte holds the method 8 and a window size; raw streams in practice do
            // not begin like this.
            let is_zlib = bytes.first().is_none_or(|first| first & 0x0f == 8 && first >> 4 <= 7);
            let state = self.state.get_or_insert_with(|| Decompress::new(is_zlib));
            let (read, written) = (state.total_in(), state.total_out());
            let status = state
                .decompress(bytes, &mut buffer, FlushDecompress::None)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let read = usize::try_from(state.total_in() - read).unwrap_or(bytes.len());
            let written = usize::try_from(state.total_out() - written).unwrap_or(0);
            if read == 0 && written == 0 && status != Status::StreamEnd {
                if bytes.is_empty() {
                    break;
                }
                return Err(io::Error::new(io::ErrorKind::InvalidData, "corrupt deflate stream"));
            }
            bytes = &bytes[read..];
            self.to.write_all(&buffer[..written])?;
            self.ended = status == Status::StreamEnd;
            is_full = written == buffer.len();
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn decode(encoding: &str, bytes: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut decoder = Decoder::new(Some(encoding), &mut out);
        for bytes in bytes.chunks(piece) {
            decoder.write(bytes)?;
        }
        decoder.finish(bytes.len() as u64)?;
        Ok(out)
    }

    #[test]
    fn every_encoding_is_decoded_in_any_pieces() {
        let text: Vec<u8> = (0..200_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&text).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).unwrap();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(&text).unwrap();
        let all = [
            ("gzip", gzip.finish().unwrap()),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", bare.finish().unwrap()),
        ];
        for (encoding, bytes) in all {
            for piece in [1, 7, 100_000] {
                assert!(decode(encoding, &bytes, piece).unwrap() == text, "{encoding} {piece}");
            }
            let short = &bytes[..bytes.len() - 5];
            assert!(decode(encoding, short, 1000).is_err(), "{encoding} that is cut off");
            assert!(decode(encoding, b"rubbish that is none", 100).is_err(), "{encoding}");
        }
        assert_eq!(decode("br", b"as it is", 3).unwrap(), b"as it is");
    }
}
