//! An app that a test controls, on the level of bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on a port of its own. A test fails if nothing ever connects to it.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
    may_be_idle: bool,
}

impl Upstream {
    /// Handles each connection with `serve`.
    pub async fn start<F, T>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, connections, task, may_be_idle: false }
    }

    /// Answers every request on every connection with these bytes, as soon as the head is there.
    pub async fn answering(bytes: &'static [u8]) -> Self {
        Self::start(move |mut stream| async move {
            while Self::head(&mut stream).await.is_some() {
                if stream.write_all(bytes).await.is_err() {
                    return;
                }
            }
        })
        .await
    }

    /// Answers once on every connection, then closes it.
    pub async fn answering_once(bytes: &'static [u8]) -> Self {
        Self::start(move |mut stream| async move {
            if Self::head(&mut stream).await.is_some() {
                // The test sees what arrived.
                let _ = stream.write_all(bytes).await;
            }
        })
        .await
    }

    /// The head of the next request; none when the connection is closed.
    pub async fn head(stream: &mut TcpStream) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = stream.read_u8().await.ok()?;
            head.push(byte);
        }
        String::from_utf8(head).ok()
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// For tests in which nothing must connect to it.
    #[must_use]
    pub fn never_called(mut self) -> Self {
        self.may_be_idle = true;
        self
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
        if !std::thread::panicking() {
            let called = self.connections() > 0;
            assert!(called != self.may_be_idle, "the upstream was called: {called}");
        }
    }
}
