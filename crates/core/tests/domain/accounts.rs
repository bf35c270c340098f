//! Users, sessions, quotas, mapped images, and what is explained of access.

use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::{AppState, AppUpdate, Deletion, Env, Placement, Role, TokenSpec};
use ovhai_core::Error;
use ovhai_core::platform::{AccessQuery, TokenQuestion};
use ovhai_core::policy::{Principal, Reason};
use ovhai_core::quota::{Quotas, Usage};
use ovhai_runtime::SimRuntime;
use ovhai_store::MemoryStore;

use crate::harness::World;

const APP: &str = r#"{"image":"a/b","name":"n"}"#;

fn who(world: &World, bearer: &str) -> Option<Principal> {
    world.platform.authenticate(&world.platform.snapshot(), bearer, ovhai_core::auth::Place::Here)
}

#[tokio::test(start_paused = true)]
async fn a_login_without_strings_ends_like_any_other() {
    let world = World::automatic().await;
    let platform = &world.platform;
    platform.add_user(&world.admin, "ann", "a long password".into()).await.unwrap();
    let lasts = Duration::from_hours(12);
    let log_in = |password: &'static str| platform.log_in_for("ann", password.into(), lasts);
    assert!(matches!(log_in("a wrong password").await, Err(Error::BadCredentials)));

    let ann = log_in("a long password").await.unwrap();
    assert!(ann.name() == "ann" && platform.current(&ann).is_some());
    world.clock.pass(lasts / 2);
    assert!(platform.current(&ann).is_some());
    world.clock.pass(lasts / 2);
    assert!(platform.current(&ann).is_none(), "it expires");

    let (ann, other) =
        (log_in("a long password").await.unwrap(), log_in("a long password").await.unwrap());
    platform.log_out(&ann).await.unwrap();
    platform.log_out(&ann).await.unwrap();
    platform.log_out(&world.admin).await.unwrap();
    assert!(platform.current(&ann).is_none() && platform.current(&other).is_some());
    platform.set_password(&world.admin, "ann", "another password".into()).await.unwrap();
    assert!(platform.current(&other).is_none());
    let ann = log_in("another password").await.unwrap();
    platform.remove_user(&world.admin, "ann").await.unwrap();
    assert!(platform.current(&ann).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_is_refreshed_and_revoked() {
    let world = World::automatic().await;
    let platform = &world.platform;
    platform.add_user(&world.admin, "ann", "a long password".into()).await.unwrap();
    assert!(matches!(
        platform.add_user(&world.admin, "ann", "another password".into()).await,
        Err(Error::Exists { .. })
    ));
    assert!(matches!(
        platform.log_in("ann", "a wrong password".into()).await,
        Err(Error::BadCredentials)
    ));
    assert!(matches!(
        platform.log_in("bob", "a long password".into()).await,
        Err(Error::BadCredentials)
    ));
    let login = platform.log_in("ann", "a long password".into()).await.unwrap();
    let ann = who(&world, &login.access).unwrap();
    assert_eq!(ann.name(), "ann");
    assert!(who(&world, &login.refresh).is_none(), "it makes new strings and nothing else");
    assert!(who(&world, &format!("{}0", login.access)).is_none());

    world.clock.pass(login.expires_in);
    assert!(who(&world, &login.access).is_none(), "it expires");
    assert!(platform.current(&ann).is_some(), "and the session goes on");
    let next = platform.refresh(&login.refresh).await.unwrap();
    assert!(who(&world, &next.access).is_some());
    assert!(platform.refresh(&login.refresh).await.is_err(), "once");

    let third = platform.refresh(&next.refresh).await.unwrap();
    assert!(who(&world, &next.access).is_some(), "whoever calls with it now may end the call");
    assert!(platform.refresh(&next.refresh).await.is_err());
    let next = third;
    platform.revoke(&next.access).await.unwrap();
    assert!(who(&world, &next.access).is_none());
    assert!(platform.current(&ann).is_none());
    assert!(platform.refresh(&next.refresh).await.is_err());
    platform.revoke("rubbish").await.unwrap();

    let login = platform.log_in("ann", "a long password".into()).await.unwrap();
    world.clock.pass(Duration::from_hours(24 * 31));
    assert!(platform.refresh(&login.refresh).await.is_err(), "refreshing ends too");

    let login = platform.log_in("ann", "a long password".into()).await.unwrap();
    platform.set_password(&world.admin, "ann", "a new password".into()).await.unwrap();
    assert!(who(&world, &login.access).is_none(), "a new password ends sessions");
    let login = platform.log_in("ann", "a new password".into()).await.unwrap();
    platform.remove_user(&world.admin, "ann").await.unwrap();
    assert!(
        who(&world, &login.access).is_none()
            && platform.list_users(&world.admin).unwrap().is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn sessions_outlive_the_emulator() {
    let store = Arc::new(MemoryStore::new());
    let sim = || SimRuntime::automatic(([127, 0, 0, 1], 9).into());
    let world = World::on(sim(), Arc::clone(&store)).await;
    world.platform.add_user(&world.admin, "ann", "a long password".into()).await.unwrap();
    let login = world.platform.log_in("ann", "a long password".into()).await.unwrap();
    let again = World::on(sim(), store).await;
    assert!(who(&again, &login.access).is_some());
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_are_counted_for_a_minute() {
    let world = World::automatic().await;
    let platform = &world.platform;
    platform.add_user(&world.admin, "ann", "a long password".into()).await.unwrap();
    for _ in 0..10 {
        assert!(matches!(
            platform.log_in("ann", "wrong password".into()).await,
            Err(Error::BadCredentials)
        ));
    }
    let refused = platform.log_in("ann", "a long password".into()).await;
    assert!(matches!(refused, Err(Error::TooManyTries { seconds: 1..=61 })), "{refused:?}");
    tokio::time::advance(Duration::from_secs(61)).await;
    platform.log_in("ann", "a long password".into()).await.unwrap();
    for _ in 0..20 {
        let nobody = platform.log_in("", "wrong password".into()).await;
        assert!(matches!(nobody, Err(Error::BadCredentials)), "no name is nobody's");
    }
    platform.log_in("ann", "a long password".into()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_user_can_manage_the_project_but_not_the_machine() {
    let world = World::automatic().await;
    let platform = &world.platform;
    platform.add_user(&world.admin, "ann", "a long password".into()).await.unwrap();
    let login = platform.log_in("ann", "a long password".into()).await.unwrap();
    let ann = who(&world, &login.access).unwrap();
    let spec = serde_json::from_str(APP).unwrap();
    let app = platform.create_app(&ann, &world.gra, &spec).await.unwrap();
    assert_eq!(app.record.user, "ann");
    let process = ovhai_api_types::AppSpec { runtime: Some(Placement::Process), ..spec };
    assert!(platform.create_app(&ann, &world.gra, &process).await.is_err());
    assert!(platform.add_user(&ann, "bob", "a long password".into()).await.is_err());
    assert!(platform.map_image(&ann, "a/b", vec!["sh".into()], "/".into(), None).await.is_err());
    assert!(platform.may_shut_down(&ann).is_err());
}

#[tokio::test(start_paused = true)]
async fn quotas_limit_the_total_of_the_project() {
    let sim = SimRuntime::automatic(([127, 0, 0, 1], 9).into());
    let world = World::with(sim, Arc::new(MemoryStore::new()), Quotas::default()).await;
    let platform = &world.platform;
    let submit = async |json: &str| {
        let spec = serde_json::from_str(json).unwrap();
        platform.create_app(&world.admin, &world.gra, &spec).await.map(|app| app.record.id)
    };
    let usage = || platform.snapshot().usage(&world.gra);
    let first = submit(r#"{"image":"a","resources":{"gpu":2}}"#).await.unwrap();
    submit(r#"{"image":"a","resources":{"gpu":1},"scalingStrategy":{"fixed":{"replicas":2}}}"#)
        .await
        .unwrap();
    let refused = submit(r#"{"image":"a"}"#).await;
    assert!(
        matches!(&refused, Err(Error::OverQuota { kind: "GPU", quota: 4, used: 4, more: 1 })),
        "{refused:?}"
    );
    // CPUs have a quota of their own, and other regions theirs.
    submit(r#"{"image":"a","resources":{"cpu":12}}"#).await.unwrap();
    assert!(submit(r#"{"image":"a","resources":{"cpu":1}}"#).await.is_err());
    let bhs = "BHS".parse().unwrap();
    let spec = serde_json::from_str(r#"{"image":"a"}"#).unwrap();
    platform.create_app(&world.admin, &bhs, &spec).await.unwrap();
    assert_eq!(usage(), Usage { cpu: 12, gpu: 4 });

    platform.stop_app(&world.admin, &world.gra, first).await.unwrap();
    world.becomes(first, AppState::Stopped).await;
    assert_eq!(usage(), Usage { cpu: 12, gpu: 2 });
    let third = submit(r#"{"image":"a"}"#).await.unwrap();
    let refused = platform.start_app(&world.admin, &world.gra, first).await;
    assert!(matches!(refused, Err(Error::OverQuota { .. })), "{refused:?}");
    let four = serde_json::from_str(r#"{"fixed":{"replicas":4}}"#).unwrap();
    let refused = platform.scale_app(&world.admin, &world.gra, third, &four).await;
    assert!(matches!(refused, Err(Error::OverQuota { .. })), "{refused:?}");
    let one = serde_json::from_str(r#"{"fixed":{"replicas":1}}"#).unwrap();
    platform.scale_app(&world.admin, &world.gra, third, &one).await.unwrap();
    platform.delete_app(&world.admin, &world.gra, third, Deletion::Now).await.unwrap();
    world.settle().await;
    platform.start_app(&world.admin, &world.gra, first).await.unwrap();
    assert_eq!(usage(), Usage { cpu: 12, gpu: 4 });
}

#[tokio::test(start_paused = true)]
async fn a_mapped_image_runs_the_command_of_the_owner_in_its_environment() {
    let world = World::step_by_step().await;
    let platform = &world.platform;
    let id = world.submit(APP).await;
    world.settle().await;
    platform
        .map_image(&world.admin, "a/b", vec!["serve".into()], "/srv".into(), None)
        .await
        .unwrap();
    let mapped = world.submit(r#"{"image":"a/b:2"}"#).await;
    world.settle().await;
    let launched = |id| world.sim.launched().into_iter().rfind(|one| one.app == id).unwrap().spec;
    assert_eq!(launched(id).placement, None, "one that runs goes on");
    let spec = launched(mapped);
    assert_eq!(spec.placement, Some(Placement::Process));
    assert_eq!(spec.command.as_deref(), Some(&["serve".to_owned()][..]));
    assert_eq!(spec.working_directory.as_deref(), Some("/srv"));

    let token = TokenSpec { name: "op".into(), role: "operator".into(), label_selector: None };
    let op = platform.create_token(&world.admin, &world.gra, &token).await.unwrap();
    let op = who(&world, &op.value).unwrap();
    let create = async |json: &str| {
        let spec = serde_json::from_str(json).unwrap();
        platform.create_app(&op, &world.gra, &spec).await
    };
    create(r#"{"image":"a/b"}"#).await.unwrap();
    let evil = r#"{"image":"a/b","envVars":[{"name":"LD_PRELOAD","value":"x"}]}"#;
    assert!(matches!(create(evil).await, Err(Error::Denied(_))));
    let other = create(&evil.replace("a/b", "c/d")).await.unwrap().record.id;
    let refused = platform.set_image(&op, &world.gra, other, "a/b").await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    let update = AppUpdate { url: Some("a/b".into()), ..AppUpdate::default() };
    let refused = platform.update_app(&op, &world.gra, other, &update).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    let env = Env { name: "A".into(), value: "b".into() };
    let update = AppUpdate { env_vars: Some(vec![env]), ..AppUpdate::default() };
    assert!(platform.update_app(&op, &world.gra, mapped, &update).await.is_err());
    platform.update_app(&world.admin, &world.gra, mapped, &update).await.unwrap();
    // The environment was there before the mapping: it is left out, whoever starts the app.
    platform.map_image(&world.admin, "c/d", vec!["serve".into()], "/".into(), None).await.unwrap();
    platform.stop_app(&op, &world.gra, other).await.unwrap();
    world.settle().await;
    for replica in world.sim.launched() {
        world.sim.finish(replica.number);
    }
    world.settle().await;
    platform.start_app(&op, &world.gra, other).await.unwrap();
    world.settle().await;
    let spec = launched(other);
    assert_eq!((spec.placement, spec.env.len()), (Some(Placement::Process), 0));
    let entry = platform.snapshot().app(other).cloned().unwrap();
    assert!(entry.logs.tail(1, |_| true)[0].text.contains("environment is left out"));
    platform.unmap_image(&world.admin, "a/b").await.unwrap();
    assert!(matches!(platform.unmap_image(&world.admin, "a/b").await, Err(Error::NotFound { .. })));
}

#[tokio::test(start_paused = true)]
async fn access_is_explained_as_it_is_decided() {
    let world = World::automatic().await;
    let platform = &world.platform;
    let a = world.submit(r#"{"image":"x","labels":{"group":"A"}}"#).await;
    let open = world.submit(r#"{"image":"x","unsecureHttp":true}"#).await;
    let spec = TokenSpec {
        name: "t".into(),
        role: Role::Read.wire().into(),
        label_selector: Some("group=A".into()),
    };
    let token = platform.create_token(&world.admin, &world.gra, &spec).await.unwrap();
    let page = |caller, query: AccessQuery, skip, take| {
        platform.explain(caller, &world.gra, &query, skip, take).unwrap()
    };
    let ask = |question, app: Option<_>| {
        let query = match app {
            Some(app) => AccessQuery::Both(question, app),
            None => AccessQuery::Token(question),
        };
        page(&world.admin, query, 0, 100)
    };
    let id = token.record.id;
    let all = ask(TokenQuestion::Id(id), None);
    let verdicts: Vec<_> = all
        .iter()
        .map(|one| (one.app.record.id, one.read.is_allowed(), one.operate.is_allowed()))
        .collect();
    assert_eq!(verdicts, [(open, true, false), (a, true, false)], "newest first");
    assert!(matches!(all[1].operate.reason, Reason::Role { role: Role::Read, .. }));
    assert!(matches!(all[0].read.reason, Reason::Public));

    platform.renew_token(&world.admin, &world.gra, id).await.unwrap();
    let old = ask(TokenQuestion::Value(token.value.clone()), Some(a));
    assert_eq!(old[0].read.reason, Reason::OldVersion { string: 1, current: 2 });
    platform.delete_token(&world.admin, &world.gra, id).await.unwrap();
    assert_eq!(ask(TokenQuestion::Value(token.value), Some(a))[0].read.reason, Reason::Deleted);
    let rubbish = ask(TokenQuestion::Value("x".into()), None);
    assert_eq!(rubbish[1].read.reason, Reason::NotIssuedHere);
    assert!(rubbish[0].read.is_allowed(), "an open app does not ask");

    let spec = TokenSpec { label_selector: None, role: "operator".into(), ..spec };
    let bhs = "BHS".parse().unwrap();
    let other = platform.create_token(&world.admin, &bhs, &spec).await.unwrap();
    let elsewhere = ask(TokenQuestion::Id(other.record.id), Some(a));
    assert!(matches!(elsewhere[0].operate.reason, Reason::OtherRegion { .. }));
    assert!(page(&world.admin, AccessQuery::App(a), 0, 100).is_empty(), "of this region");

    // A caller that can't see tokens of a region learns nothing from a token string, valid or not.
    let here = platform.create_token(&world.admin, &world.gra, &spec).await.unwrap();
    let caller = Principal::Token(Arc::clone(&here.record));
    for _ in 0..2 {
        let question = TokenQuestion::Value(other.value.clone());
        let told = page(&caller, AccessQuery::Both(question, a), 0, 100);
        assert!(told[0].token.is_none(), "{told:?}");
        assert!(matches!(told[0].read.reason, Reason::OtherRegion { .. }));
        platform.renew_token(&world.admin, &bhs, other.record.id).await.unwrap();
    }
    let unknown = AccessQuery::Token(TokenQuestion::Id(other.record.id));
    assert!(matches!(
        platform.explain(&caller, &world.gra, &unknown, 0, 100),
        Err(Error::NotFound { .. })
    ));

    // Page by page.
    let query = || AccessQuery::Token(TokenQuestion::Id(here.record.id));
    let apps = |skip, take| -> Vec<_> {
        page(&world.admin, query(), skip, take).iter().map(|one| one.app.record.id).collect()
    };
    assert_eq!((apps(0, 1), apps(1, 1), apps(2, 1)), (vec![open], vec![a], vec![]));
    let tokens = page(&world.admin, AccessQuery::App(a), 0, 1);
    assert_eq!(tokens[0].token.as_ref().unwrap().id, here.record.id);
    assert!(page(&world.admin, AccessQuery::App(a), 1, 1).is_empty());
}

/// One that is still stopping when it is wanted again will run again.
#[tokio::test(start_paused = true)]
async fn a_start_counts_while_the_app_stops() {
    let quotas = Quotas { cpu: None, gpu: Some(1) };
    let world = World::with(SimRuntime::step_by_step(), Arc::new(MemoryStore::new()), quotas).await;
    let platform = &world.platform;
    let first = world.submit(APP).await;
    world.settle().await;
    world.sim.ready(world.sim.alive()[0]);
    world.becomes(first, AppState::Running).await;
    platform.stop_app(&world.admin, &world.gra, first).await.unwrap();
    world.becomes(first, AppState::Stopping).await;
    let second = world.submit(APP).await;
    let refused = platform.start_app(&world.admin, &world.gra, first).await;
    assert!(matches!(refused, Err(Error::OverQuota { .. })), "{refused:?}");
    platform.delete_app(&world.admin, &world.gra, second, Deletion::Now).await.unwrap();
    platform.start_app(&world.admin, &world.gra, first).await.unwrap();
    assert_eq!(platform.snapshot().usage(&world.gra).gpu, 1, "while it is still stopping");
}

#[tokio::test(start_paused = true)]
async fn failed_logins_with_many_names_are_limited_together() {
    let world = World::automatic().await;
    let platform = &world.platform;
    for name in 0..1100 {
        let _ = platform.log_in(&format!("n{name}"), "wrong password".into()).await;
    }
    let refused = platform.log_in("another", "wrong password".into()).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
    for name in [".", "..", "-rf", "", "a b"] {
        let refused = platform.add_user(&world.admin, name, "a long password".into()).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{name}: {refused:?}");
    }
    platform.add_user(&world.admin, "ann", "a long password".into()).await.unwrap();
    let twin = platform.add_user(&world.admin, "ANN", "a long password".into()).await;
    assert!(matches!(twin, Err(Error::Exists { .. })), "{twin:?}");
}
