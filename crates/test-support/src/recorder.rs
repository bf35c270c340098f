//! An emulator with one app that records the requests that reach it.

use std::sync::{Arc, Mutex};

use ovhai_api_types::App;
use ovhai_emulator::{Builder, Limits};
use ovhai_runtime::SimRuntime;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::raw::{Client, header};
use crate::{TestEmulator, Upstream};

/// A request as it reached an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saw {
    /// Its head, with all line ends.
    pub head: String,
    /// Its body with its chunk framing; none until it is complete.
    pub body: Option<Vec<u8>>,
}

/// All requests that reached an app.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<Saw>>>);

impl Seen {
    /// All requests, in the order in which they began.
    pub fn all(&self) -> Vec<Saw> {
        self.0.lock().unwrap().clone()
    }

    /// The requests whose request line contains this.
    pub fn of(&self, what: &str) -> Vec<Saw> {
        let first = |saw: &Saw| saw.head.lines().next().unwrap_or_default().contains(what);
        self.all().into_iter().filter(first).collect()
    }

    fn begin(&self, head: String) -> usize {
        let mut all = self.0.lock().unwrap();
        all.push(Saw { head, body: None });
        all.len() - 1
    }

    fn end(&self, at: usize, body: Vec<u8>) {
        self.0.lock().unwrap()[at].body = Some(body);
    }
}

/// An emulator with one app that records requests, and answers each with its method and target.
#[derive(Debug)]
pub struct RecordingApp {
    /// The emulator.
    pub e: TestEmulator,
    /// The app.
    pub app: App,
    /// The host of the app's address.
    pub host: String,
    /// The requests that reached the app.
    pub seen: Seen,
    _upstream: Upstream,
}

impl RecordingApp {
    /// With the default limits and an app that needs no token.
    pub async fn start() -> Self {
        Self::with(Limits::default(), json!({"unsecureHttp": true})).await
    }

    /// With these limits and this app.
    pub async fn with(limits: Limits, spec: Value) -> Self {
        Self::built(TestEmulator::builder().limits(limits), spec).await
    }

    /// With an emulator that the test configures.
    pub async fn built(builder: Builder, spec: Value) -> Self {
        let seen = Seen::default();
        let memory = seen.clone();
        let upstream = Upstream::start(move |stream| remember(stream, memory.clone())).await;
        let (e, app) = at(builder, &upstream, spec).await;
        let host = TestEmulator::host(&app);
        let wire = Self { e, app, host, seen, _upstream: upstream };
        // The app answers before the test begins.
        let token = wire.e.emulator.administrator().to_owned();
        assert_eq!(wire.e.query(&wire.app, Some(&token)).await.status, 200);
        wire
    }

    /// Connects a client.
    pub async fn connect(&self) -> Client {
        Client::connect(&self.e).await
    }

    /// A whole request to the app.
    pub fn request(&self, line: &str, more: &str) -> String {
        format!("{line} HTTP/1.1\r\nhost: {}\r\n{more}\r\n", self.host)
    }
}

/// An emulator whose apps answer at `upstream`, and an app.
pub async fn at(builder: Builder, upstream: &Upstream, spec: Value) -> (TestEmulator, App) {
    let sim = SimRuntime::automatic(upstream.address());
    let emulator = builder.runtime(Arc::new(sim.clone())).start().await.unwrap();
    let e = TestEmulator { emulator, sim: Some(sim) };
    let app = e.run_app(&[], spec).await;
    (e, app)
}

async fn remember(mut stream: TcpStream, seen: Seen) {
    while let Some(head) = Upstream::head(&mut stream).await {
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap_or_default());
        let answer = format!("{method} {target}");
        let at = seen.begin(head.clone());
        let Some(body) = body(&mut stream, &head).await else { return };
        seen.end(at, body);
        let length = answer.len();
        let text = if method == "HEAD" { "" } else { &answer };
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{text}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A request's body with its framing; none if the connection ends before it does.
async fn body(stream: &mut TcpStream, head: &str) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if header(head, "transfer-encoding").is_some() {
        // Chunk by chunk, since data may look like the end.
        loop {
            let from = body.len();
            while !body[from..].ends_with(b"\r\n") {
                body.push(stream.read_u8().await.ok()?);
            }
            let size = std::str::from_utf8(&body[from..]).ok()?.trim();
            match usize::from_str_radix(size.split(';').next()?, 16).ok()? {
                0 => break,
                size => {
                    let at = body.len();
                    body.resize(at + size + 2, 0);
                    stream.read_exact(&mut body[at..]).await.ok()?;
                }
            }
        }
        let trailers = body.len();
        while !body[trailers..].ends_with(b"\r\n\r\n") && &body[trailers..] != b"\r\n" {
            body.push(stream.read_u8().await.ok()?);
        }
    } else if let Some(length) = header(head, "content-length") {
        body.resize(length.parse().ok()?, 0);
        stream.read_exact(&mut body).await.ok()?;
    }
    Some(body)
}

/// The spec of an app that needs no token.
pub const OPEN: &str = r#"{"unsecureHttp": true}"#;

/// An emulator, the host of its app, a connected client, and the app: it needs no token, and handles
/// each connection with `serve`.
pub async fn app<F, T>(serve: F) -> (TestEmulator, String, Client, Upstream)
where
    F: Fn(TcpStream) -> T + Send + Sync + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let upstream = Upstream::start(serve).await;
    let spec = serde_json::from_str(OPEN).unwrap();
    let (e, app) = at(TestEmulator::builder(), &upstream, spec).await;
    let client = Client::connect(&e).await;
    let host = TestEmulator::host(&app);
    (e, host, client, upstream)
}
