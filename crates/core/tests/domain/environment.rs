//! The environment of a command line: who may give one, who gets it, and how long it is kept.

use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::{AppId, AppState, AppUpdate, Deletion, Env, Environment, Placement};
use ovhai_core::model::{EnvironmentOwner, EnvironmentRecord, SessionId};
use ovhai_core::policy::Principal;
use ovhai_core::{Error, Settings};
use ovhai_runtime::SimRuntime;
use ovhai_store::MemoryStore;
use uuid::Uuid;

use crate::harness::{World, stored};

const PROCESS: &str = r#"{"image":"a/b:1","runtime":"process","command":["serve"]}"#;

fn environment(value: &str) -> Environment {
    [("MARKER".to_owned(), value.to_owned())].into_iter().collect()
}

async fn world(store: &Arc<MemoryStore>, placement: Option<Placement>) -> World {
    let sim = SimRuntime::automatic(([127, 0, 0, 1], 9).into());
    World::set(sim, Arc::clone(store), Settings { placement, ..Settings::default() }).await
}

impl World {
    async fn submit_in(&self, json: &str, value: &str) -> AppId {
        let spec = serde_json::from_str(json).unwrap();
        let given = Some(environment(value));
        let app = self.platform.create_app_in(&self.admin, &self.gra, &spec, given).await.unwrap();
        app.record.id
    }

    /// What the newest replica of an app got.
    async fn got(&self, id: AppId) -> Option<Environment> {
        self.settle().await;
        self.sim.launched().into_iter().rfind(|one| one.app == id).unwrap().environment
    }

    async fn kept(&self) -> Vec<EnvironmentOwner> {
        let mut all: Vec<EnvironmentRecord> = stored(&*self.store, "environment").await;
        all.sort_by(|a, b| a.owner.cmp(&b.owner));
        all.into_iter().map(|one| one.owner).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn an_environment_lives_as_long_as_its_app() {
    let store = Arc::new(MemoryStore::new());
    let w = world(&store, None).await;
    let id = w.submit_in(PROCESS, "mine").await;
    assert_eq!(w.got(id).await, Some(environment("mine")));
    let plain = w.submit(PROCESS).await;
    assert_eq!(w.got(plain).await, None);
    w.platform.shutdown(Duration::from_secs(1)).await;

    // The emulator starts anew, and then the app does.
    let w = world(&store, None).await;
    assert_eq!(w.got(id).await, Some(environment("mine")));
    let update = AppUpdate { default_http_port: Some(9000), ..AppUpdate::default() };
    w.platform.update_app(&w.admin, &w.gra, id, &update).await.unwrap();
    w.pass(Duration::from_secs(1)).await;
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.got(id).await, Some(environment("mine")));
    let before = w.sim.launched().len();
    w.platform.restart_app(&w.admin, &w.gra, id).await.unwrap();
    assert_eq!(w.got(id).await, Some(environment("mine")));
    assert_eq!(w.sim.launched().len(), before + 1);

    assert_eq!(w.kept().await, [EnvironmentOwner::App(id)]);
    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::StopFirst).await.unwrap();
    // The replica that the restart replaced takes its time.
    w.pass(Duration::from_secs(1)).await;
    assert_eq!(w.state(id), None);
    assert_eq!(w.kept().await, []);
    let gone = w.platform.snapshot().environment(&EnvironmentOwner::App(id)).is_none();
    assert!(gone);
}

#[tokio::test(start_paused = true)]
async fn only_processes_keep_an_environment() {
    for (json, placement, keeps) in [
        (r#"{"image":"a"}"#, None, false),
        (r#"{"image":"a","runtime":"builtin"}"#, Some(Placement::Process), false),
        (r#"{"image":"a","runtime":"container"}"#, Some(Placement::Process), false),
        (r#"{"image":"a","command":["serve"]}"#, Some(Placement::Process), true),
        (PROCESS, None, true),
    ] {
        let w = world(&Arc::new(MemoryStore::new()), placement).await;
        let id = w.submit_in(json, "mine").await;
        assert_eq!(w.got(id).await.is_some(), keeps, "{json}");
        assert_eq!(!w.kept().await.is_empty(), keeps, "{json}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_owner_can_pass_an_environment() {
    let w = world(&Arc::new(MemoryStore::new()), Some(Placement::Process)).await;
    let user = Principal::User { name: "ann".into(), session: SessionId(Uuid::nil()) };
    let operator = w.operator().await;
    let spec = serde_json::from_str(PROCESS).unwrap();
    for caller in [&user, &operator, &Principal::Anonymous] {
        let given = Some(environment("theirs"));
        let refused = w.platform.create_app_in(caller, &w.gra, &spec, given.clone()).await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
        let command = vec!["serve".into()];
        let refused = w.platform.map_image(caller, "a/b", command, "/".into(), given).await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    let id = w.platform.create_app(&operator, &w.gra, &spec).await.unwrap().record.id;
    assert_eq!(w.got(id).await, None);

    // With a variable beside it an app could be made to tell what is in there.
    let owners = w.submit_in(PROCESS, "mine").await;
    let set = AppUpdate {
        env_vars: Some(vec![Env { name: "BASH_ENV".into(), value: "x".into() }]),
        ..AppUpdate::default()
    };
    let refused = w.platform.update_app(&operator, &w.gra, owners, &set).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    let other = AppUpdate { default_http_port: Some(9000), ..AppUpdate::default() };
    w.platform.update_app(&operator, &w.gra, owners, &other).await.unwrap();
    w.platform.update_app(&w.admin, &w.gra, owners, &set).await.unwrap();
    w.platform.update_app(&operator, &w.gra, id, &set).await.unwrap();
    assert_eq!(w.got(owners).await, Some(environment("mine")));
}

#[tokio::test(start_paused = true)]
async fn a_mapped_command_gets_the_environment_of_its_owner() {
    let w = world(&Arc::new(MemoryStore::new()), Some(Placement::Process)).await;
    let map = async |value: Option<&str>| {
        let command = vec!["serve".into()];
        let given = value.map(environment);
        w.platform.map_image(&w.admin, "a/b", command, "/".into(), given).await.unwrap();
    };
    map(Some("the mapping's")).await;
    let spec = r#"{"image":"a/b:1","command":["other"]}"#;
    let id = w.submit_in(spec, "the app's").await;
    assert_eq!(w.got(id).await, Some(environment("the mapping's")));
    let operator = w.operator().await;
    let plain = serde_json::from_str(r#"{"image":"a/b:2"}"#).unwrap();
    let theirs = w.platform.create_app(&operator, &w.gra, &plain).await.unwrap().record.id;
    assert_eq!(w.got(theirs).await, Some(environment("the mapping's")));
    // A variable of theirs, such as BASH_ENV, could make the command tell the environment.
    let curious = r#"{"image":"a/b:3","envVars":[{"name":"BASH_ENV","value":"/tmp/x"}]}"#;
    let curious = serde_json::from_str(curious).unwrap();
    let curious = w.platform.create_app(&operator, &w.gra, &curious).await.unwrap().record.id;
    assert_eq!(w.got(curious).await, None);
    assert_eq!(w.sim.launched().last().unwrap().spec.env.len(), 1, "the variable itself counts");

    // Mapped anew, in no environment.
    map(None).await;
    w.platform.restart_app(&w.admin, &w.gra, id).await.unwrap();
    assert_eq!(w.got(id).await, None);
    assert_eq!(w.kept().await, [EnvironmentOwner::App(id)]);
    map(Some("again")).await;
    w.platform.unmap_image(&w.admin, "a/b").await.unwrap();
    w.platform.restart_app(&w.admin, &w.gra, id).await.unwrap();
    assert_eq!(w.got(id).await, Some(environment("the app's")));
    assert_eq!(w.kept().await, [EnvironmentOwner::App(id)]);
}

#[tokio::test(start_paused = true)]
async fn an_impossible_environment_is_refused() {
    let w = world(&Arc::new(MemoryStore::new()), None).await;
    let spec = serde_json::from_str(PROCESS).unwrap();
    let given: Environment =
        [("A".to_owned(), "hush".repeat(Environment::MAX_BYTES))].into_iter().collect();
    let refused = w.platform.create_app_in(&w.admin, &w.gra, &spec, Some(given)).await;
    match refused {
        Err(Error::Invalid { field, message }) => {
            assert_eq!(field, "environment");
            assert!(message.contains("256 KiB") && !message.contains("hush"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert!(w.platform.snapshot().apps().next().is_none());
}

/// Replicas go one after the other; one that is stopped or failed is started.
#[tokio::test(start_paused = true)]
async fn a_restart_replaces_replicas_as_an_update_does() {
    let w = World::step_by_step().await;
    let two = r#"{"image":"a","scalingStrategy":{"fixed":{"replicas":2}}}"#;
    let id = w.submit(two).await;
    w.settle().await;
    for number in [1, 2] {
        w.sim.ready(number);
    }
    w.becomes(id, AppState::Running).await;
    w.platform.restart_app(&w.admin, &w.gra, id).await.unwrap();
    w.becomes(id, AppState::Scaling).await;
    assert_eq!(w.sim.alive(), [1, 2, 3], "one beside those that answer");
    assert_eq!(w.endpoints(id), 2);

    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    for number in [1, 2, 3] {
        w.sim.finish(number);
    }
    w.becomes(id, AppState::Stopped).await;
    w.platform.restart_app(&w.admin, &w.gra, id).await.unwrap();
    w.becomes(id, AppState::Initializing).await;

    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::StopFirst).await.unwrap();
    let refused = w.platform.restart_app(&w.admin, &w.gra, id).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
}
