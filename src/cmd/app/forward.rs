//! One local connection's requests, passed on to an app with a token added.
//!
//! Because a credential is added, requests from pages of other origins are rejected, whether of the
//! internet or of another port of this machine: by the Host, against names that resolve to this
//! machine (DNS rebinding), and by the gateway's own rule for requests across origins
//! ([`ovhai_emulator::origin`]). Origins that the user names are let through.
//!
//! The local emulator gets the host that the browser uses, so that an app that writes absolute
//! addresses writes those that the browser can reach with the credential.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT,
    HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN, PROXY_AUTHORIZATION, REFERER, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE, VARY,
};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use ovhai_client::{AppClient, AppConnection, Error as ClientError, RequestBody, Unanswered};
use ovhai_emulator::host::is_this_machine;
use ovhai_emulator::origin::HowUsed;
use ovhai_emulator::{FORWARDED_HOST, GATEWAY_TOKEN};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// Maximum number of header fields of a request, as at the gateway.
const FIELDS_MAX: usize = 256;

/// How long to wait for an idle connection to prove usable.
const PATIENCE: Duration = Duration::from_millis(100);

/// A credential that was refused, reported to the task that may have another.
pub(super) struct CredentialRefused {
    pub(super) token: HeaderValue,
    pub(super) looked: oneshot::Sender<()>,
}

/// Whether and how the gateway learns the host that the browser uses.
pub(super) enum Tells {
    /// It is not one of the emulator's tokens.
    Nothing,
    /// Yes, by the token's caller.
    ByToken,
    /// Yes, by another caller: the app is public, and `Authorization` is its own.
    As(HeaderValue),
}

/// See the module.
pub(super) struct Forwarder {
    client: AppClient,
    token: Mutex<Option<HeaderValue>>,
    refused: mpsc::Sender<CredentialRefused>,
    tells: Tells,
    /// Other origins whose pages may send requests.
    allowed: Vec<Origin>,
    /// Checks whether the credential's server still has its address.
    is_there: IsThere,
}

/// A check whether a server still has its address.
pub(super) type IsThere = Box<dyn Fn() -> bool + Send + Sync>;

/// An origin of pages, as browsers write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin(String);

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "use scheme, host and port, such as http://localhost:3000";
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
        let (Some(scheme), Some(authority)) = (scheme, uri.authority()) else { return Err(FORM) };
        let is_bare = uri.path() == "/" && uri.query().is_none() && !text.contains(['@', '#']);
        if !is_bare || authority.host().contains('*') {
            return Err(FORM);
        }
        let host = authority.host().to_ascii_lowercase();
        let usual = if scheme == "http" { 80 } else { 443 };
        Ok(Self(match authority.port_u16().filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }
}

impl Forwarder {
    pub(super) fn new(
        client: AppClient,
        token: Option<HeaderValue>,
        refused: mpsc::Sender<CredentialRefused>,
        tells: Tells,
        allowed: Vec<Origin>,
        is_there: IsThere,
    ) -> Self {
        Self { client, token: Mutex::new(token), refused, tells, allowed, is_there }
    }

    /// A new connection. If the emulator has stopped, another program may have its port, and must
    /// not get the credential.
    async fn connect(&self) -> Result<AppConnection, Refusal> {
        let connection = self.client.connect().await?;
        if (self.is_there)() { Ok(connection) } else { Err(Refusal::gone()) }
    }

    /// Replaces the credential.
    pub(super) fn use_token(&self, token: HeaderValue) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    fn token(&self) -> Option<HeaderValue> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves one connection until it ends.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream) {
        let Ok(local) = stream.local_addr() else { return };
        let _ = stream.set_nodelay(true);
        let kept = Arc::new(tokio::sync::Mutex::new(None));
        let service = service_fn(move |request| {
            let (this, kept) = (Arc::clone(&self), Arc::clone(&kept));
            async move {
                let mut kept = kept.lock().await;
                let reader = this.allowed_origin(request.headers());
                let answer = this.answer(request, local.ip(), &mut kept).await;
                Ok::<_, Infallible>(answer.unwrap_or_else(|refusal| refusal.into_answer(reader)))
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .max_headers(FIELDS_MAX)
            .serve_connection(TokioIo::new(stream), service);
        // Errors concern the client only.
        let _ = connection.with_upgrades().await;
    }

    async fn answer(
        &self,
        mut request: Request<Incoming>,
        local: IpAddr,
        kept: &mut Option<AppConnection>,
    ) -> Result<Answer, Refusal> {
        let host = self.admit(&request, local)?;
        let upgrade = is_upgrade(request.headers()).then(|| hyper::upgrade::on(&mut request));
        let (mut head, body) = request.into_parts();
        self.prepare(&mut head, &host, upgrade.is_some());
        let mut body = RequestBody::from(body);
        // Only a request without a body can be sent a second time.
        let mut again = body.is_empty();
        let brings_its_own = head.headers.contains_key(AUTHORIZATION);
        let mut response = loop {
            let token = self.token().filter(|_| !brings_its_own);
            let mut headers = head.headers.clone();
            if let Some(token) = &token {
                headers.insert(AUTHORIZATION, token.clone());
            }
            let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
            let body = std::mem::take(&mut body);
            let request = self.client.request(head.method.clone(), target, headers, body)?;
            let response = if upgrade.is_some() {
                self.connect().await?.send(request).await.map_err(|failed| failed.error)?
            } else {
                self.send(request, kept).await?
            };
            let Some(token) = token.filter(|_| response.status() == StatusCode::UNAUTHORIZED)
            else {
                break response;
            };
            let (looked, done) = oneshot::channel();
            let asked = self.refused.send(CredentialRefused { token: token.clone(), looked }).await;
            if asked.is_err() || done.await.is_err() || !again || self.token() == Some(token) {
                break response;
            }
            again = false;
        };
        let app_side = (response.status() == StatusCode::SWITCHING_PROTOCOLS)
            .then(|| hyper::upgrade::on(&mut response));
        let (mut head, body) = response.into_parts();
        head.version = Version::HTTP_11;
        self.prepare_answer(&mut head.headers, &host, app_side.is_some());
        if let (Some(local_side), Some(app_side)) = (upgrade, app_side) {
            tokio::spawn(async move {
                // Either side may be gone already.
                if let (Ok(local), Ok(app)) = tokio::join!(local_side, app_side) {
                    let (mut local, mut app) = (TokioIo::new(local), TokioIo::new(app));
                    // Errors concern these two only.
                    let _ = tokio::io::copy_bidirectional(&mut local, &mut app).await;
                }
            });
            return Ok(Response::from_parts(head, Either::Right(Full::default())));
        }
        Ok(Response::from_parts(head, Either::Left(body)))
    }

    /// Sends a request, on the last connection if it is still usable.
    async fn send(
        &self,
        request: Request<RequestBody>,
        kept: &mut Option<AppConnection>,
    ) -> Result<Response<Incoming>, Refusal> {
        let mut request = request;
        if let Some(mut connection) = kept.take()
            && tokio::time::timeout(PATIENCE, connection.is_good()).await == Ok(true)
        {
            match connection.send(request).await {
                Ok(response) => {
                    *kept = Some(connection);
                    return Ok(response);
                }
                // It was closed just now.
                Err(Unanswered { unsent: Some(unsent), .. }) => request = *unsent,
                Err(Unanswered { error, .. }) => return Err(error.into()),
            }
        }
        let mut connection = self.connect().await?;
        let response = connection.send(request).await.map_err(|failed| failed.error)?;
        *kept = Some(connection);
        Ok(response)
    }

    /// Prepares a request's headers for the gateway, with the gateway's own host.
    fn prepare(&self, head: &mut Parts, host: &str, is_upgrade: bool) {
        let headers = &mut head.headers;
        let wants_trailers = words(headers, &TE).any(|word| word.eq_ignore_ascii_case("trailers"));
        remove_hop_by_hop(headers, is_upgrade);
        for name in [HOST, EXPECT, PROXY_AUTHORIZATION, TE] {
            headers.remove(name);
        }
        if wants_trailers {
            headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        headers.remove(FORWARDED_HOST);
        if let Some(host) = HeaderValue::from_str(host).ok().filter(|_| is_this_machine(host)) {
            match &self.tells {
                Tells::Nothing => {}
                Tells::ByToken => _ = headers.insert(FORWARDED_HOST, host),
                Tells::As(bearer) => {
                    headers.insert(FORWARDED_HOST, host);
                    headers.insert(GATEWAY_TOKEN, bearer.clone());
                }
            }
        }
        // Same-origin here is same-origin there.
        let here = format!("http://{host}");
        for name in [ORIGIN, REFERER] {
            move_address(headers, &name, &here, self.client.url());
        }
    }

    /// Prepares a response's headers for the client.
    fn prepare_answer(&self, headers: &mut HeaderMap, host: &str, is_upgrade: bool) {
        if headers.contains_key(TRANSFER_ENCODING) {
            headers.remove(CONTENT_LENGTH);
        }
        remove_hop_by_hop(headers, is_upgrade);
        move_address(headers, &LOCATION, self.client.url(), &format!("http://{host}"));
    }
}

impl Forwarder {
    /// The host of a request, if it is this forwarder and the request comes from no page of another
    /// origin, or of an allowed one.
    fn admit(&self, request: &Request<Incoming>, local: IpAddr) -> Result<String, Refusal> {
        let headers = request.headers();
        let host = match (request.uri().authority(), headers.get_all(HOST).iter().count()) {
            // An absolute target overrides the Host header (RFC 9112 section 3.2.2).
            (Some(authority), 0 | 1) => Some(authority.as_str()),
            (None, 1) => headers.get(HOST).and_then(|host| host.to_str().ok()),
            _ => None,
        };
        let host = host.filter(|host| is_here(host, local)).ok_or_else(|| Refusal {
            status: StatusCode::MISDIRECTED_REQUEST,
            message: "ovhai app port-forward serves localhost, 127.0.0.1, [::1] and the address that it listens on".into(),
        })?;
        let header = |name| headers.get(name).map(HeaderValue::as_bytes);
        let method = request.method().as_str().as_bytes();
        let how = HowUsed::new(method, header, headers.contains_key(UPGRADE), false);
        let how = HowUsed { host: Some(host.as_bytes()), ..how };
        // If a header comes twice, the app may use the other one.
        let is_clear = SAYS_FROM_WHERE.iter().all(|name| headers.get_all(*name).iter().count() < 2);
        let may_pass = how.is_from_here() || self.allowed_origin(headers).is_some();
        if is_clear && may_pass { Ok(host.to_owned()) } else { Err(Refusal::foreign()) }
    }

    /// The origin of a request, if the user allowed it. Without `Origin`, as for images, `Referer`
    /// is used: a page can omit it, but can't forge another origin's.
    fn allowed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if let Some(origin) = headers.get(ORIGIN) {
            let is_allowed = self.allowed.iter().any(|allowed| allowed.0.as_bytes() == origin);
            return is_allowed.then(|| origin.clone());
        }
        let referer: Uri = headers.get(REFERER)?.to_str().ok()?.parse().ok()?;
        let origin = format!("{}://{}", referer.scheme_str()?, referer.authority()?);
        let allowed = self.allowed.iter().find(|allowed| allowed.0 == origin)?;
        HeaderValue::from_str(&allowed.0).ok()
    }
}

/// Headers that name the origin of a request.
const SAYS_FROM_WHERE: [&str; 4] = ["origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"];

/// Replaces the prefix `from` of an address by `to`.
fn move_address(headers: &mut HeaderMap, name: &HeaderName, from: &str, to: &str) {
    let Some(value) = headers.get_mut(name) else { return };
    let moved = value.to_str().ok().and_then(|text| {
        let rest = text.strip_prefix(from)?;
        (rest.is_empty() || rest.starts_with(['/', '?', '#'])).then(|| format!("{to}{rest}"))
    });
    if let Some(moved) = moved.and_then(|text| HeaderValue::try_from(text).ok()) {
        *value = moved;
    }
}

fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(UPGRADE)
        && words(headers, &CONNECTION).any(|word| word.eq_ignore_ascii_case("upgrade"))
}

/// Removes hop-by-hop headers (RFC 9110 section 7.6.1).
fn remove_hop_by_hop(headers: &mut HeaderMap, is_upgrade: bool) {
    let named: Vec<HeaderName> = words(headers, &CONNECTION)
        .filter_map(|name| name.parse().ok())
        .filter(|name| ![HOST, TRAILER, UPGRADE, AUTHORIZATION].contains(name))
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding"] {
        headers.remove(name);
    }
    if is_upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    } else {
        headers.remove(UPGRADE);
    }
}

/// Whether a host, with or without a port, is a name of this machine that can't be registered.
fn is_here(host: &str, local: IpAddr) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if host.contains('@') {
        return false;
    }
    let name = authority.host();
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || ip.is_ok_and(|ip| {
            ip == IpAddr::V4(Ipv4Addr::LOCALHOST)
                || ip == IpAddr::V6(Ipv6Addr::LOCALHOST)
                || ip == local
        })
}

/// A request that is not passed on.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        let status = match error {
            ClientError::Request(_) => StatusCode::BAD_REQUEST,
            ClientError::Timeout => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        Self { status, message: error.to_string() }
    }
}

impl Refusal {
    fn foreign() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            message: "ovhai app port-forward rejects requests from pages of other origins; to allow one, start it with --allow-origin URL".into(),
        }
    }

    fn gone() -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            message: "the emulator that the app runs in has stopped: start it again on the same port, or start ovhai app port-forward again".into(),
        }
    }

    /// `reader` is an origin whose pages may read the response.
    fn into_answer(self, reader: Option<HeaderValue>) -> Answer {
        let body = serde_json::json!({ "message": self.message }).to_string();
        let mut answer = Response::new(Either::Right(Full::from(body)));
        *answer.status_mut() = self.status;
        let kind = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        if let Some(origin) = reader {
            answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            answer.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
        }
        answer
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn local_hosts_are_recognized() {
        let local: IpAddr = "192.168.1.5".parse().unwrap();
        for good in [
            "localhost",
            "localhost.:1",
            "LOCALHOST:1",
            "127.0.0.1:8080",
            "[::1]:80",
            "192.168.1.5:9",
            "[::1]",
        ] {
            assert!(is_here(good, local), "{good}");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil",
            "u@localhost",
            "",
            "192.168.1.6",
            "127.0.0.2",
            "a b",
        ] {
            assert!(!is_here(bad, local), "{bad}");
        }
    }

    #[test]
    fn origins() {
        for (given, origin) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("HTTP://LocalHost:80/", "http://localhost"),
            ("https://ui.example:443", "https://ui.example"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(given.parse(), Ok(Origin(origin.into())), "{given}");
        }
        for bad in [
            "*",
            "null",
            "localhost:3000",
            "http://",
            "ftp://a",
            "http://a/x",
            "http://a?x",
            "http://u@a",
            "http://*",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_move() {
        let moved = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_static(value));
            move_address(&mut headers, &LOCATION, "http://a:1", "http://b");
            headers[LOCATION].to_str().unwrap().to_owned()
        };
        assert_eq!(moved("http://a:1/x?y"), "http://b/x?y");
        assert_eq!(moved("http://a:1"), "http://b");
        for same in ["http://a:12/", "/x", "http://c/http://a:1/"] {
            assert_eq!(moved(same), same);
        }
    }
}
