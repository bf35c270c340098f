//! Registries: their passwords, and which image is pulled with what.

use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::{AppId, AppUpdate, PasswordState};
use ovhai_core::Error;
use ovhai_core::platform::RegistryChange;
use ovhai_core::policy::Principal;
use ovhai_core::ports::{ImageAccess, Store, Write};
use ovhai_runtime::SimRuntime;
use ovhai_store::MemoryStore;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{World, stored};

const IMAGE: &str = r#"{"image":"registry.example.com/team/ui:1"}"#;

impl World {
    async fn add(
        &self,
        url: &str,
        username: &str,
        password: Option<&str>,
    ) -> ovhai_api_types::RegistryId {
        let password = password.map(str::to_owned);
        let added = self.platform.add_registry(&self.admin, &self.gra, url, username, password);
        added.await.unwrap().id
    }

    /// What the newest replica of an app may pull with.
    async fn access(&self, id: AppId) -> ImageAccess {
        self.settle().await;
        self.sim.launched().into_iter().rfind(|one| one.app == id).unwrap().image_access
    }

    /// The users and passwords of the logins, in their order.
    async fn logins(&self, id: AppId) -> Vec<(String, String)> {
        let access = self.access(id).await;
        access.logins.into_iter().map(|login| (login.username, login.password)).collect()
    }
}

fn change() -> RegistryChange {
    RegistryChange::default()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(user, password)| ((*user).to_owned(), (*password).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn an_image_is_pulled_with_the_logins_of_its_own_host() {
    let w = World::automatic().await;
    w.add("registry.example.com", "wide", Some("p1")).await;
    w.add("https://Registry.example.com:443/team/", "narrow", Some("p2")).await;
    w.add("registry.example.com/other", "beside", Some("p3")).await;
    w.add("other.example.com", "elsewhere", Some("p4")).await;
    w.add("docker.io", "hub", Some("p5")).await;
    let bhs = "BHS".parse().unwrap();
    let theirs = w.platform.add_registry(
        &w.admin,
        &bhs,
        "registry.example.com",
        "of BHS",
        Some("p6".into()),
    );
    theirs.await.unwrap();
    let id = w.submit(IMAGE).await;
    assert_eq!(w.logins(id).await, pairs(&[("narrow", "p2"), ("wide", "p1")]));
    let access = w.access(id).await;
    assert!(access.logins.iter().all(|login| login.host == "registry.example.com"));
    assert!(access.unusable.is_empty());
    assert!(!format!("{access:?}").contains("p1"), "{access:?}");
    let hub = w.submit(r#"{"image":"my/ui"}"#).await;
    assert_eq!(w.logins(hub).await, pairs(&[("hub", "p5")]));
    // What pulls nothing gets nothing.
    let process = r#"{"image":"registry.example.com/a","runtime":"process","command":["serve"]}"#;
    let process = w.submit(process).await;
    assert_eq!(w.access(process).await, ImageAccess::default());
}

#[tokio::test(start_paused = true)]
async fn a_password_is_stored_sealed_and_changes() {
    let w = World::automatic().await;
    let id = w.add("registry.example.com", "bot", Some("old")).await;
    let state = || {
        let record = w.platform.snapshot().registry(id).unwrap().clone();
        w.platform.password_state(&record)
    };
    let update = async |change| w.platform.update_registry(&w.admin, &w.gra, id, change).await;
    assert_eq!(state(), PasswordState::Stored);
    let sealed: Vec<Value> = stored(&*w.store, "registry").await;
    assert_eq!(sealed[0]["password"], format!("registry {id} GRA|old"), "by the vault");
    let app = w.submit(IMAGE).await;
    assert_eq!(w.logins(app).await, pairs(&[("bot", "old")]));

    update(RegistryChange { password: Some("new".into()), ..change() }).await.unwrap();
    update(RegistryChange { username: Some("robot".into()), ..change() }).await.unwrap();
    let path = Some("https://registry.example.com/team".into());
    update(RegistryChange { url: path, ..change() }).await.unwrap();
    w.platform.restart_app(&w.admin, &w.gra, app).await.unwrap();
    assert_eq!(w.logins(app).await, pairs(&[("robot", "new")]));

    // A caller that may change registries could send the password to a host of its own.
    let evil = Some("evil.example.com".into());
    update(RegistryChange { url: evil, ..change() }).await.unwrap();
    assert_eq!(state(), PasswordState::Missing);
    let back = Some("registry.example.com".into());
    update(RegistryChange { url: back.clone(), password: Some("given".into()), ..change() })
        .await
        .unwrap();
    assert_eq!(state(), PasswordState::Stored);

    for bad in [String::new(), "x".repeat(16 * 1024 + 1)] {
        let refused = update(RegistryChange { password: Some(bad.clone()), ..change() }).await;
        assert!(matches!(refused, Err(Error::Invalid { field, .. }) if field == "password"));
        let (url, user) = ("new.example.com", "u");
        let refused = w.platform.add_registry(&w.admin, &w.gra, url, user, Some(bad)).await;
        assert!(matches!(refused, Err(Error::Invalid { field, .. }) if field == "password"));
    }
    let shown = format!("{:?}", RegistryChange { password: Some("hush".into()), ..change() });
    assert!(!shown.contains("hush"), "{shown}");
}

/// As an earlier version stored it, and as a restored database has it without its key.
#[tokio::test(start_paused = true)]
async fn a_registry_without_a_readable_password_says_what_to_do() {
    let store = Arc::new(MemoryStore::new());
    let record = |number: u128, url: &str| {
        json!({
            "id": Uuid::from_u128(number), "region": "GRA", "seq": number, "url": url,
            "username": "bot", "user": "me",
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        })
    };
    let old = record(901, "registry.example.com");
    let mut lost = record(902, "registry.example.com/team");
    lost["password"] = json!("of another key");
    let writes = [old, lost]
        .map(|record| Write::put("registry", record["id"].as_str().unwrap(), record.to_string()));
    store.commit(writes.into()).await.unwrap();

    let sim = SimRuntime::automatic(([127, 0, 0, 1], 9).into());
    let w = World::on(sim, Arc::clone(&store)).await;
    let states: Vec<_> = w.platform.list_registries(&w.admin, &w.gra).unwrap();
    let states: Vec<_> = states.iter().map(|one| w.platform.password_state(one)).collect();
    assert_eq!(states, [PasswordState::Unreadable, PasswordState::Missing]);
    let app = w.submit(IMAGE).await;
    let access = w.access(app).await;
    assert!(access.logins.is_empty());
    for (said, (number, why)) in
        access.unusable.iter().zip([(902, "another key"), (901, "no password")])
    {
        let id = Uuid::from_u128(number);
        let command = format!("ovhai registry update {id} --region GRA --password-from-stdin");
        assert!(said.contains(why) && said.contains(&command), "{said}");
    }
    assert_eq!(access.unusable.len(), 2);

    for number in [901, 902] {
        let id = ovhai_api_types::RegistryId(Uuid::from_u128(number));
        let given = RegistryChange { password: Some(format!("p{number}")), ..change() };
        w.platform.update_registry(&w.admin, &w.gra, id, given).await.unwrap();
    }
    w.platform.restart_app(&w.admin, &w.gra, app).await.unwrap();
    assert_eq!(w.logins(app).await, pairs(&[("bot", "p902"), ("bot", "p901")]));
    assert!(w.access(app).await.unusable.is_empty());
    w.platform.shutdown(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn this_machines_logins_serve_images_that_its_owner_named() {
    let w = World::automatic().await;
    w.add("registry.example.com", "bot", Some("p")).await;
    let operator = w.operator().await;
    let spec = serde_json::from_str(IMAGE).unwrap();
    let own = w.submit(IMAGE).await;
    assert!(w.access(own).await.is_local_administrator);
    let theirs = w.platform.create_app(&operator, &w.gra, &spec).await.unwrap().record.id;
    let access = w.access(theirs).await;
    assert!(!access.is_local_administrator);
    assert_eq!(access.logins.len(), 1, "the project's are theirs, too");

    let set = async |caller: &Principal, image: &str| {
        w.platform.set_image(caller, &w.gra, own, image).await.unwrap();
        w.pass(Duration::from_secs(1)).await;
        let trusted = w.platform.snapshot().app(own).unwrap().record.trusted_image;
        (trusted, w.access(own).await.is_local_administrator)
    };
    let update = async |caller: &Principal, update: AppUpdate| {
        w.platform.update_app(caller, &w.gra, own, &update).await.unwrap();
        w.pass(Duration::from_secs(1)).await;
        let trusted = w.platform.snapshot().app(own).unwrap().record.trusted_image;
        (trusted, w.access(own).await.is_local_administrator)
    };
    let image = |url: &str| AppUpdate { url: Some(url.into()), ..AppUpdate::default() };
    let (yes, no) = ((true, true), (false, false));
    // The same again, or something else of the app, is no other image.
    assert_eq!(set(&operator, "registry.example.com/team/ui:1").await, yes);
    assert_eq!(update(&operator, image("registry.example.com/team/ui:1")).await, yes);
    let port = AppUpdate { default_http_port: Some(9000), ..AppUpdate::default() };
    assert_eq!(update(&operator, port.clone()).await, yes);
    assert_eq!(set(&operator, "registry.example.com/team/ui:2").await, no);
    assert_eq!(set(&operator, "registry.example.com/team/ui:1").await, no, "not by going back");
    assert_eq!(update(&w.admin, port).await, no, "the owner did not name the image");
    // The owner names what is there: from the next launch on.
    assert_eq!(set(&w.admin, "registry.example.com/team/ui:1").await, (true, false));
    w.platform.restart_app(&operator, &w.gra, own).await.unwrap();
    assert!(w.access(own).await.is_local_administrator);
    assert_eq!(update(&operator, image("registry.example.com/team/ui:3")).await, no);
    assert_eq!(update(&w.admin, image("registry.example.com/team/ui:4")).await, yes);
}

#[tokio::test(start_paused = true)]
async fn only_registries_of_this_machine_have_other_ports() {
    let w = World::automatic().await;
    for good in [
        "registry.example.com",
        "registry.example.com:443/team",
        "localhost",
        "localhost:5000",
        "LOCALHOST:5001/team",
        "127.0.0.1:5000",
        "https://127.0.0.1:65535",
        "[::1]",
        "[::1]:5000/team",
    ] {
        w.add(good, "u", None).await;
    }
    for bad in [
        "registry.example.com:5000",
        "registry.example.com:",
        "127.0.0.2:5000",
        "localhost.example.com:5000",
        "localhost:0",
        "localhost:65536",
        "localhost:",
        "localhost:x",
        "[::2]:5000",
        "[::1",
        "[::1]x",
        "::1",
        "[::1]/[::1]",
        "http://localhost:5000",
        "a@localhost:5000",
        "",
    ] {
        let refused = w.platform.add_registry(&w.admin, &w.gra, bad, "u", None).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{bad}: {refused:?}");
    }
}
