//! Access that is revoked during a request: everything that is open ends, however busy it is, even
//! before the app answers.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use bytes::Bytes;
use http_body_util::BodyExt;
use ovhai_api_types::{App, AppState, Token};
use ovhai_core::policy::Principal;
use ovhai_core::ports::{
    BoxFuture, CommitError, CommitWatch, Loaded, Revision, Store, StoreError, Write,
};
use ovhai_runtime::SimRuntime;
use ovhai_test_support::raw::{Client, SOON};
use ovhai_test_support::stores::{SilentWatch, used_store};
use ovhai_test_support::{TestEmulator, Upstream, eventually, http2};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

/// An app that is played, and a token that opens it.
struct Opened {
    e: TestEmulator,
    app: App,
    token: Token,
    /// Reports each request, and the end of its connection.
    said: mpsc::UnboundedReceiver<&'static str>,
    _upstream: Upstream,
}

impl Opened {
    /// An app that answers only requests for `/endless`.
    async fn start() -> Self {
        let (say, said) = mpsc::unbounded_channel();
        let upstream = Upstream::start(move |mut stream| {
            let say = say.clone();
            async move {
                let head = Upstream::head(&mut stream).await.unwrap();
                say.send("asked").unwrap();
                if head.starts_with("GET /endless") {
                    let head = b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\n\r\n";
                    stream.write_all(head).await.unwrap();
                    let piece = vec![7; 256 * 1024];
                    while stream.write_all(&piece).await.is_ok() {}
                } else {
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                }
                say.send("gone").unwrap();
            }
        })
        .await;
        let e = TestEmulator::with_apps_at(upstream.address()).await;
        let app = e.run_app(&[("group", "A")], json!({})).await;
        let token = e.token("GRA", "read", Some("group=A")).await;
        Self { e, app, token, said, _upstream: upstream }
    }

    fn host(&self) -> String {
        TestEmulator::host(&self.app)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token.status.value.as_ref().unwrap())
    }

    async fn hears(&mut self, what: &str) {
        let said = tokio::time::timeout(SOON, self.said.recv()).await.expect(what);
        assert_eq!(said, Some(what));
    }

    async fn delete_token(&self) {
        let path = format!("/v1/token/{}", self.token.id);
        assert_eq!(self.e.admin("DELETE", &path, None).await.status, 204);
    }
}

/// Even if the app always has more to send than its client reads.
#[tokio::test]
async fn a_busy_stream_ends_when_its_token_is_revoked() {
    let mut opened = Opened::start().await;
    let client = http2::Client::connect(&opened.e).await;
    let asked = http2::request("GET", &opened.host(), "/endless")
        .header("authorization", opened.bearer())
        .body(http2::empty())
        .unwrap();
    let mut answer = client.send(asked).await;
    assert_eq!(answer.status(), 200);
    let mut got = 0;
    while got < 10_000_000 {
        let frame = answer.frame().await.unwrap().unwrap();
        got += frame.data_ref().map_or(0, Bytes::len);
    }
    opened.delete_token().await;
    let broken_off = async {
        while let Some(frame) = answer.frame().await {
            if frame.is_err() {
                return true;
            }
            // Slower than the app, which always has more to send.
            tokio::task::yield_now().await;
        }
        false
    };
    assert!(tokio::time::timeout(SOON, broken_off).await.expect("an end"));
    opened.hears("asked").await;
    opened.hears("gone").await;
}

/// A slow app, or one that reads for ever, is abandoned when the caller's access is revoked.
#[tokio::test]
async fn a_request_in_flight_ends_when_its_token_is_revoked() {
    for more in ["", "content-length: 100000\r\n", "transfer-encoding: chunked\r\n"] {
        let mut opened = Opened::start().await;
        let mut client = Client::connect(&opened.e).await;
        let (host, bearer) = (opened.host(), opened.bearer());
        let head = format!("POST / HTTP/1.1\r\nhost: {host}\r\nauthorization: {bearer}\r\n{more}");
        client.send(format!("{head}\r\n")).await;
        opened.hears("asked").await;
        opened.delete_token().await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), 403, "{more} {}", answer.text());
        opened.hears("gone").await;
    }
}

#[tokio::test]
async fn http2_streams_end_when_their_token_is_revoked() {
    for has_body in [false, true] {
        let mut opened = Opened::start().await;
        let client = http2::Client::connect(&opened.e).await;
        let (pipe, body) = http2::pipe();
        let given = http2::request("POST", &opened.host(), "/")
            .header("authorization", opened.bearer())
            .body(if has_body { body } else { http2::empty() })
            .unwrap();
        let taken_away = async {
            opened.hears("asked").await;
            opened.delete_token().await;
        };
        let (answer, ()) = tokio::join!(client.send(given), taken_away);
        assert_eq!(answer.status(), 403);
        opened.hears("gone").await;
        drop(pipe);
    }
}

/// An idle tunnel: each byte comes back.
struct Tunnel(Client);

impl Tunnel {
    async fn open(e: &TestEmulator, app: &App, bearer: &str) -> Self {
        let mut client = Client::connect(e).await;
        let host = TestEmulator::host(app);
        let head = format!("GET / HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {bearer}\r\n");
        client.send(format!("{head}connection: upgrade\r\nupgrade: echo\r\n\r\n")).await;
        assert_eq!(client.answer_head().await.status(), 101);
        Self(client)
    }

    async fn is_open(&mut self) -> bool {
        self.0.send("x").await;
        let back = tokio::time::timeout(SOON, self.0.0.read_u8()).await.expect("an answer");
        back.ok() == Some(b'x')
    }

    async fn ends(&mut self) {
        let end = tokio::time::timeout(SOON, self.0.0.read_u8()).await.expect("an end");
        assert!(end.is_err(), "{end:?}");
    }
}

/// Each ends the tunnels that it concerns, and no others.
#[tokio::test]
async fn idle_tunnels_end_when_their_access_is_revoked() {
    let upstream = Upstream::start(|mut stream| async move {
        let _ = Upstream::head(&mut stream).await;
        let head =
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let mut piece = [0; 64];
        while let Ok(n @ 1..) = stream.read(&mut piece).await {
            stream.write_all(&piece[..n]).await.unwrap();
        }
    })
    .await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[("group", "A")], json!({})).await;
    let other = e.run_app(&[("group", "A")], json!({})).await;
    let mut bearers = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let token = e.token("GRA", "read", Some("group=A")).await;
        bearers.push(token.status.value.unwrap());
        ids.push(token.id);
    }
    for name in ["ann", "bob", "eve"] {
        let user = json!({"name": name, "password": "a long password"});
        assert_eq!(e.call_local("POST", "/_emulator/users", Some(user)).await.status, 201);
        let form = format!("grant_type=password&username={name}&password=a+long+password");
        let login = e.form("/oauth2/token", &form).await.json();
        bearers.push(login["access_token"].as_str().unwrap().to_owned());
    }
    let mut tunnels = Vec::new();
    for bearer in &bearers {
        tunnels.push(Tunnel::open(&e, &app, bearer).await);
    }
    let mut elsewhere = Tunnel::open(&e, &other, &bearers[2]).await;
    let revoke = format!("token={}", bearers[3]);
    let relabel = json!({"name": "group", "value": "B"});
    let label = format!("/v1/app/{}/label", app.id);
    let password = json!({"password": "another password"});
    for ended in 0..5 {
        let done = match ended {
            0 => e.admin("POST", &format!("/v1/token/{}/renew", ids[0]), None).await,
            1 => e.admin("DELETE", &format!("/v1/token/{}", ids[1]), None).await,
            // Out of its scope; the next ones are users, who have none.
            2 => e.admin("PUT", &label, Some(relabel.clone())).await,
            3 => e.form("/oauth2/revoke", &revoke).await,
            _ => {
                let path = "/_emulator/users/bob/password";
                e.call_local("PUT", path, Some(password.clone())).await
            }
        };
        assert!(done.status.is_success(), "{ended}: {}", done.text());
        tunnels[ended].ends().await;
        for tunnel in &mut tunnels[ended + 1..] {
            assert!(tunnel.is_open().await, "{ended}");
        }
        assert!(elsewhere.is_open().await, "{ended}");
    }
    assert_eq!(e.call_local("DELETE", "/_emulator/users/eve", None).await.status, 204);
    tunnels[5].ends().await;
    assert!(elsewhere.is_open().await);
    let path = format!("/v1/app/{}?force=true", other.id);
    assert_eq!(e.admin("DELETE", &path, None).await.status, 204);
    elsewhere.ends().await;
}

/// A followed log, too.
#[tokio::test]
async fn a_followed_log_ends_when_its_token_is_revoked() {
    let e = TestEmulator::start().await;
    let app = e.submit(&[("group", "A")], json!({})).await;
    let operator = e.token("GRA", "operator", Some("group=A")).await;
    let mut client = Client::connect(&e).await;
    let (id, bearer) = (app.id, operator.status.value.unwrap());
    let head = format!("GET /v1/app/{id}/log?follow=true HTTP/1.1\r\nhost: gra.ai.localhost\r\n");
    client.send(format!("{head}authorization: Bearer {bearer}\r\n\r\n")).await;
    assert_eq!(client.answer_head().await.status(), 200);
    let renew = format!("/v1/token/{}/renew", operator.id);
    assert_eq!(e.admin("POST", &renew, None).await.status, 200);
    let mut rest = Vec::new();
    let end = async {
        while !rest.ends_with(b"0\r\n\r\n") {
            rest.push(client.0.read_u8().await.unwrap());
        }
    };
    tokio::time::timeout(SOON, end).await.expect("an end");
}

/// Commits one batch for each permit.
struct Counted {
    begun: Arc<AtomicUsize>,
    permits: Arc<Semaphore>,
}

impl Store for Counted {
    fn load(&self) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        Box::pin(async { Ok(used_store()) })
    }

    fn commit(&self, _: Vec<Write>) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.permits.acquire().await.unwrap().forget();
            Ok(Revision(2))
        })
    }

    fn watch(&self, _: Revision) -> Box<dyn CommitWatch> {
        Box::new(SilentWatch)
    }
}

/// Other changes may delay the app's reconciler; an acknowledged revocation counts immediately.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledged_revocation_counts_while_other_changes_are_stored() {
    let upstream = Upstream::start(move |mut stream| async move {
        while Upstream::head(&mut stream).await.is_some() {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    })
    .await;
    let (begun, permits) = (Arc::default(), Arc::new(Semaphore::new(1000)));
    let store = Counted { begun: Arc::clone(&begun), permits: Arc::clone(&permits) };
    let builder = TestEmulator::builder()
        .store(Arc::new(store))
        .runtime(Arc::new(SimRuntime::automatic(upstream.address())));
    let e = TestEmulator { emulator: builder.start().await.unwrap(), sim: None };
    let platform = Arc::clone(e.emulator.platform());
    let admin = Principal::Administrator { user: platform.settings().user.clone() };
    let region = platform.default_region().unwrap().clone();
    let other = e.run_app(&[], json!({})).await;
    let token = e.token("GRA", "read", Some("group=A")).await.status.value.unwrap();
    for (action, body, status) in [
        ("PUT stop", None, 503),
        ("DELETE ?force=true", None, 503),
        ("PUT label", Some(json!({"name": "group", "value": "B"})), 403),
    ] {
        let app = e.run_app(&[("group", "A")], json!({})).await;
        assert_eq!(e.query(&app, Some(&token)).await.status, 200, "{action}");
        // Nothing is in flight; from now on each commit waits for the test.
        while permits.try_acquire().map(SemaphorePermit::forget).is_ok() {}
        let before = begun.load(Ordering::SeqCst);
        let begins = |many: usize| {
            let begun = Arc::clone(&begun);
            eventually("a commit begins", move || {
                let is_there = begun.load(Ordering::SeqCst) >= before + many;
                std::future::ready(is_there.then_some(()))
            })
        };
        let (method, path) = action.split_once(' ').unwrap();
        let slash = if path.starts_with('?') { "" } else { "/" };
        let path = format!("/v1/app/{}{slash}{path}", app.id);
        let changed = e.admin(method, &path, body);
        let release = async {
            begins(1).await;
            // It is in the queue when it was polled once, before anything that follows the change.
            let update =
                serde_json::from_value(json!({"name": "n", "value": action.split(' ').next()}));
            let label = [update.unwrap()];
            let mut noise = Box::pin(platform.label_app(&admin, &region, other.id, &label));
            let waits =
                std::future::poll_fn(|cx| Poll::Ready(noise.as_mut().poll(cx).is_pending()));
            assert!(waits.await);
            permits.add_permits(1);
            begins(2).await;
        };
        let (answer, ()) = tokio::join!(changed, release);
        assert!(answer.status.is_success(), "{action}: {}", answer.text());
        let answer = e.query(&app, Some(&token)).await;
        assert_eq!(answer.status, status, "{action}: {}", answer.text());
        permits.add_permits(1000);
        eventually("the app is at its end", || async {
            let snapshot = platform.snapshot();
            let state = snapshot.app(app.id).map(|entry| entry.record.state);
            matches!(state, None | Some(AppState::Stopped | AppState::Running)).then_some(())
        })
        .await;
    }
}
