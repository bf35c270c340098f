//! Uploads and answers larger than all buffers on their way, for tests of back-pressure.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

use crate::raw::Client;
use crate::{TestEmulator, Upstream};

/// Size in bytes of what a test sends to a side that does not read.
pub const MUCH: usize = 64 * 1024 * 1024;

/// More bytes than the kernel's buffers of two connections hold, with its usual limits.
pub const HELD: u64 = 24 * 1024 * 1024;

/// Size in bytes of the pieces in which it is sent.
pub const PIECE: usize = 64 * 1024;

/// Round trips through the emulator during which a blocked transfer does not move.
const ROUNDS: usize = 200;

/// The value of a counter once it stands still: the emulator serves [`ROUNDS`] requests one after
/// another, and moves no byte of the transfer meanwhile, although a single turn of its event loop
/// would.
pub async fn settled(count: &AtomicU64, e: &TestEmulator) -> u64 {
    let (mut last, mut rounds) = (0, 0);
    while rounds < ROUNDS {
        assert_eq!(e.call_local("GET", "/_emulator/health", None).await.status, 200);
        let now = count.load(Ordering::SeqCst);
        rounds = if now == last && now > 0 { rounds + 1 } else { 0 };
        last = now;
    }
    last
}

/// Sends these bytes again and again until the other side accepts no more.
pub async fn send_until_blocked(client: &mut Client, bytes: &[u8], e: &TestEmulator) {
    let sent = AtomicU64::new(0);
    let transfer = async {
        let mut at = 0;
        // It may also close the connection.
        while let Ok(count) = client.0.write(&bytes[at..]).await {
            at = (at + count) % bytes.len();
            sent.fetch_add(count as u64, Ordering::SeqCst);
        }
    };
    tokio::select! {
        _ = settled(&sent, e) => {}
        () = transfer => {}
    }
}

/// A piece of one repeated byte, other than its neighbours'.
pub fn piece(number: usize) -> Vec<u8> {
    vec![u8::try_from(number % 251).unwrap(); PIECE]
}

/// Writes pieces, and counts the bytes that the other side accepted.
pub async fn write(to: &mut (impl AsyncWrite + Unpin), size: usize, count: &AtomicU64) {
    for number in 0..size / PIECE {
        to.write_all(&piece(number)).await.unwrap();
        count.fetch_add(PIECE as u64, Ordering::SeqCst);
    }
}

/// Reads pieces, and checks each.
pub async fn read(from: &mut (impl AsyncRead + Unpin), size: usize) {
    let mut room = vec![0; PIECE];
    for number in 0..size / PIECE {
        from.read_exact(&mut room).await.unwrap();
        assert!(room == piece(number), "piece {number} is another one");
    }
}

/// An app that answers GET with [`MUCH`] bytes, and reads as many of any other request once the test
/// allows it.
#[derive(Debug)]
pub struct LargeApp {
    /// The app.
    pub upstream: Upstream,
    /// Bytes of an answer that it could write.
    pub written: Arc<AtomicU64>,
    /// Allows it to read.
    pub may_read: Arc<Notify>,
}

impl LargeApp {
    /// Starts it.
    pub async fn start() -> Self {
        let (written, may_read) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        let (count, wait) = (Arc::clone(&written), Arc::clone(&may_read));
        let upstream = Upstream::start(move |mut stream| {
            let (count, wait) = (Arc::clone(&count), Arc::clone(&wait));
            async move {
                let head = Upstream::head(&mut stream).await.unwrap();
                if head.starts_with("GET") {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {MUCH}\r\n\r\n");
                    stream.write_all(head.as_bytes()).await.unwrap();
                    return write(&mut stream, MUCH, &count).await;
                }
                wait.notified().await;
                read(&mut stream, MUCH).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nall").await.unwrap();
            }
        })
        .await;
        Self { upstream, written, may_read }
    }
}
