//! An emulator in process, and requests to it as other programs send them.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Request, StatusCode};
use ovhai_api_types::{App, Token};
use ovhai_emulator::{Builder, Emulator, Quotas};
use ovhai_runtime::SimRuntime;
use serde_json::{Value, json};

use crate::raw::Client;

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).expect("text")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// An ephemeral emulator on a port of its own.
#[derive(Debug)]
pub struct TestEmulator {
    /// The emulator.
    pub emulator: Emulator,
    /// Its simulated runtime, when it has one.
    pub sim: Option<SimRuntime>,
}

impl TestEmulator {
    /// One without quotas.
    pub fn builder() -> Builder {
        Emulator::builder().quotas(Quotas::UNLIMITED)
    }

    /// With the real runtimes.
    pub async fn start() -> Self {
        let emulator = Self::builder().start().await.expect("started");
        Self { emulator, sim: None }
    }

    /// In which every app answers immediately, at `upstream`.
    pub async fn with_apps_at(upstream: SocketAddr) -> Self {
        Self::with_sim(SimRuntime::automatic(upstream)).await
    }

    /// In which the test controls the apps.
    pub async fn with_sim(sim: SimRuntime) -> Self {
        let emulator =
            Self::builder().runtime(Arc::new(sim.clone())).start().await.expect("started");
        Self { emulator, sim: Some(sim) }
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.emulator.address()
    }

    /// Sends any request.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        send(self.address(), request).await
    }

    /// Calls the API of a region as `bearer`.
    pub async fn call(
        &self,
        region: &str,
        bearer: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, format!("{}.ai.localhost", region.to_lowercase()))
            .header(AUTHORIZATION, format!("Bearer {bearer}"))
            .body(Full::new(body.map_or_else(Bytes::new, |body| body.to_string().into())))
            .expect("a request");
        self.send(request).await
    }

    /// Calls the emulator itself, at `localhost`, as the administrator.
    pub async fn call_local(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(AUTHORIZATION, format!("Bearer {}", self.emulator.administrator()))
            .body(Full::new(body.map_or_else(Bytes::new, |body| body.to_string().into())))
            .expect("a request");
        self.send(request).await
    }

    /// Sends a form without credentials.
    pub async fn form(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header(HOST, "gra.ai.localhost")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .expect("a request");
        self.send(request).await
    }

    /// Calls the API of GRA as the administrator.
    pub async fn admin(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call("GRA", self.emulator.administrator(), method, path, body).await
    }

    /// Submits an app with these labels and waits until it runs.
    pub async fn run_app(&self, labels: &[(&str, &str)], more: Value) -> App {
        let app = self.submit(labels, more).await;
        self.wait(&app, "RUNNING").await
    }

    /// Submits an app with these labels.
    pub async fn submit(&self, labels: &[(&str, &str)], more: Value) -> App {
        let labels: serde_json::Map<String, Value> =
            labels.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        let mut spec = json!({"image": "infrastructureascode/hello-world", "labels": labels});
        for (name, value) in more.as_object().into_iter().flatten() {
            spec[name] = value.clone();
        }
        let answer = self.admin("POST", "/v1/app", Some(spec)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_slice(&answer.body).expect("an app")
    }

    /// The current app.
    pub async fn app(&self, app: &App) -> App {
        let answer = self.admin("GET", &format!("/v1/app/{}", app.id), None).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_slice(&answer.body).expect("an app")
    }

    /// Waits until an app is in a state.
    pub async fn wait(&self, app: &App, state: &str) -> App {
        crate::eventually(&format!("{} is {state}", app.id), || async {
            let now = self.app(app).await;
            (now.status.state.as_str() == state).then_some(now)
        })
        .await
    }

    /// Makes a token in a region.
    pub async fn token(&self, region: &str, role: &str, selector: Option<&str>) -> Token {
        let mut spec = json!({"name": "t", "role": role});
        if let Some(selector) = selector {
            spec["labelSelector"] = json!(selector);
        }
        let answer =
            self.call(region, self.emulator.administrator(), "POST", "/v1/token", Some(spec)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_slice(&answer.body).expect("a token")
    }

    /// Sends a request to an app, through the gateway.
    pub async fn query(&self, app: &App, bearer: Option<&str>) -> Answer {
        let mut request = Request::get("/").header(HOST, Self::host(app));
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
        }
        self.send(request.body(Full::default()).expect("a request")).await
    }

    /// The host of an app's address.
    pub fn host(app: &App) -> String {
        app.status.url.strip_prefix("http://").expect("an address").to_owned()
    }
}

/// Sends one request on a connection of its own.
pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let mut bytes = format!("{} {} HTTP/1.1\r\n", head.method, head.uri).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let takes_body = matches!(head.method.as_str(), "POST" | "PUT" | "PATCH");
    if !head.headers.contains_key(CONTENT_LENGTH) && (takes_body || !body.is_empty()) {
        bytes.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
    }
    bytes.extend([b"\r\n", &body[..]].concat());

    let mut client = Client::to(address).await;
    // An answer may come before the whole request is read.
    let _ = client.try_send(&bytes).await;
    let mut answer = client.whole_answer(head.method.as_str()).await.expect("an answer");
    while answer.status() < 200 && answer.status() != 101 {
        answer = client
            .whole_answer(head.method.as_str())
            .await
            .expect("the answer after an interim one");
    }
    let fields = answer.head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    let headers = fields.map(|(name, value)| {
        (
            name.parse::<HeaderName>().expect("a name"),
            HeaderValue::from_bytes(value.trim().as_bytes()).expect("a value"),
        )
    });
    Answer {
        status: StatusCode::from_u16(answer.status()).expect("a status"),
        headers: headers.collect(),
        body: answer.body.into(),
    }
}
