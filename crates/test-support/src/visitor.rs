//! A browser at an app, as a program: it keeps cookies and fills in the login form.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_api_types::App;
use serde_json::json;

use crate::raw::Client;
use crate::{Answer, TestEmulator, send};

/// A bearer that an app's own issuer signed, with the same algorithm as ours.
pub const FOREIGN: &str = concat!(
    "eyJhbGciOiJFZERTQSJ9",
    ".",
    "eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJzdWIiOiJhbm4ifQ.AAAA"
);

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A browser at one app: it keeps cookies, and sends the headers that name a request's origin.
#[derive(Debug, Clone)]
pub struct Visitor {
    address: SocketAddr,
    /// The host of the app's address.
    pub host: String,
    /// Names and values of its cookies.
    pub cookies: Vec<(String, String)>,
}

impl Visitor {
    /// At an app.
    pub fn new(e: &TestEmulator, app: &App) -> Self {
        Self::at(e.address(), TestEmulator::host(app))
    }

    /// At any host.
    pub fn at(address: SocketAddr, host: String) -> Self {
        Self { address, host, cookies: Vec::new() }
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    /// The value of its `Cookie` header.
    pub fn header(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Sends a request. `headers` override what a browser would send; an empty value removes one.
    pub async fn send(
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

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Sends a form.
    pub async fn post(
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

    /// Logs in with a token, on a login page.
    pub async fn token(&mut self, page: &Answer, token: &str) -> Answer {
        let (form, to) = (field(page, "form"), field(page, "to"));
        let fields = [("form", form.as_str()), ("to", &to), ("with", "token"), ("token", token)];
        self.post("/.ovhai/login", &fields, &[]).await
    }

    /// Logs in with a password, on a login page.
    pub async fn password(&mut self, page: &Answer, user: &str, password: &str) -> Answer {
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

    /// Opens a tunnel, and a stream of events, at an app that answers with 101 and with 200.
    pub async fn open_both(&self) -> Vec<Client> {
        let (host, cookies) = (&self.host, self.header());
        let mut open = Vec::new();
        for more in ["connection: upgrade\r\nupgrade: echo\r\n", ""] {
            let mut client = Client::to(self.address).await;
            let head = format!(
                "GET / HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\ncookie: {cookies}\r\n{more}\r\n"
            );
            client.send(head).await;
            let status = client.answer_head().await.status();
            assert_eq!(status, if more.is_empty() { 200 } else { 101 });
            open.push(client);
        }
        open
    }

    /// A visitor that is logged in with a token.
    pub async fn logged_in(mut self, token: &str) -> Self {
        let page = self.get("/").await;
        let answer = self.token(&page, token).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        self
    }
}

/// The value of a page's hidden field.
pub fn field(page: &Answer, name: &str) -> String {
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

/// Whether an answer is the login page.
pub fn is_page(answer: &Answer) -> bool {
    answer.header("content-type") == "text/html; charset=utf-8"
        && answer.text().contains("Login with token")
}

/// Runs an app that shows requests, with the label group=A.
pub async fn echo(e: &TestEmulator) -> App {
    e.run_app(&[("group", "A")], json!({"image": "ovhai/echo", "name": "echo"})).await
}

/// The string of a new token that may read the apps of a selector.
pub async fn value(e: &TestEmulator, selector: &str) -> String {
    e.token("GRA", "read", Some(selector)).await.status.value.unwrap()
}
