//! gRPC through the gateway: with an app that a test plays, and with grpcio.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::{HeaderMap, Request, Response};
use ovhai_core::ports::{ReplicaEndpoint, ReplicaEvent};
use ovhai_emulator::Emulator;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::backpressure::settled;
use ovhai_test_support::grpc::{GrpcApp, call, grpc_host, open, playing};
use ovhai_test_support::http2::{Client, data, empty, pipe, text};
use ovhai_test_support::raw::SOON;
use ovhai_test_support::{TestEmulator, eventually, free_port};
use serde_json::json;

use crate::OVHAI;

/// `cargo xtask test` makes the environment and names its Python here.
const PYTHON: &str = "OVHAI_TEST_PYTHON";

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

    // Reserved names are removed from trailers.
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

    // In both directions, message by message.
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

    // An answer of trailers only.
    let refused = client.send(call(&host, "/t.T/Refuse").body(empty()).unwrap()).await;
    assert_eq!(refused.headers()["grpc-status"], "7");
    assert_eq!(refused.headers()["grpc-message"], "no%20way");
    assert!(refused.body().is_end_stream(), "the head is the end");
}

#[tokio::test]
async fn cancellation_reaches_the_other_side() {
    let (mut played, e, app) = playing(open()).await;
    let host = grpc_host(&app);
    let client = Client::connect(&e).await;
    let mut gone = async |what| {
        let next = tokio::time::timeout(SOON, played.gone.recv()).await.expect(what);
        assert_eq!(next, Some(what));
    };
    // Before the answer.
    let mut sender = client.sender.clone();
    let given = call(&host, "/t.T/Hang").body(empty()).unwrap();
    let waiting = tokio::spawn(async move { sender.send_request(given).await.map(|_| ()) });
    played.heads.recv().await.unwrap();
    waiting.abort();
    gone("hang").await;
    // During a stream.
    let (pipe, body) = pipe();
    let given = call(&host, "/t.T/Bidi").body(body).unwrap();
    let (answer, sent) = tokio::join!(client.send(given), pipe.send(data(b"one")));
    sent.unwrap();
    let mut answer = answer.into_body();
    answer.frame().await.unwrap().unwrap();
    drop((answer, pipe));
    gone("stream").await;
    // A stream that the app breaks off does not look complete.
    let given = call(&host, "/t.T/Break").body(empty()).unwrap();
    let mut sender = client.sender.clone();
    let read = async move {
        sender.ready().await.unwrap();
        // The reset may overtake the head, which the client then does not see.
        sender.send_request(given).await?.into_body().collect().await.map(|_| ())
    };
    let read = tokio::time::timeout(SOON, read).await.unwrap();
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
        // The gateway may or may not have seen the end of the old one.
        played.close.notify_waiters();
        eventually("there is a new one", || async {
            assert_eq!(ask().await.0, 200, "no call is lost");
            (played.connections.load(Ordering::SeqCst) >= count).then_some(())
        })
        .await;
    }
}

/// A replica with a call gets no second one while another replica is idle, from any client.
#[tokio::test]
async fn the_less_busy_of_two_replicas_gets_the_call() {
    let mut played = [GrpcApp::start().await, GrpcApp::start().await];
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

/// The connection to the app is shared: a client that does not read its response delays no other.
#[tokio::test]
async fn a_slow_call_does_not_delay_others() {
    let (_played, e, app) = playing(open()).await;
    let host = grpc_host(&app);
    let mut slow = Vec::new();
    for _ in 0..4 {
        let client = Client::with_room_for(&e, 4).await;
        for _ in 0..4 {
            slow.push(endless(&client, &host).await);
        }
        slow.push(client.send(call(&host, "/t.T/Refuse").body(empty()).unwrap()).await);
    }
    others_are_served(&e, &host).await;
}

/// An endless response that has begun.
async fn endless(client: &Client, host: &str) -> Response<Incoming> {
    let given = call(host, "/t.T/Endless").body(empty()).unwrap();
    let mut answer = client.send(given).await;
    answer.frame().await.unwrap().unwrap();
    answer
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

/// Clients that send more than the app reads, or open more calls than it accepts on one connection,
/// delay no other client.
#[tokio::test]
async fn blocked_calls_do_not_delay_other_clients() {
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
    settled(&sent, &e).await;
    others_are_served(&e, &host).await;
}

#[tokio::test]
async fn calls_are_authorized_like_requests() {
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
async fn failed_calls_name_the_reason() {
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
    let unused = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let e = TestEmulator::with_sim(SimRuntime::automatic(unused).with_grpc(unused)).await;
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

/// Client and server of the grpcio package.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpcio_works_through_the_gateway() {
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
