//! The console's pages of apps, with a browser's requests.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use ovhai_core::ports::ReplicaUsage;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::console::Console;
use ovhai_test_support::raw::Client;
use ovhai_test_support::visitor::{Visitor, field};
use ovhai_test_support::{Answer, TestCli, TestEmulator, eventually};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::OVHAI;

/// The text of the element that is opened by `start`, as the page shows it.
fn text_of(page: &Answer, start: &str) -> String {
    let html = page.text();
    let at = html.find(start).unwrap_or_else(|| panic!("{start}: {html}")) + start.len();
    let text = &html[at..at + html[at..].find('<').unwrap()];
    let text = text.replace("&#34;", "\"").replace("&#39;", "'");
    text.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

async fn apps(e: &TestEmulator) -> usize {
    e.admin("GET", "/v1/app", None).await.json()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_list_is_filtered_on_the_server() {
    let e = TestEmulator::start().await;
    for (name, group) in [("red", "A"), ("green", "B"), ("blue", "B")] {
        e.run_app(&[("group", group)], json!({"name": name})).await;
    }
    let stopped = e.run_app(&[], json!({"name": "grey"})).await;
    e.admin("PUT", &format!("/v1/app/{}/stop", stopped.id), None).await;
    e.wait(&stopped, "STOPPED").await;
    let mut owner = Console::owner(&e).await;
    for (query, shown) in [
        ("", &["red", "green", "blue", "grey"][..]),
        ("q=GRE", &["green", "grey"]),
        ("state=STOPPED", &["grey"]),
        ("selector=group%3DB", &["green", "blue"]),
        ("selector=group%3DB&q=lu", &["blue"]),
        ("region=BHS", &[]),
    ] {
        for page in
            [owner.get(&format!("apps?{query}")).await, owner.part(&format!("apps?{query}")).await]
        {
            assert_eq!(page.status, 200, "{query}");
            let html = page.text();
            for name in ["red", "green", "blue", "grey"] {
                let is_shown = html.contains(&format!("class=\"name\">{name}<"));
                assert_eq!(is_shown, shown.contains(&name), "{query}: {name}");
            }
        }
    }
    let wrong = owner.get("apps?selector=group%3DA%2C%2C").await.text();
    assert!(
        wrong.contains("The label selector is not valid") && wrong.contains("<mark>"),
        "{wrong}"
    );
}

#[tokio::test]
async fn the_list_has_pages() {
    let e = TestEmulator::start().await;
    for number in 0..27 {
        e.submit(&[], json!({"name": format!("app-{number}")})).await;
    }
    let mut owner = Console::owner(&e).await;
    let first = owner.get("apps").await.text();
    assert!(first.contains("1–25 of 27") && first.contains("app-26<") && !first.contains("app-1<"));
    let second = owner.get("apps?page=2").await.text();
    assert!(second.contains("26–27 of 27") && second.contains("app-0<"), "{second}");
}

/// Every field that the form has, with values other than a new form's.
const ALL: &[(&str, &str)] = &[
    ("name", "it's all"),
    ("region", "BHS"),
    ("flavor", "ai1-1-cpu"),
    ("units", "2"),
    ("image", "me/app:1"),
    ("scaling", "automatic"),
    ("min", "0"),
    ("max", "3"),
    ("metric", "CUSTOM"),
    ("custom-url", "http://<SELF>:8080/metrics"),
    ("custom-format", "PROMETHEUS"),
    ("custom-location", "queue.length"),
    ("custom-target", "7"),
    ("custom-aggregation", "MAX"),
    ("up-window", "10"),
    ("down-window", "20"),
    ("cooldown", "60"),
    ("http-port", "9000"),
    ("grpc-port", "9001"),
    ("access", "public"),
    ("command", "sh -c 'echo \"$A\"'"),
    ("env-name", "A"),
    ("env-value", "b c\r\nd"),
    ("env-name", ""),
    ("env-value", ""),
    ("label-key", "group"),
    ("label-value", "A"),
    ("label-key", "example.org/team"),
    ("label-value", ""),
    ("probe-path", "/health"),
    ("probe-port", "9002"),
    ("max-surge", "1"),
    ("max-unavailable", "50%"),
    ("deadline", "30"),
    ("affinity", "cookie"),
    ("workdir", "/tmp"),
    ("reload", ""),
    ("pull", "never"),
    ("publish", "9090, 9091"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_shown_command_makes_the_same_app() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["emulator", "start", "--detach"]);
    let link = cli.ok(&["emulator", "open", "--url"]);
    let (host, path) = link.trim().strip_prefix("http://").unwrap().split_once('/').unwrap();
    let port: u16 = host.rsplit_once(':').unwrap().1.parse().unwrap();
    let mut visitor = Visitor::at(([127, 0, 0, 1], port).into(), host.to_owned());
    let page = visitor.get(&format!("/{path}")).await;
    let code = field(&page, "code");
    let begun = visitor.post("/console/open", &[("code", &code), ("to", "apps/new")], &[]).await;
    let to = begun.header("location").to_owned();
    let base = to.strip_suffix("apps/new").unwrap().to_owned();
    let form = field(&visitor.get(&to).await, "form");
    let mut owner = Console { visitor, base, form };

    let summary = owner.post("apps/preview", ALL).await;
    assert_eq!(summary.status, 200, "{}", summary.text());
    let command = text_of(&summary, "<code id=\"line\">");
    let created = owner.post("apps/new", ALL).await;
    assert_eq!(created.status, 303, "{}", created.text());
    let words = shlex::split(&command).unwrap_or_else(|| panic!("{command}"));
    assert_eq!(words[0], "ovhai");
    let words: Vec<_> = words[1..].iter().map(String::as_str).collect();
    // Whether the app can run here is another question.
    cli.command(&words).output().unwrap();

    let list = cli.json(&["app", "list", "--region", "BHS", "--output", "json"]);
    let list =
        list.as_array().or_else(|| list["items"].as_array()).unwrap_or_else(|| panic!("{list}"));
    assert_eq!(list.len(), 2, "{command}");
    let spec = |app: &Value| {
        let mut spec = app["spec"].clone();
        spec["labels"].as_object_mut().unwrap().remove("ovh/id");
        spec
    };
    assert_eq!(spec(&list[0]), spec(&list[1]), "{command}");
    let spec = spec(&list[0]);
    for (pointer, value) in [
        ("/name", json!("it's all")),
        ("/image", json!("me/app:1")),
        ("/command/2", json!("echo \"$A\"")),
        ("/envVars/0/value", json!("b c\nd")),
        ("/labels/example.org~1team", json!("")),
        ("/resources/cpu", json!(2)),
        ("/grpcPort", json!(9001)),
        ("/scalingStrategy/automatic/customMetrics/targetValue", json!(7)),
        ("/deploymentStrategy/maxUnavailable", json!("50%")),
        ("/publish", json!([9090, 9091])),
        ("/unsecureHttp", json!(true)),
    ] {
        assert_eq!(spec.pointer(pointer), Some(&value), "{pointer} of {spec}");
    }

    // The form that copies it makes the same command, but for the name.
    let id = list[0]["id"].as_str().unwrap();
    let copy = owner.get(&format!("apps/new?from={id}")).await;
    let copied = text_of(&copy, "<code id=\"line\">");
    assert_eq!(copied.replace("all-copy", "all"), command);
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_names_every_fault() {
    let e = TestEmulator::start().await;
    let mut owner = Console::owner(&e).await;
    let refused = owner
        .post(
            "apps/new",
            &[
                ("name", "kept <name>"),
                ("region", "GRA"),
                ("image", "a b"),
                ("flavor", "ai1-1-cpu"),
                ("units", "13"),
                ("replicas", "11"),
                ("http-port", "70000"),
                ("grpc-port", "x"),
                ("label-key", "ok"),
                ("label-value", "1"),
                ("label-key", "ovh/id"),
                ("label-value", "2"),
                ("env-name", "A=B"),
                ("env-value", "typed"),
                ("max-surge", "half"),
            ],
        )
        .await;
    let html = refused.text();
    assert_eq!(refused.status, 422, "{html}");
    for kept in ["kept &#60;name&#62;", "a b", "13", "11", "70000", "ovh/id", "A=B", "half"] {
        assert!(html.contains(&format!("value=\"{kept}\"")), "{kept}: {html}");
    }
    assert!(html.contains("\ntyped</textarea>"));
    for id in [
        "image",
        "units",
        "replicas",
        "http-port",
        "grpc-port",
        "label-key-1",
        "env-name-0",
        "max-surge",
    ] {
        assert!(
            html.contains(&format!("<p class=\"problem\" id=\"{id}-problem\">")),
            "{id}: {html}"
        );
        assert!(html.contains(&format!("<a href=\"#{id}\">")), "{id}");
        let input = html.find(&format!("id=\"{id}\"")).unwrap();
        let input = &html[input..input + html[input..].find('>').unwrap()];
        assert!(input.contains("aria-invalid=\"true\" aria-describedby=\""), "{input}");
    }
    assert!(html.contains("8 fields have a fault"), "{html}");
    assert_eq!(apps(&e).await, 0);
    let typed =
        [("image", "ovhai/echo"), ("label-key", "a"), ("label-value", "b"), ("do", "add-label")];
    let more = owner.post("apps/new", &typed).await;
    assert_eq!((more.status.as_u16(), apps(&e).await), (200, 0));
    assert!(
        more.text().contains("id=\"label-key-2\"") && more.text().contains("value=\"ovhai/echo\"")
    );
}

#[tokio::test]
async fn the_quota_is_named_on_top() {
    let e = ovhai_emulator::Emulator::builder().start().await.unwrap();
    let e = TestEmulator { emulator: e, sim: None };
    let mut owner = Console::owner(&e).await;
    let fields = [
        ("region", "GRA"),
        ("image", "ovhai/echo"),
        ("flavor", "ai1-1-cpu"),
        ("units", "12"),
        ("replicas", "2"),
    ];
    let refused = owner.post("apps/new", &fields).await;
    assert_eq!(refused.status, 402, "{}", refused.text());
    assert!(refused.text().contains("The app was not created: over quota"), "{}", refused.text());
}

#[tokio::test]
async fn the_form_names_the_tokens_that_open_the_app() {
    let e = TestEmulator::start().await;
    e.token("GRA", "read", Some("group=A")).await;
    e.token("GRA", "operator", Some("group=B")).await;
    e.token("BHS", "read", None).await;
    let mut owner = Console::owner(&e).await;
    let mut summary =
        async |fields: &[(&str, &str)]| owner.post("apps/preview", fields).await.text();
    let image = ("image", "ovhai/echo");
    let one =
        summary(&[image, ("region", "GRA"), ("label-key", "group"), ("label-value", "A")]).await;
    assert!(one.contains("1 of 2 in GRA") && one.contains("selector group=A"), "{one}");
    let none = summary(&[image, ("region", "GRA")]).await;
    assert!(none.contains("None of the 2 tokens of GRA"), "{none}");
    let public = summary(&[image, ("region", "BHS"), ("access", "public")]).await;
    assert!(public.contains("Anyone may call it") && public.contains("1 of 1 in BHS"), "{public}");
    let long = [image, ("region", "GRA"), ("label-key", "sixteen--letters"), ("label-value", "1")];
    assert!(summary(&long).await.contains("control panel refuses"));
    assert_eq!(apps(&e).await, 0, "a preview creates nothing");
}

#[tokio::test]
async fn labels_change_at_once_with_a_preview_of_access() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[("group", "A"), ("stage", "test")], json!({"name": "one"})).await;
    e.token("GRA", "read", Some("group=A")).await;
    e.token("GRA", "operator", Some("group=B")).await;
    e.token("GRA", "read", None).await;
    let mut owner = Console::owner(&e).await;
    let path = format!("apps/{}/labels", app.id);
    let page = owner.get(&path).await;
    let html = page.text();
    assert!(html.contains("value=\"stage\"") && html.contains("ovh/type"), "{html}");
    assert!(!html.contains("value=\"ovh/type\"") && html.contains("No label changes."));
    let was = field(&page, "was");
    let typed = [
        ("was", was.as_str()),
        ("label-key", "group"),
        ("label-value", "B"),
        ("label-key", ""),
        ("label-value", ""),
        ("label-key", "new"),
        ("label-value", "x"),
    ];
    let preview = owner.post(&format!("{path}/preview"), &typed).await.text();
    let (gain, lose) = (preview.find("Gain access").unwrap(), preview.find("Lose access").unwrap());
    assert!(preview[gain..lose].contains("selector group=B"), "{preview}");
    assert!(preview[lose..].contains("operator") || preview[lose..].contains("group"), "{preview}");
    assert!(preview.contains("1 token has access before and after"), "{preview}");
    assert!(preview.contains("Remove <code>stage</code>"), "{preview}");
    assert_eq!(e.app(&app).await.spec.labels.unwrap()["group"].as_deref(), Some("A"));

    // Another caller changed the labels first.
    let label = json!({"name": "other", "value": "y"});
    e.admin("PUT", &format!("/v1/app/{}/label", app.id), Some(label)).await;
    let conflict = owner.post(&path, &typed).await;
    assert_eq!(conflict.status, 409, "{}", conflict.text());
    assert!(conflict.text().contains("changed meanwhile"), "{}", conflict.text());
    assert!(conflict.text().contains("value=\"other\""), "it is kept");
    assert_eq!(e.app(&app).await.spec.labels.unwrap()["group"].as_deref(), Some("A"));
    let was = field(&conflict, "was");
    let again = [
        ("was", was.as_str()),
        ("label-key", "group"),
        ("label-value", "B"),
        ("label-key", "new"),
        ("label-value", "x"),
        ("label-key", "other"),
        ("label-value", "y"),
    ];
    let page = owner.change(&path, &again).await.text();
    assert!(page.contains("3 labels of one were changed."), "{page}");
    let labels = e.app(&app).await.spec.labels.unwrap();
    let own: Vec<_> = labels.keys().filter(|key| !key.starts_with("ovh/")).cloned().collect();
    assert_eq!(own, ["group", "new", "other"]);
    let bad = [("was", was.as_str()), ("label-key", "a b"), ("label-value", "typed")];
    let refused = owner.post(&path, &bad).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("value=\"a b\"") && refused.text().contains("value=\"typed\""));
}

#[tokio::test]
async fn forms_of_other_pages_change_nothing() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[("group", "A")], json!({"name": "one"})).await;
    let mut owner = Console::owner(&e).await;
    let fields = [("image", "ovhai/echo"), ("region", "GRA"), ("name", "one")];
    let form = owner.form.clone();
    let with_form = [("form", form.as_str()), fields[0], fields[1], fields[2]];
    let changes = ["new", "preview"].map(str::to_owned).into_iter();
    let of_app =
        ["start", "stop", "restart", "delete", "image", "scale", "labels", "labels/remove"];
    for to in changes.chain(of_app.map(|action| format!("{}/{action}", app.id))) {
        let path = format!("{}apps/{to}", owner.base);
        let unsigned = owner.visitor.post(&path, &fields, &[]).await;
        assert_eq!(unsigned.status, 403, "{path}");
        for foreign in [
            &[("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")][..],
            &[("origin", "http://localhost:1"), ("sec-fetch-site", "same-site")],
        ] {
            let answer = owner.visitor.post(&path, &with_form, foreign).await;
            assert_eq!(answer.status, 403, "{path}");
        }
        let got = owner.visitor.get(&path).await;
        assert!(matches!(got.status.as_u16(), 200 | 404 | 405), "{path}: {}", got.status);
    }
    let now = e.app(&app).await;
    assert_eq!((now.status.state.as_str(), apps(&e).await), ("RUNNING", 1));
    assert_eq!(now.spec.labels.unwrap()["group"].as_deref(), Some("A"));
}

#[tokio::test]
async fn deleting_needs_the_name() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"name": "one"})).await;
    let mut owner = Console::owner(&e).await;
    let path = format!("apps/{}/delete", app.id);
    for wrong in ["", "On", "two"] {
        let refused = owner.post(&path, &[("name", wrong)]).await;
        assert_eq!(refused.status, 422, "{wrong}");
    }
    assert_eq!(e.app(&app).await.status.state.as_str(), "RUNNING");
    assert!(owner.change(&path, &[("name", "one")]).await.text().contains("one is being deleted"));
}

#[tokio::test]
async fn the_console_shows_what_the_caller_may_see() {
    let e = TestEmulator::start().await;
    let mine = e.run_app(&[("group", "A")], json!({"name": "mine"})).await;
    let other = e.run_app(&[("group", "B")], json!({"name": "other"})).await;
    let read = e.token("GRA", "read", Some("group=A")).await;
    let mut reader = Console::token(&e, &read).await;
    for path in
        ["apps", "apps/new", &format!("apps/{}", mine.id), &format!("apps/{}/labels", mine.id)]
    {
        assert_eq!(reader.get(path).await.status, 403, "{path}");
    }
    let fields = [("image", "ovhai/echo"), ("region", "GRA")];
    assert_eq!(reader.post("apps/new", &fields).await.status, 403);
    assert_eq!(reader.post("apps/preview", &fields).await.status, 403);

    let operator = e.token("GRA", "operator", Some("group=A")).await;
    let mut operator = Console::token(&e, &operator).await;
    let list = operator.get("apps").await.text();
    assert!(list.contains(">mine<") && !list.contains(">other<"), "{list}");
    for path in ["", "/labels", "/delete", "/logs"] {
        assert_eq!(operator.get(&format!("apps/{}{path}", other.id)).await.status, 404);
        assert_eq!(operator.get(&format!("apps/{}{path}", mine.id)).await.status, 200);
    }
    assert_eq!(operator.get(&format!("apps/new?from={}", other.id)).await.status, 404);
    let summary = operator.post("apps/preview", &fields).await.text();
    assert!(summary.contains("The tokens are not shown"), "{summary}");
    // It can't move an app out of its own scope.
    let out = [("was", "group=A"), ("label-key", "group"), ("label-value", "B")];
    let refused = operator.post(&format!("apps/{}/labels", mine.id), &out).await;
    assert!(matches!(refused.status.as_u16(), 403 | 404), "{}", refused.status);
    assert_eq!(e.app(&mine).await.spec.labels.unwrap()["group"].as_deref(), Some("A"));
}

#[tokio::test]
async fn the_address_in_a_status_opens_the_app() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[], json!({"name": "one"})).await;
    let url = app.status.info_url.clone().unwrap();
    let path = &url[url.find("/app/").unwrap()..];
    let mut visitor = Visitor::at(e.address(), format!("localhost:{}", e.address().port()));
    let login = visitor.get(path).await;
    assert_eq!(login.status, 200, "{}", login.text());
    let (form, to) = (field(&login, "form"), field(&login, "to"));
    let token = e.token("GRA", "operator", None).await.status.value.unwrap();
    let fields = [("form", form.as_str()), ("to", &to), ("token", &token)];
    let begun = visitor.post("/console/login", &fields, &[]).await;
    assert!(begun.header("location").ends_with(&format!("/apps/{}", app.id)));
    let page = visitor.get(begun.header("location")).await;
    assert!(page.text().contains("<h1>one"), "{}", page.text());
}

#[tokio::test]
async fn a_change_through_the_api_reaches_the_open_page() {
    let e = TestEmulator::start().await;
    e.run_app(&[], json!({"name": "first"})).await;
    let owner = Console::owner(&e).await;
    let mut stream = Client::connect(&e).await;
    let request = format!(
        "GET {}apps/live HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nsec-fetch-site: same-origin\r\n\r\n",
        owner.base,
        owner.visitor.host,
        owner.visitor.header()
    );
    stream.send(request).await;
    stream.until(b">first<").await;
    e.submit(&[], json!({"name": "second"})).await;
    stream.until(b">second<").await;
}

#[tokio::test]
async fn charts_show_requests_and_what_replicas_use() {
    // Requests to it fail.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sim = SimRuntime::automatic(closed);
    let builder = TestEmulator::builder().runtime(Arc::new(sim.clone()));
    let emulator = builder.sample_every(Duration::from_millis(50)).start().await.unwrap();
    let e = TestEmulator { emulator, sim: Some(sim.clone()) };
    let app = e.run_app(&[], json!({"name": "drawn"})).await;
    let launched = sim.launched().last().unwrap().number;
    sim.set_usage(launched, ReplicaUsage { cpu: Duration::from_secs(1), memory: 5 << 20 });
    let owner = Mutex::new(Console::owner(&e).await);
    let path = format!("apps/{}", app.id);
    eventually("charts", || async {
        assert_eq!(e.query(&app, Some(e.emulator.administrator())).await.status, 502);
        let page = owner.lock().await.get(&path).await.text();
        let has = |part: &str| page.contains(part);
        let is_drawn = has("Memory in use, the last 30 minutes. Now: 5 MiB.")
            && has("CPU cores in use, the last 30 minutes. Now: 0.")
            && has("Replicas that answer, the last 30 minutes. Now: 1.")
            && !has("Now all: 0. Now 5xx: 0.");
        is_drawn.then_some(())
    })
    .await;
}
