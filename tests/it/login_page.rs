//! The login page of apps, as a browser's requests meet it; browser.rs has a real one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use ovhai_api_types::{App, Timestamp};
use ovhai_core::ports::Clock;
use ovhai_emulator::Builder;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::{Answer, TestEmulator, Upstream, eventually, send};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::SOON;

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const ASKED: &str = "/a%2Fb//c/../d?x=%20&y=%C3%BC&&z='%22";

/// A browser at one app: it keeps cookies, and says where its requests come from.
#[derive(Clone)]
pub(crate) struct Visitor {
    address: SocketAddr,
    pub(crate) host: String,
    pub(crate) cookies: Vec<(String, String)>,
}

impl Visitor {
    pub(crate) fn new(e: &TestEmulator, app: &App) -> Self {
        Self::at(e.address(), TestEmulator::host(app))
    }

    pub(crate) fn at(address: SocketAddr, host: String) -> Self {
        Self { address, host, cookies: Vec::new() }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// `headers` win over what a browser would send.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let cookies = self.header();
        let mut all = vec![("host", self.host.as_str()), ("accept", HTML)];
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        all.retain(|(name, _)| !headers.iter().any(|(of, _)| of == name));
        all.extend_from_slice(headers);
        let mut request = Request::builder().method(method).uri(path);
        // An empty one stands for none.
        for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let answer = send(self.address, request.body(body).unwrap()).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(of, _)| of != name);
            if !set.contains("Max-Age=0") {
                self.cookies.push((name.into(), value.into()));
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub(crate) async fn post(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let encode = |text: &str| {
            text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02X}"))
        };
        let fields = fields.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        let body = fields.collect::<Vec<_>>().join("&");
        let origin = format!("http://{}", self.host);
        let kind = "application/x-www-form-urlencoded";
        let mut all = vec![
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", kind),
        ];
        all.retain(|(name, _)| !headers.iter().any(|(of, _)| of == name));
        all.extend_from_slice(headers);
        self.send("POST", path, &all, &body).await
    }

    pub(crate) async fn token(&mut self, page: &Answer, token: &str) -> Answer {
        let (form, to) = (field(page, "form"), field(page, "to"));
        let fields = [("form", form.as_str()), ("to", &to), ("with", "token"), ("token", token)];
        self.post("/.ovhai/login", &fields, &[]).await
    }

    pub(crate) async fn password(&mut self, page: &Answer, user: &str, password: &str) -> Answer {
        let (form, to) = (field(page, "form"), field(page, "to"));
        let fields = [
            ("form", form.as_str()),
            ("to", &to),
            ("with", "password"),
            ("username", user),
            ("password", password),
        ];
        self.post("/.ovhai/login", &fields, &[]).await
    }

    /// A tunnel and events, of [`socket_or_events`].
    async fn open_both(&self) -> Vec<TcpStream> {
        let (host, cookies) = (&self.host, self.header());
        let mut open = Vec::new();
        for more in ["connection: upgrade\r\nupgrade: echo\r\n", ""] {
            let mut client = TcpStream::connect(self.address).await.unwrap();
            let head = format!(
                "GET / HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\ncookie: {cookies}\r\n{more}\r\n"
            );
            client.write_all(head.as_bytes()).await.unwrap();
            let mut seen = [0; 12];
            client.read_exact(&mut seen).await.unwrap();
            assert_eq!(&seen, if more.is_empty() { b"HTTP/1.1 200" } else { b"HTTP/1.1 101" });
            open.push(client);
        }
        open
    }

    /// Logs in with a token, for the tests of what comes then.
    pub(crate) async fn logged_in(mut self, token: &str) -> Self {
        let page = self.get("/").await;
        let answer = self.token(&page, token).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        self
    }
}

/// The value of a page's hidden field.
pub(crate) fn field(page: &Answer, name: &str) -> String {
    let html = page.text();
    let start = format!("name=\"{name}\" value=\"");
    let at = html.find(&start).unwrap_or_else(|| panic!("{name}: {html}")) + start.len();
    let value = &html[at..at + html[at..].find('"').unwrap()];
    value
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

pub(crate) fn is_page(answer: &Answer) -> bool {
    answer.header("content-type") == "text/html; charset=utf-8"
        && answer.text().contains("Login with token")
}

pub(crate) async fn echo(e: &TestEmulator) -> App {
    e.run_app(&[("group", "A")], json!({"image": "ovhai/echo", "name": "echo"})).await
}

pub(crate) async fn value(e: &TestEmulator, selector: &str) -> String {
    e.token("GRA", "read", Some(selector)).await.status.value.unwrap()
}

#[tokio::test]
async fn a_token_opens_the_very_address_that_was_asked_for() {
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
    for own in ["sk-own", crate::gateway::FOREIGN] {
        let own = format!("Bearer {own}");
        let seen = ann.send("GET", ASKED, &[("authorization", &own)], "").await;
        assert_eq!(seen.status, 200);
        let seen = seen.json();
        assert_eq!(seen["target"], ASKED);
        assert_eq!(seen["headers"]["cookie"], json!(["a=1; b=\"2\""]), "ours is not the app's");
        assert_eq!(seen["headers"]["authorization"], json!([own]));
    }

    // What is said outright counts.
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
async fn programs_get_json_and_never_a_page() {
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
async fn a_login_is_of_one_app_and_counts_where_its_pages_ask() {
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

/// An app that answers with what does not end: a tunnel to who asks for one, events to others.
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
async fn what_a_cookie_opened_ends_with_the_login() {
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
            // Broken off or closed.
            let mut rest = Vec::new();
            let end = tokio::time::timeout(SOON, client.read_to_end(&mut rest)).await;
            assert!(end.is_ok(), "logs out: {logs_out}");
        }
    }
    let metrics = e.call_local("GET", "/metrics", None).await.text();
    assert!(metrics.contains("ovhai_gateway_aborted_total{by=\"access\"} 4"), "{metrics}");
}

#[tokio::test]
async fn who_may_not_is_told_why() {
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

/// A password that is looked at is looked at to the end, and counts, when a client of HTTP/2 has
/// given up: otherwise nothing would bound how many are looked at.
#[tokio::test]
async fn a_login_goes_on_when_it_is_given_up() {
    const LOGINS: usize = 8;
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let user = json!({"name": "ann", "password": "a long password"});
    assert_eq!(e.call_local("POST", "/_emulator/users", Some(user)).await.status, 201);
    let mut ann = Visitor::new(&e, &app);
    let form = field(&ann.get("/").await, "form");
    let body =
        format!("form={form}&to=%2F&with=password&username=ann&password=a%20long%20password");
    let client = crate::http2::Client::connect(&e).await;
    for _ in 0..LOGINS {
        let login = crate::http2::request("POST", &ann.host, "/.ovhai/login")
            .header("cookie", ann.header())
            .header("content-length", body.len())
            .header("content-type", "application/x-www-form-urlencoded");
        let (pipe, sent) = crate::http2::pipe();
        pipe.send(crate::http2::data(body.as_bytes())).await.unwrap();
        drop(pipe);
        let mut sender = client.sender.clone();
        sender.ready().await.unwrap();
        let login = tokio::spawn(sender.send_request(login.body(sent).unwrap()));
        // Whatever was sent before these was looked at.
        for _ in 0..3 {
            let other = crate::http2::request("GET", &ann.host, "/.ovhai/");
            client.send(other.body(crate::http2::empty()).unwrap()).await;
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

    // A new password ends what the old one began, and so does the user's removal.
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
async fn a_login_with_a_token_ends_with_its_log_out_or_its_token() {
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
async fn forms_come_from_their_page() {
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

    // A browser that says nothing of origins.
    let silent = [("origin", ""), ("sec-fetch-site", "")];
    assert_eq!(ann.post("/.ovhai/login", &fields(&form), &silent).await.status, 303);
}

#[tokio::test]
async fn nobody_is_led_elsewhere() {
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
async fn tries_are_limited() {
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
async fn apps_can_not_set_our_cookies() {
    let upstream = Upstream::answering(b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: ovhai=x; Domain=ai.localhost\r\nset-cookie: =ovhai-form=x\r\nset-cookie: __Host-ovhai=x; Secure; Path=/\r\nset-cookie: b=2\r\ncontent-length: 2\r\n\r\nhi").await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[], json!({"unsecureHttp": true})).await;
    let answer = e.query(&app, None).await;
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(set, ["a=1", "b=2"]);
}

#[tokio::test]
async fn whoever_logs_in_at_an_app_that_does_not_run_sees_so() {
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

/// A clock that a test advances, by seconds.
#[derive(Debug)]
pub(crate) struct Stepped(Timestamp, AtomicI64);

impl Stepped {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Timestamp::now(), AtomicI64::new(0)))
    }

    pub(crate) fn set(&self, seconds: u64) {
        self.1.store(seconds.try_into().unwrap(), Ordering::SeqCst);
    }

    /// An emulator that lives by it.
    pub(crate) async fn emulator(self: &Arc<Self>, builder: Builder) -> TestEmulator {
        let emulator = builder.clock(Arc::clone(self) as _).start().await.unwrap();
        TestEmulator { emulator, sim: None }
    }
}

impl Clock for Stepped {
    fn now(&self) -> Timestamp {
        self.0
            .checked_add(Duration::from_secs(self.1.load(Ordering::SeqCst).unsigned_abs()))
            .unwrap()
    }
}

const LASTS: u64 = 12 * 3600;

/// What a login is worth ends by itself.
#[tokio::test]
async fn a_login_lasts_twelve_hours() {
    let clock = Stepped::new();
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
    assert_eq!(answer.status, 303, "the page that says so is a new one");
}

/// And so does everything that it opened, for every kind of login.
#[tokio::test]
async fn what_a_cookie_opened_ends_after_twelve_hours() {
    let upstream = socket_or_events().await;
    let clock = Stepped::new();
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
    let client = crate::http2::Client::connect(&e).await;
    let events =
        crate::http2::request("GET", &by_token.host, "/").header("cookie", by_token.header());
    let mut events = client.send(events.body(crate::http2::empty()).unwrap()).await;
    assert_eq!(events.status(), 200);
    // Everything is open; its time is up a second later, by whatever clock.
    clock.set(LASTS);
    for mut client in open {
        let end = tokio::time::timeout(SOON, client.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "it goes on");
    }
    let end = async { while let Some(Ok(_)) = events.frame().await {} };
    assert!(tokio::time::timeout(SOON, end).await.is_ok(), "in HTTP/2 it goes on");
    let metrics = e.call_local("GET", "/metrics", None).await.text();
    assert!(metrics.contains("ovhai_gateway_aborted_total{by=\"access\"} 5"), "{metrics}");
}
