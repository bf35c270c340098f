//! Back-pressure: the gateway reads no more from one side than the other side accepts, and what
//! was delayed arrives complete.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ovhai_test_support::backpressure::{HELD, LargeApp, MUCH, PIECE, piece, read, settled, write};
use ovhai_test_support::raw::{Client, SOON};
use ovhai_test_support::recorder::at;
use ovhai_test_support::{TestEmulator, Upstream};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

#[tokio::test]
async fn back_pressure_passes_through_http1() {
    let slow = LargeApp::start().await;
    let spec = json!({"unsecureHttp": true});
    let (e, app) = at(TestEmulator::builder(), &slow.upstream, spec).await;
    let host = TestEmulator::host(&app);

    let mut client = Client::connect(&e).await;
    client.send(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
    let held = settled(&slow.written, &e).await;
    assert!(held < HELD, "an unread answer: {held}");
    assert_eq!(client.answer_head().await.status(), 200);
    tokio::time::timeout(SOON, read(&mut client.0, MUCH)).await.expect("all of it");

    let mut client = Client::connect(&e).await;
    client.send(format!("POST / HTTP/1.1\r\nhost: {host}\r\ncontent-length: {MUCH}\r\n\r\n")).await;
    let sent = AtomicU64::new(0);
    let check = async {
        let held = settled(&sent, &e).await;
        assert!(held < HELD, "an unread request: {held}");
        slow.may_read.notify_one();
    };
    let upload = async { tokio::join!(write(&mut client.0, MUCH, &sent), check) };
    tokio::time::timeout(SOON, upload).await.expect("all of it");
    assert_eq!(client.answer().await.text(), "all");
}

/// An app that switches to a WebSocket when the test allows it, and then reads as many bytes as each
/// item of `reads` says and returns them.
struct Socket {
    _upstream: Upstream,
    e: TestEmulator,
    head: String,
    asked: mpsc::UnboundedReceiver<()>,
    may_switch: Arc<Notify>,
    reads: mpsc::Sender<usize>,
    got: mpsc::Receiver<Vec<u8>>,
}

impl Socket {
    async fn start() -> Self {
        let (say_asked, asked) = mpsc::unbounded_channel();
        let may_switch = Arc::new(Notify::new());
        let (reads, to_read) = mpsc::channel::<usize>(1);
        let (say_got, got) = mpsc::channel(1);
        let (wait, to_read) = (Arc::clone(&may_switch), Arc::new(tokio::sync::Mutex::new(to_read)));
        let upstream = Upstream::start(move |mut stream| {
            let (say_asked, wait) = (say_asked.clone(), Arc::clone(&wait));
            let (to_read, say_got) = (Arc::clone(&to_read), say_got.clone());
            async move {
                Upstream::head(&mut stream).await.unwrap();
                say_asked.send(()).unwrap();
                wait.notified().await;
                let early = stream.try_read(&mut [0]);
                assert!(early.is_err(), "nothing may come before both sides have left HTTP");
                let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
                stream.write_all(switch.as_bytes()).await.unwrap();
                while let Some(size) = to_read.lock().await.recv().await {
                    let mut room = vec![0; size];
                    stream.read_exact(&mut room).await.unwrap();
                    say_got.send(room).await.unwrap();
                }
            }
        })
        .await;
        let spec = json!({"unsecureHttp": true});
        let (e, app) = at(TestEmulator::builder(), &upstream, spec).await;
        let head = format!(
            "GET / HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n",
            TestEmulator::host(&app)
        );
        Self { _upstream: upstream, e, head, asked, may_switch, reads, got }
    }

    /// The next bytes that the app reads.
    async fn read(&mut self, size: usize) -> Vec<u8> {
        self.reads.send(size).await.unwrap();
        tokio::time::timeout(SOON, self.got.recv()).await.expect("more").unwrap()
    }
}

/// Even if the client does not wait for the app's answer.
#[tokio::test]
async fn bytes_sent_before_the_upgrade_follow_it() {
    let mut socket = Socket::start().await;
    let mut client = Client::connect(&socket.e).await;
    // In the same write as the head, after it, and more than the gateway reads ahead.
    client.send(socket.head.clone() + "one,").await;
    socket.asked.recv().await.unwrap();
    client.send("two,").await;
    client.send(piece(3)).await;
    client.send(piece(4)).await;
    socket.may_switch.notify_one();
    assert_eq!(client.answer_head().await.status(), 101);
    client.send("after").await;
    assert_eq!(socket.read(8).await, b"one,two,");
    assert!(socket.read(PIECE).await == piece(3));
    assert!(socket.read(PIECE).await == piece(4));
    assert_eq!(socket.read(5).await, b"after");
}

#[tokio::test]
async fn back_pressure_passes_through_a_websocket() {
    const SIZE: usize = 50_000_000 / PIECE * PIECE;
    let mut socket = Socket::start().await;
    let mut client = Client::connect(&socket.e).await;
    client.send(&socket.head).await;
    socket.may_switch.notify_one();
    assert_eq!(client.answer_head().await.status(), 101);
    let sent = AtomicU64::new(0);
    let check = async {
        let held = settled(&sent, &socket.e).await;
        assert!(held < HELD, "unread messages: {held}");
        for number in 0..SIZE / PIECE {
            assert!(socket.read(PIECE).await == piece(number), "piece {number} is another one");
        }
    };
    let talk = async { tokio::join!(write(&mut client.0, SIZE, &sent), check) };
    tokio::time::timeout(SOON, talk).await.expect("all of it");
}
