//! The emulator logs no secrets at any log level, and stores none in plain text. With the program and
//! the files of a real installation.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_emulator::state::StateDir;
use ovhai_test_support::visitor::{Visitor, field};
use ovhai_test_support::{Answer, TestCli, http2, is_stderr_lost, send};
use serde_json::{Value, json};

use crate::OVHAI;

/// The prefix of every token string, and of every string of a session.
const ALWAYS: [&str; 3] = ["eyJhbGciOiJFZERTQSJ9.", "ovhs_", "ovhr_"];

/// An emulator in the background, and the secrets that it received or issued.
struct Told {
    cli: TestCli,
    address: SocketAddr,
    administrator: String,
    secrets: Vec<String>,
}

impl Told {
    fn start(log: &str) -> Self {
        let cli = TestCli::new(OVHAI);
        let mut start = cli.command(&["emulator", "start", "--detach"]);
        start.env("OVHAI_LOG", log).assert().success();
        let running = StateDir::new(cli.state_dir()).running().unwrap();
        let administrator = running.administrator;
        let secrets = vec![administrator.clone()];
        Self { cli, address: running.address, administrator, secrets }
    }

    /// Runs an app that needs a token; returns its host.
    fn run_app(&self) -> String {
        let labels = ["-l", "group=A", "--wait", "ovhai/echo"];
        self.cli.ok(&[&["app", "run", "--name", "echo"], &labels[..]].concat());
        let app = self.cli.json(&["app", "get", "echo"]);
        app["status"]["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned()
    }

    /// A secret of a caller's own.
    fn keep(&mut self, secret: &str) -> String {
        self.secrets.push(secret.to_owned());
        secret.to_owned()
    }

    /// A secret string in a response.
    fn given(&mut self, answer: &Answer, pointer: &str) -> String {
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.keep(answer.json().pointer(pointer).unwrap().as_str().unwrap())
    }

    async fn ask(&self, host: &str, target: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::get(target).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(self.address, request.body(Full::default()).unwrap()).await.status.as_u16()
    }

    /// Calls the API as the administrator.
    async fn call(&self, path: &str, body: Value) -> Answer {
        let request = Request::post(path)
            .header("host", "gra.ai.localhost")
            .header("authorization", format!("Bearer {}", self.administrator));
        send(self.address, request.body(Full::new(body.to_string().into())).unwrap()).await
    }

    async fn oauth(&self, path: &str, body: String) -> Answer {
        let request = Request::post(path)
            .header("host", "gra.ai.localhost")
            .header("content-type", "application/x-www-form-urlencoded");
        send(self.address, request.body(Full::new(Bytes::from(body))).unwrap()).await
    }

    /// Stops the emulator; returns its log, empty if the log can't be written, and its access log.
    fn logs(&self) -> (String, String) {
        self.cli.ok(&["emulator", "stop"]);
        let read = |name| std::fs::read_to_string(self.cli.state_dir().join(name)).unwrap();
        let log = if is_stderr_lost() { String::new() } else { read("emulator.log") };
        (log, read("access.log"))
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn no_log_contains_a_secret_at_any_level() {
    let mut told = Told::start("trace");
    let host = told.run_app();
    let status = told.cli.json(&["emulator", "status", "--show-password"]);
    told.keep(status["firstUser"]["password"].as_str().unwrap());

    // Tokens: made, renewed, used in every way, and refused.
    let spec = |group| json!({"name": "t", "role": "read", "labelSelector": group});
    let made = told.call("/v1/token", spec("group=A")).await;
    let old = told.given(&made, "/status/value");
    let renew = format!("/v1/token/{}/renew", made.json()["id"].as_str().unwrap());
    let renewed = told.call(&renew, Value::Null).await;
    let token = told.given(&renewed, "/status/value");
    let made = told.call("/v1/token", spec("group=B")).await;
    let other = told.given(&made, "/status/value");
    let (bad, own) = (told.keep("hush-nobodys-bearer"), told.keep("hush-own-bearer"));
    let (good, own) = (bearer(&token), bearer(&own));
    let second = http2::Client::to(told.address).await;
    for (headers, status) in [
        (vec![("authorization", good.as_str())], 200),
        (vec![("authorization", &bearer(&old))], 401),
        (vec![("authorization", &bearer(&other))], 403),
        (vec![("authorization", &bearer(&bad))], 401),
        (vec![("authorization", "Basic aHVzaC1iYXNpYw==")], 401),
        (vec![("authorization", &good), ("authorization", &bearer(&bad))], 401),
        (vec![("authorization", &own), ("x-ovhai-token", &token)], 200),
        (vec![("authorization", &own), ("x-ovhai-token", &old)], 401),
        (vec![("cookie", "ovhai=hush-nobodys-cookie; session=hush-own-cookie")], 401),
    ] {
        let target = "/asked?token=hush-in-the-query";
        assert_eq!(told.ask(&host, target, &headers).await, status, "{headers:?}");
        let mut request = http2::request("GET", &host, target);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = second.send(request.body(http2::empty()).unwrap()).await;
        assert_eq!(answer.status(), status, "{headers:?}");
        let at_the_api = told.ask("gra.ai.localhost", "/v1/app?x=hush-in-the-query", &headers);
        assert!([200, 401, 403].contains(&at_the_api.await));
    }
    told.secrets.push("hush-".into());
    told.secrets.push("aHVzaC1iYXNpYw".into());

    // The login page: with a token and with a password, right and wrong.
    let password = told.keep("correct horse battery staple");
    let add = ["emulator", "user", "add", "ann", "--password-from-env", "SECRET"];
    told.cli.command(&add).env("SECRET", &password).assert().success();
    let mut ann = Visitor::at(told.address, host.clone());
    let page = ann.get("/").await;
    assert_eq!(ann.token(&page, "hush-no-token").await.status, 401);
    assert_eq!(ann.password(&page, "ann", "hush-no-password").await.status, 401);
    for with_token in [true, false] {
        let page = ann.get("/").await;
        let answer = if with_token {
            ann.token(&page, &token).await
        } else {
            ann.password(&page, "ann", &password).await
        };
        assert_eq!(answer.status, 303, "{}", answer.text());
        for name in ["ovhai", "ovhai-form"] {
            told.keep(ann.cookie(name).unwrap());
        }
        told.keep(&field(&page, "form"));
        assert_eq!(ann.get("/entered").await.status, 200);
        let beside = [("authorization", own.as_str())];
        assert_eq!(ann.send("GET", "/entered", &beside, "").await.status, 200);
        let cookies = http2::request("GET", &host, "/entered").header("cookie", ann.header());
        let answer = second.send(cookies.body(http2::empty()).unwrap()).await;
        assert_eq!(answer.status(), 200);
        let account = ann.get("/.ovhai/").await;
        let form = told.keep(&field(&account, "form"));
        assert_eq!(ann.post("/.ovhai/logout", &[("form", &form)], &[]).await.status, 303);
    }

    // OAuth: logging in, going on, both refused, and the end.
    let login = |password: &str| {
        let password = password.replace(' ', "+");
        format!("grant_type=password&username=ann&password={password}")
    };
    let refresh = |string: &str| format!("grant_type=refresh_token&refresh_token={string}");
    let wrong = told.oauth("/oauth2/token", login("hush-no-password")).await;
    assert_eq!(wrong.status, 400);
    let mut session = told.oauth("/oauth2/token", login(&password)).await;
    for round in 0..2 {
        let access = told.given(&session, "/access_token");
        let string = told.given(&session, "/refresh_token");
        let headers = [("authorization", bearer(&access))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(told.ask(&host, "/session", &headers).await, 200);
        assert_eq!(told.ask("gra.ai.localhost", "/v1/me", &headers).await, 200);
        session = told.oauth("/oauth2/token", refresh(&string)).await;
        let again = told.oauth("/oauth2/token", refresh(&string)).await;
        assert_eq!(again.status, 400, "{round}");
    }
    let string = told.given(&session, "/refresh_token");
    assert_eq!(told.oauth("/oauth2/revoke", format!("token={string}")).await.status, 200);
    told.secrets.push(password.replace(' ', "+"));

    let (log, access) = told.logs();
    assert!(is_stderr_lost() || log.contains("TRACE"), "it was to say as much as it can: {log}");
    for path in ["/asked", "/entered", "/session", "/.ovhai/login", "/oauth2/token", "/v1/token"] {
        assert!(access.contains(&format!("\"path\":\"{path}\"")), "{path} is not in {access}");
    }
    for (name, text) in [("log", &log), ("access log", &access)] {
        for secret in told.secrets.iter().map(String::as_str).chain(ALWAYS) {
            // As text, or as debug output of bytes.
            let bytes = format!("{:?}", secret.as_bytes());
            let bytes = bytes.trim_matches(['[', ']']);
            let tells = |line: &&str| line.contains(secret) || line.contains(bytes);
            let line = text.lines().find(tells);
            assert!(line.is_none(), "{secret} is in the {name}: {line:?}");
        }
    }
}

/// A feature that the cloud does not have is announced at its first use.
#[tokio::test]
async fn extensions_of_the_cloud_api_are_announced_once() {
    let mut told = Told::start("info");
    let host = told.run_app();
    let made = told.call("/v1/token", json!({"name": "t", "role": "read"})).await;
    let token = told.given(&made, "/status/value");
    let apart = ("x-ovhai-token", token.as_str());
    let own = ("authorization", "Bearer sk-own");
    let mut ann = Visitor::at(told.address, host.clone());
    let page = ann.get("/").await;
    assert_eq!(ann.token(&page, &token).await.status, 303);
    let warnings = |log: &str| {
        [
            "a token came in X-OVHAI-Token: the cloud accepts Authorization only, and would refuse it",
            "a login cookie came with an app's own Authorization: whether the cloud passes both on is not documented",
        ]
        .map(|warning| log.lines().filter(|line| line.contains(warning)).count())
    };
    // Features of the cloud are not announced.
    assert_eq!(ann.get("/").await.status, 200);
    let bearer = bearer(&token);
    assert_eq!(told.ask(&host, "/", &[("authorization", &bearer)]).await, 200);
    if !is_stderr_lost() {
        let so_far = told.cli.ok(&["emulator", "logs"]);
        assert!(so_far.contains("the emulator runs"), "{so_far}");
        assert_eq!(warnings(&so_far), [0, 0], "{so_far}");
    }
    for _ in 0..3 {
        assert_eq!(told.ask(&host, "/", &[own, apart]).await, 200);
        assert_eq!(ann.send("GET", "/", &[own], "").await.status, 200);
    }
    let (log, _) = told.logs();
    assert!(is_stderr_lost() || warnings(&log) == [1, 1], "{log}");
    assert!(is_stderr_lost() || log.matches(" WARN ").count() == 2, "and nothing else: {log}");
}
