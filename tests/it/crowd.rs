//! More connections than the limit.

use std::process::Command;
use std::time::Duration;

use ovhai_emulator::Limits;
use ovhai_test_support::foreground::Foreground;
use ovhai_test_support::raw::{Client, SOON, get};
use ovhai_test_support::recorder::{RecordingApp, at};
use ovhai_test_support::{
    TestCli, TestEmulator, Upstream, blocking, eventually, frames, http2, processes,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::OVHAI;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_idle_connections_do_not_delay_others() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    // Both ends of each are in this process, and other tests have theirs.
    let open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = open.saturating_sub(2000).min(4000) / 2;
    assert!(count >= 200, "too few descriptors to try anything: {open}");
    let wire = RecordingApp::start().await;
    let mut idle = Vec::new();
    for number in 0..count {
        let mut client = wire.connect().await;
        match number % 3 {
            0 => {}
            1 => client.send("GET /half HTTP/1.1\r\nho").await,
            _ => {
                client.send(wire.request("GET /idle", "")).await;
                assert_eq!(client.answer().await.status(), 200);
            }
        }
        idle.push(client);
    }
    for _ in 0..20 {
        let mut client = wire.connect().await;
        client.send(wire.request("GET /quick", "")).await;
        assert_eq!(client.answer().await.text(), "GET /quick");
    }
    // The idle connections still work.
    for client in idle.iter_mut().skip(2).step_by(3).take(20) {
        client.send(wire.request("GET /idle", "")).await;
        assert_eq!(client.answer().await.status(), 200);
    }
}

/// At the maximum number of connections, the longest idle ones are closed; connections with a request
/// in flight are not.
#[tokio::test]
async fn idle_connections_are_closed_at_the_connection_limit() {
    let wire = RecordingApp::with(
        Limits { connections: 12, ..Limits::default() },
        json!({"unsecureHttp": true}),
    )
    .await;
    let mut busy = wire.connect().await;
    busy.send(wire.request("POST /busy", "content-length: 4\r\n")).await;
    eventually("the request is in flight", || async {
        (wire.seen.of("/busy").len() == 1).then_some(())
    })
    .await;
    let mut idle = Vec::new();
    let mut modern = Vec::new();
    for number in 0..11 {
        match number % 4 {
            0 => {
                let client = http2::Client::connect(&wire.e).await;
                if number > 0 {
                    let asked = http2::request("GET", &wire.host, "/idle").body(http2::empty());
                    assert_eq!(client.send(asked.unwrap()).await.status(), 200);
                }
                modern.push(client);
            }
            kind => {
                let mut client = wire.connect().await;
                match kind {
                    1 => {}
                    2 => client.send("GET /half HTTP/1.1\r\nho").await,
                    _ => {
                        client.send(wire.request("GET /idle", "")).await;
                        assert_eq!(client.answer().await.status(), 200);
                    }
                }
                idle.push(client);
            }
        }
    }
    let mut later = Vec::new();
    for _ in 0..11 {
        let mut client = wire.connect().await;
        client.send(wire.request("GET /later", "")).await;
        assert_eq!(client.answer().await.text(), "GET /later");
        later.push(client);
    }
    for mut client in idle {
        // An incomplete head may get 408.
        let mut rest = Vec::new();
        let end = tokio::time::timeout(SOON, client.0.read_to_end(&mut rest)).await;
        end.expect("it is closed").ok();
    }
    for client in modern {
        let end = tokio::time::timeout(SOON, client.driver).await.expect("it is closed");
        end.unwrap().unwrap();
    }
    busy.send("body").await;
    assert_eq!(busy.answer().await.text(), "POST /busy");
}

/// Few connections, and time-outs longer than any test: a connection is closed only to
/// make room.
fn few_without_timeouts() -> Limits {
    let never = Duration::from_hours(1);
    Limits {
        connections: 12,
        head_timeout: never,
        body_timeout: never,
        idle_timeout: never,
        answer_timeout: never,
        ..Limits::default()
    }
}

/// Unauthorized connections are closed, too: during a handshake, an unwanted body, a form,
/// or while they are closing.
#[tokio::test]
async fn unauthorized_connections_are_closed_at_the_connection_limit() {
    let dir = tempfile::tempdir().unwrap();
    let builder = TestEmulator::builder()
        .limits(few_without_timeouts())
        .state_dir(dir.path())
        .tls(([127, 0, 0, 1], 0).into());
    let wire = RecordingApp::built(builder, json!({})).await;
    let bearer = format!("authorization: Bearer {}\r\n", wire.e.emulator.administrator());
    let much = "content-length: 1000\r\n";
    let api = format!("POST /v1/app HTTP/1.1\r\nhost: gra.ai.localhost\r\n{much}\r\n");
    for bytes in [
        wire.request("POST /refused", much),
        wire.request("POST /refused", "content-length: 1000000\r\n"),
        wire.request("POST /.ovhai/login", much),
        api,
        "rubbish\r\n\r\n".to_owned(),
        // Unread answers.
        "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(500),
        String::new(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ] {
        let to = if bytes.is_empty() { wire.e.emulator.running().tls } else { None };
        let mut held = Vec::new();
        for _ in 0..12 {
            let mut client = Client::to(to.unwrap_or(wire.e.address())).await;
            client.send(&bytes).await;
            held.push(client);
        }
        for _ in 0..3 {
            let served = async {
                let mut client = wire.connect().await;
                client.send(wire.request("GET /later", &bearer)).await;
                client.answer().await.text()
            };
            let served = tokio::time::timeout(SOON, served).await;
            assert_eq!(served.expect(&bytes), "GET /later");
        }
    }
}

/// The same for forms and refusals over HTTP/2.
#[tokio::test]
async fn unauthorized_http2_connections_are_closed_at_the_connection_limit() {
    let wire = RecordingApp::with(few_without_timeouts(), json!({})).await;
    let bearer = format!("authorization: Bearer {}\r\n", wire.e.emulator.administrator());
    const POST: u8 = 0x83;
    let mut held = Vec::new();
    for (host, target) in [
        (wire.host.as_str(), "/.ovhai/login"),
        (&wire.host, "/refused"),
        ("localhost", "/openapi.json"),
    ] {
        let mut block = frames::block(host, target.as_bytes());
        let has_body = host == wire.host;
        if has_body {
            block[0] = POST;
        }
        for _ in 0..12 {
            let mut client = wire.connect().await;
            client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
            // Its window for answers is empty, and its body has no end.
            client.send(frames::frame(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).await;
            client.send(frames::head(1, u8::from(!has_body), &block)).await;
            held.push(client);
        }
        for _ in 0..3 {
            let served = async {
                let mut client = wire.connect().await;
                client.send(wire.request("GET /later", &bearer)).await;
                client.answer().await.text()
            };
            let served = tokio::time::timeout(SOON, served).await;
            assert_eq!(served.expect(target), "GET /later");
        }
    }
}

/// A client of HTTP/2 can have many requests in flight, each with a connection to its app: the limit
/// leaves one for every other client.
#[tokio::test]
async fn no_client_takes_all_connections_to_apps() {
    let upstream = Upstream::start(|mut stream| async move {
        while let Some(head) = Upstream::head(&mut stream).await {
            if head.contains("/hang") {
                let _ = stream.read_to_end(&mut Vec::new()).await;
                return;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let limits = Limits { streams: 8, ..Limits::default() };
    let spec = json!({"unsecureHttp": true});
    let (e, app) = at(TestEmulator::builder().limits(limits), &upstream, spec).await;
    let host = TestEmulator::host(&app);
    let ask = |client: &http2::Client, target: &str| {
        let request = http2::request("GET", &host, target).body(http2::empty()).unwrap();
        let mut sender = client.sender.clone();
        async move {
            sender.ready().await.unwrap();
            sender.send_request(request).await.unwrap()
        }
    };
    let greedy = http2::Client::connect(&e).await;
    let mut hanging = JoinSet::new();
    for _ in 0..20 {
        hanging.spawn(ask(&greedy, "/hang"));
    }
    // The remaining requests continue.
    for _ in 0..15 {
        let refused = tokio::time::timeout(SOON, hanging.join_next()).await.expect("an answer");
        let refused = refused.unwrap().unwrap();
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key("retry-after"));
    }
    let modest = http2::Client::connect(&e).await;
    let all_good = async |count: usize| {
        let mut all = JoinSet::new();
        for _ in 0..count {
            all.spawn(ask(&modest, "/"));
        }
        let answers = tokio::time::timeout(SOON, all.join_all()).await.expect("answers");
        answers.iter().all(|answer| answer.status() == 200)
    };
    assert!(all_good(1).await && all_good(3).await);
    hanging.abort_all();
    drop(greedy);
    eventually("there is room again", || async { all_good(5).await.then_some(()) }).await;
    // The refusals do not blame the app.
    let metrics = e.call_local("GET", "/metrics", None).await.text();
    for (reason, is_none) in [("busy", false), ("not_ready", true)] {
        let none = format!("ovhai_gateway_refusals_total{{reason=\"{reason}\"}} 0\n");
        assert_eq!(metrics.contains(&none), is_none, "{reason} in {metrics}");
    }
}

/// A process that can open few files accepts fewer connections.
#[test]
fn connections_are_limited_by_available_files() {
    let cli = TestCli::new(OVHAI);
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 200 && exec \"$0\" \"$@\"", OVHAI]);
    let e = Foreground::start_by(few, &cli, &[]);
    cli.ok(&[
        "app",
        "run",
        "--name",
        "hi",
        "--unsecure-http",
        "--wait",
        "infrastructureascode/hello-world",
    ]);
    let idle: Vec<_> = (0..300).map(|_| blocking::Client::to(e.running.address)).collect();
    for _ in 0..3 {
        assert_eq!(cli.ok(&["app", "curl", "hi"]), "Hello, World!");
    }
    drop(idle);
}

/// A process without free descriptors: connected clients get 503, others wait, and no replica is
/// blamed.
#[cfg(target_os = "linux")]
#[test]
fn without_free_files_clients_get_503_and_no_replica_is_blamed() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
    let cli = TestCli::new(OVHAI);
    let mut heard = Command::new("sh");
    heard
        .args(["-c", "exec \"$0\" \"$@\" 2>\"$HOME/said\"", OVHAI])
        .env("HOME", cli.home())
        .env("OVHAI_LOG", "info");
    let e = Foreground::start_by(heard, &cli, &[]);
    let image = "infrastructureascode/hello-world";
    let run = ["app", "run", "--unsecure-http", "--wait", "--replicas", "2", image];
    let app = cli.json(&run);
    let host = app["status"]["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let ask = |client: &mut blocking::Client, host: &str| client.send(get(host, "/v1/app"));
    let connect = || blocking::Client::to(e.running.address);
    let mut connected = connect();
    ask(&mut connected, "gra.ai.localhost");
    assert_eq!(connected.answer().status(), 401);

    let pid = Pid::from_child(&e.child);
    let set = |limit| prlimit(Some(pid), Resource::Nofile, limit).unwrap();
    let before = set(Rlimit { current: Some(1), ..getrlimit(Resource::Nofile) });
    let mut waiting = connect();
    ask(&mut waiting, host);
    for _ in 0..4 {
        ask(&mut connected, host);
        let answer = connected.answer();
        assert_eq!(answer.status(), 503, "{}", answer.head);
        let said = answer.text();
        assert!(said.contains("the emulator can open no more connections"), "{said}");
    }
    set(before);
    assert_eq!(waiting.answer().status(), 200);
    for _ in 0..4 {
        ask(&mut connected, host);
        assert_eq!(connected.answer().status(), 200);
    }
    let metrics = cli.ok(&["emulator", "metrics"]);
    for (reason, count) in [("exhausted", 4), ("not_ready", 0)] {
        let sample = format!("ovhai_gateway_refusals_total{{reason=\"{reason}\"}} {count}\n");
        assert!(metrics.contains(&sample), "{sample} in {metrics}");
    }
    let said = std::fs::read_to_string(cli.home().join("said")).unwrap();
    assert_eq!(said.matches("connections can't be accepted").count(), 1, "{said}");
    assert!(!said.contains("left out"), "{said}");
}

/// Idle connections to apps are closed when their descriptors are needed.
#[test]
fn idle_connections_to_apps_are_closed_when_files_run_out() {
    let cli = TestCli::new(OVHAI);
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -n 200 && exec \"$0\" \"$@\"", OVHAI]);
    let e = Foreground::start_by(few, &cli, &[]);
    let server = processes::app_file("server");
    let run = |name: &str| {
        let before = ["app", "run", "--name", name, "--unsecure-http", "--runtime", "process"];
        let after = ["--wait", "-o", "json", "python:3", "--", "python3", &server, "--keep-alive"];
        let app: ovhai_api_types::App =
            serde_json::from_str(&cli.ok(&[&before[..], &after].concat())).unwrap();
        TestEmulator::host(&app)
    };
    let hosts = ["a", "b", "c"].map(run);
    let connect = || blocking::Client::to(e.running.address);
    let mut clients: Vec<_> = (0..50).map(|_| connect()).collect();
    for host in &hosts {
        for client in &mut clients {
            client.send(get(host, "/all"));
        }
        let answers: Vec<_> = clients.iter_mut().map(|client| client.answer().status()).collect();
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    }
    let mut client = connect();
    client.send(get(&hosts[0], "/"));
    assert_eq!(client.answer().status(), 200);
}
