//! The choice of a replica, and requests in flight when replicas start and stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::OVHAI;

use http_body_util::Full;
use hyper::Request;
use hyper::header::HOST;
use ovhai_core::ports::{ReplicaEndpoint, ReplicaEvent};
use ovhai_emulator::Limits;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::processes::{emulator, process, server};
use ovhai_test_support::raw::{Client, get};
use ovhai_test_support::recorder::{OPEN, at};
use ovhai_test_support::{TestEmulator, Upstream, eventually};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Clients send requests all the time while the app is updated repeatedly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_update_under_load_loses_no_request() {
    let e = Arc::new(TestEmulator::start().await);
    let app = e.run_app(&[], json!({"unsecureHttp": true, "image": "ovhai/echo"})).await;
    let host = TestEmulator::host(&app);
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let (e, host) = (Arc::clone(&e), host.clone());
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut client = Client::connect(&e).await;
                let (mut asked, mut kinds) = (0, [0, 0]);
                while !over.load(Ordering::SeqCst) {
                    // Half of them use new connections; unsafe methods are among them.
                    if number % 2 == 0 && asked > 0 {
                        client = Client::connect(&e).await;
                    }
                    let post = format!(
                        "POST /{asked} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 2\r\n\r\nhi"
                    );
                    client.send(if number < 4 { get(&host, "/x") } else { post }).await;
                    let got = client.answer().await;
                    asked += 1;
                    assert_eq!(got.status(), 200, "request {asked}: {}", got.text());
                    kinds[usize::from(got.text().starts_with("Hello"))] += 1;
                    answered.fetch_add(1, Ordering::SeqCst);
                }
                (asked, kinds)
            })
        })
        .collect();
    for image in
        ["infrastructureascode/hello-world", "ovhai/echo", "infrastructureascode/hello-world"]
    {
        let before = answered.load(Ordering::SeqCst);
        let path = format!("/v1/app/{}/image", app.id);
        let answer = e.admin("PUT", &path, Some(json!({"url": image}))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let hello = image.contains("hello");
        eventually("the new image answers", || async {
            let new = e.query(&app, None).await.text().starts_with("Hello") == hello;
            (new && answered.load(Ordering::SeqCst) > before + 50).then_some(())
        })
        .await;
        e.wait(&app, "RUNNING").await;
    }
    over.store(true, Ordering::SeqCst);
    let mut kinds = [0, 0];
    for client in clients {
        let (asked, of) = client.await.expect("every request was answered");
        assert_eq!(asked, of[0] + of[1]);
        kinds = [kinds[0] + of[0], kinds[1] + of[1]];
    }
    assert!(kinds[0] > 0 && kinds[1] > 0, "both images answered: {kinds:?}");
}

/// When the app or the emulator is stopped.
#[tokio::test]
async fn stopping_an_app_waits_for_requests_in_flight() {
    for whole in [false, true] {
        let (got, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (has, may) = (Arc::clone(&got), Arc::clone(&answer));
        let upstream = Upstream::start(move |mut stream| {
            let (has, may) = (Arc::clone(&has), Arc::clone(&may));
            async move {
                while Upstream::head(&mut stream).await.is_some() {
                    has.notify_one();
                    may.notified().await;
                    let _ =
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone").await;
                }
            }
        })
        .await;
        let spec = serde_json::from_str(OPEN).unwrap();
        let (e, app) = at(TestEmulator::builder(), &upstream, spec).await;
        let mut client = Client::connect(&e).await;
        client.send(get(&TestEmulator::host(&app), "/")).await;
        got.notified().await;
        if whole {
            let address = e.address();
            let stopped = tokio::spawn(e.emulator.shutdown());
            // It stops listening first.
            eventually("it stops", || async {
                TcpStream::connect(address).await.is_err().then_some(())
            })
            .await;
            answer.notify_one();
            assert_eq!(client.answer().await.text(), "done");
            stopped.await.unwrap();
        } else {
            let stop = format!("/v1/app/{}/stop", app.id);
            assert_eq!(e.admin("PUT", &stop, None).await.status, 204);
            e.wait(&app, "STOPPED").await;
            answer.notify_one();
            assert_eq!(client.answer().await.text(), "done");
            client.send(get(&TestEmulator::host(&app), "/")).await;
            assert_eq!(client.answer().await.status(), 503);
        }
    }
}

/// One of two replicas takes no connections. It gets no requests before it passes its probe.
#[tokio::test]
async fn a_failing_replica_gets_no_requests_until_its_probe_passes() {
    let good = Upstream::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood").await;
    let sim = SimRuntime::step_by_step();
    let e = TestEmulator::with_sim(sim.clone()).await;
    let two = json!({"unsecureHttp": true, "scalingStrategy": {"fixed": {"replicas": 2}}});
    let app = e.submit(&[], two).await;
    e.wait(&app, "INITIALIZING").await;
    let other = SocketAddr::from(([127, 0, 0, 1], ovhai_test_support::free_port()));
    for (number, address) in [(1, good.address()), (2, other)] {
        sim.report(number, &ReplicaEvent::Ready(ReplicaEndpoint::new(address)));
    }
    e.wait(&app, "RUNNING").await;
    for _ in 0..10 {
        assert_eq!(e.query(&app, None).await.text(), "good", "the other takes no connections");
    }
    // It takes connections again, but fails its probe.
    let (is_well, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let probed = Arc::new(Notify::new());
    let listener = tokio::net::TcpListener::bind(other).await.unwrap();
    let (well, count, notify) = (Arc::clone(&is_well), Arc::clone(&asked), Arc::clone(&probed));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some(head) = Upstream::head(&mut stream).await else { continue };
            let is_probe = head.contains("ovhai-probe");
            count.fetch_add(usize::from(!is_probe), Ordering::SeqCst);
            let status = if well.load(Ordering::SeqCst) { "200 OK" } else { "500 No" };
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 5\r\nconnection: close\r\n\r\nother");
            let _ = stream.write_all(answer.as_bytes()).await;
            if is_probe {
                notify.notify_one();
            }
        }
    });
    probed.notified().await;
    for _ in 0..10 {
        assert_eq!(e.query(&app, None).await.text(), "good");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0, "it is left out");
    is_well.store(true, Ordering::SeqCst);
    eventually("it gets requests again", || async {
        let answer = e.query(&app, None).await;
        assert_eq!(answer.status, 200);
        (answer.text() == "other").then_some(())
    })
    .await;
}

/// A replica that accepts connections and then fails costs at most one request, not every second
/// one. If it closes without an answer it costs none: the other replica gets the request.
#[tokio::test]
async fn a_replica_that_fails_later_gets_no_requests_either() {
    for does in ["closes", "says rubbish", "says nothing"] {
        let good = Upstream::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood").await;
        let bad = Upstream::start(move |mut stream| async move {
            Upstream::head(&mut stream).await;
            match does {
                "closes" => {}
                "says rubbish" => drop(stream.write_all(b"rubbish\r\n\r\n").await),
                _ => drop(stream.read(&mut [0]).await),
            }
        })
        .await;
        let sim = SimRuntime::step_by_step();
        let limits = Limits { answer_timeout: Duration::from_secs(2), ..Limits::default() };
        let emulator =
            TestEmulator::builder().runtime(Arc::new(sim.clone())).limits(limits).start().await;
        let e = TestEmulator { emulator: emulator.unwrap(), sim: Some(sim.clone()) };
        let two = json!({"unsecureHttp": true, "scalingStrategy": {"fixed": {"replicas": 2}}});
        let app = e.submit(&[], two).await;
        e.wait(&app, "INITIALIZING").await;
        for (number, address) in [(1, good.address()), (2, bad.address())] {
            sim.report(number, &ReplicaEvent::Ready(ReplicaEndpoint::new(address)));
        }
        e.wait(&app, "RUNNING").await;
        let mut failed = 0;
        for _ in 0..10 {
            let answer = e.query(&app, None).await;
            failed += usize::from(answer.status != 200);
        }
        assert_eq!(failed, usize::from(does != "closes"), "it {does}");
    }
}

/// The process does not handle SIGTERM, so it ends immediately; its requests have ended before.
#[tokio::test]
async fn a_rolling_update_loses_no_request_of_a_process() {
    let e = Arc::new(emulator(OVHAI).await);
    let says = |what: &str| json!([{"name": "SAYS", "value": what}]);
    let spec = process(
        &server(&["--keep-alive", "--post-takes", "0.4", "--body-of", "SAYS"]),
        json!({"envVars": says("old")}),
    );
    let app = e.run_app(&[], spec).await;
    let post = |e: Arc<TestEmulator>, host: String| async move {
        let request = Request::post("/").header(HOST, host).body(Full::from("hi")).unwrap();
        e.send(request).await
    };
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..6)
        .map(|_| {
            let (e, host, over) = (Arc::clone(&e), TestEmulator::host(&app), Arc::clone(&over));
            tokio::spawn(async move {
                let mut said = Vec::new();
                while !over.load(Ordering::SeqCst) {
                    let answer = post(Arc::clone(&e), host.clone()).await;
                    said.push((answer.status, answer.text()));
                }
                said
            })
        })
        .collect();
    e.admin("PUT", &format!("/v1/app/{}/image", app.id), Some(json!({"url": "python:4"}))).await;
    eventually("the old process is gone", || async {
        let app = e.admin("GET", &format!("/v1/app/{}", app.id), None).await.json();
        let updated = app["spec"]["image"] == "python:4" && app["status"]["state"] == "RUNNING";
        updated.then_some(())
    })
    .await;
    over.store(true, Ordering::SeqCst);
    for client in clients {
        let said = client.await.unwrap();
        let lost: Vec<_> = said.iter().filter(|(status, _)| *status != 200).collect();
        assert!(lost.is_empty(), "of {}: {lost:?}", said.len());
    }
}

/// A pooled connection belongs to an attempt of a replica, not to its address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_at_a_reused_address_gets_new_connections() {
    let upstream = Upstream::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
    let (e, app) = at(TestEmulator::builder(), &upstream, json!({"unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let mut client = Client::connect(&e).await;
    for _ in 0..2 {
        client.send(get(&host, "/")).await;
        assert_eq!(client.answer().await.status(), 200);
    }
    assert_eq!(upstream.connections(), 1, "it is used again");
    let sim = e.sim.as_ref().unwrap();
    sim.crash(1, ovhai_core::replica::ExitStatus::Code(1));
    eventually("another one answers", || async {
        let snapshot = e.emulator.platform().snapshot();
        let backends = &snapshot.app(app.id).unwrap().live.backends;
        backends.first().is_some_and(|backend| backend.replica.attempt == 2).then_some(())
    })
    .await;
    client.send(get(&host, "/")).await;
    assert_eq!(client.answer().await.status(), 200);
    assert_eq!(upstream.connections(), 2);
}
