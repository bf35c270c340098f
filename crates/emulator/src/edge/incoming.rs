//! What goes over the line of HTTP/2 besides heads of requests: their bodies, and answers.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, SystemTime};

use crate::gateway::reserved::RESERVED;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http_body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_LENGTH, DATE, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use ovhai_wire::fields::may_trail;

/// A request's body. One that is broken off, in whatever way, never looks whole; its trailers are
/// those that may be passed on.
#[derive(Debug)]
pub(crate) struct Incoming {
    stream: RecvStream,
    /// Whether only trailers can come.
    data_ended: bool,
    /// Pieces that have come.
    came: Arc<AtomicU64>,
}

impl Incoming {
    pub(super) fn new(stream: RecvStream) -> Self {
        Self { stream, data_ended: false, came: Arc::default() }
    }

    /// Counts the pieces that come, also when somebody else has the body.
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
                    // Whoever takes it makes room for more.
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

/// Maximum interim answers of a request that wait to be written.
const WAITING_MAX: usize = 16;

/// Interim answers (1xx) of one request on their way to its client. HTTP/2 has no flow control for
/// them, and the h2 crate keeps what the client does not take: so what it has written is counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interim(Arc<Mutex<Heads>>);

#[derive(Debug, Default)]
struct Heads {
    queue: Vec<Response<()>>,
    /// How many h2 has and has not written.
    unwritten: usize,
    /// Rings when one was written.
    waker: Option<Waker>,
}

impl Interim {
    fn lock(&self) -> MutexGuard<'_, Heads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, head: Response<()>) {
        self.lock().queue.push(head);
    }

    /// Tells a client that waits for it to go on.
    pub(crate) fn go_on(&self) {
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::CONTINUE;
        self.push(head);
    }

    /// Ready when there is room for another interim answer.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut heads = self.lock();
        if heads.queue.len() + heads.unwritten < WAITING_MAX {
            return Poll::Ready(());
        }
        heads.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn take(&self) -> Vec<Response<()>> {
        let mut heads = self.lock();
        heads.unwritten += heads.queue.len();
        std::mem::take(&mut heads.queue)
    }

    /// One was written, or will never be.
    fn written(&self) {
        let mut heads = self.lock();
        heads.unwritten = heads.unwritten.saturating_sub(1);
        if let Some(waker) = heads.waker.take() {
            waker.wake();
        }
    }
}

/// The interim answers of a connection's requests, by their streams.
#[derive(Debug, Clone, Default)]
pub(super) struct Interims(Arc<Mutex<HashMap<u32, Interim>>>);

impl Interims {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Interim>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of a stream, until what is returned is dropped.
    pub(super) fn of(&self, stream: u32) -> OfStream {
        let interim = Interim::default();
        self.lock().insert(stream, interim.clone());
        OfStream { interim, stream, all: self.clone() }
    }

    /// The connection has written a head of this stream.
    pub(super) fn written(&self, stream: u32) {
        if let Some(interim) = self.lock().get(&stream) {
            interim.written();
        }
    }
}

/// See [`Interims::of`].
pub(super) struct OfStream {
    pub(super) interim: Interim,
    stream: u32,
    all: Interims,
}

impl Drop for OfStream {
    fn drop(&mut self) {
        self.all.lock().remove(&self.stream);
    }
}

/// The final answer, when there is one; interim ones are sent as they come. None when the client
/// gave the request up.
pub(super) async fn answered<T>(
    respond: &mut SendResponse<Bytes>,
    interim: &Interim,
    answer: impl Future<Output = T>,
) -> Option<T> {
    let mut answer = pin!(answer);
    poll_fn(|cx| {
        // First of all: for a request that was given up at once the app must not be turned to.
        if respond.poll_reset(cx).is_ready() {
            return Poll::Ready(None);
        }
        let answer = answer.as_mut().poll(cx);
        for head in interim.take() {
            // It is only a hint; whether the client is there shows with the answer.
            if respond.send_informational(head).is_err() {
                interim.written();
            }
        }
        answer.map(Some)
    })
    .await
}

/// A body that has something to do also while the client has no room for more of it.
pub(super) trait Meanwhile {
    fn poll_meanwhile(&mut self, cx: &mut Context<'_>);
}

/// Sends an answer. One piece of it waits for the client to have room; when it waits for too long
/// the answer is given up, which the others of the connection do not feel.
pub(super) async fn send<B>(
    mut respond: SendResponse<Bytes>,
    response: Response<B>,
    patience: Duration,
) -> Result<(), h2::Error>
where
    B: Body<Data = Bytes> + Meanwhile + Unpin,
{
    let (mut parts, mut body) = response.into_parts();
    if !parts.headers.contains_key(DATE)
        && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(SystemTime::now()))
    {
        parts.headers.insert(DATE, date);
    }
    if let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
        parts.headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    let ends = body.is_end_stream();
    let mut stream = respond.send_response(Response::from_parts(parts, ()), ends)?;
    if ends {
        return Ok(());
    }
    loop {
        let frame = poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
            Poll::Ready(frame) => Poll::Ready(Some(frame)),
            Poll::Pending => stream.poll_reset(cx).map(|_| None),
        });
        match frame.await {
            Some(Some(Ok(frame))) => {
                let ends = body.is_end_stream();
                if frame.data_ref().is_some_and(|data| !data.is_empty()) {
                    match tokio::time::timeout(patience, room(&mut stream, &mut body)).await {
                        Ok(true) => {}
                        Ok(false) => return Ok(()),
                        Err(_) => {
                            stream.send_reset(Reason::CANCEL);
                            return Ok(());
                        }
                    }
                }
                if put(&mut stream, frame, ends)? {
                    return Ok(());
                }
            }
            Some(Some(Err(_))) => {
                stream.send_reset(Reason::INTERNAL_ERROR);
                return Ok(());
            }
            Some(None) => return stream.send_data(Bytes::new(), true),
            // The client wants no more of it.
            None => return Ok(()),
        }
    }
}

/// Waits until the client has room for some data; whether it is still there.
async fn room(stream: &mut SendStream<Bytes>, body: &mut impl Meanwhile) -> bool {
    stream.reserve_capacity(1);
    poll_fn(|cx| {
        body.poll_meanwhile(cx);
        while stream.capacity() == 0 {
            match stream.poll_capacity(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(false),
                Poll::Pending => return stream.poll_reset(cx).map(|_| false),
            }
        }
        Poll::Ready(true)
    })
    .await
}

/// Gives a part of the body to be sent; whether it was the last.
fn put(stream: &mut SendStream<Bytes>, frame: Frame<Bytes>, ends: bool) -> Result<bool, h2::Error> {
    match frame.into_data() {
        Ok(data) => stream.send_data(data, ends).map(|()| ends),
        Err(frame) => {
            let trailers = frame.into_trailers().unwrap_or_else(|_| HeaderMap::new());
            stream.send_trailers(trailers).map(|()| true)
        }
    }
}
