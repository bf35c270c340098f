//! Exact numbers of requests, for tests that assert them.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_api_types::{App, RequestTotals};
use ovhai_test_support::raw::Client;
use ovhai_test_support::{Answer, TestCli, TestEmulator};
use serde_json::json;

use crate::OVHAI;

async fn call(e: &TestEmulator, method: &str, bearer: &str, query: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/_emulator/requests/totals?{query}"))
        .header("host", "localhost")
        .header("authorization", format!("Bearer {bearer}"));
    e.send(request.body(Full::default()).unwrap()).await
}

async fn totals(e: &TestEmulator, bearer: &str, query: &str) -> RequestTotals {
    let answer = call(e, "GET", bearer, query).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

async fn get(e: &TestEmulator, app: &App, bearer: &str) -> u16 {
    let request = Request::get("/").header("host", TestEmulator::host(app));
    let request = request.header("authorization", format!("Bearer {bearer}"));
    e.send(request.body(Full::<Bytes>::default()).unwrap()).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_is_refused_because_of_the_selector() {
    let e = TestEmulator::start().await;
    let admin = e.emulator.administrator();
    let (a, b) = (
        e.run_app(&[("group", "A")], json!({"name": "a"})).await,
        e.run_app(&[("group", "B")], json!({"name": "b"})).await,
    );
    let reader = e.token("GRA", "read", Some("group=A")).await;
    let value = reader.status.value.as_deref().unwrap();
    assert_eq!(get(&e, &a, value).await, 200);
    assert_eq!(get(&e, &a, value).await, 200);
    assert_eq!(get(&e, &b, value).await, 403);
    assert_eq!(get(&e, &b, "rubbish").await, 401);
    let all = totals(&e, admin, "").await;
    assert_eq!((all.total, all.denied, all.overflow, all.under_way), (4, 2, 0, 0));
    let one = totals(&e, admin, &format!("token={}&denied=true", reader.id)).await;
    assert_eq!((one.total, one.denied, one.items.len()), (1, 1, 1));
    let item = &one.items[0];
    assert_eq!((item.app, item.app_name.as_deref()), (Some(b.id), Some("b")));
    assert_eq!((item.decision.as_deref(), item.status), (Some("out_of_scope"), 403));
    assert_eq!((item.refused.as_deref(), item.count), (Some("forbidden"), 1));
    assert_eq!((item.caller.as_str(), item.token), ("token", Some(reader.id)));
    let of_a = totals(&e, admin, &format!("app={}", a.id)).await;
    assert_eq!((of_a.total, of_a.items.len()), (2, 1));
    assert_eq!(of_a.items[0].decision.as_deref(), Some("allowed"));
    // Calls of the API are numbers of their own; reading numbers is none.
    let calls = totals(&e, admin, "all=true").await;
    assert!(calls.total > all.total, "{calls:?}");
    assert_eq!(totals(&e, admin, "all=true").await.total, calls.total);

    assert_eq!(call(&e, "DELETE", value, "").await.status, 403);
    let operator = e.token("GRA", "operator", None).await.status.value.unwrap();
    assert_eq!(call(&e, "DELETE", &operator, "").await.status, 403);
    assert_eq!(call(&e, "DELETE", "rubbish", "").await.status, 401);
    assert_eq!(totals(&e, admin, "").await.total, 4);
    assert_eq!(call(&e, "DELETE", admin, "").await.status, 204);
    let anew = totals(&e, admin, "").await;
    assert!(anew.total == 0 && anew.items.is_empty() && anew.since > all.since, "{anew:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_sees_the_numbers_of_its_apps() {
    let e = TestEmulator::start().await;
    let (a, b) = (e.run_app(&[("group", "A")], json!({})).await, e.run_app(&[], json!({})).await);
    let reader = e.token("GRA", "read", None).await.status.value.unwrap();
    let other = e.token("GRA", "read", None).await.status.value.unwrap();
    for (app, bearer) in [(&a, &reader), (&a, &other), (&b, &reader)] {
        assert_eq!(get(&e, app, bearer).await, 200);
    }
    assert_eq!(call(&e, "GET", &reader, "").await.status, 403);
    let scoped = e.token("GRA", "operator", Some("group=A")).await;
    let seen = totals(&e, scoped.status.value.as_deref().unwrap(), "").await;
    assert_eq!((seen.total, seen.items.len()), (2, 1), "{seen:?}");
    assert_eq!((seen.items[0].caller.as_str(), seen.items[0].token), ("withheld", None));
    let unscoped = e.token("GRA", "operator", None).await.status.value.unwrap();
    assert_eq!(totals(&e, &unscoped, "").await.items.len(), 3);
}

/// More than the emulator keeps records of, and each number at once after its response.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_exact() {
    const MANY: u64 = 6000;
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let admin = e.emulator.administrator().to_owned();
    let request = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", TestEmulator::host(&app));
    let mut client = Client::connect(&e).await;
    for n in 1..=MANY {
        client.send(&request).await;
        assert_eq!(client.answer().await.status(), 200);
        if n % 100 == 0 {
            assert_eq!(totals(&e, &admin, "").await.total, n);
        }
    }
    let all = totals(&e, &admin, "").await;
    assert_eq!((all.items.len(), all.items[0].count), (1, MANY));
    assert_eq!(all.items[0].decision.as_deref(), Some("public"));
}

#[test]
fn numbers_on_the_command_line() {
    let cli = TestCli::with_echo(OVHAI);
    cli.ok(&["app", "curl", "e"]);
    cli.ok(&["app", "curl", "e"]);
    let totals = cli.json(&["emulator", "requests", "--totals", "--app", "e"]);
    assert_eq!((&totals["total"], &totals["denied"]), (&json!(2), &json!(0)), "{totals}");
    assert_eq!(totals["items"][0]["appName"], "e");
    assert_eq!(cli.json(&["app", "requests", "e", "--totals"])["total"], 2);
    let table = cli.ok(&["emulator", "requests", "--totals"]);
    assert!(table.starts_with("APP") && table.contains("public"), "{table}");
    cli.ok(&["emulator", "requests", "--reset"]);
    assert_eq!(cli.json(&["emulator", "requests", "--totals"])["total"], 0);
    assert_eq!(cli.fails(&["emulator", "requests", "--totals", "--follow"]).0, 2);
    assert_eq!(cli.fails(&["emulator", "requests", "--reset", "--denied"]).0, 2);
}
