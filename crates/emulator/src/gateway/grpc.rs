//! gRPC: HTTP/2 from the client to the app, trailers included. Each client's connection has one of
//! its own to a replica: clients share neither flow control nor the number of calls that an app
//! takes at once.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use httparse::Header;
use hyper::client::conn::http2::SendRequest;
use hyper::header::{HeaderValue, TE};
use hyper::{HeaderMap, Method, Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ovhai_wire::fields::{Known, Reserved};
use ovhai_wire::request::RequestHead;
use ovhai_wire::response::may_pass;
use ovhai_wire::stream::Peer;
use ovhai_wire::write::append;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::exchange::{TRIES, connect};
use super::incoming::Incoming;
use super::refusal::Refusal;
use super::relay::Relay;
use super::route::Route;
use super::upstream::{ReplicaAddress, Upstream, UpstreamError};
use super::{compose, login};
use crate::telemetry::{Note, RefusalKind};

/// Flow-control window of one response, in bytes. A connection has no window of its own: responses
/// that the client does not take would leave no room for the others.
const WINDOW: u32 = 256 * 1024;
const NO_BOUND: u32 = (1 << 31) - 1;

/// A request's head as the app gets it.
pub(crate) struct GrpcHead {
    method: String,
    target: String,
    host: String,
    headers: HeaderMap,
}

impl GrpcHead {
    pub(super) fn new(
        head: &RequestHead<'_>,
        keeps_authorization: bool,
        client: Peer,
        request_id: &[u8],
    ) -> Self {
        let mut headers = HeaderMap::new();
        for (known, each) in head.each() {
            let passes = match known {
                Known::Other | Known::ContentLength | Known::Origin => true,
                Known::AccessControlRequestMethod => true,
                Known::Authorization => keeps_authorization,
                _ => false,
            };
            if passes {
                append(&mut headers, each.name, each.value);
            }
        }
        for cookie in head.cookies().filter_map(login::without_ours) {
            append(&mut headers, "cookie", &cookie);
        }
        let proto = if client.secure { "https" } else { "http" };
        // gRPC requires it, and libraries of apps check it.
        headers.insert(TE, HeaderValue::from_static("trailers"));
        append(&mut headers, "x-forwarded-proto", proto.as_bytes());
        append(&mut headers, "x-forwarded-host", head.host.as_bytes());
        append(&mut headers, "x-forwarded-for", client.address.ip().to_string().as_bytes());
        append(&mut headers, "x-request-id", request_id);
        Self {
            method: head.method.to_owned(),
            target: head.target.to_owned(),
            host: head.host.to_owned(),
            headers,
        }
    }

    fn into_request(self, body: Incoming) -> Option<Request<Incoming>> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::from_bytes(self.method.as_bytes()).ok()?;
        *request.uri_mut() = format!("http://{}{}", self.host, self.target).parse::<Uri>().ok()?;
        *request.headers_mut() = self.headers;
        Some(request)
    }
}

/// Connections of one client to the gRPC ports of replicas.
#[derive(Debug, Default)]
pub(crate) struct GrpcPool {
    open: Mutex<HashMap<ReplicaAddress, SendRequest<Incoming>>>,
}

impl GrpcPool {
    fn lock(&self) -> MutexGuard<'_, HashMap<ReplicaAddress, SendRequest<Incoming>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, peer: ReplicaAddress) -> Option<SendRequest<Incoming>> {
        let mut open = self.lock();
        open.retain(|_, sender| !sender.is_closed());
        open.get(&peer).cloned()
    }

    async fn open(
        &self,
        peer: ReplicaAddress,
        head_max: u32,
    ) -> Result<SendRequest<Incoming>, UpstreamError> {
        if let Some(mut sender) = self.get(peer)
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let Upstream { stream, .. } = Upstream::open(peer).await?;
        let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(NO_BOUND)
            .max_header_list_size(head_max)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(UpstreamError::Http2)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to an app's gRPC port ended");
            }
        });
        self.lock().insert(peer, sender.clone());
        Ok(sender)
    }

    /// The connection takes no more requests, though perhaps it is still open.
    fn forget(&self, peer: ReplicaAddress) {
        self.lock().remove(&peer);
    }
}

/// Awaits the response; none if it does not come in time. Each message of the client resets the
/// deadline.
async fn in_time<T>(
    answer: impl Future<Output = T>,
    patience: Duration,
    came: &AtomicU64,
) -> Option<T> {
    let mut answer = pin!(answer);
    let mut before = came.load(Ordering::Relaxed);
    loop {
        if let Ok(answer) = tokio::time::timeout(patience, answer.as_mut()).await {
            return Some(answer);
        }
        let now = came.load(Ordering::Relaxed);
        if now == std::mem::replace(&mut before, now) {
            return None;
        }
    }
}

/// Sends a request to the app's gRPC port; to that of another replica when the first takes no
/// connection, and once more on a new connection when the old one did not take the request.
pub(super) async fn pass(
    mut route: Route,
    head: GrpcHead,
    body: Incoming,
    pool: &GrpcPool,
    relay: &Relay,
    note: &mut Note,
) -> Result<(Response<hyper::body::Incoming>, TaskTrackerToken), Refusal> {
    let patience = relay.limits.answer_timeout;
    let head_max = u32::try_from(relay.limits.answer_head_max).unwrap_or(u32::MAX);
    let malformed = || Refusal::new(RefusalKind::Malformed, "the request's head is malformed");
    let came = body.counter();
    let mut request = head.into_request(body).ok_or_else(malformed)?;
    let mut tries = 0;
    let mut response = loop {
        tries += 1;
        let open = |replica| async move {
            let opened = tokio::time::timeout(patience, pool.open(replica, head_max)).await;
            opened.map_err(|_| UpstreamError::TooSlow)?
        };
        let connected = connect(relay, &mut route, open).await;
        note.asked(route.ordinal());
        let mut sender = connected?;
        let answer = sender.try_send_request(request);
        let answer = in_time(answer, patience, &came).await.ok_or(UpstreamError::TooSlow)?;
        match answer {
            Ok(response) => break response,
            Err(mut error) => match error.take_message() {
                // Nothing of the request was sent.
                Some(unsent) if tries < TRIES => {
                    pool.forget(route.to);
                    request = unsent;
                }
                _ => return Err(UpstreamError::Http2(error.into_error()).into()),
            },
        }
    };
    let headers = std::mem::take(response.headers_mut());
    for (name, value) in &headers {
        let field = Header { name: name.as_str(), value: value.as_bytes() };
        if may_pass(Known::of(field.name, &Reserved::NONE), &field, compose::is_withheld) {
            response.headers_mut().append(name, value.clone());
        }
    }
    Ok((response, route.under_way))
}
