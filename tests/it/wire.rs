//! Bytes to and from the gateway: an app that remembers what it saw, and clients that send
//! whatever a test wants. For [`crate::hostile`], [`crate::hostile_http2`] and [`crate::edge`].

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ovhai_api_types::App;
use ovhai_core::ports::{
    BoxFuture, Commit, CommitError, CommitWatch, Loaded, Revision, Store, StoreError, StoredRecord,
    WatchError, Write,
};
use ovhai_emulator::{Builder, Limits};
use ovhai_runtime::SimRuntime;
use ovhai_test_support::{TestEmulator, Upstream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use uuid::Uuid;

/// Nothing that is to happen takes longer.
pub(crate) const SOON: Duration = Duration::from_secs(120);

/// What an app saw of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saw {
    /// Its head, with all line ends.
    pub(crate) head: String,
    /// Its body as it came, chunks and all; none as long as it is not whole.
    pub(crate) body: Option<Vec<u8>>,
}

/// Everything that an app saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Saw>>>);

impl Seen {
    pub(crate) fn all(&self) -> Vec<Saw> {
        self.0.lock().unwrap().clone()
    }

    /// The requests whose first line has this in it.
    pub(crate) fn of(&self, what: &str) -> Vec<Saw> {
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

/// The value of a header in a head, in any case.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// An emulator with one open app that remembers, and answers every whole request with its target.
pub(crate) struct Wire {
    pub(crate) e: TestEmulator,
    pub(crate) app: App,
    pub(crate) host: String,
    pub(crate) seen: Seen,
    _upstream: Upstream,
}

impl Wire {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default(), json!({"unsecureHttp": true})).await
    }

    pub(crate) async fn with(limits: Limits, spec: Value) -> Self {
        Self::built(TestEmulator::builder().limits(limits), spec).await
    }

    pub(crate) async fn built(builder: Builder, spec: Value) -> Self {
        let seen = Seen::default();
        let memory = seen.clone();
        let upstream = Upstream::start(move |stream| remember(stream, memory.clone())).await;
        let (e, app) = at(builder, &upstream, spec).await;
        let host = TestEmulator::host(&app);
        let wire = Self { e, app, host, seen, _upstream: upstream };
        // The app works, and was called.
        let token = wire.e.emulator.administrator().to_owned();
        assert_eq!(wire.e.query(&wire.app, Some(&token)).await.status, 200);
        wire
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(&self.e).await
    }

    /// A whole request to the app.
    pub(crate) fn request(&self, line: &str, more: &str) -> String {
        format!("{line} HTTP/1.1\r\nhost: {}\r\n{more}\r\n", self.host)
    }
}

/// An emulator whose apps answer at `upstream`, and an app.
pub(crate) async fn at(builder: Builder, upstream: &Upstream, spec: Value) -> (TestEmulator, App) {
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

/// A request's body as it comes; none when it is broken off.
async fn body(stream: &mut TcpStream, head: &str) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if header(head, "transfer-encoding").is_some() {
        // Between chunks, so that no data is taken for an end.
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

/// One answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection to the emulator.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn connect(e: &TestEmulator) -> Self {
        Self::to(e.address()).await
    }

    pub(crate) async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = tokio::time::timeout(SOON, self.0.read_u8()).await.expect("an answer");
            head.push(byte.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&head))));
        }
        String::from_utf8(head).unwrap()
    }

    /// The next answer, with a body whose length is given, unless it is to a HEAD.
    pub(crate) async fn answer(&mut self) -> Got {
        let head = self.head().await;
        let status = head.split(' ').nth(1).unwrap_or_default();
        let has_none = status.starts_with('1') || matches!(status, "204" | "304");
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; if has_none { 0 } else { length }];
        let read = tokio::time::timeout(SOON, self.0.read_exact(&mut body)).await;
        read.expect("a body").unwrap();
        Got { head, body }
    }

    /// The head of the next answer alone.
    pub(crate) async fn answer_head(&mut self) -> Got {
        Got { head: self.head().await, body: Vec::new() }
    }

    /// Everything until the connection is closed, in whatever way.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let read = tokio::time::timeout(SOON, self.0.read_to_end(&mut all)).await;
        // What came before a reset counts.
        let _ = read.unwrap_or_else(|_| panic!("not closed: {}", String::from_utf8_lossy(&all)));
        all
    }

    /// Reads until these bytes have come; everything so far.
    pub(crate) async fn until(&mut self, end: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        while !all.ends_with(end) {
            let byte = tokio::time::timeout(SOON, self.0.read_u8()).await.expect("more");
            all.push(byte.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&all))));
        }
        all
    }
}

/// What a store has that was used before: the first start commits nothing.
pub(crate) fn with_project() -> Loaded {
    let project = StoredRecord {
        kind: "project".into(),
        key: String::new(),
        record: format!("\"{}\"", Uuid::nil()),
        revision: Revision(1),
    };
    Loaded { revision: Revision(1), records: vec![project] }
}

/// A watch that sees nothing.
pub(crate) struct Silent;

impl CommitWatch for Silent {
    fn next(&mut self) -> BoxFuture<'_, Result<Commit, WatchError>> {
        Box::pin(std::future::pending())
    }
}

/// Commits when it may.
pub(crate) struct Gated(pub(crate) watch::Receiver<bool>);

impl Store for Gated {
    fn load(&self) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        Box::pin(async { Ok(with_project()) })
    }

    fn commit(&self, _: Vec<Write>) -> BoxFuture<'_, Result<Revision, CommitError>> {
        let mut gate = self.0.clone();
        Box::pin(async move {
            let open = gate.wait_for(|open| *open).await;
            let never = StoreError::Failed("it never opens".into());
            open.map(|_| Revision(2)).map_err(|_| CommitError::Refused(never))
        })
    }

    fn watch(&self, _: Revision) -> Box<dyn CommitWatch> {
        Box::new(Silent)
    }
}

/// A connection with TLS, of a client that trusts only the authority in the emulator's directory.
pub(crate) async fn secure(e: &TestEmulator, host: &str, dir: &Path) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.join("ca.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = host.split(':').next().unwrap().to_owned();
    let stream = TcpStream::connect(e.emulator.running().tls.unwrap()).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(ServerName::try_from(name).unwrap(), stream).await.unwrap()
}
