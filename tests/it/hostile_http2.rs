//! Clients that attack or misbehave over HTTP/2, with frames that no library would send.
//! Each attack ends and is logged, and other clients are served meanwhile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ovhai_emulator::{AccessLog, Builder, Limits};
use ovhai_test_support::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR, FrameClient, GOAWAY, HEADERS, PING, PROTOCOL_ERROR, PUSH_PROMISE,
    REFUSED_STREAM, RST_STREAM, SETTINGS, WINDOW_UPDATE, block, field, frame, head, reset, string,
};
use ovhai_test_support::http2::{empty, request};
use ovhai_test_support::raw::{SOON, TARGETS, header};
use ovhai_test_support::recorder::{RecordingApp, at};
use ovhai_test_support::stores::GatedStore;
use ovhai_test_support::{TestEmulator, Upstream, eventually, http2};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::watch;

/// A [`RecordingApp`] whose access log can be read.
struct Logged {
    wire: RecordingApp,
    log: PathBuf,
    _directory: TempDir,
}

impl Logged {
    async fn with(limits: Limits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("access.log");
        let builder = logging(limits, &log);
        let wire = RecordingApp::built(builder, json!({"unsecureHttp": true})).await;
        Self { wire, log, _directory: directory }
    }

    async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    /// Stops it once no client is connected; returns the log lines of HTTP/2.
    async fn ended(self) -> Vec<Value> {
        ended(self.wire.e, &self.log).await
    }

    /// Another client is served.
    async fn serves_others(&self) {
        let mut other = self.wire.connect().await;
        other.send(self.wire.request("GET /other", "")).await;
        assert_eq!(other.answer().await.text(), "GET /other");
        let mut other = FrameClient::connect(&self.wire.e).await;
        other.send(head(1, END_STREAM, &block(&self.wire.host, b"/other"))).await;
        assert_eq!(other.answer(1).await, Ok(()));
    }
}

fn logging(limits: Limits, log: &Path) -> Builder {
    TestEmulator::builder().limits(limits).access_log(AccessLog::Path(log.to_owned()))
}

async fn ended(e: TestEmulator, log: &Path) -> Vec<Value> {
    e.emulator.shutdown().await;
    let text = std::fs::read_to_string(log).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["protocol"] == "HTTP/2").collect()
}

/// The limits and messages are those of HTTP/1, and refusals are logged.
#[tokio::test]
async fn http2_heads_pass_up_to_the_limit() {
    let logged = Logged::start().await;
    let (wire, limits) = (&logged.wire, Limits::default());
    let client = http2::Client::connect(&wire.e).await;
    let host = format!("host: {}\r\n", wire.host).len();
    let get = |target: &str| request("GET", &wire.host, target);
    let x = |bytes: usize| "x".repeat(bytes);
    let many = |name: &str, count: usize| {
        let fields = (0..count).map(|n| (format!("{name}-{n}"), n));
        fields.fold(get("/hostile"), |given, (name, n)| given.header(name, n))
    };
    let crumbs = |count: usize, size: usize| {
        let all = (0..count).map(|n| format!("{n:03}={}", "c".repeat(size)));
        all.fold(get("/crumbs"), |given, crumb| given.header("cookie", crumb))
    };
    let line = limits.line_max - "GET  HTTP/1.1\r".len();
    let room = limits.head_max - host - "x: \r\n".len();
    let mut told = Vec::new();
    for (name, given, status) in [
        ("a large header", get("/hostile").header("x", x(room + 1)), 431),
        ("a larger header", get("/hostile").header("x", x(2 * room)), 431),
        ("300 headers", many("x", 300), 431),
        ("256 headers", many("x", 256), 431),
        ("many cookies", crumbs(500, 150), 431),
        ("a long line", get(&format!("/hostile{}", x(line - 7))), 414),
        ("a longer line", get(&format!("/hostile{}", x(65_000))), 414),
    ] {
        let answer = client.send(given.body(empty()).unwrap()).await;
        assert_eq!(answer.status(), status, "{name}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{name}");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let body: Value = serde_json::from_slice(&http2::text(answer).await.0).unwrap();
        let said = body["message"].as_str().unwrap();
        assert!(said.starts_with("the request"), "{name}: {said}");
        told.push((id, status, said.to_owned()));
    }
    assert!(wire.seen.of("/hostile").is_empty() && wire.seen.of("/crumbs").is_empty());
    let metrics = wire.e.call_local("GET", "/metrics", None).await.text();
    let counted = "ovhai_gateway_refusals_total{reason=\"too_large\"} 7";
    assert!(metrics.contains(counted), "{metrics}");

    // Heads within the limit pass unchanged.
    let long = format!("/{}", x(line - 1));
    let cookie = "c".repeat(room - "cookie".len() + "x".len());
    let answer = client.send(get(&long).header("cookie", &cookie).body(empty()).unwrap()).await;
    assert_eq!(http2::text(answer).await.0, format!("GET {long}"));
    assert_eq!(header(&wire.seen.of("/xxx")[0].head, "cookie"), Some(cookie.as_str()));
    let answer = client.send(many("y", 255).body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    let saw = &wire.seen.of("/hostile")[0].head;
    assert!((0..255).all(|n| header(saw, &format!("y-{n}")) == Some(&n.to_string())), "{saw}");
    let answer = client.send(crumbs(500, 100).body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 200, "browsers send each cookie by itself");
    assert_eq!(
        header(&wire.seen.of("/crumbs")[0].head, "cookie").unwrap().split("; ").count(),
        500
    );

    drop(client);
    let all = logged.ended().await;
    assert_eq!(all.len(), told.len() + 3);
    for (line, (id, status, said)) in all.iter().zip(told) {
        assert_eq!((&line["id"], &line["status"]), (&json!(id), &json!(status)), "{line}");
        assert_eq!((&line["reason"], &line["refused"]), (&json!(said), &json!("too_large")));
        assert_eq!(line["method"], "GET", "{line}");
    }
}

#[tokio::test]
async fn http2_targets_pass_byte_for_byte() {
    let logged = Logged::start().await;
    let (wire, mut raw) = (&logged.wire, FrameClient::connect(&logged.wire.e).await);
    let mut stream = 1;
    for target in TARGETS {
        raw.send(head(stream, END_STREAM, &block(&wire.host, target.as_bytes()))).await;
        assert_eq!(raw.answer(stream).await, Ok(()), "{target}");
        let saw = wire.seen.all().pop().unwrap().head;
        assert!(saw.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{target}: {saw}");
        stream += 2;
    }
}

/// The http crate rejects a few characters in a target; docs/reference.md lists them. In HTTP/1 all
/// of them pass but `#`.
#[tokio::test]
async fn malformed_http2_targets_are_refused() {
    let logged = Logged::start().await;
    let (wire, mut raw) = (&logged.wire, FrameClient::connect(&logged.wire.e).await);
    let (mut stream, mut in_path, mut in_query) = (1, String::new(), String::new());
    for byte in b'!'..=b'~' {
        for (before, refused) in [("/a", &mut in_path), ("/a?b", &mut in_query)] {
            let target = format!("{before}{}c", char::from(byte));
            raw.send(head(stream, END_STREAM, &block(&wire.host, target.as_bytes()))).await;
            let answer = raw.answer(stream).await;
            stream += 2;
            if answer.is_err() {
                assert_eq!(answer, Err(PROTOCOL_ERROR), "{target}");
                refused.push(char::from(byte));
                continue;
            }
            let saw = wire.seen.all().pop().unwrap().head;
            let target = if byte == b'#' { before } else { &target };
            assert!(saw.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{target}: {saw}");
        }
    }
    assert_eq!((in_path.as_str(), in_query.as_str()), ("<>`", "\"<>"));
    let mut client = wire.connect().await;
    for target in ["/a<>`c", "/a?b\"<>c"] {
        client.send(wire.request(&format!("GET {target}"), "")).await;
        assert_eq!(client.answer().await.text(), format!("GET {target}"), "in HTTP/1");
    }
    for target in [&b"a"[..], b"", b"/ ", b"/\x7f", b"http://x/"] {
        raw.send(head(stream, END_STREAM, &block(&wire.host, target))).await;
        assert_eq!(raw.answer(stream).await, Err(PROTOCOL_ERROR), "{target:?}");
        stream += 2;
    }
    let why = raw.until_closed(&head(stream, END_STREAM, &block(&wire.host, b"/\xff"))).await;
    assert_eq!(why, Some(PROTOCOL_ERROR), "invalid UTF-8 ends the connection");
}

/// The h2 crate refuses these by itself.
#[tokio::test]
async fn requests_refused_by_the_protocol_are_logged() {
    let logged = Logged::start().await;
    let (wire, mut raw) = (&logged.wire, FrameClient::connect(&logged.wire.e).await);
    let plain = block(&wire.host, b"/hostile");
    let with = |name: &str, value: &[u8]| [plain.clone(), field(name, value)].concat();
    let large = with("x", &vec![b'y'; 160_000]);
    let (mut number, mut expected) = (1, Vec::new());
    for (name, block, answer, status, refused) in [
        ("much too large", large, Ok(()), 431, "too_large"),
        ("long", block(&wire.host, &vec![b'/'; 65_535]), Err(PROTOCOL_ERROR), 0, "malformed"),
        ("hop by hop", with("connection", b"close"), Err(PROTOCOL_ERROR), 0, "malformed"),
        ("chunked", with("transfer-encoding", b"chunked"), Err(PROTOCOL_ERROR), 0, "malformed"),
        ("te", with("te", b"gzip"), Err(PROTOCOL_ERROR), 0, "malformed"),
        ("length", with("content-length", b"+5"), Err(PROTOCOL_ERROR), 0, "malformed"),
        ("a length too much", with("content-length", b"5"), Err(PROTOCOL_ERROR), 0, "malformed"),
        ("no method", plain[1..].to_vec(), Err(PROTOCOL_ERROR), 0, "malformed"),
        ("no scheme", [&plain[..1], &plain[2..]].concat(), Err(PROTOCOL_ERROR), 0, "malformed"),
        ("host", block("a b", b"/hostile"), Err(PROTOCOL_ERROR), 0, "malformed"),
    ] {
        raw.send(head(number, END_STREAM, &block)).await;
        assert_eq!(raw.answer(number).await, answer, "{name}");
        expected.push((json!(status), json!(refused)));
        number += 2;
    }
    // The connection stays usable, and each request is logged once.
    raw.send(head(number, END_STREAM, &block(&wire.host, b"/good"))).await;
    assert_eq!(raw.answer(number).await, Ok(()));
    expected.push((json!(200), Value::Null));
    assert!(wire.seen.of("/hostile").is_empty());
    drop(raw);
    let all = logged.ended().await;
    let all: Vec<_> = all.iter().map(|l| (l["status"].clone(), l["refused"].clone())).collect();
    assert_eq!(all, expected);
}

/// A good request with a protocol error behind it, in the same read.
#[tokio::test]
async fn requests_refused_before_routing_are_logged_once() {
    const ROUNDS: usize = 20;
    let logged = Logged::start().await;
    let (wire, mut raw) = (&logged.wire, FrameClient::connect(&logged.wire.e).await);
    let get = block(&wire.host, b"/hostile");
    let short = [&get[..], &field("content-length", b"1")].concat();
    let update = |stream, by: u32| frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
    let mut number = 1;
    for _ in 0..ROUNDS {
        let window = [head(number, 0, &get), update(number, 0x7fff_ffff)].concat();
        let body = frame(DATA, END_STREAM, number + 2, b"more than one");
        let good = head(number + 4, END_STREAM, &block(&wire.host, b"/good"));
        raw.send([window, head(number + 2, 0, &short), body, good].concat()).await;
        let mut answers = BTreeSet::new();
        while answers.len() < 3 {
            let frame = raw.next().await.expect("an answer");
            match frame.kind {
                HEADERS => drop(answers.insert((frame.stream - number, 0))),
                RST_STREAM => drop(answers.insert((frame.stream - number, frame.code()))),
                _ => {}
            }
        }
        assert_eq!(answers, [(0, FLOW_CONTROL_ERROR), (2, PROTOCOL_ERROR), (4, 0)].into());
        number += 6;
    }
    assert!(wire.seen.of("/hostile").is_empty(), "the app hears of none");
    drop(raw);
    let all = logged.ended().await;
    let count = |status, refused: Value| {
        let fits =
            |line: &&Value| (&line["status"], &line["refused"]) == (&json!(status), &refused);
        all.iter().filter(fits).count()
    };
    let counts = [count(0, json!("malformed")), count(200, Value::Null), all.len()];
    assert_eq!(counts, [2 * ROUNDS, ROUNDS, 3 * ROUNDS], "{all:?}");
}

/// An app that holds every request, and counts those that it holds.
struct Holding {
    upstream: Upstream,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Holding {
    async fn start() -> Self {
        let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (now, max) = (Arc::clone(&open), Arc::clone(&most));
        let upstream = Upstream::start(move |mut stream| {
            let (now, max) = (Arc::clone(&now), Arc::clone(&max));
            async move {
                max.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Until the gateway has closed it.
                let _ = stream.read_to_end(&mut Vec::new()).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        })
        .await;
        Self { upstream, open, most }
    }

    async fn holds(&self, count: usize) {
        eventually("so many are held", || async {
            (self.open.load(Ordering::SeqCst) == count).then_some(())
        })
        .await;
    }

    /// An emulator with it as an app, and the app's host.
    async fn behind(&self, builder: Builder) -> (TestEmulator, String) {
        let (e, app) = at(builder, &self.upstream, json!({"unsecureHttp": true})).await;
        (e, TestEmulator::host(&app))
    }
}

async fn is_served(e: &TestEmulator) {
    let client = http2::Client::connect(e).await;
    let answer = request("GET", "gra.ai.localhost", "/v1/app").body(empty()).unwrap();
    assert_eq!(client.send(answer).await.status(), 401);
}

/// Thousands of requests, each reset immediately (CVE-2023-44487).
#[tokio::test]
async fn rapid_resets_are_limited() {
    let app = Holding::start().await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let (e, host) = app.behind(logging(Limits::default(), &log)).await;
    let get = block(&host, b"/");
    let asked = |stream: u32| head(stream, END_STREAM, &get);
    // A client on another connection is served at the end.
    let mut patient = FrameClient::connect(&e).await;
    patient.send(asked(1)).await;
    app.holds(1).await;

    let all: Vec<u8> =
        (0..20_000).flat_map(|n| [asked(2 * n + 1), reset(2 * n + 1)].concat()).collect();
    assert_eq!(FrameClient::connect(&e).await.until_closed(&all).await, Some(ENHANCE_YOUR_CALM));
    app.holds(1).await;
    assert!(app.most.load(Ordering::SeqCst) <= 130, "no more at once than streams");

    // A few at a time, below every limit: the app sees none.
    let before = app.upstream.connections();
    let mut raw = FrameClient::connect(&e).await;
    for round in 0..100 {
        let streams = (0..10).map(|n| 2 * (10 * round + n) + 1);
        let some: Vec<u8> = streams.flat_map(|n| [asked(n), reset(n)].concat()).collect();
        raw.send(some).await;
        raw.settle().await;
    }
    assert_eq!(app.upstream.connections(), before, "no connection to the app was opened");

    // Reset as soon as the app has received it.
    let mut raw = FrameClient::connect(&e).await;
    for number in 0..300 {
        let stream = 2 * number + 1;
        raw.send(asked(stream)).await;
        if number % 10 == 0 {
            app.holds(2).await;
        }
        raw.send(reset(stream)).await;
        raw.settle().await;
    }
    app.holds(1).await;
    assert!(app.most.load(Ordering::SeqCst) <= 130);
    is_served(&e).await;
    // The patient client is still waiting.
    patient.settle().await;
    assert_eq!(app.open.load(Ordering::SeqCst), 1);
    drop((patient, raw));
    app.holds(0).await;
    let all = ended(e, &log).await;
    assert!(
        all.iter()
            .any(|line| line["reason"].as_str().unwrap_or_default().contains("ENHANCE_YOUR_CALM"))
    );
    assert!(all.iter().filter(|line| line["aborted"] == "client").count() >= 1301);
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused() {
    const MOST: u32 = 128;
    let app = Holding::start().await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let (e, host) = app.behind(logging(Limits::default(), &log)).await;
    let mut raw = FrameClient::connect(&e).await;
    let get = block(&host, b"/");
    for number in 0..MOST + 50 {
        raw.send(head(2 * number + 1, END_STREAM, &get)).await;
    }
    for number in MOST..MOST + 50 {
        assert_eq!(raw.answer(2 * number + 1).await, Err(REFUSED_STREAM), "{number}");
    }
    app.holds(MOST as usize).await;
    is_served(&e).await;
    // Each that ends makes room for another.
    raw.send(reset(1)).await;
    app.holds(MOST as usize - 1).await;
    raw.send(head(2 * (MOST + 50) + 1, END_STREAM, &get)).await;
    app.holds(MOST as usize).await;
    drop(raw);
    app.holds(0).await;
    let all = ended(e, &log).await;
    let is_over = |line: &&Value| line["reason"].as_str().unwrap_or_default().contains("128");
    assert_eq!(all.iter().filter(is_over).count(), 50);
}

#[tokio::test]
async fn endless_heads_close_the_connection() {
    let logged = Logged::start().await;
    let e = &logged.wire.e;
    let first = frame(HEADERS, END_STREAM, 1, &block(&logged.wire.host, b"/hostile"));
    let mut reasons = BTreeSet::new();
    for (name, part) in [
        ("nothing", Vec::new()),
        ("small fields", field("x", b"y")),
        ("large fields", field("x", &[b'y'; 16_000])),
        // One endless string.
        ("one field", [&[0, 1, b'x', 127, 255, 255, 255, 127][..], &[b'y'; 16_000]].concat()),
    ] {
        let more = frame(CONTINUATION, 0, 1, &part);
        let rest = if name == "one field" {
            frame(CONTINUATION, 0, 1, &[b'y'; 16_000])
        } else {
            more.clone()
        };
        let mut all = [&first[..], &more].concat();
        all.extend(rest.repeat(8 * 1024 * 1024 / rest.len().max(2000)));
        let why = FrameClient::connect(e).await.until_closed(&all).await;
        reasons.insert((name, why));
        logged.serves_others().await;
    }
    // The last bytes may be lost if it is closed while the client sends.
    let allowed = [None, Some(ENHANCE_YOUR_CALM), Some(PROTOCOL_ERROR), Some(9)];
    assert!(reasons.iter().all(|(_, why)| allowed.contains(why)), "{reasons:?}");
    assert!(logged.wire.seen.of("/hostile").is_empty());
    let all = logged.ended().await;
    assert_eq!(all.iter().filter(|line| line["refused"] == "malformed").count(), 4, "{all:?}");
}

/// The time-out of a head does not depend on other streams of the connection.
#[tokio::test]
async fn stalled_heads_time_out() {
    let app = Holding::start().await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let limits = Limits { head_timeout: Duration::from_secs(1), ..Limits::default() };
    let (e, host) = app.behind(logging(limits, &log)).await;
    let block = block(&host, b"/");
    let whole = frame(HEADERS, END_STREAM | END_HEADERS, 3, &block);
    let without_end = frame(HEADERS, END_STREAM, 3, &block);
    let goes_on = [&without_end[..], &frame(CONTINUATION, 0, 3, &field("x", b"y"))].concat();
    let cut = [&without_end[..], &frame(CONTINUATION, END_HEADERS, 3, &field("x", b"y"))[..12]];
    for begun in [&whole[..9], &whole[..30], &without_end, &goes_on, &cut.concat()] {
        let mut raw = FrameClient::connect(&e).await;
        raw.send(head(1, END_STREAM, &block)).await;
        app.holds(1).await;
        assert_eq!(raw.until_closed(begun).await, None);
        app.holds(0).await;
    }
    // A byte now and then does not extend the time-out.
    let large = [&block[..], &field("x", &[b'y'; 15_000])].concat();
    let large = frame(HEADERS, END_STREAM | END_HEADERS, 3, &large);
    let (mut reader, mut writer) = FrameClient::connect(&e).await.0.into_split();
    writer.write_all(&large[..9]).await.unwrap();
    let drip = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        for byte in &large[9..] {
            pace.tick().await;
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(SOON, reader.read_to_end(&mut rest));
    tokio::select! {
        closed = closed => drop(closed.expect("the connection is closed")),
        () = drip => {}
    }
    is_served(&e).await;
    let all = ended(e, &log).await;
    let slow = all.iter().filter(|line| line["refused"] == "slow" && line["status"] == 0).count();
    assert_eq!(slow, 6, "{all:?}");

    // A client that sends several pieces in time is served.
    let emulator = app.behind(TestEmulator::builder()).await;
    let mut raw = FrameClient::connect(&emulator.0).await;
    let block = self::block(&emulator.1, b"/");
    let whole = frame(HEADERS, END_STREAM | END_HEADERS, 3, &block);
    let (first, rest) = whole.split_at(20);
    raw.send(first).await;
    raw.send(rest).await;
    app.holds(1).await;
    drop(raw);
    app.holds(0).await;
}

/// A small HPACK block can decode to a large head.
#[tokio::test]
async fn compressed_heads_are_limited_by_their_decoded_size() {
    let logged = Logged::start().await;
    let get = block(&logged.wire.host, b"/hostile");
    // A field of 4 KB goes into the table, and is then named thousands of times by a byte each.
    let mut first = get.clone();
    first.push(0x40);
    string(b"x", &mut first);
    string(&[b'y'; 4000], &mut first);
    let bomb = [&first[..], &[0xbe; 12_000]].concat();
    let mut raw = FrameClient::connect(&logged.wire.e).await;
    raw.send(head(1, END_STREAM, &first)).await;
    assert_eq!(raw.answer(1).await, Ok(()));
    let after = [&get[..], &[0xbe; 12_000]].concat();
    let all: Vec<u8> = (1..100).flat_map(|n| head(2 * n + 1, END_STREAM, &after)).collect();
    assert_eq!(raw.until_closed(&all).await, Some(ENHANCE_YOUR_CALM));
    let raw = FrameClient::connect(&logged.wire.e).await;
    assert_eq!(raw.until_closed(&head(1, END_STREAM, &bomb)).await, Some(ENHANCE_YOUR_CALM));
    logged.serves_others().await;
    assert_eq!(logged.wire.seen.of("/hostile").len(), 1, "the one that is none");

    // A head moderately beyond the limit costs only its request.
    let mut raw = FrameClient::connect(&logged.wire.e).await;
    raw.send(head(1, END_STREAM, &first)).await;
    raw.send(head(3, END_STREAM, &[&get[..], &[0xbe; 60]].concat())).await;
    raw.send(head(5, END_STREAM, &[&get[..], &[0xbe; 10]].concat())).await;
    let mut answered = BTreeSet::from([1, 3, 5]);
    while !answered.is_empty() {
        let frame = raw.next().await.expect("an answer");
        assert!(frame.kind != GOAWAY, "{frame:?}");
        if frame.kind == HEADERS {
            answered.remove(&frame.stream);
        }
    }
    assert_eq!(logged.wire.seen.of("/hostile").len(), 3);
}

/// Frames that require answers, which the client does not read.
#[tokio::test]
async fn floods_of_unread_answers_close_the_connection() {
    const FLOOD: usize = 64 * 1024 * 1024;
    let quick = Duration::from_secs(1);
    let limits = Limits { idle_timeout: quick, body_timeout: quick, ..Limits::default() };
    let logged = Logged::with(limits).await;
    let wire = &logged.wire;
    let many: Vec<u8> = (0..8000).flat_map(|n| head(2 * n + 1, END_STREAM, &[0x82])).collect();
    for (name, flood, again) in [
        ("pings", frame(PING, 0, 0, b"12345678"), true),
        ("settings", frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]), true),
        ("malformed requests", many, false),
    ] {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut raw = FrameClient(socket.connect(wire.e.address()).await.unwrap());
        raw.begin().await;
        let flood = flood.repeat(if again { 64 * 1024 / flood.len() } else { 1 });
        let mut sent = 0;
        let talk = async {
            while raw.0.write_all(&flood).await.is_ok() && sent < FLOOD {
                sent += flood.len();
            }
        };
        tokio::time::timeout(SOON, talk).await.expect("it is hung up on");
        assert!(sent < FLOOD, "{name}: all of it was taken");
        logged.serves_others().await;
    }
}

#[tokio::test]
async fn protocol_errors_close_the_connection() {
    let logged = Logged::start().await;
    let get = block(&logged.wire.host, b"/hostile");
    let update = |stream, by: u32| frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
    let most = 0x7fff_ffff_u32;
    let cases = [
        ("a window without end", update(0, most), FLOW_CONTROL_ERROR),
        ("a window that grows by nothing", update(0, 0), PROTOCOL_ERROR),
        ("data of nothing", frame(DATA, 0, 0, b"x"), PROTOCOL_ERROR),
        ("data before a head", frame(DATA, 0, 1, b"x"), PROTOCOL_ERROR),
        ("an even stream", head(2, END_STREAM, &get), PROTOCOL_ERROR),
        ("stream 0", head(0, END_STREAM, &get), PROTOCOL_ERROR),
        ("a promise", frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]), PROTOCOL_ERROR),
        ("a reset of nothing", reset(1), PROTOCOL_ERROR),
        ("a continuation of nothing", frame(CONTINUATION, 4, 1, b""), PROTOCOL_ERROR),
        ("settings of five bytes", frame(SETTINGS, 0, 0, b"12345"), PROTOCOL_ERROR),
        ("a long ping", frame(PING, 0, 0, b"123456789"), PROTOCOL_ERROR),
        ("a long frame", frame(DATA, 0, 1, &vec![0; 16_385]), FRAME_SIZE_ERROR),
        ("a table of nothing", head(1, END_STREAM, &[0xff, 0xff, 0x7f]), PROTOCOL_ERROR),
        (
            "padding that is too long",
            frame(HEADERS, 0xc | END_STREAM, 1, &[200, 0x82]),
            PROTOCOL_ERROR,
        ),
        (
            "a head in a head",
            [frame(HEADERS, 0, 1, &get), frame(HEADERS, 4, 3, &get)].concat(),
            PROTOCOL_ERROR,
        ),
    ];
    for (name, bytes, code) in &cases {
        let mut raw = FrameClient::connect(&logged.wire.e).await;
        raw.settle().await;
        assert_eq!(raw.until_closed(bytes).await, Some(*code), "{name}");
    }
    // An error of a stream closes only that stream.
    let mut raw = FrameClient::connect(&logged.wire.e).await;
    raw.send([head(1, 0, &get), update(1, most)].concat()).await;
    assert_eq!(raw.answer(1).await, Err(FLOW_CONTROL_ERROR));
    raw.send(head(3, END_STREAM, &block(&logged.wire.host, b"/good"))).await;
    assert_eq!(raw.answer(3).await, Ok(()));
    logged.serves_others().await;
    assert!(logged.wire.seen.of("/hostile").iter().all(|saw| saw.body.is_none()));
    drop(raw);
    let all = logged.ended().await;
    let is_end = |line: &&Value| line["reason"].as_str().unwrap_or_default().contains("ended with");
    assert_eq!(all.iter().filter(is_end).count(), cases.len(), "{all:?}");
}

/// A call of the API continues after its client has left, and counts until it has ended.
#[tokio::test]
async fn cancelled_calls_do_not_accumulate() {
    let (gate, gated) = watch::channel(true);
    let e = TestEmulator::builder().store(Arc::new(GatedStore(gated))).start().await.unwrap();
    let e = TestEmulator { emulator: e, sim: None };
    let bearer = format!("Bearer {}", e.emulator.administrator());
    let body = json!({"name": "t", "role": "read"}).to_string();
    // POST by its index.
    let mut post = block("gra.ai.localhost", b"/v1/token");
    post[0] = 0x83;
    post.extend(field("authorization", bearer.as_bytes()));
    post.extend(field("content-type", b"application/json"));
    let asked = |stream: u32| {
        [head(stream, 0, &post), frame(DATA, END_STREAM, stream, body.as_bytes())].concat()
    };
    gate.send(false).unwrap();
    let mut raw = FrameClient::connect(&e).await;
    for number in 0..300 {
        let stream = 2 * number + 1;
        raw.send(asked(stream)).await;
        raw.settle().await;
        raw.settle().await;
        raw.send(reset(stream)).await;
    }
    is_served(&e).await;
    gate.send(true).unwrap();
    raw.send(asked(601)).await;
    assert_eq!(raw.answer(601).await, Ok(()));
    let platform = e.emulator.platform();
    let region = platform.default_region().unwrap();
    let count = platform.snapshot().tokens_of(region).len();
    assert!((2..=129).contains(&count), "{count} calls were in flight");
}
