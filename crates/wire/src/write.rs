//! Pieces of the heads that are written.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

/// Writes one header field.
#[inline]
pub fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Adds a field that was checked when it was read.
pub fn append(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    if let (Ok(name), Ok(value)) =
        (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value))
    {
        headers.append(name, value);
    }
}

/// The text behind a status in HTTP/1.
pub fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("")
}

/// How the connection to a client of HTTP/1 goes on after a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It stays open, as is usual in HTTP/1.1.
    KeepAlive,
    /// It stays open, as a client of HTTP/1.0 asked for.
    SayKeepAlive,
    /// It closes.
    Close,
}

impl After {
    /// Writes the `Connection` field that says so, if one has to.
    #[inline]
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::KeepAlive => {}
            Self::SayKeepAlive => out.extend_from_slice(b"connection: keep-alive\r\n"),
            Self::Close => out.extend_from_slice(b"connection: close\r\n"),
        }
    }
}
