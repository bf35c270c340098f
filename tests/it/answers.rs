//! Malformed, large and interim answers of apps, for clients of HTTP/1 and HTTP/2.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use ovhai_api_types::App;
use ovhai_emulator::Limits;
use ovhai_test_support::raw::{Client, SOON};
use ovhai_test_support::recorder::at;
use ovhai_test_support::{TestEmulator, Upstream, http2};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

async fn open(upstream: &Upstream, limits: Limits) -> (TestEmulator, App, String) {
    let builder = TestEmulator::builder().limits(limits);
    let (e, app) = at(builder, upstream, json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    (e, app, host)
}

/// Status, message and fields of the app's answer in both versions.
async fn in_both(e: &TestEmulator, app: &App) -> [(u16, String, hyper::HeaderMap); 2] {
    let first = e.query(app, None).await;
    let client = http2::Client::connect(e).await;
    let given = http2::request("GET", &TestEmulator::host(app), "/");
    let second = client.send(given.body(http2::empty()).unwrap()).await;
    let (status, headers) = (second.status().as_u16(), second.headers().clone());
    let body = String::from_utf8(http2::text(second).await.0.to_vec()).unwrap();
    [(first.status.as_u16(), first.text(), first.headers), (status, body, headers)]
}

/// RFC 9112 section 5.1.
#[tokio::test]
async fn white_space_before_a_colon_is_removed() {
    let upstream = Upstream::answering(
        b"HTTP/1.1 200 OK\r\nX-Frame-Options : DENY\r\nContent-Length \t: 2\r\n\r\nok",
    )
    .await;
    let (e, app, _) = open(&upstream, Limits::default()).await;
    for (status, body, headers) in in_both(&e, &app).await {
        assert_eq!((status, body.as_str()), (200, "ok"));
        assert_eq!(headers["x-frame-options"], "DENY");
    }
}

/// Answers that two readers could parse differently never pass.
#[tokio::test]
async fn an_ambiguous_answer_is_refused() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length : 3\r\n\r\nokx"[..],
        b"HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n folded: 2\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let upstream = Upstream::answering_once(answer).await;
        let (e, app, _) = open(&upstream, Limits::default()).await;
        for (status, body, _) in in_both(&e, &app).await {
            assert_eq!(status, 502, "{body}");
        }
    }
}

#[tokio::test]
async fn many_header_fields_pass_and_exceeding_the_limit_names_it() {
    let answer = |count: usize| {
        let fields = (0..count).fold(String::new(), |all, at| all + &format!("x-{at}: 1\r\n"));
        let text = format!("HTTP/1.1 200 OK\r\n{fields}content-length: 2\r\n\r\nok");
        &*Box::leak(text.into_bytes().into_boxed_slice())
    };
    let many = Upstream::answering(answer(300)).await;
    let (e, app, _) = open(&many, Limits::default()).await;
    for (status, body, headers) in in_both(&e, &app).await {
        assert_eq!((status, body.as_str()), (200, "ok"));
        assert_eq!(headers["x-299"], "1");
    }
    let limits = Limits { answer_fields_max: 300, ..Limits::default() };
    let (e, app, _) = open(&many, limits).await;
    for (status, body, _) in in_both(&e, &app).await {
        let says = "more than 300 header lines (the limit answer-lines)";
        assert!(status == 502 && body.contains(says), "{status} {body}");
    }
    let limits = Limits { answer_head_max: 1024, ..Limits::default() };
    let (e, app, _) = open(&many, limits).await;
    for (status, body, _) in in_both(&e, &app).await {
        let says = "larger than 1024 bytes (the limit answer-headers)";
        assert!(status == 502 && body.contains(says), "{status} {body}");
    }
}

/// An app may report progress with 102 (RFC 2518 section 10.1).
#[tokio::test]
async fn many_interim_answers_pass() {
    const MANY: usize = 200;
    let upstream = Upstream::start(|mut stream| async move {
        while Upstream::head(&mut stream).await.is_some() {
            for _ in 0..MANY {
                stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").await.unwrap();
            }
            let last = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone";
            stream.write_all(last).await.unwrap();
        }
    })
    .await;
    let (e, _, host) = open(&upstream, Limits::default()).await;
    let mut client = Client::connect(&e).await;
    client.send(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
    for _ in 0..MANY {
        assert_eq!(client.answer().await.status(), 102);
    }
    let last = client.answer().await;
    assert_eq!((last.status(), last.text().as_str()), (200, "done"));

    let stream = TcpStream::connect(e.address()).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let driver = tokio::spawn(connection);
    let given = http2::request("GET", &host, "/").body(()).unwrap();
    let (mut answer, _) = sender.ready().await.unwrap().send_request(given, true).unwrap();
    let mut seen = 0;
    while let Some(head) = poll_fn(|cx| answer.poll_informational(cx)).await {
        assert_eq!(head.unwrap().status(), 102);
        seen += 1;
    }
    assert_eq!((seen, answer.await.unwrap().status().as_u16()), (MANY, 200));
    driver.abort();
}

/// Each restarts the app's time-out.
#[tokio::test]
async fn an_interim_answer_restarts_the_answer_timeout() {
    const TIMEOUT: Duration = Duration::from_secs(2);
    let upstream = Upstream::start(|mut stream| async move {
        while Upstream::head(&mut stream).await.is_some() {
            let mut pace = tokio::time::interval(TIMEOUT / 20);
            for _ in 0..30 {
                pace.tick().await;
                stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n").await.unwrap();
            }
            let last = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone";
            stream.write_all(last).await.unwrap();
        }
    })
    .await;
    let limits = Limits { answer_timeout: TIMEOUT, ..Limits::default() };
    let (e, app, _) = open(&upstream, limits).await;
    // Together they take longer than the time-out.
    let host = TestEmulator::host(&app);
    let over_http1 = async {
        let mut client = Client::connect(&e).await;
        client.send(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        loop {
            let status = client.answer().await.status();
            if status >= 200 {
                break status;
            }
        }
    };
    let over_http2 = async {
        let client = http2::Client::connect(&e).await;
        let given = http2::request("GET", &host, "/").body(http2::empty()).unwrap();
        client.send(given).await.status().as_u16()
    };
    assert_eq!(tokio::join!(over_http1, over_http2), (200, 200));
}

/// A client that stops reading when the test sets the flag.
struct Deaf {
    stream: TcpStream,
    is_deaf: Arc<AtomicBool>,
}

impl AsyncRead for Deaf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.is_deaf.load(Ordering::SeqCst) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Deaf {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The kernel's buffers of two connections, and the gateway's own.
const HELD: u64 = 32 * 1024 * 1024;

/// An app that reports progress without end, and the bytes of that which were accepted; the channel
/// reports when it begins and when the gateway closes its connection.
async fn restless(count: Arc<AtomicU64>) -> (Upstream, mpsc::UnboundedReceiver<()>) {
    let (said, comes) = mpsc::unbounded_channel();
    let upstream = Upstream::start(move |mut stream| {
        let (said, count) = (said.clone(), Arc::clone(&count));
        async move {
            Upstream::head(&mut stream).await.unwrap();
            said.send(()).unwrap();
            // Large enough that HPACK indexes none.
            let link = "x".repeat(8 * 1024);
            let many = format!("HTTP/1.1 103 Early Hints\r\nlink: </{link}>\r\n\r\n").repeat(8);
            while stream.write_all(many.as_bytes()).await.is_ok() {
                count.fetch_add(many.len() as u64, Ordering::SeqCst);
            }
            said.send(()).unwrap();
        }
    })
    .await;
    (upstream, comes)
}

/// The gateway stops reading from the app until the client's time-out.
#[tokio::test]
async fn unread_interim_answers_block_the_app() {
    let limits = Limits { body_timeout: Duration::from_millis(500), ..Limits::default() };
    let told = async |comes: &mut mpsc::UnboundedReceiver<()>, what: &str| {
        tokio::time::timeout(SOON, comes.recv()).await.expect(what).unwrap();
    };
    let count = Arc::new(AtomicU64::new(0));
    let (upstream, mut comes) = restless(Arc::clone(&count)).await;
    let (e, _, host) = open(&upstream, limits).await;
    let mut client = Client::connect(&e).await;
    client.send(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
    told(&mut comes, "the request reaches the app").await;
    told(&mut comes, "the connection to the app is closed").await;
    assert!(count.load(Ordering::SeqCst) < HELD, "{count:?}");

    let count = Arc::new(AtomicU64::new(0));
    let (upstream, mut comes) = restless(Arc::clone(&count)).await;
    let (e, _, host) = open(&upstream, limits).await;
    let is_deaf = Arc::new(AtomicBool::new(false));
    let stream = TcpStream::connect(e.address()).await.unwrap();
    let stream = Deaf { stream, is_deaf: Arc::clone(&is_deaf) };
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let driver = tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    is_deaf.store(true, Ordering::SeqCst);
    let given = http2::request("GET", &host, "/").body(()).unwrap();
    let _answer = sender.send_request(given, true).unwrap();
    told(&mut comes, "the request reaches the app").await;
    told(&mut comes, "the connection to the app is closed").await;
    assert!(count.load(Ordering::SeqCst) < HELD, "{count:?}");
    driver.abort();
}
