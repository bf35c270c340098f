//! Requests for an app that is asleep: they wake it and wait, are authorised again, and pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ovhai_api_types::{App, Token};
use ovhai_core::ports::Blame;
use ovhai_emulator::Limits;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::grpc::{GrpcApp, call, grpc_host};
use ovhai_test_support::http2::{data, empty, pipe, text};
use ovhai_test_support::raw::{Client, Got, SOON, get, header};
use ovhai_test_support::{TestEmulator, Upstream, eventually, http2};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

/// Limits that a request would exceed if it was timed while it waits.
const PATIENCE: Duration = Duration::from_secs(2);

struct Asleep {
    e: TestEmulator,
    sim: SimRuntime,
    app: App,
    host: String,
    token: Token,
    /// Number of requests that reached the app.
    asked: Arc<AtomicUsize>,
    _upstream: Upstream,
    _played: GrpcApp,
}

impl Asleep {
    async fn start() -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let upstream = Upstream::start(move |mut stream| {
            let asked = Arc::clone(&counted);
            async move {
                while let Some(head) = Upstream::head(&mut stream).await {
                    if head.starts_with("GET /hang ") {
                        return std::future::pending().await;
                    }
                    asked.fetch_add(1, Ordering::SeqCst);
                    let length = header(&head, "content-length").map_or(0, |l| l.parse().unwrap());
                    let mut body = vec![0; length];
                    stream.read_exact(&mut body).await.unwrap();
                    let answer = match header(&head, "upgrade") {
                        Some(_) => {
                            "HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
                        }
                        None => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
                    };
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        })
        .await;
        let played = GrpcApp::start().await;
        let sim = SimRuntime::automatic(upstream.address()).with_grpc(played.address);
        let limits = Limits {
            body_timeout: PATIENCE,
            answer_timeout: PATIENCE,
            head_timeout: PATIENCE,
            ..Limits::default()
        };
        let emulator = TestEmulator::builder()
            .limits(limits)
            .runtime(Arc::new(sim.clone()))
            .start()
            .await
            .unwrap();
        let e = TestEmulator { emulator, sim: Some(sim.clone()) };
        let app = e.run_app(&[("group", "A")], json!({"grpcPort": 9000})).await;
        let token = e.token("GRA", "read", Some("group=A")).await;
        let host = TestEmulator::host(&app);
        let this = Self { e, sim, app, host, token, asked, _upstream: upstream, _played: played };
        // The app works before it falls asleep.
        assert_eq!(this.e.query(&this.app, this.token.status.value.as_deref()).await.status, 200);
        this.asked.store(0, Ordering::SeqCst);
        this.sim.sleep(1);
        eventually("it is asleep", || async {
            let snapshot = this.e.emulator.platform().snapshot();
            snapshot.app(this.app.id).unwrap().is_asleep().then_some(())
        })
        .await;
        this
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token.status.value.as_ref().unwrap())
    }

    fn wakes(&self) -> u32 {
        self.sim.launched()[0].wakes
    }

    async fn is_woken(&self) {
        eventually("it is woken", || async { (self.wakes() > 0).then_some(()) }).await;
    }

    /// Sends a head over HTTP/1.
    async fn head(&self, line: &str, more: &str) -> Client {
        let mut client = Client::connect(&self.e).await;
        let bearer = self.bearer();
        let head = format!(
            "{line} HTTP/1.1\r\nhost: {}\r\nauthorization: {bearer}\r\n{more}\r\n",
            self.host
        );
        client.send(head).await;
        client
    }

    fn answer(mut client: Client) -> JoinHandle<(Client, Got)> {
        tokio::spawn(async move {
            let got = client.answer().await;
            (client, got)
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_for_an_app_beyond_their_timeouts_in_each_protocol() {
    let a = Asleep::start().await;
    let awake = a.e.run_app(&[], json!({"unsecureHttp": true})).await;
    let mut post = a.head("POST /", "content-length: 5\r\nexpect: 100-continue\r\n").await;
    let websocket = a.head("GET /", "connection: upgrade\r\nupgrade: websocket\r\n").await;
    let websocket = Asleep::answer(websocket);
    let (host, bearer) = (a.host.clone(), a.bearer());
    let http2 = http2::Client::connect(&a.e).await;
    let modern = tokio::spawn(async move {
        let given = http2::request("GET", &host, "/").header("authorization", bearer);
        http2.send(given.body(empty()).unwrap()).await.status()
    });
    let (host, bearer) = (grpc_host(&a.app), a.bearer());
    let client = http2::Client::connect(&a.e).await;
    let grpc = tokio::spawn(async move {
        let (pipe, body) = pipe();
        let given = call(&host, "/t.T/Unary").header("authorization", bearer);
        let given = given.body(body).unwrap();
        // Its message arrives before the app is ready.
        let (answer, sent) = tokio::join!(client.send(given), pipe.send(data(b"\0\0\0\0\x02hi")));
        sent.unwrap();
        drop(pipe);
        let (body, trailers) = text(answer).await;
        (body, trailers.unwrap()["grpc-status"].clone())
    });
    a.is_woken().await;
    // Requests that begin later and do not wait for a replica exceed the same limits meanwhile.
    let (mut answer, mut body) = (Client::connect(&a.e).await, Client::connect(&a.e).await);
    answer.send(get(&TestEmulator::host(&awake), "/hang")).await;
    let form = "host: localhost\r\ncontent-length: 5\r\n";
    body.send(format!("POST /oauth2/revoke HTTP/1.1\r\n{form}\r\n")).await;
    assert_eq!(answer.answer().await.status(), 504);
    assert_eq!(body.answer().await.status(), 408);
    assert!(!websocket.is_finished() && !modern.is_finished() && !grpc.is_finished());
    // The gateway sends 100 Continue only once there is a replica.
    let told = post.0.try_read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(told, Err(std::io::ErrorKind::WouldBlock));
    assert_eq!((a.asked.load(Ordering::SeqCst), a.wakes()), (0, 1));

    a.sim.ready(1);
    assert_eq!(post.answer_head().await.status(), 100);
    post.send("hello").await;
    assert_eq!(post.answer().await.status(), 200);
    assert_eq!(websocket.await.unwrap().1.status(), 101);
    assert_eq!(modern.await.unwrap(), 200);
    let (body, status) = grpc.await.unwrap();
    assert_eq!((&body[..], &status), (&b"\0\0\0\0\x02hi"[..], &"0".parse().unwrap()));
    assert_eq!(a.asked.load(Ordering::SeqCst), 3);
    // The connection stays open.
    post.send(format!(
        "GET / HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n\r\n",
        a.host,
        a.bearer()
    ))
    .await;
    assert_eq!(post.answer().await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_of_a_request_tells_how_long_it_waited_and_its_replica() {
    for version in [1, 2] {
        let a = Asleep::start().await;
        let waiting = if version == 1 {
            let waiting = Asleep::answer(a.head("GET /held", "").await);
            tokio::spawn(async move { waiting.await.unwrap().1.status() })
        } else {
            let (host, bearer) = (a.host.clone(), a.bearer());
            let http2 = http2::Client::connect(&a.e).await;
            tokio::spawn(async move {
                let given = http2::request("GET", &host, "/held").header("authorization", bearer);
                let answer = http2.send(given.body(empty()).unwrap()).await;
                let status = answer.status().as_u16();
                text(answer).await;
                status
            })
        };
        a.is_woken().await;
        a.sim.ready(1);
        assert_eq!(waiting.await.unwrap(), 200);
        let record = eventually("it is recorded", || async {
            let list = a.e.call_local("GET", "/_emulator/requests", None).await.json();
            let records = list["items"].as_array().unwrap();
            records.iter().find(|record| record["path"] == "/held").cloned()
        })
        .await;
        let micros = |name: &str| record[name].as_u64().unwrap_or_else(|| panic!("{record}"));
        assert_eq!(record["replica"], 1, "{record}");
        assert!(micros("heldMicros") > 0, "{record}");
        assert!(micros("heldMicros") + micros("upstreamMicros") <= micros("micros"), "{record}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_request_is_refused_when_its_token_is_revoked() {
    let a = Asleep::start().await;
    let other = a.e.token("GRA", "read", Some("group=A")).await;
    let revoked = Asleep::answer(a.head("GET /revoked", "").await);
    let (host, bearer) = (a.host.clone(), a.bearer());
    let http2 = http2::Client::connect(&a.e).await;
    let modern = tokio::spawn(async move {
        let given = http2::request("GET", &host, "/").header("authorization", bearer);
        http2.send(given.body(empty()).unwrap()).await.status()
    });
    let mut stays = Client::connect(&a.e).await;
    let value = other.status.value.as_ref().unwrap();
    stays
        .send(format!(
            "GET /stays HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {value}\r\n\r\n",
            a.host
        ))
        .await;
    let stays = Asleep::answer(stays);
    a.is_woken().await;
    let path = format!("/v1/token/{}/renew", a.token.id);
    assert_eq!(a.e.admin("POST", &path, None).await.status, 200);
    let (mut client, got) = tokio::time::timeout(SOON, revoked).await.unwrap().unwrap();
    assert_eq!(got.status(), 401, "{}", got.text());
    assert_eq!(modern.await.unwrap(), 401);
    assert!(!stays.is_finished());
    assert_eq!(a.asked.load(Ordering::SeqCst), 0, "the app was not asked");
    // The caller is authorized again with current labels.
    let label = json!({"name": "group", "value": "B"});
    let path = format!("/v1/app/{}/label", a.app.id);
    assert_eq!(a.e.admin("PUT", &path, Some(label)).await.status, 204);
    let (_, got) = tokio::time::timeout(SOON, stays).await.unwrap().unwrap();
    assert_eq!(got.status(), 403, "{}", got.text());
    // A refusal keeps the connection open, and wakes no app.
    client.send(format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", a.host)).await;
    assert_eq!((client.answer().await.status(), a.wakes()), (401, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_request_gets_503_when_the_app_fails_or_stops() {
    for stops in [true, false] {
        let a = Asleep::start().await;
        let waits = Asleep::answer(a.head("GET /", "").await);
        a.is_woken().await;
        if stops {
            let path = format!("/v1/app/{}/stop", a.app.id);
            assert_eq!(a.e.admin("PUT", &path, None).await.status, 204);
        } else {
            // It crashes and does not answer until the deadline.
            a.sim.sleep_all();
            let deadline = json!({"deploymentStrategy": {"progressDeadlineSeconds": 1}});
            let path = format!("/v1/app/{}", a.app.id);
            let answer = a.e.admin("PUT", &path, Some(json!({"appUpdate": deadline}))).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            a.sim.exit(1, Blame::User, "it is broken");
            a.e.wait(&a.app, "FAILED").await;
        }
        let (_, got) = tokio::time::timeout(SOON, waits).await.unwrap().unwrap();
        assert_eq!(got.status(), 503, "{}", got.text());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_while_it_waits_is_dropped() {
    let a = Asleep::start().await;
    drop(a.head("GET /left", "").await);
    let stays = Asleep::answer(a.head("GET /stays", "").await);
    a.is_woken().await;
    eventually("its record says that it left", || async {
        let requests = a.e.call_local("GET", "/_emulator/requests?region=GRA", None).await.json();
        let requests = requests["items"].as_array().cloned().unwrap_or_default();
        requests.iter().any(|one| one["path"] == "/left").then_some(())
    })
    .await;
    a.sim.ready(1);
    assert_eq!(stays.await.unwrap().1.status(), 200);
    assert_eq!(a.asked.load(Ordering::SeqCst), 1);
}

/// Only the request that follows a preflight wakes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn preflights_and_unauthorized_requests_wake_no_app() {
    let a = Asleep::start().await;
    let mut client = Client::connect(&a.e).await;
    let preflight = format!(
        "OPTIONS / HTTP/1.1\r\nhost: {}\r\norigin: https://example.com\r\naccess-control-request-method: GET\r\n\r\n",
        a.host
    );
    client.send(preflight).await;
    assert_eq!(client.answer().await.status(), 204, "the gateway answers it by itself");
    client.send(format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", a.host)).await;
    assert_eq!(client.answer().await.status(), 401);
    assert_eq!(a.wakes(), 0);
}
