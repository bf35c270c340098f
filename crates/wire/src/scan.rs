//! Finds the end of a request's head while its bytes arrive.

use http::StatusCode;

use crate::fields::is_token_char;
use crate::framing::{Malformed, bad};

/// How long a head may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct HeadLimits {
    /// Its first line.
    pub line: usize,
    /// All of its fields.
    pub fields: usize,
}

/// Looks for the end of a head while it arrives; every byte is read once.
#[derive(Debug, Default)]
pub struct Scanner {
    seen: usize,
    line: usize,
    /// Where the head begins: one empty line before it is let pass (RFC 9112 section 2.2).
    begin: usize,
    /// Where its fields begin, when its first line is whole.
    fields: usize,
}

impl Scanner {
    /// Finds the range of a whole head, its empty line included; none when more has to come.
    pub fn find(
        &mut self,
        bytes: &[u8],
        limits: HeadLimits,
    ) -> Result<Option<std::ops::Range<usize>>, Malformed> {
        for at in memchr::memchr_iter(b'\n', &bytes[self.seen..]) {
            let at = self.seen + at;
            if at == 0 || bytes[at - 1] != b'\r' {
                return Err(bad("a line ends without a carriage return"));
            }
            if self.fields > 0 && at + 1 - self.fields > limits.fields + 2 {
                return Err(TOO_LARGE);
            }
            let first = self.line == self.begin;
            if at == self.line + 1 {
                if !first {
                    return Ok(Some(self.begin..at + 1));
                }
                if self.begin > 0 {
                    return Err(bad("there are empty lines where a request should be"));
                }
                self.begin = 2;
            } else if first {
                if at - self.line > limits.line {
                    return Err(TOO_LONG);
                }
                // A client of HTTP/0.9 sends nothing more, and would wait for its time-out.
                if !names_version(&bytes[self.line..at - 1]) {
                    return Err(bad("the request line names no version of HTTP"));
                }
                self.fields = at + 1;
            }
            self.line = at + 1;
        }
        self.seen = bytes.len();
        let in_line = self.fields == 0;
        if in_line && bytes.len().saturating_sub(self.begin) > limits.line {
            return Err(TOO_LONG);
        }
        if !in_line && bytes.len() - self.fields > limits.fields + 2 {
            return Err(TOO_LARGE);
        }
        let first = bytes.get(self.begin).copied();
        let possible = first.is_none_or(is_token_char) || first == Some(b'\r');
        if possible { Ok(None) } else { Err(bad("this is not HTTP")) }
    }
}

/// The request line is longer than allowed.
pub const TOO_LONG: Malformed =
    Malformed::new(StatusCode::URI_TOO_LONG, "the request line is too long");
/// The header fields are longer than allowed.
pub const TOO_LARGE: Malformed = Malformed::new(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "the request's headers are too large",
);
/// There are more header fields than allowed.
pub const TOO_MANY: Malformed =
    Malformed::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request has too many headers");

/// Whether the last word of a request line is a version of HTTP; which one, the parser tells.
fn names_version(line: &[u8]) -> bool {
    let last = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    last.len() < line.len() && last.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"HTTP/"))
}
