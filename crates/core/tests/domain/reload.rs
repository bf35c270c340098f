//! Apps whose files change.

use std::time::Duration;

use ovhai_api_types::AppState;
use ovhai_core::events::EventKind;
use ovhai_core::platform::EventQuery;
use ovhai_core::ports::Blame;
use ovhai_runtime::SimRuntime;

use crate::harness::World;

const APP: &str = r#"{"image":"a","runtime":"process","reload":["/src"]}"#;

/// As a restart: the old replica answers until the new one does, and nothing crashed.
#[tokio::test(start_paused = true)]
async fn a_change_replaces_replicas_without_a_gap() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    assert_eq!(w.sim.watched(), ["/src"]);
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    w.sim.change_files();
    w.becomes(id, AppState::Scaling).await;
    assert_eq!((w.endpoints(id), w.sim.alive()), (1, vec![1, 2]));
    // Another change before it answers.
    w.sim.change_files();
    w.settle().await;
    assert_eq!(w.sim.alive(), [1, 3]);
    w.sim.finish(2);
    w.sim.ready(3);
    w.pass(Duration::from_millis(200)).await;
    w.sim.finish(1);
    w.becomes(id, AppState::Running).await;
    assert_eq!((w.endpoints(id), w.sim.alive()), (1, vec![3]));
    let observed = w.platform.snapshot().app(id).unwrap().observed.now();
    assert_eq!((observed.restarts(), observed.last_exit()), (0, None));
    let query = EventQuery { app: Some(id), ..EventQuery::default() };
    let events = w.platform.events(&w.admin, &w.gra, query).unwrap();
    assert_eq!(events.iter().filter(|one| one.event.kind == EventKind::Reloaded).count(), 2);

    // A mistake in a file changes nothing, and the next change mends it.
    w.sim.change_files();
    w.settle().await;
    w.sim.exit(4, Blame::User, "SyntaxError");
    w.becomes(id, AppState::Running).await;
    assert!(w.info(id).contains("SyntaxError"), "{}", w.info(id));
    assert_eq!(w.sim.alive(), [3]);
    w.sim.change_files();
    w.settle().await;
    w.sim.ready(5);
    w.pass(Duration::from_millis(200)).await;
    w.sim.finish(3);
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.info(id), "The app is running");

    // One that is stopped stays so.
    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    w.sim.finish(5);
    w.becomes(id, AppState::Stopped).await;
    w.sim.change_files();
    w.becomes(id, AppState::Stopped).await;
}

#[tokio::test(start_paused = true)]
async fn an_app_that_failed_begins_again_when_its_files_change() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    w.sim.exit(1, Blame::User, "SyntaxError");
    w.becomes(id, AppState::Failed).await;
    w.sim.change_files();
    w.becomes(id, AppState::Initializing).await;
    w.sim.exit(2, Blame::User, "NameError");
    w.becomes(id, AppState::Failed).await;
    // Also after the emulator was restarted.
    w.platform.shutdown(Duration::from_secs(1)).await;
    let again = World::on(SimRuntime::step_by_step(), w.store.clone()).await;
    again.becomes(id, AppState::Failed).await;
    again.sim.change_files();
    again.becomes(id, AppState::Initializing).await;
    again.sim.ready(1);
    again.becomes(id, AppState::Running).await;
}

#[tokio::test(start_paused = true)]
async fn files_that_can_not_be_watched_are_no_failure() {
    let w = World::step_by_step().await;
    let id = w.submit(r#"{"image":"a","reload":["/missing"]}"#).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    let log = w.platform.snapshot().app(id).unwrap().logs.read(0, |_| true);
    let says = "[ovhai] changes are not watched: there is no directory /missing; restart the app by hand: ovhai app restart";
    assert_eq!(log[0].text, says);
}
