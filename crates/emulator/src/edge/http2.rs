//! Clients that speak HTTP/2, of which the h2 crate does the framing: the same doors, the same
//! decisions.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Ping, PingPong, Reason};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use httparse::Header;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use ovhai_core::directory::AppEntry;
use tokio::io::AsyncRead;

use super::body::Framing;
use super::buffer::Buffer;
use super::doors::{self, CALL_MAX, Way};
use super::incoming::{self, Incoming, Interim};
use super::note::Note;
use super::parse::{FIELDS, Head, Version, is_plain_target};
use super::prefixed::Prefixed;
use super::watched::{Underway, Uses, Watched};
use super::{Stream, Worker};
use crate::body::ServerBody;
use crate::gateway::login::BODY_MAX;
use crate::gateway::{Admitted, Client, Refusal, http2};
use crate::host;

/// How a client begins.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Requests of one connection under way at once.
const STREAMS: u32 = 128;
/// Bytes of bodies on their way on one connection.
const WINDOW: u32 = 1024 * 1024;
/// Bytes of an answer that wait for a client to have room for them.
const SEND_BUFFER: usize = 256 * 1024;
/// A client that is there says so within this time.
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// Telling a client that its connection ends takes no longer.
const SAYS_GOODBYE: Duration = Duration::from_secs(1);

/// Waits until a client has begun as clients of HTTP/2 do, and not for ever.
pub(super) async fn has_begun<R: AsyncRead + Unpin>(
    stream: &mut R,
    read: &mut Buffer,
    patience: Duration,
) -> bool {
    let begun = async {
        while read.len() < PREFACE.len() {
            match poll_fn(|cx| read.poll_fill(cx, stream, 16 * 1024)).await {
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            }
        }
        read.filled().starts_with(PREFACE)
    };
    tokio::time::timeout(patience, begun).await.unwrap_or(false)
}

/// Serves a connection until it ends.
pub(super) async fn serve<S: Stream>(
    stream: S,
    prefix: Buffer,
    client: Client,
    worker: Arc<Worker>,
) {
    let (uses, limits) = (Uses::new(worker.crowd.enter()), worker.limits);
    let builder = h2::server::Builder::new()
        .max_concurrent_streams(STREAMS)
        .initial_connection_window_size(WINDOW)
        .initial_window_size(WINDOW / 2)
        .max_header_list_size(u32::try_from(limits.head_max).unwrap_or(u32::MAX))
        .max_send_buffer_size(SEND_BUFFER)
        .to_owned();
    let handshake = builder.handshake::<_, Bytes>(Prefixed::new(prefix, stream));
    let address = client.address;
    let mut connection = match tokio::time::timeout(limits.head_timeout, handshake).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            tracing::debug!(%error, client = %address, "HTTP/2 did not begin");
            return;
        }
        Err(_) => return,
    };
    let mut may_end = pin!(async {
        tokio::select! {
            () = uses.rested(limits.idle_timeout) => {}
            () = worker.stopping.cancelled() => {}
        }
    });
    // A client that was told of the end and does not take it.
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
            () = uses.asked_to_leave(), if uses.rest() => {
                connection.abrupt_shutdown(Reason::NO_ERROR);
                let closed = poll_fn(|cx| connection.poll_closed(cx));
                let _ = tokio::time::timeout(SAYS_GOODBYE, closed).await;
                return;
            }
            () = gone.as_mut() => {
                tracing::debug!(client = %address, "a client of HTTP/2 does not answer");
                return;
            }
        };
        match accepted {
            Some(Ok((request, respond))) => {
                let underway = Underway::new(client, &worker, &uses);
                let request = request.map(Incoming::new);
                tokio::spawn(serve_one(request, respond, client, Arc::clone(&worker), underway));
            }
            Some(Err(error)) => {
                tracing::debug!(%error, client = %address, "a connection of HTTP/2 ended badly");
                return;
            }
            None => return,
        }
    }
}

/// Until a client that is asked from time to time whether it is there does not say so.
async fn until_gone(ping_pong: Option<PingPong>, every: Duration) {
    // The connection's first and only one.
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

/// One request and its answer.
async fn serve_one(
    request: Request<Incoming>,
    mut respond: SendResponse<Bytes>,
    client: Client,
    worker: Arc<Worker>,
    underway: Underway,
) {
    let (interim, patience) = (Interim::default(), worker.limits.body_timeout);
    let answer = watched(request, client, worker, underway, &interim);
    let Some(response) = incoming::answered(&mut respond, &interim, answer).await else { return };
    if let Err(error) = incoming::send(respond, response, patience).await {
        tracing::debug!(%error, client = %client.address, "an answer of HTTP/2 can't be sent");
    }
}

/// Has a request answered, and notes it when that has ended.
async fn watched(
    request: Request<Incoming>,
    client: Client,
    worker: Arc<Worker>,
    mut underway: Underway,
    interim: &Interim,
) -> Response<Watched> {
    let note = underway.note();
    let head_only = request.method() == Method::HEAD;
    let mut response = match answer(request, client, &worker, note, interim).await {
        Ok(response) => response,
        Err(refusal) => {
            note.refused_by(&refusal);
            refusal.into_response()
        }
    };
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
        // It is said how long it would be.
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(length.into());
    }
    response.map(|body| Watched::new(body, head_only, underway))
}

async fn answer(
    request: Request<Incoming>,
    client: Client,
    worker: &Arc<Worker>,
    note: &mut Note,
    interim: &Interim,
) -> Result<Response<ServerBody>, Refusal> {
    let (parts, body) = request.into_parts();
    match plan(&parts, &body, client, worker, note)? {
        Plan::Pass(order) => {
            note.turned_to_the_app();
            http2::pass(*order, body, interim, worker).await
        }
        Plan::Call(call) => {
            let body = whole(body, CALL_MAX, worker).await?;
            Ok(doors::call(&worker.shared, call, Body::from(body)).await)
        }
        Plan::LogIn(request, app) => {
            let body = whole(body, BODY_MAX, worker).await?;
            let (logins, ip) = (&worker.gateway.logins, client.address.ip());
            let request = request.map(|()| body);
            let answer = logins.answer(request, &app.record, client.secure, ip).await;
            Ok(answer.map(ServerBody::text))
        }
    }
}

async fn whole(body: Incoming, most: usize, worker: &Worker) -> Result<Bytes, Refusal> {
    let collected = Limited::new(body, most).collect();
    match tokio::time::timeout(worker.limits.body_timeout, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let why = format!("the body is larger than {most} bytes");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, why))
        }
        Ok(Err(_)) => Err(Refusal::new(StatusCode::BAD_REQUEST, "the body was broken off")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    }
}

enum Plan {
    Pass(Box<http2::Order>),
    Call(doors::Call),
    LogIn(Request<()>, Arc<AppEntry>),
}

/// What a head asks for, by the same rules as one of HTTP/1.
fn plan(
    parts: &hyper::http::request::Parts,
    body: &Incoming,
    client: Client,
    worker: &Worker,
    note: &mut Note,
) -> Result<Plan, Refusal> {
    let malformed = |why| Refusal::new(StatusCode::BAD_REQUEST, why);
    let fields: Vec<Header<'_>> = parts
        .headers
        .iter()
        .map(|(name, value)| Header { name: name.as_str(), value: value.as_bytes() })
        .collect();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let method = parts.method.as_str();
    let mut head = Head::of_fields(method, target, Version::Http2, &fields, Vec::new())?;
    *note = Note::of(worker, &head, Vec::new());
    if method == "CONNECT" || method == "TRACE" {
        return Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "CONNECT and TRACE are not passed on",
        ));
    }
    if target.len() > worker.limits.line_max {
        return Err(Refusal::new(StatusCode::URI_TOO_LONG, "the request's target is too long"));
    }
    if fields.len() > FIELDS {
        let (status, why) =
            (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request has too many headers");
        return Err(Refusal::new(status, why));
    }
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next().map(|host| host.to_str().unwrap_or_default());
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
    if !host::is_well_formed(head.host) {
        return Err(malformed("the authority is malformed"));
    }
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    head.framing = match length {
        // What is said to be empty is said so to the app too.
        Some("0") => Framing::Length(0),
        _ if body.is_end_stream() => Framing::None,
        Some(length) => Framing::Length(
            length.parse().map_err(|_| malformed("the Content-Length is not a number"))?,
        ),
        None => Framing::Chunked,
    };
    note.bytes_in = if let Framing::Length(length) = head.framing { length } else { 0 };
    match doors::find(&worker.shared, &head, client, note)? {
        Way::Call(call) => Ok(Plan::Call(call)),
        Way::App(asked) => {
            let pass = match worker.gateway.admit(&head, asked, client, note)? {
                Admitted::Pass(pass) => pass,
                Admitted::LogIn(app) => {
                    return Ok(Plan::LogIn(doors::request(&head, head.target)?, app));
                }
            };
            let (id, grpc) = (note.id().as_bytes(), asked.grpc);
            let order = http2::Order::new(pass, &head, grpc, client, id);
            Ok(Plan::Pass(Box::new(order)))
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_has_to_begin() {
        for (said, begins) in [
            (PREFACE, true),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04", true),
            (b"", false),
            (b"PRI * HTTP/2.0", false),
            (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", false),
        ] {
            let (mut client, mut stream) = tokio::io::duplex(100);
            client.write_all(said).await.unwrap();
            let mut read = Buffer::default();
            let begun = has_begun(&mut stream, &mut read, Duration::from_secs(1)).await;
            assert_eq!((begun, read.filled()), (begins, said));
        }
    }
}
