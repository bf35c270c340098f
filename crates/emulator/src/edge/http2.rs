//! Clients of HTTP/2, whose framing is the h2 crate's: the same targets and the same decisions as
//! for HTTP/1.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Ping, PingPong, Reason};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use httparse::Header;
use hyper::header::{CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use ovhai_wire::authority::is_well_formed;
use ovhai_wire::buffer::Buffer;
use ovhai_wire::fields::{Known, words};
use ovhai_wire::framing::{Framing, Malformed};
use ovhai_wire::prefixed::Prefixed;
use ovhai_wire::request::{FIELDS, NOT_PASSED, RequestHead, Version, is_plain_target};
use ovhai_wire::scan::{TOO_LARGE, TOO_LONG, TOO_MANY};
use ovhai_wire::stream::{Peer, Stream};
use tokio::sync::Semaphore;

use super::Worker;
use super::doors::{self, Outcome};
use super::frames::{FrameMonitor, STREAMS, Waiting, note_refusal};
use super::idle::IdleGuard;
use super::outgoing::{self, Interims, OfStream};
use super::plan::{Plan, Planned, body_too_large};
use super::share::Share;
use super::watched::{Underway, Uses, Watched};
use crate::domain_time;
use crate::gateway::body::ServerBody;
use crate::gateway::cors::RefusalReaders;
use crate::gateway::exchange::SLOW_BODY;
use crate::gateway::forward::Forward;
use crate::gateway::grpc;
use crate::gateway::hold::{Hold, HoldLimit};
use crate::gateway::incoming::{Incoming, Interim};
use crate::gateway::refusal::Refusal;
use crate::gateway::reserved::RESERVED;
use crate::limits::Limits;
use crate::telemetry::{Note, RefusalKind};

/// Flow-control window of a connection, in bytes.
const WINDOW: u32 = 1024 * 1024;
/// Maximum bytes of a response that wait until the client takes them.
const SEND_BUFFER: usize = 256 * 1024;
/// Number of pseudo-header fields of a request.
const PSEUDO: usize = 5;
/// Maximum number of fields that one line of cookies is split into.
const CRUMBS: usize = 512;
/// Time that a client has to answer a ping.
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// Time for telling a client that its connection ends.
const SAYS_GOODBYE: Duration = Duration::from_secs(1);

/// What the requests of one connection share.
struct Own {
    client: Peer,
    worker: Arc<Worker>,
    /// Held by work that goes on when its request is given up.
    turns: Arc<Semaphore>,
    grpc: grpc::GrpcPool,
    /// Number of requests under way at apps.
    at_apps: Arc<AtomicUsize>,
}

/// Serves a connection until it ends.
pub(super) async fn serve<S: Stream>(
    stream: S,
    prefix: Buffer,
    client: Peer,
    idle: IdleGuard,
    worker: Arc<Worker>,
) {
    let (uses, waiting) = (Uses::new(idle), Waiting::default());
    let interims = Interims::default();
    let limits = worker.relay.limits;
    let own = Arc::new(Own {
        client,
        worker: Arc::clone(&worker),
        turns: Arc::new(Semaphore::new(STREAMS as usize)),
        grpc: grpc::GrpcPool::default(),
        at_apps: Arc::default(),
    });
    let builder = h2::server::Builder::new()
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(WINDOW)
        .initial_window_size(WINDOW / 2)
        .max_header_list_size(list_max(&limits))
        .max_send_buffer_size(SEND_BUFFER)
        .to_owned();
    let stream = Prefixed::new(prefix, stream);
    let stream =
        FrameMonitor::new(stream, client, Arc::clone(&worker), waiting.clone(), interims.clone());
    let handshake = builder.handshake::<_, Bytes>(stream);
    let address = client.address;
    let begun = tokio::select! {
        begun = tokio::time::timeout(limits.head_timeout, handshake) => begun,
        () = uses.evicted() => return,
    };
    let mut connection = match begun {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            tracing::debug!(%error, client = %address, "the handshake of HTTP/2 failed");
            return;
        }
        Err(_) => return,
    };
    let mut may_end = pin!(async {
        tokio::select! {
            () = uses.rested(limits.idle_timeout) => {}
            () = worker.shared.stopping.cancelled() => {}
        }
    });
    // The client was told of the end and does not close.
    let mut lost = pin!(uses.rested(limits.idle_timeout + limits.body_timeout));
    let mut gone = pin!(until_gone(connection.ping_pong(), limits.idle_timeout));
    let mut told = false;
    loop {
        let accepted = tokio::select! {
            accepted = connection.accept() => accepted,
            () = may_end.as_mut(), if !told => {
                connection.graceful_shutdown();
                told = true;
                continue;
            }
            () = lost.as_mut() => return,
            () = uses.evicted() => {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                let closed = poll_fn(|cx| connection.poll_closed(cx));
                let _ = tokio::time::timeout(SAYS_GOODBYE, closed).await;
                return;
            }
            () = gone.as_mut() => {
                tracing::debug!(client = %address, "a client of HTTP/2 did not answer a ping");
                return;
            }
        };
        match accepted {
            Some(Ok((request, respond))) => {
                if waiting.take_accepted(respond.stream_id().as_u32()) {
                    continue;
                }
                let underway = Underway::new(client, &worker, &uses);
                let request = request.map(Incoming::new);
                let interim = interims.of(respond.stream_id().as_u32());
                tokio::spawn(serve_one(request, respond, interim, Arc::clone(&own), underway));
            }
            Some(Err(error)) => {
                tracing::debug!(%error, client = %address, "a connection of HTTP/2 ended badly");
                if let (true, Some(reason)) = (error.is_library(), error.reason()) {
                    let why = format!("the connection is not valid HTTP/2: ended with {reason:?}");
                    let refusal = Refusal::new(RefusalKind::Malformed, why);
                    note_refusal(&refusal, 0, &worker, client);
                }
                return;
            }
            None => return,
        }
    }
}

/// Maximum size of a header list for the h2 crate, which adds 32 bytes to each field. Heads that
/// HTTP/1 would refuse are refused here, with a reason; this limit only has to be larger than that.
fn list_max(limits: &Limits) -> u32 {
    let fields = 32 * (FIELDS + PSEUDO) + (32 + "cookie".len()) * CRUMBS;
    u32::try_from(limits.head_max + limits.line_max + fields).unwrap_or(u32::MAX)
}

/// Waits until a client does not answer a ping; one is sent every `every`.
async fn until_gone(ping_pong: Option<PingPong>, every: Duration) {
    // The first call on a connection returns it.
    let Some(mut ping_pong) = ping_pong else { return std::future::pending().await };
    loop {
        tokio::time::sleep(every).await;
        let answer = async {
            ping_pong.send_ping(Ping::opaque())?;
            poll_fn(|cx| ping_pong.poll_pong(cx)).await
        };
        if !matches!(tokio::time::timeout(PONG_WITHIN, answer).await, Ok(Ok(_))) {
            return;
        }
    }
}

/// Serves one request.
async fn serve_one(
    request: Request<Incoming>,
    mut respond: SendResponse<Bytes>,
    of_stream: OfStream,
    own: Arc<Own>,
    underway: Underway,
) {
    let (interim, patience) = (&of_stream.interim, own.worker.relay.limits.body_timeout);
    let answer = watched(request, &own, underway, interim);
    let Some(response) = outgoing::answered(&mut respond, interim, answer).await else { return };
    drop(of_stream);
    if let Err(error) = outgoing::send(respond, response, patience).await {
        let client = own.client.address;
        tracing::debug!(%error, %client, "a response of HTTP/2 could not be sent");
    }
}

/// Answers a request, and records it when the response has ended.
async fn watched(
    request: Request<Incoming>,
    own: &Own,
    mut underway: Underway,
    interim: &Interim,
) -> Response<Watched> {
    let head_only = request.method() == Method::HEAD;
    let mut readers = RefusalReaders::default();
    let answer = answer(request, own, &mut underway, interim, &mut readers).await;
    let mut response = match answer {
        Ok(response) => response,
        Err(refusal) => {
            refusal.record(underway.note());
            let mut response = refusal.readable_by(&readers).into_response().map(ServerBody::text);
            if let Some(moved) = domain_time::value(&**own.worker.shared.platform.clock()) {
                response.headers_mut().insert(domain_time::NAME, moved);
            }
            response
        }
    };
    underway.set_idle(response.body().is_whole());
    let note = underway.note();
    note.answered(response.status());
    let id = HeaderName::from_static("x-request-id");
    if let (false, Ok(value)) =
        (response.headers().contains_key(&id), HeaderValue::from_bytes(note.id().as_bytes()))
    {
        response.headers_mut().insert(id, value);
    }
    if let (true, Some(length)) = (head_only, response.body().size_hint().exact())
        && length > 0
    {
        // The length that a GET would have had.
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(length.into());
    }
    response.map(|body| Watched::new(body, head_only, underway))
}

async fn answer(
    request: Request<Incoming>,
    own: &Own,
    underway: &mut Underway,
    interim: &Interim,
    readers: &mut RefusalReaders,
) -> Result<Response<ServerBody>, Refusal> {
    let (worker, client) = (&own.worker, own.client);
    let (parts, body) = request.into_parts();
    let note = underway.note();
    let arrived = Arrived { parts: &parts, body: &body, own };
    let plan = match arrived.plan(note, readers, false)? {
        Planned::Now(plan) => plan,
        // Apart, or every request would have its size.
        Planned::Wait(hold) => Box::pin(arrived.wait(hold, note, readers)).await?,
    };
    // Apps send 100 (Continue) themselves.
    let expects = |value: &HeaderValue| words(value.as_bytes()).next().is_some();
    if !matches!(plan, Plan::Pass(_)) && parts.headers.get_all(EXPECT).iter().any(expects) {
        interim.go_on();
    }
    match plan {
        Plan::Pass(forward) => {
            let left = &worker.relay.streams_left;
            let share = Share::take(&own.at_apps, left).ok_or_else(Refusal::busy)?;
            underway.share = Some(share);
            let note = underway.note();
            note.turned_to_the_app();
            forward.run(body, interim, &own.grpc, &worker.relay, note).await
        }
        Plan::Answer(local) => {
            let local = match local.streamed() {
                Ok(call) => {
                    let worker = Arc::clone(worker);
                    let body = axum::body::Body::new(body);
                    let answer =
                        async move { of_call(doors::call(&worker.shared, call, body).await) };
                    return to_its_end(&own.turns, answer).await;
                }
                Err(local) => local,
            };
            let body = whole(body, local.body_max(), worker, underway).await?;
            underway.note().bytes_in = body.len() as u64;
            let worker = Arc::clone(worker);
            let answer = async move { of_call(local.run(&worker, client, body).await) };
            to_its_end(&own.turns, answer).await
        }
    }
}

/// The response of a call. No request of HTTP/2 asks to leave HTTP.
fn of_call(outcome: Outcome) -> Response<ServerBody> {
    match outcome {
        Outcome::Response(response) => response,
        Outcome::Tunnel(..) => {
            let refusal = Refusal::new(RefusalKind::Internal, "internal error");
            refusal.into_response().map(ServerBody::text)
        }
    }
}

/// Work goes on when its client gives the request up, and holds its permit until it ends:
/// otherwise requests that are given up at once would pile up, and wrong passwords would not be
/// counted.
async fn to_its_end(
    turns: &Arc<Semaphore>,
    answer: impl Future<Output = Response<ServerBody>> + Send + 'static,
) -> Result<Response<ServerBody>, Refusal> {
    // The semaphore is never closed.
    let turn = Arc::clone(turns).acquire_owned().await.ok();
    let answer = tokio::spawn(async move {
        let answer = answer.await;
        drop(turn);
        answer
    });
    // It panicked, which the panic hook has logged, or everything stops.
    answer.await.map_err(|_| Refusal::new(RefusalKind::Internal, "internal error"))
}

async fn whole(
    body: Incoming,
    most: usize,
    worker: &Worker,
    underway: &mut Underway,
) -> Result<Bytes, Refusal> {
    underway.set_idle(!body.is_end_stream());
    let collected = Limited::new(body, most).collect();
    let collected = tokio::time::timeout(worker.relay.limits.body_timeout, collected).await;
    underway.set_idle(false);
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(body_too_large(most))
        }
        Ok(Err(_)) => Err(Refusal::new(RefusalKind::Malformed, "the body was broken off")),
        Err(_) => Err(Refusal::new(RefusalKind::Slow, SLOW_BODY)),
    }
}

/// Checks that a head is no larger than it may be in HTTP/1, where an authority is a line and
/// cookies are one.
fn check_size(
    head: &RequestHead<'_>,
    authority: Option<&str>,
    limits: &Limits,
) -> Result<(), Malformed> {
    if head.method.len() + head.target.len() + "  HTTP/1.1\r".len() > limits.line_max {
        return Err(TOO_LONG);
    }
    let (mut count, mut size, mut cookies) = (0, 0, 0);
    for (known, field) in head.each() {
        let is_crumb = known == Known::Cookie && cookies > 0;
        cookies += usize::from(known == Known::Cookie);
        if is_crumb {
            size += "; ".len() + field.value.len();
        } else {
            count += 1;
            size += field.name.len() + field.value.len() + ": \r\n".len();
        }
    }
    if let Some(authority) = authority {
        count += 1;
        size += "host: \r\n".len() + authority.len();
    }
    if count > FIELDS {
        return Err(TOO_MANY);
    }
    if size > limits.head_max { Err(TOO_LARGE) } else { Ok(()) }
}

/// A request whose body is still coming.
struct Arrived<'a> {
    parts: &'a Parts,
    body: &'a Incoming,
    own: &'a Own,
}

impl Arrived<'_> {
    /// Waits for an app that is asleep, and plans the request again then. One that the client resets
    /// is dropped with this.
    async fn wait(
        &self,
        mut hold: Box<Hold>,
        note: &mut Note,
        readers: &mut RefusalReaders,
    ) -> Result<Plan<Forward>, Refusal> {
        let limit = HoldLimit::new();
        loop {
            let since = Instant::now();
            let over = hold.over(&self.own.worker.relay.gateway, limit).await;
            note.was_held(since.elapsed());
            over?;
            match self.plan(note, readers, true)? {
                Planned::Now(plan) => return Ok(plan),
                Planned::Wait(again) => hold = again,
            }
        }
    }

    /// Plans the request, by the same rules as one of HTTP/1.
    fn plan(
        &self,
        note: &mut Note,
        readers: &mut RefusalReaders,
        is_again: bool,
    ) -> Result<Planned<Forward>, Refusal> {
        let Self { parts, body, own } = self;
        let (worker, client) = (&own.worker, own.client);
        let malformed = |why| Refusal::new(RefusalKind::Malformed, why);
        let fields: Vec<Header<'_>> = parts
            .headers
            .iter()
            .map(|(name, value)| Header { name: name.as_str(), value: value.as_bytes() })
            .collect();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let method = parts.method.as_str();
        let mut head =
            RequestHead::of_fields(method, target, Version::Http2, &fields, Vec::new(), &RESERVED)?;
        if !is_again {
            *note = worker.note_of(&head, Vec::new());
        }
        if method == "CONNECT" || method == "TRACE" {
            return Err(NOT_PASSED.into());
        }
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let mut hosts = parts.headers.get_all(HOST).iter();
        let host = hosts.next().map(|host| host.to_str().unwrap_or_default());
        let of_authority = authority.filter(|_| host.is_none());
        check_size(&head, of_authority, &worker.relay.limits)?;
        if hosts.next().is_some() {
            return Err(malformed("there are several Host headers"));
        }
        if !is_plain_target(method, target) {
            return Err(malformed("the request's target is malformed"));
        }
        head.host = match (authority, host) {
            (Some(authority), Some(host)) if !authority.eq_ignore_ascii_case(host) => {
                return Err(malformed("the authority and the Host header differ"));
            }
            (Some(host), _) | (None, Some(host)) => host,
            (None, None) => return Err(malformed("an authority is required")),
        };
        if !is_well_formed(head.host) {
            return Err(malformed("the authority is malformed"));
        }
        let length = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        head.framing = match length {
            // A body that is declared empty is declared so to the app, too.
            Some("0") => Framing::Length(0),
            _ if body.is_end_stream() => Framing::None,
            Some(length) => Framing::Length(
                length.parse().map_err(|_| malformed("the Content-Length is not a number"))?,
            ),
            None => Framing::Chunked,
        };
        let pass =
            |pass, grpc, note: &Note| Forward::new(pass, &head, grpc, client, note.id().as_bytes());
        super::plan::plan(worker, &head, client, note, readers, pass)
    }
}
