//! Open streams wake for changes that their access depends on, and for no others.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use ovhai_api_types::{
    AppId, AppState, AppUpdate, Deletion, LabelUpdate, ScalingStrategy, TokenSpec,
};
use ovhai_core::platform::{AccessWatch, IssuedToken};
use ovhai_core::policy::Principal;

use crate::harness::World;

fn is_woken(watch: &mut AccessWatch) -> bool {
    pin!(watch.changed()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

async fn token(world: &World, selector: &str) -> IssuedToken {
    let spec =
        TokenSpec { name: "t".into(), role: "read".into(), label_selector: Some(selector.into()) };
    world.platform.create_token(&world.admin, &world.gra, &spec).await.unwrap()
}

async fn label(world: &World, id: AppId, name: &str, value: Option<&str>) {
    let update = LabelUpdate { name: name.into(), value: value.map(str::to_owned) };
    world
        .platform
        .label_app(&world.admin, &world.gra, id, std::slice::from_ref(&update))
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_commit_wakes_the_streams_that_it_concerns() {
    let w = World::automatic().await;
    let (platform, admin, gra) = (&w.platform, &w.admin, &w.gra);
    let app = w.submit(r#"{"image":"a","labels":{"group":"A"}}"#).await;
    let other = w.submit(r#"{"image":"a","labels":{"group":"A"}}"#).await;
    w.becomes(app, AppState::Running).await;
    let (mine, another) = (token(&w, "group=A").await, token(&w, "group=A").await);
    let caller = Principal::Token(Arc::clone(&mine.record));
    let mut watch = platform.watch_access(&caller, app);

    // Changes of other apps, and an app's own states, wake no stream.
    label(&w, other, "group", Some("B")).await;
    platform.renew_token(admin, gra, another.record.id).await.unwrap();
    platform.delete_token(admin, gra, another.record.id).await.unwrap();
    platform.add_user(admin, "ann", "a long password".into()).await.unwrap();
    platform.log_in("ann", "a long password".into()).await.unwrap();
    platform.delete_app(admin, gra, other, Deletion::Now).await.unwrap();
    let two: ScalingStrategy = serde_json::from_str(r#"{"fixed":{"replicas":2}}"#).unwrap();
    platform.scale_app(admin, gra, app, &two).await.unwrap();
    platform.set_image(admin, gra, app, "b").await.unwrap();
    platform.update_app(admin, gra, app, &AppUpdate::default()).await.unwrap();
    w.pass(Duration::from_mins(1)).await;
    platform.stop_app(admin, gra, app).await.unwrap();
    w.pass(Duration::from_mins(1)).await;
    platform.start_app(admin, gra, app).await.unwrap();
    w.pass(Duration::from_mins(1)).await;
    assert!(!is_woken(&mut watch), "{:?}", w.history(app));

    // Each of these may take access away.
    label(&w, app, "team", Some("x")).await;
    assert!(is_woken(&mut watch) && !is_woken(&mut watch));
    label(&w, app, "group", None).await;
    assert!(is_woken(&mut watch));
    assert!(platform.current(&caller).is_some());
    platform.renew_token(admin, gra, mine.record.id).await.unwrap();
    assert!(is_woken(&mut watch) && platform.current(&caller).is_none());
    platform.delete_token(admin, gra, mine.record.id).await.unwrap();
    assert!(is_woken(&mut watch));
    platform.delete_app(admin, gra, app, Deletion::Now).await.unwrap();
    w.settle().await;
    assert!(is_woken(&mut watch) && platform.snapshot().app(app).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refused_commit_wakes_no_stream() {
    let w = World::automatic().await;
    let app = w.submit(r#"{"image":"a"}"#).await;
    w.settle().await;
    let mut watch = w.platform.watch_access(&w.admin, app);
    w.store.set_failing(true);
    let update = LabelUpdate { name: "a".into(), value: Some("b".into()) };
    assert!(
        w.platform.label_app(&w.admin, &w.gra, app, std::slice::from_ref(&update)).await.is_err()
    );
    assert!(!is_woken(&mut watch));
    w.store.set_failing(false);
    assert!(
        w.platform.label_app(&w.admin, &w.gra, app, std::slice::from_ref(&update)).await.is_ok()
    );
    assert!(is_woken(&mut watch));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_wakes_its_streams() {
    let w = World::automatic().await;
    let (platform, admin) = (&w.platform, &w.admin);
    let app = w.submit(r#"{"image":"a"}"#).await;
    for name in ["ann", "bob"] {
        platform.add_user(admin, name, "a long password".into()).await.unwrap();
    }
    let lasts = Duration::from_hours(12);
    let log_in = |name: &'static str| platform.log_in_for(name, "a long password".into(), lasts);

    let ann = log_in("ann").await.unwrap();
    let mut watch = platform.watch_access(&ann, app);
    let bob = log_in("bob").await.unwrap();
    platform.log_out(&bob).await.unwrap();
    platform.remove_user(admin, "bob").await.unwrap();
    assert!(!is_woken(&mut watch));
    platform.log_out(&ann).await.unwrap();
    assert!(is_woken(&mut watch) && platform.current(&ann).is_none());

    let ann = log_in("ann").await.unwrap();
    let mut watch = platform.watch_access(&ann, app);
    platform.set_password(admin, "ann", "a long password".into()).await.unwrap();
    assert!(is_woken(&mut watch) && platform.current(&ann).is_none());

    let ann = log_in("ann").await.unwrap();
    let mut watch = platform.watch_access(&ann, app);
    platform.remove_user(admin, "ann").await.unwrap();
    assert!(is_woken(&mut watch) && platform.current(&ann).is_none());
}

/// Though nothing is committed at that moment.
#[tokio::test(start_paused = true)]
async fn a_session_that_expires_wakes_its_streams() {
    let w = World::automatic().await;
    let platform = &w.platform;
    let app = w.submit(r#"{"image":"a"}"#).await;
    platform.add_user(&w.admin, "ann", "a long password".into()).await.unwrap();
    let login = platform.log_in("ann", "a long password".into()).await.unwrap();
    let ann = platform
        .authenticate(&platform.snapshot(), &login.access, ovhai_core::auth::Place::Here)
        .unwrap();
    let mut watch = platform.watch_access(&ann, app);
    let woken = tokio::spawn(async move {
        watch.changed().await;
        watch
    });
    w.pass(Duration::from_hours(24)).await;
    assert!(!woken.is_finished());
    w.clock.pass(Duration::from_hours(24 * 31));
    w.settle().await;
    assert!(woken.is_finished() && platform.current(&ann).is_none());
    assert!(is_woken(&mut woken.await.unwrap()), "it stays so");
}
