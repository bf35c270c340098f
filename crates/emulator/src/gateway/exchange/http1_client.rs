//! The half of an exchange for a client of HTTP/1: both directions are pumps between the client's
//! connection and the app's.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::header::HeaderValue;
use ovhai_wire::body::Encoding;
use ovhai_wire::buffer::{Buffer, Fill};
use ovhai_wire::deadline::Deadline;
use ovhai_wire::framing::Framing;
use ovhai_wire::pump::{Broken, Pump, WaitsFor};
use ovhai_wire::response::ResponseHead;
use ovhai_wire::stream::Stream;
use ovhai_wire::write::After;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::{ClientHalf, ExchangeParams, NoHead, Upload, UploadError, ask, break_off};
use crate::gateway::access::CallerAccess;
use crate::gateway::admission::Pass;
use crate::gateway::compose::{self, Added};
use crate::gateway::refusal::Refusal;
use crate::gateway::relay::Relay;
use crate::gateway::reserved::RESERVED;
use crate::gateway::upstream::Upstream;
use crate::telemetry::{Aborted, Note};

/// Maximum bytes of a client's next requests that are read while it waits for an answer.
const AHEAD: usize = 64 * 1024;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// How often to check for a hang-up while not reading from the client.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A request of HTTP/1, ready to be sent to the app.
pub(crate) struct Http1Request {
    pub(crate) pass: Pass,
    /// The request's head for the app.
    pub(crate) head: Vec<u8>,
    pub(crate) params: ExchangeParams,
    /// Whether the client knows interim answers and chunks.
    pub(crate) is_http11: bool,
    pub(crate) after: After,
}

/// The client's connection.
pub(crate) struct ClientSide<'a, S> {
    pub(crate) stream: &'a mut S,
    pub(crate) input: &'a mut Buffer,
    pub(crate) deadline: &'a mut Deadline,
    /// A buffer for the bytes to the client.
    pub(crate) out: Vec<u8>,
}

/// How an exchange ended.
pub(crate) enum ExchangeEnd {
    /// The app answered, in whole or in part.
    Answered(Answered),
    /// The app did not answer; the client gets the refusal.
    Refused { refusal: Refusal, head: Vec<u8>, out: Vec<u8> },
    /// The client has gone.
    Gone,
    /// Both sides leave HTTP.
    Tunnel { upstream: Box<Upstream>, access: CallerAccess },
}

/// What the client's connection has to know of an answered request.
pub(crate) struct Answered {
    /// Whether the connection goes on.
    pub(crate) keep: bool,
    /// The side that broke it off.
    pub(crate) aborted: Option<Aborted>,
    /// Whether the client would take closing for the end of the response: it has neither length nor
    /// chunks.
    pub(crate) unclear: bool,
    /// Buffers to be used again.
    pub(crate) head: Vec<u8>,
    pub(crate) out: Vec<u8>,
}

/// The client's half of an exchange.
struct Half<'a, S> {
    client: ClientSide<'a, S>,
    /// The request on its way.
    up: Pump,
    up_done: bool,
    up_broken: bool,
    /// How much of `client.out` was written already,
    out_sent: usize,
    /// and how much of interim answers altogether.
    out_moved: u64,
    /// Fires when it is time to check for a hang-up.
    look: Option<Pin<Box<Sleep>>>,
    is_http11: bool,
    after: After,
    request_id: &'a [u8],
    relay: &'a Relay,
}

/// Sends a request to the app and its answer to the client.
pub(crate) async fn run<S: Stream>(
    client: ClientSide<'_, S>,
    order: Http1Request,
    relay: &Relay,
    note: &mut Note,
) -> ExchangeEnd {
    let id = note.id().clone();
    let Http1Request { pass, head, params, is_http11, after } = order;
    let Pass { mut route, admission } = pass;
    let mut access = CallerAccess::new(admission);
    let framing = params.framing;
    let encoding = if framing == Framing::Chunked { Encoding::Chunked } else { Encoding::Plain };
    let mut half = Half {
        client,
        up: Pump::new(framing, encoding, head, &RESERVED),
        up_done: false,
        up_broken: false,
        out_sent: 0,
        out_moved: 0,
        look: None,
        is_http11,
        after,
        request_id: id.as_bytes(),
        relay,
    };
    let asked = ask(&mut half, &mut route, &mut access, &params, relay).await;
    note.bytes_in = half.up.body();
    note.asked(route.ordinal());
    let (came, mut upstream) = match asked {
        Ok(asked) => asked,
        Err(NoHead::ClientGone | NoHead::Stuck) => return ExchangeEnd::Gone,
        Err(no_head) => {
            let refusal = no_head.into_refusal(relay, &route);
            let Half { client: ClientSide { mut out, .. }, up, out_sent, .. } = half;
            if out_sent > 0 && out_sent < out.len() {
                // In the middle of an interim answer.
                return ExchangeEnd::Gone;
            }
            out.clear();
            return ExchangeEnd::Refused { refusal, head: up.into_room(), out };
        }
    };
    note.status = came.status;
    let out = std::mem::take(&mut half.client.out);
    if came.status == 101 {
        let mut down = Pump::resumed(out, half.out_sent);
        let (mut nothing, stream) = (Buffer::default(), half.client.stream);
        let written = poll_fn(|cx| down.poll(cx, &mut tokio::io::empty(), &mut nothing, stream));
        return match tokio::time::timeout(relay.limits.body_timeout, written).await {
            Ok(Ok(())) => ExchangeEnd::Tunnel { upstream: Box::new(upstream), access },
            Ok(Err(_)) | Err(_) => ExchangeEnd::Gone,
        };
    }
    let encoding =
        if came.framing.is_open_ended() && is_http11 { Encoding::Chunked } else { Encoding::Plain };
    let mut down = Pump::new(came.framing, encoding, out, &RESERVED).lenient();
    down.skip(half.out_sent);
    let mut before = None;
    let ended = poll_fn(|cx| {
        let body = half.poll_body(cx, &mut down, &mut upstream, &mut before);
        if body.is_ready() {
            return body;
        }
        access.poll_denied(cx, &relay.gateway).map(|()| Err(Aborted::Access))
    })
    .await;
    (note.bytes_in, note.bytes_out) = (half.up.body(), down.body());
    let whole = ended.is_ok();
    if !whole {
        break_off(&upstream, half.upload());
    }
    // The connection's end is the end of such a response.
    let unclear = encoding == Encoding::Plain && came.framing.is_open_ended();
    let may_go_on = after != After::Close && !unclear;
    let Half { up, up_done, up_broken, .. } = half;
    let answered = Answered {
        keep: whole && may_go_on && up.has_ended() && up_done,
        aborted: ended.err(),
        unclear,
        head: up.into_room(),
        out: down.into_room(),
    };
    if whole && up_done && !up_broken && came.may_be_reused(&params) {
        relay.pool.put_back(upstream);
    }
    ExchangeEnd::Answered(answered)
}

impl<S: Stream> ClientHalf for Half<'_, S> {
    fn poll_upload(
        &mut self,
        cx: &mut Context<'_>,
        app: &mut TcpStream,
    ) -> Result<(), UploadError> {
        if self.up_done {
            return Ok(());
        }
        let ClientSide { stream, input, .. } = &mut self.client;
        match self.up.poll(cx, *stream, input, app) {
            Poll::Ready(Ok(())) => self.up_done = true,
            // The app may have answered before it stopped reading.
            Poll::Ready(Err(Broken::Receiver)) => (self.up_done, self.up_broken) = (true, true),
            Poll::Ready(Err(Broken::Sender)) => return Err(UploadError::ClientGone),
            Poll::Ready(Err(Broken::Malformed(why))) => return Err(UploadError::Malformed(why)),
            Poll::Pending => {}
        }
        Ok(())
    }

    #[inline]
    fn upload(&self) -> Upload {
        Upload {
            is_read: self.up.has_ended(),
            is_sent: self.up_done,
            waits_for: self.up.waits_for(),
            moved: self.up.body(),
        }
    }

    fn begin_again(&mut self) {
        self.up.begin_again();
        (self.up_done, self.up_broken) = (false, false);
    }

    #[inline]
    fn takes_interim(&self) -> bool {
        self.is_http11
    }

    /// Writes interim responses at once: the client may wait for them with its body.
    #[inline]
    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        let ClientSide { stream, out, .. } = &mut self.client;
        while self.out_sent < out.len() {
            match ready!(Pin::new(&mut **stream).poll_write(cx, &out[self.out_sent..])) {
                Ok(count) if count > 0 => {
                    self.out_sent += count;
                    self.out_moved += count as u64;
                }
                _ => return Poll::Ready(Err(())),
            }
        }
        out.clear();
        self.out_sent = 0;
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn interim_moved(&self) -> u64 {
        self.out_moved
    }

    fn put_interim(&mut self, head: &ResponseHead<'_>) {
        compose::answer(&mut self.client.out, head, false, After::KeepAlive, Added::default());
    }

    fn put_continue(&mut self) {
        self.client.out.extend_from_slice(CONTINUE);
    }

    fn put_head(
        &mut self,
        head: &ResponseHead<'_>,
        set_cookie: Option<&HeaderValue>,
        is_unsure: bool,
    ) {
        let is_open_ended = head.framing.is_open_ended();
        let closes = self.relay.is_stopping() || (is_open_ended && !self.is_http11) || is_unsure;
        let after = if closes { After::Close } else { self.after };
        let added = Added { request_id: self.request_id, set_cookie };
        let chunked = is_open_ended && self.is_http11;
        compose::answer(&mut self.client.out, head, chunked, after, added);
    }

    fn has_left(&mut self, cx: &mut Context<'_>) -> bool {
        let _ = Pin::new(&mut *self.client.stream).poll_flush(cx);
        (self.up_done && self.is_gone(cx)) || self.is_gone_unread(cx)
    }

    #[inline]
    fn deadline(&mut self) -> &mut Deadline {
        self.client.deadline
    }
}

impl<S: Stream> Half<'_, S> {
    /// Moves the response's body, and the rest of the request. `before` is what was waited for when
    /// the deadline was set, and what had moved by then.
    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        down: &mut Pump,
        upstream: &mut Upstream,
        before: &mut Option<(WaitsFor, u64)>,
    ) -> Poll<Result<(), Aborted>> {
        let (buffer, stream) = (&mut upstream.buffer, &mut upstream.stream);
        match down.poll(cx, stream, buffer, self.client.stream) {
            Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
            Poll::Ready(Err(Broken::Receiver)) => return Poll::Ready(Err(Aborted::Client)),
            Poll::Ready(Err(_)) => return Poll::Ready(Err(Aborted::App)),
            Poll::Pending => {}
        }
        if self.poll_upload(cx, &mut upstream.stream).is_err()
            || (self.up_done && self.is_gone(cx))
            || self.is_gone_unread(cx)
        {
            return Poll::Ready(Err(Aborted::Client));
        }
        let waits_for = match (down.waits_for(), self.up.waits_for()) {
            (WaitsFor::Receiver, _) => WaitsFor::Receiver,
            (_, WaitsFor::Sender) if !self.up_done => WaitsFor::Sender,
            _ => WaitsFor::Neither,
        };
        let limits = &self.relay.limits;
        let (allowed, by) = match waits_for {
            WaitsFor::Neither => (limits.answer_timeout, Aborted::App),
            WaitsFor::Sender | WaitsFor::Receiver => (limits.body_timeout, Aborted::Client),
        };
        // Whenever something has moved, the deadline is reset.
        let now = (waits_for, self.up.body() + down.written());
        if *before != Some(now) {
            self.client.deadline.set(allowed);
            *before = Some(now);
        }
        // An app that does not read has no more time than one that does not answer.
        let counts = waits_for != WaitsFor::Neither || self.is_blind();
        if counts && self.client.deadline.poll(cx).is_ready() {
            return Poll::Ready(Err(by));
        }
        Poll::Pending
    }

    /// Whether the client has closed; what it sends ahead is kept.
    fn is_gone(&mut self, cx: &mut Context<'_>) -> bool {
        let ClientSide { stream, input, .. } = &mut self.client;
        loop {
            match input.poll_fill(cx, *stream, AHEAD) {
                Poll::Ready(Ok(Fill::Read(_))) => {}
                Poll::Ready(Ok(Fill::Full)) | Poll::Pending => return false,
                Poll::Ready(Ok(Fill::End) | Err(_)) => return true,
            }
        }
    }

    /// Whether nothing is read from the client for now: the app does not read the request, or the
    /// buffer is full of the client's next requests.
    fn is_blind(&self) -> bool {
        (!self.up_done && self.up.waits_for() == WaitsFor::Receiver)
            || self.client.input.len() >= AHEAD
    }

    /// Whether the client has closed while nothing is read from it.
    fn is_gone_unread(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.is_blind() {
            self.look = None;
            return false;
        }
        let look = self.look.get_or_insert_with(|| Box::pin(tokio::time::sleep(LOOK_EVERY)));
        while look.as_mut().poll(cx).is_ready() {
            if self.client.stream.is_closed() {
                return true;
            }
            look.as_mut().reset(Instant::now() + LOOK_EVERY);
        }
        false
    }
}
