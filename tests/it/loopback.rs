//! Names and addresses of this machine, and incomplete request lines.

use std::net::{Ipv6Addr, SocketAddr};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_test_support::raw::{Client, header};
use ovhai_test_support::recorder::RecordingApp;
use ovhai_test_support::{TestEmulator, http2, send};
use serde_json::json;

/// Some programs resolve localhost to only one of them.
#[tokio::test]
async fn the_emulator_listens_on_both_loopback_addresses() {
    if std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("this machine has no IPv6");
        return;
    }
    let builder = TestEmulator::builder().tls(([127, 0, 0, 1], 0).into());
    let emulator = builder.start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let tls = e.emulator.running().tls.unwrap().port();
    let beside = SocketAddr::from((Ipv6Addr::LOCALHOST, e.address().port()));
    let request =
        Request::get("/_emulator/health").header("host", format!("[::1]:{}", beside.port()));
    assert_eq!(send(beside, request.body(Full::<Bytes>::default()).unwrap()).await.status, 200);
    assert!(tokio::net::TcpStream::connect((Ipv6Addr::LOCALHOST, tls)).await.is_ok());
    e.emulator.shutdown().await;
    assert!(tokio::net::TcpStream::connect(beside).await.is_err(), "it is let go of");
}

/// An absolute name is the same name (RFC 1034 section 3.1).
#[tokio::test]
async fn a_trailing_dot_names_the_same_host() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let (name, port) = host.split_once(':').unwrap();
    for (host, path, status) in [
        (format!("{name}.:{port}"), "/", 200),
        (format!("{name}."), "/", 200),
        (format!("{name}..:{port}"), "/", 421),
        ("gra.ai.localhost.".into(), "/v1/app", 401),
        ("localhost.".into(), "/_emulator/health", 200),
        ("evil.example.".into(), "/", 421),
    ] {
        let request = Request::get(path).header("host", &host).body(Full::default()).unwrap();
        assert_eq!(e.send(request).await.status, status, "{host}");
    }
    let given = http2::request("GET", &format!("{name}.:{port}"), "/");
    let client = http2::Client::connect(&e).await;
    assert_eq!(client.send(given.body(http2::empty()).unwrap()).await.status(), 200);
}

/// As a client of HTTP/0.9 sends it, which waits for the answer.
#[tokio::test]
async fn a_request_line_without_a_version_is_refused_at_once() {
    let e = TestEmulator::start().await;
    for line in ["GET /\r\n", "GET\r\n", "GET / HTTPS/1.1\r\n"] {
        let mut client = Client::connect(&e).await;
        client.send(line).await;
        let got = client.answer().await;
        assert_eq!(got.status(), 400, "{line:?}");
        assert!(got.text().contains("names no version of HTTP"), "{}", got.text());
    }
}

/// RFC 9110 section 10.1.1: it is a list, which may be empty or repeat itself.
#[tokio::test]
async fn the_expect_header_is_a_list() {
    let wire = RecordingApp::start().await;
    for (at, (fields, told)) in [
        ("expect:\r\n", None),
        ("expect: ,\r\n", None),
        ("expect: 100-continue, 100-continue\r\n", Some("100-continue")),
        ("expect: 100-continue\r\nexpect: 100-continue\r\n", Some("100-continue")),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = wire.connect().await;
        let line = format!("POST /{at}");
        client.send(wire.request(&line, &format!("{fields}content-length: 2\r\n"))).await;
        client.send("hi").await;
        let mut got = client.answer().await;
        if got.status() == 100 {
            got = client.answer().await;
        }
        assert_eq!(got.status(), 200, "{fields}");
        let seen = wire.seen.of(&line).remove(0);
        assert_eq!(header(&seen.head, "expect"), told, "{}", seen.head);
        assert_eq!(seen.head.matches("expect").count(), usize::from(told.is_some()));
        assert_eq!(seen.body.as_deref(), Some(&b"hi"[..]));
    }
    for other in ["expect: x\r\n", "expect: 100-continue, x\r\n"] {
        let mut client = wire.connect().await;
        client.send(wire.request("POST /other", &format!("{other}content-length: 0\r\n"))).await;
        assert_eq!(client.answer().await.status(), 417, "{other}");
    }
}
