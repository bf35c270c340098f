//! Bodies in pieces that one side makes as fast as the other takes them. A body whose maker ends
//! without saying so breaks off: it never looks complete.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

/// Maximum number of pieces that wait.
const WAITING: usize = 4;
/// Size of the pieces that a writer makes, in bytes.
const PIECE: usize = 256 * 1024;

enum Part {
    Piece(Bytes),
    Fault(io::Error),
    End,
}

/// A body, and its maker. A body of a known length has to get exactly that.
pub(crate) fn body(length: Option<u64>) -> (Maker, Body) {
    let (send, receive) = mpsc::channel(WAITING);
    (Maker(send), Body::new(Pieces { receive, left: length, is_over: false }))
}

/// Makes a body. Dropped before [`Maker::end`], it breaks the body off.
pub(crate) struct Maker(mpsc::Sender<Part>);

/// Room for one piece.
pub(crate) struct Room<'a>(mpsc::Permit<'a, Part>);

impl Room<'_> {
    pub(crate) fn fill(self, piece: Bytes) {
        self.0.send(Part::Piece(piece));
    }

    /// Breaks the body off for a reason.
    pub(crate) fn fail(self, kind: io::ErrorKind, why: &'static str) {
        self.0.send(Part::Fault(io::Error::new(kind, why)));
    }
}

impl Maker {
    /// Waits until a piece is wanted; none if the reader has gone.
    pub(crate) async fn room(&self) -> Option<Room<'_>> {
        self.0.reserve().await.ok().map(Room)
    }

    /// Ends the body.
    pub(crate) async fn end(self) {
        // The reader may have all that it needs.
        let _ = self.0.send(Part::End).await;
    }

    /// A writer for a thread that may block.
    pub(crate) fn into_writer(self) -> PieceWriter {
        PieceWriter { maker: self, piece: Vec::new() }
    }
}

/// Makes a body in a thread that may block.
pub(crate) struct PieceWriter {
    maker: Maker,
    piece: Vec<u8>,
}

impl PieceWriter {
    fn send(&self, part: Part) -> io::Result<()> {
        self.maker.0.blocking_send(part).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Passes on a whole piece without a copy.
    pub(crate) fn pass(&mut self, piece: Vec<u8>) -> io::Result<()> {
        self.flush()?;
        self.send(Part::Piece(piece.into()))
    }

    /// Ends the body, or breaks it off.
    pub(crate) fn end(mut self, outcome: io::Result<()>) {
        let last = outcome.and_then(|()| self.flush()).map_or_else(Part::Fault, |()| Part::End);
        // The reader may have gone.
        let _ = self.send(last);
    }
}

impl Write for PieceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() + bytes.len() > PIECE {
            self.flush()?;
        }
        self.piece.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece);
        self.send(Part::Piece(piece.into()))
    }
}

struct Pieces {
    receive: mpsc::Receiver<Part>,
    /// Bytes that have to come, if that is known.
    left: Option<u64>,
    is_over: bool,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let broken = |why| io::Error::new(io::ErrorKind::UnexpectedEof, why);
        let fault = match ready!(self.receive.poll_recv(cx)) {
            Some(Part::Piece(piece)) => match self.left {
                Some(left) if piece.len() as u64 > left => broken("it is longer than it was"),
                left => {
                    self.left = left.map(|left| left - piece.len() as u64);
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
            },
            Some(Part::Fault(error)) => error,
            Some(Part::End) if self.left.is_none_or(|left| left == 0) => {
                self.is_over = true;
                return Poll::Ready(None);
            }
            Some(Part::End) => broken("it is shorter than it was"),
            None => broken("it was broken off"),
        };
        self.is_over = true;
        Poll::Ready(Some(Err(fault)))
    }

    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_body_that_is_not_ended_breaks_off() {
        let (maker, body) = body(None);
        maker.room().await.expect("a reader").fill(Bytes::from_static(b"ab"));
        maker.end().await;
        assert_eq!(body.collect().await.expect("a body").to_bytes(), "ab");

        let (maker, body) = super::body(None);
        maker.room().await.expect("a reader").fill(Bytes::from_static(b"ab"));
        drop(maker);
        assert!(body.collect().await.is_err());
    }

    #[tokio::test]
    async fn a_known_length_is_kept() {
        for (length, whole) in [(2, true), (1, false), (3, false)] {
            let (maker, body) = body(Some(length));
            let mut writer = maker.into_writer();
            let written = tokio::task::spawn_blocking(move || {
                let outcome = writer.write_all(b"ab");
                writer.end(outcome);
            });
            assert_eq!(body.collect().await.is_ok(), whole, "{length}");
            written.await.expect("no panic");
        }
    }
}
