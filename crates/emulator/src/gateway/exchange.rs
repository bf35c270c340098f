//! One request of a client of HTTP/1 and its answer, both ways at once, in the task of the
//! client's connection.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ovhai_wire::body::Encoding;
use ovhai_wire::buffer::{Buffer, Fill};
use ovhai_wire::deadline::Deadline;
use ovhai_wire::framing::{AskedWith, Framing, Malformed};
use ovhai_wire::pump::{Broken, Pump, WaitsFor};
use ovhai_wire::request::no_fields;
use ovhai_wire::response::ResponseHead;
use ovhai_wire::stream::Stream;
use ovhai_wire::write::After;
use tokio::time::{Instant, Sleep};

use super::access::{Access, MOMENT};
use super::admission::Pass;
use super::compose::{self, Added, is_withheld};
use super::refusal::Refusal;
use super::relay::Relay;
use super::reserved::RESERVED;
use super::route::Route;
use super::upstream::{FRESH, Upstream, UpstreamError};
use crate::seen::{Aborted, Note, RefusalKind};

/// So many bytes of a client's next requests are read while it waits for an answer.
const AHEAD: usize = 64 * 1024;
/// An app that does not know `Expect` says nothing: after this long the client is told to go on.
pub(super) const GO_ON: Duration = Duration::from_millis(300);
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Between two looks whether a client is still there of which nothing is read for now.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Consecutive interim answers before the relay serves its other connections.
pub(super) const INTERIM_TURN: u32 = 64;

/// What is to be done.
pub(crate) struct Order {
    pub(crate) pass: Pass,
    /// The request's head as the app gets it.
    pub(crate) head: Vec<u8>,
    pub(crate) framing: Framing,
    pub(crate) asked_with: AskedWith,
    /// Whether it may be sent twice (RFC 9110 section 9.2.2).
    pub(crate) repeatable: bool,
    /// Whether the client knows interim answers and chunks.
    pub(crate) is_modern: bool,
    pub(crate) expects_continue: bool,
    pub(crate) wants_upgrade: bool,
    pub(crate) after: After,
}

/// The client's side.
pub(crate) struct ClientSide<'a, S> {
    pub(crate) stream: &'a mut S,
    pub(crate) input: &'a mut Buffer,
    pub(crate) clock: &'a mut Deadline,
    /// Room for what goes out.
    pub(crate) out: Vec<u8>,
}

/// How it ended.
pub(crate) enum Outcome {
    /// Answered, in whole or in part.
    Answered(Answered),
    /// Not answered: the client is to be told.
    Refused { refusal: Refusal, head: Vec<u8>, out: Vec<u8> },
    /// The client has gone.
    Gone,
    /// Both sides leave HTTP.
    Tunnel { upstream: Box<Upstream>, access: Access },
}

/// What the connection wants to know.
pub(crate) struct Answered {
    /// Whether the client's connection goes on.
    pub(crate) keep: bool,
    /// Who broke it off.
    pub(crate) aborted: Option<Aborted>,
    /// Whether the client would take closing for an end in order: it has no lengths or chunks.
    pub(crate) unclear: bool,
    /// Rooms to be used again.
    pub(crate) head: Vec<u8>,
    pub(crate) out: Vec<u8>,
}

/// Why no head of an answer came.
enum NoHead {
    ClientGone,
    Denied,
    BadBody(Malformed),
    SlowBody,
    App(UpstreamError),
    /// The app closed the connection without a byte of an answer.
    Silent,
    TooSlow,
}

/// The head of an answer that came.
#[derive(Debug, Clone, Copy)]
struct Came {
    status: u16,
    framing: Framing,
    keep_alive: bool,
}

/// What of an answer was taken from what the app sent.
enum Taken {
    Nothing,
    Interim,
    Final(Came),
}

/// Sends a request to the app and its answer to the client.
pub(crate) async fn run<S: Stream>(
    mut client: ClientSide<'_, S>,
    order: Order,
    relay: &Relay,
    note: &mut Note,
) -> Outcome {
    let id = note.id().clone();
    let Order { pass, mut head, framing, .. } = order;
    let Pass { mut route, admission } = pass;
    let mut fresh = false;
    let mut access = Access::new(admission);
    loop {
        let mut upstream = match connect(relay, &mut route, order.repeatable, fresh).await {
            Ok(upstream) => upstream,
            Err(error) => {
                return Outcome::Refused { refusal: error.into(), head, out: client.out };
            }
        };
        let encoding =
            if framing == Framing::Chunked { Encoding::Chunked } else { Encoding::Plain };
        let mut up = Pump::new(framing, encoding, head, &RESERVED);
        let mut exchange = Exchange {
            up_done: false,
            up_broken: false,
            out_sent: 0,
            out_moved: 0,
            interim: 0,
            has_new: false,
            waits_for: WaitsFor::Neither,
            moved: 0,
            is_watched: false,
            look: None,
            go_on: order.expects_continue.then(|| Box::pin(tokio::time::sleep(GO_ON))),
        };
        let what = What {
            asked_with: order.asked_with,
            is_modern: order.is_modern,
            wants_upgrade: order.wants_upgrade,
            after: order.after,
            added: Added { request_id: id.as_bytes(), set_cookie: route.set_cookie.as_ref() },
        };
        let limits = &relay.limits;
        client.clock.set(limits.answer_timeout.min(MOMENT));
        let came = poll_fn(|cx| {
            let head = exchange.poll_head(cx, &mut client, &mut up, &mut upstream, &what, relay);
            if head.is_ready() || !exchange.is_watched {
                return head;
            }
            access.poll_denied(cx, &relay.gateway).map(|()| Err(NoHead::Denied))
        })
        .await;
        note.bytes_in = up.body();
        if came.is_err() {
            exchange.break_off(&upstream);
        }
        let came = match came {
            Ok(came) => came,
            Err(NoHead::Silent) if upstream.reused && order.repeatable => {
                // It closed a resting connection just now; nothing of an answer came.
                head = up.into_out();
                fresh = true;
                continue;
            }
            Err(no_head) => {
                let refusal = match no_head {
                    NoHead::ClientGone => return Outcome::Gone,
                    NoHead::Denied => Refusal::access_revoked(),
                    NoHead::BadBody(malformed) => malformed.into(),
                    NoHead::SlowBody => {
                        Refusal::new(RefusalKind::Slow, "the body did not come in time")
                    }
                    NoHead::App(error) => error.failed(relay, &route),
                    NoHead::Silent => UpstreamError::Gone.failed(relay, &route),
                    NoHead::TooSlow => UpstreamError::TooSlow.failed(relay, &route),
                };
                if exchange.out_sent > 0 && exchange.out_sent < client.out.len() {
                    // In the middle of an interim answer.
                    return Outcome::Gone;
                }
                client.out.clear();
                return Outcome::Refused { refusal, head: up.into_room(), out: client.out };
            }
        };
        note.status = came.status;
        if came.status == 101 {
            let out = std::mem::take(&mut client.out);
            let mut down = Pump::resumed(out, exchange.out_sent);
            let mut nothing = Buffer::default();
            let written =
                poll_fn(|cx| down.poll(cx, &mut tokio::io::empty(), &mut nothing, client.stream));
            return match tokio::time::timeout(limits.body_timeout, written).await {
                Ok(Ok(())) => Outcome::Tunnel { upstream: Box::new(upstream), access },
                Ok(Err(_)) | Err(_) => Outcome::Gone,
            };
        }
        let encoding = match came.framing {
            Framing::Chunked | Framing::UntilClose if order.is_modern => Encoding::Chunked,
            _ => Encoding::Plain,
        };
        let out = std::mem::take(&mut client.out);
        let mut down = Pump::new(came.framing, encoding, out, &RESERVED).lenient();
        down.skip(exchange.out_sent);
        let ended = poll_fn(|cx| {
            let body =
                exchange.poll_body(cx, &mut client, &mut up, &mut down, &mut upstream, relay);
            if body.is_ready() {
                return body;
            }
            access.poll_denied(cx, &relay.gateway).map(|()| Err(Aborted::Access))
        })
        .await;
        (note.bytes_in, note.bytes_out) = (up.body(), down.body());
        let whole = ended.is_ok();
        if !whole {
            exchange.break_off(&upstream);
        }
        // Its end is the connection's.
        let unclear = encoding == Encoding::Plain
            && matches!(came.framing, Framing::UntilClose | Framing::Chunked);
        let may_go_on = order.after != After::Close && !unclear;
        let answered = Answered {
            keep: whole && may_go_on && up.has_ended() && exchange.up_done,
            aborted: ended.err(),
            unclear,
            head: up.into_room(),
            out: down.into_room(),
        };
        // Apps that send a body all the same would have it taken for somebody else's answer.
        let is_clean = came.keep_alive && order.asked_with != AskedWith::Head;
        let reusable = is_clean && exchange.up_done && !exchange.up_broken;
        if whole && reusable && upstream.buffer.is_empty() {
            relay.pool.put(upstream);
        }
        return Outcome::Answered(answered);
    }
}

impl UpstreamError {
    /// The replica gets no requests until it passes its probe.
    pub(super) fn leave_out(&self, relay: &Relay, route: &Route) {
        let why = match self {
            Self::NoMore(_) => return,
            Self::Connect(_) | Self::ConnectTimeout => "it takes no connection",
            Self::Gone | Self::Http2(_) => "it broke the connection off",
            Self::InvalidResponse(_) | Self::Unasked => "it does not speak HTTP/1.1",
            Self::TooLarge(_) | Self::TooManyFields(_) => "the head of its answer exceeds a limit",
            Self::TooSlow => "it does not answer in time",
        };
        relay.gateway.leave_out(route, why);
    }

    /// The same, and what the client is told.
    pub(super) fn failed(self, relay: &Relay, route: &Route) -> Refusal {
        self.leave_out(relay, route);
        self.into()
    }
}

/// A connection to the replica, or to another one when it takes none: nothing was sent yet.
pub(super) async fn connect(
    relay: &Relay,
    route: &mut Route,
    repeatable: bool,
    fresh: bool,
) -> Result<Upstream, UpstreamError> {
    let at_most = if repeatable { Duration::MAX } else { FRESH };
    let mut tries = 0;
    loop {
        let peer = (route.app, route.address);
        if !fresh && let Some(upstream) = relay.pool.take(peer, at_most) {
            return Ok(upstream);
        }
        match Upstream::open(peer).await {
            Ok(upstream) => return Ok(upstream),
            Err(error) => {
                tries += 1;
                error.leave_out(relay, route);
                if tries == 1 && matches!(error, UpstreamError::NoMore(_)) {
                    relay.pool.clear();
                    continue;
                }
                if tries == 4 || !relay.gateway.turn_to_another(route) {
                    return Err(error);
                }
            }
        }
    }
}

struct What<'a> {
    asked_with: AskedWith,
    is_modern: bool,
    wants_upgrade: bool,
    after: After,
    added: Added<'a>,
}

/// What the two phases share.
struct Exchange {
    up_done: bool,
    up_broken: bool,
    /// So much of what goes to the client was written already,
    out_sent: usize,
    /// and so much of interim answers altogether.
    out_moved: u64,
    interim: u64,
    /// Whether bytes came that were not looked at.
    has_new: bool,
    /// Rings when the client has waited long enough to be told to go on.
    go_on: Option<Pin<Box<Sleep>>>,
    /// Whom it waited for when the time was set, and what had moved till then.
    waits_for: WaitsFor,
    moved: u64,
    /// Whether it takes longer than a moment, so that the caller's access is watched.
    is_watched: bool,
    /// Rings when it is time for a look whether the client is still there.
    look: Option<Pin<Box<Sleep>>>,
}

impl Exchange {
    fn poll_head<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut ClientSide<'_, S>,
        up: &mut Pump,
        upstream: &mut Upstream,
        what: &What<'_>,
        relay: &Relay,
    ) -> Poll<Result<Came, NoHead>> {
        match self.poll_up(cx, client, up, upstream) {
            Some(Broken::Malformed(malformed)) => {
                return Poll::Ready(Err(NoHead::BadBody(malformed)));
            }
            Some(Broken::Sender) => return Poll::Ready(Err(NoHead::ClientGone)),
            Some(Broken::Receiver) | None => {}
        }
        match self.poll_answer(cx, client, up, upstream, what, relay) {
            Poll::Ready(Err(no_head)) => return Poll::Ready(Err(no_head)),
            Poll::Ready(Ok(Some(came))) => return Poll::Ready(Ok(came)),
            Poll::Ready(Ok(None)) => cx.waker().wake_by_ref(),
            Poll::Pending => {}
        }
        let _ = Pin::new(&mut *client.stream).poll_flush(cx);
        if (self.up_done && is_gone(cx, client)) || self.has_left(cx, client, up) {
            return Poll::Ready(Err(NoHead::ClientGone));
        }
        // A client that takes no interim answer holds the app's answer up.
        let is_stuck = !client.out.is_empty();
        let waits_for = match (is_stuck, self.up_done) {
            (true, _) => WaitsFor::Receiver,
            (false, true) => WaitsFor::Neither,
            (false, false) => up.waits_for(),
        };
        let slow = waits_for == WaitsFor::Sender;
        let limits = &relay.limits;
        let by_client = slow || is_stuck;
        let allowed = if by_client { limits.body_timeout } else { limits.answer_timeout };
        // A body that has to be waited for may take as long as it likes.
        self.is_watched |= !self.up_done;
        let first = if self.is_watched { allowed } else { allowed.min(MOMENT) };
        // Every interim answer is a sign of life.
        self.time(client, waits_for, up.body() + self.interim + self.out_moved, first);
        while client.clock.poll(cx).is_ready() {
            let left = allowed.saturating_sub(MOMENT);
            if self.is_watched || left.is_zero() {
                return Poll::Ready(Err(match (is_stuck, slow) {
                    (true, _) => NoHead::ClientGone,
                    (false, true) => NoHead::SlowBody,
                    (false, false) => NoHead::TooSlow,
                }));
            }
            self.is_watched = true;
            client.clock.set(left);
        }
        Poll::Pending
    }

    /// Reads what the app answers. Interim answers are passed on one by one: what the client does
    /// not take is not read. Ready with none when others shall have their turn.
    fn poll_answer<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut ClientSide<'_, S>,
        up: &Pump,
        upstream: &mut Upstream,
        what: &What<'_>,
        relay: &Relay,
    ) -> Poll<Result<Option<Came>, NoHead>> {
        let head_max = relay.limits.answer_head_max;
        let turn = self.interim + u64::from(INTERIM_TURN);
        loop {
            ready!(self.poll_interim(cx, client)).map_err(|()| NoHead::ClientGone)?;
            if self.interim >= turn {
                return Poll::Ready(Ok(None));
            }
            if std::mem::take(&mut self.has_new) {
                match self.take_head(client, upstream, what, relay).map_err(NoHead::App)? {
                    Taken::Final(came) => return Poll::Ready(Ok(Some(came))),
                    Taken::Interim => {
                        self.has_new = !upstream.buffer.is_empty();
                        continue;
                    }
                    Taken::Nothing => {}
                }
            }
            let silent = upstream.buffer.is_empty() && self.interim == 0;
            let filled = upstream.buffer.poll_fill(cx, &mut upstream.stream, head_max);
            let Poll::Ready(filled) = filled else {
                if !up.has_ended() && self.rings_go_on(cx) {
                    client.out.extend_from_slice(CONTINUE);
                    continue;
                }
                return Poll::Pending;
            };
            match filled {
                Ok(Fill::Read(_)) => self.has_new = true,
                Ok(Fill::End) | Err(_) if silent => return Poll::Ready(Err(NoHead::Silent)),
                Ok(Fill::End) => {
                    let why = UpstreamError::InvalidResponse("its head has no end");
                    return Poll::Ready(Err(NoHead::App(why)));
                }
                Ok(Fill::Full) => {
                    return Poll::Ready(Err(NoHead::App(UpstreamError::TooLarge(head_max))));
                }
                Err(_) => return Poll::Ready(Err(NoHead::App(UpstreamError::Gone))),
            }
        }
    }

    /// Whether the app has been silent long enough for the gateway to send 100 (Continue) itself.
    fn rings_go_on(&mut self, cx: &mut Context<'_>) -> bool {
        let rings = self.go_on.as_mut().is_some_and(|go_on| go_on.as_mut().poll(cx).is_ready());
        if rings {
            self.go_on = None;
        }
        rings
    }

    /// Writes interim answers, which must not wait: the client may wait for them with its body.
    fn poll_interim<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut ClientSide<'_, S>,
    ) -> Poll<Result<(), ()>> {
        while self.out_sent < client.out.len() {
            let stream = Pin::new(&mut *client.stream);
            match ready!(stream.poll_write(cx, &client.out[self.out_sent..])) {
                Ok(count) if count > 0 => {
                    self.out_sent += count;
                    self.out_moved += count as u64;
                }
                _ => return Poll::Ready(Err(())),
            }
        }
        client.out.clear();
        self.out_sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Takes a head of an answer that is there; an interim one is written for the client.
    fn take_head<S>(
        &mut self,
        client: &mut ClientSide<'_, S>,
        upstream: &mut Upstream,
        what: &What<'_>,
        relay: &Relay,
    ) -> Result<Taken, UpstreamError> {
        let limits = &relay.limits;
        let (mut few, mut many) = (no_fields(), Vec::new());
        let (bytes, most) = (upstream.buffer.filled(), limits.answer_fields_max);
        let parsed =
            ResponseHead::parse(bytes, &mut few, &mut many, most, what.asked_with, is_withheld)
                .map_err(|rubbish| UpstreamError::of_answer(rubbish, limits))?;
        let Some((answer, length)) = parsed else { return Ok(Taken::Nothing) };
        let (status, framing) = (answer.status, answer.framing);
        let is_interim = status < 200 && status != 101;
        // Half a request would be lost between the two protocols.
        if status == 101 && !(what.wants_upgrade && self.up_done) {
            return Err(UpstreamError::Unasked);
        }
        // Told once is enough.
        let expected = status != 100 || self.go_on.take().is_some();
        if is_interim && !(what.is_modern && expected) {
            // An HTTP/1.0 client does not know interim answers.
        } else if is_interim {
            compose::answer(&mut client.out, &answer, false, After::KeepAlive, Added::default());
        } else {
            let unknown = matches!(framing, Framing::Chunked | Framing::UntilClose);
            // The client may or may not send the body that it was not told to send.
            let unsure = self.go_on.is_some() && !self.up_done;
            let closes = relay.is_stopping() || (unknown && !what.is_modern) || unsure;
            let after = if closes { After::Close } else { what.after };
            let (out, chunked) = (&mut client.out, unknown && what.is_modern);
            compose::answer(out, &answer, chunked, after, what.added);
        }
        let came = Came { status, framing, keep_alive: answer.keep_alive };
        upstream.buffer.consume(length);
        if is_interim {
            self.interim += 1;
            return Ok(Taken::Interim);
        }
        // Who is waited for has its time anew.
        self.moved = u64::MAX;
        Ok(Taken::Final(came))
    }

    fn poll_body<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut ClientSide<'_, S>,
        up: &mut Pump,
        down: &mut Pump,
        upstream: &mut Upstream,
        relay: &Relay,
    ) -> Poll<Result<(), Aborted>> {
        let (buffer, stream) = (&mut upstream.buffer, &mut upstream.stream);
        match down.poll(cx, stream, buffer, client.stream) {
            Poll::Ready(Ok(())) => return Poll::Ready(Ok(())),
            Poll::Ready(Err(Broken::Receiver)) => return Poll::Ready(Err(Aborted::Client)),
            Poll::Ready(Err(_)) => return Poll::Ready(Err(Aborted::App)),
            Poll::Pending => {}
        }
        match self.poll_up(cx, client, up, upstream) {
            Some(Broken::Malformed(_) | Broken::Sender) => {
                return Poll::Ready(Err(Aborted::Client));
            }
            Some(Broken::Receiver) | None => {}
        }
        if (self.up_done && is_gone(cx, client)) || self.has_left(cx, client, up) {
            return Poll::Ready(Err(Aborted::Client));
        }
        let waits_for = match (down.waits_for(), up.waits_for()) {
            (WaitsFor::Receiver, _) => WaitsFor::Receiver,
            (_, WaitsFor::Sender) if !self.up_done => WaitsFor::Sender,
            _ => WaitsFor::Neither,
        };
        let limits = &relay.limits;
        let (allowed, by) = match waits_for {
            WaitsFor::Neither => (limits.answer_timeout, Aborted::App),
            WaitsFor::Sender | WaitsFor::Receiver => (limits.body_timeout, Aborted::Client),
        };
        self.time(client, waits_for, up.body() + down.written(), allowed);
        // An app that does not read has no more time than one that does not answer.
        let counts = waits_for != WaitsFor::Neither || self.is_blind(client, up);
        if counts && client.clock.poll(cx).is_ready() {
            return Poll::Ready(Err(by));
        }
        Poll::Pending
    }

    /// Sends what there is of the request; says what broke.
    fn poll_up<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut ClientSide<'_, S>,
        up: &mut Pump,
        upstream: &mut Upstream,
    ) -> Option<Broken> {
        if self.up_done {
            return None;
        }
        match up.poll(cx, client.stream, client.input, &mut upstream.stream) {
            Poll::Ready(Ok(())) => {
                self.up_done = true;
                None
            }
            Poll::Ready(Err(Broken::Receiver)) => {
                // It may have answered before it stopped to read.
                (self.up_done, self.up_broken) = (true, true);
                Some(Broken::Receiver)
            }
            Poll::Ready(Err(broken)) => Some(broken),
            Poll::Pending => None,
        }
    }

    /// Closes so that an app that does not read hears of it too, and nothing waits for it to.
    fn break_off(&self, upstream: &Upstream) {
        if !self.up_done {
            upstream.stream.abort();
        }
    }

    /// Whether nothing is read of the client for now: the app does not read the request, or too
    /// much of the next ones waits.
    fn is_blind<S>(&self, client: &ClientSide<'_, S>, up: &Pump) -> bool {
        (!self.up_done && up.waits_for() == WaitsFor::Receiver) || client.input.len() >= AHEAD
    }

    /// Whether a client has left of which nothing is read for now.
    fn has_left<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        client: &ClientSide<'_, S>,
        up: &Pump,
    ) -> bool {
        if !self.is_blind(client, up) {
            self.look = None;
            return false;
        }
        let look = self.look.get_or_insert_with(|| Box::pin(tokio::time::sleep(LOOK_EVERY)));
        while look.as_mut().poll(cx).is_ready() {
            if client.stream.is_closed() {
                return true;
            }
            look.as_mut().reset(Instant::now() + LOOK_EVERY);
        }
        false
    }

    /// Whoever is waited for has time anew whenever something moved.
    fn time<S>(
        &mut self,
        client: &mut ClientSide<'_, S>,
        waits_for: WaitsFor,
        moved: u64,
        allowed: Duration,
    ) {
        if (waits_for, moved) != (self.waits_for, self.moved) {
            client.clock.set(allowed);
            (self.waits_for, self.moved) = (waits_for, moved);
        }
    }
}

/// Whether the client has closed; what it sends ahead is kept.
fn is_gone<S: Stream>(cx: &mut Context<'_>, client: &mut ClientSide<'_, S>) -> bool {
    loop {
        match client.input.poll_fill(cx, client.stream, AHEAD) {
            Poll::Ready(Ok(Fill::Read(_))) => {}
            Poll::Ready(Ok(Fill::Full)) => return false,
            Poll::Ready(Ok(Fill::End) | Err(_)) => return true,
            Poll::Pending => return false,
        }
    }
}
