//! The emulator's clock, and interruptions, by command line and over HTTP.

use http::Request;
use http_body_util::Full;
use ovhai_test_support::{TestCli, TestEmulator};
use serde_json::{Value, json};

use crate::OVHAI;

fn shown(cli: &TestCli, arguments: &[&str]) -> Value {
    serde_json::from_str(&cli.ok(&[arguments, &["-o", "json"]].concat())).unwrap()
}

#[test]
fn a_frozen_clock_is_advanced_and_goes_on() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--cpu", "1", "--wait"]);
    let begun = shown(&cli, &["emulator", "clock", "show"]);
    assert_eq!((&begun["frozen"], &begun["moved"]), (&json!(false), &json!(false)));
    let status = shown(&cli, &["emulator", "status"]);
    assert!(status.get("domainTime").is_none());

    let frozen = shown(&cli, &["emulator", "clock", "freeze"]);
    let moved = shown(&cli, &["emulator", "clock", "advance", "7d"]);
    let time = |value: &Value| value["domainTime"].as_str().unwrap().parse::<jiff::Timestamp>();
    let week = jiff::SignedDuration::from_hours(7 * 24);
    assert_eq!(time(&moved).unwrap().duration_since(time(&frozen).unwrap()), week);
    let status = shown(&cli, &["emulator", "status"]);
    assert_eq!(status["domainTime"], moved["domainTime"]);
    assert!(cli.ok(&["app", "list"]).contains("7d"), "ages follow the clock");

    // Stored: the next emulator has the same time.
    cli.ok(&["emulator", "stop"]);
    let again = shown(&cli, &["emulator", "clock", "show"]);
    assert_eq!((&again["domainTime"], &again["frozen"]), (&moved["domainTime"], &json!(true)));
    let resumed = shown(&cli, &["emulator", "clock", "resume"]);
    assert_eq!((&resumed["frozen"], &resumed["moved"]), (&json!(false), &json!(true)));

    let (_, error) = cli.fails(&["emulator", "clock", "set", "2020-01-01T00:00:00Z"]);
    assert!(error.contains("never goes backward"), "{error}");
    let (_, error) = cli.fails(&["emulator", "clock", "advance", "600w"]);
    assert!(error.contains("at most 10 years"), "{error}");
}

#[test]
fn apps_are_interrupted_weekly_where_that_was_asked_for() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["emulator", "start", "--detach", "--weekly-restarts"]);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--cpu", "1", "--wait"]);
    cli.ok(&["emulator", "clock", "freeze"]);
    cli.ok(&["emulator", "clock", "advance", "15d"]);
    let app = shown(&cli, &["app", "get", "e"]);
    let history = app["status"]["history"].as_array().unwrap();
    let starts = history.iter().filter(|entry| entry["state"] == "INITIALIZING").count();
    assert_eq!((starts, &app["status"]["state"]), (1 + 2, &json!("RUNNING")));

    let (_, error) = cli.fails(&["emulator", "interrupt", "unknown"]);
    assert!(error.contains("unknown"), "{error}");
    cli.ok(&["emulator", "interrupt", "e"]);
    cli.ok(&["app", "wait", "e"]);
    let app = shown(&cli, &["app", "get", "e"]);
    assert_eq!(app["status"]["restarts"], 0);
    cli.ok(&["app", "stop", "e", "--wait"]);
    let (_, error) = cli.fails(&["emulator", "interrupt", "e"]);
    assert!(error.contains("STOPPED"), "{error}");
}

#[tokio::test]
async fn own_answers_have_domain_time_while_it_is_moved() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"name": "a"})).await;
    let name = "x-ovhai-domain-time";
    let administrator = e.emulator.administrator().to_owned();
    let list = e.admin("GET", "/v1/app", None).await;
    assert!(!list.headers.contains_key(name));
    let frozen = e.call_local("PUT", "/_emulator/clock", Some(json!({"frozen": true}))).await;
    let time = frozen.json()["domainTime"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let time = format!("{time:.3}");
    for own in [
        e.admin("GET", "/v1/app", None).await,
        e.call_local("GET", "/_emulator/health", None).await,
        e.query(&app, None).await,
    ] {
        assert_eq!(own.header(name), time, "{}", own.status);
    }
    let of_app = e.query(&app, Some(&administrator)).await;
    assert_eq!((of_app.status.as_u16(), of_app.headers.contains_key(name)), (200, false));

    let token = e.token("GRA", "operator", None).await;
    let token = token.status.value.unwrap();
    for (method, path, body) in [
        ("GET", "/_emulator/clock".to_owned(), None),
        ("PUT", "/_emulator/clock".to_owned(), Some(json!({"frozen": false}))),
        ("POST", "/_emulator/clock/advance".to_owned(), Some(json!({"byMillis": 1}))),
        ("POST", format!("/_emulator/apps/{}/interrupt", app.id), None),
    ] {
        let request = Request::builder().method(method).uri(&path).header("host", "localhost");
        let request = request.header("authorization", format!("Bearer {token}"));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = e.send(request.body(Full::new(body.into())).unwrap()).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    let both = json!({"byMillis": 1, "to": time});
    let answer = e.call_local("POST", "/_emulator/clock/advance", Some(both)).await;
    assert_eq!(answer.status, 400);
}
