//! Clients that attack or misbehave. Each gets the right status, a reason in JSON, and a
//! closed connection; the app sees nothing, and other clients are served meanwhile.

use std::sync::Arc;
use std::time::Duration;

use ovhai_emulator::Limits;
use ovhai_test_support::raw::{Client, SOON, header};
use ovhai_test_support::recorder::{RecordingApp, app, at};
use ovhai_test_support::{TestEmulator, Upstream};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Follows every hostile message on its connection, and must never be served.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: HOST\r\n\r\n";

/// Sends a message whose target begins with `/hostile`, with another request behind it. `HOST`
/// stands for the app's host. Returns what is wrong with the refusal, if anything.
async fn refused(
    wire: &RecordingApp,
    name: &str,
    message: &[u8],
    statuses: &[u16],
) -> Option<String> {
    let mut client = wire.connect().await;
    let mut bytes = replace_host(message, &wire.host);
    bytes.extend(replace_host(SMUGGLED.as_bytes(), &wire.host));
    let (mut reader, mut writer) = client.0.split();
    let mut answer = Vec::new();
    let talk = async {
        // The gateway may close the connection before it read everything.
        let (_, _) = tokio::join!(writer.write_all(&bytes), reader.read_to_end(&mut answer));
    };
    let closed = tokio::time::timeout(SOON, talk).await.is_ok();
    let text = String::from_utf8_lossy(&answer);
    let fault = |what: &str| Some(format!("{name}: {what}: {text:.300?}"));
    if !closed {
        return fault("the connection is not closed");
    }
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return fault("no answer") };
    let status: u16 = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    if !statuses.contains(&status) {
        return fault(&format!("not {statuses:?}"));
    }
    if text.matches("HTTP/1.").count() != 1 {
        return fault("more than one answer");
    }
    if !header(head, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        return fault("it does not say that it closes the connection");
    }
    if header(head, "content-type") != Some("application/json") {
        return fault("not JSON");
    }
    let told = serde_json::from_str::<Value>(body).unwrap_or_default();
    if told["message"].as_str().is_none_or(|message| message.len() < 5) {
        return fault("no message");
    }
    None
}

fn replace_host(message: &[u8], host: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = message;
    while let Some(at) = rest.windows(4).position(|part| part == b"HOST") {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(host.as_bytes());
        rest = &rest[at + 4..];
    }
    out.extend_from_slice(rest);
    out
}

/// Sends all of them, a few at a time; another client is served before, between and after.
async fn all_refused(cases: Vec<(String, Vec<u8>, Vec<u16>)>) {
    let wire = Arc::new(RecordingApp::start().await);
    let mut other = wire.connect().await;
    let mut faults = Vec::new();
    assert!(!cases.is_empty());
    for some in cases.chunks(8) {
        let mut tries = JoinSet::new();
        for case in some {
            let (name, message, statuses) = case.clone();
            let wire = Arc::clone(&wire);
            tries.spawn(async move { refused(&wire, &name, &message, &statuses).await });
        }
        faults.extend(tries.join_all().await.into_iter().flatten());
        other.send(wire.request("GET /other", "")).await;
        assert_eq!(other.answer().await.text(), "GET /other");
    }
    for saw in wire.seen.of("/smuggled") {
        faults.push(format!("smuggled: {saw:?}"));
    }
    for saw in wire.seen.of("/hostile").into_iter().filter(|saw| saw.body.is_some()) {
        faults.push(format!("the app saw it: {:.200}", saw.head));
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// A POST with these header lines, and this after the head.
fn post(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /hostile HTTP/1.1\r\nhost: HOST\r\n{headers}\r\n{body}").into_bytes()
}

fn named(
    name: impl Into<String>,
    message: Vec<u8>,
    statuses: &[u16],
) -> (String, Vec<u8>, Vec<u16>) {
    (name.into(), message, statuses.to_vec())
}

#[tokio::test]
async fn ambiguous_lengths_are_refused() {
    let mut cases = Vec::new();
    for lengths in [
        &["5", "5"][..],
        &["5", "6"],
        &["5, 5"],
        &["5, 6"],
        &["+5"],
        &["-5"],
        &["0x5"],
        &["5 5"],
        &["5;"],
        &["5.0"],
        &["five"],
        &[""],
        &["\u{ff15}"],
        &["18446744073709551616"],
        &["99999999999999999999999999"],
        &["5\t5"],
    ] {
        let lines = lengths.iter().map(|l| format!("content-length: {l}\r\n"));
        let headers = lines.collect::<Vec<_>>().concat();
        cases.push(named(format!("Content-Length {lengths:?}"), post(&headers, "hello"), &[400]));
    }
    all_refused(cases).await;
}

#[tokio::test]
async fn ambiguous_encodings_are_refused() {
    const BODY: &str = "5\r\nhello\r\n0\r\n\r\n";
    let mut cases = Vec::new();
    for headers in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        "content-length: 0\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked, chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding : chunked\r\n",
        "transfer-encoding: \x0bchunked\r\n",
        "transfer-encoding: chunked\x0b\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: \"chunked\"\r\n",
        "transfer-encoding: chunked;a=b\r\n",
        "transfer-encoding:\r\n",
        "transfer-encoding: ,\r\n",
        "transfer-encoding: chun ked\r\n",
    ] {
        cases.push(named(headers, post(headers, BODY), &[400, 501]));
    }
    for coding in ["identity", "xchunked", "chunkedx", "gzip, chunked", "chunked, gzip", "gzip"] {
        let headers = format!("transfer-encoding: {coding}\r\n");
        cases.push(named(coding, post(&headers, BODY), &[400, 501]));
    }
    let old = format!(
        "POST /hostile HTTP/1.0\r\nhost: HOST\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n{BODY}"
    );
    cases.push(named("in HTTP/1.0", old.into_bytes(), &[400, 501]));
    all_refused(cases).await;
}

#[tokio::test]
async fn malformed_lines_and_header_names_are_refused() {
    let mut cases = Vec::new();
    let line = |text: &str| format!("GET /hostile HTTP/1.1\r\nhost: HOST\r\n{text}\r\n\r\n");
    for text in [
        "x : y",
        "x\t: y",
        ": y",
        " x: y",
        "x",
        "x y: z",
        "x(y): z",
        "x@: z",
        "\u{e9}: z",
        "x: a\r\n folded",
        "x: a\r\n\tfolded",
        "x: a\0b",
        "x\0: b",
        "x: a\x01b",
        "x: a\x7fb",
        "x: a\x1bb",
        "\x01: b",
        "x: a\rb: c",
        "x\r: c",
        "x: a\nb: c",
        "x: a\n",
        "x: a\r\r",
    ] {
        cases.push(named(format!("{text:?}"), line(text).into_bytes(), &[400]));
    }
    for head in [
        "GET /hostile HTTP/1.1\nhost: HOST\r\n\r\n",
        "GET /hostile HTTP/1.1\r\nhost: HOST\n\r\n",
        "GET /hostile HTTP/1.1\r\nhost: HOST\r\n\n",
        "GET /hostile HTTP/1.1\nhost: HOST\n\n",
        "GET /hostile HTTP/1.1\rhost: HOST\r\r",
        "GET /hostile HTTP/1.1\r\n host: HOST\r\n\r\n",
        "\nGET /hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        " GET /hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET  /hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET /hostile  HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET /hostile HTTP/1.1 \r\nhost: HOST\r\n\r\n",
        "GET\t/hostile\tHTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET /hostile x HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET /hostile\0 HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET /hostile\x7f HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET /hostile/\u{e9} HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET /hostile#fragment HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET HOST/hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET * HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "G@T /hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET: /hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "G\0T /hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "/hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "\u{e9}T /hostile HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n",
    ] {
        cases.push(named(format!("{head:?}"), head.as_bytes().to_vec(), &[400]));
    }
    for version in [
        "HTTP/2.0",
        "HTTP/0.9",
        "HTTP/3",
        "HTTP/11",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/1.11",
        "http/1.1",
        "HTTP/1.1x",
        "HTTPS/1.1",
        "HTTP/ 1.1",
        "HTTP/-1.1",
        "ICY/1.1",
    ] {
        let head = format!("GET /hostile {version}\r\nhost: HOST\r\n\r\n");
        cases.push(named(version, head.into_bytes(), &[400, 505]));
    }
    let none = b"GET /hostile\r\nhost: HOST\r\n\r\n".to_vec();
    cases.push(named("no version", none, &[400, 505]));
    all_refused(cases).await;
}

#[tokio::test]
async fn malformed_hosts_and_targets_are_refused() {
    let mut cases = Vec::new();
    for host in
        ["", "a b", "HOST/x", "user@HOST", "HOST:999999", "HOST:x", "[::1", "HOST,HOST", "\"HOST\""]
    {
        let head = format!("GET /hostile HTTP/1.1\r\nhost: {host}\r\n\r\n");
        cases.push(named(format!("Host {host:?}"), head.into_bytes(), &[400, 421]));
    }
    for headers in ["", "host: HOST\r\nhost: HOST\r\n", "host: HOST\r\nhost: evil.example\r\n"] {
        for version in ["1.1", "1.0"] {
            let head = format!("GET /hostile HTTP/{version}\r\n{headers}\r\n");
            cases.push(named(format!("{headers:?} {version}"), head.into_bytes(), &[400]));
        }
    }
    for (target, statuses) in [
        ("http://user@HOST/hostile", &[400][..]),
        ("http://user:secret@HOST/hostile", &[400]),
        ("http:///hostile", &[400]),
        ("http://HOST:x/hostile", &[400]),
        ("http:/hostile", &[400]),
        ("ftp://HOST/hostile", &[400]),
        ("http://evil.example/hostile", &[421]),
        ("http://HOST\\@evil.example/hostile", &[400]),
    ] {
        let head = format!("GET {target} HTTP/1.1\r\nhost: HOST\r\n\r\n");
        cases.push(named(target, head.into_bytes(), statuses));
    }
    for (head, statuses) in [
        ("CONNECT HOST HTTP/1.1\r\nhost: HOST\r\n\r\n", &[405][..]),
        ("CONNECT evil.example:443 HTTP/1.1\r\nhost: HOST\r\n\r\n", &[400, 405, 421]),
        ("CONNECT /hostile HTTP/1.1\r\nhost: HOST\r\n\r\n", &[400, 405]),
        ("TRACE /hostile HTTP/1.1\r\nhost: HOST\r\n\r\n", &[405]),
    ] {
        cases.push(named(head, head.as_bytes().to_vec(), statuses));
    }
    let expecting = post("expect: 200-ok\r\ncontent-length: 5\r\n", "hello");
    cases.push(named("an unknown expectation", expecting, &[417]));
    all_refused(cases).await;
}

#[tokio::test]
async fn ambiguous_chunks_are_refused() {
    let mut cases = Vec::new();
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "e".repeat(64 * 1024));
    for body in [
        "\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5g\r\nhello\r\n0\r\n\r\n",
        "5 g\r\nhello\r\n0\r\n\r\n",
        "g\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5;a=b\nhello\r\n0\r\n\r\n",
        "5;a=\0\r\nhello\r\n0\r\n\r\n",
        "5\0\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\r\nx : y\r\n\r\n",
        "5\r\nhello\r\n0\r\nno colon\r\n\r\n",
        "5\r\nhello\r\n0\r\nx: y\r\n folded\r\n\r\n",
        "5\r\nhello\r\n0\r\nx: y\n\r\n",
        &long,
    ] {
        let message = post("transfer-encoding: chunked\r\n", body);
        cases.push(named(format!("{body:.40?}"), message, &[400]));
    }
    all_refused(cases).await;
}

/// Trailers with the names of routing and framing headers are removed.
#[tokio::test]
async fn trailers_can_not_replace_headers() {
    let wire = RecordingApp::start().await;
    for name in ["content-length", "transfer-encoding", "host", "authorization", "x-ovhai-token"] {
        let mut client = wire.connect().await;
        let more = "transfer-encoding: chunked\r\nconnection: close\r\n";
        client.send(wire.request(&format!("POST /{name}"), more)).await;
        client.send(format!("5\r\nhello\r\n0\r\n{name}: 7\r\nx-fine: 1\r\n\r\n")).await;
        assert_eq!(client.answer().await.status(), 200, "{name}");
        let body = wire.seen.of(name).remove(0).body.unwrap();
        assert_eq!(String::from_utf8_lossy(&body), "5\r\nhello\r\n0\r\nx-fine: 1\r\n\r\n");
    }
}

#[tokio::test]
async fn heads_pass_up_to_the_limit() {
    let mut cases = Vec::new();
    for (name, head, statuses) in [
        ("a large header", format!("x: {}\r\n", "y".repeat(72 * 1024)), &[431][..]),
        ("many large headers", format!("x: {}\r\n", "y".repeat(1000)).repeat(72), &[431]),
        ("300 headers", "x: y\r\n".repeat(300), &[431]),
        ("a bomb", "x: y\r\n".repeat(100_000), &[431]),
        ("a name without end", "x".repeat(200_000), &[400, 431]),
        // Each field name would be looked up.
        ("many named fields", format!("connection: {}\r\n", "q,".repeat(20_000)), &[431]),
        ("many that name fields", "connection: a, b\r\n".repeat(100), &[431]),
    ] {
        let message = format!("GET /hostile HTTP/1.1\r\nhost: HOST\r\n{head}\r\n").into_bytes();
        cases.push(named(name, message, statuses));
    }
    for (name, length) in [("a long line", 70 * 1024), ("a very long line", 1024 * 1024)] {
        let path = "p".repeat(length);
        let message = format!("GET /hostile{path} HTTP/1.1\r\nhost: HOST\r\n\r\n").into_bytes();
        cases.push(named(name, message, &[414]));
    }
    let endless = "A".repeat(300_000).into_bytes();
    cases.push(named("a method without end", endless, &[400, 414, 431]));
    all_refused(cases).await;

    // Heads within the limit pass unchanged.
    let wire = RecordingApp::start().await;
    let mut client = wire.connect().await;
    let long = format!("/{}", "p".repeat(60 * 1024 - 20));
    client.send(wire.request(&format!("GET {long}"), "")).await;
    assert_eq!(client.answer().await.text(), format!("GET {long}"));
    let host = format!("host: {}\r\n", wire.host).len();
    let cookie = "c".repeat(64 * 1024 - host - "cookie: \r\n".len());
    client.send(wire.request("GET /cookie", &format!("cookie: {cookie}\r\n"))).await;
    assert_eq!(client.answer().await.text(), "GET /cookie");
    assert_eq!(header(&wire.seen.of("/cookie")[0].head, "cookie"), Some(cookie.as_str()));
    let many = (0..250).map(|n| format!("x-{n}: {n}\r\n")).collect::<Vec<_>>().concat();
    client.send(wire.request("GET /many", &many)).await;
    assert_eq!(client.answer().await.text(), "GET /many");
    let saw = &wire.seen.of("/many")[0].head;
    assert!((0..250).all(|n| header(saw, &format!("x-{n}")) == Some(&n.to_string())), "{saw}");
}

fn hasty() -> Limits {
    Limits {
        head_timeout: Duration::from_secs(1),
        body_timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// Reads until the other side closes, while `goes_on` runs.
async fn read_while(
    goes_on: impl Future<Output = ()>,
    mut from: impl AsyncRead + Unpin,
    all: &mut Vec<u8>,
) {
    let read = tokio::time::timeout(SOON, from.read_to_end(all));
    tokio::select! {
        // What came before a reset counts.
        read = read => drop(read.expect("the connection is closed")),
        () = goes_on => {}
    }
}

#[tokio::test]
async fn slow_clients_get_408_and_are_disconnected() {
    let wire = RecordingApp::with(hasty(), json!({"unsecureHttp": true})).await;
    let refused = async |mut client: Client, what: &str| {
        let answer = String::from_utf8_lossy(&client.rest().await).into_owned();
        assert!(answer.starts_with("HTTP/1.1 408"), "{what}: {answer:?}");
        assert!(answer.to_lowercase().contains("connection: close"), "{what}: {answer}");
        assert!(answer.contains("\"message\""), "{what}: {answer}");
    };
    let mut stuck = wire.connect().await;
    stuck.send("GET /hostile HTT").await;
    // A byte now and then does not extend the time-out.
    let mut dripping = wire.connect().await;
    dripping.send(wire.request("GET /hostile", "").trim_end()).await;
    let (reader, mut writer) = dripping.0.into_split();
    let drip = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        // Never the end of a head.
        for byte in b"\r\nx: y".iter().cycle() {
            pace.tick().await;
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let (mut body, mut chunks) = (wire.connect().await, wire.connect().await);
    body.send(wire.request("POST /hostile", "content-length: 10\r\n") + "hel").await;
    chunks.send(wire.request("POST /hostile", "transfer-encoding: chunked\r\n") + "a\r\nhel").await;
    let mut answer = Vec::new();
    let read = read_while(drip, reader, &mut answer);
    let ((), (), (), ()) = tokio::join!(
        read,
        refused(stuck, "in the head"),
        refused(body, "in the body"),
        refused(chunks, "in a chunk")
    );
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "byte by byte: {answer:?}");
    assert!(wire.seen.of("/hostile").iter().all(|saw| saw.body.is_none()));

    // An idle connection is closed silently, with or without an earlier request.
    let silent = wire.connect().await;
    let mut resting = wire.connect().await;
    resting.send(wire.request("GET /first", "")).await;
    assert_eq!(resting.answer().await.text(), "GET /first");
    for mut client in [silent, resting] {
        let said = String::from_utf8_lossy(&client.rest().await).into_owned();
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }
    // A slow app is not the client's fault: only the client's own slowness counts.
}

/// An app that answers, and then neither reads nor writes, does not block its client for ever.
#[tokio::test]
async fn an_unread_upload_times_out() {
    let upstream = Upstream::start(|mut stream| async move {
        let _ = Upstream::head(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n";
        let _ = stream.write_all(head).await;
        std::future::pending::<()>().await;
    })
    .await;
    let limits = Limits { answer_timeout: Duration::from_secs(1), ..Limits::default() };
    let spec = serde_json::from_str(r#"{"unsecureHttp": true}"#).unwrap();
    let (e, app) = at(TestEmulator::builder().limits(limits), &upstream, spec).await;
    let mut client = Client::connect(&e).await;
    let (host, length) = (TestEmulator::host(&app), 64 << 20);
    let head = format!("POST / HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n");
    client.send(head).await;
    let (mut reader, mut writer) = client.0.split();
    let (mut answer, body) = (Vec::new(), vec![b'x'; length]);
    let talk = async {
        // The kind of end does not matter.
        let (_, _) = tokio::join!(writer.write_all(&body), reader.read_to_end(&mut answer));
    };
    tokio::time::timeout(SOON, talk).await.expect("an end");
    assert!(String::from_utf8_lossy(&answer).ends_with("2\r\nhi\r\n"));
}

#[tokio::test]
async fn malformed_credentials_are_refused() {
    let wire = RecordingApp::with(Limits::default(), json!({})).await;
    let token = wire.e.token("GRA", "read", None).await.status.value.unwrap();
    let huge = format!("authorization: Bearer {}\r\n", "t".repeat(60 * 1024));
    let good = format!("authorization: Bearer {token}\r\n");
    let bad = "authorization: Bearer x\r\n".to_owned();
    for headers in [
        huge.clone(),
        good.clone() + &bad,
        bad.clone() + &good,
        good.clone() + &good,
        bad,
        "authorization: Basic eDp5\r\n".into(),
        "authorization:\r\n".into(),
        format!("authorization: Bearer {token},{token}\r\n"),
    ] {
        let mut client = wire.connect().await;
        client.send(wire.request("GET /hostile", &headers)).await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), 401, "{headers:.80}");
        assert!(answer.header("www-authenticate").is_some(), "{}", answer.head);
        assert!(!answer.text().contains("ttt"), "what was shown is not shown again");
        assert!(serde_json::from_str::<Value>(&answer.text()).unwrap()["message"].is_string());
    }
    assert!(wire.seen.of("/hostile").is_empty());
    let mut client = wire.connect().await;
    client.send(wire.request("GET /fine", &good)).await;
    assert_eq!(client.answer().await.status(), 200);
}

/// A client that sends everything before it reads can still read the refusal.
#[tokio::test]
async fn the_client_of_a_refused_upload_can_read_the_reason() {
    let wire = RecordingApp::with(Limits::default(), json!({})).await;
    let body = vec![b'x'; 1024 * 1024];
    for more in
        [format!("content-length: {}\r\n", body.len()), "transfer-encoding: chunked\r\n".into()]
    {
        for _ in 0..5 {
            let mut client = wire.connect().await;
            client.send(wire.request("POST /hostile", &more)).await;
            if more.starts_with('t') {
                client.send(format!("{:x}\r\n", body.len())).await;
            }
            let sent = tokio::time::timeout(SOON, client.0.write_all(&body)).await;
            sent.expect("the gateway reads it or closes the connection")
                .expect("not reset while it is sent");
            let answer = client.answer().await;
            assert_eq!(answer.status(), 401);
            assert!(answer.text().contains("authentication"), "{}", answer.text());
        }
    }
    assert!(wire.seen.of("/hostile").is_empty());
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let wire = RecordingApp::start().await;
    let mut client = wire.connect().await;
    let all = wire.request("GET /1", "")
        + &wire.request("POST /2", "content-length: 7\r\n")
        + "GET / H"
        + &wire.request("HEAD /3", "")
        + &wire.request("POST /4", "transfer-encoding: chunked\r\n")
        + "5;a=\"b\"\r\nhello\r\n0\r\n\r\n"
        + &wire.request("GET /5", "content-length:   0  \r\n");
    client.send(&all).await;
    for expected in ["GET /1", "POST /2", "", "POST /4", "GET /5"] {
        if expected.is_empty() {
            let head = client.answer_head().await;
            assert_eq!((head.status(), head.header("content-length")), (200, Some("7")));
        } else {
            assert_eq!(client.answer().await.text(), expected);
        }
    }
    let body = wire.seen.of("/2")[0].body.clone();
    assert_eq!(body.as_deref(), Some(&b"GET / H"[..]), "a body is no request");
    // Requests after a refused one are not served; those before it are.
    let mut client = wire.connect().await;
    let bad = "GET /hostile HTTP/1.1\r\nhost: x\r\nbad header: y\r\n\r\n";
    client.send(wire.request("GET /6", "") + bad + &wire.request("GET /smuggled", "")).await;
    let answers = String::from_utf8_lossy(&client.rest().await).into_owned();
    let statuses: Vec<_> =
        answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "400"], "{answers}");
    assert!(wire.seen.of("/smuggled").is_empty());
}

#[tokio::test]
async fn http10_and_odd_beginnings_are_handled() {
    let wire = RecordingApp::start().await;
    let old = |more: &str| format!("GET /old HTTP/1.0\r\nhost: {}\r\n{more}\r\n", wire.host);
    let mut client = wire.connect().await;
    client.send(old("")).await;
    let answer = String::from_utf8_lossy(&client.rest().await).into_owned();
    assert!(answer.contains(" 200 ") && answer.ends_with("GET /old"), "{answer}");
    let mut client = wire.connect().await;
    for _ in 0..2 {
        client.send(old("connection: keep-alive\r\n")).await;
        let answer = client.answer().await;
        assert_eq!(answer.text(), "GET /old");
        let kept = answer.header("connection").unwrap_or_default();
        assert!(kept.eq_ignore_ascii_case("keep-alive"), "{}", answer.head);
    }
    // Some old clients send an empty line before a request.
    let mut client = wire.connect().await;
    client.send("\r\n".to_owned() + &wire.request("GET /crlf", "")).await;
    assert_eq!(client.answer().await.text(), "GET /crlf");
    client.send(wire.request("GET /bye", "connection: close\r\n")).await;
    assert!(client.rest().await.ends_with(b"GET /bye"));

    let mut client = wire.connect().await;
    client
        .send(format!("OPTIONS * HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", wire.host))
        .await;
    let answer = String::from_utf8_lossy(&client.rest().await).into_owned();
    if answer.starts_with("HTTP/1.1 200") {
        assert_eq!(wire.seen.of("OPTIONS * HTTP").len(), 1, "nothing else than what was asked");
    } else {
        let status = &answer[9..12];
        assert!(["400", "405", "501"].contains(&status) && wire.seen.of("OPTIONS").is_empty());
    }
}

#[tokio::test]
async fn expect_100_continue_is_answered() {
    let wire = RecordingApp::start().await;
    let mut client = wire.connect().await;
    for expect in ["100-continue", "100-Continue"] {
        let more = format!("expect: {expect}\r\ncontent-length: 5\r\n");
        client.send(wire.request("POST /waits", &more)).await;
        let go_on = client.answer_head().await;
        assert_eq!(go_on.status(), 100, "{}", go_on.head);
        client.send("hello").await;
        assert_eq!(client.answer().await.text(), "POST /waits");
    }
    // A refused request gets its refusal immediately, without 100 Continue.
    let closed = RecordingApp::with(Limits::default(), json!({})).await;
    let mut client = closed.connect().await;
    let more = "expect: 100-continue\r\ncontent-length: 5\r\n";
    client.send(closed.request("POST /waits", more)).await;
    assert_eq!(client.answer().await.status(), 401);
}

/// Even if the app sends 100 Continue itself, late, or twice.
#[tokio::test]
async fn one_100_continue_is_sent_per_request() {
    const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let go_on = Arc::new(Notify::new());
    let wait = Arc::clone(&go_on);
    let (_e, host, mut client, _upstream) = app(move |mut stream| {
        let wait = Arc::clone(&wait);
        async move {
            while let Some(head) = Upstream::head(&mut stream).await {
                assert_eq!(header(&head, "expect"), Some("100-continue"), "{head}");
                let target = head.split(' ').nth(1).unwrap();
                let times = if target == "/twice" { 2 } else { 1 };
                if target == "/late" {
                    wait.notified().await;
                }
                stream.write_all(&GO_ON.repeat(times)).await.unwrap();
                let mut body = [0; 5];
                stream.read_exact(&mut body).await.unwrap();
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
                stream.write_all(&[answer, &body[..]].concat()).await.unwrap();
            }
        }
    })
    .await;
    for target in ["/itself", "/twice", "/late", "/itself"] {
        let expects = "expect: 100-continue\r\ncontent-length: 5\r\n";
        client.send(format!("POST {target} HTTP/1.1\r\nhost: {host}\r\n{expects}\r\n")).await;
        let told = client.answer_head().await;
        assert_eq!(told.status(), 100, "{target}: {}", told.head);
        if target == "/late" {
            go_on.notify_one();
        }
        client.send("hello").await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.text().as_str()), (200, "hello"), "{target}");
    }
}

/// An app that knows from the head that it does not want the body.
#[tokio::test]
async fn refused_requests_get_no_100_continue() {
    let (e, host, _client, _upstream) = app(|mut stream| async move {
        Upstream::head(&mut stream).await.unwrap();
        let answer = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!";
        stream.write_all(answer).await.unwrap();
        let rest = stream.read(&mut [0]).await;
        assert!(matches!(rest, Ok(0) | Err(_)), "nothing of the body comes");
    })
    .await;
    for framing in ["content-length: 5", "transfer-encoding: chunked"] {
        let mut client = Client::connect(&e).await;
        let head = format!("POST / HTTP/1.1\r\nhost: {host}\r\nexpect: 100-continue\r\n{framing}");
        client.send(head + "\r\n\r\n").await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.text().as_str()), (413, "no!"), "no 100 before it");
        // The client may send the body nevertheless, so the gateway announces and closes the connection.
        assert_eq!(answer.header("connection"), Some("close"), "{}", answer.head);
        assert_eq!(client.rest().await, b"");
    }
}

/// Many at once, of every kind, while another client works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_hostile_clients_do_not_disturb_others() {
    let wire = RecordingApp::start().await;
    let mut crowd = JoinSet::new();
    let (address, host) = (wire.e.address(), wire.host.clone());
    let (end, over) = watch::channel(false);
    for number in 0..200u32 {
        let (host, mut over) = (host.clone(), over.clone());
        crowd.spawn(async move {
            let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else { return };
            let hostile = match number % 5 {
                0 => vec![0; 100_000],
                1 => "x".repeat(500_000).into_bytes(),
                2 => format!(
                    "POST /hostile HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\nzz"
                )
                .into_bytes(),
                3 => format!("GET /hostile HTTP/1.1\r\nhost: {host}\r\n").repeat(1000).into_bytes(),
                _ => format!("GET /half HTTP/1.1\r\nhost: {host}\r\n").into_bytes(),
            };
            let _ = stream.write_all(&hostile).await;
            // It stays connected while the other client works.
            let _ = over.wait_for(|is_over| *is_over).await;
        });
    }
    let mut client = wire.connect().await;
    for _ in 0..50 {
        client.send(wire.request("GET /works", "")).await;
        assert_eq!(client.answer().await.text(), "GET /works");
    }
    end.send(true).unwrap();
    while crowd.join_next().await.is_some() {}
    assert!(wire.seen.of("/hostile").iter().all(|saw| saw.body.is_none()));
    assert_eq!(wire.seen.of("/works").len(), 50);
    let token = wire.e.emulator.administrator().to_owned();
    assert_eq!(wire.e.query(&wire.app, Some(&token)).await.status, 200);
    assert!(TestEmulator::host(&wire.app) == wire.host);
}
