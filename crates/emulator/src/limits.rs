//! What a client may take of the server: sizes and times, with defaults that no honest client
//! meets. Streamlit and single sign-on send large cookies; models think for long, and that is
//! not the client's fault.

use std::time::Duration;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte of a request to the end of its head; then 408. On a connection on
    /// which nothing ever came: until it is closed. By default 30 seconds.
    pub head_timeout: Duration,
    /// Between two pieces of a request's body; then 408, or the connection is closed when the
    /// answer has begun. By default 60 seconds.
    pub body_timeout: Duration,
    /// Between an answer and the next request; then the connection is closed. By default
    /// 75 seconds.
    pub idle_timeout: Duration,
    /// Longest request line, in bytes; else 414. By default 62 KiB.
    pub line_max: usize,
    /// All header lines of a request together, in bytes; else 431. By default 64 KiB.
    pub head_max: usize,
    /// Header lines of a request; else 431. By default 256.
    pub headers_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(75),
            line_max: 62 * 1024,
            head_max: 64 * 1024,
            headers_max: 256,
        }
    }
}
