//! JSON strings, for code that writes many a second: nearly all of them need no escaping.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Writes a string that came over the connection, at most `max` bytes of it: bytes other than
/// visible ASCII are percent-encoded, as they should have come. A cut is marked with three dots.
pub(crate) fn quoted_target(bytes: &[u8], max: usize, out: &mut Vec<u8>) {
    quoted(bytes, bytes.len().min(max), out, |byte, out| match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        b' '..0x7f => out.push(byte),
        _ => {
            out.push(b'%');
            out.extend_from_slice(&hex(byte));
        }
    });
}

/// Writes a string of text, at most `max` bytes of it, cut between characters and marked as cut.
pub(crate) fn text(bytes: &[u8], max: usize, out: &mut Vec<u8>) {
    let mut cut = bytes.len().min(max);
    // Bytes of the form 10xxxxxx continue a character.
    while cut < bytes.len() && cut > 0 && bytes[cut] & 0xc0 == 0x80 {
        cut -= 1;
    }
    quoted(bytes, cut, out, |byte, out| match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        0..b' ' | 0x7f => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&hex(byte));
        }
        _ => out.push(byte),
    });
}

fn quoted(bytes: &[u8], cut: usize, out: &mut Vec<u8>, escape: impl Fn(u8, &mut Vec<u8>)) {
    let shown = &bytes[..cut];
    out.push(b'"');
    if is_plain(shown) {
        out.extend_from_slice(shown);
    } else {
        for &byte in shown {
            escape(byte, out);
        }
    }
    if cut < bytes.len() {
        out.extend_from_slice(b"...");
    }
    out.push(b'"');
}

/// Whether none of it needs escaping. Written so that the compiler looks at many bytes at once: it
/// does not stop at the first that does, and counts in bytes.
fn is_plain(bytes: &[u8]) -> bool {
    let odd = bytes.iter().fold(0, |odd, &byte| {
        let quote = u8::from(byte == b'"') | u8::from(byte == b'\\');
        odd | u8::from(byte < b' ') | u8::from(byte > b'~') | quote
    });
    odd == 0
}

fn hex(byte: u8) -> [u8; 2] {
    [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]
}
