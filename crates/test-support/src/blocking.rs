//! The client of [`crate::raw`] for tests without an event loop.

use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;

use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, Runtime};

use crate::raw;

/// What drives all of them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
});

/// A connection; each call blocks until it is done.
#[derive(Debug)]
pub struct Client(raw::Client);

impl Client {
    /// Connects to any server.
    pub fn to(address: SocketAddr) -> Self {
        Self(RUNTIME.block_on(raw::Client::to(address)))
    }

    /// Connects to a server that may be gone.
    pub fn try_to(address: SocketAddr) -> io::Result<Self> {
        RUNTIME.block_on(raw::Client::try_to(address)).map(Self)
    }

    /// Sends bytes to a server that may be gone.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        RUNTIME.block_on(self.0.try_send(bytes))
    }

    /// The next answer, to a request of this method, with its whole body, of which chunks are decoded.
    /// Fails if the connection ends before the answer does.
    pub fn whole_answer(&mut self, method: &str) -> io::Result<raw::Got> {
        RUNTIME.block_on(self.0.whole_answer(method))
    }

    /// Closes the client's side of the connection.
    pub fn finish(&mut self) {
        RUNTIME.block_on(self.0.0.shutdown()).unwrap();
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        RUNTIME.block_on(self.0.send(bytes));
    }

    /// The next answer, with the body that its `Content-Length` announces.
    pub fn answer(&mut self) -> raw::Got {
        RUNTIME.block_on(self.0.answer())
    }

    /// The head of the next answer; its body is left unread.
    pub fn answer_head(&mut self) -> raw::Got {
        RUNTIME.block_on(self.0.answer_head())
    }

    /// Everything until the other side closes or resets the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        RUNTIME.block_on(self.0.rest())
    }

    /// Reads until these bytes arrive, and returns everything read.
    pub fn until(&mut self, end: &[u8]) -> Vec<u8> {
        RUNTIME.block_on(self.0.until(end))
    }
}
