//! As much of WebSocket (RFC 6455) as two ends need to greet each other and exchange short texts.

use std::io::{self, Read};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What every key is joined with (section 1.3).
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// A whole message of text.
const TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;
/// Longer payloads have their length elsewhere.
const LONGEST: u8 = 125;

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`.
pub(super) fn accept(key: &str) -> String {
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MAGIC}").as_bytes()))
}

/// A frame with a text, as servers send it.
pub(super) fn unmasked(text: &[u8]) -> io::Result<Vec<u8>> {
    Ok([&[TEXT, length(text)?], text].concat())
}

/// The same as clients send it.
pub(super) fn masked(text: &[u8], mask: [u8; 4]) -> io::Result<Vec<u8>> {
    let hidden: Vec<u8> = text.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b).collect();
    Ok([&[TEXT, length(text)? | MASKED], &mask[..], &hidden].concat())
}

fn length(text: &[u8]) -> io::Result<u8> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length <= LONGEST);
    length.ok_or_else(|| io::Error::other("a longer text than this can say"))
}

/// The text of the next frame.
pub(super) fn read(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let [kind, length] = head;
    if kind != TEXT || length & !MASKED > LONGEST {
        return Err(io::Error::other(format!("not a short text: {head:02x?}")));
    }
    let mut mask = [0; 4];
    if length & MASKED != 0 {
        stream.read_exact(&mut mask)?;
    }
    let mut text = vec![0; usize::from(length & !MASKED)];
    stream.read_exact(&mut text)?;
    text.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_match_the_rfc() -> io::Result<()> {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(masked(b"Hello", [0x37, 0xfa, 0x21, 0x3d])?, hello);
        assert_eq!(unmasked(b"Hello")?, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        for frame in [&hello[..], &unmasked(b"Hello")?] {
            assert_eq!(read(&mut &*frame)?, b"Hello");
        }
        assert!(read(&mut &[0x88, 0x00][..]).is_err());
        assert!(masked(&[0; 126], [0; 4]).is_err());
        Ok(())
    }
}
