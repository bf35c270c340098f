//! Access that is taken away while a request is under way: whatever goes on ends, however busy it
//! is, and before the app has answered too.

use bytes::Bytes;
use http_body_util::BodyExt;
use ovhai_api_types::{App, Token};
use ovhai_test_support::{TestEmulator, Upstream};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::http2;
use crate::wire::{Client, SOON};

/// An app that is played, and a token that opens it.
struct Opened {
    e: TestEmulator,
    app: App,
    token: Token,
    /// Told of each request, and of the end of its connection.
    said: mpsc::UnboundedReceiver<&'static str>,
    _upstream: Upstream,
}

impl Opened {
    /// One that answers everything but a request for `/endless` never.
    async fn start() -> Self {
        let (say, said) = mpsc::unbounded_channel();
        let upstream = Upstream::start(move |mut stream| {
            let say = say.clone();
            async move {
                let head = Upstream::head(&mut stream).await.unwrap();
                say.send("asked").unwrap();
                if head.starts_with("GET /endless") {
                    let head = b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\n\r\n";
                    stream.write_all(head).await.unwrap();
                    let piece = vec![7; 256 * 1024];
                    while stream.write_all(&piece).await.is_ok() {}
                } else {
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
                say.send("gone").unwrap();
            }
        })
        .await;
        let e = TestEmulator::with_apps_at(upstream.address()).await;
        let app = e.run_app(&[("group", "A")], json!({})).await;
        let token = e.token("GRA", "read", Some("group=A")).await;
        Self { e, app, token, said, _upstream: upstream }
    }

    fn host(&self) -> String {
        TestEmulator::host(&self.app)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token.status.value.as_ref().unwrap())
    }

    async fn hears(&mut self, what: &str) {
        let said = tokio::time::timeout(SOON, self.said.recv()).await.expect(what);
        assert_eq!(said, Some(what));
    }

    async fn delete_token(&self) {
        let path = format!("/v1/token/{}", self.token.id);
        assert_eq!(self.e.admin("DELETE", &path, None).await.status, 204);
    }
}

/// Also when there is always more of the answer than its client takes.
#[tokio::test]
async fn an_answer_without_a_pause_ends_with_its_token() {
    let mut opened = Opened::start().await;
    let client = http2::Client::connect(&opened.e).await;
    let asked = http2::request("GET", &opened.host(), "/endless")
        .header("authorization", opened.bearer())
        .body(http2::empty())
        .unwrap();
    let mut answer = client.send(asked).await;
    assert_eq!(answer.status(), 200);
    let mut got = 0;
    while got < 10_000_000 {
        let frame = answer.frame().await.unwrap().unwrap();
        got += frame.data_ref().map_or(0, Bytes::len);
    }
    opened.delete_token().await;
    let broken_off = async {
        while let Some(frame) = answer.frame().await {
            if frame.is_err() {
                return true;
            }
            // Slower than the app, which has more whenever somebody looks.
            tokio::task::yield_now().await;
        }
        false
    };
    assert!(tokio::time::timeout(SOON, broken_off).await.expect("an end"));
    opened.hears("asked").await;
    opened.hears("gone").await;
}

/// An app that takes its time, or reads for ever, is left when nobody may wait for it any more.
#[tokio::test]
async fn what_is_not_answered_yet_ends_with_its_token() {
    for more in ["", "content-length: 100000\r\n", "transfer-encoding: chunked\r\n"] {
        let mut opened = Opened::start().await;
        let mut client = Client::connect(&opened.e).await;
        let (host, bearer) = (opened.host(), opened.bearer());
        let head = format!("POST / HTTP/1.1\r\nhost: {host}\r\nauthorization: {bearer}\r\n{more}");
        client.send(format!("{head}\r\n")).await;
        opened.hears("asked").await;
        opened.delete_token().await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), 403, "{more} {}", answer.text());
        opened.hears("gone").await;
    }
}

#[tokio::test]
async fn the_same_in_http2() {
    for has_body in [false, true] {
        let mut opened = Opened::start().await;
        let client = http2::Client::connect(&opened.e).await;
        let (pipe, body) = http2::pipe();
        let given = http2::request("POST", &opened.host(), "/")
            .header("authorization", opened.bearer())
            .body(if has_body { body } else { http2::empty() })
            .unwrap();
        let taken_away = async {
            opened.hears("asked").await;
            opened.delete_token().await;
        };
        let (answer, ()) = tokio::join!(client.send(given), taken_away);
        assert_eq!(answer.status(), 403);
        opened.hears("gone").await;
        drop(pipe);
    }
}
