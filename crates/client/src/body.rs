//! The body of a request to an app: pieces in memory and streams in sequence, or a body that is
//! passed on. It is never buffered as a whole, and its length is declared if known.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes read from a stream at once.
const PIECE: usize = 64 * 1024;

enum Piece {
    Bytes(Bytes),
    Stream { from: Pin<Box<dyn AsyncRead + Send>>, name: String, left: Option<u64> },
}

enum Inner {
    Pieces { pieces: VecDeque<Piece>, left: Option<u64>, buffer: Vec<u8> },
    PassedOn(Incoming),
}

/// See the module.
pub struct RequestBody(Inner);

impl std::fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestBody").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}

impl Default for RequestBody {
    fn default() -> Self {
        Self(Inner::Pieces { pieces: VecDeque::new(), left: Some(0), buffer: Vec::new() })
    }
}

impl From<Incoming> for RequestBody {
    fn from(body: Incoming) -> Self {
        if body.is_end_stream() { Self::default() } else { Self(Inner::PassedOn(body)) }
    }
}

impl From<Vec<u8>> for RequestBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self::default().then(bytes)
    }
}

impl RequestBody {
    /// Appends bytes.
    #[must_use]
    pub fn then(self, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let length = Some(bytes.len() as u64);
        self.with(Piece::Bytes(bytes), length)
    }

    /// Appends a stream, which errors call `name`. Of a stream with a `length` exactly that many
    /// bytes are sent.
    #[must_use]
    pub fn then_stream(
        self,
        name: &str,
        from: impl AsyncRead + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        let piece = Piece::Stream { from: Box::pin(from), name: name.to_owned(), left: length };
        self.with(piece, length)
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn with(mut self, piece: Piece, length: Option<u64>) -> Self {
        if let Inner::Pieces { pieces, left, .. } = &mut self.0 {
            pieces.push_back(piece);
            *left = left.zip(length).and_then(|(a, b)| a.checked_add(b));
        }
        self
    }
}

/// The next bytes of a stream; none at its end.
fn read(
    from: Pin<&mut dyn AsyncRead>,
    name: &str,
    left: &mut Option<u64>,
    buffer: &mut Vec<u8>,
    cx: &mut Context<'_>,
) -> Poll<Option<io::Result<Bytes>>> {
    let most = left.map_or(PIECE, |left| usize::try_from(left).unwrap_or(PIECE).min(PIECE));
    if most == 0 {
        return Poll::Ready(None);
    }
    buffer.resize(PIECE, 0);
    let mut space = ReadBuf::new(&mut buffer[..most]);
    if let Err(error) = ready!(from.poll_read(cx, &mut space)) {
        let message = format!("{name} can't be read: {error}");
        return Poll::Ready(Some(Err(io::Error::new(error.kind(), message))));
    }
    let bytes = Bytes::copy_from_slice(space.filled());
    if !bytes.is_empty() {
        *left = left.map(|left| left - bytes.len() as u64);
        return Poll::Ready(Some(Ok(bytes)));
    }
    Poll::Ready(left.map(|_| {
        let message = format!("{name} shrank while it was sent");
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, message))
    }))
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let (pieces, left, buffer) = match &mut self.get_mut().0 {
            Inner::PassedOn(body) => {
                let frame = ready!(Pin::new(body).poll_frame(cx));
                return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
            }
            Inner::Pieces { pieces, left, buffer } => (pieces, left, buffer),
        };
        while let Some(piece) = pieces.front_mut() {
            let next = match piece {
                Piece::Bytes(bytes) => {
                    let bytes = std::mem::take(bytes);
                    (!bytes.is_empty()).then_some(Ok(bytes))
                }
                Piece::Stream { from, name, left } => {
                    ready!(read(from.as_mut(), name, left, buffer, cx))
                }
            };
            if let Some(next) = next {
                if let (Ok(bytes), Some(left)) = (&next, left) {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                return Poll::Ready(Some(next.map(Frame::data)));
            }
            pieces.pop_front();
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::PassedOn(body) => body.is_end_stream(),
            Inner::Pieces { pieces, left, .. } => pieces.is_empty() || *left == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::PassedOn(body) => body.size_hint(),
            Inner::Pieces { left, .. } => left.map_or_else(SizeHint::new, SizeHint::with_exact),
        }
    }
}
