//! Requests of HTTP/2 as they come: their bodies, and the way back for interim responses.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};
use hyper::{Response, StatusCode};
use ovhai_wire::fields::may_trail;

use super::reserved::RESERVED;

/// A request's body. One that is broken off never looks complete. Its trailers are those that may
/// be passed on.
#[derive(Debug)]
pub(crate) struct Incoming {
    stream: RecvStream,
    /// Whether only trailers can come.
    data_ended: bool,
    /// Number of pieces that came.
    came: Arc<AtomicU64>,
}

impl Incoming {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self { stream, data_ended: false, came: Arc::default() }
    }

    /// The number of pieces that came, also after the body was given away.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.came)
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.data_ended {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    self.came.fetch_add(1, Ordering::Relaxed);
                    // Taking a piece makes room for more.
                    self.stream.flow_control().release_capacity(data.len())?;
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.data_ended = true,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx))?;
        Poll::Ready(trailers.map(|trailers| {
            let passing = trailers.iter().filter(|(name, _)| may_trail(name.as_str(), &RESERVED));
            let passing = passing.map(|(name, value)| (name.clone(), value.clone()));
            Ok(Frame::trailers(passing.collect()))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}

/// Maximum interim responses of a request that wait to be written.
const WAITING_MAX: usize = 16;

/// Interim responses (1xx) of one request on their way to its client. HTTP/2 has no flow control
/// for them, and the h2 crate buffers what the client does not take: so those that it has not
/// written are counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interim(Arc<Mutex<Heads>>);

#[derive(Debug, Default)]
struct Heads {
    queue: Vec<Response<()>>,
    /// Number of those that h2 has and has not written.
    unwritten: usize,
    /// Woken when one was written.
    waker: Option<Waker>,
}

impl Interim {
    fn lock(&self) -> MutexGuard<'_, Heads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, head: Response<()>) {
        self.lock().queue.push(head);
    }

    /// Sends 100 (Continue).
    pub(crate) fn go_on(&self) {
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::CONTINUE;
        self.push(head);
    }

    /// Ready when another interim response may be added.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut heads = self.lock();
        if heads.queue.len() + heads.unwritten < WAITING_MAX {
            return Poll::Ready(());
        }
        heads.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes those that wait to be written.
    pub(crate) fn take(&self) -> Vec<Response<()>> {
        let mut heads = self.lock();
        heads.unwritten += heads.queue.len();
        std::mem::take(&mut heads.queue)
    }

    /// Takes note that one was written, or never will be.
    pub(crate) fn written(&self) {
        let mut heads = self.lock();
        heads.unwritten = heads.unwritten.saturating_sub(1);
        if let Some(waker) = heads.waker.take() {
            waker.wake();
        }
    }
}
