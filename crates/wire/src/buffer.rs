//! Bytes that were read and not yet used.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Bytes of the first allocation: most requests and responses fit into it.
const FIRST: usize = 4 * 1024;

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// This number of bytes, at least one.
    Read(usize),
    /// Nothing: the buffer holds as much as it may.
    Full,
    /// Nothing: the sender has closed.
    End,
}

/// A buffer that grows as far as its user allows, and holds no memory before it is used.
#[derive(Debug, Default)]
pub struct Buffer {
    data: Vec<u8>,
    start: usize,
    end: usize,
    /// Whether the last read took all the room there was.
    was_filled: bool,
}

impl Buffer {
    /// One that has these bytes already.
    #[inline]
    pub fn with(bytes: Vec<u8>) -> Self {
        Self { end: bytes.len(), data: bytes, start: 0, was_filled: false }
    }

    /// The bytes that wait.
    #[inline]
    pub fn filled(&self) -> &[u8] {
        &self.data[self.start..self.end]
    }

    /// Number of bytes that wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether no bytes wait.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Takes bytes off the front; no more than there are.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Gives memory back that only a large message needed.
    #[inline]
    pub fn shrink(&mut self) {
        if self.is_empty() && self.data.len() > 4 * FIRST {
            self.data = Vec::new();
        }
    }

    /// Gives all memory back, if nothing is left in it.
    pub fn release(&mut self) {
        if self.is_empty() {
            self.data = Vec::new();
        }
    }

    /// Room for more, as long as fewer than `most` bytes wait; empty otherwise. A reader that filled
    /// the room last time gets twice as much.
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

    /// Reads once, unless `most` bytes wait already.
    #[inline]
    pub fn poll_fill<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        most: usize,
    ) -> Poll<io::Result<Fill>> {
        let room = self.room(most);
        let size = room.len();
        if size == 0 {
            return Poll::Ready(Ok(Fill::Full));
        }
        let mut read = ReadBuf::new(room);
        ready!(Pin::new(reader).poll_read(cx, &mut read))?;
        let count = read.filled().len();
        self.was_filled = count == size;
        self.end += count;
        Poll::Ready(Ok(if count == 0 { Fill::End } else { Fill::Read(count) }))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn fill(buffer: &mut Buffer, mut from: &[u8], most: usize) -> io::Result<Fill> {
        poll_fn(|cx| buffer.poll_fill(cx, &mut from, most)).await
    }

    /// A body that is passed on at once is read in ever larger pieces.
    #[tokio::test]
    async fn a_buffer_that_is_filled_grows_even_if_it_is_emptied() {
        let mut buffer = Buffer::default();
        let many = vec![b'x'; 1_000_000];
        let mut sizes = Vec::new();
        for _ in 0..7 {
            sizes.push(fill(&mut buffer, &many, 100_000).await.ok());
            buffer.consume(usize::MAX);
        }
        let expected = [4096, 8192, 16_384, 32_768, 65_536, 100_000, 100_000];
        let expected = expected.map(|count| Some(Fill::Read(count)));
        assert_eq!(sizes, expected);
        assert_eq!(fill(&mut buffer, b"little", 100_000).await.ok(), Some(Fill::Read(6)));
    }

    /// Out of memory in the kernel (`ENOMEM`), which is no full buffer.
    struct OutOfMemory;

    impl AsyncRead for OutOfMemory {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()))
        }
    }

    #[tokio::test]
    async fn system_errors_are_passed_on() {
        let mut buffer = Buffer::default();
        let filled = poll_fn(|cx| buffer.poll_fill(cx, &mut OutOfMemory, 10)).await;
        assert_eq!(filled.map_err(|error| error.kind()), Err(io::ErrorKind::OutOfMemory));
    }

    #[tokio::test]
    async fn grows_to_its_limit_and_no_further() {
        let mut buffer = Buffer::default();
        let many = vec![b'x'; 100_000];
        let mut total = 0;
        while let Ok(Fill::Read(count)) = fill(&mut buffer, &many, 10_000).await {
            assert!(count > 0);
            total += count;
        }
        assert_eq!(fill(&mut buffer, &many, 10_000).await.ok(), Some(Fill::Full));
        assert_eq!((total, buffer.len()), (10_000, 10_000));
        buffer.consume(9_999);
        assert_eq!(fill(&mut buffer, b"yz", 10_000).await.ok(), Some(Fill::Read(2)));
        assert_eq!(buffer.filled(), b"xyz");
        buffer.consume(3);
        assert!(buffer.is_empty());
        buffer.release();
        assert_eq!(fill(&mut buffer, b"", 10_000).await.ok(), Some(Fill::End));
    }
}
