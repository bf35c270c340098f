//! The API as programs call it.

use http_body_util::Full;
use ovhai_client::AppRow;
use ovhai_test_support::{TestEmulator, eventually};
use serde_json::{Value, json};

#[tokio::test]
async fn refusals_are_json_and_name_the_field() {
    let e = TestEmulator::start().await;
    for (method, path, body, status, says) in [
        ("POST", "/v1/app", json!({"image": 3}), 400, "image: invalid type"),
        ("POST", "/v1/app", json!({}), 400, "missing field `image`"),
        (
            "POST",
            "/v1/app",
            json!({"image": "a", "defaultHttpPort": 70000}),
            400,
            "defaultHttpPort: 70000 is not allowed: use 1 to 65535",
        ),
        ("POST", "/v1/app", json!({"image": "a", "labels": {"a b": "c"}}), 400, "labels[\"a b\"]"),
        (
            "POST",
            "/v1/app",
            json!({"image": "a", "scalingStrategy": {"automatic": {"averageUsageTarget": 75, "replicasMax": 1, "replicasMin": 1, "resourceType": "DISK"}}}),
            400,
            "scalingStrategy.automatic.resourceType",
        ),
        (
            "POST",
            "/v1/app",
            json!({"image": "a", "volumes": [{"mountPath": "/x", "permission": "RO"}]}),
            400,
            "volumes[0]: a volume has one source",
        ),
        (
            "POST",
            "/v1/app",
            json!({"image": "a", "volumes": [{"mountPath": "/x", "permission": "RO", "publicSwift": {"url": "https://a/b"}}]}),
            501,
            "a volume from a public container",
        ),
        (
            "POST",
            "/v1/app",
            json!({"image": "a", "runtime": "process", "workingDirectory": "x"}),
            400,
            "workingDirectory",
        ),
        (
            "POST",
            "/v1/app",
            json!({"image": "ovhai/echo:latest", "command": ["sleep", "1"]}),
            400,
            "command: the built-in image ovhai/echo:latest runs no command: omit it, or run it as a local process",
        ),
        ("POST", "/v1/token", json!({"name": "", "role": "read"}), 400, "name:"),
        ("POST", "/v1/token", json!({"name": "x", "role": "root"}), 400, "role:"),
        (
            "POST",
            "/v1/token",
            json!({"name": "x", "role": "read", "labelSelector": "=,"}),
            400,
            "labelSelector:",
        ),
        ("GET", "/v1/app?statusState=GONE", json!(null), 400, "statusState:"),
        (
            "POST",
            "/v1/app",
            json!({"image": "a", "deploymentStrategy": {"maxSurge": "4294967295"}}),
            400,
            "deploymentStrategy.maxSurge",
        ),
        ("GET", "/v1/app?updatedAfter=-9223372036854775808", json!(null), 400, "updatedAfter:"),
        ("GET", "/v1/app?size=0", json!(null), 400, "size:"),
        ("GET", "/v1/app/nothing", json!(null), 404, "nothing"),
        ("GET", "/v1/token/6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11", json!(null), 404, "no token"),
        (
            "POST",
            "/v1/app/6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11/datasync",
            json!({"direction": "pull"}),
            404,
            "no app",
        ),
        ("GET", "/v1/job", json!(null), 501, "GET /v1/job"),
        ("GET", "/v1/nonsense", json!(null), 404, "/v1/nonsense"),
        ("PATCH", "/v1/app", json!(null), 405, "method"),
    ] {
        let body = Some(body).filter(|body| !body.is_null());
        let answer = e.admin(method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(says), "{method} {path}: {message}");
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
    }
    let health = e.emulator.platform().snapshot().app_count();
    assert_eq!(health, 0, "nothing refused was made");
}

#[tokio::test]
async fn all_invalid_bearers_get_the_same_answer() {
    let e = TestEmulator::start().await;
    let bhs = e.token("BHS", "operator", None).await.status.value.unwrap();
    let old = e.token("GRA", "operator", None).await;
    let path = format!("/v1/token/{}/renew", old.id);
    assert_eq!(e.admin("POST", &path, None).await.status, 200);
    let old = old.status.value.unwrap();
    let mut answers = Vec::new();
    for (method, path) in [
        ("POST", "/v1/app"),
        ("POST", "/v1/token"),
        ("POST", "/v1/app/x/datasync"),
        ("GET", "/v1/app?size=0"),
    ] {
        for bearer in ["x", bhs.as_str(), old.as_str()] {
            let answer = e.call("GRA", bearer, method, path, Some(json!({"rubbish": 1}))).await;
            assert_eq!(answer.status, 401, "{method} {path} {bearer:.10}: {}", answer.text());
        }
    }
    for bearer in ["", "x", bhs.as_str(), old.as_str(), "eyJhbGciOiJub25lIn0.e30."] {
        let answer = e.call("GRA", bearer, "GET", "/v1/app", None).await;
        answers.push((
            answer.status.as_u16(),
            answer.text(),
            answer.header("www-authenticate").to_owned(),
        ));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, 401);
    assert!(answers[0].2.starts_with("Bearer"));
}

#[tokio::test]
async fn regions_do_not_see_each_other() {
    let e = TestEmulator::start().await;
    let app = e.submit(&[("group", "A")], json!({})).await;
    let bearer = e.emulator.administrator();
    let there = e.call("BHS", bearer, "GET", &format!("/v1/app/{}", app.id), None).await;
    assert_eq!(there.status, 404);
    let list = e.call("BHS", bearer, "GET", "/v1/app", None).await.json();
    assert_eq!(list["metadata"]["total"], 0);
    let nowhere = e.call("XXX", bearer, "GET", "/v1/app", None).await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn the_numeric_address_serves_every_region() {
    use hyper::Request;
    let e = TestEmulator::start().await;
    let app = e.submit(&[], json!({})).await;
    for (path, status) in [
        (format!("/v1/app/{}", app.id), 200),
        (format!("/regions/GRA/v1/app/{}", app.id), 200),
        (format!("/regions/gra/v1/app/{}?x=1", app.id), 200),
        (format!("/regions/BHS/v1/app/{}", app.id), 404),
        ("/regions/XXX/v1/app".into(), 404),
        ("/regions/GRA".into(), 404),
        ("/_emulator/health".into(), 200),
        ("/openapi.json".into(), 200),
        ("/".into(), 200),
        ("/nothing".into(), 404),
    ] {
        let request = Request::get(path.as_str())
            .header("host", e.address().to_string())
            .header("authorization", format!("Bearer {}", e.emulator.administrator()))
            .body(Full::default())
            .unwrap();
        assert_eq!(e.send(request).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn other_hosts_are_misdirected() {
    use hyper::Request;
    let e = TestEmulator::start().await;
    for (host, status) in [
        ("evil.example", 421),
        ("evil.example:80", 421),
        ("x.ai.localhost.evil.example", 421),
        ("a b", 400),
        ("localhost:x", 400),
    ] {
        for path in ["/v1/me", "/_emulator/health", "/"] {
            let request = Request::get(path)
                .header("host", host)
                .header("authorization", format!("Bearer {}", e.emulator.administrator()))
                .body(Full::default())
                .unwrap();
            let answer = e.send(request).await;
            assert_eq!(answer.status, status, "{host} {path}");
        }
    }
}

/// A page of another site or of an app can call nothing here, with or without a
/// bearer: no password is tried, nothing is changed and nothing can be read.
#[tokio::test]
async fn pages_of_other_origins_can_not_call_the_api() {
    use hyper::Request;
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({})).await;
    let call =
        async |method: &str, host: &str, path: &str, body: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder().method(method).uri(path).header("host", host);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            e.send(request.body(Full::from(body.to_owned())).unwrap()).await
        };
    let bearer = format!("Bearer {}", e.emulator.administrator());
    let bearer = ("authorization", bearer.as_str());
    let form = ("content-type", "application/x-www-form-urlencoded");
    let stop = format!("/v1/app/{}/stop", app.id);
    let app_origin = format!("http://{}", TestEmulator::host(&app));
    for of_a_page in [
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "null"),
        ("origin", "https://evil.example"),
        ("origin", &app_origin),
    ] {
        for (method, host, path) in [
            ("POST", "gra.ai.localhost", "/oauth2/token"),
            ("PUT", "gra.ai.localhost", &stop),
            ("GET", "gra.ai.localhost", "/v1/app"),
            ("OPTIONS", "gra.ai.localhost", "/v1/app"),
            ("GET", "localhost", "/v1/app"),
            ("GET", "localhost", "/metrics"),
            ("POST", "localhost", "/_emulator/stop"),
            ("GET", "localhost", "/"),
        ] {
            let answer = call(method, host, path, "", &[of_a_page, bearer, form]).await;
            assert_eq!(answer.status, 403, "{method} {path} {of_a_page:?}");
            assert!(answer.text().contains("pages of other origins"), "{}", answer.text());
            assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        }
    }
    assert_eq!(e.app(&app).await.status.state, app.status.state, "nothing was stopped");
    // The emulator's own pages, a followed link, and programs.
    for headers in [
        &[("origin", "http://localhost"), bearer][..],
        &[("sec-fetch-site", "same-origin"), bearer],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), bearer],
        &[bearer],
    ] {
        assert_eq!(
            call("GET", "localhost", "/v1/app", "", headers).await.status,
            200,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn logs_are_paged_and_followed() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    for _ in 0..3 {
        assert_eq!(e.query(&app, None).await.status, 200);
    }
    let log = |query: &str| format!("/v1/app/{}/log{query}", app.id);
    let all = eventually("three requests in the log", || async {
        let text = e.admin("GET", &log(""), None).await.text();
        (text.matches("GET /\n").count() == 3).then_some(text)
    })
    .await;
    assert!(all.starts_with("ovhai/echo listens on"), "{all}");
    assert_eq!(e.admin("GET", &log("?tail=1"), None).await.text(), "GET /\n");
    assert_eq!(e.admin("GET", &log("?tail=0"), None).await.text(), "");
    assert_eq!(e.admin("GET", &log("?page=2&size=3"), None).await.text(), "GET /\n");
    assert_eq!(e.admin("GET", &log("?replica=1"), None).await.text(), all);
    for path in ["?replica=9", "?replica=0", "?replica=2&follow=true"] {
        let answer = e.admin("GET", &log(path), None).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("the only one so far is 1"), "{}", answer.text());
    }
    assert_eq!(e.admin("GET", &log("?replica=x"), None).await.status, 400);

    // A followed log continues with new output, and ends when the app is deleted.
    let (path, id) = (log("?follow=true"), app.id);
    let (followed, ()) = tokio::join!(e.admin("GET", &path, None), async {
        assert_eq!(e.query(&app, None).await.status, 200);
        e.admin("DELETE", &format!("/v1/app/{id}?force=true"), None).await;
    });
    assert_eq!(followed.text().matches("GET /\n").count(), 4, "{:?}", followed.text());
}

#[tokio::test]
async fn only_stopped_apps_are_deleted_without_force() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"image": "ovhai/echo"})).await;
    let delete =
        async |query: &str| e.admin("DELETE", &format!("/v1/app/{}{query}", app.id), None).await;
    for query in ["", "?force=false", "?now=false"] {
        let answer = delete(query).await;
        assert_eq!(answer.status, 400, "{query}");
        let said = answer.text();
        assert!(said.contains("the app is RUNNING: stop it first") && said.contains("force=true"));
    }
    assert_eq!(e.query(&app, None).await.status, 401, "the app is still there");
    assert_eq!(delete("?force=true").await.status, 204);
    eventually("the app is deleted", || async {
        let path = format!("/v1/app/{}", app.id);
        (e.admin("GET", &path, None).await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_answer_has_both_kinds_of_units() {
    let e = TestEmulator::start().await;
    for (asked, cpu, gpu) in [(json!({"cpu": 2}), 2, 0), (json!({"gpu": 1}), 13, 1)] {
        let app = e.run_app(&[], json!({"image": "ovhai/echo", "resources": asked})).await;
        let answer = e.admin("GET", &format!("/v1/app/{}", app.id), None).await;
        let answer: Value = serde_json::from_str(&answer.text()).unwrap();
        let resources = &answer["spec"]["resources"];
        assert_eq!((&resources["cpu"], &resources["gpu"]), (&json!(cpu), &json!(gpu)));
    }
}

#[tokio::test]
async fn only_the_owner_stops_the_emulator() {
    use hyper::Request;
    let e = TestEmulator::start().await;
    let token = e.token("GRA", "operator", None).await.status.value.unwrap();
    for (bearer, status) in [(token.as_str(), 403), ("x", 401), (e.emulator.administrator(), 202)] {
        let request = Request::post("/_emulator/stop")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {bearer}"))
            .body(Full::default())
            .unwrap();
        assert_eq!(e.send(request).await.status, status);
    }
    e.emulator.stop_asked().await;
}

/// The queries by which a client resolves a name.
#[tokio::test]
async fn apps_are_found_by_name_and_id_prefix() {
    let e = TestEmulator::start().await;
    let mut ids = std::collections::BTreeMap::new();
    for name in ["web", "web-2", "api"] {
        let app = e.submit(&[], json!({ "name": name })).await;
        ids.insert(name, app.id.to_string());
    }
    let found = async |query: &str| {
        let answer = e.admin("GET", &format!("/v1/app?sort=name&{query}"), None).await;
        let items = answer.json()["items"].as_array().unwrap().clone();
        items.iter().map(|app| app["spec"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("named=web").await, ["web"]);
    assert_eq!(found(&format!("named={}", &ids["api"][..8].to_uppercase())).await, ["api"]);
    assert_eq!(found("named=we").await, Vec::<String>::new());
    assert_eq!(found("begins=web").await, ["web", "web-2"]);
    assert_eq!(found(&format!("begins={}", &ids["web-2"][..8])).await, ["web-2"]);
    assert_eq!(found("named=&begins=").await, ["api", "web", "web-2"], "nothing is asked for");
}

/// Servers without `fields=row` answer with full apps, which the client also reads.
#[tokio::test]
async fn rows_have_the_fields_that_tables_show() {
    let e = TestEmulator::start().await;
    let scaling = json!({ "automatic": {
        "averageUsageTarget": 75, "replicasMax": 3, "replicasMin": 1, "resourceType": "CPU",
    } });
    for spec in [json!({ "name": "web" }), json!({ "name": "api", "scalingStrategy": scaling })] {
        e.run_app(&[("group", "A")], spec).await;
    }
    let list = async |query: &str| {
        e.admin("GET", &format!("/v1/app?labelSelector=group%3DA&{query}"), None).await
    };
    let (whole, rows) = (list("").await.json(), list("fields=row").await.json());
    assert_eq!(whole["metadata"], rows["metadata"]);
    let whole = whole["items"].as_array().unwrap();
    let expected: Vec<Value> = whole
        .iter()
        .map(|app| {
            let (spec, status) = (&app["spec"], &app["status"]);
            json!({
                "id": app["id"],
                "createdAt": app["createdAt"],
                "spec": match spec["name"].as_str().unwrap() {
                    // The default is one replica.
                    name @ "web" => json!({ "name": name }),
                    name => json!({ "name": name, "scalingStrategy": spec["scalingStrategy"] }),
                },
                "status": {
                    "availableReplicas": status["availableReplicas"],
                    "state": status["state"],
                    "url": status["url"],
                },
            })
        })
        .collect();
    assert_eq!(rows["items"], json!(expected));
    assert_eq!(expected.len(), 2);
    let mut read: Vec<AppRow> = serde_json::from_value(json!(whole)).unwrap();
    read.iter_mut().filter(|row| row.spec.name.as_deref() == Some("web")).for_each(|row| {
        assert_eq!(row.spec.scaling_strategy.take().unwrap().fixed.unwrap().replicas, 1);
    });
    assert_eq!(read, serde_json::from_value::<Vec<AppRow>>(json!(expected)).unwrap());

    let page = list("fields=row&size=1").await.json();
    let next = page["metadata"]["links"]["next"].as_str().unwrap();
    assert!(next.contains("fields=row") && next.contains("labelSelector="), "{next}");
    let refused = list("fields=id").await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["message"], "fields: \"id\" is not allowed: use row");
}

/// HEAD has the length of GET.
#[tokio::test]
async fn a_head_request_has_the_headers_of_the_get() {
    let e = TestEmulator::start().await;
    let ask = async |method: &str| {
        let path = "/regions/GRA/v1/app";
        let answer = e.call_local(method, path, None).await;
        (answer.status, answer.header("content-length").to_owned())
    };
    assert_eq!(ask("HEAD").await, ask("GET").await);
}
