//! Requests while replicas are replaced and die: which of them are lost, and where the others go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ovhai_api_types::App;
use ovhai_core::ports::{ReplicaEndpoint, ReplicaEvent};
use ovhai_runtime::SimRuntime;
use ovhai_test_support::processes::{app_file, emulator, process};
use ovhai_test_support::raw::Client;
use ovhai_test_support::{TestEmulator, Upstream, eventually};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::OVHAI;

async fn says(e: &TestEmulator, replicas: u32) -> App {
    let more = json!({
        "envVars": [{"name": "SAYS", "value": "old"}],
        "scalingStrategy": {"fixed": {"replicas": replicas}},
    });
    e.run_app(&[], process(&json!(["python3", app_file("says")]), more)).await
}

/// Clients that never stop asking, one for each method.
struct Load {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<(u16, String)>>>,
}

impl Load {
    fn begin(e: &Arc<TestEmulator>, app: &App, methods: &[&'static str]) -> Self {
        let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = |method: &'static str| {
            let (e, host) = (Arc::clone(e), TestEmulator::host(app));
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut client = Client::connect(&e).await;
                let mut got = Vec::new();
                while !over.load(Ordering::SeqCst) {
                    let has_body = matches!(method, "POST" | "PUT" | "PATCH");
                    let body = if has_body { "content-length: 2\r\n\r\nhi" } else { "\r\n" };
                    client.send(format!("{method} / HTTP/1.1\r\nhost: {host}\r\n{body}")).await;
                    let answer = match method {
                        "HEAD" => client.answer_head().await,
                        _ => client.answer().await,
                    };
                    let closes = answer.head.to_lowercase().contains("connection: close");
                    got.push((answer.status(), answer.text()));
                    answered.fetch_add(1, Ordering::SeqCst);
                    if closes {
                        client = Client::connect(&e).await;
                    }
                }
                got
            })
        };
        let clients = methods.iter().copied().map(client).collect();
        Self { over, answered, clients }
    }

    /// Waits until this many more requests were answered.
    async fn goes_on(&self, more: usize) {
        let enough = self.answered.load(Ordering::SeqCst) + more;
        eventually("more requests are answered", || async {
            (self.answered.load(Ordering::SeqCst) >= enough).then_some(())
        })
        .await;
    }

    /// Ends the load; every answer.
    async fn end(self) -> Vec<(u16, String)> {
        self.over.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await.expect("every request was answered"));
        }
        all
    }
}

fn none_is_lost(all: &[(u16, String)]) {
    let lost: Vec<_> = all.iter().filter(|(status, _)| *status != 200).collect();
    assert!(lost.is_empty(), "{} of {}, as {:?}", lost.len(), all.len(), lost[0]);
}

async fn metric(e: &TestEmulator, name: &str) -> usize {
    let page = e.call_local("GET", "/metrics", None).await.text();
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}: {page}")).trim().parse().unwrap()
}

/// A counter of the app's.
async fn metric_of(e: &TestEmulator, name: &str, app: &App) -> usize {
    let labels = format!("app=\"{}\",name=\"{}\"", app.id, app.spec.name.as_deref().unwrap());
    metric(e, &format!("{name}{{{labels}}}")).await
}

const RETRIED: &str = "ovhai_gateway_retried_requests_total";
const LOST: &str = "ovhai_gateway_lost_requests_total";
const BAD_GATEWAY: &str = "ovhai_gateway_refusals_total{reason=\"bad_gateway\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_loses_no_request_of_any_method() {
    let e = Arc::new(emulator(OVHAI).await);
    let app = says(&e, 4).await;
    let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
    let load = Load::begin(&e, &app, &methods);
    load.goes_on(100).await;
    let update = json!({"appUpdate": {"envVars": [{"name": "SAYS", "value": "new"}]}});
    let answer = e.admin("PUT", &format!("/v1/app/{}", app.id), Some(update)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let surge = eventually("all are replaced", || async {
        let app = e.app(&app).await;
        (app.status.state.as_str() == "RUNNING").then_some(app)
    })
    .await;
    assert_eq!(surge.status.available_replicas, 4);
    load.goes_on(100).await;
    let all = load.end().await;
    none_is_lost(&all);
    for says in ["old", "new"] {
        assert!(all.iter().any(|(_, said)| said == says), "{says}");
    }
    assert_eq!(metric(&e, BAD_GATEWAY).await, 0);
    assert_eq!(metric_of(&e, LOST, &app).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_dies_loses_only_what_can_not_be_repeated() {
    let e = Arc::new(emulator(OVHAI).await);
    let app = says(&e, 3).await;
    let load = Load::begin(&e, &app, &["GET", "HEAD", "OPTIONS", "GET", "GET"]);
    let host = TestEmulator::host(&app);
    let dies = 3;
    for die in 1..=dies {
        load.goes_on(50).await;
        let mut client = Client::connect(&e).await;
        let post = format!("POST /die HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n");
        client.send(post).await;
        assert_eq!(client.answer().await.status(), 502);
        eventually("all answer again", || async {
            let App { status, .. } = e.app(&app).await;
            // It was noticed that one is gone, and it is back.
            let is_whole = status.restarts == Some(die) && status.available_replicas == 3;
            (is_whole && status.state.as_str() == "RUNNING").then_some(())
        })
        .await;
    }
    load.goes_on(50).await;
    let all = load.end().await;
    none_is_lost(&all);
    assert_eq!(metric(&e, BAD_GATEWAY).await, usize::try_from(dies).unwrap());
    assert_eq!(metric_of(&e, LOST, &app).await, usize::try_from(dies).unwrap());
}

/// Counts requests, but for probes, and closes each connection without an answer.
async fn dead(count: &Arc<AtomicUsize>) -> Upstream {
    let count = Arc::clone(count);
    Upstream::start(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            let head = Upstream::head(&mut stream).await.unwrap_or_default();
            count.fetch_add(usize::from(!head.contains("ovhai-probe")), Ordering::SeqCst);
        }
    })
    .await
}

/// An app whose replicas are there.
async fn replicas(upstreams: &[&Upstream]) -> (TestEmulator, App) {
    let sim = SimRuntime::step_by_step();
    let e = TestEmulator::with_sim(sim.clone()).await;
    let spec = json!({
        "unsecureHttp": true, "scalingStrategy": {"fixed": {"replicas": upstreams.len()}},
    });
    let app = e.submit(&[], spec).await;
    e.wait(&app, "INITIALIZING").await;
    for (number, upstream) in (1..).zip(upstreams) {
        sim.report(number, &ReplicaEvent::Ready(ReplicaEndpoint::new(upstream.address())));
    }
    (e, app.clone())
}

/// Sends this many requests, each on a connection of its own; the statuses in their order.
async fn ask(e: &TestEmulator, app: &App, method: &str, body: &str, times: usize) -> Vec<u16> {
    let host = TestEmulator::host(app);
    let mut statuses = Vec::new();
    for _ in 0..times {
        let mut client = Client::connect(e).await;
        let length = body.len();
        let head = format!("{method} / HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n");
        client.send(format!("{head}connection: close\r\n\r\n{body}")).await;
        let answer = client.rest().await;
        let answer = String::from_utf8(answer).unwrap();
        statuses.push(answer.split(' ').nth(1).unwrap().parse().unwrap());
    }
    statuses
}

#[tokio::test]
async fn one_other_replica_gets_what_can_be_repeated() {
    let good = Upstream::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    for (method, body, is_repeated) in [
        ("GET", "", true),
        ("HEAD", "", true),
        ("OPTIONS", "", true),
        ("GET", "hi", false),
        ("POST", "", false),
        ("PUT", "hi", false),
        ("DELETE", "", false),
    ] {
        let count = Arc::new(AtomicUsize::new(0));
        let bad = dead(&count).await;
        let (e, app) = replicas(&[&bad, &good]).await;
        e.wait(&app, "RUNNING").await;
        // One of the two goes to the replica that fails; then it is left out.
        let mut statuses = ask(&e, &app, method, body, 2).await;
        statuses.sort_unstable();
        let expected = if is_repeated { [200, 200] } else { [200, 502] };
        assert_eq!(statuses, expected, "{method} {body}");
        assert_eq!(count.load(Ordering::SeqCst), 1, "{method} {body}");
        let counted = (metric_of(&e, RETRIED, &app).await, metric_of(&e, LOST, &app).await);
        let expected = (usize::from(is_repeated), usize::from(!is_repeated));
        assert_eq!(counted, expected, "{method} {body}");
        assert_eq!(metric(&e, BAD_GATEWAY).await, usize::from(!is_repeated), "{method} {body}");
    }
}

#[tokio::test]
async fn no_third_replica_and_no_dead_one_gets_a_request_again() {
    let counts = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let total = || counts.iter().map(|count| count.load(Ordering::SeqCst)).collect::<Vec<_>>();
    let bad = [dead(&counts[0]).await, dead(&counts[1]).await, dead(&counts[2]).await];
    let (e, app) = replicas(&[&bad[0]]).await;
    e.wait(&app, "RUNNING").await;
    assert_eq!(ask(&e, &app, "GET", "", 1).await, [502]);
    assert_eq!(total(), [1, 0, 0], "it is the only one");
    let (e, app) = replicas(&[&bad[1], &bad[2]]).await;
    e.wait(&app, "RUNNING").await;
    assert_eq!(ask(&e, &app, "GET", "", 1).await, [502]);
    assert_eq!(total(), [1, 1, 1], "each of two once");
    let (e, app) = replicas(&[&bad[0], &bad[1], &bad[2]]).await;
    e.wait(&app, "RUNNING").await;
    assert_eq!(ask(&e, &app, "GET", "", 1).await, [502]);
    assert_eq!(total().iter().sum::<usize>(), 5, "two of three");
}

/// A replica that has a request gets no other while there is an idle one.
#[tokio::test]
async fn the_less_busy_of_two_replicas_is_chosen() {
    let (go, held) = watch::channel(false);
    let counts = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let upstream = |count: &Arc<AtomicUsize>| {
        let (count, held) = (Arc::clone(count), held.clone());
        Upstream::start(move |mut stream| {
            let (count, mut held) = (Arc::clone(&count), held.clone());
            async move {
                while let Some(head) = Upstream::head(&mut stream).await {
                    if head.starts_with("GET /hold ") {
                        held.wait_for(|go| *go).await.unwrap();
                    } else {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                }
            }
        })
    };
    let upstreams = [upstream(&counts[0]).await, upstream(&counts[1]).await];
    let (e, app) = replicas(&[&upstreams[0], &upstreams[1]]).await;
    e.wait(&app, "RUNNING").await;
    let busy = || {
        let snapshot = e.emulator.platform().snapshot();
        let backends = &snapshot.app(app.id).unwrap().live.backends;
        backends.iter().map(|backend| backend.under_way.len()).collect::<Vec<_>>()
    };
    let mut client = Client::connect(&e).await;
    client.send(format!("GET /hold HTTP/1.1\r\nhost: {}\r\n\r\n", TestEmulator::host(&app))).await;
    let before = eventually("it is held", || async {
        let busy = busy();
        (busy.iter().sum::<usize>() == 1).then_some(busy)
    })
    .await;
    assert_eq!(ask(&e, &app, "GET", "", 20).await, [200; 20]);
    let asked: Vec<usize> = counts.iter().map(|count| count.load(Ordering::SeqCst)).collect();
    assert_eq!(asked, before.iter().map(|busy| 20 * (1 - busy)).collect::<Vec<_>>());
    go.send_replace(true);
    assert_eq!(client.answer().await.status(), 200);
    eventually("nothing is under way", || async { (busy() == [0, 0]).then_some(()) }).await;
    assert_eq!(ask(&e, &app, "GET", "", 20).await, [200; 20]);
    let now: Vec<usize> = counts.iter().map(|count| count.load(Ordering::SeqCst)).collect();
    assert!((0..2).all(|at| now[at] >= asked[at] + 5), "each in turn: {asked:?}, {now:?}");
}
