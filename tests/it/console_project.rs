//! The project's page of the console.

use ovhai_test_support::console::Console;
use ovhai_test_support::{Answer, TestEmulator};
use serde_json::json;

/// A part of a page.
fn part<'a>(page: &'a str, id: &str) -> &'a str {
    let from = page.find(&format!("aria-labelledby=\"{id}\"")).expect("the part");
    let rest = &page[from..];
    &rest[..rest.find("</section>").expect("its end")]
}

async fn project(console: &mut Console) -> String {
    let page = console.get("project").await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.text()
}

fn refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(why), "{}", answer.text());
}

#[tokio::test]
async fn the_owner_manages_users() {
    let e = TestEmulator::start().await;
    let mut owner = Console::owner(&e).await;
    let page =
        owner.change("project/users", &[("name", "ann"), ("password", "a long password")]).await;
    assert!(part(&page.text(), "users").contains(">ann<"), "{}", page.text());
    assert!(page.text().contains("Added the user ann."));
    let mut ann = Console::user(&e, "ann", "a long password").await;

    // What was typed stays, but for the password.
    let again = [("name", "ann"), ("password", "another password")];
    let answer = owner.post("project/users", &again).await;
    refused(&answer, 422, "value=\"ann\"");
    assert!(!answer.text().contains("another password"));
    refused(&owner.post("project/users", &[("name", "ben"), ("password", "x")]).await, 422, "use ");

    let page = owner.get("project/users/ann/password").await;
    assert!(page.text().contains("1 login of ann ends."), "{}", page.text());
    let short = owner.post("project/users/ann/password", &[("password", "x")]).await;
    refused(&short, 422, "role=\"alert\"");
    owner.change("project/users/ann/password", &[("password", "another password")]).await;
    assert_eq!(ann.get("apps").await.status, 303, "the login has ended");
    let mut ann = Console::user(&e, "ann", "another password").await;

    // A user manages none, itself included.
    let text = project(&mut ann).await;
    assert!(part(&text, "users").contains("Not shown: "), "{text}");
    assert!(!part(&text, "users").contains(">ann<"));
    let add = [("name", "ben"), ("password", "a long password")];
    assert_eq!(ann.post("project/users", &add).await.status, 403);
    for path in ["project/users/ann/remove", "project/users/ann/password"] {
        assert_eq!(ann.get(path).await.status, 403, "{path}");
    }
    ann.post("project/users/ann/remove", &[]).await;
    assert_eq!(ann.get("apps").await.status, 200, "a user can't be removed by itself");

    // The link asks; the form removes.
    assert!(owner.get("project/users/ann/remove").await.text().contains("Remove ann?"));
    assert!(part(&project(&mut owner).await, "users").contains(">ann<"));
    let page = owner.change("project/users/ann/remove", &[]).await;
    assert!(!part(&page.text(), "users").contains(">ann<"), "{}", page.text());
    assert_eq!(ann.get("apps").await.status, 303, "the login has ended");
    assert_eq!(owner.get("project/users/ann/remove").await.status, 404);
}

#[tokio::test]
async fn registries_are_added_and_deleted_without_showing_their_passwords() {
    let e = TestEmulator::start().await;
    let mut owner = Console::owner(&e).await;
    let fields = [
        ("region", "BHS"),
        ("url", "registry.example.com/team"),
        ("username", "robot"),
        ("password", "very-secret"),
    ];
    let page = owner.change("project/registries", &fields).await.text();
    let registries = part(&page, "registries");
    for word in ["registry.example.com/team", "BHS", "robot", "stored"] {
        assert!(registries.contains(word), "{word}: {registries}");
    }
    assert!(!page.contains("very-secret"));
    let open = [("region", "GRA"), ("url", "other.example.com"), ("username", "robot")];
    let page = owner.change("project/registries", &open).await.text();
    assert!(part(&page, "registries").contains("missing"));
    let http = [("region", "GRA"), ("url", "http://x.example.com"), ("username", "robot")];
    let answer = owner.post("project/registries", &http).await;
    refused(&answer, 422, "registries are reached by https only");
    assert!(answer.text().contains("value=\"http://x.example.com\""), "{}", answer.text());
    refused(&owner.post("project/registries", &[("region", "SBG")]).await, 422, "no region");

    let from = page.find("project/registries/BHS/").expect("a link");
    let delete = page[from..].split('"').next().expect("its end").to_owned();
    assert!(owner.get(&delete).await.text().contains("Delete registry.example.com/team?"));
    let elsewhere = delete.replace("BHS", "GRA");
    assert_eq!(owner.get(&elsewhere).await.status, 404);
    let token = e.token("BHS", "operator", Some("group=A")).await;
    let mut scoped = Console::token(&e, &token).await;
    let text = project(&mut scoped).await;
    assert!(part(&text, "registries").contains("Not shown: "), "{text}");
    assert_eq!(scoped.get(&delete).await.status, 403);
    scoped.post(&delete, &[]).await;
    let page = owner.change(&delete, &[]).await.text();
    assert!(page.contains("Deleted the registry registry.example.com/team."), "{page}");
    assert!(!page.contains(&delete), "{page}");
}

#[tokio::test]
async fn the_project_shows_what_the_caller_may_know() {
    let e = TestEmulator::start().await;
    e.run_app(&[("group", "A")], json!({"resources": {"cpu": 2}})).await;
    e.run_app(&[("group", "B")], json!({})).await;
    let mut owner = Console::owner(&e).await;
    let text = project(&mut owner).await;
    let regions = part(&text, "regions");
    assert!(regions.contains(">2<span class=\"unseen\"> apps in GRA"), "{regions}");
    assert!(regions.contains("2, no limit") && regions.contains("1, no limit"), "{regions}");
    assert!(part(&text, "emulator").contains(env!("CARGO_PKG_VERSION")));
    assert!(part(&text, "limits").contains("answer-headers"));
    assert!(part(&text, "data").contains("ovhai datastore list"));
    assert!(part(&text, "images").contains("infrastructureascode/hello-world"));

    // A token sees what it selects, of its region.
    let token = e.token("GRA", "operator", Some("group=A")).await;
    let mut scoped = Console::token(&e, &token).await;
    let text = project(&mut scoped).await;
    assert!(part(&text, "regions").contains("not shown"), "its tokens: {text}");
    let regions = part(&text, "regions");
    assert!(regions.contains(">1<span class=\"unseen\"> apps in GRA"), "{regions}");
    assert!(regions.contains("2, no limit") && !regions.contains("1, no limit"), "{regions}");
    assert!(part(&text, "engine").contains("owner only"), "{text}");
    assert_eq!(scoped.get("project/engine").await.status, 403);

    // Its sessions are its own; the owner ends them.
    let sessions = part(&text, "sessions");
    assert!(sessions.matches("<tr>").count() == 2, "{sessions}");
    assert_eq!(scoped.post("project/sessions/end", &[]).await.status, 303);
    assert_eq!(owner.get("apps").await.status, 200, "it ended no session");
    let page = owner.change("project/sessions/end", &[]).await.text();
    assert!(page.contains("1 session ended."), "{page}");
    assert_eq!(scoped.get("apps").await.status, 303);
    assert_eq!(owner.get("apps").await.status, 200);
}

#[tokio::test]
async fn the_addresses_of_a_session_lead_to_its_pages() {
    let e = TestEmulator::start().await;
    let mut owner = Console::owner(&e).await;
    let front = owner.get("").await;
    assert_eq!(front.status, 303);
    assert!(front.header("location").ends_with("/apps"), "{}", front.header("location"));
    let missing = owner.get("nothing/here").await;
    refused(&missing, 404, "This page does not exist.");
}
