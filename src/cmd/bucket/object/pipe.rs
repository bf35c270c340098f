//! What is downloaded, for a thread that reads it. A download that does not end in order looks broken
//! off, never complete.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use ovhai_client::ObjectStream;
use tokio::sync::mpsc;

use crate::error::Result;

/// Maximum number of pieces that wait.
const WAITING: usize = 8;

/// The end for the thread.
pub(super) struct PipeReader {
    receive: mpsc::Receiver<Option<Bytes>>,
    piece: Bytes,
    is_over: bool,
}

/// The end for the download.
pub(super) struct PipeFeed(mpsc::Sender<Option<Bytes>>);

pub(super) fn pipe() -> (PipeFeed, PipeReader) {
    let (send, receive) = mpsc::channel(WAITING);
    (PipeFeed(send), PipeReader { receive, piece: Bytes::new(), is_over: false })
}

impl PipeFeed {
    /// Feeds the thread until the download or the thread ends.
    pub(super) async fn feed(self, mut stream: ObjectStream) -> Result<()> {
        while let Some(piece) = stream.next().await? {
            if self.0.send(Some(piece)).await.is_err() {
                // The thread says why.
                return Ok(());
            }
        }
        let _ = self.0.send(None).await;
        Ok(())
    }
}

impl PipeReader {
    /// The next piece; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.is_over {
            return Ok(None);
        }
        match self.receive.blocking_recv() {
            Some(Some(piece)) => Ok(Some(piece)),
            Some(None) => {
                self.is_over = true;
                Ok(None)
            }
            None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the download broke off")),
        }
    }
}

impl Read for PipeReader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.next()? {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let count = self.piece.len().min(to.len());
        self.piece.copy_to_slice(&mut to[..count]);
        Ok(count)
    }
}
