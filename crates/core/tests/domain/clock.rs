//! Domain time is moved, and no real time passes.

use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::AppState;
use ovhai_core::ports::{Blame, Clock};
use ovhai_core::replica::{ExitStatus, ReplicaPhase};
use ovhai_core::{Error, Settings};
use ovhai_runtime::SimRuntime;

use crate::harness::World;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_deadline_passes() {
    let w = World::step_by_step().await;
    let id =
        w.submit(r#"{"image":"a","deploymentStrategy":{"progressDeadlineSeconds":600}}"#).await;
    w.becomes(id, AppState::Initializing).await;
    w.clock.pass(599 * SECOND);
    w.becomes(id, AppState::Initializing).await;
    w.clock.pass(SECOND);
    w.becomes(id, AppState::Failed).await;
    assert!(w.info(id).contains("did not answer within 600 s"), "{}", w.info(id));
}

#[tokio::test(start_paused = true)]
async fn a_crash_backs_off_and_is_forgotten() {
    let w = World::step_by_step().await;
    let id = w.submit(r#"{"image":"a"}"#).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    w.sim.crash(1, ExitStatus::Code(1));
    w.settle().await;
    w.sim.ready(2);
    w.settle().await;
    w.sim.crash(2, ExitStatus::Code(1));
    w.settle().await;
    let phase = || w.platform.snapshot().app(id).unwrap().observed.now().replicas[0].phase;
    w.clock.pass(Duration::from_millis(499));
    w.settle().await;
    assert_eq!((w.sim.alive(), phase()), (vec![], ReplicaPhase::BackOff));
    w.clock.pass(Duration::from_millis(1));
    w.settle().await;
    assert_eq!((w.sim.alive(), phase()), (vec![3], ReplicaPhase::Starting));
    // It runs for ten minutes: the next crash is the first again.
    w.sim.ready(3);
    w.settle().await;
    w.clock.pass(600 * SECOND);
    w.sim.exit(3, Blame::User, "over");
    w.settle().await;
    assert_eq!(w.sim.alive(), [4]);
}

/// Kubernetes' delays, with its first one.
#[tokio::test(start_paused = true)]
async fn the_delays_of_a_crash_loop() {
    let settings = Settings { restart_delay: 10 * SECOND, ..Settings::default() };
    let (sim, store) = (SimRuntime::step_by_step(), Arc::default());
    let w = World::set(sim, store, settings).await;
    let spec = r#"{"image":"a","deploymentStrategy":{"progressDeadlineSeconds":86400}}"#;
    let id = w.submit(spec).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    for (crash, seconds) in (1..).zip([0, 10, 20, 40, 80, 160, 300, 300, 300]) {
        w.sim.crash(crash, ExitStatus::Code(1));
        w.settle().await;
        if seconds > 0 {
            w.clock.pass((seconds - 1) * SECOND);
            w.settle().await;
            assert!(w.sim.alive().is_empty(), "crash {crash}");
            w.clock.pass(SECOND);
            w.settle().await;
        }
        assert_eq!(w.sim.alive(), [crash + 1], "crash {crash}");
    }
}

/// Crashes do not end an app: not answering for the deadline does, from the first crash on.
#[tokio::test(start_paused = true)]
async fn a_crash_loop_ends_at_the_deadline() {
    let w = World::step_by_step().await;
    let id = w.submit(r#"{"image":"a","deploymentStrategy":{"progressDeadlineSeconds":60}}"#).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    for crash in 1..=3 {
        w.sim.crash(crash, ExitStatus::Code(3));
        w.settle().await;
        w.clock.pass(19 * SECOND);
        w.settle().await;
    }
    w.clock.pass(2 * SECOND);
    w.becomes(id, AppState::Scaling).await;
    w.clock.pass(SECOND);
    w.becomes(id, AppState::Failed).await;
    let says = "It crashed 3 times in a row and did not answer within 60 s: The command exited with status 3";
    assert_eq!(w.info(id), says);
    w.sim.finish(4);
    // It begins anew when it is started.
    w.platform.start_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    w.clock.pass(59 * SECOND);
    w.becomes(id, AppState::Initializing).await;
}

/// What crashed was another version.
#[tokio::test(start_paused = true)]
async fn an_update_mends_a_crash_loop() {
    let w = World::step_by_step().await;
    let id = w.submit(r#"{"image":"a","deploymentStrategy":{"progressDeadlineSeconds":60}}"#).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    w.sim.crash(1, ExitStatus::Code(3));
    w.settle().await;
    w.sim.crash(2, ExitStatus::Code(3));
    w.settle().await;
    w.clock.pass(50 * SECOND);
    w.settle().await;
    w.platform.set_image(&w.admin, &w.gra, id, "b").await.unwrap();
    w.settle().await;
    let new = *w.sim.alive().last().unwrap();
    w.clock.pass(50 * SECOND);
    w.becomes(id, AppState::Scaling).await;
    w.sim.ready(new);
    w.settle().await;
    for number in w.sim.launched().iter().map(|one| one.number).filter(|number| *number < new) {
        w.sim.finish(number);
    }
    w.becomes(id, AppState::Running).await;
}

#[tokio::test(start_paused = true)]
async fn password_tries_are_forgotten() {
    let w = World::step_by_step().await;
    let platform = &w.platform;
    platform.add_user(&w.admin, "ann", "a long password".into()).await.unwrap();
    let log_in = |password: &'static str| platform.log_in("ann", password.into());
    for _ in 0..10 {
        assert!(matches!(log_in("a wrong password").await, Err(Error::BadCredentials)));
    }
    assert!(matches!(log_in("a long password").await, Err(Error::TooManyTries { seconds: 61 })));
    w.clock.pass(59 * SECOND);
    assert!(matches!(log_in("a long password").await, Err(Error::TooManyTries { seconds: 2 })));
    w.clock.pass(SECOND);
    log_in("a long password").await.unwrap();
}

/// Several states in one moment are all recorded, in their order; logs keep real time.
#[tokio::test(start_paused = true)]
async fn domain_time_can_stand_still() {
    let w = World::automatic().await;
    w.clock.pass(3600 * SECOND);
    let id = w.submit(r#"{"image":"a"}"#).await;
    w.becomes(id, AppState::Running).await;
    let query = ovhai_core::platform::EventQuery { app: Some(id), ..Default::default() };
    let events = w.platform.events(&w.admin, &w.gra, query).unwrap();
    let states: Vec<_> = events
        .iter()
        .filter(|one| one.event.kind == ovhai_core::events::EventKind::State)
        .map(|one| one.event.reason.as_str())
        .collect();
    assert_eq!(states, ["QUEUED", "INITIALIZING", "RUNNING"]);
    assert!(events.iter().all(|one| one.event.at == w.clock.now()));
    w.sim.crash(1, ExitStatus::Code(1));
    w.settle().await;
    let log = w.platform.snapshot().app(id).unwrap().logs.read(0, |_| true);
    assert_eq!(log[0].at, w.clock.real_time());
    assert_eq!(w.clock.moved(), Some(w.clock.real_time() + 3600 * SECOND));
}
