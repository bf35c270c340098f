//! `ovhai emulator requests`, `ovhai app requests`, and the records behind them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_api_types::{App, RequestList, RequestRecord};
use ovhai_test_support::{Answer, TestCli, TestEmulator, eventually, eventually_now};
use serde_json::{Value, json};

use crate::OVHAI;

async fn ask(e: &TestEmulator, bearer: Option<&str>, query: &str) -> Answer {
    let mut request =
        Request::get(format!("/_emulator/requests?{query}")).header("host", "localhost");
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    e.send(request.body(Full::default()).unwrap()).await
}

async fn list(e: &TestEmulator, bearer: &str, query: &str) -> RequestList {
    let answer = ask(e, Some(bearer), query).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

async fn get(e: &TestEmulator, app: &App, path: &str, bearer: Option<&str>) -> u16 {
    let mut request = Request::get(path).header("host", TestEmulator::host(app));
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    e.send(request.body(Full::<Bytes>::default()).unwrap()).await.status.as_u16()
}

/// A token's id and string.
async fn token(
    e: &TestEmulator,
    region: &str,
    name: &str,
    role: &str,
    selector: Option<&str>,
) -> (String, String) {
    let mut spec = json!({"name": name, "role": role});
    if let Some(selector) = selector {
        spec["labelSelector"] = json!(selector);
    }
    let admin = e.emulator.administrator();
    let made = e.call(region, admin, "POST", "/v1/token", Some(spec)).await.json();
    let of = |value: &Value| value.as_str().unwrap().to_owned();
    (of(&made["id"]), of(&made["status"]["value"]))
}

fn paths(list: &RequestList) -> Vec<&str> {
    list.items.iter().map(|item| item.path.as_str()).collect()
}

fn at<'a>(list: &'a RequestList, path: &str) -> &'a RequestRecord {
    list.items.iter().find(|item| item.path == path).unwrap_or_else(|| panic!("{path}: {list:?}"))
}

/// There is no access log here, and no state directory.
#[tokio::test]
async fn callers_see_requests_to_their_apps_without_names_of_other_callers() {
    let e = TestEmulator::start().await;
    let app = |name: &str| json!({"image": "ovhai/echo", "name": name, "cpu": 1});
    let (a, b) = (
        e.run_app(&[("g", "A")], app("first")).await,
        e.run_app(&[("g", "B")], app("second")).await,
    );
    let (reader_id, reader) = token(&e, "GRA", "reader", "read", Some("g=A")).await;
    let (_, other) = token(&e, "GRA", "stranger", "read", Some("g=B")).await;
    let (_, scoped) = token(&e, "GRA", "scoped", "operator", Some("g=A")).await;
    let (_, unscoped) = token(&e, "GRA", "unscoped", "operator", None).await;
    let (_, elsewhere) = token(&e, "BHS", "elsewhere", "operator", None).await;
    let admin = e.emulator.administrator().to_owned();
    for (app, path, bearer, status) in [
        (&a, "/one?secret=1", Some(&reader), 200),
        (&a, "/nobody", None, 401),
        (&a, "/outside", Some(&other), 403),
        (&a, "/mine", Some(&scoped), 200),
        (&b, "/second", Some(&other), 200),
        (&a, "/owner", Some(&admin), 200),
    ] {
        assert_eq!(get(&e, app, path, bearer.map(String::as_str)).await, status, "{path}");
    }
    let all = eventually("six requests", || async {
        Some(list(&e, &admin, "").await).filter(|all| all.items.len() == 6)
    })
    .await;
    let one = at(&all, "/one");
    assert_eq!(
        (one.token_name.as_deref(), one.app_name.as_deref()),
        (Some("reader"), Some("first"))
    );
    assert_eq!((one.status, one.region.as_ref().unwrap().as_str()), (200, "GRA"));
    assert!(one.client.is_some() && one.upstream_micros.is_some() && !one.withheld, "{one:?}");
    assert_eq!(at(&all, "/owner").user.as_deref(), Some("local"));
    assert_eq!(at(&all, "/nobody").decision.as_deref(), Some("unauthenticated"));
    let refused = at(&all, "/outside");
    assert!(refused.reason.as_ref().unwrap().contains("selector g=B"), "{refused:?}");

    // Filters, on the server.
    let query = async |query: &str| list(&e, &admin, query).await;
    let mut denied = paths(&query("denied=true").await).join(" ");
    assert!(denied.contains("/nobody") && denied.contains("/outside"), "{denied}");
    denied.retain(|c| c == '/');
    assert_eq!(denied.len(), 2);
    assert_eq!(paths(&query(&format!("app={}", b.id)).await), ["/second"]);
    assert_eq!(paths(&query(&format!("token={reader_id}")).await), ["/one"]);
    assert_eq!(paths(&query("region=BHS").await), [""; 0]);
    assert_eq!(paths(&query("since=99999999999").await), [""; 0]);
    assert_eq!(query("count=2").await.items, all.items[4..]);
    let begin = query("count=1000").await;
    assert_eq!(get(&e, &a, "/later", Some(&reader)).await, 200);
    eventually("the later one comes behind the cursor", || async {
        let page = list(&e, &admin, &format!("after={}", begin.next)).await;
        (paths(&page) == ["/later"] && page.lost == 0).then_some(())
    })
    .await;
    // Calls of the API are listed on demand.
    let calls = query("all=true&count=1000").await;
    assert!(calls.items.iter().any(|item| item.path == "/v1/token" && item.app.is_none()));
    assert!(calls.items.iter().all(|item| item.path != "/_emulator/requests"));

    // A scoped operator: its apps, and of their callers itself.
    let answer = ask(&e, Some(&scoped), "all=true&count=1000").await.text();
    for hidden in [&reader_id, "reader", "stranger", "g=B", "/second", "127.0.0.1", "local\""] {
        assert!(
            answer.matches(hidden).count() == usize::from(hidden == "127.0.0.1"),
            "{hidden}: {answer}"
        );
    }
    let own: RequestList = serde_json::from_str(&answer).unwrap();
    assert_eq!(at(&own, "/mine").token_name.as_deref(), Some("scoped"));
    assert!(at(&own, "/one").withheld && !at(&own, "/mine").withheld);
    assert_eq!(at(&own, "/outside").decision.as_deref(), Some("out_of_scope"));
    assert!(own.items.iter().all(|item| item.app == Some(a.id)), "{own:?}");
    // Its cursor counts, and can't be read: all positions look alike.
    let (first, second) = (own.next, list(&e, &scoped, "").await.next);
    assert!(first != second && first.len() == second.len(), "{first} {second}");
    let by_reader = list(&e, &scoped, &format!("token={reader_id}")).await;
    assert_eq!(by_reader.items, [], "or it would know whose they are");

    let named = list(&e, &unscoped, "all=true").await;
    assert_eq!(at(&named, "/one").token_name.as_deref(), Some("reader"));
    assert!(named.items.iter().all(|item| item.app.is_some()), "{named:?}");
    assert_eq!(list(&e, &elsewhere, "all=true").await.items, []);
    let denied = ask(&e, Some(&reader), "").await;
    assert!(denied.status == 403 && denied.text().contains("see requests"), "{}", denied.text());
    assert_eq!(ask(&e, None, "").await.status, 401);
    for (bad, field) in [
        ("count=0", "count"),
        ("count=1001", "count"),
        ("app=x", "app"),
        ("token=x", "token"),
        ("after=x", "after"),
        ("region=x", "region"),
        ("denied=perhaps", "denied"),
    ] {
        let answer = ask(&e, Some(&admin), bad).await;
        assert!(answer.status == 400 && answer.text().contains(field), "{bad}: {}", answer.text());
    }

    // Only the owner sees requests to a deleted app.
    assert_eq!(e.admin("DELETE", &format!("/v1/app/{}?force=true", a.id), None).await.status, 204);
    eventually("its name is gone", || async {
        let all = list(&e, &admin, "").await;
        at(&all, "/one").app_name.is_none().then_some(())
    })
    .await;
    assert_eq!(list(&e, &scoped, "").await.items, []);
}

#[test]
fn the_command_line_lists_requests_with_app_names() {
    let cli = TestCli::new(OVHAI);
    let (code, said) = cli.fails(&["emulator", "requests"]);
    assert!(code == 3 && said.contains("ovhai emulator start --detach"), "{said}");
    assert!(!cli.state_dir().join("ovhai.db").exists(), "nothing is started to look");
    cli.ok(&["emulator", "start", "--detach", "--access-log", "off"]);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "fa", "-l", "g=a", "--cpu", "1", "--wait"]);
    let reader = cli.json(&["token", "new", "reader", "--selector", "g=a", "--role", "read"]);
    cli.ok(&["token", "new", "wrong", "--selector", "g=b", "--role", "read"]);
    let op = cli.json(&["token", "new", "op", "--selector", "g=a", "--role", "operator"]);
    let value = |token: &Value| token["status"]["value"].as_str().unwrap().to_owned();
    cli.ok(&["app", "curl", "fa", "/good"]);
    cli.ok(&["app", "curl", "fa", "/bad", "--as", "wrong"]);

    let shown = eventually_now("both are seen", || {
        let shown = cli.ok(&["emulator", "requests"]);
        (shown.contains("/good") && shown.contains("/bad")).then_some(shown)
    });
    let row = |path: &str| shown.lines().find(|line| line.contains(path)).unwrap();
    for part in ["fa", "reader", "GET", "200", "allowed"] {
        assert!(row("/good").contains(part), "{part}: {shown}");
    }
    for part in ["wrong", "403", "outside the token's selector g=b"] {
        assert!(row("/bad").contains(part), "{part}: {shown}");
    }
    let denied = cli.ok(&["emulator", "requests", "--denied", "--app", "fa"]);
    assert!(denied.contains("/bad") && !denied.contains("/good"), "{denied}");
    let alias = cli.json(&["app", "requests", "fa", "--token", "reader"]);
    assert_eq!(alias.as_array().map(Vec::len), Some(1), "{alias}");
    assert_eq!((&alias[0]["tokenName"], &alias[0]["appName"]), (&json!("reader"), &json!("fa")));
    let last = cli.json(&["emulator", "requests", "-n", "1", "--since", "1h"]);
    assert_eq!(last[0]["path"], "/bad");
    let all = cli.ok(&["emulator", "requests", "--all"]);
    assert!(all.contains("(API)") && all.contains("/v1/token"), "{all}");

    // The caller is another option, before the command or behind it.
    let as_op = cli.json(&["emulator", "requests", "--caller-token", &value(&op)]);
    assert_eq!(as_op[0]["withheld"], true, "{as_op}");
    assert_eq!(cli.json(&["--token", &value(&op), "emulator", "requests"]), as_op);
    let (code, said) = cli.fails(&["app", "requests", "fa", "--token", &value(&reader)]);
    assert!(code == 2 && said.contains("--caller-token"), "{said}");
    let (code, said) = cli.fails(&["emulator", "requests", "--caller-token", &value(&reader)]);
    assert!(code == 4 && said.contains("see requests"), "{said}");
    assert_eq!(cli.fails(&["emulator", "requests", "--token", "none-such"]).0, 3);

    let metrics = cli.ok(&["emulator", "metrics"]);
    assert!(metrics.contains(",name=\"fa\",code=\"403\"} 1\n"), "{metrics}");

    // An endpoint does not keep them.
    let address = cli.json(&["emulator", "status"])["address"].as_str().unwrap().to_owned();
    cli.ok(&["config", "add", "far", &format!("{address}/regions/GRA")]);
    let (code, said) =
        cli.fails(&["--region", "far", "--token", &value(&op), "app", "requests", "fa"]);
    assert!(code == 1 && said.contains("it is not the local emulator"), "{said}");
}

#[test]
fn requests_are_followed() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "fa", "--cpu", "1", "--wait"]);
    cli.ok(&["app", "curl", "fa", "/before"]);
    let mut child = Command::new(OVHAI)
        .args(["app", "requests", "fa", "--follow", "-o", "json"])
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next =
        || -> RequestRecord { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next().path, "/before");
    for path in ["/one", "/two"] {
        cli.ok(&["app", "curl", "fa", path]);
        let record = next();
        assert_eq!((record.path.as_str(), record.user.as_deref()), (path, Some("tester")));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
