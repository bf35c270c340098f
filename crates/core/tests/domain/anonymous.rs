//! A caller without credentials is refused by every method of the platform that has a caller.

use std::collections::BTreeSet;
use std::path::Path;

use ovhai_api_types::{
    AppSpec, AppUpdate, CopyDirection, DataSyncDirection, Deletion, LabelUpdate, Labels,
    RegistryId, TokenSpec,
};
use ovhai_core::platform::{AccessQuery, AppQuery, EventQuery, RegistryChange, StoreAccess};
use ovhai_core::policy::{Action, Effect, Principal};
use ovhai_core::ports::{ExecTask, Store};
use ovhai_core::{Error, Result};

use crate::harness::World;

/// Not tested: it ends the caller's own session, and has no effect without one.
const EXEMPT: &str = "log_out";

/// The names of the public methods with a caller, from the sources.
fn methods() -> BTreeSet<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platform");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for method in text.split("\n    pub ").skip(1) {
            let method = method.strip_prefix("async ").unwrap_or(method);
            let Some((name, rest)) =
                method.strip_prefix("fn ").and_then(|method| method.split_once('('))
            else {
                continue;
            };
            let (parameters, _) = rest.split_once('{').unwrap();
            if parameters.contains("caller: &Principal") {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

#[tokio::test(start_paused = true)]
async fn every_method_refuses_an_anonymous_caller() {
    let w = World::automatic().await;
    let app = w.submit(r#"{"image":"a"}"#).await;
    let reader = TokenSpec { name: "t".into(), role: "read".into(), label_selector: None };
    let token = w.platform.create_token(&w.admin, &w.gra, &reader).await.unwrap().record.id;
    let registry = w.platform.add_registry(&w.admin, &w.gra, "registry.example", "u", None).await;
    let registry: RegistryId = registry.unwrap().id;
    w.platform.add_user(&w.admin, "ann", "a long password".into()).await.unwrap();
    let before = w.store.load().await.unwrap().revision;

    let (platform, caller, gra) = (&w.platform, &Principal::Anonymous, &w.gra);
    let spec: AppSpec = serde_json::from_str(r#"{"image":"a"}"#).unwrap();
    let scaling = serde_json::from_str(r#"{"fixed":{"replicas":2}}"#).unwrap();
    let label = [LabelUpdate { name: "group".into(), value: Some("A".into()) }];
    let (update, change) = (AppUpdate::default(), RegistryChange::default());
    let look = || ExecTask::Copy { direction: CopyDirection::Look, path: "/".into() };
    let password = || "another password".to_owned();
    let labels = Labels::new();
    let hour = std::time::Duration::from_hours(1);
    let results: Vec<(&str, Result<()>)> = vec![
        ("explain", platform.explain(caller, gra, &AccessQuery::App(app), 0, 1).map(drop)),
        ("data_stores", platform.data_stores(caller).map(drop)),
        ("data_store", platform.data_store(caller, "local", StoreAccess::Read).map(drop)),
        ("add_data_store", platform.add_data_store(caller, "d", None).await.map(drop)),
        ("remove_data_store", platform.remove_data_store(caller, "d").await),
        ("sync_app", platform.sync_app(caller, gra, app, DataSyncDirection::Pull, None).map(drop)),
        ("list_users", platform.list_users(caller).map(drop)),
        ("add_user", platform.add_user(caller, "bob", password()).await),
        ("set_password", platform.set_password(caller, "ann", password()).await),
        ("remove_user", platform.remove_user(caller, "ann").await),
        ("create_app", platform.create_app(caller, gra, &spec).await.map(drop)),
        ("create_app_in", platform.create_app_in(caller, gra, &spec, None).await.map(drop)),
        ("get_app", platform.get_app(caller, gra, app).map(drop)),
        ("exec", platform.exec(caller, gra, app, None, look()).map(drop)),
        ("app_logs", platform.app_logs(caller, gra, app).map(drop)),
        ("list_apps", platform.list_apps(caller, gra, &AppQuery::default()).map(drop)),
        ("start_app", platform.start_app(caller, gra, app).await),
        ("restart_app", platform.restart_app(caller, gra, app).await.map(drop)),
        ("stop_app", platform.stop_app(caller, gra, app).await),
        ("delete_app", platform.delete_app(caller, gra, app, Deletion::Now).await),
        ("label_app", platform.label_app(caller, gra, app, &label).await),
        ("set_image", platform.set_image(caller, gra, app, "b").await.map(drop)),
        ("scale_app", platform.scale_app(caller, gra, app, &scaling).await),
        ("update_app", platform.update_app(caller, gra, app, &update).await.map(drop)),
        ("events", platform.events(caller, gra, EventQuery::default()).map(drop)),
        ("list_mappings", platform.list_mappings(caller).map(drop)),
        (
            "map_image",
            platform.map_image(caller, "a", vec!["sh".into()], "/".into(), None).await.map(drop),
        ),
        ("unmap_image", platform.unmap_image(caller, "a").await),
        ("may_create", platform.may_create(caller, gra)),
        ("may_view", platform.may_view(caller, gra)),
        ("may_shut_down", platform.may_shut_down(caller)),
        ("may_reset_counters", platform.may_reset_counters(caller)),
        ("may_ask_me", platform.may_ask_me(caller, gra)),
        ("list_registries", platform.list_registries(caller, gra).map(drop)),
        ("get_registry", platform.get_registry(caller, gra, registry).map(drop)),
        (
            "add_registry",
            platform.add_registry(caller, gra, "other.example", "u", None).await.map(drop),
        ),
        ("update_registry", platform.update_registry(caller, gra, registry, change).await),
        ("delete_registry", platform.delete_registry(caller, gra, registry).await),
        ("clock_status", platform.clock_status(caller).map(drop)),
        ("freeze_clock", platform.freeze_clock(caller).await.map(drop)),
        ("resume_clock", platform.resume_clock(caller).await.map(drop)),
        ("advance_clock", platform.advance_clock(caller, hour, hour).await.map(drop)),
        ("set_clock", platform.set_clock(caller, platform.now(), hour).await.map(drop)),
        ("interrupt_app", platform.interrupt_app(caller, app)),
        ("wake", platform.wake(caller, app)),
        ("list_tokens", platform.list_tokens(caller, gra).map(drop)),
        ("get_token", platform.get_token(caller, gra, token).map(drop)),
        ("create_token", platform.create_token(caller, gra, &reader).await.map(drop)),
        ("renew_token", platform.renew_token(caller, gra, token).await.map(drop)),
        ("delete_token", platform.delete_token(caller, gra, token).await),
        ("may_manage_tokens", platform.may_manage_tokens(caller, gra)),
        ("open_streams", platform.open_streams(caller, gra, token).map(drop)),
        ("look_up_string", platform.look_up_string(caller, gra, "x".into()).map(drop)),
        ("explain_labels", platform.explain_labels(caller, gra, &labels, false).map(drop)),
        ("check_new_app", platform.check_new_app(caller, gra, &spec).map(drop)),
        ("label_app_if", platform.label_app_if(caller, gra, app, &labels, &label).await),
        ("may_capture", platform.may_capture(caller, app).map(drop)),
        ("may_replay", platform.may_replay(caller, app).map(drop)),
        ("may_open_console", platform.may_open_console(caller)),
        ("may_in_a_region", platform.may_in_a_region(caller, Action::Requests).map(drop)),
    ];
    for (name, result) in &results {
        let is_refused = matches!(
            result,
            Err(Error::Denied(decision)) if decision.effect == Effect::Unauthenticated
        );
        assert!(is_refused, "{name}: {result:?}");
    }
    let mut tested: BTreeSet<String> = results.iter().map(|(name, _)| (*name).to_owned()).collect();
    tested.insert(EXEMPT.into());
    assert_eq!(tested, methods(), "a method is missing in the table, or does not exist");
    assert_eq!(w.store.load().await.unwrap().revision, before, "nothing was stored");
}
