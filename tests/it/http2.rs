//! Clients that speak HTTP/2, with apps that speak HTTP/1.1.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Frame;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ovhai_emulator::{AccessLog, Limits};
use ovhai_runtime::SimRuntime;
use ovhai_test_support::backpressure::{HELD, MUCH, PIECE, settled};
use ovhai_test_support::http2::{Client, Piped, data, empty, pipe, request, text};
use ovhai_test_support::raw::{SOON, header};
use ovhai_test_support::recorder::{RecordingApp, at};
use ovhai_test_support::retry::{ClosingAtTheSecond, End, TRIED_AGAIN};
use ovhai_test_support::{TestEmulator, Upstream, backpressure, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

#[tokio::test]
async fn the_app_gets_the_request_as_http1() {
    let wire = RecordingApp::start().await;
    let client = Client::connect(&wire.e).await;
    let given = request("GET", &wire.host, "/a%2Fb//c?x=%20&&y")
        .header("cookie", "a=1")
        .header("cookie", "b=2; c=3")
        .header("te", "trailers")
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-request-id", "mine-1");
    let response = client.send(given.body(empty()).unwrap()).await;
    assert_eq!(response.headers()["x-request-id"], "mine-1");
    assert_eq!(text(response).await.0, "GET /a%2Fb//c?x=%20&&y");
    let seen = wire.seen.of("/a%2Fb").remove(0);
    assert!(seen.head.starts_with("GET /a%2Fb//c?x=%20&&y HTTP/1.1\r\n"), "{}", seen.head);
    for (name, value) in [
        ("host", Some(wire.host.as_str())),
        ("cookie", Some("a=1; b=2; c=3")),
        ("te", Some("trailers")),
        ("x-forwarded-for", Some("127.0.0.1")),
        ("x-forwarded-proto", Some("http")),
        ("x-forwarded-host", Some(wire.host.as_str())),
        ("x-request-id", Some("mine-1")),
        ("content-length", None),
        ("transfer-encoding", None),
    ] {
        assert_eq!(header(&seen.head, name), value, "{name}: {}", seen.head);
    }
    assert_eq!(seen.head.matches("cookie").count(), 1, "{}", seen.head);

    // A body of unknown length, in pieces, with trailers.
    let (pipe, body) = pipe();
    let answer = client.send(request("POST", &wire.host, "/chunked").body(body).unwrap());
    let sent = async {
        pipe.send(data(b"one")).await.unwrap();
        pipe.send(data(b"-two")).await.unwrap();
        let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), "7".parse().unwrap())]);
        pipe.send(Frame::trailers(trailers)).await.unwrap();
        drop(pipe);
    };
    let (answer, ()) = tokio::join!(answer, sent);
    assert_eq!(answer.status(), 200);
    let seen = wire.seen.of("/chunked").remove(0);
    assert_eq!(header(&seen.head, "transfer-encoding"), Some("chunked"));
    let body = String::from_utf8(seen.body.unwrap()).unwrap();
    assert!(body.contains("one") && body.ends_with("0\r\nx-sum: 7\r\n\r\n"), "{body}");

    // One of known length.
    let (pipe, body) = self::pipe();
    let known = request("PUT", &wire.host, "/known").header("content-length", "5");
    let answer = client.send(known.body(body).unwrap());
    let sent = async {
        pipe.send(data(b"hello")).await.unwrap();
        drop(pipe);
    };
    assert_eq!(tokio::join!(answer, sent).0.status(), 200);
    let seen = wire.seen.of("/known").remove(0);
    assert_eq!(header(&seen.head, "content-length"), Some("5"));
    assert_eq!(seen.body.as_deref(), Some(&b"hello"[..]));
    let none = request("POST", &wire.host, "/nothing").header("content-length", "0");
    assert_eq!(client.send(none.body(empty()).unwrap()).await.status(), 200);
    let seen = wire.seen.of("/nothing").remove(0);
    assert_eq!(header(&seen.head, "content-length"), Some("0"), "{}", seen.head);
}

/// Answers by the target's first letters.
async fn script(mut stream: TcpStream) {
    while let Some(head) = Upstream::head(&mut stream).await {
        let target = head.split(' ').nth(1).unwrap_or_default();
        let answer: &[u8] = match target {
            "/empty" => b"HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n",
            "/same" => b"HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\ncontent-length: 9\r\n\r\n",
            "/head" => b"HTTP/1.1 200 OK\r\ncontent-length: 12345\r\n\r\n",
            "/cookies" => b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nconnection: x-hop\r\nx-hop: 1\r\nkeep-alive: x\r\ncontent-length: 0\r\n\r\n",
            "/trailers" => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n3\r\none\r\n0\r\nx-sum: 3\r\n\r\n",
            "/interim" => b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
            "/until-close" => b"HTTP/1.1 200 OK\r\n\r\nto the end",
            "/short" => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nnot all",
            "/cut" => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "/rubbish" => b"no HTTP at all\r\n\r\n",
            "/switch" => b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
            "/silent" => b"",
            "/says-so" | "/says-so-twice" | "/waits" => {
                assert!(head.contains("\r\nexpect: 100-continue\r\n"), "{head}");
                let times = ["/waits", "/says-so", "/says-so-twice"].iter().position(|t| *t == target);
                let told = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(times.unwrap());
                stream.write_all(&told).await.unwrap();
                let mut body = Vec::new();
                while !body.ends_with(b"0\r\n\r\n") {
                    body.push(stream.read_u8().await.unwrap());
                }
                assert_eq!(body, b"7\r\ntoken=x\r\n0\r\n\r\n");
                b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
            }
            _ => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        };
        let ends = ["/until-close", "/short", "/cut", "/rubbish", "/silent"].contains(&target);
        if stream.write_all(answer).await.is_err() || ends {
            return;
        }
    }
}

async fn scripted() -> (Upstream, TestEmulator, String) {
    let upstream = Upstream::start(script).await;
    let spec = json!({"unsecureHttp": true});
    let (e, app) = at(TestEmulator::builder(), &upstream, spec).await;
    let host = TestEmulator::host(&app);
    (upstream, e, host)
}

/// Interim answers to a request, with what each links to; the body goes when there was one.
async fn interim(
    e: &TestEmulator,
    given: hyper::http::request::Builder,
    waits: bool,
) -> Vec<String> {
    let stream = TcpStream::connect(e.address()).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let driver = tokio::spawn(connection);
    let given = if waits { given.header("expect", "100-continue") } else { given };
    let mut sender = sender.ready().await.unwrap();
    let (mut answer, mut body) = sender.send_request(given.body(()).unwrap(), !waits).unwrap();
    let mut seen = Vec::new();
    let mut body_is_due = waits;
    while let Some(head) = poll_fn(|cx| answer.poll_informational(cx)).await {
        let head = head.unwrap();
        let link = head.headers().get("link").map_or("-", |link| link.to_str().unwrap());
        seen.push(format!("{} {link}", head.status().as_u16()));
        if std::mem::take(&mut body_is_due) {
            body.send_data(Bytes::from_static(b"token=x"), true).unwrap();
        }
    }
    assert_eq!(answer.await.unwrap().status(), 200);
    drop(sender);
    driver.abort();
    seen
}

#[tokio::test]
async fn the_client_gets_the_answer_as_http2() {
    let (_upstream, e, host) = scripted().await;
    let client = Client::connect(&e).await;
    let empty_one = client.get(&host, "/empty").await;
    assert_eq!(
        (empty_one.status().as_u16(), &empty_one.headers()["x-a"]),
        (204, &"1".parse().unwrap())
    );
    assert_eq!(text(empty_one).await.0, "");
    let same = client.get(&host, "/same").await;
    assert_eq!((same.status().as_u16(), &same.headers()["etag"]), (304, &"\"x\"".parse().unwrap()));
    assert_eq!(text(same).await.0, "");
    let head = client.send(request("HEAD", &host, "/head").body(empty()).unwrap()).await;
    assert_eq!(head.headers()["content-length"], "12345");
    assert_eq!(text(head).await.0, "");
    let cookies = client.get(&host, "/cookies").await;
    let all: Vec<_> = cookies.headers().get_all("set-cookie").iter().collect();
    assert_eq!(all, ["a=1", "b=2"]);
    for gone in ["connection", "x-hop", "keep-alive", "transfer-encoding"] {
        assert!(!cookies.headers().contains_key(gone), "{gone}");
    }
    assert!(cookies.headers().contains_key("x-request-id"));
    let (body, trailers) = text(client.get(&host, "/trailers").await).await;
    assert_eq!((&body[..], &trailers.unwrap()["x-sum"]), (&b"one"[..], &"3".parse().unwrap()));
    assert_eq!(text(client.get(&host, "/interim").await).await.0, "hi");
    assert_eq!(interim(&e, request("GET", &host, "/interim"), false).await, ["103 x"]);
    // From the app, or from the gateway if the app is silent; none if the app answers immediately.
    for target in ["/says-so", "/says-so-twice", "/waits"] {
        let given = request("POST", &host, target);
        assert_eq!(interim(&e, given, true).await, ["100 -"], "{target}");
    }
    assert!(interim(&e, request("POST", &host, "/"), true).await.is_empty());
    let revoke = request("POST", "gra.ai.localhost", "/oauth2/revoke")
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(interim(&e, revoke, true).await, ["100 -"], "a call of the API");
    assert_eq!(text(client.get(&host, "/until-close").await).await.0, "to the end");
    let expects = request("GET", &host, "/").header("expect", "miracles").body(empty()).unwrap();
    assert_eq!(client.send(expects).await.status(), 417);
    for (target, status) in [("/rubbish", 502), ("/switch", 502), ("/silent", 502)] {
        let answer = client.get(&host, target).await;
        assert_eq!(answer.status(), status, "{target}");
        assert!(text(answer).await.0.starts_with(b"{\"message\":"), "{target}");
    }
    // An answer that the app breaks off does not look complete.
    for target in ["/short", "/cut"] {
        let mut sender = client.sender.clone();
        let given = request("GET", &host, target).body(empty()).unwrap();
        // The reset may overtake even the head.
        let read = async { sender.send_request(given).await?.into_body().collect().await };
        let read = tokio::time::timeout(SOON, read).await.unwrap();
        assert!(read.is_err(), "{target}: {read:?}");
    }
    assert_eq!(client.get(&host, "/").await.status(), 200, "others are unharmed");
}

#[tokio::test]
async fn many_concurrent_requests_are_answered() {
    let (upstream, e, host) = scripted().await;
    let client = Client::connect(&e).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let (mut sender, request) =
            (client.sender.clone(), request("GET", &host, "/").body(empty()).unwrap());
        all.spawn(async move {
            sender.ready().await.unwrap();
            text(sender.send_request(request).await.unwrap()).await.0
        });
    }
    let answers = tokio::time::timeout(SOON, all.join_all()).await.unwrap();
    assert!(answers.iter().all(|answer| answer == "hi"));
    assert!(upstream.connections() <= 129, "no more at once than streams");
}

#[tokio::test]
async fn refusals_have_status_and_message() {
    let upstream = Upstream::start(script).await;
    let limits = Limits { line_max: 1000, head_max: 16 * 1024, ..Limits::default() };
    let (e, app) = at(TestEmulator::builder().limits(limits), &upstream, json!({})).await;
    let host = TestEmulator::host(&app);
    let token = e.token("GRA", "read", None).await.status.value.unwrap();
    let other = e.token("GRA", "read", Some("group=B")).await.status.value.unwrap();
    let client = Client::connect(&e).await;
    let ask = async |given: hyper::http::request::Builder| {
        let response = client.send(given.body(empty()).unwrap()).await;
        (response.status().as_u16(), response.headers().clone(), text(response).await.0)
    };
    let bearer = |token: &str| format!("Bearer {token}");
    let get = || request("GET", &host, "/");
    assert_eq!(ask(get().header("authorization", bearer(&token))).await.0, 200);
    let (status, headers, body) = ask(get()).await;
    assert_eq!(status, 401);
    assert!(headers["www-authenticate"].to_str().unwrap().starts_with("Bearer realm"));
    assert!(body.starts_with(b"{\"message\":\"authentication is required"), "{body:?}");
    assert_eq!(ask(get().header("authorization", bearer("x"))).await.0, 401);
    let two = get().header("authorization", bearer(&token)).header("authorization", "Bearer x");
    assert_eq!(ask(two).await.0, 401);
    let (status, _, body) = ask(get().header("authorization", bearer(&other))).await;
    assert_eq!((status, body.windows(9).any(|w| w == b"forbidden")), (403, true));
    // HEAD gets no body.
    let (status, headers, body) = ask(request("HEAD", &host, "/")).await;
    assert_eq!((status, &body[..]), (401, &b""[..]));
    assert!(headers["content-length"].to_str().unwrap().parse::<u64>().unwrap() > 10);
    // A browser gets the page.
    let page = get().header("accept", "text/html,*/*").header("sec-fetch-mode", "navigate");
    let (status, headers, body) = ask(page.header("sec-fetch-dest", "document")).await;
    assert_eq!(status, 401);
    assert!(headers["content-type"].to_str().unwrap().starts_with("text/html"), "{headers:?}");
    assert!(body.starts_with(b"<!doctype html>") || body.starts_with(b"<!DOCTYPE html>"));

    let large = "x".repeat(limits.head_max);
    let long = "x".repeat(limits.line_max);
    let mut many = get();
    for number in 0..300 {
        many = many.header(format!("x-{number}"), "");
    }
    for (given, status, why) in [
        (request("GET", "evil.example", "/"), 421, "a foreign host"),
        (
            request("GET", "00000000-0000-0000-0000-000000000000.app.gra.ai.localhost", "/"),
            404,
            "no app",
        ),
        (get().header("host", "other.localhost"), 400, "two hosts"),
        (get().header("host", &host).header("host", &host), 400, "several hosts"),
        (get().header("host", &host), 401, "the same host"),
        (request("TRACE", &host, "/"), 405, "TRACE"),
        (Request::builder().method("CONNECT").uri(&host), 405, "CONNECT"),
        (request("GET", &host, &format!("/{long}")), 414, "a long target"),
        (get().header("x-large", large), 431, "large headers"),
        (many, 431, "many headers"),
    ] {
        assert_eq!(ask(given).await.0, status, "{why}");
    }
    assert_eq!(ask(get().header("authorization", bearer(&token))).await.0, 200, "unharmed");
}

#[tokio::test]
async fn back_pressure_passes_through_http2() {
    let slow = backpressure::LargeApp::start().await;
    let spec = json!({"unsecureHttp": true});
    let (e, app) = at(TestEmulator::builder(), &slow.upstream, spec).await;
    let host = TestEmulator::host(&app);
    let client = Client::connect(&e).await;

    let mut response = client.get(&host, "/").await;
    let held = settled(&slow.written, &e).await;
    assert!(held < HELD, "an unread answer: {held}");
    let mut got = 0;
    while let Some(frame) = response.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        for byte in &data[..] {
            assert_eq!(usize::from(*byte), got / PIECE % 251);
            got += 1;
        }
    }
    assert_eq!(got, MUCH);

    let (pipe, body) = pipe();
    let sent = Arc::new(AtomicU64::new(0));
    let given = request("POST", &host, "/").header("content-length", MUCH);
    let answer = client.send(given.body(body).unwrap());
    let count = Arc::clone(&sent);
    let upload = tokio::spawn(async move {
        for number in 0..MUCH / PIECE {
            pipe.send(Frame::data(backpressure::piece(number).into())).await.unwrap();
            count.fetch_add(PIECE as u64, Ordering::SeqCst);
        }
    });
    let check = async {
        let held = settled(&sent, &e).await;
        assert!(held < HELD, "an unread request: {held}");
        // Other requests pass meanwhile.
        assert_eq!(client.get("gra.ai.localhost", "/v1/app").await.status(), 401);
        slow.may_read.notify_one();
    };
    let (answer, ()) = tokio::join!(answer, check);
    assert_eq!(text(answer).await.0, "all");
    upload.await.unwrap();
}

/// An app that reads a request while its response is not read.
#[tokio::test]
async fn an_upload_continues_while_the_answer_is_unread() {
    let upstream = Upstream::start(|mut stream| async move {
        Upstream::head(&mut stream).await.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {MUCH}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let written = AtomicU64::new(0);
        let read = backpressure::read(&mut reader, MUCH);
        tokio::join!(read, backpressure::write(&mut writer, MUCH, &written));
    })
    .await;
    let (e, app) = at(TestEmulator::builder(), &upstream, json!({"unsecureHttp": true})).await;
    let client = Client::connect(&e).await;
    let (pipe, body) = pipe();
    let given = request("POST", &TestEmulator::host(&app), "/").header("content-length", MUCH);
    let mut response = client.send(given.body(body).unwrap()).await;
    let upload = async {
        for number in 0..MUCH / PIECE {
            pipe.send(Frame::data(backpressure::piece(number).into())).await.unwrap();
        }
    };
    tokio::time::timeout(SOON, upload)
        .await
        .expect("all of it, though nothing of the answer is read");
    drop(pipe);
    let mut got = 0;
    while let Some(frame) = response.frame().await {
        got += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    assert_eq!(got, MUCH);
}

#[tokio::test]
async fn the_connection_to_the_app_closes_with_its_client() {
    let (said, mut comes) = mpsc::unbounded_channel();
    let upstream = Upstream::start(move |mut stream| {
        let said = said.clone();
        async move {
            let Some(head) = Upstream::head(&mut stream).await else { return };
            said.send("came").unwrap();
            if head.contains("/body") {
                let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
                stream.write_all(head).await.unwrap();
            }
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            said.send("gone").unwrap();
        }
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let builder = TestEmulator::builder().access_log(AccessLog::Path(log.clone()));
    let (e, app) = at(builder, &upstream, json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let client = Client::connect(&e).await;
    let mut hear = async |what| {
        let next = tokio::time::timeout(SOON, comes.recv()).await.expect(what);
        assert_eq!(next, Some(what));
    };
    // Before the head of the answer.
    let mut sender = client.sender.clone();
    let given = request("GET", &host, "/head?s3cret").body(empty()).unwrap();
    let waiting = tokio::spawn(async move { sender.send_request(given).await.map(|_| ()) });
    hear("came").await;
    waiting.abort();
    hear("gone").await;
    // During the body of an answer.
    let mut response = client.get(&host, "/body").await;
    assert_eq!(response.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    hear("came").await;
    drop(response);
    hear("gone").await;
    // During the body of the request.
    let (pipe, body) = pipe();
    let mut sender = client.sender.clone();
    let given = request("POST", &host, "/upload").body(body).unwrap();
    let waiting = tokio::spawn(async move { sender.send_request(given).await.map(|_| ()) });
    pipe.send(data(b"some")).await.unwrap();
    hear("came").await;
    waiting.abort();
    client.driver.abort();
    hear("gone").await;
    // All of that is reported.
    let lines = eventually("three lines", || async {
        let text = std::fs::read_to_string(&log).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines: Vec<Value> = lines.filter(|line| line["door"] == "app").collect();
        (lines.len() == 3).then_some(lines)
    })
    .await;
    for line in &lines {
        assert_eq!(line["aborted"], "client", "{line}");
        assert_eq!(line["protocol"], "HTTP/2", "{line}");
        assert_eq!(line["app"], json!(app.id), "{line}");
        assert!(!line.to_string().contains("s3cret"), "{line}");
    }
    drop(pipe);
}

#[tokio::test]
async fn an_idle_connection_closed_by_the_app_costs_no_request() {
    // Answers the first request of each connection and closes it when another one comes.
    let upstream = Upstream::start(|mut stream| async move {
        if Upstream::head(&mut stream).await.is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
            Upstream::head(&mut stream).await;
        }
    })
    .await;
    let (e, app) = at(TestEmulator::builder(), &upstream, json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let client = Client::connect(&e).await;
    for _ in 0..4 {
        let answer = client.get(&host, "/").await;
        assert_eq!((answer.status().as_u16(), &text(answer).await.0[..]), (200, &b"hi"[..]));
    }
    assert_eq!(upstream.connections(), 4);
    // A length of 0 is no body.
    let empty_body = request("GET", &host, "/").header("content-length", "0");
    assert_eq!(client.send(empty_body.body(empty()).unwrap()).await.status(), 200);
    assert_eq!(upstream.connections(), 5);
    // Unsafe requests are not retried.
    let post = request("POST", &host, "/").body(empty()).unwrap();
    assert_eq!(client.send(post).await.status(), StatusCode::BAD_GATEWAY);
}

/// An answer that has begun is not repeated from another connection.
#[tokio::test]
async fn only_safe_requests_are_retried() {
    for (method, part, tries, status, why) in TRIED_AGAIN {
        for end in [End::InOrder, End::Reset] {
            let app = ClosingAtTheSecond::start(part, end).await;
            let spec = json!({"unsecureHttp": true});
            let (e, of) = at(TestEmulator::builder(), &app.upstream, spec).await;
            let (host, client) = (TestEmulator::host(&of), Client::connect(&e).await);
            assert_eq!(text(client.get(&host, "/first").await).await.0, "hi");
            let given = request(method, &host, "/second").body(empty()).unwrap();
            let answer = client.send(given).await.status();
            let tried = app.tries.load(Ordering::SeqCst);
            assert_eq!((tried, answer.as_u16()), (tries, status), "{method}, {end:?}: {why}");
        }
    }
}

/// Many at once, so that some requests are in flight when the reset arrives.
#[tokio::test]
async fn an_idle_connection_reset_by_the_app_costs_no_request() {
    let upstream = Upstream::start(|mut stream| async move {
        if Upstream::head(&mut stream).await.is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
            stream.set_zero_linger().unwrap();
        }
    })
    .await;
    let limits = Limits { answer_timeout: SOON, ..Limits::default() };
    let builder = TestEmulator::builder().limits(limits);
    let (e, app) = at(builder, &upstream, json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let client = Client::connect(&e).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (mut sender, host) = (client.sender.clone(), host.clone());
        all.spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..40 {
                let given = request("GET", &host, "/").body(empty()).unwrap();
                sender.ready().await.unwrap();
                statuses.push(sender.send_request(given).await.unwrap().status().as_u16());
            }
            statuses
        });
    }
    let statuses = all.join_all().await.concat();
    let bad: Vec<_> = statuses.iter().filter(|status| **status != 200).collect();
    assert!(bad.is_empty(), "{} of {}: {bad:?}", bad.len(), statuses.len());
}

#[tokio::test]
async fn bodies_answers_and_idle_connections_time_out() {
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let upstream = Upstream::start(move |mut stream| {
        let wait = Arc::clone(&wait);
        async move {
            Upstream::head(&mut stream).await;
            wait.notified().await;
        }
    })
    .await;
    let quick = Duration::from_millis(200);
    let limits = Limits { body_timeout: quick, answer_timeout: quick, ..Limits::default() };
    let builder = TestEmulator::builder().limits(limits);
    let (e, app) = at(builder, &upstream, json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let client = Client::connect(&e).await;
    assert_eq!(client.get(&host, "/").await.status(), 504);
    let (pipe, body) = pipe();
    let (answer, sent) = tokio::join!(
        client.send(request("POST", &host, "/").body(body).unwrap()),
        pipe.send(data(b"some")),
    );
    sent.unwrap();
    assert_eq!(answer.status(), 408);
    let (status, body) = (answer.status(), text(answer).await.0);
    assert!(status == 408 && body.windows(7).any(|w| w == b"in time"), "{body:?}");
    drop((pipe, client.sender));
    // A connection without requests is closed with GOAWAY.
    let limits = Limits { idle_timeout: quick, ..Limits::default() };
    let emulator = TestEmulator::builder().limits(limits).start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let ended = tokio::time::timeout(SOON, Client::connect(&e).await.driver).await;
    ended.expect("closed").unwrap().unwrap();
}

/// The time-outs of bodies continue after the head of the answer was sent.
#[tokio::test]
async fn stalled_bodies_time_out_after_the_head_of_the_answer() {
    let (said, mut comes) = mpsc::unbounded_channel();
    let upstream = Upstream::start(move |mut stream| {
        let said = said.clone();
        async move {
            let head = Upstream::head(&mut stream).await.unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            let piece = vec![7; 64 * 1024];
            while head.starts_with("GET") && stream.write_all(&piece).await.is_ok() {}
            // Until the gateway has closed it.
            let _ = stream.read_to_end(&mut Vec::new()).await;
            said.send(()).unwrap();
        }
    })
    .await;
    let limits = Limits { body_timeout: Duration::from_secs(2), ..Limits::default() };
    let builder = TestEmulator::builder().limits(limits);
    let (e, app) = at(builder, &upstream, json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);

    // An upload that stalls.
    let client = Client::connect(&e).await;
    let (pipe, body) = pipe();
    pipe.send(data(b"some")).await.unwrap();
    let mut answer = client.send(request("POST", &host, "/").body(body).unwrap()).await;
    assert_eq!(answer.status(), 200);
    let frame = tokio::time::timeout(SOON, answer.frame()).await.expect("an end");
    assert!(frame.is_some_and(|frame| frame.is_err()), "it is broken off");
    // Other streams of the connection continue.
    assert_eq!(client.get("gra.ai.localhost", "/v1/app").await.status(), 401);
    drop(pipe);

    tokio::time::timeout(SOON, comes.recv()).await.expect("the app learns it");

    // An unread answer.
    let answer = client.get(&host, "/").await;
    assert_eq!(answer.status(), 200);
    tokio::time::timeout(SOON, comes.recv()).await.expect("the app learns it");
    assert!(answer.into_body().collect().await.is_err(), "it is broken off");
    assert_eq!(client.get("gra.ai.localhost", "/v1/app").await.status(), 401);
}

#[tokio::test]
async fn stopping_waits_for_requests_in_flight() {
    let go = Arc::new(Notify::new());
    let (came, mut comes) = mpsc::unbounded_channel();
    let wait = Arc::clone(&go);
    let upstream = Upstream::start(move |mut stream| {
        let (wait, came) = (Arc::clone(&wait), came.clone());
        async move {
            Upstream::head(&mut stream).await;
            came.send(()).unwrap();
            wait.notified().await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
        }
    })
    .await;
    let sim = SimRuntime::automatic(upstream.address());
    let e = TestEmulator::with_sim(sim).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    // The log of an app is followed meanwhile.
    let client = Client::connect(&e).await;
    let follow = request("GET", "gra.ai.localhost", &format!("/v1/app/{}/log?follow=true", app.id))
        .header("authorization", format!("Bearer {}", e.emulator.administrator()));
    let log = client.send(follow.body(empty()).unwrap()).await;
    assert_eq!(log.status(), 200);
    let mut sender = client.sender.clone();
    let given = request("GET", &host, "/").body(empty()).unwrap();
    let waiting =
        tokio::spawn(async move { text(sender.send_request(given).await.unwrap()).await.0 });
    comes.recv().await.unwrap();
    let stopping = tokio::spawn(e.emulator.shutdown());
    // The log's end shows that stopping has begun.
    tokio::time::timeout(SOON, log.into_body().collect()).await.expect("an end").unwrap();
    go.notify_one();
    assert_eq!(tokio::time::timeout(SOON, waiting).await.unwrap().unwrap(), "hi");
    tokio::time::timeout(SOON, stopping).await.unwrap().unwrap();
    tokio::time::timeout(SOON, client.driver).await.expect("closed").unwrap().unwrap();
}

/// As with HTTP/1, names of routing, framing and credentials are removed from trailers.
#[tokio::test]
async fn trailers_and_targets_are_checked() {
    let wire = RecordingApp::start().await;
    let stream = TcpStream::connect(wire.e.address()).await.unwrap();
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut client, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    let mut ask = async |target: &str| {
        let mut trailers = hyper::HeaderMap::new();
        for name in ["x-sum", "authorization", "cookie", "x-forwarded-for", "x-ovhai-token", "host"]
        {
            trailers.insert(name, "1".parse().unwrap());
        }
        let (body, frames) = mpsc::channel(2);
        body.send(Frame::data(Bytes::from_static(b"hello"))).await.unwrap();
        body.send(Frame::trailers(trailers)).await.unwrap();
        drop(body);
        let body = Piped(frames);
        let request = Request::put(format!("http://{}{target}", wire.host)).body(body).unwrap();
        let answer = tokio::time::timeout(SOON, client.send_request(request)).await;
        answer.expect("an answer in time").unwrap().status()
    };
    assert_eq!(ask("/trailers").await, StatusCode::OK);
    assert_eq!(ask("/\u{fc}").await, StatusCode::BAD_REQUEST);
    let seen = wire.seen.of("/trailers").remove(0).body.unwrap();
    let chunks = "5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n";
    assert_eq!(String::from_utf8(seen).unwrap(), chunks);
    wire.e.emulator.shutdown().await;
}
