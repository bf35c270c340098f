//! Reads the frames of a connection as they pass, for what the h2 crate does not report: requests
//! that it refuses before the server accepts them, and heads that do not end.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use h2::Reason;
use ovhai_wire::stream::Peer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::Worker;
use super::outgoing::Interims;
use crate::gateway::refusal::Refusal;
use crate::telemetry::{Protocol, RefusalKind};

/// The first bytes of a client.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Maximum requests of one connection under way at once.
pub(super) const STREAMS: u32 = 128;
/// Bytes before a frame's payload (RFC 9113 section 4.1).
const FRAME_HEAD: usize = 9;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
/// Maximum requests that were received and neither accepted nor refused; more than h2 lets wait.
const WAITING_MAX: usize = 2048;

/// The beginning of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    /// Of a `RST_STREAM`: the error code.
    code: u32,
}

/// Finds frames in bytes that arrive in pieces.
#[derive(Debug, Default)]
struct Scan {
    head: [u8; FRAME_HEAD + 4],
    have: usize,
    /// Bytes left before the next frame.
    left: usize,
    /// Whether these belong to a head, and whether it continues after them.
    of_head: bool,
    goes_on: bool,
}

impl Scan {
    fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Frame)) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let count = self.left.min(bytes.len());
                self.left -= count;
                bytes = &bytes[count..];
                continue;
            }
            let is_reset = self.have >= FRAME_HEAD;
            let wanted = if is_reset { self.head.len() } else { FRAME_HEAD };
            let count = (wanted - self.have).min(bytes.len());
            self.head[self.have..self.have + count].copy_from_slice(&bytes[..count]);
            self.have += count;
            bytes = &bytes[count..];
            if self.have < wanted {
                return;
            }
            let head = self.head;
            let number = |at: usize| {
                u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
            };
            let (length, kind, flags) = (number(0) as usize >> 8, head[3], head[4]);
            if kind == RST_STREAM && length == 4 && !is_reset {
                continue;
            }
            self.have = 0;
            self.left = if is_reset { 0 } else { length };
            if kind == HEADERS || kind == CONTINUATION {
                (self.of_head, self.goes_on) = (true, flags & END_HEADERS == 0);
            } else {
                (self.of_head, self.goes_on) = (false, false);
            }
            let (stream, code) = (number(5) & 0x7fff_ffff, number(9));
            each(Frame { kind, flags, stream, code });
        }
    }

    /// Whether a head is incomplete.
    fn is_in_head(&self) -> bool {
        self.goes_on || (self.of_head && self.left > 0)
    }
}

/// Streams of requests that were received and not yet accepted, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<u32>,
    last: u32,
    /// Those that were refused meanwhile. h2 may still hand one out, if it was good before
    /// something of the same stream was not.
    refused: VecDeque<u32>,
}

impl Queue {
    fn take(&mut self, stream: u32) -> bool {
        let at = self.waiting.iter().position(|one| *one == stream);
        at.is_some_and(|at| self.waiting.remove(at).is_some())
    }
}

fn push(queue: &mut VecDeque<u32>, stream: u32) {
    if queue.len() == WAITING_MAX {
        queue.pop_front();
    }
    queue.push_back(stream);
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn came(&self, stream: u32) {
        let queue = &mut *self.lock();
        // Others are trailers, or belong to no request.
        if stream > queue.last && stream % 2 == 1 {
            queue.last = stream;
            push(&mut queue.waiting, stream);
        }
    }

    /// The client gives the request up. If it is accepted nevertheless, the server sees that it
    /// was.
    fn given_up(&self, stream: u32) {
        self.lock().take(stream);
    }

    /// The request is refused. Returns whether that is new.
    fn refused(&self, stream: u32) -> bool {
        let queue = &mut *self.lock();
        let is_news = queue.take(stream);
        if is_news {
            push(&mut queue.refused, stream);
        }
        is_news
    }

    /// The server accepts the request. Returns whether it was refused, and recorded, before.
    pub(super) fn take_accepted(&self, stream: u32) -> bool {
        let queue = &mut *self.lock();
        queue.take(stream);
        let was_refused = queue.refused.contains(&stream);
        // Requests are accepted in their order: those before this one never will be.
        queue.refused.retain(|one| *one > stream);
        was_refused
    }
}

/// A connection whose frames are read as they pass.
pub(super) struct FrameMonitor<S> {
    inner: S,
    client: Peer,
    worker: Arc<Worker>,
    waiting: Waiting,
    interims: Interims,
    input: Scan,
    output: Scan,
    /// Fires when an incomplete head takes too long.
    slow: Option<Pin<Box<Sleep>>>,
}

impl<S> FrameMonitor<S> {
    pub(super) fn new(
        inner: S,
        client: Peer,
        worker: Arc<Worker>,
        waiting: Waiting,
        interims: Interims,
    ) -> Self {
        let input = Scan { left: PREFACE.len(), ..Scan::default() };
        let output = Scan::default();
        Self { inner, client, worker, waiting, interims, input, output, slow: None }
    }

    /// Looks at received bytes.
    fn look_at_input(&mut self, bytes: &[u8]) {
        let Self { input, waiting, slow, .. } = self;
        let was_in_head = input.is_in_head();
        let mut begins = false;
        input.feed(bytes, |frame| match frame.kind {
            HEADERS => {
                begins = true;
                waiting.came(frame.stream);
            }
            RST_STREAM => waiting.given_up(frame.stream),
            _ => {}
        });
        if !input.is_in_head() {
            *slow = None;
        } else if begins || !was_in_head {
            *slow = Some(Box::pin(tokio::time::sleep(self.worker.relay.limits.head_timeout)));
        }
    }

    /// Looks at sent bytes.
    fn look_at_output(&mut self, bytes: &[u8]) {
        let Self { output, waiting, interims, worker, client, .. } = self;
        output.feed(bytes, |frame| {
            if frame.kind == HEADERS {
                interims.written(frame.stream);
            }
            if matches!(frame.kind, HEADERS | RST_STREAM) && waiting.refused(frame.stream) {
                refused_unheard(frame, worker, *client);
            }
        });
    }
}

/// Records a refusal that the client did not get as a response of the emulator's.
pub(super) fn note_refusal(refusal: &Refusal, status: u16, worker: &Worker, client: Peer) {
    let mut note = worker.note(Protocol::Http2, Vec::new());
    refusal.record(&mut note);
    note.status = status;
    worker.record(note, client, None);
}

fn refused_unheard(frame: Frame, worker: &Worker, client: Peer) {
    let reason = Reason::from(frame.code);
    let (refusal, status) = if frame.kind == HEADERS {
        let why = "the request's head is larger than HTTP/2 takes";
        let refusal = Refusal::new(RefusalKind::HeadersTooLarge, why);
        let status = refusal.status().as_u16();
        (refusal, status)
    } else if reason == Reason::REFUSED_STREAM {
        let why = format!("the connection has {STREAMS} requests under way: reset");
        (Refusal::new(RefusalKind::TooManyStreams, why), 0)
    } else {
        let why = format!("the request is malformed for HTTP/2: reset with {reason:?}");
        (Refusal::new(RefusalKind::Malformed, why), 0)
    };
    note_refusal(&refusal, status, worker, client);
}

impl<S: AsyncRead + Unpin> AsyncRead for FrameMonitor<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = read {
            this.look_at_input(&buf.filled()[before..]);
        }
        if let Some(slow) = &mut this.slow
            && slow.as_mut().poll(cx).is_ready()
        {
            let why = "the request's head did not come in time";
            let refusal = Refusal::new(RefusalKind::Slow, why);
            note_refusal(&refusal, 0, &this.worker, this.client);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FrameMonitor<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        self.look_at_output(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, bytes))?;
        let mut left = count;
        for part in bytes {
            let sent = left.min(part.len());
            self.look_at_output(&part[..sent]);
            left -= sent;
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    #[test]
    fn frames_are_found_in_any_pieces() {
        let all = [
            frame(4, 0, 0, &[0; 18]),
            frame(HEADERS, END_HEADERS, 1, b"head"),
            frame(0, 0, 1, &[1; 300]),
            frame(RST_STREAM, 0, 1, &7_u32.to_be_bytes()),
            // A reset of the wrong length is skipped as any other frame.
            frame(RST_STREAM, 0, 0x8000_0003, b"rubbish"),
            frame(6, 0, 0, b""),
            frame(HEADERS, 0, 5, b""),
        ];
        let expected = [
            (4, 0, 0, 0),
            (HEADERS, END_HEADERS, 1, 0),
            (0, 0, 1, 0),
            (RST_STREAM, 0, 1, 7),
            (RST_STREAM, 0, 3, 7),
            (6, 0, 0, 7),
            (HEADERS, 0, 5, 7),
        ];
        let bytes = all.concat();
        for size in [1, 2, 9, 10, 13, 100, bytes.len()] {
            let (mut scan, mut found) = (Scan::default(), Vec::new());
            for part in bytes.chunks(size) {
                scan.feed(part, |f| found.push((f.kind, f.flags, f.stream, f.code)));
            }
            assert_eq!(found, expected, "in pieces of {size}");
            assert!(scan.is_in_head());
        }
    }

    #[test]
    fn the_end_of_a_head_is_found() {
        let mut scan = Scan::default();
        let mut after = |bytes: &[u8]| {
            scan.feed(bytes, |_| {});
            scan.is_in_head()
        };
        let whole = frame(HEADERS, END_HEADERS, 1, b"head");
        assert!(!after(&whole[..8]), "it is not known what it is");
        assert!(after(&whole[8..12]));
        assert!(!after(&whole[12..]));
        assert!(!after(&frame(0, 0, 1, b"data")[..10]), "a body has a time of its own");
        assert!(!after(b"ata"));
        assert!(after(&frame(HEADERS, 0, 3, b"head")));
        assert!(after(&frame(CONTINUATION, 0, 3, b"more")));
        assert!(!after(&frame(CONTINUATION, END_HEADERS, 3, b"")));
    }

    #[test]
    fn pending_heads_are_tracked() {
        let waiting = Waiting::default();
        for stream in [1, 3, 5, 3, 4, 0, 7, 9] {
            waiting.came(stream);
        }
        assert!(!waiting.take_accepted(1) && !waiting.refused(1), "its answer is no refusal");
        assert!(waiting.refused(3) && !waiting.refused(3), "trailers are no other request");
        assert!(waiting.refused(5) && !waiting.refused(4) && !waiting.refused(0));
        waiting.given_up(7);
        assert!(!waiting.refused(7) && !waiting.take_accepted(7), "its client knows");
        assert!(waiting.refused(9) && waiting.take_accepted(9), "it is noted already");
        let is_empty = |waiting: &Waiting| {
            let queue = waiting.lock();
            queue.waiting.is_empty() && queue.refused.is_empty()
        };
        assert!(is_empty(&waiting));
        for stream in 0..10_000 {
            waiting.came(stream);
        }
        assert_eq!(waiting.lock().waiting.len(), WAITING_MAX);
        assert!(waiting.refused(9_999) && !waiting.refused(11));
        for stream in 10_000..20_000 {
            waiting.came(stream);
            waiting.refused(stream);
        }
        assert_eq!(waiting.lock().refused.len(), WAITING_MAX);
        assert!(waiting.take_accepted(19_999));
    }
}
