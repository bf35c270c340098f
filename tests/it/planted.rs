//! Cookies with the login's names that another app planted: a page sets them for the
//! parent domain of all apps, or for a path, and a browser sends them along, often before the
//! genuine one.

use hyper::StatusCode;
use ovhai_api_types::App;
use ovhai_test_support::visitor::{Visitor, echo, field, value};
use ovhai_test_support::{TestEmulator, http2};
use serde_json::{Value, json};

/// Maximum cookies of one name that the gateway tries.
const LOOKED_AT: usize = 200;

fn planted(name: &str, count: usize) -> Vec<(String, String)> {
    (0..count).map(|number| (name.to_owned(), format!("{number:043}"))).collect()
}

/// The header that a browser would send, with these cookies before its own and behind them.
fn header(visitor: &Visitor, before: &[(String, String)], behind: &[(String, String)]) -> String {
    let pairs = before.iter().chain(&visitor.cookies).chain(behind);
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

/// The cookies that reached the app, or the status of the refusal. Both
/// versions of HTTP have to agree.
async fn seen(e: &TestEmulator, visitor: &mut Visitor, cookies: &str) -> Result<Value, StatusCode> {
    let answer = visitor.send("GET", "/", &[("cookie", cookies)], "").await;
    let status = answer.status;
    let result =
        if status == 200 { Ok(answer.json()["headers"]["cookie"].clone()) } else { Err(status) };
    let client = http2::Client::connect(e).await;
    // As browsers do: each by itself.
    let get = http2::request("GET", &visitor.host, "/");
    let get = cookies.split("; ").fold(get, |get, crumb| get.header("cookie", crumb));
    let answer = client.send(get.body(http2::empty()).unwrap()).await;
    assert_eq!(answer.status(), status);
    if status == 200 {
        let body: Value = serde_json::from_slice(&http2::text(answer).await.0).unwrap();
        assert_eq!(Ok(&body["headers"]["cookie"]), result.as_ref());
    }
    result
}

async fn logged_in(e: &TestEmulator, app: &App, token: &str) -> Visitor {
    Visitor::new(e, app).logged_in(token).await
}

#[tokio::test]
async fn the_genuine_cookie_is_found_among_planted_ones() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let token = value(&e, "group=A").await;
    let mut ann = logged_in(&e, &app, &token).await;
    ann.cookies.push(("own".into(), "\"1\"".into()));
    let own = Ok(json!(["own=\"1\""]));
    let names = ["ovhai", "__Host-ovhai", "ovhai-form", "__Host-ovhai-form"];
    for name in names {
        for (before, behind) in [(1, 0), (0, 1), (LOOKED_AT - 1, 300)] {
            let cookies = header(&ann, &planted(name, before), &planted(name, behind));
            assert_eq!(seen(&e, &mut ann, &cookies).await, own, "{name} {before} {behind}");
        }
    }
    // More cookies of one name than browsers keep are refused as a login, and removed for the app.
    let many = header(&ann, &planted("ovhai", LOOKED_AT), &[]);
    assert_eq!(seen(&e, &mut ann, &many).await, Err(StatusCode::UNAUTHORIZED));
    for name in names {
        let many = header(&ann, &planted(name, 600), &[]);
        let bearer = format!("Bearer {token}");
        let headers = [("cookie", many.as_str()), ("authorization", bearer.as_str())];
        let answer = ann.send("GET", "/", &headers, "").await;
        assert_eq!(answer.json()["headers"]["cookie"], json!(["own=\"1\""]), "{name}");
    }
}

/// Logins that are invalid, ended, or of a caller without access.
#[tokio::test]
async fn invalid_planted_logins_do_not_hide_the_valid_one() {
    let e = TestEmulator::start().await;
    let (app, other) = (echo(&e).await, echo(&e).await);
    let token = value(&e, "group=A").await;
    let mut ann = logged_in(&e, &app, &token).await;
    let elsewhere = logged_in(&e, &other, &token).await;
    let renewed = e.token("GRA", "read", None).await;
    let void = logged_in(&e, &app, renewed.status.value.as_deref().unwrap()).await;
    let renew = format!("/v1/token/{}/renew", renewed.id);
    assert_eq!(e.admin("POST", &renew, None).await.status, 200);
    let labels = format!("/v1/app/{}/label", app.id);
    let label = |value| Some(json!({"name": "stage", "value": value}));
    assert_eq!(e.admin("PUT", &labels, label("test")).await.status, 204);
    let mut denied = logged_in(&e, &app, &value(&e, "stage=test").await).await;
    assert_eq!(e.admin("PUT", &labels, label("live")).await.status, 204);
    assert_eq!(denied.get("/").await.status, 403);

    for (name, of) in [("elsewhere", &elsewhere), ("void", &void), ("denied", &denied)] {
        let cookies = header(&ann, &of.cookies, &[]);
        assert_eq!(seen(&e, &mut ann, &cookies).await, Ok(Value::Null), "{name}");
        let page = ann.send("GET", "/.ovhai/", &[("cookie", &cookies)], "").await;
        assert_eq!(page.status, 200, "{name}");
    }
    // A caller without another login sees the reason, as always.
    let cookies = header(&denied, &void.cookies, &elsewhere.cookies);
    assert_eq!(seen(&e, &mut denied, &cookies).await, Err(StatusCode::FORBIDDEN));
}

/// A form is bound to a cookie too: one that is set for the path that forms are sent to comes only
/// with those, and first.
#[tokio::test]
async fn forms_are_accepted_despite_planted_cookies() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let token = value(&e, "group=A").await;
    for (count, status) in [(1, 303), (LOOKED_AT - 1, 303), (LOOKED_AT, 403)] {
        let mut ann = Visitor::new(&e, &app);
        let form = field(&ann.get("/").await, "form");
        let cookies = header(&ann, &planted("ovhai-form", count), &[]);
        let fields = [("form", form.as_str()), ("to", "/"), ("with", "token"), ("token", &token)];
        let answer = ann.post("/.ovhai/login", &fields, &[("cookie", &cookies)]).await;
        assert_eq!(answer.status, status, "{count}: {}", answer.text());
        if status != 303 {
            continue;
        }
        assert_eq!(ann.get("/").await.status, 200);
        let form = field(&ann.get("/.ovhai/").await, "form");
        let both = [planted("ovhai-form", count), planted("ovhai", count)].concat();
        let cookies = header(&ann, &both, &[]);
        let out = ann.post("/.ovhai/logout", &[("form", &form)], &[("cookie", &cookies)]).await;
        assert_eq!(out.status, 303, "{count}");
        assert_eq!(seen(&e, &mut ann, &cookies).await, Err(StatusCode::UNAUTHORIZED));
    }
}
