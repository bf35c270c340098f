//! Session affinity: which replica serves a client, and what its cookie reveals.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty, Full};
use hyper::Request;
use hyper::client::conn::http2;
use hyper::header::{AUTHORIZATION, COOKIE, HOST};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ovhai_api_types::App;
use ovhai_core::ports::{Blame, ReplicaEndpoint, ReplicaEvent};
use ovhai_runtime::SimRuntime;
use ovhai_test_support::raw::{Client, get};
use ovhai_test_support::{Answer, TestEmulator, Upstream, eventually};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Two replicas that answer with their names, try to set the gateway's cookie, and record the cookies
/// that they received.
struct Two {
    e: TestEmulator,
    sim: SimRuntime,
    app: App,
    saw: Arc<Mutex<Vec<String>>>,
    _upstreams: [Upstream; 2],
}

async fn replica(name: &'static str, saw: &Arc<Mutex<Vec<String>>>) -> Upstream {
    let saw = Arc::clone(saw);
    Upstream::start(move |mut stream| {
        let saw = Arc::clone(&saw);
        async move {
            while let Some(head) = Upstream::head(&mut stream).await {
                let cookie = ovhai_test_support::raw::header(&head, "cookie").unwrap_or_default();
                saw.lock().unwrap().push(cookie.to_owned());
                let answer = if ovhai_test_support::raw::header(&head, "upgrade").is_some() {
                    format!("HTTP/1.1 101 Go\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-name: {name}\r\n\r\n")
                } else {
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nset-cookie: ovhai-affinity-0=forged\r\nset-cookie: own=1\r\n\r\n{name}", name.len())
                };
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

impl Two {
    async fn start(more: Value) -> Self {
        let saw = Arc::new(Mutex::new(Vec::new()));
        let upstreams = [replica("one", &saw).await, replica("two", &saw).await];
        let sim = SimRuntime::step_by_step();
        let e = TestEmulator::with_sim(sim.clone()).await;
        let mut spec = json!({"scalingStrategy": {"fixed": {"replicas": 2}}});
        for (name, value) in more.as_object().into_iter().flatten() {
            spec[name] = value.clone();
        }
        let app = e.submit(&[], spec).await;
        e.wait(&app, "INITIALIZING").await;
        for (number, upstream) in [(1, &upstreams[0]), (2, &upstreams[1])] {
            sim.report(number, &ReplicaEvent::Ready(ReplicaEndpoint::new(upstream.address())));
        }
        let app = e.wait(&app, "RUNNING").await;
        Self { e, sim, app, saw, _upstreams: upstreams }
    }

    async fn ask(&self, cookie: Option<&str>, bearer: Option<&str>) -> Answer {
        let mut request = Request::get("/").header(HOST, TestEmulator::host(&self.app));
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        if let Some(bearer) = bearer {
            request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let answer = self.e.send(request.body(Full::default()).unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// The name of the replica that serves a client with this cookie, the same for ten requests.
    async fn stays(&self, cookie: &str) -> String {
        let mut names = HashSet::new();
        for _ in 0..10 {
            let answer = self.ask(Some(cookie), None).await;
            assert_eq!(pins(&answer), Vec::<String>::new(), "it has its cookie");
            names.insert(answer.text());
        }
        assert_eq!(names.len(), 1, "{names:?}");
        names.into_iter().next().unwrap()
    }
}

fn cookies(answer: &Answer) -> Vec<String> {
    let all = answer.headers.get_all("set-cookie").iter();
    all.map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// The gateway's cookies that an answer sets.
fn pins(answer: &Answer) -> Vec<String> {
    cookies(answer).into_iter().filter(|cookie| cookie.contains("affinity")).collect()
}

fn pair(set_cookie: &str) -> String {
    set_cookie.split(';').next().unwrap().to_owned()
}

const COOKIE_MODE: &str = r#"{"unsecureHttp": true, "sessionAffinity": "cookie"}"#;

fn by_cookie() -> Value {
    serde_json::from_str(COOKIE_MODE).unwrap()
}

#[tokio::test]
async fn a_cookie_pins_a_client_to_a_replica_and_reveals_nothing() {
    let two = Two::start(by_cookie()).await;
    let (mut names, mut values) = (HashSet::new(), HashSet::new());
    let id = two.app.id.to_string();
    for _ in 0..6 {
        let answer = two.ask(Some("a=1"), None).await;
        let set = cookies(&answer);
        assert_eq!(set[0], "own=1", "the app's own passes, one of the gateway's name does not");
        assert_eq!(set.len(), 2, "{set:?}");
        let (pair, attributes) = set[1].split_once("; ").unwrap();
        assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax");
        let value = pair.strip_prefix(&format!("ovhai-affinity-{}=", &id[..8])).unwrap();
        assert_eq!(value.len(), 48, "{value}");
        assert!(
            values.insert(value.to_owned()),
            "never the same twice, so that none can be counted"
        );
        let name = two.stays(&format!("a=1; {pair}; b=2")).await;
        assert_eq!(name, answer.text());
        names.insert(name);
    }
    assert_eq!(names.len(), 2, "clients are spread");
    let saw = two.saw.lock().unwrap().clone();
    let expected = HashSet::from(["a=1".to_owned(), "a=1; b=2".to_owned()]);
    assert_eq!(HashSet::from_iter(saw), expected, "the app never sees it");
    // A foreign cookie, or another app's, does not count: the client gets a new one.
    let other = two.e.submit(&[], by_cookie()).await;
    let (mine, others) = (&id[..8], &other.id.to_string()[..8]);
    assert_ne!(mine, others);
    let value = values.iter().next().unwrap();
    let mut forged = value.clone();
    forged.replace_range(20..21, if &value[20..21] == "A" { "B" } else { "A" });
    for bad in [forged.as_str(), "1", "", "AAAA"] {
        let answer = two.ask(Some(&format!("ovhai-affinity-{mine}={bad}")), None).await;
        assert_eq!(pins(&answer).len(), 1, "{bad:?}");
    }
    let answer = two.ask(Some(&format!("ovhai-affinity-{others}={value}")), None).await;
    assert_eq!(pins(&answer).len(), 1, "by another app's name");
    // A cookie that a page of another app planted does not hide it.
    let planted = format!("ovhai-affinity-{mine}=x; ovhai-affinity-{mine}={value}");
    two.stays(&planted).await;
}

#[tokio::test]
async fn another_replica_takes_over_when_the_pinned_one_stops() {
    let two = Two::start(by_cookie()).await;
    let mut first = None;
    while first.is_none() {
        let answer = two.ask(None, None).await;
        first = (answer.text() == "one").then(|| pair(&pins(&answer)[0]));
    }
    let first = first.unwrap();
    assert_eq!(two.stays(&first).await, "one");
    two.sim.exit(1, Blame::User, "gone");
    let moved = eventually("the other one takes over", || async {
        let answer = two.ask(Some(&first), None).await;
        (answer.text() == "two").then(|| pins(&answer))
    })
    .await;
    assert_eq!(two.stays(&pair(&moved[0])).await, "two");
}

#[tokio::test]
async fn all_protocols_share_the_cookie() {
    let two = Two::start(by_cookie()).await;
    let host = TestEmulator::host(&two.app);
    let pinned = two.ask(None, None).await;
    let cookie = pair(&pins(&pinned)[0]);

    let stream = TcpStream::connect(two.e.address()).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut names = HashSet::new();
    for at in 0..6 {
        let mut request = Request::get(format!("http://{host}/"));
        if at > 1 {
            // One field for each cookie, as browsers send them.
            request = request.header(COOKIE, "a=1").header(COOKIE, &cookie);
        }
        let answer = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap());
        let answer = answer.await.unwrap();
        let set = answer.headers().get_all("set-cookie").iter().count();
        assert_eq!(set, if at > 1 { 1 } else { 2 }, "{:?}", answer.headers());
        let name = answer.into_body().collect().await.unwrap().to_bytes();
        if at > 1 {
            names.insert(String::from_utf8(name.to_vec()).unwrap());
        }
    }
    assert_eq!(names, HashSet::from([pinned.text()]));

    let upgrade = |cookie: &str| {
        format!(
            "GET / HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n{cookie}\r\n"
        )
    };
    let mut client = Client::connect(&two.e).await;
    client.send(upgrade("")).await;
    let answer = client.answer().await;
    assert_eq!(answer.status(), 101);
    assert!(answer.head.contains("set-cookie: ovhai-affinity-"), "{}", answer.head);
    for _ in 0..4 {
        let mut client = Client::connect(&two.e).await;
        client.send(upgrade(&format!("cookie: {cookie}\r\n"))).await;
        let answer = client.answer().await;
        assert_eq!(answer.status(), 101);
        let name = ovhai_test_support::raw::header(&answer.head, "x-name").unwrap();
        assert_eq!(name, pinned.text());
        assert!(!answer.head.contains("set-cookie"), "{}", answer.head);
    }
    let saw = two.saw.lock().unwrap().clone();
    assert!(saw.iter().all(|cookie| !cookie.contains("ovhai")), "{saw:?}");
}

#[tokio::test]
async fn a_token_keeps_its_replica_and_tokens_are_spread_over_replicas() {
    let two = Two::start(json!({"sessionAffinity": "token"})).await;
    let mut names = HashSet::new();
    for _ in 0..12 {
        let token = two.e.token("GRA", "read", None).await.status.value.unwrap();
        let mut of_token = HashSet::new();
        for _ in 0..5 {
            let answer = two.ask(None, Some(&token)).await;
            assert!(pins(&answer).is_empty(), "no cookie is needed");
            of_token.insert(answer.text());
        }
        assert_eq!(of_token.len(), 1, "{of_token:?}");
        names.extend(of_token);
    }
    assert_eq!(names.len(), 2);
}

/// Switching it on and off replaces no replica.
#[tokio::test]
async fn session_affinity_is_off_by_default() {
    let two = Two::start(json!({"unsecureHttp": true})).await;
    assert_eq!(two.app.spec.session_affinity, None);
    let mut client = Client::connect(&two.e).await;
    let mut names = Vec::new();
    for _ in 0..4 {
        client.send(get(&TestEmulator::host(&two.app), "/")).await;
        let answer = client.answer().await;
        assert!(!answer.head.contains("affinity"), "{}", answer.head);
        names.push(answer.text());
    }
    assert_eq!((&names[0], &names[1]), (&names[2], &names[3]), "each in its turn: {names:?}");
    assert_ne!(names[0], names[1]);
    let path = format!("/v1/app/{}", two.app.id);
    for (given, wanted) in [("cookie", 1), ("token", 0), ("none", 0)] {
        let update = json!({"appUpdate": {"sessionAffinity": given}});
        assert_eq!(two.e.admin("PUT", &path, Some(update)).await.status, 200);
        assert_eq!(pins(&two.ask(None, None).await).len(), wanted, "{given}");
    }
    assert_eq!(two.sim.launched().len(), 2);
    let spec = two.e.app(&two.app).await.spec;
    assert_eq!(spec.session_affinity, None, "none is as good as nothing said");
    let bad = json!({"appUpdate": {"sessionAffinity": "ip"}});
    assert_eq!(two.e.admin("PUT", &path, Some(bad)).await.status, 400);
}
