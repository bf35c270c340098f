//! Refusals that pages of other origins can read.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_api_types::App;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::raw::Client;
use ovhai_test_support::{Answer, TestEmulator, Upstream, http2};
use serde_json::json;

const PAGE: &str = "http://ui.example";

async fn ask(e: &TestEmulator, app: &App, method: &str, more: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri("/data");
    request = request.header("host", TestEmulator::host(app));
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    e.send(request.body(Full::new(Bytes::new())).unwrap()).await
}

fn expect_readable(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), PAGE);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert_eq!(answer.header("vary"), "Origin");
    let exposed = answer.header("access-control-expose-headers");
    assert_eq!(exposed, "WWW-Authenticate, Retry-After, X-Request-Id");
}

#[tokio::test]
async fn a_page_can_read_the_reason_of_a_refusal() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[("group", "A")], json!({})).await;
    let other = e.token("GRA", "read", Some("group=B")).await.status.value.unwrap();
    let other = format!("Bearer {other}");
    for (bearer, status) in [("", 401), ("Bearer x", 401), (other.as_str(), 403)] {
        let given = [("origin", PAGE), ("authorization", bearer)];
        let given = if bearer.is_empty() { &given[..1] } else { &given };
        let answer = ask(&e, &app, "GET", given).await;
        assert_eq!(answer.status, status);
        expect_readable(&answer);
    }
    // With its own bearer a page can read the reason, with the browser's cookies it can't.
    let own = [("origin", PAGE), ("authorization", other.as_str())];
    assert!(ask(&e, &app, "GET", &own).await.text().contains("group=B"));
    let ambient = [&own[..], &[("cookie", "a=1")]].concat();
    let answer = ask(&e, &app, "GET", &ambient).await;
    expect_readable(&answer);
    assert_eq!((answer.status.as_u16(), answer.json()), (403, json!({"message": "forbidden"})));
    assert!(!answer.header("www-authenticate").contains("group"), "{:?}", answer.headers);

    let own_origin = format!("http://{}", TestEmulator::host(&app));
    for given in [&[][..], &[("origin", own_origin.as_str())]] {
        let answer = ask(&e, &app, "GET", given).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("access-control-allow-origin"), "", "{given:?}");
    }
}

#[tokio::test]
async fn a_page_can_read_a_gateway_error() {
    let broken = Upstream::answering_once(b"rubbish\r\n\r\n").await;
    let e = TestEmulator::with_apps_at(broken.address()).await;
    let app = e.run_app(&[], json!({})).await;
    let bearer = format!("Bearer {}", e.emulator.administrator());
    let given = [("origin", PAGE), ("authorization", bearer.as_str())];
    let answer = ask(&e, &app, "GET", &given).await;
    assert!(answer.status == 502 && answer.text().contains("not HTTP"), "{}", answer.text());
    expect_readable(&answer);

    let client = http2::Client::connect(&e).await;
    let second = http2::request("GET", &TestEmulator::host(&app), "/data")
        .header("origin", PAGE)
        .header("authorization", &bearer);
    let answer = client.send(second.body(http2::empty()).unwrap()).await;
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.headers()["access-control-allow-origin"], PAGE);

    // The origin of an incomplete request is unknown.
    let mut client = Client::connect(&e).await;
    let long = "x".repeat(64 * 1024);
    client.send(format!("GET /{long} HTTP/1.1\r\n")).await;
    let got = client.answer().await;
    assert_eq!((got.status(), got.header("access-control-allow-origin")), (414, Some("*")));

    let missing =
        format!("00000000-0000-0000-0000-000000000000{}", &TestEmulator::host(&app)[36..]);
    let request = Request::get("/").header("host", missing).header("origin", PAGE);
    let answer = e.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (404, json!({"message": "there is no such app"}))
    );
    expect_readable(&answer);
}

/// The app decides which pages read its answers, whatever their status is.
#[tokio::test]
async fn cors_headers_of_an_app_are_not_changed() {
    let app = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    let upstream = Upstream::answering(app).await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let answer = ask(&e, &app, "GET", &[("origin", PAGE)]).await;
    assert_eq!(answer.status, 503);
    for name in ["access-control-allow-origin", "access-control-expose-headers", "vary"] {
        assert_eq!(answer.header(name), "", "{name}");
    }
}

/// The request that follows gets the refusal, which the page can read.
#[tokio::test]
async fn preflights_of_stopped_apps_are_granted() {
    let e = TestEmulator::with_sim(SimRuntime::step_by_step()).await;
    let app = e.submit(&[], json!({})).await;
    let preflight = [
        ("origin", PAGE),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "authorization,x-own"),
    ];
    let answer = ask(&e, &app, "OPTIONS", &preflight).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", PAGE),
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-headers", "authorization,x-own"),
        ("access-control-max-age", "0"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let bearer = format!("Bearer {}", e.emulator.administrator());
    let answer = ask(&e, &app, "PUT", &[("origin", PAGE), ("authorization", &bearer)]).await;
    assert_eq!(answer.status, 503);
    expect_readable(&answer);
    assert!(!answer.header("retry-after").is_empty());

    // An app that asks for no bearer may run by then, and rely on what it refuses itself.
    let open = e.submit(&[], json!({"unsecureHttp": true})).await;
    assert_eq!(ask(&e, &open, "OPTIONS", &preflight).await.status, 503);
}
