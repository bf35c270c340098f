//! The half of an exchange for a client of HTTP/2, whose framing is the h2 crate's: the request's
//! body comes in frames, and the response's body is one that is polled.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use ovhai_wire::body::{Decoder, Piece, chunk_head};
use ovhai_wire::buffer::Fill;
use ovhai_wire::deadline::Deadline;
use ovhai_wire::fields::passing_trailers;
use ovhai_wire::framing::Framing;
use ovhai_wire::pump::{BODY_BUFFER, WaitsFor};
use ovhai_wire::request::RequestHead;
use ovhai_wire::response::ResponseHead;
use ovhai_wire::stream::Peer;
use ovhai_wire::write::{append, field};
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{ClientHalf, ExchangeParams, SLOW_BODY, Upload, UploadError, ask};
use crate::gateway::access::CallerAccess;
use crate::gateway::compose::{self, Added};
use crate::gateway::incoming::{Incoming, Interim};
use crate::gateway::refusal::Refusal;
use crate::gateway::relay::Relay;
use crate::gateway::reserved::RESERVED;
use crate::gateway::route::Route;
use crate::gateway::upstream::Upstream;
use crate::telemetry::Note;

/// A request of HTTP/2, ready to be sent to the app.
pub(crate) struct Http2Request {
    route: Route,
    head: Vec<u8>,
    params: ExchangeParams,
    request_id: Vec<u8>,
}

impl Http2Request {
    pub(in crate::gateway) fn new(
        route: Route,
        head: &RequestHead<'_>,
        client: Peer,
        request_id: &[u8],
    ) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        compose::request(&mut bytes, head, &route, client, request_id);
        let params = ExchangeParams::of(head);
        Self { route, head: bytes, params, request_id: request_id.to_owned() }
    }
}

/// The client's half of an exchange, until the head of the response.
struct Half<'a> {
    sender: Sender,
    interim: &'a Interim,
    deadline: Deadline,
    response: Response<()>,
    request_id: &'a [u8],
}

/// Sends a request to the app. The rest of the request goes on with the response's body.
pub(in crate::gateway) async fn pass(
    order: Http2Request,
    body: Incoming,
    interim: &Interim,
    access: &mut CallerAccess,
    relay: &Arc<Relay>,
    note: &mut Note,
) -> Result<Response<Box<AppBody>>, Refusal> {
    let Http2Request { mut route, head, params, request_id } = order;
    let limits = &relay.limits;
    let mut half = Half {
        sender: Sender::new(head, params.framing, body),
        interim,
        deadline: Deadline::new(limits.answer_timeout, limits.body_timeout),
        response: Response::new(()),
        request_id: &request_id,
    };
    let asked = ask(&mut half, &mut route, access, &params, relay).await;
    note.asked(route.ordinal());
    let (came, upstream) = asked.map_err(|no_head| no_head.into_refusal(relay, &route))?;
    let Half { sender, deadline, response, .. } = half;
    let mut body = AppBody {
        upstream: Some(upstream),
        decoder: Decoder::new(came.framing).lenient(),
        sender,
        may_be_reused: came.may_be_reused(&params),
        left: known_length(came.framing),
        deadline,
        waited: None,
        sent: 0,
        relay: Arc::clone(relay),
        _under_way: route.under_way,
    };
    if body.decoder.is_done() {
        body.finish();
    }
    Ok(response.map(|()| Box::new(body)))
}

fn known_length(framing: Framing) -> Option<u64> {
    match framing {
        Framing::None => Some(0),
        Framing::Length(length) => Some(length),
        Framing::Chunked | Framing::UntilClose => None,
    }
}

impl ClientHalf for Half<'_> {
    fn poll_upload(
        &mut self,
        cx: &mut Context<'_>,
        app: &mut TcpStream,
    ) -> Result<(), UploadError> {
        self.sender.poll(cx, app)
    }

    fn upload(&self) -> Upload {
        let Sender { body, waits, passed, broken, .. } = &self.sender;
        Upload {
            is_read: body.is_none(),
            is_sent: self.sender.is_done() || *broken,
            waits_for: if *waits { WaitsFor::Sender } else { WaitsFor::Receiver },
            moved: *passed,
        }
    }

    fn begin_again(&mut self) {
        (self.sender.sent, self.sender.broken) = (0, false);
    }

    fn takes_interim(&self) -> bool {
        true
    }

    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        self.interim.poll_room(cx).map(Ok)
    }

    fn interim_moved(&self) -> u64 {
        0
    }

    fn put_interim(&mut self, head: &ResponseHead<'_>) {
        if let Ok(status) = StatusCode::from_u16(head.status) {
            let mut response = Response::new(());
            *response.status_mut() = status;
            *response.headers_mut() = compose::passed_headers(head);
            self.interim.push(response);
        }
    }

    fn put_continue(&mut self) {
        self.interim.go_on();
    }

    fn put_head(&mut self, head: &ResponseHead<'_>, set_cookie: Option<&HeaderValue>, _: bool) {
        // The parser has checked that it is one of 100 to 999.
        *self.response.status_mut() =
            StatusCode::from_u16(head.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let added = Added { request_id: self.request_id, set_cookie };
        *self.response.headers_mut() = compose::answer_headers(head, added);
        if head.framing.is_open_ended() {
            self.response.headers_mut().remove(CONTENT_LENGTH);
        }
    }

    /// When a client gives its request up, this is not polled any more.
    fn has_left(&mut self, _: &mut Context<'_>) -> bool {
        false
    }

    fn deadline(&mut self) -> &mut Deadline {
        &mut self.deadline
    }
}

/// Sends the request's head and body.
struct Sender {
    out: Vec<u8>,
    sent: usize,
    body: Option<Incoming>,
    chunked: bool,
    broken: bool,
    /// Whether the client is waited for.
    waits: bool,
    /// Bytes of head and body that were sent to the app.
    passed: u64,
    /// Bytes of the body that were received.
    received: u64,
}

impl Sender {
    fn new(head: Vec<u8>, framing: Framing, body: Incoming) -> Self {
        let body = (!matches!(framing, Framing::None | Framing::Length(0))).then_some(body);
        let chunked = framing == Framing::Chunked;
        Self {
            out: head,
            sent: 0,
            body,
            chunked,
            broken: false,
            waits: false,
            passed: 0,
            received: 0,
        }
    }

    fn is_done(&self) -> bool {
        self.body.is_none() && self.sent == self.out.len()
    }

    /// Sends what there is; an error when the client broke its body off.
    fn poll(&mut self, cx: &mut Context<'_>, app: &mut TcpStream) -> Result<(), UploadError> {
        self.waits = false;
        loop {
            while self.sent < self.out.len() && !self.broken {
                match Pin::new(&mut *app).poll_write(cx, &self.out[self.sent..]) {
                    Poll::Ready(Ok(count)) if count > 0 => {
                        self.sent += count;
                        self.passed += count as u64;
                    }
                    // The app may have answered before it stopped reading.
                    Poll::Ready(_) => self.broken = true,
                    Poll::Pending => return Ok(()),
                }
            }
            let Some(body) = self.body.as_mut().filter(|_| !self.broken) else { return Ok(()) };
            let frame = match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Ready(Some(Err(_))) => return Err(UploadError::ClientGone),
                Poll::Ready(None) => {
                    self.end(None);
                    continue;
                }
                Poll::Pending => {
                    self.waits = true;
                    return Ok(());
                }
            };
            self.out.clear();
            self.sent = 0;
            self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) if self.chunked => {
                    chunk_head(&mut self.out, data.len());
                    self.out.extend_from_slice(&data);
                    self.out.extend_from_slice(b"\r\n");
                }
                Ok(data) => self.out.extend_from_slice(&data),
                Err(frame) => {
                    let trailers = frame.into_trailers().ok();
                    self.end(trailers.as_ref());
                }
            }
        }
    }

    fn end(&mut self, trailers: Option<&HeaderMap>) {
        self.body = None;
        self.out.clear();
        self.sent = 0;
        if self.chunked {
            self.out.extend_from_slice(b"0\r\n");
            for (name, value) in trailers.into_iter().flatten() {
                field(&mut self.out, name.as_str(), value.as_bytes());
            }
            self.out.extend_from_slice(b"\r\n");
        }
    }
}

pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an app's response. Polling it drives the request's body, too, and its end gives the
/// connection back. Dropping it early closes the connection, which tells the app.
pub(crate) struct AppBody {
    upstream: Option<Upstream>,
    decoder: Decoder,
    sender: Sender,
    /// Whether the app leaves the connection open, with nothing on it, after the answer.
    may_be_reused: bool,
    /// Bytes left of a body of known length.
    left: Option<u64>,
    /// Reached when the client has paused too long in its body.
    deadline: Deadline,
    /// What had moved when the deadline was set; none while the client is not waited for.
    waited: Option<u64>,
    /// Bytes of the response's body so far.
    sent: u64,
    relay: Arc<Relay>,
    _under_way: TaskTrackerToken,
}

impl AppBody {
    /// Bytes of the request's body so far.
    pub(crate) fn received(&self) -> u64 {
        self.sender.received
    }

    /// Goes on with the request while the response is not polled: an app may read all of it before
    /// it writes the rest.
    pub(crate) fn poll_upload(&mut self, cx: &mut Context<'_>) {
        if let Some(upstream) = &mut self.upstream {
            // If the client has broken it off, the response's body fails.
            let _ = self.sender.poll(cx, &mut upstream.stream);
        }
    }

    /// Ready when the client has paused too long: its body is not complete, and neither it nor the
    /// response moves.
    fn poll_patience(&mut self, cx: &mut Context<'_>, moved: u64) -> Poll<()> {
        if !self.sender.waits {
            self.waited = None;
            return Poll::Pending;
        }
        if self.waited.replace(moved) != Some(moved) {
            self.deadline.set(self.relay.limits.body_timeout);
        }
        self.deadline.poll(cx)
    }

    fn finish(&mut self) {
        let is_clean = self.sender.is_done() && !self.sender.broken && self.may_be_reused;
        if let Some(upstream) = self.upstream.take().filter(|_| is_clean) {
            self.relay.pool.put_back(upstream);
        }
    }
}

impl Body for AppBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let Some(upstream) = &mut this.upstream else { return Poll::Ready(None) };
        if this.sender.poll(cx, &mut upstream.stream).is_err() {
            return Poll::Ready(Some(Err("the client broke its request off".into())));
        }
        loop {
            match this.decoder.next(upstream.buffer.filled()) {
                Ok(Piece::Skip(count)) => upstream.buffer.consume(count),
                Ok(Piece::Data { skip, len }) => {
                    upstream.buffer.consume(skip);
                    let data = Bytes::copy_from_slice(&upstream.buffer.filled()[..len]);
                    upstream.buffer.consume(len);
                    this.sent += len as u64;
                    this.left = this.left.map(|left| left.saturating_sub(len as u64));
                    if this.left == Some(0) {
                        this.finish();
                    }
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Ok(Piece::End { skip, trailers }) => {
                    let mut fields = HeaderMap::new();
                    if trailers > 2 {
                        let section = &upstream.buffer.filled()[skip - trailers..skip];
                        let each = |name: &str, value: &[u8]| {
                            append(&mut fields, name, value);
                        };
                        if let Err(malformed) = passing_trailers(section, &RESERVED, each) {
                            return Poll::Ready(Some(Err(malformed.why.into())));
                        }
                    }
                    upstream.buffer.consume(skip);
                    this.finish();
                    let trailers = (!fields.is_empty()).then(|| Ok(Frame::trailers(fields)));
                    return Poll::Ready(trailers);
                }
                Ok(Piece::More) => {
                    let read = upstream.buffer.poll_fill(cx, &mut upstream.stream, BODY_BUFFER);
                    let Poll::Ready(read) = read else {
                        let moved = this.sender.passed + this.sent;
                        ready!(this.poll_patience(cx, moved));
                        return Poll::Ready(Some(Err(SLOW_BODY.into())));
                    };
                    match read {
                        Ok(Fill::Read(_)) => {}
                        Ok(Fill::End) if this.decoder.end_of_stream() => {}
                        // Full: framing that never ends.
                        Ok(Fill::End | Fill::Full) => {
                            let why = "the app broke its response off";
                            return Poll::Ready(Some(Err(why.into())));
                        }
                        Err(error) => return Poll::Ready(Some(Err(error.into()))),
                    }
                }
                Err(malformed) => return Poll::Ready(Some(Err(malformed.why.into()))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.upstream.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use ovhai_api_types::AppId;
    use ovhai_core::replica::{ReplicaId, ReplicaKey};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::gateway::upstream::ReplicaAddress;

    /// The app had closed it already when the head was sent.
    #[tokio::test]
    async fn an_unsent_request_is_sent_on_the_next_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let replica = ReplicaId { ordinal: 1, attempt: 1 };
        let replica = ReplicaKey { app: AppId(uuid::Uuid::nil()), replica };
        let peer = ReplicaAddress { replica, address: listener.local_addr().unwrap() };
        let mut sender = Sender {
            out: b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            sent: 0,
            body: None,
            chunked: false,
            broken: false,
            waits: false,
            passed: 0,
            received: 0,
        };
        let mut stale = Upstream::open(peer).await.unwrap();
        drop(listener.accept().await.unwrap());
        assert_eq!(stale.stream.read(&mut [0]).await.unwrap(), 0);
        // The reset that follows makes the next write fail.
        stale.stream.write_all(b"x").await.unwrap();
        stale.stream.ready(tokio::io::Interest::ERROR).await.unwrap();
        assert!(poll_fn(|cx| Poll::Ready(sender.poll(cx, &mut stale.stream))).await.is_ok());
        assert!(sender.broken && sender.sent == 0);

        (sender.sent, sender.broken) = (0, false);
        let mut fresh = Upstream::open(peer).await.unwrap();
        assert!(poll_fn(|cx| Poll::Ready(sender.poll(cx, &mut fresh.stream))).await.is_ok());
        assert!(!sender.broken && sender.is_done());
        let (mut app, _) = listener.accept().await.unwrap();
        let mut got = [0; 18];
        app.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"GET / HTTP/1.1\r\n\r\n");
    }
}
