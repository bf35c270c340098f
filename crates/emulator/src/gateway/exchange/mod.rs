//! Exchanges: one request to an app and its response.
//!
//! The rules that hold for clients of every version of HTTP are here, once: which connection is
//! taken, when a request is sent again, interim responses, time-outs, when a connection can be used
//! again, and what the client receives when there is no response. Two halves, for clients of HTTP/1
//! and HTTP/2, move the bytes.
//!
//! An exchange runs in the task of the client's request. It reads and writes both ways at once, and
//! reads nothing that the other side does not take.

pub(crate) mod http1_client;
pub(crate) mod http2_client;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::header::HeaderValue;
use ovhai_wire::buffer::Fill;
use ovhai_wire::deadline::Deadline;
use ovhai_wire::framing::{AskedWith, Framing, Malformed};
use ovhai_wire::pump::WaitsFor;
use ovhai_wire::request::{RequestHead, no_fields};
use ovhai_wire::response::ResponseHead;
use ovhai_wire::stream::Stream;
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::gateway::access::{CallerAccess, MOMENT};
use crate::gateway::compose::is_withheld;
use crate::gateway::refusal::Refusal;
use crate::gateway::relay::Relay;
use crate::gateway::route::Route;
use crate::gateway::upstream::{FRESH, ReplicaAddress, Upstream, UpstreamError};
use crate::limits::Limits;
use crate::telemetry::RefusalKind;

/// An app that does not know `Expect` sends nothing: after this time the client gets 100 (Continue).
const GO_ON: Duration = Duration::from_millis(300);
/// Consecutive interim responses before the worker serves its other connections.
const INTERIM_TURN: u64 = 64;
/// Maximum connections that are tried for a request.
pub(super) const TRIES: u32 = 4;

/// The properties of a request that its exchange depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExchangeParams {
    pub(crate) framing: Framing,
    pub(crate) asked_with: AskedWith,
    /// Whether it may be sent twice (RFC 9110 section 9.2.2).
    pub(crate) repeatable: bool,
    /// Whether the client waits for 100 (Continue).
    pub(crate) expects_continue: bool,
    /// Whether the client asks to leave HTTP.
    pub(crate) wants_upgrade: bool,
}

impl ExchangeParams {
    pub(crate) fn of(head: &RequestHead<'_>) -> Self {
        Self {
            framing: head.framing,
            asked_with: head.asked_with(),
            repeatable: head.is_repeatable(),
            expects_continue: head.expects_continue,
            wants_upgrade: head.upgrade.is_some(),
        }
    }
}

/// The progress of the request.
#[derive(Debug, Clone, Copy)]
struct Upload {
    /// Whether all of it was read from the client.
    is_read: bool,
    /// Whether all of it was sent to the app, or the app takes no more.
    is_sent: bool,
    waits_for: WaitsFor,
    /// A count that grows whenever some of it has moved.
    moved: u64,
}

/// Why the rest of the request does not come.
enum UploadError {
    /// The client has broken it off.
    ClientGone,
    Malformed(Malformed),
}

/// The client's half of an exchange.
trait ClientHalf {
    /// Sends what there is of the request.
    fn poll_upload(&mut self, cx: &mut Context<'_>, app: &mut TcpStream)
    -> Result<(), UploadError>;

    /// The progress of the request.
    fn upload(&self) -> Upload;

    /// Begins to send the request, which has no body, on another connection.
    fn begin_again(&mut self);

    /// Whether the client knows interim responses.
    fn takes_interim(&self) -> bool;

    /// Ready when the client takes another interim response; an error when it has gone.
    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>>;

    /// Bytes of interim responses that the client took.
    fn interim_moved(&self) -> u64;

    /// Sends an interim response of the app.
    fn put_interim(&mut self, head: &ResponseHead<'_>);

    /// Tells the client to go on.
    fn put_continue(&mut self);

    /// Takes the head of the response, to which the gateway adds a cookie. `is_unsure` says that
    /// the client, not told to go on, may still send its body or not.
    fn put_head(
        &mut self,
        head: &ResponseHead<'_>,
        set_cookie: Option<&HeaderValue>,
        is_unsure: bool,
    );

    /// Whether the client has closed, as far as can be seen while it is not waited for. Called when
    /// nothing can be moved.
    fn has_left(&mut self, cx: &mut Context<'_>) -> bool;

    /// The deadline for the side that is waited for.
    fn deadline(&mut self) -> &mut Deadline;
}

/// The head of a response that came.
#[derive(Debug, Clone, Copy)]
struct Came {
    status: u16,
    framing: Framing,
    keep_alive: bool,
}

impl Came {
    /// Whether the connection can be used again after the response.
    fn may_be_reused(self, params: &ExchangeParams) -> bool {
        // If the app sent a body nevertheless, it would be taken for the response to another
        // request.
        self.keep_alive && params.asked_with != AskedWith::Head
    }
}

/// Why no head of a response came.
enum NoHead {
    ClientGone,
    /// The client does not take interim responses.
    Stuck,
    Denied,
    BadBody(Malformed),
    SlowBody,
    App(UpstreamError),
    /// The app closed the connection without a byte of a response.
    Silent,
}

impl NoHead {
    /// The refusal for the client. A replica that failed gets no requests until it passes a probe.
    fn into_refusal(self, relay: &Relay, route: &Route) -> Refusal {
        match self {
            Self::ClientGone => {
                Refusal::new(RefusalKind::Malformed, "the request's body was broken off")
            }
            Self::Stuck => {
                let why = "the client did not take the app's interim responses in time";
                Refusal::new(RefusalKind::Slow, why)
            }
            Self::Denied => Refusal::access_revoked(),
            Self::BadBody(malformed) => malformed.into(),
            Self::SlowBody => Refusal::new(RefusalKind::Slow, SLOW_BODY),
            Self::App(error) => failed(error, relay, route),
            Self::Silent => failed(UpstreamError::Gone, relay, route),
        }
    }
}

/// The reason for a client that does not send its body in time.
pub(crate) const SLOW_BODY: &str = "the body did not come in time";

fn failed(error: UpstreamError, relay: &Relay, route: &Route) -> Refusal {
    if matches!(error, UpstreamError::Gone) {
        relay.failovers.lost(route.to.replica.app);
    }
    leave_out(&error, relay, route);
    error.into()
}

/// Takes a replica out that failed, until it passes a probe.
fn leave_out(error: &UpstreamError, relay: &Relay, route: &Route) {
    if let Some(why) = error.fault() {
        relay.gateway.leave_out(route, why);
    }
}

/// Turns to another replica, if there is one.
fn turn_to_another(relay: &Relay, route: &mut Route) -> bool {
    let is_turned = relay.gateway.turn_to_another(route);
    if is_turned {
        relay.failovers.retried(route.to.replica.app);
    }
    is_turned
}

/// Connects to the replica, or to another one if it takes no connection. Nothing was sent before.
pub(super) async fn connect<T, F: Future<Output = Result<T, UpstreamError>>>(
    relay: &Relay,
    route: &mut Route,
    mut open: impl FnMut(ReplicaAddress) -> F,
) -> Result<T, UpstreamError> {
    let mut tries = 0;
    loop {
        match open(route.to).await {
            Ok(connection) => return Ok(connection),
            Err(error) => {
                tries += 1;
                leave_out(&error, relay, route);
                if tries == 1 && matches!(error, UpstreamError::NoMore(_)) {
                    relay.pool.clear();
                    continue;
                }
                if tries == TRIES || !turn_to_another(relay, route) {
                    return Err(error);
                }
            }
        }
    }
}

/// Sends a request until the head of the response has come. Returns the connection too: some of the
/// request may still have to be sent.
async fn ask<C: ClientHalf>(
    client: &mut C,
    route: &mut Route,
    access: &mut CallerAccess,
    params: &ExchangeParams,
    relay: &Relay,
) -> Result<(Came, Upstream), NoHead> {
    let limits = &relay.limits;
    let longest_rest = if params.repeatable { Duration::MAX } else { FRESH };
    let mut is_fresh = false;
    let mut sent_to = None;
    loop {
        let open = |replica| async move {
            let resting = if is_fresh { None } else { relay.pool.take(replica, longest_rest) };
            match resting {
                Some(upstream) => Ok(upstream),
                None => Upstream::open(replica).await,
            }
        };
        let mut upstream = connect(relay, route, open).await.map_err(NoHead::App)?;
        let first = *sent_to.get_or_insert(upstream.peer.replica);
        let mut phase = HeadPhase::new(params);
        client.deadline().set(limits.answer_timeout.min(MOMENT));
        let terms = HeadTerms { params, set_cookie: route.set_cookie.as_ref(), limits };
        let came = poll_fn(|cx| {
            let head = phase.poll(cx, client, &mut upstream, terms);
            if head.is_ready() || !phase.is_watched {
                return head;
            }
            access.poll_denied(cx, &relay.gateway).map(|()| Err(NoHead::Denied))
        });
        match came.await {
            Ok(came) => return Ok((came, upstream)),
            Err(NoHead::Silent) if upstream.reused && params.repeatable => {
                // It closed an idle connection just now; nothing of a response came.
                client.begin_again();
                is_fresh = true;
            }
            Err(NoHead::Silent) if params.repeatable && first == upstream.peer.replica => {
                // The replica may have died, by this request or without it. One other gets the
                // request, and no third one.
                leave_out(&UpstreamError::Gone, relay, route);
                if !turn_to_another(relay, route) {
                    return Err(NoHead::Silent);
                }
                client.begin_again();
                is_fresh = true;
            }
            Err(no_head) => {
                break_off(&upstream, client.upload());
                return Err(no_head);
            }
        }
    }
}

/// Resets the connection, so that an app that does not read sees the end, too.
fn break_off(upstream: &Upstream, upload: Upload) {
    if !upload.is_sent {
        upstream.stream.abort();
    }
}

/// The settings that the head of a response depends on.
#[derive(Clone, Copy)]
struct HeadTerms<'a> {
    params: &'a ExchangeParams,
    /// The cookie that the gateway adds.
    set_cookie: Option<&'a HeaderValue>,
    limits: &'a Limits,
}

/// An exchange up to the head of the response.
struct HeadPhase {
    /// Number of interim responses that came.
    interim: u64,
    /// Whether bytes came that were not parsed.
    has_new: bool,
    /// Whether the client does not take interim responses: then nothing more is read from the app.
    is_stuck: bool,
    /// Fires when the client has waited long enough for 100 (Continue); none if it does not wait,
    /// or was told.
    go_on: Option<Pin<Box<Sleep>>>,
    /// The side that was waited for when the deadline was set, and what had moved by then.
    waits_for: WaitsFor,
    moved: u64,
    /// Whether it takes longer than a moment, so that the caller's access is watched.
    is_watched: bool,
}

/// What was taken from the app's bytes.
enum Taken {
    Nothing,
    Interim,
    Final(Came),
}

impl HeadPhase {
    fn new(params: &ExchangeParams) -> Self {
        let go_on = || Box::pin(tokio::time::sleep(GO_ON));
        Self {
            interim: 0,
            has_new: false,
            is_stuck: false,
            go_on: params.expects_continue.then(go_on),
            waits_for: WaitsFor::Neither,
            moved: 0,
            is_watched: false,
        }
    }

    fn poll<C: ClientHalf>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut C,
        upstream: &mut Upstream,
        terms: HeadTerms<'_>,
    ) -> Poll<Result<Came, NoHead>> {
        match client.poll_upload(cx, &mut upstream.stream) {
            Ok(()) => {}
            Err(UploadError::ClientGone) => return Poll::Ready(Err(NoHead::ClientGone)),
            Err(UploadError::Malformed(why)) => return Poll::Ready(Err(NoHead::BadBody(why))),
        }
        match self.poll_answer(cx, client, upstream, terms) {
            Poll::Ready(Err(no_head)) => return Poll::Ready(Err(no_head)),
            Poll::Ready(Ok(Some(came))) => return Poll::Ready(Ok(came)),
            Poll::Ready(Ok(None)) => cx.waker().wake_by_ref(),
            Poll::Pending => {}
        }
        if client.has_left(cx) {
            return Poll::Ready(Err(NoHead::ClientGone));
        }
        let upload = client.upload();
        let waits_for = match (self.is_stuck, upload.is_sent) {
            (true, _) => WaitsFor::Receiver,
            (false, true) => WaitsFor::Neither,
            (false, false) => upload.waits_for,
        };
        let is_slow = waits_for == WaitsFor::Sender;
        let by_client = is_slow || self.is_stuck;
        let limits = terms.limits;
        let allowed = if by_client { limits.body_timeout } else { limits.answer_timeout };
        // The client's body may take as long as it likes.
        self.is_watched |= !upload.is_sent;
        let first = if self.is_watched { allowed } else { allowed.min(MOMENT) };
        // Every interim response resets the deadline.
        let moved = upload.moved + self.interim + client.interim_moved();
        let deadline = client.deadline();
        if (waits_for, moved) != (self.waits_for, self.moved) {
            deadline.set(first);
            (self.waits_for, self.moved) = (waits_for, moved);
        }
        while deadline.poll(cx).is_ready() {
            let left = allowed.saturating_sub(MOMENT);
            if self.is_watched || left.is_zero() {
                return Poll::Ready(Err(match (self.is_stuck, is_slow) {
                    (true, _) => NoHead::Stuck,
                    (false, true) => NoHead::SlowBody,
                    (false, false) => NoHead::App(UpstreamError::TooSlow),
                }));
            }
            self.is_watched = true;
            deadline.set(left);
        }
        Poll::Pending
    }

    /// Reads the app's response. Interim responses are passed on one by one. Ready with none when
    /// the worker's other connections are to have their turn.
    fn poll_answer<C: ClientHalf>(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut C,
        upstream: &mut Upstream,
        terms: HeadTerms<'_>,
    ) -> Poll<Result<Option<Came>, NoHead>> {
        let app = |error| Poll::Ready(Err(NoHead::App(error)));
        let turn = self.interim + INTERIM_TURN;
        loop {
            let room = client.poll_interim(cx);
            self.is_stuck = room.is_pending();
            ready!(room).map_err(|()| NoHead::ClientGone)?;
            if self.interim >= turn {
                return Poll::Ready(Ok(None));
            }
            if std::mem::take(&mut self.has_new) {
                let taken = self.take_head(client, upstream, terms);
                match taken.map_err(NoHead::App)? {
                    Taken::Final(came) => return Poll::Ready(Ok(Some(came))),
                    Taken::Interim => {
                        self.has_new = !upstream.buffer.is_empty();
                        continue;
                    }
                    Taken::Nothing => {}
                }
            }
            let is_silent = upstream.buffer.is_empty() && self.interim == 0;
            let head_max = terms.limits.answer_head_max;
            let filled = upstream.buffer.poll_fill(cx, &mut upstream.stream, head_max);
            let Poll::Ready(filled) = filled else {
                if self.fires_go_on(cx, client) {
                    client.put_continue();
                    continue;
                }
                return Poll::Pending;
            };
            match filled {
                Ok(Fill::Read(_)) => self.has_new = true,
                Ok(Fill::End) | Err(_) if is_silent => return Poll::Ready(Err(NoHead::Silent)),
                Ok(Fill::End) => {
                    return app(UpstreamError::InvalidResponse("its head ends too early"));
                }
                Ok(Fill::Full) => return app(UpstreamError::TooLarge(head_max)),
                Err(_) => return app(UpstreamError::Gone),
            }
        }
    }

    /// Whether the app has been silent long enough for the gateway to send 100 (Continue) itself.
    fn fires_go_on(&mut self, cx: &mut Context<'_>, client: &impl ClientHalf) -> bool {
        let Some(go_on) = &mut self.go_on else { return false };
        let fires = !client.upload().is_read && go_on.as_mut().poll(cx).is_ready();
        if fires {
            self.go_on = None;
        }
        fires
    }

    /// Takes a head that is there.
    fn take_head(
        &mut self,
        client: &mut impl ClientHalf,
        upstream: &mut Upstream,
        terms: HeadTerms<'_>,
    ) -> Result<Taken, UpstreamError> {
        let HeadTerms { params, set_cookie, limits } = terms;
        let mut few = no_fields();
        let mut many = Vec::new();
        let (bytes, most) = (upstream.buffer.filled(), limits.answer_fields_max);
        let asked_with = params.asked_with;
        let parsed = ResponseHead::parse(bytes, &mut few, &mut many, most, asked_with, is_withheld)
            .map_err(|invalid| UpstreamError::of_answer(invalid, limits))?;
        let Some((head, length)) = parsed else { return Ok(Taken::Nothing) };
        let (status, is_sent) = (head.status, client.upload().is_sent);
        // The app would get half a request in each of the two protocols.
        if status == 101 && !(params.wants_upgrade && is_sent) {
            return Err(UpstreamError::Unasked);
        }
        let is_interim = status < 200 && status != 101;
        // The client gets 100 (Continue) at most once.
        let is_expected = status != 100 || self.go_on.take().is_some();
        if !is_interim {
            client.put_head(&head, set_cookie, self.go_on.is_some() && !is_sent);
        } else if is_expected && client.takes_interim() {
            client.put_interim(&head);
        }
        let came = Came { status, framing: head.framing, keep_alive: head.keep_alive };
        upstream.buffer.consume(length);
        if is_interim {
            self.interim += 1;
            return Ok(Taken::Interim);
        }
        Ok(Taken::Final(came))
    }
}
