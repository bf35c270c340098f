//! gRPC through the gateway: to an app that a test plays, and with the library that people use.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ovhai_api_types::App;
use ovhai_core::ports::{ReplicaEndpoint, ReplicaEvent};
use ovhai_emulator::Emulator;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::{TestEmulator, eventually};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};

use crate::http2::{Client, data, empty, pipe, request, text};
use crate::slow::at_rest;
use crate::wire::SOON;
use crate::{OVHAI, free_port};

/// `cargo xtask test` makes the environment and names its Python here.
const PYTHON: &str = "OVHAI_TEST_PYTHON";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An app's answer.
enum Answer {
    Nothing,
    Frames(mpsc::Receiver<Result<Frame<Bytes>, Failure>>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match &mut *self {
            Self::Nothing => Poll::Ready(None),
            Self::Frames(frames) => frames.poll_recv(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

fn trailers(status: &'static str) -> Frame<Bytes> {
    let status = ("grpc-status".parse().unwrap(), status.parse().unwrap());
    Frame::trailers(HeaderMap::from_iter([status]))
}

/// What a test gets to know of the app that it plays.
#[derive(Clone)]
struct Knows {
    connections: Arc<AtomicUsize>,
    heads: mpsc::UnboundedSender<(String, HeaderMap)>,
    gone: mpsc::UnboundedSender<&'static str>,
    close: Arc<Notify>,
}

/// Says that what it was in is gone.
struct Gone(mpsc::UnboundedSender<&'static str>, &'static str);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

pub(crate) struct Played {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: mpsc::UnboundedReceiver<(String, HeaderMap)>,
    gone: mpsc::UnboundedReceiver<&'static str>,
    close: Arc<Notify>,
}

impl Played {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (heads, heard) = mpsc::unbounded_channel();
        let (gone, goes) = mpsc::unbounded_channel();
        let knows = Knows { connections: Arc::default(), heads, gone, close: Arc::default() };
        let (connections, close) = (Arc::clone(&knows.connections), Arc::clone(&knows.close));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                knows.connections.fetch_add(1, Ordering::SeqCst);
                let of_requests = knows.clone();
                let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .max_concurrent_streams(100)
                    .serve_connection(
                        TokioIo::new(stream),
                        service_fn(move |request| play(request, of_requests.clone())),
                    );
                let close = Arc::clone(&knows.close);
                tokio::spawn(async move {
                    let mut connection = std::pin::pin!(connection);
                    tokio::select! {
                        _ = connection.as_mut() => {}
                        () = close.notified() => {
                            connection.as_mut().graceful_shutdown();
                            let _ = connection.await;
                        }
                    }
                });
            }
        });
        Self { address, connections, heads: heard, gone: goes, close }
    }
}

async fn play(request: Request<Incoming>, knows: Knows) -> Result<Response<Answer>, Infallible> {
    let (head, mut body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let _ = knows.heads.send((head.uri.to_string(), head.headers));
    let mut response = Response::new(Answer::Nothing);
    let headers = response.headers_mut();
    headers.insert("content-type", "application/grpc".parse().unwrap());
    headers.insert("x-initial", "metadata".parse().unwrap());
    let (sender, frames) = mpsc::channel(1);
    match path.as_str() {
        "/t.T/Refuse" => {
            headers.insert("grpc-status", "7".parse().unwrap());
            headers.insert("grpc-message", "no%20way".parse().unwrap());
            return Ok(response);
        }
        "/t.T/Hang" | "/t.T/Deaf" => {
            let _gone = Gone(knows.gone, "hang");
            std::future::pending::<()>().await;
        }
        "/t.T/Endless" => {
            tokio::spawn(async move {
                let piece = Bytes::from(vec![7; 16 * 1024]);
                while sender.send(Ok(Frame::data(piece.clone()))).await.is_ok() {}
            });
        }
        "/t.T/Break" => {
            tokio::spawn(async move {
                let _ = sender.send(Ok(data(b"some"))).await;
                let _ = sender.send(Err("the app breaks off".into())).await;
            });
        }
        _ => {
            tokio::spawn(async move {
                let _gone = Gone(knows.gone, "stream");
                // Each message as it comes.
                while let Some(frame) = body.frame().await {
                    let Ok(frame) = frame else { return };
                    match frame.into_data() {
                        Ok(data) => {
                            if sender.send(Ok(Frame::data(data))).await.is_err() {
                                return;
                            }
                        }
                        Err(frame) => {
                            let trailers = frame.into_trailers().unwrap();
                            let _ = knows.heads.send(("trailers".to_owned(), trailers));
                        }
                    }
                }
                let _ = sender.send(Ok(trailers("0"))).await;
            });
        }
    }
    *response.body_mut() = Answer::Frames(frames);
    Ok(response)
}

pub(crate) fn grpc_host(app: &App) -> String {
    TestEmulator::host(app).replacen(".app.", ".app-grpc.", 1)
}

async fn playing(spec: Value) -> (Played, TestEmulator, App) {
    let played = Played::start().await;
    let sim = SimRuntime::automatic(played.address).with_grpc(played.address);
    let e = TestEmulator::with_sim(sim).await;
    let app = e.run_app(&[], spec).await;
    (played, e, app)
}

fn open() -> Value {
    json!({"unsecureHttp": true, "grpcPort": 9000})
}

pub(crate) fn call(host: &str, method: &str) -> hyper::http::request::Builder {
    request("POST", host, method)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
}

#[tokio::test]
async fn calls_and_streams_pass_with_their_trailers() {
    let (mut played, e, app) = playing(open()).await;
    let host = grpc_host(&app);
    let client = Client::connect(&e).await;
    let (pipe, body) = pipe();
    let given = call(&host, "/t.T/Unary")
        .header("grpc-timeout", "5S")
        .header("x-meta-bin", "AAEC")
        .header("authorization", "Bearer its-own")
        .header("x-forwarded-for", "6.6.6.6");
    let (answer, sent) =
        tokio::join!(client.send(given.body(body).unwrap()), pipe.send(data(b"\0\0\0\0\x02hi")),);
    sent.unwrap();
    drop(pipe);
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-initial"]),
        (200, &"metadata".parse().unwrap())
    );
    let (body, trailers) = text(answer).await;
    assert_eq!(
        (&body[..], &trailers.unwrap()["grpc-status"]),
        (&b"\0\0\0\0\x02hi"[..], &"0".parse().unwrap())
    );
    let (target, head) = played.heads.recv().await.unwrap();
    assert_eq!(target, format!("http://{host}/t.T/Unary"));
    for (name, value) in [
        ("grpc-timeout", "5S"),
        ("x-meta-bin", "AAEC"),
        ("te", "trailers"),
        ("authorization", "Bearer its-own"),
        ("x-forwarded-for", "127.0.0.1"),
        ("content-type", "application/grpc"),
    ] {
        assert_eq!(head[name], value, "{name}");
    }
    assert!(head.contains_key("x-request-id"));

    // Of trailers only what may come so late.
    let (pipe, body) = self::pipe();
    let trailing = ["x-sum", "authorization", "cookie", "x-forwarded-for", "x-ovhai-token"];
    let trailing = trailing.map(|name| (name.parse().unwrap(), "1".parse().unwrap()));
    let trailed = async {
        pipe.send(data(b"0")).await.unwrap();
        pipe.send(Frame::trailers(HeaderMap::from_iter(trailing))).await.unwrap();
        drop(pipe);
    };
    let given = call(&host, "/t.T/Unary").body(body).unwrap();
    let (answer, ()) = tokio::join!(client.send(given), trailed);
    text(answer).await;
    played.heads.recv().await.unwrap();
    let (what, came) = played.heads.recv().await.unwrap();
    assert_eq!(what, "trailers");
    assert_eq!(came.keys().collect::<Vec<_>>(), ["x-sum"]);

    // Both ways at once, message by message.
    let (pipe, body) = self::pipe();
    let (answer, sent) = tokio::join!(
        client.send(call(&host, "/t.T/Bidi").body(body).unwrap()),
        pipe.send(data(b"0")),
    );
    sent.unwrap();
    let mut answer = answer.into_body();
    for number in 0..20 {
        let frame = tokio::time::timeout(SOON, answer.frame()).await.expect("a message");
        let data_ = frame.unwrap().unwrap().into_data().unwrap();
        assert_eq!(data_, number.to_string());
        pipe.send(data((number + 1).to_string().as_bytes())).await.unwrap();
    }
    drop(pipe);
    let end = tokio::time::timeout(SOON, answer.collect()).await.unwrap().unwrap();
    assert_eq!(end.trailers().unwrap()["grpc-status"], "0");

    // Trailers alone.
    let refused = client.send(call(&host, "/t.T/Refuse").body(empty()).unwrap()).await;
    assert_eq!(refused.headers()["grpc-status"], "7");
    assert_eq!(refused.headers()["grpc-message"], "no%20way");
    assert!(refused.body().is_end_stream(), "the head is the end");
}

#[tokio::test]
async fn whoever_cancels_the_other_learns_it() {
    let (mut played, e, app) = playing(open()).await;
    let host = grpc_host(&app);
    let client = Client::connect(&e).await;
    let mut gone = async |what| {
        let next = tokio::time::timeout(SOON, played.gone.recv()).await.expect(what);
        assert_eq!(next, Some(what));
    };
    // Before there is an answer.
    let mut sender = client.sender.clone();
    let given = call(&host, "/t.T/Hang").body(empty()).unwrap();
    let waiting = tokio::spawn(async move { sender.send_request(given).await.map(|_| ()) });
    played.heads.recv().await.unwrap();
    waiting.abort();
    gone("hang").await;
    // In the midst of a stream.
    let (pipe, body) = pipe();
    let given = call(&host, "/t.T/Bidi").body(body).unwrap();
    let (answer, sent) = tokio::join!(client.send(given), pipe.send(data(b"one")));
    sent.unwrap();
    let mut answer = answer.into_body();
    answer.frame().await.unwrap().unwrap();
    drop((answer, pipe));
    gone("stream").await;
    // The app breaks off: no good end.
    let broken = client.send(call(&host, "/t.T/Break").body(empty()).unwrap()).await;
    let read = tokio::time::timeout(SOON, broken.into_body().collect()).await.unwrap();
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn a_connection_is_shared_and_replaced_when_the_app_closes_it() {
    let (played, e, app) = playing(open()).await;
    let host = grpc_host(&app);
    let client = Client::connect(&e).await;
    let ask = async || {
        let answer = client.send(call(&host, "/t.T/Unary").body(empty()).unwrap()).await;
        (answer.status().as_u16(), text(answer).await.1)
    };
    for _ in 0..10 {
        assert_eq!(ask().await.0, 200);
    }
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let mut sender = client.sender.clone();
        let given = call(&host, "/t.T/Unary").body(empty()).unwrap();
        all.spawn(async move {
            sender.ready().await.unwrap();
            text(sender.send_request(given).await.unwrap()).await.1.unwrap()
        });
    }
    for trailers in tokio::time::timeout(SOON, all.join_all()).await.unwrap() {
        assert_eq!(trailers["grpc-status"], "0");
    }
    assert_eq!(played.connections.load(Ordering::SeqCst), 1, "one for all");
    for count in 2..6 {
        // Whether the end of the old one is seen before or not.
        played.close.notify_waiters();
        eventually("there is a new one", || async {
            assert_eq!(ask().await.0, 200, "no call is lost");
            (played.connections.load(Ordering::SeqCst) >= count).then_some(())
        })
        .await;
    }
}

/// The connection to the app is shared: a client that does not read its response delays no other.
/// A replica with a call gets no other while there is an idle one, whoever calls.
#[tokio::test]
async fn the_less_busy_of_two_replicas_gets_the_call() {
    let mut played = [Played::start().await, Played::start().await];
    let sim = SimRuntime::step_by_step();
    let e = TestEmulator::with_sim(sim.clone()).await;
    let mut spec = open();
    spec["scalingStrategy"] = json!({"fixed": {"replicas": 2}});
    let app = e.submit(&[], spec).await;
    e.wait(&app, "INITIALIZING").await;
    for (number, played) in (1..).zip(&played) {
        let endpoint = ReplicaEndpoint::new(played.address).with_grpc(Some(played.address));
        sim.report(number, &ReplicaEvent::Ready(endpoint));
    }
    e.wait(&app, "RUNNING").await;
    let host = grpc_host(&app);
    let client = Client::connect(&e).await;
    let (pipe, body) = pipe();
    let given = call(&host, "/t.T/Held").body(body).unwrap();
    let (held, sent) = tokio::join!(client.send(given), pipe.send(data(b"\0\0\0\0\x02hi")));
    sent.unwrap();
    for _ in 0..5 {
        for client in [&client, &Client::connect(&e).await] {
            let answer = client.send(call(&host, "/t.T/Unary").body(empty()).unwrap()).await;
            assert_eq!(answer.status(), 200);
            text(answer).await;
            eventually("the held call is the only one", || async {
                let snapshot = e.emulator.platform().snapshot();
                let backends = &snapshot.app(app.id).unwrap().live.backends;
                let calls: usize = backends.iter().map(|backend| backend.under_way.len()).sum();
                (calls == 1).then_some(())
            })
            .await;
        }
    }
    let mut asked = [0, 0];
    for (asked, played) in asked.iter_mut().zip(&mut played) {
        while played.heads.try_recv().is_ok() {
            *asked += 1;
        }
    }
    asked.sort_unstable();
    assert_eq!(asked, [1, 10]);
    drop(pipe);
    text(held).await;
}

#[tokio::test]
async fn whoever_is_slow_holds_up_nobody_else() {
    let (_played, e, app) = playing(open()).await;
    let host = grpc_host(&app);
    let mut slow = Vec::new();
    for _ in 0..4 {
        let client = Client::connect(&e).await;
        for _ in 0..4 {
            let given = call(&host, "/t.T/Endless").body(empty()).unwrap();
            let mut answer = client.send(given).await;
            answer.frame().await.unwrap().unwrap();
            slow.push(answer);
        }
        slow.push(client.send(call(&host, "/t.T/Refuse").body(empty()).unwrap()).await);
    }
    others_are_served(&e, &host).await;
}

async fn others_are_served(e: &TestEmulator, host: &str) {
    for _ in 0..4 {
        let (pipe, body) = pipe();
        let client = Client::connect(e).await;
        let given = call(host, "/t.T/Unary").body(body).unwrap();
        let (answer, sent) = tokio::join!(client.send(given), pipe.send(data(b"hi")));
        sent.unwrap();
        drop(pipe);
        assert_eq!(text(answer).await.0, "hi");
    }
}

/// Nor does who sends what the app does not read, or has more calls open than the app takes of one.
#[tokio::test]
async fn every_client_has_the_app_for_itself() {
    let (_played, e, app) = playing(open()).await;
    let host = grpc_host(&app);
    let sent = Arc::new(AtomicU64::new(0));
    let mut open = tokio::task::JoinSet::new();
    let mut clients = Vec::new();
    for _ in 0..4 {
        let client = Client::connect(&e).await;
        for _ in 0..120 {
            let (pipe, body) = pipe();
            let mut sender = client.sender.clone();
            let given = call(&host, "/t.T/Deaf").body(body).unwrap();
            open.spawn(async move {
                sender.ready().await.unwrap();
                let _ = sender.send_request(given).await;
            });
            let sent = Arc::clone(&sent);
            open.spawn(async move {
                while pipe.send(data(&[7; 16 * 1024])).await.is_ok() {
                    sent.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        clients.push(client);
    }
    at_rest(&sent).await;
    others_are_served(&e, &host).await;
}

#[tokio::test]
async fn who_gets_in() {
    let spec = json!({"grpcPort": 9000});
    let (mut played, e, app) = playing(spec).await;
    let host = grpc_host(&app);
    let client = Client::connect(&e).await;
    let token = e.token("GRA", "read", None).await.status.value.unwrap();
    let other = e.token("GRA", "read", Some("group=B")).await.status.value.unwrap();
    for (bearer, status) in [(None, 401), (Some("x"), 401), (Some(other.as_str()), 403)] {
        let mut given = call(&host, "/t.T/Unary");
        if let Some(bearer) = bearer {
            given = given.header("authorization", format!("Bearer {bearer}"));
        }
        let answer = client.send(given.body(empty()).unwrap()).await;
        assert_eq!(answer.status(), status, "{bearer:?}");
        assert!(answer.headers().contains_key("www-authenticate"));
    }
    assert!(played.heads.try_recv().is_err(), "the app was not asked");
    let given = call(&host, "/t.T/Unary").header("authorization", format!("Bearer {token}"));
    let answer = client.send(given.body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    let (_, head) = played.heads.recv().await.unwrap();
    assert!(!head.contains_key("authorization"), "ours is not the app's");
    // Beside an app's own key.
    let given = call(&host, "/t.T/Unary")
        .header("x-ovhai-token", &token)
        .header("authorization", "Bearer its-own");
    assert_eq!(client.send(given.body(empty()).unwrap()).await.status(), 200);
    let (_, head) = played.heads.recv().await.unwrap();
    assert_eq!(head["authorization"], "Bearer its-own");
    assert!(!head.contains_key("x-ovhai-token"));
}

#[tokio::test]
async fn what_does_not_work_says_why() {
    let (_played, e, app) = playing(open()).await;
    // Without HTTP/2.
    let request = Request::post("/t.T/Unary").header("host", grpc_host(&app));
    let answer = e.send(request.body(http_body_util::Full::default()).unwrap()).await;
    assert_eq!(answer.status, 426);
    assert!(answer.text().contains("HTTP/2"), "{}", answer.text());
    // Without a port.
    let sim = SimRuntime::automatic(SocketAddr::from(([127, 0, 0, 1], 9)));
    let e = TestEmulator::with_sim(sim).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let client = Client::connect(&e).await;
    let answer = client.send(call(&grpc_host(&app), "/t.T/Unary").body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 404);
    let said = text(answer).await.0;
    assert!(said.windows(11).any(|w| w == b"--grpc-port"), "{said:?}");
    // Nothing listens on it.
    let app = e.run_app(&[], open()).await;
    let answer = client.send(call(&grpc_host(&app), "/t.T/Unary").body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 502);
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let e = TestEmulator::with_sim(SimRuntime::automatic(nobody).with_grpc(nobody)).await;
    let app = e.run_app(&[], open()).await;
    let client = Client::connect(&e).await;
    let answer = client.send(call(&grpc_host(&app), "/t.T/Unary").body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 502);
    let said = text(answer).await.0;
    assert!(said.windows(22).any(|w| w == b"not accept connections"), "{said:?}");
}

const SERVER: &str = r"
import grpc, os, threading
from concurrent import futures
from http.server import HTTPServer, BaseHTTPRequestHandler

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

class Methods(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == '/t.T/Upper':
            def upper(request, context):
                meta = dict(context.invocation_metadata())
                context.send_initial_metadata((('x-initial', meta.get('x-mine', 'none')),))
                context.set_trailing_metadata((('x-last', 'yes'),))
                return request.upper()
            return grpc.unary_unary_rpc_method_handler(upper)
        if details.method == '/t.T/Chat':
            def chat(requests, context):
                for request in requests:
                    yield b're: ' + request
            return grpc.stream_stream_rpc_method_handler(chat)
        if details.method == '/t.T/Fail':
            def fail(request, context):
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, 'not today')
            return grpc.unary_unary_rpc_method_handler(fail)
        if details.method == '/t.T/Slow':
            def slow(request, context):
                threading.Event().wait(context.time_remaining() + 1)
                return b''
            return grpc.unary_unary_rpc_method_handler(slow)

server = grpc.server(futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers((Methods(),))
server.add_insecure_port('127.0.0.1:' + os.environ['GRPC_PORT'])
server.start()
HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Page).serve_forever()
";

const CLIENT: &str = r"
import grpc, sys
address, host, token, other = sys.argv[1:]
options = [('grpc.default_authority', host), ('grpc.enable_http_proxy', 0)]
channel = grpc.insecure_channel(address, options)
def meta(token): return (('authorization', 'Bearer ' + token), ('x-mine', 'hello'))
upper = channel.unary_unary('/t.T/Upper')
answer, call = upper.with_call(b'some bytes', metadata=meta(token), timeout=20, wait_for_ready=True)
assert answer == b'SOME BYTES', answer
assert dict(call.initial_metadata())['x-initial'] == 'hello', call.initial_metadata()
assert dict(call.trailing_metadata())['x-last'] == 'yes', call.trailing_metadata()
large = upper(b'x' * 3_000_000, metadata=meta(token), timeout=20)
assert large == b'X' * 3_000_000
chat = channel.stream_stream('/t.T/Chat')
said = list(chat(iter([b'1', b'2', b'3']), metadata=meta(token), timeout=20))
assert said == [b're: 1', b're: 2', b're: 3'], said
def code(method, metadata, timeout=20):
    try:
        channel.unary_unary(method)(b'', metadata=metadata, timeout=timeout)
    except grpc.RpcError as error:
        return error.code().name, error.details()
failed = code('/t.T/Fail', meta(token))
assert failed == ('FAILED_PRECONDITION', 'not today'), failed
assert code('/t.T/None', meta(token))[0] == 'UNIMPLEMENTED'
assert code('/t.T/Slow', meta(token), 0.3)[0] == 'DEADLINE_EXCEEDED'
assert code('/t.T/Upper', ())[0] == 'UNAUTHENTICATED'
assert code('/t.T/Upper', meta('x'))[0] == 'UNAUTHENTICATED'
assert code('/t.T/Upper', meta(other))[0] == 'PERMISSION_DENIED'
print('passed')
";

/// Client and server that people have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpcio_speaks_through_it() {
    let python = std::env::var(PYTHON).unwrap_or_else(|_| {
        panic!("{PYTHON} is not set: run the tests with `cargo xtask test`, which installs grpcio")
    });
    let emulator = Emulator::builder().supervisor(OVHAI).start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let spec = json!({
        "image": "python:3", "runtime": "process", "command": [python, "-c", SERVER],
        "grpcPort": 9000,
    });
    let app = e.run_app(&[], spec).await;
    eventually("its port for gRPC is found", || async {
        let snapshot = e.emulator.platform().snapshot();
        let endpoints = &snapshot.app(app.id).unwrap().live.backends;
        endpoints.first().and_then(|backend| backend.grpc())
    })
    .await;
    let token = e.token("GRA", "read", None).await.status.value.unwrap();
    let other = e.token("GRA", "read", Some("group=B")).await.status.value.unwrap();
    let (address, host) = (e.address().to_string(), grpc_host(&app));
    let output = tokio::task::spawn_blocking(move || {
        let mut client = Command::new(python);
        client.args(["-c", CLIENT, &address, &host, &token, &other]);
        client.output().unwrap()
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    e.emulator.shutdown().await;
}
