//! The console's pages of tokens.

use hyper::StatusCode;
use ovhai_api_types::Token;
use ovhai_test_support::console::Console;
use ovhai_test_support::raw::Client;
use ovhai_test_support::visitor::{Visitor, echo};
use ovhai_test_support::{Answer, TestEmulator, Upstream, eventually};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The string that a page shows.
fn shown(page: &Answer) -> String {
    let html = page.text();
    let at = html.find("id=\"fresh-value\"").unwrap_or_else(|| panic!("{html}"));
    let (_, rest) = html[at..].split_once('>').expect("a value");
    rest.split_once('<').expect("a value").0.to_owned()
}

/// A token through the API.
async fn token(e: &TestEmulator, name: &str, role: &str, selector: &str) -> Token {
    let spec = json!({"name": name, "role": role, "labelSelector": selector});
    let answer = e.admin("POST", "/v1/token", Some(spec)).await;
    serde_json::from_slice(&answer.body).expect("a token")
}

const FIELDS: [(&str, &str); 4] =
    [("name", "reader"), ("selector", "group=A"), ("role", "read"), ("region", "GRA")];

#[tokio::test]
async fn a_string_is_shown_once() {
    let e = TestEmulator::start().await;
    let app = e.run_app(&[("group", "A")], json!({"name": "mine"})).await;
    let mut console = Console::owner(&e).await;
    let form = console.get("tokens/new").await.text();
    for words in ["New Token", "Token scope", "AI Platform - Read-only", "Generate"] {
        assert!(form.contains(words), "{words}: {form}");
    }
    let answer = console.post("tokens/new", &FIELDS).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let to = answer.header("location").to_owned();
    // A script that filters the list does not use it up.
    let part = console.visitor.send("GET", &to, &[("hx-request", "true")], "").await;
    assert!(part.text().contains("reader") && !part.text().contains("fresh-value"));
    let page = console.visitor.get(&to).await;
    assert_eq!(page.header("cache-control"), "no-store");
    let value = shown(&page);
    let html = page.text();
    assert!(
        html.contains("The token reader") && html.contains(&format!("ovhai app curl {}", app.id))
    );
    assert!(!to.contains(&value));
    assert_eq!(e.query(&app, Some(&value)).await.status, 200);
    for path in [to.as_str(), &format!("{}tokens", console.base)] {
        assert!(!console.visitor.get(path).await.text().contains(&value), "{path}");
    }
    // The list knows the token, what it opens, and that it was used.
    let list = console.get("tokens").await.text();
    assert!(list.contains("reader") && list.contains("1<span class=\"unseen\"> apps"), "{list}");
    assert!(!list.contains("not yet"), "{list}");
    let api = e.admin("GET", "/v1/token", None).await;
    assert!(!api.text().contains(&value) && api.text().contains("reader"));
}

#[tokio::test]
async fn a_form_keeps_what_was_typed_and_says_what_is_wrong() {
    let e = TestEmulator::start().await;
    let mut console = Console::owner(&e).await;
    let fields =
        [("name", "  "), ("selector", "group=A,,<b>"), ("role", "operator"), ("region", "nowhere")];
    let page = console.post("tokens/new", &fields).await;
    assert_eq!(page.status, 422);
    let html = page.text();
    for part in ["name-problem", "selector-problem", "region-problem", "group=A,,&#60;b&#62;"] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(html.contains("<option value=\"operator\" selected>"), "{html}");
    assert!(!html.contains("<b>"), "{html}");
    // The API's own limits come back beside their fields, too.
    let long = "x".repeat(101);
    let fields = [("name", long.as_str()), ("selector", ""), ("role", "read"), ("region", "GRA")];
    let page = console.post("tokens/new", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.text().contains("name-problem") && page.text().contains(&long));
    assert_eq!(e.admin("GET", "/v1/token", None).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_form_tells_what_the_token_opens_now() {
    let e = TestEmulator::start().await;
    let mut console = Console::owner(&e).await;
    let page = console.get("tokens/new").await.text();
    assert!(page.contains("GRA has no apps"), "{page}");
    e.run_app(&[("group", "A")], json!({"name": "first"})).await;
    e.run_app(&[("group", "B")], json!({"name": "second"})).await;
    let mut matches = async |selector: &str| {
        let path = format!("tokens/matches?name=my%20token&selector={selector}&region=GRA");
        console.part(&path).await.text()
    };
    let some = matches("group%3DA").await;
    assert!(some.contains("<strong>1 of 2</strong>") && some.contains("first"), "{some}");
    assert!(some.contains("second") && some.contains("the app has group=&#34;B&#34;"), "{some}");
    assert!(some.contains("control panel takes letters"), "{some}");
    assert!(matches("").await.contains("every app of GRA"));
    assert!(matches("group%3DC").await.contains("opens no app of GRA"));
    assert!(matches("group").await.contains("all apps that GRA has now"));
    assert!(matches("a=b%2C%2Cc").await.contains("<mark>"));
    // Without scripts a button does it, and no token is made.
    let mut fields = FIELDS.to_vec();
    fields.push(("check", "1"));
    let page = console.post("tokens/new", &fields).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<strong>1 of 2</strong>") && page.text().contains("reader"));
    assert_eq!(e.admin("GET", "/v1/token", None).await.json()["items"], json!([]));
}

#[tokio::test]
async fn regenerate_and_delete_say_what_ends() {
    let e = TestEmulator::start().await;
    let app = echo(&e).await;
    let old = token(&e, "reader", "read", "group=A").await;
    let (id, value) = (old.id, old.status.value.clone().expect("a value"));
    let mut console = Console::owner(&e).await;
    let path = format!("tokens/{id}/regenerate");
    let page = console.get(&path).await.text();
    assert!(page.contains("Regenerate reader?") && page.contains("No session and no stream"));

    let mut browser = Visitor::new(&e, &app).logged_in(&value).await;
    let _at_the_console = Console::token(&e, &old).await;
    let page = console.get(&path).await.text();
    assert!(page.contains("2 sessions end."), "{page}");
    assert_eq!(e.query(&app, Some(&value)).await.status, 200, "a question changes nothing");

    let page = console.change(&path, &[]).await;
    let new = shown(&page);
    assert!(new != value && page.text().contains("The token reader"));
    assert_eq!(e.query(&app, Some(&value)).await.status, 401);
    assert_eq!(browser.get("/").await.status, 401);
    assert_eq!(e.query(&app, Some(&new)).await.status, 200);
    let page = console.get(&format!("tokens/{id}")).await.text();
    assert!(page.contains("<dt>Version</dt><dd>2</dd>"), "{page}");

    let path = format!("tokens/{id}/delete");
    assert!(console.get(&path).await.text().contains("No session and no stream"));
    let page = console.change(&path, &[]).await;
    assert!(page.text().contains("The token reader is deleted."), "{}", page.text());
    assert_eq!(e.query(&app, Some(&new)).await.status, 401);
    assert_eq!(console.get(&path).await.status, 404);
}

#[tokio::test]
async fn open_streams_are_counted() {
    let upstream = Upstream::start(|mut stream| async move {
        let _ = Upstream::head(&mut stream).await;
        let answer =
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        let _ = stream.write_all(answer).await;
        // Until the other side closes.
        let _ = stream.read_u8().await;
    })
    .await;
    let e = TestEmulator::with_apps_at(upstream.address()).await;
    let app = e.run_app(&[("group", "A")], json!({})).await;
    let reader = token(&e, "reader", "read", "group=A").await;
    let (host, bearer) = (TestEmulator::host(&app), reader.status.value.expect("a value"));
    let mut client = Client::connect(&e).await;
    let head = format!(
        "GET / HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {bearer}\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
    );
    client.send(head).await;
    assert_eq!(client.answer_head().await.status(), 101);
    let console = Console::owner(&e).await;
    let path = format!("tokens/{}/delete", reader.id);
    eventually("the stream is counted", || async {
        console.clone().get(&path).await.text().contains("1 stream ends.").then_some(())
    })
    .await;
    drop(client);
    eventually("the stream has ended", || async {
        console.clone().get(&path).await.text().contains("no stream").then_some(())
    })
    .await;
}

#[tokio::test]
async fn callers_see_what_the_api_would_show() {
    let e = TestEmulator::start().await;
    let reader = token(&e, "reader", "read", "group=A").await;
    let scoped = token(&e, "scoped", "operator", "group=A").await;
    let operator = token(&e, "operator", "operator", "").await;
    let pages = |id: &str| {
        [
            "tokens".to_owned(),
            "tokens/new".to_owned(),
            "tokens/explain".to_owned(),
            "tokens/matches".to_owned(),
            format!("tokens/{id}"),
            format!("tokens/{id}/regenerate"),
            format!("tokens/{id}/delete"),
        ]
    };
    let id = reader.id.to_string();
    for of in [&reader, &scoped] {
        let mut console = Console::token(&e, of).await;
        for path in pages(&id) {
            let page = console.get(&path).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
            assert!(page.text().contains("may not manage tokens"), "{}", page.text());
        }
        for path in ["tokens/new", &format!("tokens/{id}/delete")] {
            assert_eq!(console.post(path, &FIELDS).await.status, 403, "{path}");
        }
    }
    let mut console = Console::token(&e, &operator).await;
    for path in pages(&id) {
        assert_eq!(console.get(&path).await.status, 200, "{path}");
    }
    // Of its region only.
    let elsewhere = e.token("BHS", "read", None).await;
    let path = format!("tokens/{}", elsewhere.id);
    assert_eq!(console.get(&path).await.status, 404);
    assert!(!console.get("tokens/new").await.text().contains("BHS"));
    // Its own string: the session ends, and the new string is shown all the same.
    let page = console.post(&format!("tokens/{}/regenerate", operator.id), &[]).await;
    assert_eq!(page.status, 200);
    let value = shown(&page);
    assert_eq!(e.call("GRA", &value, "GET", "/v1/token", None).await.status, 200);
    assert_eq!(console.get("tokens").await.status, 303, "the login");
}

#[tokio::test]
async fn forms_of_elsewhere_change_nothing() {
    let e = TestEmulator::start().await;
    let reader = token(&e, "reader", "read", "group=A").await;
    let mut console = Console::owner(&e).await;
    let (base, form) = (console.base.clone(), console.form.clone());
    for path in ["tokens/new", &format!("tokens/{}/delete", reader.id), "tokens/explain"] {
        let path = format!("{base}{path}");
        assert_eq!(console.visitor.post(&path, &FIELDS, &[]).await.status, 403, "{path}");
        let mut fields = FIELDS.to_vec();
        fields.push(("form", &form));
        let from = [("origin", "http://localhost:9"), ("sec-fetch-site", "same-site")];
        assert_eq!(console.visitor.post(&path, &fields, &from).await.status, 403, "{path}");
    }
    let tokens = e.admin("GET", "/v1/token", None).await.json();
    assert_eq!(tokens["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_string_is_explained() {
    let e = TestEmulator::start().await;
    e.run_app(&[("group", "A")], json!({"name": "first"})).await;
    e.run_app(&[("group", "B")], json!({"name": "second"})).await;
    let reader = token(&e, "reader", "read", "group=A").await;
    let value = reader.status.value.clone().expect("a value");
    let mut console = Console::owner(&e).await;

    let page = console.get(&format!("tokens/{}", reader.id)).await.text();
    assert!(page.contains("1–2 of 2") && page.contains("group=A does not match"), "{page}");
    let page = console.part(&format!("tokens/{}?decision=allowed", reader.id)).await.text();
    assert!(page.contains("first") && !page.contains("second"), "{page}");

    let bearer = format!("Bearer {value} ");
    let page = console.post("tokens/explain", &[("token", &bearer)]).await.text();
    assert!(
        page.contains("the token's current one") || page.contains("the token&#39;s current one")
    );
    assert!(page.contains("reader") && page.contains("group=A does not match"), "{page}");
    assert!(!page.contains(&value));
    let page = console.post("tokens/explain", &[("token", "rubbish"), ("q", "first")]).await.text();
    assert!(page.contains("was not issued by this emulator") && !page.contains("second"), "{page}");
    assert_eq!(console.post("tokens/explain", &[]).await.status, 422);
    console.change(&format!("tokens/{}/regenerate", reader.id), &[]).await;
    let page = console.post("tokens/explain", &[("token", &value)]).await.text();
    assert!(page.contains("version 1 of its token"), "{page}");
}

#[tokio::test]
async fn a_list_has_pages_and_filters_and_follows() {
    let e = TestEmulator::start().await;
    let mut console = Console::owner(&e).await;
    assert!(console.get("tokens").await.text().contains("No tokens yet"));
    for n in 0..27 {
        token(&e, &format!("reader-{n:02}"), "read", &format!("group=g{n}")).await;
    }
    let page = console.get("tokens").await.text();
    assert!(page.contains("1–25 of 27") && page.contains("reader-26"), "{page}");
    assert!(!page.contains("reader-01"));
    let page = console.get("tokens?page=2").await.text();
    assert!(page.contains("26–27 of 27") && page.contains("reader-01"));
    let page = console.part("tokens?q=GROUP%3Dg13").await.text();
    assert!(page.contains("1–1 of 1") && page.contains("reader-13"), "{page}");
    let page = console.part("tokens?region=BHS").await.text();
    assert!(page.contains("No token fits"));
}
