//! Requests to an app itself, through the gateway.
//!
//! Path and query are sent byte for byte. No proxy is used and no redirect followed, so that a
//! bearer goes nowhere else. TLS is set up only for an `https` address.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::ext::ReasonPhrase;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue};
use hyper::header::{TRANSFER_ENCODING, USER_AGENT};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::body::RequestBody;
use crate::error::{Error, deepest};
use crate::{CONNECT_TIMEOUT, Result};

/// Maximum size of a response's head, in bytes; also the read buffer's limit.
const HEAD_MAX: usize = 256 * 1024;
/// Maximum header fields of a response: the emulator's highest possible limit.
const FIELDS_MAX: usize = 4096;
/// Maximum length of path and query, in bytes, of the type that holds them.
const TARGET_MAX: usize = 65_534;

/// Sends requests to one app.
#[derive(Debug, Clone)]
pub struct AppClient {
    url: String,
    authority: HeaderValue,
    host: String,
    port: u16,
    connect: Option<SocketAddr>,
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// A connection to the gateway, for consecutive requests.
#[derive(Debug)]
pub struct AppConnection(SendRequest<RequestBody>);

/// A request without a response.
#[derive(Debug)]
pub struct Unanswered {
    /// Why.
    pub error: Error,
    /// The request, if no byte of it was sent.
    pub unsent: Option<Box<Request<RequestBody>>>,
}

/// An app's response, whose body is not read yet.
#[derive(Debug)]
pub struct AppResponse {
    /// Protocol version, such as `HTTP/1.1`.
    pub version: String,
    /// Status code.
    pub status: u16,
    /// Reason phrase.
    pub reason: String,
    /// Headers.
    pub headers: HeaderMap,
    body: Incoming,
}

impl AppResponse {
    fn new(response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let phrase = head.extensions.get::<ReasonPhrase>();
        let reason = match phrase {
            Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
            None => head.status.canonical_reason().unwrap_or_default().to_owned(),
        };
        Self {
            version: format!("{:?}", head.version),
            status: head.status.as_u16(),
            reason,
            headers: head.headers,
            body,
        }
    }

    /// The next piece of the body; none at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        loop {
            let body = &mut self.body;
            match std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx)).await {
                None => return Ok(None),
                Some(Err(error)) => return Err(Error::Broken(deepest(&error))),
                Some(Ok(frame)) => {
                    // Trailers are ignored.
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }
}

/// The value of an `Authorization` header; logs do not show it.
pub fn bearer(token: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| Error::Request("the token contains invalid characters".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

impl AppClient {
    /// A client of the app at `url`. With `connect` it connects there instead of resolving the
    /// app's host name.
    pub fn new(url: &str, connect: Option<SocketAddr>) -> Result<Self> {
        let malformed = |why: String| Error::Request(format!("{url:?} is not an address: {why}"));
        let parsed: Uri = url.parse().map_err(|error| malformed(format!("{error}")))?;
        let is_tls = match parsed.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(malformed("it does not begin with http:// or https://".into())),
        };
        let authority = parsed.authority().ok_or_else(|| malformed("no host".into()))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(malformed("its host is malformed".into()));
        }
        Ok(Self {
            url: format!("{}://{authority}", if is_tls { "https" } else { "http" }),
            authority: HeaderValue::try_from(authority.as_str())
                .map_err(|error| malformed(error.to_string()))?,
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            host,
            connect,
            tls: is_tls.then(tls).transpose()?,
        })
    }

    /// Scheme, host and port of the app's address, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends one request on a connection of its own. `target` is path and query.
    pub async fn send(
        &self,
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: RequestBody,
    ) -> Result<AppResponse> {
        let request = self.request(method, target, headers, body)?;
        let mut connection = self.connect().await?;
        connection.send(request).await.map(AppResponse::new).map_err(|failed| failed.error)
    }

    /// Sends a GET without a body.
    pub async fn get(&self, target: &str, token: Option<&str>) -> Result<AppResponse> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, bearer(token)?);
        }
        self.send(Method::GET, target, headers, RequestBody::default()).await
    }

    /// A request whose path and query are `target`, byte for byte.
    pub fn request(
        &self,
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: RequestBody,
    ) -> Result<Request<RequestBody>> {
        let refused =
            |why: &str| Error::Request(format!("{target:?} is not a path of the app: {why}"));
        if method == Method::CONNECT {
            return Err(Error::Request("CONNECT is not supported".into()));
        }
        if target.contains('#') {
            return Err(refused("the part after # is never sent; write # as %23"));
        }
        if target.len() > TARGET_MAX {
            return Err(Error::Request(format!("the path is longer than {TARGET_MAX} bytes")));
        }
        let parsed = PathAndQuery::try_from(target).ok().filter(|parsed| parsed.as_str() == target);
        let parsed = parsed
            .filter(|parsed| parsed.as_str().starts_with('/') || parsed.as_str() == "*")
            .ok_or_else(|| refused("it has characters that must be written as %XX, such as %20"))?;
        let mut uri = hyper::http::uri::Parts::default();
        uri.path_and_query = Some(parsed);
        let uri = Uri::from_parts(uri).map_err(|error| refused(&error.to_string()))?;
        let is_chunked = body.size_hint().exact().is_none();
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let all = request.headers_mut();
        all.insert(HOST, self.authority.clone());
        all.extend(headers);
        // A body of unknown length is chunked, for every method.
        if is_chunked && !all.contains_key(CONTENT_LENGTH) {
            all.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        Ok(request)
    }

    /// Opens a connection, TLS included.
    pub async fn connect(&self) -> Result<AppConnection> {
        match tokio::time::timeout(CONNECT_TIMEOUT, self.open()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Timeout),
        }
    }

    async fn open(&self) -> Result<AppConnection> {
        let refused = |error: std::io::Error| Error::Connect(deepest(&error));
        let stream = self.dial().await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        let Some(config) = &self.tls else { return handshake(stream).await };
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| Error::Request(format!("{:?} is not a host name", self.host)))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
        handshake(connector.connect(name, stream).await.map_err(refused)?).await
    }

    async fn dial(&self) -> std::io::Result<TcpStream> {
        if let Some(address) = self.connect {
            return TcpStream::connect(address).await;
        }
        if !is_localhost(&self.host) {
            return TcpStream::connect((self.host.as_str(), self.port)).await;
        }
        // By RFC 6761 such a name is this machine, whatever the resolver says.
        match TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await {
            Ok(stream) => Ok(stream),
            Err(first) => {
                TcpStream::connect((Ipv6Addr::LOCALHOST, self.port)).await.map_err(|_| first)
            }
        }
    }
}

/// Whether a host name is this machine by its name alone.
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

fn tls() -> Result<Arc<rustls::ClientConfig>> {
    let failed = |error: rustls::Error| Error::Connect(format!("no TLS: {error}"));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_platform_verifier()
        .map_err(failed)?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<AppConnection> {
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_MAX)
        .max_headers(FIELDS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Error::Broken(deepest(&error)))?;
    // Errors are reported through the request or the response's body.
    tokio::spawn(connection.with_upgrades());
    Ok(AppConnection(sender))
}

impl AppConnection {
    /// Whether the connection can probably take another request; waits for the end of the last one.
    pub async fn is_good(&mut self) -> bool {
        self.0.ready().await.is_ok()
    }

    /// Sends a request. A response with status 101 can be upgraded.
    pub async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Unanswered> {
        self.0.try_send_request(request).await.map_err(|mut failed| {
            let unsent = failed.take_message().map(Box::new);
            Unanswered { error: Error::Broken(deepest(failed.error())), unsent }
        })
    }
}

/// The user agent.
pub fn user_agent() -> (hyper::header::HeaderName, HeaderValue) {
    (USER_AGENT, HeaderValue::from_static(concat!("ovhai/", env!("CARGO_PKG_VERSION"))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn target(text: &str) -> Result<String> {
        let client = AppClient::new("http://x.localhost:1", None).unwrap();
        let request =
            client.request(Method::GET, text, HeaderMap::new(), RequestBody::default())?;
        Ok(request.uri().to_string())
    }

    #[test]
    fn targets_are_sent_unchanged() {
        for same in ["/", "/a/../b", "//x", "/%7e%zz", "/a//./", "/?", "/?a=b&&c", "/é", "*"] {
            assert_eq!(target(same).unwrap(), same);
        }
        let longest = format!("/{}", "x".repeat(TARGET_MAX - 1));
        assert_eq!(target(&longest).unwrap(), longest);
        assert!(target(&(longest + "x")).unwrap_err().to_string().contains("longer than"));
        for (bad, says) in [("/a b", "%20"), ("/a#b", "%23"), ("a", "%XX"), ("/a\r\nX: y", "%XX")] {
            let error = target(bad).unwrap_err().to_string();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }

    #[test]
    fn addresses() {
        let client = AppClient::new("http://[::1]:80/x", None).unwrap();
        assert_eq!(
            (client.host.as_str(), client.port, client.url()),
            ("::1", 80, "http://[::1]:80")
        );
        assert_eq!(AppClient::new("https://a.example", None).unwrap().port, 443);
        for bad in ["x", "ftp://a", "http://", "http://u:p@h/"] {
            assert!(AppClient::new(bad, None).is_err(), "{bad}");
        }
        assert!(is_localhost("a.LOCALHOST") && is_localhost("localhost."));
        assert!(!is_localhost("localhost.example") && !is_localhost("notlocalhost"));
    }

    #[test]
    fn a_bearer_is_never_shown() {
        let value = bearer("secret").unwrap();
        assert!(!format!("{value:?}").contains("secret"));
        let said = bearer("sec\nret").unwrap_err().to_string();
        assert!(!said.contains("ret\"") && !said.contains("sec"), "{said}");
    }
}
