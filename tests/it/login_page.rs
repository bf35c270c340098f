//! The login page of apps, with a browser's requests; browser.rs uses a real browser.

use std::sync::Arc;

use http_body_util::BodyExt;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::clock::SteppedClock;
use ovhai_test_support::raw::SOON;
use ovhai_test_support::visitor::{Visitor, echo, field, is_page, value};
use ovhai_test_support::{TestEmulator, Upstream, eventually, http2};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ASKED: &str = "/a%2Fb//c/../d?x=%20&y=%C3%BC&&z='%22";

#[tokio::test]
async fn a_login_with_a_token_returns_to_the_requested_address() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let token = e.token("GRA", "read", Some("group=A")).await;
    let mut ann = Visitor::new(&e, &app);
    let page = ann.get(ASKED).await;
    assert_eq!(page.status, 401);
    assert!(is_page(&page) && page.text().contains("<h1>echo</h1>"), "{}", page.text());
    assert_eq!(field(&page, "to"), ASKED);
    assert!(page.header("www-authenticate").starts_with("Bearer"));
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    let policy = page.header("content-security-policy");
    for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(ann.cookie("ovhai").is_none() && ann.cookie("ovhai-form").is_some());

    let wrong = ann.token(&page, "eyJhbGciOiJFZERTQSJ9.x.y").await;
    assert_eq!(wrong.status, 401);
    assert!(
        wrong.text().contains("role=\"alert\">The token is not valid here."),
        "{}",
        wrong.text()
    );
    assert!(!wrong.text().contains("x.y"), "it is not shown again");
    assert_eq!(field(&wrong, "to"), ASKED);

    let string = token.status.value.unwrap();
    let answer = ann.token(&wrong, &format!(" Bearer {string}\r\n")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, ASKED));
    let set = answer.header("set-cookie");
    assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200"), "{set}");
    assert!(!set.contains(&string) && !set.contains("Domain"), "{set}");

    ann.cookies.insert(0, ("a".into(), "1".into()));
    ann.cookies.push(("b".into(), "\"2\"".into()));
    for own in ["sk-own", ovhai_test_support::visitor::FOREIGN] {
        let own = format!("Bearer {own}");
        let seen = ann.send("GET", ASKED, &[("authorization", &own)], "").await;
        assert_eq!(seen.status, 200);
        let seen = seen.json();
        assert_eq!(seen["target"], ASKED);
        assert_eq!(seen["headers"]["cookie"], json!(["a=1; b=\"2\""]), "ours is not the app's");
        assert_eq!(seen["headers"]["authorization"], json!([own]));
    }

    // An explicit `Accept` header decides.
    let ours = format!("Bearer {string}x");
    assert_eq!(ann.send("GET", "/", &[("authorization", &ours)], "").await.status, 401);

    // A known caller who has lost access is not shown as logged in.
    assert_eq!(ann.get("/.ovhai/").await.status, 200);
    let label = |value| Some(json!({"name": "group", "value": value}));
    let path = format!("/v1/app/{}/label", app.id);
    assert_eq!(e.admin("PUT", &path, label("B")).await.status, 204);
    let page = ann.get("/.ovhai/").await;
    assert!(page.status == 403 && is_page(&page), "{}", page.text());
    assert!(!page.text().contains("You are logged in"), "{}", page.text());
    assert_eq!(e.admin("PUT", &path, label("A")).await.status, 204);

    let renew = format!("/v1/token/{}/renew", token.id);
    assert_eq!(e.admin("POST", &renew, None).await.status, 200);
    let page = ann.get(ASKED).await;
    assert!(page.status == 401 && is_page(&page));
}

#[tokio::test]
async fn programs_get_json_instead_of_the_login_page() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let mut ann = Visitor::new(&e, &app);
    for (method, headers) in [
        ("GET", &[("accept", "*/*")][..]),
        ("GET", &[("accept", "")]),
        ("POST", &[]),
        ("GET", &[("authorization", "Bearer x")]),
        ("GET", &[("authorization", "Basic x")]),
        ("GET", &[("x-requested-with", "XMLHttpRequest")]),
        ("GET", &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")]),
    ] {
        for path in ["/", "/.ovhai/"] {
            if path != "/" && method == "POST" {
                continue;
            }
            let answer = ann.send(method, path, headers, "").await;
            assert_eq!(answer.status, 401, "{method} {path} {headers:?}");
            assert!(answer.json()["message"].is_string());
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            assert!(!answer.headers.contains_key("set-cookie"));
        }
    }
    let elsewhere = [("origin", "http://evil.example"), ("sec-fetch-mode", "cors")];
    let answer = ann.send("GET", "/", &elsewhere, "").await;
    let reader = answer.header("access-control-allow-origin");
    assert_eq!((answer.status.as_u16(), reader), (401, "http://evil.example"));

    // An open app has no login, and these paths are its own.
    let open = e.run_app(&[], json!({"image": "ovhai/echo", "unsecureHttp": true})).await;
    let answer = Visitor::new(&e, &open).get("/.ovhai/login").await;
    assert_eq!(answer.json()["target"], "/.ovhai/login");
}

#[tokio::test]
async fn a_login_counts_for_one_app_and_its_own_pages() {
    let e = TestEmulator::start().await;
    let (app, other) = (echo(&e).await, echo(&e).await);
    let token = value(&e, "group=A").await;
    let mut ann = Visitor::new(&e, &app).logged_in(&token).await;
    let mut there = Visitor::new(&e, &other);
    there.cookies.clone_from(&ann.cookies);
    assert_eq!(there.get("/").await.status, 401, "the cookie is for one app only");

    let origin = format!("http://{}", TestEmulator::host(&other));
    let own = format!("http://{}", ann.host);
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    for (status, method, headers) in [
        (200, "GET", vec![("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")]),
        (200, "POST", vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")]),
        (200, "GET", vec![("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")]),
        (
            200,
            "GET",
            vec![
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
        ),
        (
            401,
            "GET",
            vec![
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "iframe"),
            ],
        ),
        (
            401,
            "GET",
            vec![
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "image"),
            ],
        ),
        (
            401,
            "POST",
            vec![
                ("origin", origin.as_str()),
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
        ),
        (401, "POST", vec![("origin", origin.as_str())]),
        (401, "GET", [&upgrade[..], &[("origin", origin.as_str())]].concat()),
    ] {
        let answer = ann.send(method, "/", &headers, "").await;
        assert_eq!(answer.status, status, "{method} {headers:?}: {}", answer.text());
    }
}

/// An app whose answers have no end: a tunnel if the client asks for one, or else events.
async fn socket_or_events() -> Upstream {
    Upstream::start(|mut stream| async move {
        let head = Upstream::head(&mut stream).await.unwrap();
        assert!(!head.contains("ovhai="), "{head}");
        let answer = if head.contains("upgrade: echo") {
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
        } else {
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n"
        };
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await
}

/// A WebSocket of the app's own page, or its events, opens with the cookie; it ends with the token,
/// and when the user logs out.
#[tokio::test]
async fn streams_opened_by_a_cookie_end_with_the_login() {
    let upstream = socket_or_events().await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[("group", "A")], json!({})).await;
    for logs_out in [false, true] {
        let token = e.token("GRA", "read", Some("group=A")).await;
        let value = token.status.value.as_deref().unwrap();
        let mut ann = Visitor::new(&e, &app).logged_in(value).await;
        let open = ann.open_both().await;
        if logs_out {
            let account = ann.get("/.ovhai/").await;
            let out = ann.post("/.ovhai/logout", &[("form", &field(&account, "form"))], &[]).await;
            assert_eq!(out.status, 303);
        } else {
            let deleted = e.admin("DELETE", &format!("/v1/token/{}", token.id), None).await;
            assert_eq!(deleted.status, 204);
        }
        for mut client in open {
            client.rest().await;
        }
    }
    let metrics = e.call_local("GET", "/metrics", None).await.text();
    assert!(metrics.contains("ovhai_gateway_aborted_total{by=\"access\"} 4"), "{metrics}");
}

#[tokio::test]
async fn refused_visitors_see_the_reason() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let other = value(&e, "group=B").await;
    let mut ann = Visitor::new(&e, &app);
    let page = ann.get("/x").await;
    let answer = ann.token(&page, &other).await;
    assert_eq!(answer.status, 403);
    let why = "the app is outside the token&#39;s selector group=B";
    assert!(is_page(&answer) && answer.text().contains(why), "{}", answer.text());
    assert!(ann.cookie("ovhai").is_none());
    let bhs = e.token("BHS", "read", None).await.status.value.unwrap();
    assert_eq!(ann.token(&page, &bhs).await.status, 401, "a token of elsewhere is none");

    // A caller who lost access sees the reason, and can log in as another user.
    let token = value(&e, "group=A").await;
    assert_eq!(ann.token(&page, &token).await.status, 303);
    let label = json!({"name": "group", "value": "B"});
    let path = format!("/v1/app/{}/label", app.id);
    assert_eq!(e.admin("PUT", &path, Some(label)).await.status, 204);
    let page = ann.get("/x").await;
    assert_eq!(page.status, 403);
    let text = page.text();
    assert!(text.contains("You are here with the token t.") && text.contains("group=A"), "{text}");
    let refused = ann.send("GET", "/x", &[("accept", "*/*")], "").await;
    assert!(refused.status == 403 && refused.json()["message"].is_string());
    let answer = ann.token(&page, &other).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/x"));
    assert_eq!(ann.get("/x").await.status, 200);
}

/// Hashing a password continues, and counts as in use, after a client of HTTP/2 has
/// left; otherwise nothing would limit concurrent hashing.
#[tokio::test]
async fn a_login_completes_after_its_client_left() {
    const LOGINS: usize = 8;
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let user = json!({"name": "ann", "password": "a long password"});
    assert_eq!(e.call_local("POST", "/_emulator/users", Some(user)).await.status, 201);
    let mut ann = Visitor::new(&e, &app);
    let form = field(&ann.get("/").await, "form");
    let body =
        format!("form={form}&to=%2F&with=password&username=ann&password=a%20long%20password");
    let client = http2::Client::connect(&e).await;
    for _ in 0..LOGINS {
        let login = http2::request("POST", &ann.host, "/.ovhai/login")
            .header("cookie", ann.header())
            .header("content-length", body.len())
            .header("content-type", "application/x-www-form-urlencoded");
        let (pipe, sent) = http2::pipe();
        pipe.send(http2::data(body.as_bytes())).await.unwrap();
        drop(pipe);
        let mut sender = client.sender.clone();
        sender.ready().await.unwrap();
        let login = tokio::spawn(sender.send_request(login.body(sent).unwrap()));
        // All earlier attempts have been checked by now.
        for _ in 0..3 {
            let other = http2::request("GET", &ann.host, "/.ovhai/");
            client.send(other.body(http2::empty()).unwrap()).await;
        }
        login.abort();
    }
    let platform = e.emulator.platform();
    eventually("each has come to its end", || async {
        (platform.snapshot().sessions().count() == LOGINS).then_some(())
    })
    .await;
}

#[tokio::test]
async fn users_log_in_and_out() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let user = json!({"name": "ann", "password": "a long password"});
    assert_eq!(e.call_local("POST", "/_emulator/users", Some(user)).await.status, 201);
    let mut ann = Visitor::new(&e, &app);
    let page = ann.get("/x?y").await;
    let wrong = ann.password(&page, "ann", "a wrong password").await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("The user or the password is wrong."));
    assert!(wrong.text().contains("value=\"ann\"") && !wrong.text().contains("a wrong password"));
    let answer = ann.password(&page, "ann", "a long password").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/x?y"));
    assert_eq!(ann.get("/x").await.status, 200);

    let account = ann.get("/.ovhai/").await;
    assert!(account.status == 200 && account.text().contains("logged in as ann"));
    let form = field(&account, "form");
    let before = ann.cookies.clone();
    assert_eq!(ann.get("/.ovhai/logout").await.status, 405);
    let unsigned = ann.post("/.ovhai/logout", &[("form", "x")], &[]).await;
    assert_eq!(unsigned.status, 403);
    assert_eq!(ann.get("/x").await.status, 200, "still logged in");
    let out = ann.post("/.ovhai/logout", &[("form", &form)], &[]).await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "/.ovhai/?logged-out"));
    assert!(ann.cookie("ovhai").is_none());
    assert!(ann.get("/.ovhai/?logged-out").await.text().contains("You are logged out."));
    ann.cookies = before;
    assert_eq!(ann.get("/x").await.status, 401, "the cookie is good for nothing");

    // A new password ends the user's logins, and so does the user's removal.
    for (method, path, body, status) in [
        (
            "PUT",
            "/_emulator/users/ann/password",
            Some(json!({"password": "another password"})),
            204,
        ),
        ("DELETE", "/_emulator/users/ann", None, 204),
    ] {
        let page = ann.get("/x").await;
        let password = if method == "PUT" { "a long password" } else { "another password" };
        assert_eq!(ann.password(&page, "ann", password).await.status, 303);
        assert_eq!(ann.get("/x").await.status, 200);
        assert_eq!(e.call_local(method, path, body).await.status, status, "{method}");
        assert_eq!(ann.get("/x").await.status, 401, "{method}");
    }
}

#[tokio::test]
async fn a_login_with_a_token_ends_at_logout_or_revocation() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let token = e.token("GRA", "read", Some("group=A")).await;
    let string = token.status.value.unwrap();
    let mut ann = Visitor::new(&e, &app).logged_in(&string).await;
    let mut ben = Visitor::new(&e, &app).logged_in(&string).await;
    let account = ann.get("/.ovhai/").await;
    assert!(account.text().contains("You are here with the token t"), "{}", account.text());
    let before = ann.cookies.clone();
    let out = ann.post("/.ovhai/logout", &[("form", &field(&account, "form"))], &[]).await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "/.ovhai/?logged-out"));
    assert!(ann.cookie("ovhai").is_none());
    ann.cookies = before;
    let page = ann.get("/x").await;
    assert!(page.status == 401 && is_page(&page), "the cookie is good for nothing");

    // Neither the token nor another login with it has ended.
    assert_eq!(ben.get("/x").await.status, 200);
    ann = ann.logged_in(&string).await;
    assert_eq!(e.admin("DELETE", &format!("/v1/token/{}", token.id), None).await.status, 204);
    for mut visitor in [ann, ben] {
        let page = visitor.get("/x").await;
        assert!(page.status == 401 && is_page(&page), "{}", page.text());
        let refused = visitor.send("GET", "/x", &[("accept", "*/*")], "").await;
        assert!(refused.status == 401 && refused.json()["message"].is_string());
        let page = visitor.get("/.ovhai/").await;
        assert!(!page.text().contains("You are here"), "{}", page.text());
        let page = visitor.token(&page, &string).await;
        assert!(page.status == 401 && visitor.get("/x").await.status == 401, "{}", page.text());
    }
}

#[tokio::test]
async fn forms_are_accepted_only_from_the_login_page() {
    let e = TestEmulator::start().await;
    let (app, other) = (echo(&e).await, echo(&e).await);
    let token = value(&e, "group=A").await;
    let mut ann = Visitor::new(&e, &app);
    let page = ann.get("/x").await;
    let form = field(&page, "form");
    let elsewhere = format!("http://{}", TestEmulator::host(&other));
    let fields =
        |form| [("form", form), ("to", "/x"), ("with", "token"), ("token", token.as_str())];
    for headers in [
        &[("origin", elsewhere.as_str())][..],
        &[("origin", "null")],
        &[("origin", ""), ("sec-fetch-site", "same-site")],
        &[("origin", elsewhere.as_str()), ("sec-fetch-site", "cross-site")],
    ] {
        let answer = ann.post("/.ovhai/login", &fields(&form), headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert!(!is_page(&answer) && ann.cookie("ovhai").is_none());
    }
    // A form of another visitor, of another app, without a cookie, or none.
    let foreign = field(&Visitor::new(&e, &app).get("/").await, "form");
    let of_other = {
        let mut there = Visitor::new(&e, &other);
        there.cookies.clone_from(&ann.cookies);
        field(&there.get("/").await, "form")
    };
    for bad in [foreign.as_str(), &of_other, "", "x"] {
        let answer = ann.post("/.ovhai/login", &fields(bad), &[]).await;
        assert_eq!(answer.status, 403, "{bad}");
        assert!(is_page(&answer) && ann.cookie("ovhai").is_none());
    }
    let mut bare = Visitor::new(&e, &app);
    assert_eq!(bare.post("/.ovhai/login", &fields(&form), &[]).await.status, 403);
    let mut twice = fields(&form).to_vec();
    twice.push(("token", "x"));
    assert_eq!(ann.post("/.ovhai/login", &twice, &[]).await.status, 401);
    let json = [("content-type", "application/json")];
    assert_eq!(ann.post("/.ovhai/login", &fields(&form), &json).await.status, 415);
    let long = "x".repeat(300 * 1024);
    assert_eq!(ann.post("/.ovhai/login", &[("form", &long)], &[]).await.status, 413);

    // A browser without `Origin` and `Sec-Fetch-Site`.
    let silent = [("origin", ""), ("sec-fetch-site", "")];
    assert_eq!(ann.post("/.ovhai/login", &fields(&form), &silent).await.status, 303);
}

#[tokio::test]
async fn the_login_page_redirects_to_no_other_host() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let token = value(&e, "group=A").await;
    let mut ann = Visitor::new(&e, &app);
    let page = ann.get("//evil.example/x").await;
    assert_eq!(field(&page, "to"), "/");
    let form = field(&page, "form");
    for to in [
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/x\r\nset-cookie: evil=1",
        "/.ovhai/logout",
        "",
    ] {
        let fields = [("form", form.as_str()), ("to", to), ("with", "token"), ("token", &token)];
        let answer = ann.post("/.ovhai/login", &fields, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"), "{to:?}");
    }
    let long = format!("/{}", "x".repeat(40_000));
    let page = ann.send("GET", &long, &[("cookie", "")], "").await;
    let mut ben = Visitor::new(&e, &app);
    ben.cookies.push(("ovhai-form".into(), ann.cookie("ovhai-form").unwrap().into()));
    assert_eq!(ben.token(&page, &token).await.header("location"), long);
}

#[tokio::test]
async fn login_attempts_are_limited() {
    let e = TestEmulator::start().await;
    let (app, other) = (echo(&e).await, echo(&e).await);
    let token = value(&e, "group=A").await;
    let mut ann = Visitor::new(&e, &app);
    let page = ann.get("/").await;
    for n in 0..10 {
        assert_eq!(ann.token(&page, "x").await.status, 401, "{n}");
    }
    let late = ann.token(&page, &token).await;
    assert_eq!(late.status, 429);
    assert!(late.header("retry-after").parse::<u64>().unwrap() > 0);
    assert!(is_page(&late) && late.text().contains("Too many wrong tries"), "{}", late.text());
    Visitor::new(&e, &other).logged_in(&token).await;

    // Passwords have the platform's limit, by name.
    for n in 0..10 {
        assert_eq!(ann.password(&page, "eve", "x").await.status, 401, "{n}");
    }
    let late = ann.password(&page, "eve", "x").await;
    assert!(late.status == 429 && !late.header("retry-after").is_empty());
}

#[tokio::test]
async fn apps_can_not_set_cookies_of_the_emulator() {
    let upstream = Upstream::answering(b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: ovhai=x; Domain=ai.localhost\r\nset-cookie: =ovhai-form=x\r\nset-cookie: __Host-ovhai=x; Secure; Path=/\r\nset-cookie: b=2\r\ncontent-length: 2\r\n\r\nhi").await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let answer = e.query(&app, None).await;
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(set, ["a=1", "b=2"]);
}

#[tokio::test]
async fn a_login_at_a_stopped_app_shows_its_state() {
    let e = TestEmulator::with_sim(SimRuntime::step_by_step()).await;
    let app = e.submit(&[("group", "A")], json!({})).await;
    let token = value(&e, "group=A").await;
    let mut ann = Visitor::new(&e, &app);
    let page = ann.get("/").await;
    assert!(page.status == 401 && is_page(&page));
    assert_eq!(ann.token(&page, &token).await.status, 303);
    assert_eq!(ann.get("/").await.status, 503);
    let account = ann.get("/.ovhai/").await;
    assert!(account.status == 200 && account.text().contains("with the token t"));
    let lost = ann.get("/.ovhai/else").await;
    assert_eq!(lost.status, 404);
}

const LASTS: u64 = 12 * 3600;

/// A login expires without an action of the user.
#[tokio::test]
async fn a_login_lasts_twelve_hours() {
    let clock = SteppedClock::new();
    let e = clock.emulator(TestEmulator::builder()).await;
    let app = echo(&e).await;
    let token = value(&e, "group=A").await;
    let mut ann = Visitor::new(&e, &app).logged_in(&token).await;
    let page = ann.send("GET", "/", &[("cookie", "")], "").await;
    clock.set(LASTS - 3600);
    assert_eq!(ann.get("/").await.status, 200);
    clock.set(LASTS + 60);
    assert_eq!(ann.get("/").await.status, 401);
    let old = ann.token(&page, &token).await;
    assert!(old.status == 403 && old.text().contains("open for too long"), "{}", old.text());
    let answer = ann.token(&old, &token).await;
    assert_eq!(answer.status, 303, "the page with the reason is a new one");
}

/// For every kind of login.
#[tokio::test]
async fn streams_opened_by_a_cookie_end_after_twelve_hours() {
    let upstream = socket_or_events().await;
    let clock = SteppedClock::new();
    let sim = SimRuntime::automatic(upstream.address());
    let e = clock.emulator(TestEmulator::builder().runtime(Arc::new(sim))).await;
    let app = e.run_app(&[("group", "A")], json!({})).await;
    let user = json!({"name": "ann", "password": "a long password"});
    assert_eq!(e.call_local("POST", "/_emulator/users", Some(user)).await.status, 201);
    let token = value(&e, "group=A").await;
    let by_token = Visitor::new(&e, &app).logged_in(&token).await;
    let mut by_password = Visitor::new(&e, &app);
    let page = by_password.get("/").await;
    assert_eq!(by_password.password(&page, "ann", "a long password").await.status, 303);

    clock.set(LASTS - 1);
    let mut open = Vec::new();
    for visitor in [&by_token, &by_password] {
        open.extend(visitor.open_both().await);
    }
    let client = http2::Client::connect(&e).await;
    let events = http2::request("GET", &by_token.host, "/").header("cookie", by_token.header());
    let mut events = client.send(events.body(http2::empty()).unwrap()).await;
    assert_eq!(events.status(), 200);
    // Everything is open one second before the end.
    clock.set(LASTS);
    for mut client in open {
        client.rest().await;
    }
    let end = async { while let Some(Ok(_)) = events.frame().await {} };
    assert!(tokio::time::timeout(SOON, end).await.is_ok(), "in HTTP/2 it goes on");
    let metrics = e.call_local("GET", "/metrics", None).await.text();
    assert!(metrics.contains("ovhai_gateway_aborted_total{by=\"access\"} 5"), "{metrics}");
}
