//! The door in front of the apps: finds the app, checks the caller, passes the request on.
//!
//! Access is decided by the domain's policy, with the newest durable snapshot, on every request.
//! The bearer that opened the door is not passed on. Every refusal has a JSON body; all bad
//! tokens get one and the same.

mod headers;
mod upgrade;
mod upstream;

use std::collections::BTreeSet;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http_body::Body;
use hyper::body::Incoming;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN,
    RETRY_AFTER, TRANSFER_ENCODING, UPGRADE, WWW_AUTHENTICATE,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use ovhai_api_types::{AppId, AppState, ErrorBody, Region};
use ovhai_core::Platform;
use ovhai_core::auth::{ACCESS_PREFIX, REFRESH_PREFIX};
use ovhai_core::directory::AppEntry;
use ovhai_core::platform::resource;
use ovhai_core::policy::{self, Action, Effect, Principal, Reason};
use ovhai_core::ports::Endpoint;

use tokio_util::sync::CancellationToken;

use crate::api::error::insufficient_scope;
use crate::bearer::{Bearer, bearer};
use crate::body::ServerBody;
pub use upstream::UpstreamBody;
use upstream::{Pool, RequestBody, UpstreamError};

/// How long an app may think before the head of its answer comes. As long as a large model may
/// take for an answer in one piece.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_mins(10);

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) ip: IpAddr,
    /// Whether TLS is spoken.
    pub(crate) secure: bool,
}

/// See the module.
pub(crate) struct Gateway {
    platform: Arc<Platform>,
    pool: Arc<Pool>,
    turn: AtomicUsize,
    /// Whether it was said that the cloud has no `X-OVHAI-Token`.
    told_apart: AtomicBool,
    /// Cancelled when open tunnels have to end.
    stopping: CancellationToken,
}

/// Where the token may come, for an app that has bearers of its own. The emulator's: the cloud
/// knows `Authorization` only.
const OWN_TOKEN: HeaderName = HeaderName::from_static("x-ovhai-token");
/// How a request without access is told so.
const CHALLENGE: &str = "Bearer realm=\"AI Deploy\"";
/// Begin every bearer that the emulator makes: tokens, and the two strings of a login.
const OWN: [&str; 3] = ["eyJhbGciOiJFZERTQSJ9.", ACCESS_PREFIX, REFRESH_PREFIX];

impl Gateway {
    pub(crate) fn new(platform: Arc<Platform>, stopping: CancellationToken) -> Self {
        Self {
            platform,
            pool: Arc::default(),
            turn: AtomicUsize::new(0),
            told_apart: AtomicBool::new(false),
            stopping,
        }
    }

    /// Closes connections that nobody used for a while; called from time to time.
    pub(crate) fn purge(&self) {
        self.pool.purge();
    }

    /// Answers one request to an app.
    pub(crate) async fn serve(
        &self,
        request: Request<Incoming>,
        id: AppId,
        port: Option<u16>,
        region: &Region,
        client: Peer,
    ) -> Response<ServerBody> {
        let of_a_page = request.headers().contains_key(ORIGIN);
        match self.pass(request, id, port, region, client).await {
            Ok(response) => response,
            Err(refusal) => refusal.readable_by_pages(of_a_page).into_response(),
        }
    }

    async fn pass(
        &self,
        mut request: Request<Incoming>,
        id: AppId,
        port: Option<u16>,
        region: &Region,
        client: Peer,
    ) -> Result<Response<ServerBody>, Refusal> {
        let (endpoint, principal) = {
            let snapshot = self.platform.snapshot();
            let entry =
                snapshot.app(id).filter(|entry| entry.record.region == *region).ok_or_else(
                    || Refusal::new(StatusCode::NOT_FOUND, format!("there is no app {id}")),
                )?;
            let principal = self.admit(&snapshot, entry, &mut request)?;
            if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
                return Err(Refusal::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    format!("{} is not passed on to apps", request.method()),
                ));
            }
            let other = port.filter(|port| *port != entry.record.spec.http_port);
            let endpoint = match other {
                None => self.choose(entry)?,
                Some(port) => self.choose_at(entry, port)?,
            };
            (endpoint, principal)
        };
        to_origin_form(&mut request)?;
        // The app's side has a version of its own.
        *request.version_mut() = Version::HTTP_11;
        if upgrade::is_asked(request.headers()) {
            let access = self.until_denied(principal, id);
            return upgrade::pass(request, endpoint, client, access).await;
        }
        headers::prepare_request(request.headers_mut(), client);
        let request = request.map(RequestBody::from);
        let request = with_framing(request);
        let answer = upstream::send(&self.pool, (id, endpoint), request);
        let mut response = tokio::time::timeout(ANSWER_TIMEOUT, answer).await.map_err(|_| {
            Refusal::new(StatusCode::GATEWAY_TIMEOUT, "the app does not answer in time")
        })??;
        headers::prepare_response(response.headers_mut());
        Ok(response.map(ServerBody::App))
    }

    /// Lets the caller in or refuses, and takes the token that opened the door out of the headers.
    fn admit<B: Body>(
        &self,
        snapshot: &ovhai_core::directory::Snapshot,
        entry: &AppEntry,
        request: &mut Request<B>,
    ) -> Result<Principal, Refusal> {
        if is_preflight(request) {
            let decision =
                policy::decide(&Principal::Anonymous, Action::Preflight, &resource(&entry.record));
            if decision.is_allowed() {
                // Browsers send none with it; nobody has looked at one that comes all the same.
                request.headers_mut().remove(AUTHORIZATION);
                request.headers_mut().remove(OWN_TOKEN);
                return Ok(Principal::Anonymous);
            }
        }
        let headers = request.headers_mut();
        let apart = self.token_apart(headers)?;
        if entry.record.spec.public || apart.is_some() {
            // The app may have bearers of its own. Ours are none of its business, in whatever
            // form they come.
            let mut values = headers.get_all(AUTHORIZATION).iter();
            if values.any(|value| self.is_ours(value.as_bytes())) {
                headers.remove(AUTHORIZATION);
            }
        }
        let given = match &apart {
            Some(token) => Bearer::Token(token),
            None => bearer(headers),
        };
        let principal = match &given {
            Bearer::Token(token) if !entry.record.spec.public => {
                self.platform.authenticate(snapshot, token).ok_or_else(Refusal::bad_token)?
            }
            _ => Principal::Anonymous,
        };
        let known = !matches!(principal, Principal::Anonymous);
        let decision = policy::decide(&principal, Action::Query, &resource(&entry.record));
        match decision.effect {
            Effect::Allow => {
                if known && apart.is_none() {
                    headers.remove(AUTHORIZATION);
                }
                Ok(principal)
            }
            Effect::Unauthenticated if decision.reason == Reason::Anonymous => {
                Err(if matches!(given, Bearer::None) {
                    Refusal::no_token()
                } else {
                    Refusal::bad_token()
                })
            }
            Effect::Unauthenticated => Err(Refusal::bad_token()),
            Effect::Forbidden | Effect::OutOfScope => {
                let (app, who) = (entry.record.id, principal.name());
                tracing::info!(%app, who, reason = %decision.reason, "a request was refused");
                Err(Refusal::forbidden(&decision.reason))
            }
        }
    }

    /// The token in `X-OVHAI-Token`, which leaves `Authorization` to the app; it is taken out.
    fn token_apart(&self, headers: &mut HeaderMap) -> Result<Option<String>, Refusal> {
        let mut all = headers.get_all(OWN_TOKEN).iter();
        let token = match (all.next(), all.next()) {
            (None, _) => return Ok(None),
            (Some(one), None) => one.to_str().ok().map(|token| token.trim().to_owned()),
            (Some(_), Some(_)) => None,
        };
        headers.remove(OWN_TOKEN);
        if !self.told_apart.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "a token came in X-OVHAI-Token: the cloud knows Authorization only, and would refuse it"
            );
        }
        token.map(Some).ok_or_else(Refusal::bad_token)
    }

    /// Whether a header's value has a token of this emulator in it, current or not.
    fn is_ours(&self, value: &[u8]) -> bool {
        OWN.iter().any(|own| value.windows(own.len()).any(|part| part == own.as_bytes()))
            || self.platform.mentions_administrator(value)
    }

    /// Ready when a caller that was let in would not be any more, or everything stops.
    fn until_denied(&self, principal: Principal, id: AppId) -> impl Future<Output = ()> + use<> {
        let (platform, stopping) = (Arc::clone(&self.platform), self.stopping.clone());
        let mut changes = platform.watch();
        async move {
            loop {
                let allowed = platform.is_current(&principal)
                    && platform.snapshot().app(id).is_some_and(|entry| {
                        policy::decide(&principal, Action::Query, &resource(&entry.record))
                            .is_allowed()
                    });
                if !allowed {
                    return;
                }
                tokio::select! {
                    seen = changes.changed() => if seen.is_err() { return },
                    () = stopping.cancelled() => return,
                }
            }
        }
    }

    /// The address of a replica that answers, each in its turn.
    fn choose(&self, entry: &AppEntry) -> Result<std::net::SocketAddr, Refusal> {
        let endpoints = &entry.live.endpoints;
        match endpoints.as_slice() {
            [] => Err(Refusal::not_ready(entry)),
            [one] => Ok(one.http),
            many => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                Ok(many[turn % many.len()].http)
            }
        }
    }

    /// The same for another port than the app's own, at those that listen there.
    fn choose_at(&self, entry: &AppEntry, port: u16) -> Result<std::net::SocketAddr, Refusal> {
        let endpoints = &entry.live.endpoints;
        if endpoints.is_empty() {
            return Err(Refusal::not_ready(entry));
        }
        let there: Vec<_> = endpoints.iter().filter_map(|endpoint| endpoint.at(port)).collect();
        match there.as_slice() {
            [] => Err(not_listening(entry, port)),
            many => Ok(many[self.turn.fetch_add(1, Ordering::Relaxed) % many.len()]),
        }
    }
}

/// Nothing of the app listens there; says what does.
fn not_listening(entry: &AppEntry, port: u16) -> Refusal {
    let ports: BTreeSet<u16> = entry.live.endpoints.iter().flat_map(Endpoint::ports).collect();
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    Refusal::new(
        StatusCode::BAD_GATEWAY,
        format!(
            "the app {} does not listen on port {port}; it listens on {}",
            entry.record.id,
            if ports.is_empty() { "its own port only".into() } else { ports.join(", ") }
        ),
    )
}

/// Whether a browser asks what a page from elsewhere may: without credentials, and without a body
/// that would reach the app.
fn is_preflight<B: Body>(request: &Request<B>) -> bool {
    let headers = request.headers();
    *request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        && !headers.contains_key(UPGRADE)
        && request.body().is_end_stream()
}

/// An absolute target becomes what the app would have got directly; path and query stay as they
/// are.
fn to_origin_form<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    let Some(authority) = request.uri().authority() else { return Ok(()) };
    // The target names the host, whatever the header says (RFC 9112 section 3.2.2).
    let malformed = |_| Refusal::new(StatusCode::BAD_REQUEST, "the request's target is malformed");
    let host = HeaderValue::try_from(authority.as_str()).map_err(malformed)?;
    request.headers_mut().insert(HOST, host);
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = target
        .parse::<Uri>()
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the request's target is malformed"))?;
    Ok(())
}

/// A body of unknown length is chunked, whatever the method is.
fn with_framing(mut request: Request<RequestBody>) -> Request<RequestBody> {
    let unknown = request.body().size_hint().exact().is_none();
    if unknown && !request.headers().contains_key(CONTENT_LENGTH) {
        let chunked = HeaderValue::from_static("chunked");
        request.headers_mut().insert(TRANSFER_ENCODING, chunked);
    }
    request
}

/// A request that is not passed on.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    challenge: Option<String>,
    retry_after: Option<u32>,
    /// Whether pages from elsewhere may read it.
    for_pages: bool,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message, challenge: None, retry_after: None, for_pages: false }
    }

    /// Lets a page from elsewhere read why it has no access, so that it can say so; what a cookie
    /// got is not for it.
    fn readable_by_pages(mut self, of_a_page: bool) -> Self {
        let no_access = matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        self.for_pages = of_a_page && no_access;
        self
    }

    fn no_token() -> Self {
        Self {
            challenge: Some(CHALLENGE.into()),
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                "authentication is required: send the header Authorization: Bearer <token>",
            )
        }
    }

    /// One answer for every kind of bad token.
    fn bad_token() -> Self {
        Self {
            challenge: Some(format!("{CHALLENGE}, error=\"invalid_token\"")),
            ..Self::new(StatusCode::UNAUTHORIZED, "the token is not valid here")
        }
    }

    fn forbidden(reason: &Reason) -> Self {
        let text = reason.to_string();
        Self {
            challenge: Some(format!("{CHALLENGE}, {}", insufficient_scope(&text))),
            ..Self::new(StatusCode::FORBIDDEN, format!("forbidden: {text}"))
        }
    }

    fn not_ready(entry: &AppEntry) -> Self {
        let record = &entry.record;
        let soon = matches!(
            record.state,
            AppState::Queued | AppState::Initializing | AppState::Running | AppState::Scaling
        );
        Self {
            retry_after: soon.then_some(1),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("the app {} is {}: {}", record.id, record.state, record.info.message),
            )
        }
    }

    pub(crate) fn into_response(self) -> Response<ServerBody> {
        let body = serde_json::to_vec(&ErrorBody { message: self.message }).unwrap_or_default();
        let mut response = Response::new(ServerBody::text(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(challenge) = self.challenge.and_then(|c| HeaderValue::try_from(c).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if self.for_pages {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            let exposed = HeaderValue::from_static("WWW-Authenticate");
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<UpstreamError> for Refusal {
    fn from(error: UpstreamError) -> Self {
        tracing::debug!(%error, "no answer from an app");
        let status = match error {
            UpstreamError::ConnectTimeout => StatusCode::GATEWAY_TIMEOUT,
            UpstreamError::RequestBody => StatusCode::BAD_REQUEST,
            UpstreamError::Connect(_) | UpstreamError::Broken(_) | UpstreamError::Unasked => {
                StatusCode::BAD_GATEWAY
            }
        };
        Self::new(status, error.to_string())
    }
}
