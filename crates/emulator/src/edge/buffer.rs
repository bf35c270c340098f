//! Bytes that were read and not yet used.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// The first room that is made, in bytes: a request or answer as they mostly are.
const FIRST: usize = 4 * 1024;

/// A buffer that grows as far as its user allows, and holds no memory before it is used.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    data: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the last reading took all the room there was.
    was_filled: bool,
}

impl Buffer {
    /// One that has these bytes already.
    pub(crate) fn with(bytes: Vec<u8>) -> Self {
        Self { end: bytes.len(), data: bytes, start: 0, was_filled: false }
    }

    pub(crate) fn filled(&self) -> &[u8] {
        &self.data[self.start..self.end]
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Gives memory back that only a large message needed.
    pub(crate) fn shrink(&mut self) {
        if self.is_empty() && self.data.len() > 4 * FIRST {
            self.data = Vec::new();
        }
    }

    /// Gives all memory back, if nothing is left in it.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            self.data = Vec::new();
        }
    }

    /// Room for more, as long as no more than `most` bytes wait; empty when they do. A reader that
    /// filled what it got last time gets twice as much.
    fn room(&mut self, most: usize) -> &mut [u8] {
        if self.end == self.data.len() || self.was_filled {
            if self.start > 0 {
                self.data.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            let size = (self.data.len() * 2).clamp(FIRST.min(most), most);
            let is_crowded = self.was_filled || self.end > self.data.len() / 2;
            if self.data.len() < size && (is_crowded || self.data.is_empty()) {
                self.data.resize(size, 0);
            }
            self.was_filled = false;
        }
        let limit = self.data.len().min(self.start + most).max(self.end);
        &mut self.data[self.end..limit]
    }

    /// Reads once. Ready with 0 at the end of the stream; with an error of the kind
    /// `OutOfMemory` when `most` bytes wait already.
    pub(crate) fn poll_fill<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        let room = self.room(most);
        let size = room.len();
        if size == 0 {
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        }
        let mut read = ReadBuf::new(room);
        ready!(Pin::new(reader).poll_read(cx, &mut read))?;
        let count = read.filled().len();
        self.was_filled = count == size;
        self.end += count;
        Poll::Ready(Ok(count))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn fill(buffer: &mut Buffer, mut from: &[u8], most: usize) -> io::Result<usize> {
        poll_fn(|cx| buffer.poll_fill(cx, &mut from, most)).await
    }

    /// A body that is passed on at once is read in ever larger pieces.
    #[tokio::test]
    async fn grows_for_who_fills_it_though_it_is_emptied() {
        let mut buffer = Buffer::default();
        let many = vec![b'x'; 1_000_000];
        let mut sizes = Vec::new();
        for _ in 0..7 {
            sizes.push(fill(&mut buffer, &many, 100_000).await.ok());
            buffer.consume(usize::MAX);
        }
        let expected = [4096, 8192, 16_384, 32_768, 65_536, 100_000, 100_000].map(Some);
        assert_eq!(sizes, expected);
        assert_eq!(fill(&mut buffer, b"little", 100_000).await.ok(), Some(6));
    }

    #[tokio::test]
    async fn grows_to_its_limit_and_no_further() {
        let mut buffer = Buffer::default();
        let many = vec![b'x'; 100_000];
        let mut total = 0;
        while let Ok(count) = fill(&mut buffer, &many, 10_000).await {
            assert!(count > 0);
            total += count;
        }
        assert_eq!((total, buffer.len()), (10_000, 10_000));
        buffer.consume(9_999);
        assert_eq!(fill(&mut buffer, b"yz", 10_000).await.ok(), Some(2));
        assert_eq!(buffer.filled(), b"xyz");
        buffer.consume(3);
        assert!(buffer.is_empty());
        buffer.release();
        assert_eq!(fill(&mut buffer, b"", 10_000).await.ok(), Some(0));
    }
}
