//! Apps that are asleep: a request wakes one, and learns when it answers.

use std::time::Duration;

use ovhai_api_types::{AppId, AppState, Deletion};
use ovhai_core::Error;
use ovhai_core::policy::Principal;
use ovhai_core::ports::Blame;
use ovhai_core::replica::{ReplicaId, ReplicaKey};
use ovhai_runtime::SimRuntime;

use crate::harness::World;

/// Whether the app is asleep, its backends, and how often its newest replica was woken.
fn live(w: &World, id: AppId) -> (bool, usize, u32) {
    let wakes = w.sim.launched().last().map_or(0, |launched| launched.wakes);
    let snapshot = w.platform.snapshot();
    let live = &snapshot.app(id).unwrap().live;
    (live.asleep, live.backends.len(), wakes)
}

async fn asleep() -> (World, AppId) {
    let w = World::step_by_step().await;
    let id = w.submit(r#"{"image":"a","labels":{"group":"A"}}"#).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    assert_eq!(live(&w, id), (false, 1, 0));
    w.sim.sleep(1);
    w.becomes(id, AppState::Running).await;
    assert_eq!(live(&w, id), (true, 0, 0));
    (w, id)
}

#[tokio::test(start_paused = true)]
async fn a_request_wakes_an_app_and_learns_when_it_answers() {
    let (w, id) = asleep().await;
    let mut watch = w.platform.watch_live(id);
    w.platform.wake(&w.admin, id).unwrap();
    w.settle().await;
    assert_eq!(live(&w, id), (true, 0, 1));
    let woken = tokio::spawn(async move {
        watch.changed().await;
        watch
    });
    // Other changes of the app wake no waiter.
    let label = serde_json::from_str(r#"{"name":"x","value":"y"}"#).unwrap();
    w.platform.label_app(&w.admin, &w.gra, id, std::slice::from_ref(&label)).await.unwrap();
    w.pass(Duration::from_mins(10)).await;
    assert!(!woken.is_finished());
    w.sim.ready(1);
    w.settle().await;
    assert_eq!((woken.is_finished(), live(&w, id)), (true, (false, 1, 1)));
    assert_eq!(w.history(id).len(), 3, "it was running all the time");
    // One that is awake is not woken.
    w.platform.wake(&w.admin, id).unwrap();
    w.settle().await;
    assert_eq!(live(&w, id), (false, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_request_learns_that_an_app_will_not_answer() {
    for how in ["fails", "stops", "is deleted"] {
        let (w, id) = asleep().await;
        let mut watch = w.platform.watch_live(id);
        let woken = tokio::spawn(async move { watch.changed().await });
        w.settle().await;
        assert!(!woken.is_finished());
        match how {
            "fails" => {
                for number in 1..=6 {
                    w.sim.exit(number, Blame::User, "no");
                    w.pass(Duration::from_secs(10)).await;
                }
                w.pass(Duration::from_mins(10)).await;
                w.becomes(id, AppState::Failed).await;
            }
            "stops" => w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap(),
            _ => w.platform.delete_app(&w.admin, &w.gra, id, Deletion::Now).await.unwrap(),
        }
        w.settle().await;
        assert!(woken.is_finished(), "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_caller_with_access_wakes_an_app() {
    let (w, id) = asleep().await;
    let denied = w.platform.wake(&Principal::Anonymous, id).unwrap_err();
    assert!(matches!(denied, Error::Denied(_)), "{denied}");
    let spec = serde_json::from_str(r#"{"name":"t","role":"read","labelSelector":"group=B"}"#);
    let token = w.platform.create_token(&w.admin, &w.gra, &spec.unwrap()).await.unwrap();
    let denied = w.platform.wake(&Principal::Token(token.record), id).unwrap_err();
    assert!(matches!(denied, Error::Denied(_)), "{denied}");
    w.settle().await;
    assert_eq!(live(&w, id), (true, 0, 0));
}

/// An app that is asleep may crash without failing.
#[tokio::test(start_paused = true)]
async fn an_app_that_crashed_may_sleep_on() {
    let (w, id) = asleep().await;
    w.sim.exit(1, Blame::User, "no");
    w.settle().await;
    w.sim.sleep(2);
    w.pass(Duration::from_hours(1)).await;
    assert_eq!((w.state(id), live(&w, id)), (Some(AppState::Running), (true, 0, 0)));
    // Once it is asked for, it has to answer.
    w.platform.wake(&w.admin, id).unwrap();
    w.settle().await;
    w.sim.exit(2, Blame::User, "no");
    w.pass(Duration::from_secs(1)).await;
    w.sim.sleep(3);
    w.pass(Duration::from_mins(10)).await;
    w.sim.finish(3);
    w.becomes(id, AppState::Failed).await;
}

/// One that waits learns of both: that the app answers, and that its token was revoked.
#[tokio::test(start_paused = true)]
async fn a_caller_whose_token_is_revoked_learns_it_while_it_waits() {
    let (w, id) = asleep().await;
    let spec = serde_json::from_str(r#"{"name":"t","role":"read","labelSelector":"group=A"}"#);
    let token = w.platform.create_token(&w.admin, &w.gra, &spec.unwrap()).await.unwrap();
    let caller = Principal::Token(token.record);
    let mut access = w.platform.watch_access(&caller, id);
    let mut answers = w.platform.watch_live(id);
    w.platform.wake(&caller, id).unwrap();
    let waits = tokio::spawn(async move {
        tokio::select! {
            () = access.changed() => "access",
            () = answers.changed() => "answers",
        }
    });
    w.settle().await;
    let Principal::Token(token) = &caller else { unreachable!() };
    w.platform.renew_token(&w.admin, &w.gra, token.id).await.unwrap();
    assert_eq!(waits.await.unwrap(), "access");
    assert!(w.platform.current(&caller).is_none());
}

/// What survived an emulator that was killed is ended before the first replica is launched.
#[tokio::test(start_paused = true)]
async fn survivors_are_ended_before_the_first_launch() {
    let w = World::step_by_step().await;
    let id = w.submit(r#"{"image":"a"}"#).await;
    w.settle().await;
    let sim = SimRuntime::step_by_step();
    let replica = ReplicaId { ordinal: 1, attempt: 1 };
    sim.survive([ReplicaKey { app: id, replica }]);
    let again = World::on(sim, std::sync::Arc::clone(&w.store)).await;
    again.settle().await;
    let launched = again.sim.launched();
    assert_eq!((launched.len(), launched[0].survivors), (1, 0));
}
