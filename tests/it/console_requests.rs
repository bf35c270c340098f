//! The console's pages of requests.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_api_types::{App, Token};
use ovhai_test_support::console::Console;
use ovhai_test_support::raw::Client;
use ovhai_test_support::{Answer, TestEmulator, eventually};
use serde_json::json;

async fn get(e: &TestEmulator, app: &App, path: &str, token: Option<&Token>) -> Answer {
    let mut request = Request::get(path)
        .header("host", TestEmulator::host(app))
        .header("x-api-key", "k3y")
        .header("cookie", "other=c00kie");
    if let Some(token) = token {
        let value = token.status.value.as_deref().unwrap();
        request = request.header("authorization", format!("Bearer {value}"));
    }
    e.send(request.body(Full::<Bytes>::default()).unwrap()).await
}

/// The row of the list with this path.
fn row<'p>(page: &'p str, path: &str) -> &'p str {
    let link = format!(" {path}</a>");
    let at = page.find(&link).unwrap_or_else(|| panic!("{path}: {page}"));
    let (begin, end) = (page[..at].rfind("<tr").unwrap(), page[at..].find("</tr>").unwrap());
    &page[begin..at + end]
}

/// The address of the page of the request with this path, below the session's.
fn link<'p>(console: &Console, page: &'p str, path: &str) -> &'p str {
    let row = row(page, path);
    let begin = row.find(&console.base).unwrap() + console.base.len();
    row[begin..].split('"').next().unwrap()
}

async fn listed(console: &Console, query: &str, paths: &[&str]) -> String {
    eventually(&format!("{paths:?} are listed"), || async {
        let answer = console.clone().get(&format!("requests?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text();
        paths.iter().all(|path| text.contains(&format!(" {path}</a>"))).then_some(text)
    })
    .await
}

struct Apps {
    e: TestEmulator,
    a: App,
    b: App,
    reader: Token,
    other: Token,
}

impl Apps {
    async fn start() -> Self {
        let e = TestEmulator::start().await;
        let app = |name: &str| json!({"image": "ovhai/echo", "name": name, "cpu": 1});
        let (a, b) = (
            e.run_app(&[("g", "A")], app("first")).await,
            e.run_app(&[("g", "B")], app("second")).await,
        );
        let reader = e.token("GRA", "read", Some("g=A")).await;
        let other = e.token("GRA", "read", Some("g=B")).await;
        let this = Self { e, a, b, reader, other };
        for (app, path, token, status) in [
            (&this.a, "/good?secret=s3cret", Some(&this.reader), 200),
            (&this.a, "/nobody", None, 401),
            (&this.a, "/outside", Some(&this.other), 403),
            (&this.b, "/second", Some(&this.other), 200),
        ] {
            assert_eq!(get(&this.e, app, path, token).await.status, status, "{path}");
        }
        this
    }
}

#[tokio::test]
async fn the_list_tells_decisions_with_reasons_and_is_filtered_on_the_server() {
    let apps = Apps::start().await;
    let owner = Console::owner(&apps.e).await;
    let all = listed(&owner, "", &["/good", "/nobody", "/outside", "/second"]).await;
    for (path, parts) in [
        ("/good", &["allowed", ">200<", ">first<", "replica 1", " ms"][..]),
        ("/nobody", &["unauthenticated", ">401<", "anonymous", "no token"]),
        ("/outside", &["out of scope", ">403<", "outside the token&#39;s selector g=B"]),
    ] {
        for part in parts {
            assert!(row(&all, path).contains(part), "{path}: {part}: {}", row(&all, path));
        }
    }
    assert!(row(&all, "/outside").contains(&apps.other.spec.name));
    assert!(all.find("/second</a>") < all.find("/good</a>"), "newest first");
    assert!(all.contains("hx-sse:connect") && !all.contains("/v1/token"));
    // Queries, headers and token strings are not kept, nor the session in addresses of calls.
    let with_calls = listed(&owner, "all=1", &["/v1/token", "/c/-/apps"]).await;
    let segment = owner.base.split('/').nth(2).unwrap();
    let own_links = with_calls.matches(&owner.base).count();
    assert_eq!(with_calls.matches(segment).count(), own_links);
    assert!(!with_calls.contains(&format!(" {}", owner.base)), "only links have it");
    for secret in ["s3cret", "k3y", "c00kie", apps.reader.status.value.as_deref().unwrap()] {
        assert!(!with_calls.contains(secret), "{secret}");
    }
    assert!(!with_calls.contains("/c/-/requests"), "reading the list is not recorded");

    // As a script asks for it.
    let part = async |query: &str| {
        let answer = owner.clone().part(&format!("requests?{query}")).await;
        assert!(answer.status == 200 && !answer.text().contains("<html"), "{}", answer.text());
        answer.text()
    };
    let (a, reader) = (apps.a.id, apps.reader.id);
    for (query, shown) in [
        ("denied=1", &["/nobody", "/outside"][..]),
        (&format!("app={a}"), &["/good", "/nobody", "/outside"]),
        ("app=SECO", &["/second"]),
        (&format!("token={reader}"), &["/good"]),
        ("token=T", &["/good", "/outside", "/second"]),
        ("path=second&app=&denied=", &["/second"]),
        ("region=GRA&path=good", &["/good"]),
        ("region=BHS", &[]),
        ("path=%3Cscript%3E", &[]),
    ] {
        let text = part(query).await;
        for path in ["/good", "/nobody", "/outside", "/second"] {
            let is_shown = text.contains(&format!(" {path}</a>"));
            assert_eq!(is_shown, shown.contains(&path), "{query}: {path}");
        }
        assert_eq!(text.contains("No request fits"), shown.is_empty(), "{query}");
    }
    let page = owner.clone().get("requests?path=%3Cscript%3E").await.text();
    assert!(!page.contains("<script>"), "{page}");
}

#[tokio::test]
async fn a_paused_list_stays_and_counts_newer_requests() {
    let apps = Apps::start().await;
    let mut owner = Console::owner(&apps.e).await;
    let all = listed(&owner, "app=first", &["/good", "/nobody", "/outside"]).await;
    let to = all.split("paused=").nth(1).unwrap().split('"').next().unwrap();
    let query = format!("app=first&paused={to}");
    let newest: i64 = to.parse().unwrap();
    eventually("a later millisecond", || async {
        (ovhai_api_types::Timestamp::now().as_millisecond() > newest).then_some(())
    })
    .await;
    assert_eq!(get(&apps.e, &apps.a, "/later", Some(&apps.reader)).await.status, 200);
    listed(&owner, "app=first", &["/later"]).await;
    let paused = owner.get(&format!("requests?{query}")).await.text();
    assert!(!paused.contains("/later") && paused.contains("; 1 newer"), "{paused}");
    assert!(paused.contains("Paused") && !paused.contains("hx-sse:connect"));
    assert!(paused.contains(&format!("{}requests?app=first\"", owner.base)), "resume: {paused}");
    assert!(paused.contains(&format!("name=\"paused\" value=\"{newest}\"")), "filters keep it");
}

#[tokio::test]
async fn the_list_follows_new_requests() {
    let apps = Apps::start().await;
    let owner = Console::owner(&apps.e).await;
    let mut stream = Client::connect(&apps.e).await;
    let head = format!(
        "GET {}requests/live?path=new HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\r\n",
        owner.base,
        owner.visitor.host,
        owner.visitor.header()
    );
    stream.send(head).await;
    stream.until(b"No request fits").await;
    assert_eq!(get(&apps.e, &apps.a, "/new", Some(&apps.reader)).await.status, 200);
    let event = stream.until(b" /new</a>").await;
    assert!(String::from_utf8_lossy(&event).contains("data: "), "an event of its own");
}

#[tokio::test]
async fn a_token_sees_requests_to_its_apps_and_no_other_callers() {
    let apps = Apps::start().await;
    let operator = apps.e.token("GRA", "operator", Some("g=A")).await;
    assert_eq!(get(&apps.e, &apps.a, "/mine", Some(&operator)).await.status, 200);
    let console = Console::token(&apps.e, &operator).await;
    let all = listed(&console, "all=1", &["/good", "/outside", "/mine"]).await;
    for hidden in ["/second", "/v1/token", "g=B", &apps.other.id.to_string()] {
        assert!(!all.contains(hidden), "{hidden}: {all}");
    }
    assert!(row(&all, "/good").contains("(withheld)"), "{all}");
    assert!(row(&all, "/mine").contains(&operator.spec.name), "{all}");
    let by_reader = format!("requests?token={}", apps.reader.id);
    assert!(console.clone().get(&by_reader).await.text().contains("No request fits"));
    let outside = console.clone().get(link(&console, &all, "/outside")).await.text();
    assert!(outside.contains("The caller is withheld") && !outside.contains("g=B"), "{outside}");
    assert!(!outside.contains("127.0.0.1:"), "the client is withheld: {outside}");

    // The same page of another app's request does not exist for it.
    let owner = Console::owner(&apps.e).await;
    let listed_there = listed(&owner, "", &["/second"]).await;
    let second = link(&owner, &listed_there, "/second");
    assert_eq!(owner.clone().get(second).await.status, 200);
    assert_eq!(console.clone().get(second).await.status, 404);

    let mut read_only = Console::token(&apps.e, &apps.reader).await;
    let denied = read_only.get("requests").await;
    assert!(denied.status == 403 && denied.text().contains("see requests"), "{}", denied.text());
    assert_eq!(read_only.get(second).await.status, 403);
}

#[tokio::test]
async fn the_page_of_a_request_explains_it_and_has_a_curl_line() {
    let apps = Apps::start().await;
    let owner = Console::owner(&apps.e).await;
    let all = listed(&owner, "", &["/good", "/nobody", "/outside"]).await;
    let details = async |path: &str| {
        let answer = owner.clone().get(link(&owner, &all, path)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    };
    let good = details("/good").await;
    let host = TestEmulator::host(&apps.a);
    let authority = format!("{host}:{}", apps.e.address().port());
    let authority = if host.contains(':') { host } else { authority };
    let curl = format!(
        "curl --resolve {authority}:127.0.0.1 --header &#34;Authorization: Bearer $TOKEN&#34; http://{authority}/good<"
    );
    assert!(good.contains(&curl), "{curl}: {good}");
    assert!(!good.contains("s3cret") && !good.contains("k3y"), "{good}");
    assert!(good.contains(&format!("{}apps/{}\"", owner.base, apps.a.id)), "{good}");
    assert!(good.contains(&format!("requests?token={}", apps.reader.id)), "{good}");
    for part in ["<dt>Replica</dt><dd>1</dd>", "Gateway", "class=\"split\"", "<rect class=\"app\""]
    {
        assert!(good.contains(part), "{part}: {good}");
    }
    let nobody = details("/nobody").await;
    assert!(nobody.contains("The request had no credentials"), "{nobody}");
    assert!(nobody.contains(&format!("tokens/new?selector=ovh/id={}", apps.a.id)), "{nobody}");
    assert!(nobody.contains("no app was asked") && !nobody.contains("<dt>Replica"), "{nobody}");
    let outside = details("/outside").await;
    assert!(outside.contains("outside the token&#39;s selector g=B"), "{outside}");
    assert!(outside.contains("does not satisfy the token&#39;s label selector"), "{outside}");

    // Clients choose ids.
    for path in ["/one", "/two'x"] {
        let request = Request::post(path)
            .header("host", TestEmulator::host(&apps.a))
            .header("x-request-id", "../a?b#<i>")
            .header(
                "authorization",
                format!("Bearer {}", apps.reader.status.value.as_ref().unwrap()),
            )
            .body(Full::new(Bytes::from_static(b"12345")));
        assert_eq!(apps.e.send(request.unwrap()).await.status, 200);
    }
    let all = listed(&owner, "", &["/one", "/two&#39;x"]).await;
    let two = owner.clone().get(link(&owner, &all, "/two&#39;x")).await.text();
    assert!(two.contains("../a?b#&#60;i&#62;") && !two.contains("<i>"), "{two}");
    assert!(two.contains("--request POST") && two.contains("/two&#39;\\&#39;&#39;x"), "{two}");
    assert!(two.contains("The body had 5 bytes"), "{two}");
    let other = two.split("Other requests with this id").nth(1).expect("the other one");
    let begin = other.find(&owner.base).unwrap() + owner.base.len();
    let one = owner.clone().get(other[begin..].split('"').next().unwrap()).await;
    assert!(one.status == 200 && one.text().contains("POST /one"), "{}", one.text());

    let gone = owner.clone().get("requests/none").await;
    assert!(gone.status == 404 && gone.text().contains("not kept any more"), "{}", gone.text());
}

/// A form of the session that captures requests to an app.
async fn capture(console: &Console, path: &str, app: &App) -> Answer {
    console.clone().post(path, &[("app", &app.id.to_string())]).await
}

#[tokio::test]
async fn heads_are_captured_for_one_app_on_demand_without_secrets() {
    let apps = Apps::start().await;
    let mut owner = Console::owner(&apps.e).await;
    let app = format!("app={}", apps.a.id);
    let all = listed(&owner, &app, &["/good"]).await;
    let before = owner.get(link(&owner, &all, "/good")).await.text();
    assert!(before.contains("were not captured") && all.contains("Capture heads"), "{before}");

    // Tokens and pages of other sessions may not; a form without a signature neither.
    let operator = apps.e.token("GRA", "operator", None).await;
    let other = Console::token(&apps.e, &operator).await;
    assert!(!other.clone().get(&format!("requests?{app}")).await.text().contains("Capture heads"));
    let refused = capture(&other, "requests/capture", &apps.a).await.header("location").to_owned();
    let refused = other.clone().visitor.get(&refused).await.text();
    assert!(refused.contains("may not capture requests"), "{refused}");
    let address = format!("{}requests/capture", owner.base);
    let id = apps.a.id.to_string();
    assert_eq!(owner.visitor.post(&address, &[("app", &id)], &[]).await.status, 403);
    let value = operator.status.value.as_deref().unwrap();
    let control = format!("/_emulator/apps/{id}/capture");
    let by_token = Request::put(&control)
        .header("host", "localhost")
        .header("authorization", format!("Bearer {value}"))
        .body(Full::default());
    assert_eq!(apps.e.send(by_token.unwrap()).await.status, 403);

    let started = owner.change("requests/capture", &[("app", &id)]).await.text();
    assert!(started.contains("captured until") && started.contains("for local"), "{started}");
    let health = apps.e.call_local("GET", "/_emulator/health", None).await.json();
    assert_eq!(health["captured"][0]["name"], "first", "{health}");
    let target = "/seen?a=1&api_key=s3cret";
    assert_eq!(get(&apps.e, &apps.a, target, Some(&apps.reader)).await.status, 200);
    assert_eq!(get(&apps.e, &apps.b, "/unseen?a=1", Some(&apps.other)).await.status, 200);
    let all = listed(&owner, "", &["/seen", "/unseen"]).await;
    let seen = owner.get(link(&owner, &all, "/seen")).await.text();
    for part in [
        "GET /seen?a=1&#38;api_key=REDACTED\n",
        "\nx-api-key: REDACTED\n",
        "\ncookie: REDACTED\n",
        "\nauthorization: REDACTED\n",
        "/seen?a=1&#38;api_key=REDACTED&#39;<",
        "Bodies are not captured",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    for secret in ["s3cret", "k3y", "c00kie", apps.reader.status.value.as_deref().unwrap()] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
    let unseen = owner.get(link(&owner, &all, "/unseen")).await.text();
    assert!(unseen.contains("were not captured") && !unseen.contains("a=1"), "{unseen}");
    // An operator sees the request without its head.
    let all = listed(&other, "", &["/seen"]).await;
    let by_token = other.clone().get(link(&other, &all, "/seen")).await.text();
    assert!(!by_token.contains("api_key") && !by_token.contains("captured"), "{by_token}");

    // What was captured goes with the capture.
    let stopped = owner.change("requests/capture/stop", &[("app", &id)]).await.text();
    assert!(stopped.contains("not captured any more"), "{stopped}");
    let all = listed(&owner, "", &["/seen"]).await;
    assert!(owner.get(link(&owner, &all, "/seen")).await.text().contains("were not captured"));

    // Through the control endpoint, for the time that is asked for.
    for (query, status) in [("?seconds=0", 400), ("?seconds=90000", 400), ("?seconds=60", 200)] {
        let answer = apps.e.call_local("PUT", &format!("{control}{query}"), None).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
    }
    assert_eq!(apps.e.call_local("DELETE", &control, None).await.status, 204);
    let health = apps.e.call_local("GET", "/_emulator/health", None).await.json();
    assert_eq!(health["captured"], json!(null), "{health}");
    let missing = format!("/_emulator/apps/{}/capture", apps.reader.id);
    assert_eq!(apps.e.call_local("PUT", &missing, None).await.status, 404);
}

#[tokio::test]
async fn a_request_is_sent_again_as_the_holder_of_a_given_token() {
    let apps = Apps::start().await;
    let mut owner = Console::owner(&apps.e).await;
    let all = listed(&owner, "", &["/good"]).await;
    let page = link(&owner, &all, "/good").to_owned();
    assert!(owner.get(&page).await.text().contains("Edit and send"));
    let (path, at) = page.split_once('?').unwrap();
    let replay = format!("{path}/replay?{at}");
    let form = owner.get(&replay).await;
    assert!(form.status == 200 && form.text().contains("value=\"/good\""), "{}", form.text());

    let value = apps.reader.status.value.as_deref().unwrap();
    let fields = |token| {
        [
            ("method", "POST"),
            ("target", "/again?x=1"),
            ("fields", "x-one: 1\r\ncontent-type: text/plain\r\n"),
            ("body", "<b>hello</b>"),
            ("token", token),
        ]
    };
    let sent = owner.post(&replay, &fields(value)).await;
    let text = sent.text();
    assert_eq!(sent.status, 200, "{text}");
    for part in ["200 OK", "x-request-id: ", "/again?x=1", "x-one"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains(value) && !text.contains("<b>hello"), "{text}");
    let anonymous = owner.post(&replay, &fields("")).await.text();
    assert!(anonymous.contains("401 Unauthorized"), "{anonymous}");
    let listed_again = listed(&owner, "path=/again", &["/again"]).await;
    assert!(listed_again.contains(">200<"), "{listed_again}");
    for (name, value, problem) in [
        ("target", "http://evil.example/", "must begin with /"),
        ("target", "/a b", "path is not valid"),
        ("method", "A B", "method can&#39;t be sent"),
        ("fields", "host: evil.example", "can&#39;t be set here"),
        ("fields", "transfer-encoding: chunked", "can&#39;t be set here"),
        ("fields", "nothing", "not valid: nothing"),
    ] {
        let mut fields = fields("").to_vec();
        fields.iter_mut().find(|(of, _)| *of == name).unwrap().1 = value;
        let answer = owner.post(&replay, &fields).await;
        assert!(
            answer.status == 422 && answer.text().contains(problem),
            "{name}: {value}: {}",
            answer.text()
        );
    }

    let operator = apps.e.token("GRA", "operator", None).await;
    let mut other = Console::token(&apps.e, &operator).await;
    assert!(!other.get(&page).await.text().contains("Edit and send"));
    for answer in [other.get(&replay).await, other.post(&replay, &fields(value)).await] {
        assert!(
            answer.status == 403 && answer.text().contains("may not replay requests"),
            "{}",
            answer.text()
        );
    }
}
