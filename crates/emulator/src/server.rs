//! The listener: accepts connections, finds the door of every request, stops within a deadline.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use ovhai_api_types::Region;
use ovhai_core::Platform;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::body::ServerBody;
use crate::gateway::{Gateway, Refusal};
use crate::host::{self, Door, NoDoor};
use crate::limits::Limits;
use crate::seen::{Seen, Whither, Worker};
use crate::watched::{Note, Watched};

/// A client has this long for a small body.
const SMALL_BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// A body of at most so many bytes is taken in before a call is looked at.
const SMALL_BODY: u64 = 64 * 1024;
/// Between two looks for connections to apps that nobody uses any more.
const PURGE_EVERY: Duration = Duration::from_secs(30);

/// What every connection shares.
pub(crate) struct Shared {
    pub(crate) platform: Arc<Platform>,
    pub(crate) gateway: Gateway,
    /// The API of all regions; the region comes in the request's extensions.
    pub(crate) api: Router,
    /// Console and control, at `localhost`.
    pub(crate) local: Router,
    pub(crate) limits: Limits,
    pub(crate) seen: Arc<Seen>,
    pub(crate) worker: Mutex<Worker>,
}

/// Accepts until `stopping`; then lets connections finish their requests. The tracker has every
/// connection; `abandon` ends what did not finish.
pub(crate) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    connections: TaskTracker,
    stopping: CancellationToken,
    abandon: CancellationToken,
) {
    let mut purge = tokio::time::interval(PURGE_EVERY);
    purge.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            _ = purge.tick() => {
                shared.gateway.purge();
                let snapshot = shared.platform.snapshot();
                shared.seen.purge(|id| snapshot.app(id).is_some());
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    let serving = serve(stream, client, Arc::clone(&shared), stopping.clone());
                    let abandon = abandon.clone();
                    connections.spawn(async move {
                        tokio::select! {
                            () = serving => {}
                            () = abandon.cancelled() => {}
                        }
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: others go on, new ones wait.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
}

async fn serve(
    stream: TcpStream,
    client: SocketAddr,
    shared: Arc<Shared>,
    stopping: CancellationToken,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let limits = shared.limits;
    let opened = shared.seen.connection_opened();
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(watched(&shared, request, client).await) }
    });
    let _open = opened;
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_max)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, %client, "a connection ended badly");
    }
}

/// Has a request answered, and notes it when that has ended.
async fn watched(
    shared: &Arc<Shared>,
    mut request: Request<Incoming>,
    client: SocketAddr,
) -> Response<Watched> {
    let mut note = Note::new(shared, &mut request, client);
    let response = dispatch(shared, request, client, &mut note).await;
    note.watch(response)
}

async fn dispatch(
    shared: &Shared,
    request: Request<Incoming>,
    client: SocketAddr,
    note: &mut Note,
) -> Response<ServerBody> {
    let mut refuse = |status, why: &str| {
        let refusal = Refusal::new(status, why);
        note.refused_by(&refusal);
        refusal.into_response()
    };
    let mut hosts = request.headers().get_all(HOST).iter();
    let header = match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return refuse(StatusCode::BAD_REQUEST, "more than one Host header"),
        (header, None) => header.and_then(|value| value.to_str().ok()),
    };
    // An absolute target names the host (RFC 9112 section 3.2.2).
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let (Some(header), authority) = (header, authority) else {
        return refuse(StatusCode::BAD_REQUEST, "a Host header is required");
    };
    let name = authority.as_deref().unwrap_or(header);
    match host::door(name) {
        Ok(Door::App { id, port, region }) => match shared.platform.region(region) {
            Some(region) => {
                let region = region.clone();
                note.goes_to(Whither::App { id, known: false, port });
                shared.gateway.serve(request, id, port, &region, client.ip(), note).await
            }
            None => refuse(StatusCode::NOT_FOUND, "there is no such region here"),
        },
        Ok(Door::Api { region }) => match shared.platform.region(region) {
            Some(region) => {
                let region = region.clone();
                note.goes_to(Whither::Api);
                api(shared, request, region).await
            }
            None => refuse(StatusCode::NOT_FOUND, "there is no such region here"),
        },
        Ok(Door::Local) => {
            note.goes_to(Whither::Local);
            local(shared, request, note).await
        }
        Ok(Door::Grpc) => refuse(StatusCode::NOT_IMPLEMENTED, "gRPC to apps is not emulated yet"),
        Err(NoDoor::Malformed) => refuse(StatusCode::BAD_REQUEST, "the Host header is malformed"),
        Err(NoDoor::Misdirected) => refuse(
            StatusCode::MISDIRECTED_REQUEST,
            "this host is not served here: use localhost, <region>.ai.localhost or <app>.app.<region>.ai.localhost",
        ),
    }
}

/// `/regions/<R>/…` is the API of that region, other API paths are that of the default region,
/// the rest is console and control.
async fn local(
    shared: &Shared,
    mut request: Request<Incoming>,
    note: &mut Note,
) -> Response<ServerBody> {
    let path = request.uri().path();
    if let Some(rest) = path.strip_prefix("/regions/") {
        let (name, inner) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let Some(region) = shared.platform.region(name).cloned() else {
            let why = format!("there is no region {name:?} here");
            return Refusal::new(StatusCode::NOT_FOUND, why).into_response();
        };
        note.goes_to(Whither::Api);
        let target = match request.uri().query() {
            Some(query) => format!("{inner}?{query}"),
            None => inner.to_owned(),
        };
        return match target.parse::<Uri>() {
            Ok(uri) => {
                *request.uri_mut() = uri;
                api(shared, request, region).await
            }
            Err(_) => {
                Refusal::new(StatusCode::BAD_REQUEST, "the target is malformed").into_response()
            }
        };
    }
    let is_api = ["/v1/", "/oauth2/"].iter().any(|start| path.starts_with(start));
    if is_api || path == "/v1" || path == "/openapi.json" {
        note.goes_to(Whither::Api);
        return match shared.platform.default_region().cloned() {
            Some(region) => api(shared, request, region).await,
            None => Refusal::new(StatusCode::NOT_FOUND, "there is no region here").into_response(),
        };
    }
    route(&shared.local, request).await
}

async fn api(
    shared: &Shared,
    mut request: Request<Incoming>,
    region: Region,
) -> Response<ServerBody> {
    request.extensions_mut().insert(region);
    route(&shared.api, request).await
}

async fn route(router: &Router, request: Request<Incoming>) -> Response<ServerBody> {
    let request = match read_whole(request).await {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    match router.clone().oneshot(request).await {
        Ok(response) => response.map(ServerBody::Api),
        Err(never) => match never {},
    }
}

/// Takes a small body in before the request is looked at. A refusal that leaves it on the line
/// would cost the connection, which the client may just be using again.
async fn read_whole(request: Request<Incoming>) -> Result<Request<axum::body::Body>, Refusal> {
    let length = request.body().size_hint().exact();
    if length.is_none_or(|length| length == 0 || length > SMALL_BODY) {
        return Ok(request.map(axum::body::Body::new));
    }
    let (head, body) = request.into_parts();
    let body = tokio::time::timeout(SMALL_BODY_TIMEOUT, body.collect()).await;
    match body {
        Ok(Ok(body)) => Ok(Request::from_parts(head, body.to_bytes().into())),
        Ok(Err(_)) | Err(_) => {
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"))
        }
    }
}
