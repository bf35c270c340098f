//! Crashes, as people see them: by ordinal, with what became of earlier runs.

use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::{AppId, AppState, Deletion, ScalingStrategy, TokenSpec};
use ovhai_core::Error;
use ovhai_core::events::EventKind;
use ovhai_core::platform::EventQuery;
use ovhai_core::policy::Principal;
use ovhai_core::ports::{Blame, ReplicaEvent};
use ovhai_core::replica::{ExitStatus, Progress, ReplicaContainer, ReplicaId, ReplicaPhase};

use crate::harness::World;

const APP: &str = r#"{"image":"a"}"#;
const TWO: &str = r#"{"image":"a","scalingStrategy":{"fixed":{"replicas":2}}}"#;

fn progress(w: &World, id: AppId) -> Arc<Progress> {
    w.platform.snapshot().app(id).unwrap().observed.now()
}

/// Ordinal, attempt, phase and restarts of each replica.
fn replicas(w: &World, id: AppId) -> Vec<(u32, u32, ReplicaPhase, u32)> {
    let of =
        |r: &ovhai_core::replica::ReplicaState| (r.id.ordinal, r.id.attempt, r.phase, r.restarts);
    progress(w, id).replicas.iter().map(of).collect()
}

/// The app's output, each line with the run that wrote it.
fn log(w: &World, id: AppId) -> Vec<(ReplicaId, String)> {
    let logs = Arc::clone(&w.platform.snapshot().app(id).unwrap().logs);
    logs.read(0, |_| true).into_iter().map(|line| (line.replica, line.text)).collect()
}

async fn running(spec: &str, numbers: &[u64]) -> (World, AppId) {
    let w = World::step_by_step().await;
    let id = w.submit(spec).await;
    w.settle().await;
    for number in numbers {
        w.sim.ready(*number);
    }
    w.becomes(id, AppState::Running).await;
    (w, id)
}

/// Views name the container before the replica answers, and after it has ended.
#[tokio::test(start_paused = true)]
async fn a_replica_names_its_container() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    let container = |image: &str| ReplicaContainer {
        engine: "Docker 29.1.3".into(),
        image_id: format!("sha256:{image}"),
    };
    let told = || progress(&w, id).replicas[0].container.as_deref().cloned();
    assert_eq!(told(), None);
    w.sim.report(1, &ReplicaEvent::Created(container("a")));
    w.settle().await;
    assert_eq!(told(), Some(container("a")));
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    w.sim.crash(1, ExitStatus::Code(3));
    w.settle().await;
    assert_eq!(told(), None, "the next run has no container yet");
    w.sim.report(2, &ReplicaEvent::Created(container("b")));
    w.settle().await;
    w.sim.crash(2, ExitStatus::Code(3));
    w.settle().await;
    assert_eq!(progress(&w, id).replicas[0].phase, ReplicaPhase::BackOff);
    assert_eq!(told(), Some(container("b")), "of the run that ended");
}

#[tokio::test(start_paused = true)]
async fn a_crash_names_the_replica_and_the_reason() {
    use ReplicaPhase::{Ready, Starting};
    let (w, id) = running(TWO, &[1, 2]).await;
    assert_eq!(replicas(&w, id), [(1, 1, Ready, 0), (2, 1, Ready, 0)]);
    w.sim.crash(1, ExitStatus::Code(3));
    w.becomes(id, AppState::Scaling).await;
    assert_eq!(replicas(&w, id), [(1, 2, Starting, 1), (2, 1, Ready, 0)]);
    assert_eq!(w.info(id), "Replica 1 crashed (exit status 3) and is restarting");
    assert_eq!(w.sim.launched()[2].replica, ReplicaId { ordinal: 1, attempt: 2 });
    let first = ReplicaId { ordinal: 1, attempt: 1 };
    let line = "-- replica 1 exited with status 3; restarting --".to_owned();
    assert_eq!(log(&w, id), [(first, line)]);
    let logs = Arc::clone(&w.platform.snapshot().app(id).unwrap().logs);
    assert_eq!((logs.ended(None), logs.ended(Some(2))), (vec![first], vec![]));

    w.sim.ready(3);
    w.becomes(id, AppState::Running).await;
    assert_eq!((w.info(id).as_str(), progress(&w, id).restarts()), ("The app is running", 1));
    let last = progress(&w, id).last_exit().unwrap().clone();
    assert_eq!(last.status, Some(ExitStatus::Code(3)));
    assert_eq!(last.reason(), "exit status 3");
    w.sim.crash(2, ExitStatus::Signal(9));
    w.settle().await;
    assert_eq!(w.info(id), "Replica 2 crashed (signal 9 (SIGKILL)) and is restarting");
    assert_eq!(replicas(&w, id), [(1, 2, Ready, 1), (2, 2, Starting, 1)]);

    // What was before it was stopped is not told of what is started after.
    w.sim.ready(4);
    w.becomes(id, AppState::Running).await;
    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    w.sim.finish(3);
    w.sim.finish(4);
    w.becomes(id, AppState::Stopped).await;
    assert_eq!(*progress(&w, id), Progress::default());
    w.platform.start_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    assert_eq!(replicas(&w, id), [(1, 3, Starting, 0), (2, 3, Starting, 0)]);
}

/// What is happening is shown though nothing can be stored.
#[tokio::test(start_paused = true)]
async fn restarts_and_progress_are_no_commits() {
    let (w, id) = running(APP, &[1]).await;
    let record = || Arc::clone(&w.platform.snapshot().app(id).unwrap().record);
    w.sim.crash(1, ExitStatus::Code(1));
    w.becomes(id, AppState::Scaling).await;
    let before = record();
    w.store.set_failing(true);
    w.sim.waiting(2, "it listens on 5000");
    w.pass(Duration::from_secs(3)).await;
    w.sim.waiting(2, "it listens on 5000");
    w.settle().await;
    let says = "Replica 1 crashed (exit status 1) and is restarting: it listens on 5000";
    assert_eq!(w.info(id), says);
    w.sim.crash(2, ExitStatus::Code(2));
    w.settle().await;
    let says = "Replica 1 crashed 2 times in a row (last: exit status 2) and is restarting";
    assert_eq!((w.info(id).as_str(), replicas(&w, id)[0].2), (says, ReplicaPhase::BackOff));
    assert!(Arc::ptr_eq(&before, &record()), "nothing was stored");
    assert_eq!(log(&w, id)[1].1, "-- replica 1 exited with status 2; restarting in 500ms --");
}

#[tokio::test(start_paused = true)]
async fn a_crash_looping_replica_delays_no_other() {
    let (w, id) = running(TWO, &[1, 2]).await;
    // The first one crashes five times, at once after each restart.
    let mut number = 1;
    for crash in 1..=5 {
        w.sim.crash(number, ExitStatus::Code(1));
        w.pass(Duration::from_secs(10)).await;
        assert_eq!(progress(&w, id).restarts(), crash);
        number = w.sim.alive().into_iter().max().unwrap();
        w.sim.ready(number);
        w.becomes(id, AppState::Running).await;
    }
    // The other one is started again at once, as at its first crash.
    w.sim.crash(2, ExitStatus::Code(4));
    w.settle().await;
    let second = w.sim.alive().into_iter().max().unwrap();
    assert_eq!(w.sim.launched().last().unwrap().replica, ReplicaId { ordinal: 2, attempt: 2 });
    w.sim.ready(second);
    w.becomes(id, AppState::Running).await;
    // The first one does not answer any more: it is given up, and the other one goes on.
    w.sim.crash(number, ExitStatus::Code(1));
    w.pass(Duration::from_mins(1)).await;
    assert_eq!(w.sim.alive(), [second, second + 1]);
    w.pass(Duration::from_mins(9)).await;
    w.sim.finish(w.sim.launched().last().unwrap().number);
    w.becomes(id, AppState::Running).await;
    w.pass(Duration::from_hours(1)).await;
    assert_eq!((w.sim.alive(), w.state(id)), (vec![second], Some(AppState::Running)));
    assert!(w.info(id).starts_with("Replica 1 failed, the others go on: "), "{}", w.info(id));
    let record = Arc::clone(&w.platform.snapshot().app(id).unwrap().record);
    assert!(!record.info.arguments.contains_key("failedChange"), "no change failed");
    let states: Vec<_> = replicas(&w, id).into_iter().map(|r| (r.0, r.2)).collect();
    assert_eq!(states, [(1, ReplicaPhase::Failed), (2, ReplicaPhase::Ready)]);
    // When that one goes too, both are tried again.
    w.sim.crash(second, ExitStatus::Code(4));
    w.pass(Duration::from_mins(1)).await;
    assert_eq!(w.sim.alive().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_app_shows_its_history() {
    let (w, id) = running(APP, &[1]).await;
    for crash in 1..=6 {
        w.sim.crash(crash, ExitStatus::Code(3));
        w.pass(Duration::from_secs(10)).await;
    }
    w.pass(Duration::from_mins(10)).await;
    w.sim.finish(7);
    w.becomes(id, AppState::Failed).await;
    assert_eq!(replicas(&w, id), [(1, 6, ReplicaPhase::Failed, 6)]);
    let last = log(&w, id).pop().unwrap().1;
    assert_eq!(last, "-- replica 1 exited with status 3; restarting in 8s --");
    // One that never answered too; and it begins anew when it is started.
    w.platform.start_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    assert_eq!(replicas(&w, id), [(1, 8, ReplicaPhase::Starting, 0)]);
    w.sim.crash(1, ExitStatus::Code(127));
    w.becomes(id, AppState::Failed).await;
    assert_eq!(replicas(&w, id), [(1, 8, ReplicaPhase::Failed, 0)]);
    assert_eq!(log(&w, id).pop().unwrap().1, "-- replica 1 exited with status 127 --");
}

/// People name replicas 1 to n, whatever is replaced, added or removed.
#[tokio::test(start_paused = true)]
async fn ordinals_count_from_one_to_the_desired_number() {
    let (w, id) = running(TWO, &[1, 2]).await;
    let ordinals = || replicas(&w, id).into_iter().map(|r| (r.0, r.1)).collect::<Vec<_>>();
    w.platform.set_image(&w.admin, &w.gra, id, "b").await.unwrap();
    w.settle().await;
    assert_eq!(ordinals(), [(1, 1), (1, 2), (2, 1)], "the new one beside the old one");
    w.sim.ready(3);
    w.pass(Duration::from_millis(200)).await;
    w.sim.finish(1);
    w.settle().await;
    w.sim.ready(4);
    w.pass(Duration::from_millis(200)).await;
    w.sim.finish(2);
    w.becomes(id, AppState::Running).await;
    assert_eq!((ordinals(), progress(&w, id).restarts()), (vec![(1, 2), (2, 2)], 0));

    // Fewer are wanted while the first one is away: the last one that answers stays until then.
    w.sim.crash(3, ExitStatus::Code(1));
    w.settle().await;
    let one: ScalingStrategy = serde_json::from_str(r#"{"fixed":{"replicas":1}}"#).unwrap();
    w.platform.scale_app(&w.admin, &w.gra, id, &one).await.unwrap();
    w.pass(Duration::from_secs(1)).await;
    assert_eq!(w.sim.alive(), [4, 5]);
    w.sim.ready(5);
    w.pass(Duration::from_millis(200)).await;
    w.sim.finish(4);
    w.becomes(id, AppState::Running).await;
    assert_eq!(ordinals(), [(1, 3)]);
}

/// Between two crashes the app is still RUNNING for a moment; what the gateway says then is why.
#[tokio::test(start_paused = true)]
async fn a_replica_that_stops_answering_is_named() {
    let (w, id) = running(APP, &[1]).await;
    w.sim.report(1, &ReplicaEvent::Lost("it does not listen".into()));
    w.settle().await;
    assert_eq!(w.info(id), "Replica 1 stopped answering: it does not listen");
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.info(id), "The app is running");
}

async fn holder(w: &World, role: &str, selector: Option<&str>) -> Principal {
    let selector = selector.map(Into::into);
    let spec = TokenSpec { name: "t".into(), role: role.into(), label_selector: selector };
    let token = w.platform.create_token(&w.admin, &w.gra, &spec).await.unwrap();
    w.platform
        .authenticate(&w.platform.snapshot(), &token.value, ovhai_core::auth::Place::Here)
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn events_are_visible_to_readers_of_the_app() {
    let w = World::step_by_step().await;
    let red = w.submit(r#"{"image":"a","name":"red","labels":{"team":"red"}}"#).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(red, AppState::Running).await;
    w.sim.exit(1, Blame::User, "The command ended");
    w.settle().await;
    let all = EventQuery::default();
    let of_red = EventQuery { app: Some(red), ..all };
    let events = w.platform.events(&w.admin, &w.gra, of_red).unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|named| (named.event.kind, named.event.ordinal, named.event.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (EventKind::State, None, "QUEUED"),
            (EventKind::State, None, "INITIALIZING"),
            (EventKind::Started, Some(1), "start"),
            (EventKind::Ready, Some(1), "answers"),
            (EventKind::State, None, "RUNNING"),
            (EventKind::Crashed, Some(1), "ended"),
            (EventKind::Started, Some(1), "restart"),
            (EventKind::State, None, "SCALING"),
        ]
    );
    assert_eq!(events[7].event.message, "Replica 1 crashed (The command ended) and is restarting");
    assert_eq!(events[0].name, "red");
    let after = EventQuery { after: events[5].event.seq, count: Some(1), ..of_red };
    let later = w.platform.events(&w.admin, &w.gra, after).unwrap();
    assert_eq!((later.len(), later[0].event.seq), (1, events[7].event.seq));

    let insider = holder(&w, "operator", Some("team=red")).await;
    let outsider = holder(&w, "operator", Some("team=blue")).await;
    let reader = holder(&w, "read", None).await;
    let count =
        |caller, region, query| w.platform.events(caller, region, query).map(|events| events.len());
    assert_eq!(count(&insider, &w.gra, all).unwrap(), 8);
    assert_eq!(count(&outsider, &w.gra, all).unwrap(), 0);
    let missing = count(&outsider, &w.gra, of_red).unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }), "as if it were not there: {missing}");
    for caller in [&reader, &Principal::Anonymous] {
        assert!(matches!(count(caller, &w.gra, all), Err(Error::Denied(_))));
        assert!(matches!(count(caller, &w.gra, of_red), Err(Error::Denied(_))));
    }
    let elsewhere = "BHS".parse().unwrap();
    assert_eq!(count(&w.admin, &elsewhere, all).unwrap(), 0);
    assert!(count(&insider, &elsewhere, all).is_err());

    // Of an app that is gone, only who sees the whole region hears: its labels are gone too.
    w.platform.delete_app(&w.admin, &w.gra, red, Deletion::Now).await.unwrap();
    w.settle().await;
    w.sim.finish(2);
    w.settle().await;
    assert_eq!(w.state(red), None);
    let events = w.platform.events(&w.admin, &w.gra, all).unwrap();
    let last = &events.last().unwrap();
    assert_eq!((last.event.reason.as_str(), last.name.as_str()), ("DELETED", "red"));
    assert_eq!(count(&insider, &w.gra, all).unwrap(), 0);
}

/// The engine was restarted, the supervisor was killed: nothing that the app did.
#[tokio::test(start_paused = true)]
async fn the_platforms_faults_are_no_crashes() {
    use ReplicaPhase::{Ready, Starting};
    let (w, id) = running(TWO, &[1, 2]).await;
    let interruptions = || progress(&w, id).replicas[0].interruptions;
    // Between two crashes, and more often than an app may crash in a row.
    let mut number = 1;
    for times in 0..4 {
        for fault in [Blame::User, Blame::Platform] {
            w.sim.exit(number, fault, "the engine is gone");
            w.pass(Duration::from_secs(5)).await;
            number = 3 + times * 2 + u64::from(fault == Blame::Platform);
            w.sim.ready(number);
            w.becomes(id, AppState::Running).await;
        }
        let count = u32::try_from(times).unwrap() + 1;
        assert_eq!(replicas(&w, id)[0].3, count, "crashes");
        assert_eq!(interruptions(), count);
    }
    assert_eq!(replicas(&w, id)[1], (2, 1, Ready, 0), "the other one is not concerned");
    w.sim.exit(number, Blame::Platform, "the engine is gone");
    w.settle().await;
    let says = "Replica 1 was interrupted by the platform 5 times in a row (last: the engine is gone) and is restarting";
    assert_eq!((w.info(id).as_str(), w.sim.alive()), (says, vec![2]));
    w.pass(Duration::from_secs(4)).await;
    assert_eq!(replicas(&w, id)[0].2, Starting);
    // One that did not answer since belongs to it. However often it happens, it comes back.
    for attempt in 1..=20 {
        w.sim.exit(number + attempt, Blame::Platform, "the engine is gone");
        w.settle().await;
        assert!(w.info(id).starts_with("Replica 1 was interrupted"), "{}", w.info(id));
        w.pass(Duration::from_mins(1)).await;
    }
    w.sim.ready(number + 21);
    w.becomes(id, AppState::Running).await;
    let query = EventQuery { app: Some(id), ..EventQuery::default() };
    let events = w.platform.events(&w.admin, &w.gra, query).unwrap();
    let count = |kind| events.iter().filter(|one| one.event.kind == kind).count();
    assert_eq!((count(EventKind::Crashed), count(EventKind::Interrupted)), (4, 25));
    assert_eq!(count(EventKind::Failed), 0);
    // A crash is delayed as the fifth, since the platform's faults are not among them.
    w.sim.crash(number + 21, ExitStatus::Code(1));
    w.settle().await;
    assert_eq!(
        log(&w, id).pop().unwrap().1,
        "-- replica 1 exited with status 1; restarting in 4s --"
    );
}
