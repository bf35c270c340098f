//! A request of a client of HTTP/2 to an app, which speaks HTTP/1.1, and the answer.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::header::CONTENT_LENGTH;
use hyper::{HeaderMap, Response, StatusCode};
use ovhai_wire::body::{Decoder, Piece, chunk_head};
use ovhai_wire::buffer::Fill;
use ovhai_wire::fields::passing_trailers;
use ovhai_wire::framing::{AskedWith, Framing};
use ovhai_wire::pump::BODY_BUFFER;
use ovhai_wire::request::{RequestHead, no_fields};
use ovhai_wire::response::ResponseHead;
use ovhai_wire::stream::Peer;
use ovhai_wire::write::{append, field};
use tokio::time::{Instant, Sleep};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::compose;
use super::compose::is_withheld;
use super::exchange::{GO_ON, INTERIM_TURN, connect};
use super::incoming::{Incoming, Interim};
use super::refusal::Refusal;
use super::relay::Relay;
use super::reserved::RESERVED;
use super::route::Route;
use super::upstream::{Upstream, UpstreamError};
use crate::limits::Limits;
use crate::seen::RefusalKind;

/// What is to be done.
pub(crate) struct Order {
    route: Route,
    head: Vec<u8>,
    framing: Framing,
    asked_with: AskedWith,
    repeatable: bool,
    request_id: Vec<u8>,
    /// Whether the client waits to be told to go on.
    expects_continue: bool,
}

impl Order {
    pub(super) fn new(
        route: Route,
        head: &RequestHead<'_>,
        client: Peer,
        request_id: &[u8],
    ) -> Self {
        let mut bytes = Vec::with_capacity(1024);
        compose::request(&mut bytes, head, &route, client, request_id);
        Self {
            head: bytes,
            framing: head.framing,
            asked_with: head.asked_with(),
            repeatable: head.is_repeatable(),
            request_id: request_id.to_owned(),
            expects_continue: head.expects_continue,
            route,
        }
    }
}

/// Sends a request to the app; the answer's body goes on with it.
pub(super) async fn pass(
    order: Order,
    body: Incoming,
    interim: &Interim,
    relay: &Arc<Relay>,
) -> Result<Response<Box<AppBody>>, Refusal> {
    let mut route = order.route;
    let mut sender = Sender::new(order.head, order.framing, body);
    let mut fresh = false;
    let go_on = order.expects_continue.then(|| Box::pin(tokio::time::sleep(GO_ON)));
    let mut hints = Hints { to: interim, count: 0, stuck: false, go_on };
    let answered = loop {
        let mut upstream = connect(relay, &mut route, order.repeatable, fresh).await?;
        let answer =
            head_in_time(&mut sender, &mut upstream, order.asked_with, &mut hints, &relay.limits);
        let answer = answer.await;
        match answer {
            Ok(came) => break (came, upstream),
            Err(NoHead::Silent) if upstream.reused && order.repeatable => {
                sender.begin_again();
                fresh = true;
            }
            Err(NoHead::Silent) => return Err(UpstreamError::Gone.failed(relay, &route)),
            Err(NoHead::App(error)) => return Err(error.failed(relay, &route)),
            Err(NoHead::TooSlow) => return Err(UpstreamError::TooSlow.failed(relay, &route)),
            Err(NoHead::SlowBody) => {
                let why = "the body did not come in time";
                return Err(Refusal::new(RefusalKind::Slow, why));
            }
            Err(NoHead::Client) => {
                let why = "the request's body was broken off";
                return Err(Refusal::new(RefusalKind::Malformed, why));
            }
            Err(NoHead::Stuck) => {
                let why = "the client did not take the app's interim answers in time";
                return Err(Refusal::new(RefusalKind::Slow, why));
            }
        }
    };
    let ((status, framing, keep_alive, length), upstream) = answered;
    let mut response = Response::new(());
    {
        let (mut few, mut many) = (no_fields(), Vec::new());
        let (bytes, most) = (upstream.buffer.filled(), relay.limits.answer_fields_max);
        let parsed =
            ResponseHead::parse(bytes, &mut few, &mut many, most, order.asked_with, is_withheld);
        if let Ok(Some((answer, _))) = parsed {
            let set_cookie = route.set_cookie.as_ref();
            let added = compose::Added { request_id: &order.request_id, set_cookie };
            *response.headers_mut() = compose::answer_headers(&answer, added);
        }
    }
    *response.status_mut() = StatusCode::from_u16(status)
        .map_err(|_| UpstreamError::InvalidResponse("its status is not one"))?;
    let mut upstream = upstream;
    upstream.buffer.consume(length);
    let known = match framing {
        Framing::None => Some(0),
        Framing::Length(length) => Some(length),
        Framing::Chunked | Framing::UntilClose => None,
    };
    if known.is_none() {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    let mut body = AppBody {
        upstream: Some(upstream),
        decoder: Decoder::new(framing).lenient(),
        sender,
        // As with clients of HTTP/1.
        reusable: keep_alive && order.asked_with != AskedWith::Head,
        left: known,
        patience: None,
        sent: 0,
        relay: Arc::clone(relay),
        _under_way: route.under_way,
    };
    if body.decoder.is_done() {
        body.finish();
    }
    Ok(response.map(|()| Box::new(body)))
}

/// Interim answers of an app.
struct Hints<'a> {
    to: &'a Interim,
    count: u64,
    /// Whether the client does not take them.
    stuck: bool,
    /// Rings when the client has waited long enough to be told to go on; none if it does not wait.
    go_on: Option<Pin<Box<Sleep>>>,
}

impl Hints<'_> {
    /// Tells the client to go on if the app says nothing.
    fn poll_go_on(&mut self, cx: &mut Context<'_>) {
        if self.go_on.as_mut().is_some_and(|go_on| go_on.as_mut().poll(cx).is_ready()) {
            self.go_on = None;
            self.to.go_on();
        }
    }

    fn pass(&mut self, answer: &ResponseHead<'_>) {
        self.count += 1;
        // Told once is enough.
        let expected = answer.status != 100 || self.go_on.take().is_some();
        if expected && let Ok(status) = StatusCode::from_u16(answer.status) {
            let mut head = Response::new(());
            *head.status_mut() = status;
            *head.headers_mut() = compose::passed_headers(answer);
            self.to.push(head);
        }
    }
}

/// Status, framing, whether the connection can be used again, and the head's length.
type Came = (u16, Framing, bool, usize);

enum NoHead {
    App(UpstreamError),
    /// The app closed the connection without a byte of an answer.
    Silent,
    Client,
    /// The client takes no interim answers.
    Stuck,
    SlowBody,
    TooSlow,
}

/// The head of an answer. The client has its time for the body anew whenever some of it comes, and
/// the app has its time when it has got all there is; every interim answer begins it anew.
async fn head_in_time(
    sender: &mut Sender,
    upstream: &mut Upstream,
    asked_with: AskedWith,
    hints: &mut Hints<'_>,
    limits: &Limits,
) -> Result<Came, NoHead> {
    let mut time = pin!(tokio::time::sleep(limits.answer_timeout));
    let mut before = (false, false, 0, 0);
    poll_fn(|cx| {
        if let Poll::Ready(answer) = poll_head(cx, sender, upstream, asked_with, hints, limits) {
            return Poll::Ready(answer);
        }
        let by_client = sender.waits || hints.stuck;
        let now = (sender.waits, hints.stuck, sender.passed, hints.count);
        if now != before {
            before = now;
            let allowed = if by_client { limits.body_timeout } else { limits.answer_timeout };
            time.as_mut().reset(Instant::now() + allowed);
        }
        let slow = match (hints.stuck, sender.waits) {
            (true, _) => NoHead::Stuck,
            (false, true) => NoHead::SlowBody,
            (false, false) => NoHead::TooSlow,
        };
        time.as_mut().poll(cx).map(|()| Err(slow))
    })
    .await
}

fn poll_head(
    cx: &mut Context<'_>,
    sender: &mut Sender,
    upstream: &mut Upstream,
    asked_with: AskedWith,
    hints: &mut Hints<'_>,
    limits: &Limits,
) -> Poll<Result<Came, NoHead>> {
    if sender.poll(cx, upstream).is_err() {
        return Poll::Ready(Err(NoHead::Client));
    }
    if !sender.is_done() {
        hints.poll_go_on(cx);
    }
    let turn = hints.count + u64::from(INTERIM_TURN);
    let mut has_new = hints.count > 0;
    loop {
        // What the client does not take is not read from the app.
        hints.stuck = hints.to.poll_room(cx).is_pending();
        if hints.stuck {
            return Poll::Pending;
        }
        if hints.count >= turn {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if std::mem::take(&mut has_new) && !upstream.buffer.is_empty() {
            let (mut few, mut many) = (no_fields(), Vec::new());
            let (bytes, most) = (upstream.buffer.filled(), limits.answer_fields_max);
            let parsed =
                ResponseHead::parse(bytes, &mut few, &mut many, most, asked_with, is_withheld)
                    .map_err(|rubbish| NoHead::App(UpstreamError::of_answer(rubbish, limits)))?;
            if let Some((answer, length)) = parsed {
                if answer.status == 101 {
                    return Poll::Ready(Err(NoHead::App(UpstreamError::Unasked)));
                }
                if answer.status >= 200 {
                    let came = (answer.status, answer.framing, answer.keep_alive, length);
                    return Poll::Ready(Ok(came));
                }
                hints.pass(&answer);
                upstream.buffer.consume(length);
                has_new = true;
                continue;
            }
        }
        let silent = upstream.buffer.is_empty() && hints.count == 0;
        let head_max = limits.answer_head_max;
        match ready!(upstream.buffer.poll_fill(cx, &mut upstream.stream, head_max)) {
            Ok(Fill::Read(_)) => has_new = true,
            Ok(Fill::End) | Err(_) if silent => return Poll::Ready(Err(NoHead::Silent)),
            Ok(Fill::End) => {
                let error = UpstreamError::InvalidResponse("its head has no end");
                return Poll::Ready(Err(NoHead::App(error)));
            }
            Ok(Fill::Full) => {
                return Poll::Ready(Err(NoHead::App(UpstreamError::TooLarge(head_max))));
            }
            Err(_) => return Poll::Ready(Err(NoHead::App(UpstreamError::Gone))),
        }
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
    /// Bytes of head and body that went to the app.
    passed: u64,
    /// Bytes of the body that came.
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

    /// For another connection, of a request without a body: all of it is still there.
    fn begin_again(&mut self) {
        (self.sent, self.broken) = (0, false);
    }

    fn is_done(&self) -> bool {
        self.body.is_none() && self.sent == self.out.len()
    }

    /// Sends what there is; an error when the client broke its body off.
    fn poll(&mut self, cx: &mut Context<'_>, upstream: &mut Upstream) -> Result<(), ()> {
        use tokio::io::AsyncWrite;
        self.waits = false;
        loop {
            while self.sent < self.out.len() && !self.broken {
                let stream = Pin::new(&mut upstream.stream);
                match stream.poll_write(cx, &self.out[self.sent..]) {
                    Poll::Ready(Ok(count)) if count > 0 => {
                        self.sent += count;
                        self.passed += count as u64;
                    }
                    // It may have answered before it stopped to read.
                    Poll::Ready(_) => self.broken = true,
                    Poll::Pending => return Ok(()),
                }
            }
            let Some(body) = self.body.as_mut().filter(|_| !self.broken) else { return Ok(()) };
            let frame = match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Ready(Some(Err(_))) => return Err(()),
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

/// The body of an app's answer; reading it drives the request's body too, and its end gives the
/// connection back. Dropping it early closes the connection, which tells the app.
pub(crate) struct AppBody {
    upstream: Option<Upstream>,
    decoder: Decoder,
    sender: Sender,
    reusable: bool,
    /// What is left of a body of known length.
    left: Option<u64>,
    /// Rings when the client has sent nothing of its body for too long, and what had moved before.
    patience: Option<(Pin<Box<Sleep>>, u64)>,
    /// Bytes of the answer's body so far.
    sent: u64,
    relay: Arc<Relay>,
    _under_way: TaskTrackerToken,
}

impl AppBody {
    /// Bytes of the request's body so far.
    pub(crate) fn received(&self) -> u64 {
        self.sender.received
    }

    /// Goes on with the request while nothing of the answer is asked for: an app may read all of it
    /// before it writes the rest.
    pub(crate) fn poll_upload(&mut self, cx: &mut Context<'_>) {
        if let Some(upstream) = &mut self.upstream {
            // That the client has broken it off shows in the answer.
            let _ = self.sender.poll(cx, upstream);
        }
    }

    /// Ready when the client has been waited for too long: its body is not whole, and neither it
    /// nor the answer moves.
    fn poll_patience(&mut self, cx: &mut Context<'_>, moved: u64) -> Poll<()> {
        if !self.sender.waits {
            self.patience = None;
            return Poll::Pending;
        }
        let long = self.relay.limits.body_timeout;
        let fresh = || (Box::pin(tokio::time::sleep(long)), moved);
        let (timer, before) = self.patience.get_or_insert_with(fresh);
        if *before != moved {
            *before = moved;
            timer.as_mut().reset(Instant::now() + long);
        }
        timer.as_mut().poll(cx)
    }

    fn finish(&mut self) {
        if let Some(upstream) = self.upstream.take() {
            let whole = self.sender.is_done() && !self.sender.broken;
            if self.reusable && whole && upstream.buffer.is_empty() {
                self.relay.pool.put(upstream);
            }
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
        if this.sender.poll(cx, upstream).is_err() {
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
                        return Poll::Ready(Some(Err("the body did not come in time".into())));
                    };
                    match read {
                        Ok(Fill::Read(_)) => {}
                        Ok(Fill::End) if this.decoder.end_of_stream() => {}
                        // Full: framing that never ends.
                        Ok(Fill::End | Fill::Full) => {
                            let why = "the app broke its answer off";
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
    use ovhai_api_types::AppId;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// The app had closed it already when the head was sent.
    #[tokio::test]
    async fn what_could_not_be_sent_is_sent_on_the_next_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = (AppId(uuid::Uuid::nil()), listener.local_addr().unwrap());
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
        // It learns from this that nobody reads it.
        stale.stream.write_all(b"x").await.unwrap();
        stale.stream.ready(tokio::io::Interest::ERROR).await.unwrap();
        assert!(poll_fn(|cx| Poll::Ready(sender.poll(cx, &mut stale))).await.is_ok());
        assert!(sender.broken && sender.sent == 0);

        sender.begin_again();
        let mut fresh = Upstream::open(peer).await.unwrap();
        assert!(poll_fn(|cx| Poll::Ready(sender.poll(cx, &mut fresh))).await.is_ok());
        assert!(!sender.broken && sender.is_done());
        let (mut app, _) = listener.accept().await.unwrap();
        let mut got = [0; 18];
        app.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"GET / HTTP/1.1\r\n\r\n");
    }
}
