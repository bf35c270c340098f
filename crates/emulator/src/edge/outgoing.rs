//! Responses of HTTP/2 on their way to the client, interim ones included.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http_body::{Body, Frame};
use hyper::header::{CONTENT_LENGTH, DATE, HeaderValue};
use hyper::{HeaderMap, Response};

use crate::gateway::incoming::Interim;

/// The interim responses of a connection's requests, by their streams.
#[derive(Debug, Clone, Default)]
pub(super) struct Interims(Arc<Mutex<HashMap<u32, Interim>>>);

impl Interims {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Interim>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a stream, until the returned value is dropped.
    pub(super) fn of(&self, stream: u32) -> OfStream {
        let interim = Interim::default();
        self.lock().insert(stream, interim.clone());
        OfStream { interim, stream, all: self.clone() }
    }

    /// Takes note that the connection has written a head of this stream.
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

/// Awaits the final response, and sends interim ones as they come; none when the client gave the
/// request up.
pub(super) async fn answered<T>(
    respond: &mut SendResponse<Bytes>,
    interim: &Interim,
    answer: impl Future<Output = T>,
) -> Option<T> {
    let mut answer = pin!(answer);
    poll_fn(|cx| {
        // First of all: a request that was given up at once must not reach the app.
        if respond.poll_reset(cx).is_ready() {
            return Poll::Ready(None);
        }
        let answer = answer.as_mut().poll(cx);
        for head in interim.take() {
            // It is only a hint; a client that has gone shows with the final response.
            if respond.send_informational(head).is_err() {
                interim.written();
            }
        }
        answer.map(Some)
    })
    .await
}

/// A body that makes progress also while the client takes no more of it.
pub(super) trait Meanwhile {
    fn poll_meanwhile(&mut self, cx: &mut Context<'_>);
}

/// Sends a response. One piece of it waits until the client takes it. If that takes too long, the
/// stream is reset; others of the connection go on.
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
            // The client reset the stream.
            None => return Ok(()),
        }
    }
}

/// Waits until the client takes more data. Returns whether it is still there.
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

/// Sends a part of the body. Returns whether it was the last.
fn put(stream: &mut SendStream<Bytes>, frame: Frame<Bytes>, ends: bool) -> Result<bool, h2::Error> {
    match frame.into_data() {
        Ok(data) => stream.send_data(data, ends).map(|()| ends),
        Err(frame) => {
            let trailers = frame.into_trailers().unwrap_or_else(|_| HeaderMap::new());
            stream.send_trailers(trailers).map(|()| true)
        }
    }
}
