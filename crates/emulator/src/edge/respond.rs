//! The emulator's own responses, to clients of HTTP/1.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{SystemTime, UNIX_EPOCH};

use http_body::Body;
use hyper::header::{CONTENT_LENGTH, DATE, HeaderValue, TRANSFER_ENCODING};
use hyper::{Response, StatusCode};

use crate::domain_time;
use crate::gateway::body::ServerBody;
use crate::gateway::refusal::Refusal;
use ovhai_wire::ascii::number;
use ovhai_wire::body::chunk_head;
use ovhai_wire::buffer::{Buffer, Fill};
use ovhai_wire::deadline::Deadline;
use ovhai_wire::pump::{BODY_BUFFER, Pump};
use ovhai_wire::stream::Stream;
use ovhai_wire::write::{After, field, reason};

/// How a response is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResponseMode {
    pub(super) after: After,
    /// Whether the client knows chunks.
    pub(super) is_http11: bool,
    /// Whether it asked for the head only.
    pub(super) head_only: bool,
}

/// How writing a response ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// Whether the client has got all of it.
    pub(super) whole: bool,
    /// Bytes of the body.
    pub(super) bytes: u64,
    /// How the connection goes on, as the client was told.
    pub(super) after: After,
}

/// Writes a response.
pub(super) async fn respond<S: Stream>(
    stream: &mut S,
    input: &mut Buffer,
    clock: &mut Deadline,
    out: &mut Vec<u8>,
    response: Response<ServerBody>,
    mode: ResponseMode,
    request_id: &[u8],
) -> Sent {
    let (parts, body) = response.into_parts();
    let length = body.size_hint().exact();
    let bodiless = mode.head_only
        || parts.status.is_informational()
        || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let chunked = length.is_none() && mode.is_http11 && !bodiless;
    let after = if length.is_none() && !chunked && !bodiless { After::Close } else { mode.after };
    out.clear();
    status_line(out, parts.status);
    for (name, value) in &parts.headers {
        if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
            field(out, name.as_str(), value.as_bytes());
        }
    }
    if !parts.headers.contains_key(DATE) {
        date(out);
    }
    field(out, "x-request-id", request_id);
    // The service may have left out the body of a HEAD already.
    let said = parts.headers.get(CONTENT_LENGTH).filter(|_| mode.head_only);
    match length {
        // A 1xx has no length: what follows is no body.
        _ if parts.status.is_informational() => {}
        Some(_) if let Some(said) = said => field(out, "content-length", said.as_bytes()),
        // The body that a HEAD left out may have been of unknown length.
        Some(0) if mode.head_only => {}
        Some(length) if parts.status != StatusCode::NO_CONTENT => {
            out.extend_from_slice(b"content-length: ");
            number(out, length);
            out.extend_from_slice(b"\r\n");
        }
        None if chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        _ => {}
    }
    after.write(out);
    out.extend_from_slice(b"\r\n");

    let pause = clock.pause();
    let mut body = pin!(body);
    let mut ended = bodiless;
    let (mut written, mut bytes) = (0, 0);
    clock.set(pause);
    let whole = poll_fn(|cx| {
        loop {
            // All that is there is written at once.
            while !ended && out.len() < BODY_BUFFER {
                match body.as_mut().poll_frame(cx) {
                    Poll::Ready(Some(Ok(frame))) => {
                        let Some(data) = frame.data_ref().filter(|data| !data.is_empty()) else {
                            continue;
                        };
                        if chunked {
                            chunk_head(out, data.len());
                        }
                        out.extend_from_slice(data);
                        bytes += data.len() as u64;
                        if chunked {
                            out.extend_from_slice(b"\r\n");
                        }
                    }
                    Poll::Ready(Some(Err(_))) => return Poll::Ready(false),
                    Poll::Ready(None) => {
                        ended = true;
                        if chunked {
                            out.extend_from_slice(b"0\r\n\r\n");
                        }
                    }
                    Poll::Pending => break,
                }
            }
            if written < out.len() {
                match Pin::new(&mut *stream).poll_write(cx, &out[written..]) {
                    Poll::Ready(Ok(count)) if count > 0 => {
                        written += count;
                        clock.set(pause);
                        if written == out.len() {
                            (*out).clear();
                            written = 0;
                        }
                        continue;
                    }
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending => {
                        return if clock.poll(cx).is_ready() {
                            Poll::Ready(false)
                        } else {
                            Poll::Pending
                        };
                    }
                }
            }
            match Pin::new(&mut *stream).poll_flush(cx) {
                Poll::Ready(Ok(())) if ended => return Poll::Ready(true),
                Poll::Ready(Ok(())) | Poll::Pending => {}
                Poll::Ready(Err(_)) => return Poll::Ready(false),
            }
            if ended {
                // A client over TLS that takes nothing must not hold the connection for ever.
                return clock.poll(cx).map(|()| false);
            }
            // Nothing to send: the client may have gone.
            match input.poll_fill(cx, stream, BODY_BUFFER) {
                Poll::Ready(Ok(Fill::Read(_))) => {}
                // The buffer is full of the client's next requests, so that its closing would not
                // be seen.
                Poll::Ready(Ok(Fill::Full)) => return clock.poll(cx).map(|()| false),
                Poll::Ready(Ok(Fill::End) | Err(_)) => return Poll::Ready(false),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
    Sent { whole, bytes, after }
}

/// What a refusal tells beside its reason.
#[derive(Debug, Clone, Copy)]
pub(super) struct RefusalFacts<'a> {
    pub(super) request_id: &'a [u8],
    /// The field that tells domain time, while it differs from real time.
    pub(super) domain_time: Option<&'a HeaderValue>,
}

/// Writes a refusal, without building a response: there may be many. `room` is a buffer to use
/// again.
pub(super) async fn refuse<S: Stream>(
    stream: &mut S,
    clock: &mut Deadline,
    out: &mut Vec<u8>,
    room: &mut Vec<u8>,
    refusal: &Refusal,
    mode: ResponseMode,
    facts: RefusalFacts<'_>,
) -> Sent {
    out.clear();
    room.clear();
    refusal.body(room);
    status_line(out, refusal.status());
    refusal.fields(|name, value| field(out, name.as_str(), value.as_bytes()));
    date(out);
    field(out, "x-request-id", facts.request_id);
    if let Some(value) = facts.domain_time {
        field(out, domain_time::NAME.as_str(), value.as_bytes());
    }
    out.extend_from_slice(b"content-length: ");
    number(out, room.len() as u64);
    out.extend_from_slice(b"\r\n");
    mode.after.write(out);
    out.extend_from_slice(b"\r\n");
    let mut bytes = 0;
    if !mode.head_only {
        out.extend_from_slice(room);
        bytes = room.len() as u64;
    }
    let mut pump = Pump::resumed(std::mem::take(out), 0);
    let mut nothing = Buffer::default();
    let mut waits = false;
    let whole = poll_fn(|cx| match pump.poll(cx, &mut tokio::io::empty(), &mut nothing, stream) {
        Poll::Ready(written) => Poll::Ready(written.is_ok()),
        Poll::Pending => {
            if !std::mem::replace(&mut waits, true) {
                clock.set(clock.pause());
            }
            clock.poll(cx).map(|()| false)
        }
    })
    .await;
    *out = pump.into_room();
    Sent { whole, bytes, after: mode.after }
}

fn status_line(out: &mut Vec<u8>, status: StatusCode) {
    out.extend_from_slice(b"HTTP/1.1 ");
    number(out, status.as_u16().into());
    out.push(b' ');
    out.extend_from_slice(reason(status).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes the `Date` field, formatted once a second.
fn date(out: &mut Vec<u8>) {
    thread_local! {
        static NOW: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
    }
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    NOW.with_borrow_mut(|(made, text)| {
        if *made != second || text.is_empty() {
            (*made, *text) = (second, httpdate::fmt_http_date(now));
        }
        field(out, "date", text.as_bytes());
    });
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::task::Context;
    use std::time::Duration;

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::*;

    /// Takes everything, and reports it as flushed if `reads`.
    struct Client {
        reads: bool,
    }

    impl AsyncRead for Client {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Client {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.reads { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl Stream for Client {
        fn abort(&self) {}

        fn is_closed(&self) -> bool {
            false
        }
    }

    async fn sent(reads: bool, body: ServerBody) -> Sent {
        let second = Duration::from_secs(1);
        let (mut input, mut clock) = (Buffer::default(), Deadline::new(second, second));
        let mode = ResponseMode { after: After::SayKeepAlive, is_http11: false, head_only: false };
        let (mut client, mut out) = (Client { reads }, Vec::new());
        let response = Response::new(body);
        respond(&mut client, &mut input, &mut clock, &mut out, response, mode, b"id").await
    }

    #[tokio::test(start_paused = true)]
    async fn slow_clients_time_out() {
        assert!(sent(true, ServerBody::text("hi")).await.whole);
        assert!(!sent(false, ServerBody::text("hi")).await.whole);
    }

    #[tokio::test]
    async fn bodies_without_framing_end_with_the_connection() {
        let known = sent(true, ServerBody::text("hi")).await;
        assert_eq!((known.whole, known.after), (true, After::SayKeepAlive));
        let pieces = futures_util::stream::iter([Ok::<_, io::Error>("h"), Ok("i")]);
        let body = ServerBody::Api(axum::body::Body::from_stream(pieces));
        let unknown = sent(true, body).await;
        assert_eq!((unknown.whole, unknown.bytes, unknown.after), (true, 2, After::Close));
    }
}
