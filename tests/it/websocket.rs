//! A followed log over a WebSocket, as published clients of the service follow one.

use ovhai_api_types::App;
use ovhai_test_support::raw::{Client, Got, SOON};
use ovhai_test_support::{TestEmulator, eventually};
use serde_json::json;
use tokio::io::AsyncReadExt;

const HANDSHAKE: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

async fn ask(e: &TestEmulator, app: &App, query: &str, bearer: &str, more: &str) -> (Client, Got) {
    let mut client = Client::connect(e).await;
    let id = app.id;
    let head = format!("GET /v1/app/{id}/log{query} HTTP/1.1\r\nhost: gra.ai.localhost\r\n");
    client.send(format!("{head}authorization: Bearer {bearer}\r\n{more}\r\n")).await;
    let answer = client.answer_head().await;
    (client, answer)
}

async fn follow(e: &TestEmulator, app: &App, bearer: &str) -> Client {
    let (client, answer) = ask(e, app, "?follow=true", bearer, HANDSHAKE).await;
    assert_eq!(answer.status(), 101, "{}", answer.head);
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(answer.header("connection"), Some("upgrade"));
    assert_eq!(
        (answer.header("content-length"), answer.header("upgrade")),
        (None, Some("websocket"))
    );
    client
}

/// The next frame of the server, which is short.
async fn frame(client: &mut Client) -> (u8, String) {
    let read = async {
        let first = client.0.read_u8().await?;
        let length = client.0.read_u8().await?;
        assert!(length < 126, "short and not masked");
        let mut payload = vec![0; length.into()];
        client.0.read_exact(&mut payload).await?;
        Ok::<_, std::io::Error>((first, payload))
    };
    let (first, payload) = tokio::time::timeout(SOON, read).await.expect("a frame").unwrap();
    (first, String::from_utf8_lossy(&payload).into_owned())
}

/// After the lines that are left, the server ends the protocol, and then closes.
async fn is_closed(mut client: Client) {
    let mut kind = TEXT;
    while kind == TEXT {
        (kind, _) = frame(&mut client).await;
    }
    assert_eq!(kind, CLOSE);
    assert_eq!(client.rest().await.len(), 0);
}

/// A frame as clients send them.
fn masked(first: u8, payload: &str) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 7, 7, 7, 7];
    frame.extend(payload.bytes().map(|byte| byte ^ 7));
    frame
}

#[tokio::test]
async fn each_line_of_a_followed_log_is_a_message() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    let admin = e.emulator.administrator();
    let mut client = follow(&e, &app, admin).await;
    let (kind, first) = frame(&mut client).await;
    assert!(kind == TEXT && first.starts_with("ovhai/echo listens on"), "{kind} {first}");
    for _ in 0..2 {
        assert_eq!(e.query(&app, None).await.status, 200);
        assert_eq!(frame(&mut client).await, (TEXT, "GET /".into()));
    }
    client.send(masked(PING, "still there?")).await;
    assert_eq!(frame(&mut client).await, (PONG, "still there?".into()));
    // Messages of the client are ignored, except for its close frame.
    client.send([masked(TEXT, "hello"), masked(CLOSE, "\u{3}\u{e8}")].concat()).await;
    let (kind, code) = frame(&mut client).await;
    assert_eq!((kind, code.as_bytes()), (CLOSE, &[3, 0xef, 0xbf, 0xbd][..]));
    drop(client);

    let mut client = follow(&e, &app, admin).await;
    frame(&mut client).await;
    for _ in 0..2 {
        frame(&mut client).await;
    }
    client.send([TEXT, 2, b'h', b'i']).await;
    let (kind, code) = frame(&mut client).await;
    assert_eq!((kind, code.as_bytes()), (CLOSE, &[3, 0xef, 0xbf, 0xbd][..]), "not masked");

    // The log ends with its app.
    let mut client = follow(&e, &app, admin).await;
    for _ in 0..3 {
        frame(&mut client).await;
    }
    e.admin("DELETE", &format!("/v1/app/{}?force=true", app.id), None).await;
    is_closed(client).await;
}

/// The request asks for no WebSocket, or does it incorrectly.
#[tokio::test]
async fn requests_that_are_no_upgrade_get_other_answers() {
    let e = TestEmulator::start().await;
    let app = e.submit(&[], json!({})).await;
    let admin = e.emulator.administrator();
    for (query, more, status) in [
        ("", HANDSHAKE, 200),
        ("?follow=true", "", 200),
        ("?follow=true", "connection: upgrade\r\nupgrade: other\r\n", 200),
        ("?follow=true", "connection: upgrade\r\nupgrade: websocket\r\n", 400),
        ("?follow=true", HANDSHAKE, 101),
        ("?follow=true&tail=x", HANDSHAKE, 400),
    ] {
        let (_, answer) = ask(&e, &app, query, admin, more).await;
        assert_eq!(answer.status(), status, "{query} {more:?}: {}", answer.head);
    }
    let (_, answer) = ask(&e, &app, "?follow=true", "sk-not-ours", HANDSHAKE).await;
    assert_eq!(answer.status(), 401);
    let page = format!("{HANDSHAKE}origin: http://evil.example\r\n");
    let (_, answer) = ask(&e, &app, "?follow=true", admin, &page).await;
    assert_eq!(answer.status(), 403, "a page of another origin");
}

/// Like any other request in flight.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_followed_log_ends_with_the_access_of_its_caller() {
    let e = TestEmulator::start().await;
    let app = e.submit(&[("group", "A")], json!({})).await;
    let operator = e.token("GRA", "operator", Some("group=A")).await;
    let ann = json!({"name": "ann", "password": "correct horse battery"});
    assert_eq!(e.call_local("POST", "/_emulator/users", Some(ann)).await.status, 201);
    let form = "grant_type=password&username=ann&password=correct+horse+battery";
    let session = e.form("/oauth2/token", form).await.json();

    let token = operator.status.value.clone().unwrap();
    let by_token = follow(&e, &app, &token).await;
    let by_session = follow(&e, &app, session["access_token"].as_str().unwrap()).await;
    let mut by_owner = follow(&e, &app, e.emulator.administrator()).await;
    let metrics = e.call_local("GET", "/metrics", None).await.text();
    assert!(metrics.contains("ovhai_open_tunnels 3\n"), "{metrics}");

    let renew = format!("/v1/token/{}/renew", operator.id);
    assert_eq!(e.admin("POST", &renew, None).await.status, 200);
    is_closed(by_token).await;
    let gone = e.call_local("DELETE", "/_emulator/users/ann", None).await;
    assert_eq!(gone.status, 204);
    is_closed(by_session).await;
    // The owner's log continues.
    by_owner.send(masked(PING, "")).await;
    while frame(&mut by_owner).await.0 != PONG {}
    eventually("they are counted as ended by access", || async {
        let metrics = e.call_local("GET", "/metrics", None).await.text();
        metrics.contains("ovhai_gateway_aborted_total{by=\"access\"} 2\n").then_some(())
    })
    .await;
    e.emulator.shutdown().await;
    by_owner.rest().await;
}
