//! Events of an app reach the client before the app writes the next one: the gateway gathers none.

use std::sync::Arc;

use http_body_util::BodyExt;
use ovhai_test_support::raw::{SOON, secure};
use ovhai_test_support::recorder::at;
use ovhai_test_support::{TestEmulator, Upstream, http2, raw};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

const EVENTS: usize = 50;

/// An emulator with TLS, and a public app that writes an event on request.
struct Events {
    _upstream: Upstream,
    dir: tempfile::TempDir,
    e: TestEmulator,
    host: String,
    go_on: Arc<Notify>,
}

impl Events {
    async fn start() -> Self {
        let go_on = Arc::new(Notify::new());
        let wait = Arc::clone(&go_on);
        let upstream = Upstream::start(move |mut stream| {
            let wait = Arc::clone(&wait);
            async move {
                Upstream::head(&mut stream).await.unwrap();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
                stream.write_all(head.as_bytes()).await.unwrap();
                for number in 0..EVENTS {
                    wait.notified().await;
                    stream.write_all(format!("data: {number}\n\n").as_bytes()).await.unwrap();
                }
            }
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let builder = TestEmulator::builder().state_dir(dir.path()).tls(([127, 0, 0, 1], 0).into());
        let (e, app) = at(builder, &upstream, json!({"unsecureHttp": true})).await;
        let host = TestEmulator::host(&app);
        Self { _upstream: upstream, dir, e, host, go_on }
    }

    fn request(&self) -> String {
        format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", self.host)
    }

    /// Has the app write one event after the other, each once the client has received the last one;
    /// `until` reads until the client has received one.
    async fn arrive_one_by_one(self, mut until: impl AsyncFnMut(String)) {
        for number in 0..EVENTS {
            self.go_on.notify_one();
            let seen = until(format!("data: {number}\n\n"));
            tokio::time::timeout(SOON, seen).await.expect("the event");
        }
    }
}

/// Reads until these bytes arrive.
async fn until(stream: &mut (impl AsyncRead + Unpin), end: &str) {
    let mut seen = Vec::new();
    while !seen.windows(end.len()).any(|part| part == end.as_bytes()) {
        assert!(stream.read_buf(&mut seen).await.unwrap() > 0, "{end:?} did not arrive");
    }
}

#[tokio::test]
async fn events_arrive_one_by_one_over_http1() {
    let events = Events::start().await;
    let mut client = raw::Client::connect(&events.e).await;
    client.send(events.request()).await;
    assert_eq!(client.answer_head().await.status(), 200);
    events.arrive_one_by_one(async |event| until(&mut client.0, &event).await).await;
}

#[tokio::test]
async fn events_arrive_one_by_one_over_tls() {
    let events = Events::start().await;
    let mut client = secure(&events.e, &events.host, events.dir.path()).await;
    client.write_all(events.request().as_bytes()).await.unwrap();
    until(&mut client, "\r\n\r\n").await;
    events.arrive_one_by_one(async |event| until(&mut client, &event).await).await;
}

#[tokio::test]
async fn events_arrive_one_by_one_over_http2() {
    let events = Events::start().await;
    let client = http2::Client::connect(&events.e).await;
    let request = http2::request("GET", &events.host, "/").body(http2::empty()).unwrap();
    let mut answer = client.send(request).await;
    events
        .arrive_one_by_one(async |event| {
            let frame = answer.frame().await.expect("more").unwrap();
            assert_eq!(frame.into_data().unwrap(), event, "each is a frame of its own");
        })
        .await;
}
