//! Typed calls of the OVHcloud AI API (`v1`), for any server that speaks it.
//!
//! There is one error type. A bearer is sent and never shown. Redirects are not followed, so that a
//! bearer goes nowhere else. A plain-HTTP client loads no TLS roots.
//!
//! What must not be here: the choice of a server or token, and messages for users.

mod app_http;
mod body;
mod brief;
mod control;
mod data;
mod error;
mod exec;
mod offers;
mod record;
mod renew;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ovhai_api_types::{
    App, AppId, AppSpec, AppUpdate, AppUpdateImage, AppUpdateRequest, DOMAIN_TIME, DataSync,
    DataSyncSpec, Deletion, ErrorBody, LabelUpdate, LabelsUpdate, Me, Metadata, ScalingStrategy,
    Token, TokenId, TokenSpec,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use app_http::{AppClient, AppConnection, AppResponse, Unanswered, bearer, user_agent};
pub use body::RequestBody;
pub use brief::{AppRow, Brief, RowSpec, RowStatus};
pub use data::{ObjectBody, ObjectSink, ObjectStream};
pub use error::Error;
pub use exec::{ExecMessage, ExecReceiver, ExecSender, ExecTask};
pub use record::{Exchange, Recorder, Waits};
pub use renew::{Renew, Renewed};

/// The result of every call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
const PAGE: u32 = 1000;
/// Maximum number of pages of a list.
const PAGES: u32 = 1000;

/// How to reach a server.
#[derive(Clone)]
pub struct Endpoint {
    /// Base of the API: `/v1/…` is appended.
    pub base: String,
    /// The bearer of every call, if any.
    pub bearer: Option<String>,
    /// The address to connect to, instead of resolving the base's host name.
    pub connect: Option<SocketAddr>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("base", &self.base).finish_non_exhaustive()
    }
}

/// A client of one region's API.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    /// The endpoint's bearer, until it is refreshed.
    bearer: renew::Current,
    renew: Option<Arc<dyn Renew>>,
    recorder: Option<Arc<dyn Recorder>>,
    read_only: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A client without TLS roots for plain HTTP: loading them takes longer than the call.
pub(crate) fn http_client(
    url: &str,
    resolve: Option<(&str, SocketAddr)>,
) -> Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none());
    if url.starts_with("http://") {
        builder = builder.tls_certs_only([]).no_proxy();
    }
    if let Some((host, address)) = resolve {
        builder = builder.resolve(host, address);
    }
    builder.build().map_err(Error::from_reqwest)
}

/// The host name in an address, without its port.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    };
    Some(host).filter(|host| !host.is_empty())
}

/// Port 0: the address's own.
const LOCALHOST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn is_local_name(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether a URL is of this machine.
pub fn is_loopback(url: &str) -> bool {
    host_of(url).is_some_and(|host| {
        is_local_name(host) || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// One page of a list.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    metadata: Metadata,
}

/// Which apps to list.
#[derive(Debug, Clone, Default)]
pub struct AppFilter {
    /// A label selector.
    pub selector: Option<String>,
    /// States; when empty, all.
    pub states: Vec<String>,
    /// Only apps of this name, else those whose id has this prefix; servers that can't filter
    /// return all.
    pub named: Option<String>,
}

/// The part of an app's output to read.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Follow the output.
    pub follow: bool,
    /// Number of lines from the end.
    pub tail: Option<u32>,
    /// Only of this replica.
    pub replica: Option<String>,
    /// Only of the last ended runs; an extension of the emulator.
    pub previous: bool,
    /// Only output since this time, in milliseconds of Unix time; an extension of the emulator.
    pub since: Option<i64>,
    /// Prefix each line with its time; an extension of the emulator.
    pub timestamps: bool,
}

/// Streamed output.
#[derive(Debug)]
pub struct LogStream(Response);

impl LogStream {
    /// The next piece; none at the end.
    pub async fn next(&mut self) -> Result<Option<bytes::Bytes>> {
        self.0.chunk().await.map_err(Error::from_reqwest)
    }
}

impl Client {
    /// A client; nothing is sent yet.
    pub fn new(endpoint: Endpoint) -> Result<Self> {
        let host = host_of(&endpoint.base);
        // Names below localhost are this machine (RFC 6761), whatever the resolver says.
        let connect =
            endpoint.connect.or_else(|| host.filter(|host| is_local_name(host)).map(|_| LOCALHOST));
        let resolve = connect.and_then(|address| Some((host?, address)));
        let http = http_client(&endpoint.base, resolve)?;
        let bearer = renew::Current::new(endpoint.bearer.clone());
        Ok(Self { http, endpoint, bearer, renew: None, recorder: None, read_only: false })
    }

    /// Reports every exchange to `recorder`.
    #[must_use]
    pub fn recorded_by(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Rejects every call that changes something, without sending it.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// A call that must be answered within [`CALL_TIMEOUT`].
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.endless(method, path).timeout(CALL_TIMEOUT)
    }

    /// A call whose response may be long.
    fn endless(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.endpoint.base));
        match self.bearer.get() {
            Some(bearer) => request.bearer_auth(bearer),
            None => request,
        }
    }

    /// Sends a request; returns a successful response, whose body is not read yet.
    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let (outcome, exchange) = self.exchange(request).await;
        self.record(exchange, None);
        outcome
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let (outcome, exchange) = self.exchange(request).await;
        let response = match outcome {
            Ok(response) => response,
            Err(error) => {
                self.record(exchange, None);
                return Err(error);
            }
        };
        let body = whole(response).await;
        self.record(exchange, body.as_ref().ok());
        let body = body?;
        // Checked as a whole, which is faster than string by string.
        let text = std::str::from_utf8(&body).map_err(|error| Error::Answer(error.to_string()))?;
        serde_json::from_str(text).map_err(|error| Error::Answer(error.to_string()))
    }

    /// The recorder may measure how long a request waits.
    fn begin(&self) -> Option<Waits> {
        self.recorder.as_ref().map(|recorder| recorder.begin())
    }

    fn record(&self, exchange: Option<Exchange>, body: Option<&bytes::Bytes>) {
        if let (Some(recorder), Some(mut exchange)) = (&self.recorder, exchange) {
            if let Some(body) = body {
                exchange.answer.clone_from(body);
            }
            recorder.record(exchange);
        }
    }

    /// Sends a request, and reports the exchange to the recorder.
    async fn exchange(&self, request: RequestBuilder) -> (Result<Response>, Option<Exchange>) {
        let request = match request.build() {
            Ok(request) => request,
            Err(error) => return (Err(Error::from_reqwest(error)), None),
        };
        if self.read_only && changes(&request) {
            return (Err(Error::ReadOnly(self.endpoint.base.clone())), None);
        }
        let mut exchange = self.recorder.as_ref().map(|_| Exchange::of(&request));
        let (start, waits) = (Instant::now(), self.begin());
        let answered = self.execute(request).await;
        drop(waits);
        if let Some(exchange) = &mut exchange {
            exchange.elapsed = start.elapsed();
        }
        let response = match answered {
            Ok(response) => response,
            Err(error) => {
                if let Some(exchange) = &mut exchange {
                    exchange.error = Some(error.to_string());
                }
                return (Err(error), exchange);
            }
        };
        let status = response.status();
        if let Some(exchange) = &mut exchange {
            exchange.status = Some(status.as_u16());
            let domain_time = response.headers().get(DOMAIN_TIME);
            exchange.domain_time = domain_time.and_then(|time| time.to_str().ok()).map(Into::into);
        }
        if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            return (Ok(response), exchange);
        }
        let elsewhere = response.headers().get(reqwest::header::LOCATION).cloned();
        let body = response.bytes().await.unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        let message = serde_json::from_slice::<ErrorBody>(&body)
            .map_or_else(|_| text.into_owned(), |body| body.message);
        let message = match elsewhere.filter(|_| status.is_redirection()) {
            Some(to) => format!(
                "it redirects to {:?}; redirects are not followed, to protect the bearer",
                String::from_utf8_lossy(to.as_bytes())
            ),
            None => message,
        };
        if let Some(exchange) = &mut exchange {
            exchange.answer = body;
        }
        (Err(Error::Api { status: status.as_u16(), message }), exchange)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.json(self.request(Method::GET, path)).await
    }

    async fn put(&self, path: &str, body: Option<&(impl Serialize + Sync)>) -> Result<Response> {
        let request = self.request(Method::PUT, path);
        self.send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// All matching apps, from all pages.
    pub async fn list_apps(&self, filter: &AppFilter) -> Result<Vec<App>> {
        self.list_apps_as(filter, Vec::new()).await
    }

    /// The same with the fields that a table shows; the emulator sends only these.
    pub async fn list_app_rows(&self, filter: &AppFilter) -> Result<Vec<AppRow>> {
        self.list_apps_as(filter, vec![("fields", "row".to_owned())]).await
    }

    async fn list_apps_as<T: DeserializeOwned>(
        &self,
        filter: &AppFilter,
        mut query: Vec<(&str, String)>,
    ) -> Result<Vec<T>> {
        query.extend(filter.selector.iter().map(|s| ("labelSelector", s.clone())));
        query.extend(filter.states.iter().map(|s| ("statusState", s.clone())));
        query.extend(filter.named.iter().map(|named| ("named", named.clone())));
        self.all_pages("/v1/app", query).await
    }

    /// The items of all pages of a list.
    async fn all_pages<T: DeserializeOwned>(
        &self,
        path: &str,
        mut query: Vec<(&str, String)>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        query.push(("size", PAGE.to_string()));
        for page in 1..=PAGES {
            query.push(("page", page.to_string()));
            let target = format!("{path}?{}", encode(&query));
            query.pop();
            let list: Page<T> = self.get(&target).await?;
            let is_last = list.items.is_empty() || u64::from(page) >= list.metadata.page_count;
            all.extend(list.items);
            if is_last {
                return Ok(all);
            }
        }
        Err(Error::Answer(format!("the list does not end after {PAGES} pages")))
    }

    /// One app.
    pub async fn get_app(&self, id: AppId) -> Result<App> {
        self.get(&format!("/v1/app/{id}")).await
    }

    /// Submits an app.
    pub async fn create_app(&self, spec: &AppSpec) -> Result<App> {
        self.json(self.request(Method::POST, "/v1/app").json(spec)).await
    }

    /// Starts an app.
    pub async fn start_app(&self, id: AppId) -> Result<()> {
        self.put(&format!("/v1/app/{id}/start"), None::<&()>).await.map(drop)
    }

    /// Stops an app.
    pub async fn stop_app(&self, id: AppId) -> Result<()> {
        self.put(&format!("/v1/app/{id}/stop"), None::<&()>).await.map(drop)
    }

    /// Replaces an app's replicas, or starts it; an extension of the emulator.
    pub async fn restart_app(&self, id: AppId) -> Result<()> {
        self.put(&format!("/v1/app/{id}/restart"), None::<&()>).await.map(drop)
    }

    /// Deletes an app.
    pub async fn delete_app(&self, id: AppId, deletion: Deletion) -> Result<()> {
        let query = match deletion {
            Deletion::OnlyStopped => "",
            Deletion::StopFirst => "?force=true",
            Deletion::Now => "?force=true&now=true",
        };
        let path = format!("/v1/app/{id}{query}");
        self.send(self.request(Method::DELETE, &path)).await.map(drop)
    }

    /// Sets a label, or removes it when there is no value.
    pub async fn set_label(&self, id: AppId, update: &LabelUpdate) -> Result<()> {
        self.put(&format!("/v1/app/{id}/label"), Some(update)).await.map(drop)
    }

    /// Sets and removes several labels in one transaction: an extension of the emulator's.
    pub async fn set_labels(&self, id: AppId, update: &LabelsUpdate) -> Result<()> {
        self.put(&format!("/v1/app/{id}/labels"), Some(update)).await.map(drop)
    }

    /// Changes an app's image.
    pub async fn set_image(&self, id: AppId, image: &str) -> Result<()> {
        let body = AppUpdateImage { url: image.to_owned() };
        self.put(&format!("/v1/app/{id}/image"), Some(&body)).await.map(drop)
    }

    /// Changes an app's number of replicas.
    pub async fn scale_app(&self, id: AppId, strategy: &ScalingStrategy) -> Result<()> {
        self.put(&format!("/v1/app/{id}/scalingstrategy"), Some(strategy)).await.map(drop)
    }

    /// Begins to synchronise an app's volumes.
    pub async fn sync_app(&self, id: AppId, spec: &DataSyncSpec) -> Result<DataSync> {
        let path = format!("/v1/app/{id}/datasync");
        self.json(self.request(Method::POST, &path).json(spec)).await
    }

    /// Updates an app.
    pub async fn update_app(&self, id: AppId, update: AppUpdate) -> Result<App> {
        let body = AppUpdateRequest { app_update: update, id: Some(id.to_string()) };
        let path = format!("/v1/app/{id}");
        self.json(self.request(Method::PUT, &path).json(&body)).await
    }

    /// Reads an app's output.
    pub async fn app_logs(&self, id: AppId, filter: &LogFilter) -> Result<LogStream> {
        let mut query = Vec::new();
        if filter.follow {
            query.push(("follow", "true".to_owned()));
        }
        query.extend(filter.tail.map(|tail| ("tail", tail.to_string())));
        query.extend(filter.replica.iter().map(|replica| ("replica", replica.clone())));
        if filter.previous {
            query.push(("previous", "true".to_owned()));
        }
        query.extend(filter.since.map(|since| ("since", since.to_string())));
        if filter.timestamps {
            query.push(("timestamps", "true".to_owned()));
        }
        let path = format!("/v1/app/{id}/log?{}", encode(&query));
        self.send(self.endless(Method::GET, &path)).await.map(LogStream)
    }

    /// All tokens, from all pages; without their strings.
    pub async fn list_tokens(&self) -> Result<Vec<Token>> {
        self.all_pages("/v1/token", Vec::new()).await
    }

    /// One token, without its string.
    pub async fn get_token(&self, id: TokenId) -> Result<Token> {
        self.get(&format!("/v1/token/{id}")).await
    }

    /// Creates a token; the response has its string.
    pub async fn create_token(&self, spec: &TokenSpec) -> Result<Token> {
        self.json(self.request(Method::POST, "/v1/token").json(spec)).await
    }

    /// Renews a token; the response has the new string.
    pub async fn renew_token(&self, id: TokenId) -> Result<Token> {
        self.json(self.request(Method::POST, &format!("/v1/token/{id}/renew"))).await
    }

    /// Deletes a token.
    pub async fn delete_token(&self, id: TokenId) -> Result<()> {
        self.send(self.request(Method::DELETE, &format!("/v1/token/{id}"))).await.map(drop)
    }

    /// Who the caller is.
    pub async fn me(&self) -> Result<Me> {
        self.get("/v1/me").await
    }
}

/// Reads a whole body. Each part is dropped before the next is read, so that the same memory is
/// reused.
async fn whole(mut response: Response) -> Result<bytes::Bytes> {
    /// Maximum capacity to reserve on the server's word.
    const PROMISED_MAX: u64 = 1024 * 1024;
    let promised = response.content_length().unwrap_or(0).min(PROMISED_MAX);
    let mut body = Vec::with_capacity(usize::try_from(promised).unwrap_or(0));
    while let Some(part) = response.chunk().await.map_err(Error::from_reqwest)? {
        body.extend_from_slice(&part);
    }
    Ok(body.into())
}

/// Whether a request changes something. Two queries are POSTs: a spec, and a token's string, which
/// must not be in a URL.
fn changes(request: &reqwest::Request) -> bool {
    let asks = ["/v1/app/command", "/_emulator/access", "/download"];
    let path = request.url().path();
    exec::changes(path, request.url().query().unwrap_or_default())
        || request.method() != Method::GET && !asks.iter().any(|question| path.ends_with(question))
}

/// A query string of these pairs.
fn encode(pairs: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn this_machine() {
        for url in [
            "http://localhost",
            "http://gra.ai.localhost:4480/x",
            "http://127.0.0.2:1",
            "http://[::1]:4480/regions/GRA",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://gra.ai.cloud.ovh.net",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://[2001:db8::1]/",
            "rubbish",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
