//! The gateway, with apps that do what the test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use ovhai_emulator::Limits;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::backpressure::send_until_blocked;
use ovhai_test_support::raw::{Client, SOON};
use ovhai_test_support::recorder::at;
use ovhai_test_support::visitor::FOREIGN;
use ovhai_test_support::{TestEmulator, Upstream, eventually, http2};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, watch};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

#[tokio::test]
async fn bearers_are_authorized_by_role_region_and_selector() {
    let upstream = Upstream::answering(OK).await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[("group", "A")], json!({})).await;
    let value = |token: ovhai_api_types::Token| token.status.value.unwrap();
    let reader = value(e.token("GRA", "read", Some("group=A")).await);
    let operator = value(e.token("GRA", "operator", Some("group=A")).await);
    let unscoped = value(e.token("GRA", "read", None).await);
    let by_id = value(e.token("GRA", "read", Some(&format!("ovh/id={}", app.id))).await);
    let other = value(e.token("GRA", "operator", Some("group=B")).await);
    let bhs = value(e.token("BHS", "operator", None).await);
    for good in [&reader, &operator, &unscoped, &by_id, e.emulator.administrator()] {
        let answer = e.query(&app, Some(good)).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "hi"));
    }
    let none = e.query(&app, None).await;
    assert_eq!(none.status, 401);
    assert!(none.header("www-authenticate").starts_with("Bearer"));

    let denied = e.query(&app, Some(&other)).await;
    assert_eq!(denied.status, 403);
    let why = "the app is outside the token's selector group=B";
    assert!(denied.json()["message"].as_str().unwrap().contains(why), "{}", denied.text());
    assert!(denied.header("www-authenticate").contains("insufficient_scope"));

    let mut answers = Vec::new();
    for bad in [bhs.as_str(), "x", "", &format!("{reader}x"), &reader[..reader.len() - 4]] {
        let answer = e.query(&app, Some(bad)).await;
        answers.push((
            answer.status.as_u16(),
            answer.text(),
            answer.header("www-authenticate").to_owned(),
        ));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, 401);
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let upstream = Upstream::answering(OK).await.never_called();
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({})).await;
    let token = e.token("GRA", "read", None).await.status.value.unwrap();
    let request = Request::get("/")
        .header("host", TestEmulator::host(&app))
        .header("authorization", format!("Bearer {token}"))
        .header("authorization", "Bearer x")
        .body(Full::default())
        .unwrap();
    assert_eq!(e.send(request).await.status, 401);
}

/// `ovhai/echo` answers with the request that it received.
#[tokio::test]
async fn the_app_gets_forwarding_headers_and_no_credentials() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo"})).await;
    let token = e.token("GRA", "read", None).await.status.value.unwrap();
    let host = TestEmulator::host(&app);
    let request = Request::post("/a%2Fb//c/../d?x=%20&y=%C3%BC&&z")
        .header("host", &host)
        .header("authorization", format!("bearer {token}"))
        .header("connection", "keep-alive, x-hop")
        .header("x-hop", "1")
        .header("keep-alive", "timeout=5")
        .header("proxy-authorization", "Basic x")
        .header("te", "trailers")
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-forwarded-proto", "https")
        .header("X_Forwarded_For", "6.6.6.6")
        .header("x-forwarded-ssl", "on")
        .header("x-forwarded-user", "admin")
        .header("x_real_ip", "6.6.6.6")
        .header("x_request-id", "6")
        .header("content_length", "6")
        .header("Transfer_Encoding", "chunked")
        .header("own_name", "1")
        .header("forwarded", "for=6.6.6.6")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::new(Bytes::from_static(b"body")))
        .unwrap();
    let target = request.uri().to_string();
    let answer = e.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains(&token), "the bearer is not passed on");
    let seen = answer.json();
    assert_eq!(seen["target"], target, "byte for byte");
    assert_eq!(seen["body"], "body");
    let headers = seen["headers"].as_object().unwrap();
    assert_eq!(headers["host"], json!([host]));
    assert_eq!(headers["x-forwarded-for"], json!(["127.0.0.1"]));
    assert_eq!(headers["x-forwarded-proto"], json!(["http"]));
    for gone in ["x_forwarded_for", "x-forwarded-ssl", "x-forwarded-user", "x_real_ip"] {
        assert!(headers.get(gone).is_none(), "{gone}: {headers:?}");
    }
    for gone in ["x_request-id", "content_length", "transfer_encoding"] {
        assert!(headers.get(gone).is_none(), "{gone} is as good as another: {headers:?}");
    }
    assert_eq!(headers["own_name"], json!(["1"]));
    assert_eq!(headers["x-forwarded-host"], json!([host]));
    assert_eq!(headers["te"], json!(["trailers"]));
    assert_eq!(headers["cookie"], json!(["a=1", "b=2"]));
    for gone in ["authorization", "x-hop", "keep-alive", "proxy-authorization", "forwarded"] {
        assert!(!headers.contains_key(gone), "{gone}: {headers:?}");
    }
}

#[tokio::test]
async fn open_apps_need_no_token_and_keep_their_own_bearers() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    let seen = |bearer: Option<String>| {
        let (e, app) = (&e, &app);
        async move {
            let answer = e.query(app, bearer.as_deref()).await;
            assert_eq!(answer.status, 200);
            answer.json()["headers"].get("authorization").cloned()
        }
    };
    assert_eq!(seen(None).await, None);
    for own in ["sk-own", FOREIGN] {
        assert_eq!(seen(Some(own.into())).await, Some(json!([format!("Bearer {own}")])));
    }
    let token = e.token("GRA", "read", None).await.status.value.unwrap();
    assert_eq!(seen(Some(token.clone())).await, None, "ours is not handed to an app");

    // In every spelling.
    let admin = e.emulator.administrator();
    for values in [
        vec![format!("Bearer {token}"), format!("Bearer {token}")],
        vec!["Basic x".into(), format!("Bearer {token}")],
        vec![format!("Bearer\t{token}")],
        vec![format!("Basic x, Bearer {token}")],
        vec![format!("\"{token}\"")],
        vec![token.clone()],
        vec![format!("Token {token}=")],
        vec![format!("Bearer {admin}")],
        vec![format!("x{admin}x")],
    ] {
        let mut request = Request::get("/").header("host", TestEmulator::host(&app));
        for value in &values {
            request = request.header("authorization", value);
        }
        let answer = e.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(answer.status, 200, "{values:?}");
        let text = answer.text();
        assert!(!text.contains(&token) && !text.contains(admin), "{values:?}: {text}");
    }
}

/// Everything that the emulator answers to these bytes until it closes the connection.
async fn raw(e: &TestEmulator, request: String) -> String {
    let mut client = Client::connect(e).await;
    client.send(request).await;
    String::from_utf8_lossy(&client.rest().await).into_owned()
}

#[tokio::test]
async fn an_absolute_target_overrides_the_host_header() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let answer = raw(&e, format!("GET http://{host}/a?b HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: evil.example\r\nconnection: close\r\n\r\n")).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("\"target\": \"/a?b\""),
        "{answer}"
    );
    assert!(!answer.contains("evil.example"), "{answer}");
    let answer = raw(&e, format!("GET http://{host}/ HTTP/1.1\r\nconnection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn the_gateway_frames_bodies_itself() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let chunked = |method: &str, body: &str| {
        format!(
            "{method} / HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n{body}"
        )
    };
    for method in ["GET", "POST", "DELETE"] {
        let answer = raw(&e, chunked(method, "5\r\nhello\r\n0\r\n\r\n")).await;
        assert!(answer.contains("\"body\": \"hello\""), "{method}: {answer}");
    }
    let answer = raw(&e, chunked("POST", "ZZ\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");

    let both = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let upstream = Upstream::answering_once(both).await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    assert_eq!(e.query(&app, None).await.text(), "hello");
}

#[tokio::test]
async fn upgrades_to_other_versions_of_http_are_ignored() {
    let upstream = Upstream::start(|mut stream| async move {
        let head = Upstream::head(&mut stream).await.unwrap().to_lowercase();
        assert!(!head.contains("upgrade"), "{head}");
        stream.write_all(OK).await.unwrap();
    })
    .await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    for headers in
        ["upgrade: h2c\r\nconnection: upgrade, close", "upgrade: websocket\r\nconnection: close"]
    {
        let answer = raw(&e, format!("GET / HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let unasked =
        Upstream::answering_once(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n").await;
    let e = TestEmulator::with_apps_at(unasked.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    assert_eq!(e.query(&app, None).await.status, 502);
}

/// Tunnels and followed logs have no end of their own.
#[tokio::test]
async fn tunnels_and_followed_logs_end_with_their_token() {
    let upstream = Upstream::start(|mut stream| async move {
        Upstream::head(&mut stream).await.unwrap();
        let _ = stream
            .write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
            )
            .await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[("group", "A")], json!({})).await;
    let token = e.token("GRA", "operator", Some("group=A")).await;
    let value = token.status.value.unwrap();
    let open = || async {
        let mut client = Client::connect(&e).await;
        let head = format!(
            "GET / HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {value}\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n",
            TestEmulator::host(&app)
        );
        client.send(head).await;
        assert_eq!(client.answer_head().await.status(), 101);
        client
    };
    let mut relabelled = open().await;
    let label = |value| Some(json!({"name": "group", "value": value}));
    let path = format!("/v1/app/{}/label", app.id);
    assert_eq!(e.admin("PUT", &path, label("B")).await.status, 204);
    relabelled.rest().await;
    assert_eq!(e.admin("PUT", &path, label("A")).await.status, 204);
    let mut deleted = open().await;
    let client = http2::Client::connect(&e).await;
    let path = format!("/v1/app/{}/log?follow=true", app.id);
    let follow = http2::request("GET", "gra.ai.localhost", &path)
        .header("authorization", format!("Bearer {value}"));
    let followed = client.send(follow.body(http2::empty()).unwrap()).await;
    assert_eq!(followed.status(), 200);
    let answer = e.admin("DELETE", &format!("/v1/token/{}", token.id), None).await;
    assert_eq!(answer.status, 204);
    deleted.rest().await;
    let rest = tokio::time::timeout(SOON, followed.into_body().collect()).await;
    rest.expect("the log ends").unwrap();
}

/// A stream that is cut off never looks complete.
#[tokio::test]
async fn streams_end_with_their_token() {
    let (go_on, goes_on) = watch::channel(false);
    let upstream = Upstream::start(move |mut stream| {
        let mut goes_on = goes_on.clone();
        async move {
            Upstream::head(&mut stream).await.unwrap();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            // It ends with the test.
            let _ = goes_on.wait_for(|goes_on| *goes_on).await;
            stream.write_all(b"data: 2\n\n").await.unwrap();
            // Until the gateway has closed it.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[("group", "A")], json!({})).await;
    let token = e.token("GRA", "read", Some("group=A")).await;
    let value = token.status.value.unwrap();
    let mut client = Client::connect(&e).await;
    let head = format!(
        "GET / HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {value}\r\n\r\n",
        TestEmulator::host(&app)
    );
    client.send(head).await;
    client.until(b"data: 1\n\n\r\n").await;
    let mut second = http2::Client::connect(&e).await;
    let request = http2::request("GET", &TestEmulator::host(&app), "/")
        .header("authorization", format!("Bearer {value}"));
    let mut answer = second.send(request.body(http2::empty()).unwrap()).await;
    assert!(answer.frame().await.unwrap().unwrap().is_data());

    // Other changes do not concern it.
    e.token("GRA", "read", None).await;
    go_on.send(true).unwrap();
    client.until(b"data: 2\n\n\r\n").await;
    assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "data: 2\n\n");
    let renewed = e.admin("POST", &format!("/v1/token/{}/renew", token.id), None).await;
    assert_eq!(renewed.status, 200);
    assert_eq!(client.rest().await, b"", "no last chunk");
    assert!(answer.frame().await.unwrap().is_err(), "it is broken off");
    second.sender.ready().await.expect("others on the connection go on");
}

#[tokio::test]
async fn apps_that_do_not_run_answer_503_with_the_reason() {
    let e = TestEmulator::with_sim(SimRuntime::step_by_step()).await;
    let sim = e.sim.clone().unwrap();
    let token = e.token("GRA", "read", None).await.status.value.unwrap();
    let app = e.submit(&[], json!({})).await;
    e.wait(&app, "INITIALIZING").await;
    let answer = e.query(&app, Some(&token)).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    assert_eq!(e.query(&app, None).await.status, 401, "the state is hidden without a token");
    // The simulation's apps answer nowhere: port 9 refuses.
    sim.ready(1);
    e.wait(&app, "RUNNING").await;
    assert_eq!(e.query(&app, Some(&token)).await.status, 502);
    e.admin("PUT", &format!("/v1/app/{}/stop", app.id), None).await;
    e.wait(&app, "STOPPING").await;
    sim.finish(1);
    e.wait(&app, "STOPPED").await;
    let answer = e.query(&app, Some(&token)).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("STOPPED"), "{}", answer.text());

    let mut unknown = app.clone();
    unknown.status.url =
        app.status.url.replace(&app.id.to_string(), "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11");
    assert_eq!(e.query(&unknown, Some(&token)).await.status, 404);
    let mut elsewhere = app.clone();
    elsewhere.status.url = app.status.url.replace(".gra.", ".bhs.");
    assert_eq!(e.query(&elsewhere, Some(&token)).await.status, 404);
}

#[tokio::test]
async fn broken_upstreams_are_502() {
    for answer in [
        &b""[..],
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200",
        b"\x00\x01\x02",
    ] {
        let upstream = Upstream::answering_once(answer).await;
        let e = TestEmulator::with_apps_at(upstream.address()).await;
        let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
        let got = e.query(&app, None).await;
        assert_eq!(got.status, 502, "{answer:?}");
        assert!(got.json()["message"].is_string());
    }
}

#[tokio::test]
async fn connections_to_apps_are_reused_and_replaced_when_closed() {
    let upstream = Upstream::answering(OK).await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    for _ in 0..20 {
        assert_eq!(e.query(&app, None).await.text(), "hi");
    }
    // Each of the edge's threads has its own.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(upstream.connections() <= threads.min(8), "{}", upstream.connections());

    // One that closes after every answer, as it may with keep-alive.
    let closing = Upstream::answering_once(OK).await;
    let e = TestEmulator::with_apps_at(closing.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    for round in 0..50 {
        let answer = e.query(&app, None).await;
        assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
    }
    assert_eq!(closing.connections(), 50);
}

#[tokio::test]
async fn bodies_stream_in_both_directions() {
    // The app sends back each piece as it comes; the client sends the next only after it has
    // seen the one before. A buffer anywhere would hang it.
    let upstream = Upstream::start(|mut stream| async move {
        Upstream::head(&mut stream).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        let mut piece = [0; 64];
        loop {
            let n = stream.read(&mut piece).await.unwrap();
            if n == 0 || piece[..n].ends_with(b"0\r\n\r\n") {
                break;
            }
            stream.write_all(format!("{n:x}\r\n").as_bytes()).await.unwrap();
            stream.write_all(&piece[..n]).await.unwrap();
            stream.write_all(b"\r\n").await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
    })
    .await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let mut client = Client::connect(&e).await;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n",
        TestEmulator::host(&app)
    );
    client.send(head).await;
    for round in 0..20 {
        let word = format!("word{round:02}");
        client.send(format!("6\r\n{word}\r\n")).await;
        client.until(word.as_bytes()).await;
    }
    client.send("0\r\n\r\n").await;
    client.until(b"\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_request_to_the_app_ends_with_its_client() {
    let gone = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&gone);
    let upstream = Upstream::start(move |mut stream| {
        let gone = Arc::clone(&flag);
        async move {
            Upstream::head(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nfirst").await.unwrap();
            while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
            gone.store(true, Ordering::SeqCst);
        }
    })
    .await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let mut client = Client::connect(&e).await;
    let head = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", TestEmulator::host(&app));
    client.send(head).await;
    client.until(b"xxx").await;
    drop(client);
    eventually("the app sees that the client is gone", || async {
        gone.load(Ordering::SeqCst).then_some(())
    })
    .await;
}

#[tokio::test]
async fn websockets_and_other_upgrades_pass() {
    let upstream = Upstream::start(|mut stream| async move {
        let head = Upstream::head(&mut stream).await.unwrap().to_lowercase();
        assert!(head.contains("upgrade: echo") && head.contains("connection: upgrade"), "{head}");
        stream
            .write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
            )
            .await
            .unwrap();
        let mut piece = [0; 64];
        while let Ok(n @ 1..) = stream.read(&mut piece).await {
            stream.write_all(&piece[..n]).await.unwrap();
        }
    })
    .await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let mut client = Client::connect(&e).await;
    let head = format!(
        "GET / HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n",
        TestEmulator::host(&app)
    );
    client.send(head).await;
    assert_eq!(client.answer_head().await.status(), 101);
    for word in [&b"ping"[..], b"pong"] {
        client.send(word).await;
        assert_eq!(client.until(word).await, word);
    }
    // The tunnel ends with the emulator.
    e.emulator.shutdown().await;
    assert_eq!(client.rest().await, b"");
}

/// Requests that begin after renew has answered are never let through with the old string.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revocation_is_immediate() {
    let upstream = Upstream::answering(OK).await;
    let e = Arc::new(TestEmulator::with_apps_at(upstream.address()).await);
    let app = Arc::new(e.run_app(&[("group", "A")], json!({})).await);
    let token = e.token("GRA", "read", Some("group=A")).await;
    let renew = format!("/v1/token/{}/renew", token.id);
    let mut old = token.status.value.unwrap();
    let (mut before, after) = (0, Arc::new(AtomicUsize::new(0)));
    for round in 0..5 {
        let renewed = Arc::new(AtomicBool::new(false));
        let hammers: Vec<_> = (0..4)
            .map(|_| {
                let (e, app, old) = (Arc::clone(&e), Arc::clone(&app), old.clone());
                let (renewed, after) = (Arc::clone(&renewed), Arc::clone(&after));
                tokio::spawn(async move {
                    let mut let_in = 0;
                    loop {
                        let begun_after = renewed.load(Ordering::SeqCst);
                        let status = e.query(&app, Some(&old)).await.status;
                        if begun_after {
                            assert_eq!(status, 401, "an old string was let in");
                            after.fetch_add(1, Ordering::SeqCst);
                            return let_in;
                        }
                        let_in += usize::from(status == 200);
                    }
                })
            })
            .collect();
        while upstream.connections() == 0 {
            tokio::task::yield_now().await;
        }
        let answer = if round == 4 {
            e.admin("DELETE", &format!("/v1/token/{}", token.id), None).await
        } else {
            e.admin("POST", &renew, None).await
        };
        renewed.store(true, Ordering::SeqCst);
        for hammer in hammers {
            before += hammer.await.unwrap();
        }
        if round == 4 {
            assert_eq!(answer.status, 204);
            break;
        }
        old = answer.json()["status"]["value"].as_str().unwrap().to_owned();
        assert_eq!(e.query(&app, Some(&old)).await.status, 200, "the new string works at once");
    }
    assert!(before > 0, "no request was let in before");
    assert_eq!(after.load(Ordering::SeqCst), 20);
}

#[tokio::test]
async fn label_changes_take_effect_immediately() {
    let upstream = Upstream::answering(OK).await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let token = e.token("GRA", "read", Some("group=A")).await.status.value.unwrap();
    // Submitted after the token was made, and matched nevertheless.
    let app = e.run_app(&[("group", "A")], json!({})).await;
    assert_eq!(e.query(&app, Some(&token)).await.status, 200);
    let label = |value: serde_json::Value| json!({"name": "group", "value": value});
    let path = format!("/v1/app/{}/label", app.id);
    for (value, status) in [(json!("B"), 403), (json!("A"), 200), (json!(null), 403)] {
        assert_eq!(e.admin("PUT", &path, Some(label(value))).await.status, 204);
        assert_eq!(e.query(&app, Some(&token)).await.status, status);
    }
}

#[tokio::test]
async fn hostile_requests_are_refused_without_harm_to_others() {
    let upstream = Upstream::answering(OK).await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    for (request, expected) in [
        (format!("GET / HTTP/1.1\r\nhost: {host}\r\nhost: x\r\n\r\n"), 400),
        ("GET / HTTP/1.1\r\n\r\n".into(), 400),
        (format!("GET / HTTP/1.1\r\nhost: {host}\r\nx: {}\r\n\r\n", "y".repeat(200_000)), 431),
        (format!("GET / HTTP/1.1\r\nhost: {host}\r\n{}\r\n", "x: y\r\n".repeat(500)), 431),
        (
            format!(
                "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"
            ),
            400,
        ),
        (
            format!("POST / HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n"),
            400,
        ),
        (
            format!(
                "POST / HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n"
            ),
            400,
        ),
        (format!("CONNECT {host} HTTP/1.1\r\nhost: {host}\r\n\r\n"), 405),
        (format!("TRACE / HTTP/1.1\r\nhost: {host}\r\n\r\n"), 405),
        (format!("GET /\0 HTTP/1.1\r\nhost: {host}\r\n\r\n"), 400),
        ("\0\0\0\0\r\n\r\n".into(), 400),
    ] {
        let mut client = Client::connect(&e).await;
        client.send(&request).await;
        let answer = client.answer_head().await;
        assert_eq!(answer.status(), expected, "{request:.60}: {:.200}", answer.head);
    }
    assert_eq!(e.query(&app, None).await.status, 200);
}

#[tokio::test]
async fn a_head_of_64_kib_passes() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let request = Request::get("/")
        .header("host", TestEmulator::host(&app))
        .header("cookie", "c".repeat(60 * 1024))
        .body(Full::default())
        .unwrap();
    assert_eq!(e.send(request).await.status, 200);
}

fn page_asks(app: &ovhai_api_types::App, method: &str) -> hyper::http::request::Builder {
    Request::builder()
        .method(method)
        .uri("/data")
        .header("host", TestEmulator::host(app))
        .header("origin", "https://page.example")
}

/// Browsers send preflights without credentials; anything that merely looks like one needs access.
#[tokio::test]
async fn only_a_preflight_passes_without_a_token() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo"})).await;
    let preflight = || page_asks(&app, "OPTIONS").header("access-control-request-method", "PUT");
    let answer = e.send(preflight().body(Full::default()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["method"]), (200, &json!("OPTIONS")));
    let carrying = preflight().header("authorization", "Bearer x").header("x-ovhai-token", "y");
    let hiding = carrying.header("connection", "origin, access-control-request-method");
    let answer = e.send(hiding.body(Full::default()).unwrap()).await;
    let headers = &answer.json()["headers"];
    assert!(headers.get("authorization").is_none() && headers.get("x-ovhai-token").is_none());
    assert!(headers.get("origin").is_some(), "the app is asked the same: {headers}");

    let bare = Request::options("/").header("host", TestEmulator::host(&app));
    for request in [
        bare.header("access-control-request-method", "PUT").body(Full::default()),
        page_asks(&app, "OPTIONS").body(Full::default()),
        preflight().method("GET").body(Full::default()),
        preflight().body(Full::new(Bytes::from_static(b"work to do"))),
        preflight().header("connection", "upgrade").header("upgrade", "x").body(Full::default()),
    ] {
        let request = request.unwrap();
        let shown = format!("{request:?}");
        assert_eq!(e.send(request).await.status, 401, "{shown}");
    }
}

/// The caller of a preflight has no access, which does not end the response.
#[tokio::test]
async fn a_preflight_gets_the_whole_of_a_slow_answer() {
    let has_arrived = Arc::new(Notify::new());
    let goes_on = Arc::clone(&has_arrived);
    let upstream = Upstream::start(move |mut stream| {
        let goes_on = Arc::clone(&goes_on);
        async move {
            Upstream::head(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhi").await.unwrap();
            goes_on.notified().await;
            stream.write_all(b" u").await.unwrap();
        }
    })
    .await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({})).await;
    let host = TestEmulator::host(&app);
    let mut client = Client::connect(&e).await;
    let preflight = "origin: http://page.example\r\naccess-control-request-method: PUT\r\n";
    client.send(format!("OPTIONS / HTTP/1.1\r\nhost: {host}\r\n{preflight}\r\n")).await;
    client.until(b"hi").await;
    has_arrived.notify_one();
    client.until(b" u").await;
    let second = http2::Client::connect(&e).await;
    let asks = http2::request("OPTIONS", &host, "/")
        .header("origin", "http://page.example")
        .header("access-control-request-method", "PUT");
    let mut answer = second.send(asks.body(http2::empty()).unwrap()).await;
    assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), "hi");
    has_arrived.notify_one();
    assert_eq!(http2::text(answer).await.0, " u");
}

/// The gateway can't see that the client left, since it reads nothing, but no byte moves either.
#[tokio::test]
async fn a_request_whose_client_left_behind_unread_bytes_times_out() {
    let (said, mut comes) = tokio::sync::mpsc::unbounded_channel();
    let upstream = Upstream::start(move |mut stream| {
        let said = said.clone();
        async move {
            Upstream::head(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\ndata").await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
            said.send(()).unwrap();
        }
    })
    .await;
    let limits = Limits { answer_timeout: Duration::from_millis(300), ..Limits::default() };
    let builder = TestEmulator::builder().limits(limits);
    let (e, app) = at(builder, &upstream, json!({"unsecureHttp": true})).await;
    let mut client = Client::connect(&e).await;
    let head = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", TestEmulator::host(&app));
    send_until_blocked(&mut client, head.repeat(100).as_bytes(), &e).await;
    drop(client);
    let gone = tokio::time::timeout(SOON, comes.recv()).await;
    gone.expect("the app's connection is closed");
}

/// The app's bearer stays in `Authorization`, and the token moves to `X-Ovhai-Token`.
#[tokio::test]
async fn a_token_can_be_sent_beside_the_own_bearer_of_an_app() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[("group", "A")], json!({"image": "ovhai/echo"})).await;
    let token = e.token("GRA", "read", Some("group=A")).await.status.value.unwrap();
    let other = e.token("GRA", "read", Some("group=B")).await.status.value.unwrap();
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = Request::get("/").header("host", TestEmulator::host(&app));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        e.send(request.body(Full::default()).unwrap()).await
    };
    let foreign = format!("Bearer {FOREIGN}");
    let own = ("authorization", "Bearer sk-own");
    for own in [own, ("authorization", &foreign)] {
        let answer = ask(&[own, ("x-ovhai-token", &token)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = &answer.json()["headers"];
        assert_eq!(seen["authorization"], json!([own.1]));
        assert!(seen.get("x-ovhai-token").is_none() && !answer.text().contains(&token));
    }
    let ours = format!("Bearer {token}");
    let answer = ask(&[("authorization", &ours), ("x-ovhai-token", &token)]).await;
    assert!(!answer.text().contains(&token), "ours is not handed to an app");
    assert_eq!(ask(&[own]).await.status, 401);
    assert_eq!(ask(&[own, ("x-ovhai-token", "x")]).await.status, 401);
    assert_eq!(ask(&[own, ("x-ovhai-token", &other)]).await.status, 403);
    let twice = [("x-ovhai-token", token.as_str()), ("x-ovhai-token", token.as_str())];
    assert_eq!(ask(&twice).await.status, 401);
}
