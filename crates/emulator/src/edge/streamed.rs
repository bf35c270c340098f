//! The body of a call over HTTP/1 that reads it as it comes, such as an upload of any size. No more than
//! a few pieces wait between the connection and the handler.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use ovhai_wire::body::{Decoder, Piece};
use ovhai_wire::buffer::{Buffer, Fill};
use ovhai_wire::deadline::Deadline;
use ovhai_wire::framing::Framing;
use ovhai_wire::stream::Stream;

use crate::pieces::Maker;

/// Maximum size of a piece, in bytes.
const PIECE_MAX: usize = 128 * 1024;

/// How reading a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyEnd {
    Whole,
    /// The handler takes no more.
    Unwanted,
    /// It is malformed, or too slow: the handler was told.
    Bad,
    /// The client has gone.
    Gone,
}

/// The near end of a body.
pub(super) struct Source<'a, S> {
    pub(super) stream: &'a mut S,
    pub(super) input: &'a mut Buffer,
    pub(super) clock: &'a mut Deadline,
    pub(super) framing: Framing,
    /// Time that the client may pause.
    pub(super) pause: Duration,
}

impl<S: Stream> Source<'_, S> {
    /// Passes the body on as fast as the handler takes it, and counts its bytes.
    pub(super) async fn pass(mut self, maker: Maker, count: &AtomicU64) -> BodyEnd {
        let framing = match self.framing {
            Framing::UntilClose => Framing::None,
            other => other,
        };
        let mut decoder = Decoder::new(framing);
        loop {
            // The handler may need no more than the length to know the end.
            if decoder.is_done() {
                maker.end().await;
                return BodyEnd::Whole;
            }
            let Some(room) = maker.room().await else { return BodyEnd::Unwanted };
            match self.next(&mut decoder).await {
                Next::Piece(bytes) => {
                    count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    room.fill(bytes);
                }
                Next::End => {}
                Next::Bad => {
                    room.fail(ErrorKind::InvalidData, "its framing is malformed");
                    return BodyEnd::Bad;
                }
                Next::Slow => {
                    room.fail(ErrorKind::TimedOut, "it did not come in time");
                    return BodyEnd::Bad;
                }
                Next::Gone => {
                    room.fail(ErrorKind::UnexpectedEof, "it was broken off");
                    return BodyEnd::Gone;
                }
            }
        }
    }

    async fn next(&mut self, decoder: &mut Decoder) -> Next {
        let Self { stream, input, clock, pause, .. } = self;
        clock.set(*pause);
        poll_fn(|cx| {
            loop {
                match decoder.next(input.filled()) {
                    Ok(Piece::End { skip, .. }) => {
                        input.consume(skip);
                        return Poll::Ready(Next::End);
                    }
                    Ok(Piece::Skip(count)) => input.consume(count),
                    Ok(Piece::Data { skip, len }) => {
                        let bytes = Bytes::copy_from_slice(&input.filled()[skip..skip + len]);
                        input.consume(skip + len);
                        return Poll::Ready(Next::Piece(bytes));
                    }
                    Ok(Piece::More) => match input.poll_fill(cx, &mut **stream, PIECE_MAX) {
                        Poll::Ready(Ok(Fill::Read(_))) => {}
                        // Full: framing that never ends.
                        Poll::Ready(Ok(Fill::End | Fill::Full) | Err(_)) => {
                            return Poll::Ready(Next::Gone);
                        }
                        Poll::Pending if clock.poll(cx).is_ready() => {
                            return Poll::Ready(Next::Slow);
                        }
                        Poll::Pending => return Poll::Pending,
                    },
                    Err(_) => return Poll::Ready(Next::Bad),
                }
            }
        })
        .await
    }
}

enum Next {
    Piece(Bytes),
    End,
    Bad,
    Slow,
    Gone,
}

/// Runs a call beside the source of its body. A call whose body is broken off ends before this returns.
pub(super) async fn answered<T>(
    call: impl Future<Output = T>,
    source: impl Future<Output = BodyEnd>,
) -> (T, BodyEnd) {
    let (mut call, source) = (pin!(call), pin!(source));
    tokio::select! {
        biased;
        end = source => (call.await, end),
        outcome = call.as_mut() => (outcome, BodyEnd::Unwanted),
    }
}
