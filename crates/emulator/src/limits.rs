//! What a client may ask of the edge before it is refused. The defaults let through what
//! Streamlit, single sign-on and large models need.

use std::time::Duration;

/// Limits of a connection; see the fields' defaults in [`Limits::default`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A request line is at most so long, in bytes (62 KiB); else 414.
    pub line_max: usize,
    /// The header lines of a request are together at most so long, in bytes (64 KiB); else 431. So
    /// is it with more than 256 of them.
    pub head_max: usize,
    /// A client has this long from a head's first byte to its last (30 s); else 408. A TLS
    /// handshake has 10 s.
    pub head_timeout: Duration,
    /// A client may pause this long in a body that it sends, or in taking one (60 s); else 408, or
    /// the connection is closed.
    pub body_timeout: Duration,
    /// A connection without a request is closed after this long (75 s).
    pub idle_timeout: Duration,
    /// An app may think this long before the head of its answer (10 min, as long as a large model
    /// may take for an answer in one piece); else 504.
    pub answer_timeout: Duration,
    /// So many clients may be connected at once (10,000); further ones wait in the system's queue.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_max: 62 * 1024,
            head_max: 64 * 1024,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(75),
            answer_timeout: Duration::from_mins(10),
            connections: 10_000,
        }
    }
}
