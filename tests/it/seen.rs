//! Observability of the gateway: access log, metrics, request ids.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_api_types::Timestamp;
use ovhai_core::ports::Clock;
use ovhai_emulator::AccessLog;
use ovhai_test_support::raw::Client;
use ovhai_test_support::recorder::at;
use ovhai_test_support::{
    Answer, TestCli, TestEmulator, Upstream, eventually, eventually_now, http2,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::OVHAI;

async fn logging_to(path: &Path) -> TestEmulator {
    let log = AccessLog::Path(path.into());
    let emulator = TestEmulator::builder().access_log(log).start().await.unwrap();
    TestEmulator { emulator, sim: None }
}

/// The log lines, once there are this many of `path`; a request's line is written when its response
/// has ended.
async fn lines_of(log: &Path, path: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} lines of {path}"), || async {
        let text = std::fs::read_to_string(log).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
        let lines: Vec<_> = lines.filter(|line| line["path"] == path).collect();
        (lines.len() >= count).then_some(lines)
    })
    .await
}

fn get(host: &str, target: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::get(target).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::default()).unwrap()
}

#[tokio::test]
async fn every_request_has_an_access_log_line_without_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let e = logging_to(&log).await;
    let app = e.run_app(&[("group", "A")], json!({"image": "ovhai/echo"})).await;
    let open = e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    let reader = e.token("GRA", "read", Some("group=A")).await;
    let other = e.token("GRA", "read", Some("group=B")).await;
    let value = |token: &ovhai_api_types::Token| token.status.value.clone().unwrap();
    let (host, open_host) = (TestEmulator::host(&app), TestEmulator::host(&open));
    let admin = e.emulator.administrator();
    let bearer = |string: &str| format!("Bearer {string}");
    for (host, path, token, status) in [
        (&host, "/allowed", bearer(&value(&reader)), 200),
        (&host, "/forbidden", bearer(&value(&other)), 403),
        (&host, "/bad", bearer("sk-not-ours"), 401),
        (&host, "/admin", bearer(admin), 200),
        (&open_host, "/public", bearer("sk-its-own"), 200),
    ] {
        let target = format!("{path}?key=s3cret&x=%3F");
        let answer = e.send(get(host, &target, &[("authorization", &token)])).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    assert_eq!(e.send(get(&host, "/nobody", &[])).await.status, 401);
    let preflight = Request::options("/preflight")
        .header("host", &host)
        .header("origin", "https://page.example")
        .header("access-control-request-method", "PUT");
    assert_eq!(e.send(preflight.body(Full::default()).unwrap()).await.status, 200);
    let post = Request::post("/posted").header("host", &open_host);
    let posted = e.send(post.body(Full::new(Bytes::from_static(b"12345"))).unwrap()).await;
    assert_eq!(posted.status, 200);
    assert_eq!(e.send(get("evil.example", "/elsewhere", &[])).await.status, 421);
    // Bytes that were announced but not sent do not count.
    let client = http2::Client::connect(&e).await;
    let (_pipe, body) = http2::pipe();
    let liar = http2::request("POST", &host, "/liar").header("content-length", 1_u64 << 62);
    assert_eq!(client.send(liar.body(body).unwrap()).await.status(), 401);

    let one = async |path: &str| lines_of(&log, path, 1).await.remove(0);
    let allowed = one("/allowed").await;
    for (name, expected) in [
        ("door", json!("app")),
        ("app", json!(app.id)),
        ("method", json!("GET")),
        ("status", json!(200)),
        ("decision", json!("allowed")),
        ("token", json!(reader.id)),
        ("protocol", json!("HTTP/1.1")),
        ("refused", Value::Null),
        ("reason", Value::Null),
        ("aborted", Value::Null),
    ] {
        assert_eq!(allowed[name], expected, "{name}: {allowed}");
    }
    assert!(allowed["time"].as_str().unwrap().parse::<ovhai_api_types::Timestamp>().is_ok());
    assert!(allowed["client"].as_str().unwrap().starts_with("127.0.0.1:"), "{allowed}");
    assert!(allowed["micros"].as_u64() >= allowed["upstreamMicros"].as_u64(), "{allowed}");
    assert!(allowed["bytesOut"].as_u64().unwrap() > 20, "{allowed}");
    assert_eq!(one("/posted").await["bytesIn"], 5);
    assert_eq!(one("/liar").await["bytesIn"], 0);

    let forbidden = one("/forbidden").await;
    assert_eq!(forbidden["token"], json!(other.id), "{forbidden}");
    assert_eq!(forbidden["decision"], "out_of_scope");
    assert_eq!(forbidden["upstreamMicros"], Value::Null, "the app was not asked");
    let reason = forbidden["reason"].as_str().unwrap();
    assert!(reason.contains("outside the token's selector group=B"), "{reason}");
    for (path, decision, refused) in [
        ("/bad", json!("unauthenticated"), json!("bad_token")),
        ("/nobody", json!("unauthenticated"), json!("no_token")),
        ("/admin", json!("allowed"), Value::Null),
        ("/public", json!("public"), Value::Null),
        ("/preflight", json!("preflight"), Value::Null),
        ("/elsewhere", Value::Null, json!("misdirected")),
    ] {
        let line = one(path).await;
        assert_eq!((&line["decision"], &line["refused"]), (&decision, &refused), "{line}");
        assert_eq!(line["user"].is_string(), path == "/admin", "{line}");
    }
    assert_eq!(one("/elsewhere").await["door"], "none");

    let admin = admin.to_owned();
    e.emulator.shutdown().await;
    let text = std::fs::read_to_string(&log).unwrap();
    for secret in [&value(&reader), &value(&other), "sk-", "s3cret", "key=", admin.as_str()] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let mode = std::fs::metadata(&log).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn aborted_requests_are_logged_with_the_side_that_aborted() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let arrived = std::sync::Arc::new(tokio::sync::Notify::new());
    let go = std::sync::Arc::clone(&arrived);
    let upstream = Upstream::start(move |mut stream| {
        let go = std::sync::Arc::clone(&go);
        async move {
            let head = Upstream::head(&mut stream).await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
            if head.starts_with("GET /app") {
                go.notified().await;
            } else {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
    })
    .await;
    let emulator = TestEmulator::builder()
        .access_log(AccessLog::Path(log.clone()))
        .runtime(std::sync::Arc::new(ovhai_runtime::SimRuntime::automatic(upstream.address())))
        .start()
        .await
        .unwrap();
    let e = TestEmulator { emulator, sim: None };
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    for path in ["/app", "/client"] {
        let mut client = Client::connect(&e).await;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", TestEmulator::host(&app));
        client.send(head).await;
        client.until(b"hello").await;
        if path == "/app" {
            arrived.notify_one();
            // The client sees, too, that the answer is not complete.
            assert_eq!(client.rest().await, b"");
        }
    }
    for (path, by) in [("/app", "app"), ("/client", "client")] {
        let line = lines_of(&log, path, 1).await.remove(0);
        assert_eq!((&line["aborted"], &line["bytesOut"]), (&json!(by), &json!(5)), "{line}");
    }
    let metrics = e.call_local("GET", "/metrics", None).await.text();
    for by in ["app", "client"] {
        assert!(metrics.contains(&format!("ovhai_gateway_aborted_total{{by=\"{by}\"}} 1\n")));
    }
}

#[tokio::test]
async fn requests_have_ids() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let e = logging_to(&log).await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    let host = TestEmulator::host(&app);
    let seen = |answer: &Answer| answer.json()["headers"]["x-request-id"].clone();

    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mine = "my-{id}/\"1\"";
    let headers = [("x-request-id", mine), ("traceparent", trace), ("tracestate", "a=1")];
    let answer = e.send(get(&host, "/mine", &headers)).await;
    assert_eq!((answer.header("x-request-id"), seen(&answer)), (mine, json!([mine])));
    assert_eq!(answer.json()["headers"]["traceparent"], json!([trace]));
    assert_eq!(answer.json()["headers"]["tracestate"], json!(["a=1"]));
    assert_eq!(lines_of(&log, "/mine", 1).await[0]["id"], mine);

    let unfit = "x".repeat(129);
    let mut ids = Vec::new();
    for headers in [
        &[][..],
        &[("x-request-id", "a b")],
        &[("x-request-id", "")],
        &[("x-request-id", "é")],
        &[("x-request-id", &unfit)],
        &[("x-request-id", "one"), ("x-request-id", "two")],
    ] {
        let answer = e.send(get(&host, "/ours", headers)).await;
        let id = answer.header("x-request-id").to_owned();
        assert_eq!(id.len(), 24, "{headers:?}: {id}");
        assert_eq!(seen(&answer), json!([id]), "the app and the client see the same");
        ids.push(id);
    }
    let logged = lines_of(&log, "/ours", ids.len()).await;
    let mut logged: Vec<_> =
        logged.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    // Each of the edge's threads writes its lines in their order.
    logged.sort();
    ids.sort();
    assert_eq!(logged, ids);
    ids.dedup();
    assert_eq!(ids.len(), 6);
    // Refusals and API calls have ids, too.
    for host in ["evil.example", "gra.ai.localhost", "localhost"] {
        let answer = e.send(get(host, "/v1/app", &[("x-request-id", "r")])).await;
        assert_eq!(answer.header("x-request-id"), "r", "{host}");
    }
}

/// A sample's value.
fn sample(metrics: &str, series: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn metrics_count_requests_by_app_and_status() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[("group", "A")], json!({})).await;
    let token = e.token("GRA", "read", Some("group=A")).await.status.value.unwrap();
    let mut sent = 0.0;
    for (bearer, status) in
        [(Some(&token), 200), (Some(&token), 200), (Some(&token), 200), (None, 401)]
    {
        let answer = e.query(&app, bearer.map(String::as_str)).await;
        assert_eq!(answer.status, status);
        sent += f64::from(u32::try_from(answer.body.len()).unwrap());
    }
    let mut unknown = app.clone();
    unknown.status.url =
        app.status.url.replace(&app.id.to_string(), "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11");
    assert_eq!(e.query(&unknown, None).await.status, 404);
    let tunnel = {
        let mut client = Client::connect(&e).await;
        client.send("GET / HTTP/1.1\r\n").await;
        client
    };

    let id = app.id;
    let of_app = format!("app=\"{id}\",name=\"{}\"", app.spec.name.as_deref().unwrap());
    let metrics = eventually("all is counted", || async {
        let answer = e.call_local("GET", "/metrics", None).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let metrics = answer.text();
        let refused = format!("ovhai_gateway_requests_total{{{of_app},code=\"401\"}}");
        (sample(&metrics, &refused) == Some(1.0)).then_some(metrics)
    })
    .await;
    for (series, value) in [
        (format!("ovhai_gateway_requests_total{{{of_app},code=\"200\"}}"), 3.0),
        (format!("ovhai_gateway_request_duration_seconds_count{{{of_app}}}"), 4.0),
        (format!("ovhai_gateway_request_duration_seconds_bucket{{{of_app},le=\"+Inf\"}}"), 4.0),
        (format!("ovhai_gateway_upstream_duration_seconds_count{{{of_app}}}"), 3.0),
        (format!("ovhai_gateway_sent_bytes_total{{{of_app}}}"), sent),
        ("ovhai_gateway_overhead_seconds_count".into(), 3.0),
        ("ovhai_gateway_refusals_total{reason=\"no_token\"}".into(), 1.0),
        ("ovhai_gateway_refusals_total{reason=\"not_found\"}".into(), 1.0),
        ("ovhai_other_requests_total{door=\"unknown_app\",code=\"404\"}".into(), 1.0),
        ("ovhai_open_tunnels".into(), 0.0),
        ("ovhai_access_log_dropped_lines_total".into(), 0.0),
    ] {
        assert_eq!(sample(&metrics, &series), Some(value), "{series} in {metrics}");
    }
    assert!(sample(&metrics, "ovhai_open_connections") >= Some(1.0), "{metrics}");
    assert!(sample(&metrics, "process_start_time_seconds") > Some(1e9), "{metrics}");
    drop(tunnel);
    assert!(!metrics.contains("6f7c2f0e"), "unknown ids use no memory");

    // Series of deleted apps are removed.
    assert_eq!(e.admin("PUT", &format!("/v1/app/{id}/stop"), None).await.status, 204);
    e.wait(&app, "STOPPED").await;
    assert_eq!(e.admin("DELETE", &format!("/v1/app/{id}"), None).await.status, 204);
    eventually("the app is forgotten", || async {
        let metrics = e.call_local("GET", "/metrics", None).await.text();
        (!metrics.contains(&id.to_string())).then_some(())
    })
    .await;
}

/// The number of open connections and tunnels, without the one that asks.
async fn open(e: &TestEmulator) -> (f64, f64) {
    let metrics = e.call_local("GET", "/metrics", None).await.text();
    let of = |gauge| sample(&metrics, gauge).unwrap();
    (of("ovhai_open_connections") - 1.0, of("ovhai_open_tunnels"))
}

/// The gateway notices a closed connection some time later.
async fn until_open(e: &TestEmulator, expected: (f64, f64)) {
    eventually(&format!("{expected:?} are open"), || async {
        (open(e).await == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn open_tunnels_are_counted_and_logged() {
    let upstream = Upstream::start(|mut stream| async move {
        Upstream::head(&mut stream).await.unwrap();
        let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhi";
        stream.write_all(switch.as_bytes()).await.unwrap();
        let mut piece = [0; 64];
        while let Ok(n @ 1..) = stream.read(&mut piece).await {
            stream.write_all(&piece[..n]).await.unwrap();
        }
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let builder = TestEmulator::builder().access_log(AccessLog::Path(log.clone()));
    let (e, app) = at(builder, &upstream, json!({})).await;
    let token = e.token("GRA", "read", None).await;
    until_open(&e, (0.0, 0.0)).await;

    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(Client::connect(&e).await);
    }
    until_open(&e, (3.0, 0.0)).await;
    let mut tunnel = Client::connect(&e).await;
    let head = format!(
        "GET /socket?s3cret HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        TestEmulator::host(&app),
        token.status.value.unwrap(),
    );
    tunnel.send(head + "early").await;
    assert_eq!(tunnel.answer_head().await.status(), 101);
    tunnel.until(b"hiearly").await;
    tunnel.send("and late").await;
    tunnel.until(b"and late").await;
    // The echo passed the tunnel, so it is counted by now.
    assert_eq!(Some(open(&e).await.1), Some(1.0));
    until_open(&e, (4.0, 1.0)).await;
    idle.clear();
    until_open(&e, (1.0, 1.0)).await;
    drop(tunnel);
    until_open(&e, (0.0, 0.0)).await;

    let line = lines_of(&log, "/socket", 1).await.remove(0);
    for (name, expected) in [
        ("method", json!("GET")),
        ("status", json!(101)),
        ("bytesIn", json!("earlyand late".len())),
        ("bytesOut", json!("hiearlyand late".len())),
        ("door", json!("app")),
        ("app", json!(app.id)),
        ("token", json!(token.id)),
        ("decision", json!("allowed")),
        ("protocol", json!("HTTP/1.1")),
        ("aborted", Value::Null),
    ] {
        assert_eq!(line[name], expected, "{name}: {line}");
    }
    let metrics = e.call_local("GET", "/metrics", None).await.text();
    let name = app.spec.name.as_deref().unwrap();
    let of_app = format!("app=\"{}\",name=\"{name}\"", app.id);
    for (series, value) in [
        (format!("ovhai_gateway_requests_total{{{of_app},code=\"101\"}}"), Some(1.0)),
        (format!("ovhai_gateway_received_bytes_total{{{of_app}}}"), Some(13.0)),
        (format!("ovhai_gateway_sent_bytes_total{{{of_app}}}"), Some(15.0)),
        // The duration of a tunnel says nothing about speed.
        (format!("ovhai_gateway_request_duration_seconds_count{{{of_app}}}"), Some(0.0)),
    ] {
        assert_eq!(sample(&metrics, &series), value, "{series} in {metrics}");
    }
    assert_eq!(lines_of(&log, "/socket", 1).await.len(), 1, "and no other");
}

#[tokio::test]
async fn metrics_are_limited_to_readable_apps() {
    let e = TestEmulator::start().await;
    let (a, b) = (e.run_app(&[("g", "A")], json!({})).await, e.run_app(&[], json!({})).await);
    for app in [&a, &b] {
        assert_eq!(e.query(app, None).await.status, 401);
    }
    let value = |token: ovhai_api_types::Token| token.status.value.unwrap();
    let scoped = value(e.token("GRA", "operator", Some("g=A")).await);
    let unscoped = value(e.token("GRA", "operator", None).await);
    let elsewhere = value(e.token("BHS", "operator", None).await);
    let reader = value(e.token("GRA", "read", None).await);
    let ask = async |host: &str, bearer: Option<&str>| {
        let bearer = bearer.map(|bearer| format!("Bearer {bearer}"));
        let headers = bearer.as_deref().map(|bearer| ("authorization", bearer));
        e.send(get(host, "/metrics", headers.as_slice())).await
    };
    let ids = [a.id.to_string(), b.id.to_string()];
    for (bearer, shown) in [
        (e.emulator.administrator(), [true, true]),
        (&unscoped, [true, true]),
        (&scoped, [true, false]),
        (&elsewhere, [false, false]),
    ] {
        let answer = ask("localhost", Some(bearer)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text();
        assert_eq!(ids.each_ref().map(|id| text.contains(id)), shown);
        assert!(text.contains("ovhai_gateway_overhead_seconds_count"));
    }
    let refused = ask("localhost", Some(&reader)).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("role read may not see apps"), "{}", refused.text());
    for bearer in [None, Some("x")] {
        assert_eq!(ask("localhost", bearer).await.status, 401);
    }
    // A page at a foreign name is refused, whatever its credentials are.
    assert_eq!(ask("evil.example", Some(e.emulator.administrator())).await.status, 421);
}

#[test]
fn an_emulator_in_the_background_writes_its_access_log() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "list"]);
    cli.ok(&["app", "list"]);
    let shown = eventually_now("the log has both lists", || {
        let shown = cli.ok(&["emulator", "logs", "--access"]);
        (shown.matches("/v1/app\"").count() >= 2).then_some(shown)
    });
    assert!(shown.contains("\"door\":\"api\""), "{shown}");
    let path = cli.state_dir().join("access.log");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    cli.ok(&["emulator", "stop"]);

    // Elsewhere, beginning where the command was called.
    std::fs::remove_file(&path).unwrap();
    cli.ok(&["emulator", "start", "--detach", "--access-log", "here.log"]);
    cli.ok(&["app", "list"]);
    eventually_now("it is shown from there", || {
        cli.ok(&["emulator", "logs", "--access"]).contains("/v1/app\"").then_some(())
    });
    cli.ok(&["emulator", "stop"]);
    let here = std::fs::read_to_string(cli.home().join("here.log")).unwrap();
    assert!(here.contains("/v1/app\"") && !path.exists(), "{here}");
    let (_, said) = cli.fails(&["emulator", "logs", "--access"]);
    assert!(said.contains("--access-log"), "{said}");

    // Off, and by the environment as by the option.
    let start = || cli.command(&["emulator", "start", "--detach"]);
    assert!(start().env("OVHAI_ACCESS_LOG", "off").output().unwrap().status.success());
    cli.ok(&["app", "list"]);
    let (code, said) = cli.fails(&["emulator", "logs", "--access"]);
    assert!(code == 3 && said.contains("writes no access log"), "{code}: {said}");
    cli.ok(&["emulator", "stop"]);
    assert!(!path.exists());
    let (code, said) = cli.fails(&["emulator", "start", "--access-log", "not/there/access.log"]);
    assert!(code == 1 && said.contains("not/there/access.log"), "{code}: {said}");
    assert!(said.contains("--access-log off"), "{said}");
}

/// Domain time an hour ahead of real time, once it was moved.
struct Movable(AtomicBool);

impl Clock for Movable {
    fn now(&self) -> Timestamp {
        self.moved().unwrap_or_else(|| self.real_time())
    }

    fn moved(&self) -> Option<Timestamp> {
        let hour = Duration::from_hours(1);
        self.0.load(Ordering::SeqCst).then(|| self.real_time() + hour)
    }
}

/// The log has real time, and domain time while the two differ.
#[tokio::test]
async fn log_lines_have_domain_time_while_it_differs() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("access.log");
    let clock = Arc::new(Movable(AtomicBool::new(false)));
    let builder = TestEmulator::builder()
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .access_log(AccessLog::Path(log.clone()));
    let e = TestEmulator { emulator: builder.start().await.unwrap(), sim: None };
    e.send(get("localhost", "/before", &[])).await;
    // The line comes after the answer.
    let line = lines_of(&log, "/before", 1).await.remove(0);
    assert_eq!(line["domainTime"], Value::Null);
    clock.0.store(true, Ordering::SeqCst);
    e.send(get("localhost", "/moved", &[])).await;
    let line = lines_of(&log, "/moved", 1).await.remove(0);
    let time = |name: &str| line[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    let ahead = time("domainTime").duration_since(time("time")).as_secs();
    assert!((3599..=3600).contains(&ahead), "{line}");
    // Apps use domain time; their logs and the API show both.
    let app = e.run_app(&[], json!({"image": "ovhai/echo"})).await;
    assert!(app.created_at > Timestamp::now() + Duration::from_mins(59));
    let answer = e.admin("GET", &format!("/v1/app/{}/log?timestamps=true", app.id), None).await;
    assert!(answer.headers.contains_key("x-ovhai-domain-time"), "{:?}", answer.headers);
    let log = answer.text();
    let (time, rest) = log.split_once(" domainTime=").unwrap_or_else(|| panic!("{log}"));
    let (moved, rest) = rest.split_once(' ').unwrap();
    let [time, moved] = [time, moved].map(|text| text.parse::<Timestamp>().unwrap());
    let ahead = moved.duration_since(time).as_secs();
    assert!((3599..=3600).contains(&ahead) && rest.starts_with("ovhai/echo listens"), "{log}");
}
