//! The owner moves domain time from one due moment to the next.

use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::{AppState, InfoCode, Timestamp};
use ovhai_core::platform::{Moved, SessionTtl};
use ovhai_core::ports::{Clock, ClockControl};
use ovhai_core::quota::Quotas;
use ovhai_core::replica::ExitStatus;
use ovhai_core::{Error, Settings, VirtualClock};
use ovhai_runtime::SimRuntime;
use ovhai_store::MemoryStore;

use crate::harness::World;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
/// Real time for what a step causes.
const SETTLE: Duration = Duration::from_secs(30);
/// Real time after which a start that never ends is not waited for.
const SHORT: Duration = Duration::from_millis(50);

async fn frozen(sim: SimRuntime, settings: Settings) -> (World, Arc<VirtualClock>) {
    let clock = Arc::new(VirtualClock::new());
    clock.freeze();
    let store = Arc::new(MemoryStore::new());
    let w = World::at(Arc::clone(&clock) as _, sim, store, settings).await;
    w.platform.freeze_clock(&w.admin).await.unwrap();
    (w, clock)
}

fn automatic() -> SimRuntime {
    SimRuntime::automatic(([127, 0, 0, 1], 9).into())
}

fn unlimited() -> Settings {
    Settings { quotas: Quotas::UNLIMITED, ..Settings::default() }
}

impl World {
    async fn advance(&self, by: Duration, settle: Duration) -> Moved {
        self.platform.advance_clock(&self.admin, by, settle).await.unwrap()
    }
}

#[tokio::test]
async fn a_year_has_52_weekly_interruptions() {
    let (w, clock) = frozen(automatic(), Settings { interrupts_weekly: true, ..unlimited() }).await;
    let id = w.submit(r#"{"image":"a"}"#).await;
    let begun = clock.now();
    let moved = w.advance(365 * DAY, SETTLE).await;
    assert_eq!((moved.in_hand, clock.now()), (vec![], begun + 365 * DAY));
    assert_eq!(w.sim.launched().len(), 1 + 52);
    assert_eq!(w.state(id), Some(AppState::Running));
    let app = w.platform.snapshot().app(id).unwrap().clone();
    let replica = &app.observed.now().replicas[0];
    assert_eq!((replica.restarts, app.live.backends.len()), (0, 1), "it is no crash");
    let last = app.record.history.iter().rev().find(|h| h.state == AppState::Initializing);
    assert_eq!(last.unwrap().date, begun + 52 * 7 * DAY);
}

#[tokio::test]
async fn a_deadline_passes_to_the_second() {
    let (w, _) = frozen(SimRuntime::step_by_step(), unlimited()).await;
    let spec = r#"{"image":"a","name":"it","deploymentStrategy":{"progressDeadlineSeconds":600}}"#;
    let id = w.submit(spec).await;
    assert!(w.advance(599 * SECOND, SHORT).await.in_hand.is_empty());
    assert_eq!(w.state(id), Some(AppState::Initializing));
    // Nothing of it is left: the simulated replica must end first.
    let moved = w.advance(SECOND, SHORT).await;
    assert_eq!(moved.in_hand, ["app it: replica 1 stops"]);
    assert_eq!(w.state(id), Some(AppState::Failed));
}

#[tokio::test]
async fn the_clock_waits_for_a_start() {
    let (w, clock) = frozen(SimRuntime::step_by_step(), unlimited()).await;
    let id = w.submit(r#"{"image":"a","name":"slow"}"#).await;
    let begun = clock.now();
    let advancing = w.advance(DAY, SETTLE);
    let starting = async {
        while w.sim.launched().is_empty() {
            tokio::task::yield_now().await;
        }
        w.settle().await;
        assert_eq!(clock.now(), begun);
        w.sim.ready(1);
    };
    let (moved, ()) = tokio::join!(advancing, starting);
    assert_eq!((moved.in_hand, clock.now()), (vec![], begun + DAY));
    assert_eq!(w.state(id), Some(AppState::Running));

    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    let moved = w.advance(DAY, SHORT).await;
    assert_eq!(moved.in_hand, ["app slow: replica 1 stops"]);
    assert_eq!(clock.now(), begun + DAY, "the time reached");
}

#[tokio::test]
async fn a_crash_backs_off_in_domain_time() {
    let (w, _) = frozen(SimRuntime::step_by_step(), unlimited()).await;
    let id = w.submit(r#"{"image":"a"}"#).await;
    for number in [1, 2] {
        w.settle().await;
        w.sim.ready(number);
        w.becomes(id, AppState::Running).await;
        w.sim.crash(number, ExitStatus::Code(1));
        w.settle().await;
    }
    w.advance(Duration::from_millis(499), SHORT).await;
    assert!(w.sim.alive().is_empty());
    w.advance(Duration::from_millis(1), SHORT).await;
    assert_eq!(w.sim.alive(), [3]);
}

#[tokio::test]
async fn a_session_ends_to_the_second() {
    let (hour, all_but_a_second) = (Duration::from_hours(1), Duration::from_secs(3599));
    let session_ttl = SessionTtl { access: hour, refresh: 2 * hour };
    let (w, _) = frozen(automatic(), Settings { session_ttl, ..unlimited() }).await;
    w.platform.add_user(&w.admin, "ann", "a long password".into()).await.unwrap();
    let session = w.platform.log_in("ann", "a long password".into()).await.unwrap();
    let is_valid = || {
        w.platform
            .authenticate(&w.platform.snapshot(), &session.access, ovhai_core::auth::Place::Here)
            .is_some()
    };
    w.advance(all_but_a_second, SETTLE).await;
    assert!(is_valid());
    w.advance(SECOND, SETTLE).await;
    assert!(!is_valid());
}

/// Real time passes while the clock waits for the apps.
#[tokio::test]
async fn a_short_move_leaves_the_clock_no_earlier_than_without_it() {
    let clock = Arc::new(VirtualClock::new());
    let at = Arc::clone(&clock) as Arc<dyn Clock>;
    let store = Arc::new(MemoryStore::new());
    let w = World::at(at, SimRuntime::step_by_step(), store, unlimited()).await;
    w.submit(r#"{"image":"a"}"#).await;
    w.advance(Duration::from_millis(1), SHORT).await;
    assert!(!clock.stands_still() && clock.record().ahead_millis >= 0);
    let back = Timestamp::now() - Duration::from_hours(1);
    assert!(w.platform.set_clock(&w.admin, back, SHORT).await.is_err());
    assert!(clock.record().ahead_millis >= 0);
}

#[tokio::test]
async fn a_moved_clock_stays_moved_after_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let begin = || async {
        let clock = Arc::new(VirtualClock::new());
        let at = Arc::clone(&clock) as Arc<dyn Clock>;
        (World::at(at, automatic(), Arc::clone(&store), unlimited()).await, clock)
    };
    let (w, clock) = begin().await;
    assert!(w.advance(DAY, SETTLE).await.clock.is_moved && !clock.stands_still());
    drop(w);
    let (w, clock) = begin().await;
    assert!(clock.now() >= Timestamp::now() + DAY - SECOND && !clock.stands_still());
    w.platform.freeze_clock(&w.admin).await.unwrap();
    let stood = clock.now();
    drop(w);
    let (w, clock) = begin().await;
    assert_eq!((clock.now(), clock.stands_still()), (stood, true));
    let resumed = w.platform.resume_clock(&w.admin).await.unwrap();
    assert!(!resumed.is_frozen && resumed.domain_time >= stood);
}

#[tokio::test]
async fn time_goes_forward_only_and_at_most_ten_years() {
    let (w, clock) = frozen(automatic(), unlimited()).await;
    let now = clock.now();
    let back = w.platform.set_clock(&w.admin, now - SECOND, SETTLE).await;
    let far = w.platform.advance_clock(&w.admin, 3660 * DAY, SETTLE).await;
    for refused in [back, far] {
        assert!(
            matches!(&refused, Err(Error::Invalid { field, .. }) if field == "to"),
            "{refused:?}"
        );
    }
    assert_eq!(clock.now(), now);
    w.platform.set_clock(&w.admin, now + DAY, SETTLE).await.unwrap();
    assert_eq!(clock.now(), now + DAY);
}

#[tokio::test]
async fn an_interrupted_app_starts_again() {
    let (w, _) = frozen(SimRuntime::step_by_step(), unlimited()).await;
    let id = w.submit(r#"{"image":"a"}"#).await;
    w.settle().await;
    let interrupt = || w.platform.interrupt_app(&w.admin, id);
    assert!(matches!(interrupt(), Err(Error::Invalid { .. })), "it does not run yet");
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    interrupt().unwrap();
    w.becomes(id, AppState::Initializing).await;
    let code = w.platform.snapshot().app(id).unwrap().info().code;
    assert_eq!(code, InfoCode::AppInterruptedByPlatform);
    w.sim.finish(1);
    w.settle().await;
    w.sim.ready(2);
    w.becomes(id, AppState::Running).await;
    let replica = w.platform.snapshot().app(id).unwrap().observed.now().replicas[0].clone();
    assert_eq!((replica.restarts, replica.interruptions, replica.last_exit), (0, 0, None));
}
