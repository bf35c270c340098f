//! Messages that one side breaks off: the other side learns it, and never takes them for complete.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use ovhai_emulator::Limits;
use ovhai_test_support::raw::{Client, SOON, get, secure};
use ovhai_test_support::recorder::{app, at};
use ovhai_test_support::{TestEmulator, Upstream, http2};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

/// Waits for the app's next report.
async fn hear<T>(comes: &mut mpsc::UnboundedReceiver<T>) -> T {
    tokio::time::timeout(SOON, comes.recv()).await.expect("it happens").unwrap()
}

#[tokio::test]
async fn an_app_that_does_not_answer_in_time_costs_one_504() {
    let (said, mut comes) = mpsc::unbounded_channel();
    let upstream = Upstream::start(move |mut stream| {
        let said = said.clone();
        async move {
            while let Some(head) = Upstream::head(&mut stream).await {
                if head.starts_with("GET /quick") {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                    stream.write_all(answer).await.unwrap();
                }
            }
            said.send(()).unwrap();
        }
    })
    .await;
    let limits = Limits { answer_timeout: Duration::from_secs(1), ..Limits::default() };
    let builder = TestEmulator::builder().limits(limits);
    let (e, app) = at(builder, &upstream, json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let mut client = Client::connect(&e).await;
    for _ in 0..2 {
        client.send(get(&host, "/never")).await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), 504, "{}", answer.text());
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["message"], "the app did not answer in time");
        // The gateway does not retry, and closes the app's connection.
        hear(&mut comes).await;
        client.send(get(&host, "/quick")).await;
        assert_eq!(client.answer().await.text(), "hi", "the client's connection goes on");
    }
}

/// The app may have begun to serve the request, so the gateway does not retry.
#[tokio::test]
async fn a_reset_before_an_answer_is_502_without_a_retry() {
    let (e, host, mut client, upstream) = app(|mut stream| async move {
        Upstream::head(&mut stream).await.unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    for asked in 1..=3 {
        client.send(get(&host, "/")).await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), 502);
        assert!(
            answer.text().contains("closed the connection before it answered"),
            "{}",
            answer.text()
        );
        assert_eq!(upstream.connections(), asked, "a fresh connection is not tried twice");
    }
    let second = http2::Client::connect(&e).await;
    let answer = second.send(http2::request("GET", &host, "/").body(http2::empty()).unwrap()).await;
    assert_eq!(answer.status(), 502);
    assert_eq!(upstream.connections(), 4);
}

/// In HTTP/1.0 the end of the connection ends such an answer, so a failure has to be a reset.
#[tokio::test]
async fn an_http10_client_sees_a_reset_when_the_app_dies() {
    for (answer, is_reset) in [
        (&b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"[..], false),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nrubbish\r\n", false),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", true),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", true),
    ] {
        let has_read = Arc::new(Notify::new());
        let may_die = Arc::clone(&has_read);
        let (_e, host, mut client, _upstream) = app(move |mut stream| {
            let may_die = Arc::clone(&may_die);
            async move {
                Upstream::head(&mut stream).await.unwrap();
                // The app sends the rest when it dies.
                let word = answer.windows(5).position(|part| part == b"hello").unwrap() + 5;
                stream.write_all(&answer[..word]).await.unwrap();
                may_die.notified().await;
                stream.write_all(&answer[word..]).await.unwrap();
                if is_reset {
                    stream.set_zero_linger().unwrap();
                }
            }
        })
        .await;
        let shown = String::from_utf8_lossy(answer);
        client.send(format!("GET / HTTP/1.0\r\nhost: {host}\r\n\r\n")).await;
        let seen = client.until(b"\r\n\r\nhello").await;
        let head = String::from_utf8_lossy(&seen).to_lowercase();
        assert!(head.starts_with("http/1.1 200") && !head.contains("content-length"), "{head}");
        has_read.notify_one();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(SOON, client.0.read_to_end(&mut rest)).await;
        let error = ended.expect("an end").expect_err("it looks whole");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{shown:?}");
        assert_eq!(rest, b"", "{shown:?}");
    }
}

/// TLS has an end of its own (`close_notify`), which must be missing, too.
#[tokio::test]
async fn an_http10_client_sees_a_reset_over_tls_when_the_app_dies() {
    let has_read = Arc::new(Notify::new());
    let may_die = Arc::clone(&has_read);
    let upstream = Upstream::start(move |mut stream| {
        let may_die = Arc::clone(&may_die);
        async move {
            Upstream::head(&mut stream).await.unwrap();
            let part = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
            stream.write_all(part).await.unwrap();
            may_die.notified().await;
        }
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let builder = TestEmulator::builder().state_dir(dir.path()).tls(([127, 0, 0, 1], 0).into());
    let (e, app) = at(builder, &upstream, json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let mut client = secure(&e, &host, dir.path()).await;
    let request = format!("GET / HTTP/1.0\r\nhost: {host}\r\n\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\nhello") {
        assert!(client.read_buf(&mut seen).await.unwrap() > 0);
    }
    has_read.notify_one();
    let ended = tokio::time::timeout(SOON, client.read_to_end(&mut seen)).await;
    let error = ended.expect("an end").expect_err("it looks whole");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(seen.ends_with(b"\r\n\r\nhello"), "nothing is made up");
}

/// Many at once, so that some requests are in flight when the reset arrives.
#[tokio::test]
async fn an_idle_connection_reset_by_the_app_costs_no_request() {
    let (e, host, _client, _upstream) = app(|mut stream| async move {
        if Upstream::head(&mut stream).await.is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
            stream.set_zero_linger().unwrap();
        }
    })
    .await;
    let mut all = JoinSet::new();
    for _ in 0..32 {
        let (mut client, host) = (Client::connect(&e).await, host.clone());
        all.spawn(async move {
            for number in 0..40 {
                client.send(get(&host, "/")).await;
                let answer = client.answer().await;
                assert_eq!(answer.text(), "hi", "{number}");
            }
        });
    }
    all.join_all().await;
}

#[tokio::test]
async fn a_client_that_leaves_during_its_upload_ends_the_request_to_the_app() {
    let (said, mut comes) = mpsc::unbounded_channel();
    let (e, host, _client, _upstream) = app(move |mut stream| {
        let said = said.clone();
        async move {
            let head = Upstream::head(&mut stream).await.unwrap();
            if head.starts_with("POST /answers") {
                let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                stream.write_all(answer).await.unwrap();
            }
            let mut some = [0; 4];
            // The line of a chunk's size.
            if head.to_lowercase().contains("transfer-encoding") {
                stream.read_exact(&mut [0; 3]).await.unwrap();
            }
            stream.read_exact(&mut some).await.unwrap();
            assert_eq!(&some, b"some");
            said.send(Vec::new()).unwrap();
            let mut rest = Vec::new();
            // The kind of end does not matter, if no further bytes arrive.
            let _ = stream.read_to_end(&mut rest).await;
            said.send(rest).unwrap();
        }
    })
    .await;
    for target in ["/thinks", "/answers"] {
        for (framing, body, behind) in [
            ("content-length: 100", "some", ""),
            ("transfer-encoding: chunked", "4\r\nsome\r\n", "\r\n"),
        ] {
            for is_reset in [false, true] {
                let mut client = Client::connect(&e).await;
                let head = format!("POST {target} HTTP/1.1\r\nhost: {host}\r\n{framing}\r\n\r\n");
                client.send(head + body).await;
                hear(&mut comes).await;
                if is_reset {
                    client.0.set_zero_linger().unwrap();
                }
                drop(client);
                let rest = String::from_utf8(hear(&mut comes).await).unwrap();
                assert_eq!(rest, behind, "no end of the body is made up: {target} {framing}");
            }
        }
    }
}
