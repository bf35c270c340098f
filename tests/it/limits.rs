//! Limits of new input and of answers, and records stored before there were limits.

use ovhai_test_support::{TestCli, TestEmulator, eventually};
use serde_json::{Value, json};

use crate::OVHAI;

#[tokio::test]
async fn new_selectors_and_labels_have_limits() {
    let e = TestEmulator::start().await;
    let terms = |count: usize| {
        let terms: Vec<String> = (0..count).map(|number| format!("k{number}!=v")).collect();
        terms.join(",")
    };
    let token = |selector: String| {
        let spec = json!({"name": "t", "role": "read", "labelSelector": selector});
        e.admin("POST", "/v1/token", Some(spec))
    };
    assert_eq!(token(terms(64)).await.status, 200);
    for (bad, why) in [
        (terms(65), "a selector has 64 terms at most, this one has 65"),
        (format!("k=v{}", " ".repeat(4096)), "a selector has 4096 bytes at most"),
    ] {
        let refused = token(bad.clone()).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains(&format!("labelSelector: {why}")), "{}", refused.text());
        let query = bad.replace('=', "%3D").replace('!', "%21").replace(' ', "+");
        let refused = e.admin("GET", &format!("/v1/app?labelSelector={query}"), None).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains(why), "{}", refused.text());
    }

    let labels = |count: usize| -> Value {
        (0..count).map(|number| (format!("l{number}"), json!("v"))).collect()
    };
    let submit = |count| {
        e.admin("POST", "/v1/app", Some(json!({"image": "ovhai/echo", "labels": labels(count)})))
    };
    let refused = submit(101).await;
    assert_eq!(refused.status, 400);
    let said = "labels: an app has 100 labels at most, this one would have 101";
    assert!(refused.text().contains(said), "{}", refused.text());
    let app = submit(100).await;
    assert_eq!(app.status, 200);
    let path = format!("/v1/app/{}/label", app.json()["id"].as_str().unwrap());
    let label = |name: &str, value: Value| {
        e.admin("PUT", &path, Some(json!({"name": name, "value": value})))
    };
    let refused = label("one-more", json!("v")).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("an app has 100 labels at most"), "{}", refused.text());
    assert_eq!(label("l0", json!("another")).await.status, 204);
    assert_eq!(label("l0", Value::Null).await.status, 204);
    assert_eq!(label("one-more", json!("v")).await.status, 204);
}

/// A database of 28 November 2026: apps with 150 labels, tokens with selectors of 60 KB, users.
#[tokio::test]
async fn records_beyond_the_limits_continue_to_work() {
    let dir = tempfile::tempdir().unwrap();
    let stored = include_bytes!("../fixtures/before-input-limits.db");
    std::fs::write(dir.path().join("ovhai.db"), stored).unwrap();
    let start = || TestEmulator::builder().state_dir(dir.path()).start();
    for round in 0..2 {
        let e = TestEmulator { emulator: start().await.unwrap(), sim: None };
        let apps = e.admin("GET", "/v1/app?sort=name", None).await.json();
        let app: ovhai_api_types::App = serde_json::from_value(apps["items"][0].clone()).unwrap();
        assert_eq!(
            (app.spec.name.as_deref(), app.spec.labels.as_ref().unwrap().len()),
            (Some("labelled"), 153)
        );
        let app = e.wait(&app, "RUNNING").await;
        let tokens = e.admin("GET", "/v1/token", None).await.json();
        let tokens = tokens["items"].as_array().unwrap();
        let large = |token: &&Value| {
            token["spec"]["labelSelector"].as_str().is_some_and(|s| s.len() > 60_000)
        };
        let large: Vec<&Value> = tokens.iter().filter(large).collect();
        assert_eq!((tokens.len(), large.len()), (3, 2));
        for token in large {
            // Its tokens keep their access, also after a renewal, and gain none.
            let renew = format!("/v1/token/{}/renew", token["id"].as_str().unwrap());
            let renewed = e.admin("POST", &renew, None).await.json();
            let value = renewed["status"]["value"].as_str().unwrap();
            assert_eq!(e.query(&app, Some(value)).await.status, 200);
            let other: ovhai_api_types::App =
                serde_json::from_value(apps["items"][1].clone()).unwrap();
            let other = e.wait(&other, "RUNNING").await;
            assert_eq!(e.query(&other, Some(value)).await.status, 403);
            if token["spec"]["role"].as_str().unwrap().contains("operator") {
                let seen =
                    e.call("GRA", value, "GET", "/v1/app?labelSelector=group%3DA", None).await;
                assert_eq!(seen.json()["items"].as_array().unwrap().len(), 1);
            }
        }
        let path = format!("/v1/app/{}/label", app.id);
        let label = |name: &str, value: &str| {
            e.admin("PUT", &path, Some(json!({"name": name, "value": value})))
        };
        assert_eq!(label("label-000", &format!("v{round}")).await.status, 204);
        assert_eq!(label("one-more", "v").await.status, 400);
        let form = "grant_type=password&username=ann&password=correct+horse+battery";
        eventually("ann logs in", || async {
            (e.form("/oauth2/token", form).await.status == 200).then_some(())
        })
        .await;
        e.emulator.shutdown().await;
    }
}

#[tokio::test]
async fn a_head_request_for_a_long_list_has_no_wrong_length() {
    let e = TestEmulator::start().await;
    let long = "x".repeat(70_000);
    let spec = json!({"image": "ovhai/echo", "envVars": [{"name": "A", "value": long}]});
    e.submit(&[], spec).await;
    let long = e.admin("GET", "/v1/app", None).await;
    assert!(long.body.len() > 70_000 && !long.headers.contains_key("content-length"));
    let head = e.admin("HEAD", "/v1/app", None).await;
    assert_eq!((head.status.as_u16(), head.headers.get("content-length")), (200, None));
    let short = e.admin("HEAD", "/v1/token", None).await;
    assert!(short.headers.contains_key("content-length"));
}

#[tokio::test]
async fn access_explanations_are_paged() {
    let e = TestEmulator::start().await;
    let ask = |question: Value| e.call_local("POST", "/_emulator/access", Some(question));
    let refused = ask(json!({"region": "GRA"})).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("app: name an app, a token or a token's value"),
        "{}",
        refused.text()
    );
    let app = e.submit(&[("group", "A")], json!({})).await;
    for _ in 0..101 {
        e.token("GRA", "read", Some("group=A")).await;
    }
    let page = |page: u32| ask(json!({"region": "GRA", "app": app.id, "page": page}));
    let lengths = [page(1).await, page(2).await, page(3).await]
        .map(|page| page.json().as_array().unwrap().len());
    assert_eq!(lengths, [100, 1, 0]);
    let first = ask(json!({"region": "GRA", "app": app.id})).await.json();
    assert_eq!(first, page(1).await.json());
    assert_eq!(page(0).await.status, 400);
}

/// The command reads all pages.
#[test]
fn app_access_shows_all_tokens() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "-n", "one"]);
    for number in 0..101 {
        cli.ok(&["token", "new", &format!("t{number}"), "--role", "read"]);
    }
    assert_eq!(cli.json(&["app", "access", "one"]).as_array().unwrap().len(), 101);
}
