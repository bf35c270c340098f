//! Events of an app are with the client as soon as it has written them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use ovhai_test_support::{TestEmulator, Upstream};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

use crate::wire::{SOON, at, secure};
use crate::{http2, wire};

const EVENTS: usize = 50;
const AT_ONCE: Duration = Duration::from_millis(5);

/// An emulator with TLS, and a public app that writes an event on request.
struct Events {
    _upstream: Upstream,
    dir: tempfile::TempDir,
    e: TestEmulator,
    host: String,
    go_on: Arc<Notify>,
    /// When it began to write each.
    began: mpsc::UnboundedReceiver<Instant>,
}

impl Events {
    async fn start() -> Self {
        let go_on = Arc::new(Notify::new());
        let (say_began, began) = mpsc::unbounded_channel();
        let wait = Arc::clone(&go_on);
        let upstream = Upstream::start(move |mut stream| {
            let (wait, say_began) = (Arc::clone(&wait), say_began.clone());
            async move {
                Upstream::head(&mut stream).await.unwrap();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
                stream.write_all(head.as_bytes()).await.unwrap();
                for number in 0..EVENTS {
                    wait.notified().await;
                    say_began.send(Instant::now()).unwrap();
                    stream.write_all(format!("data: {number}\n\n").as_bytes()).await.unwrap();
                }
            }
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let builder = TestEmulator::builder().state_dir(dir.path()).tls(([127, 0, 0, 1], 0).into());
        let (e, app) = at(builder, &upstream, json!({"unsecureHttp": true})).await;
        let host = TestEmulator::host(&app);
        Self { _upstream: upstream, dir, e, host, go_on, began }
    }

    fn request(&self) -> String {
        format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", self.host)
    }

    /// Asks for one event after the other; `until` reads until the client has seen one.
    async fn come_at_once(mut self, mut until: impl AsyncFnMut(String)) {
        let mut took = Vec::new();
        for number in 0..EVENTS {
            self.go_on.notify_one();
            let seen = until(format!("data: {number}\n\n"));
            tokio::time::timeout(SOON, seen).await.expect("the event");
            let read = Instant::now();
            took.push(read - self.began.recv().await.unwrap());
        }
        took.sort();
        // On a busy machine a single one may be late; a proxy that gathers events, or waits for
        // more of them, is late with all.
        assert!(took[EVENTS / 2] < AT_ONCE, "{took:?}");
    }
}

/// Reads on until these bytes have come.
async fn until(stream: &mut (impl AsyncRead + Unpin), end: &str) {
    let mut seen = Vec::new();
    while !seen.windows(end.len()).any(|part| part == end.as_bytes()) {
        assert!(stream.read_buf(&mut seen).await.unwrap() > 0, "{end:?} did not come");
    }
}

#[tokio::test]
async fn over_http1() {
    let events = Events::start().await;
    let mut client = wire::Client::connect(&events.e).await;
    client.send(events.request()).await;
    assert_eq!(client.answer_head().await.status(), 200);
    events.come_at_once(async |event| until(&mut client.0, &event).await).await;
}

#[tokio::test]
async fn over_tls() {
    let events = Events::start().await;
    let mut client = secure(&events.e, &events.host, events.dir.path()).await;
    client.write_all(events.request().as_bytes()).await.unwrap();
    until(&mut client, "\r\n\r\n").await;
    events.come_at_once(async |event| until(&mut client, &event).await).await;
}

#[tokio::test]
async fn over_http2() {
    let events = Events::start().await;
    let client = http2::Client::connect(&events.e).await;
    let request = http2::request("GET", &events.host, "/").body(http2::empty()).unwrap();
    let mut answer = client.send(request).await;
    events
        .come_at_once(async |event| {
            let frame = answer.frame().await.expect("more").unwrap();
            assert_eq!(frame.into_data().unwrap(), event, "each is a frame of its own");
        })
        .await;
}
