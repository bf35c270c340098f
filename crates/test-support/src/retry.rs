//! Apps that close connections while a request is in flight, and what the gateway retries then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;

use crate::Upstream;

/// An app that closes each reused connection when a request to `/second` arrives on it, after it has
/// sent `part` of an answer.
#[derive(Debug)]
pub struct ClosingAtTheSecond {
    /// The app.
    pub upstream: Upstream,
    /// Number of requests to `/second` that reached it.
    pub tries: Arc<AtomicUsize>,
}

impl ClosingAtTheSecond {
    /// Starts it.
    pub async fn start(part: &'static [u8], end: End) -> Self {
        let tries = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tries);
        let upstream = Upstream::start(move |mut stream| {
            let count = Arc::clone(&count);
            async move {
                let mut is_first = true;
                while let Some(head) = Upstream::head(&mut stream).await {
                    if head.contains(" /second ") {
                        count.fetch_add(1, Ordering::SeqCst);
                        if !is_first {
                            let _ = stream.write_all(part).await;
                            if end == End::Reset {
                                stream.set_zero_linger().unwrap();
                            }
                            return;
                        }
                    }
                    is_first = false;
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                    stream.write_all(answer).await.unwrap();
                }
            }
        })
        .await;
        Self { upstream, tries }
    }
}

/// How an app ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Without an error.
    InOrder,
    /// With a TCP reset.
    Reset,
}

/// Method, part of an answer, number of tries that reach the app, status for the client, reason.
pub const TRIED_AGAIN: [(&str, &[u8], usize, u16, &str); 6] = [
    ("GET", b"", 2, 200, "nothing of an answer came"),
    ("GET", b"HTTP/1.1 2", 1, 502, "something came"),
    ("GET", b"HTTP/1.1 103 Early Hints\r\n\r\n", 1, 502, "a hint came"),
    ("GET", b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 2", 1, 502, "a hint and something came"),
    ("POST", b"", 1, 502, "it may have been done"),
    ("DELETE", b"", 1, 502, "it may have been done"),
];
