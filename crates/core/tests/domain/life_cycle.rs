use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::{AppState, Deletion, ScalingStrategy};
use ovhai_core::model::AppRecord;
use ovhai_core::ports::{Blame, ReplicaEndpoint, ReplicaEvent};
use ovhai_runtime::SimRuntime;

use crate::harness::{World, stored};

const APP: &str = r#"{"image":"a"}"#;

#[tokio::test(start_paused = true)]
async fn the_guides_states_step_by_step() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.becomes(id, AppState::Initializing).await;
    assert_eq!(w.endpoints(id), 0);
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.endpoints(id), 1);

    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.becomes(id, AppState::Stopping).await;
    assert_eq!(w.endpoints(id), 0, "out of the gateway's sight before it is gone");
    w.sim.finish(1);
    w.becomes(id, AppState::Stopped).await;

    w.platform.start_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    w.sim.ready(1); // numbers begin anew with every activation
    w.becomes(id, AppState::Running).await;
    use AppState::{Initializing, Queued, Running, Stopped, Stopping};
    assert_eq!(
        w.history(id),
        [Queued, Initializing, Running, Stopping, Stopped, Queued, Initializing, Running]
    );

    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::StopFirst).await.unwrap();
    w.becomes(id, AppState::Deleting).await;
    w.sim.finish(1);
    w.settle().await;
    assert_eq!(w.state(id), None);
    assert!(stored::<AppRecord>(&*w.store, "app").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_exit_before_the_first_answer_fails_the_app() {
    let w = World::step_by_step().await;
    let id = w.submit(r#"{"image":"a","scalingStrategy":{"fixed":{"replicas":2}}}"#).await;
    w.settle().await;
    w.sim.exit(1, Blame::User, "exited with status 1");
    w.settle().await;
    w.sim.finish(2);
    w.becomes(id, AppState::Failed).await;
    assert_eq!(w.info(id), "exited with status 1");
    assert!(w.sim.launched().iter().all(|l| l.gone), "the other replica is stopped too");

    let id = w.submit(APP).await;
    w.settle().await;
    w.sim.exit(1, Blame::Platform, "no port");
    w.becomes(id, AppState::Error).await;
}

#[tokio::test(start_paused = true)]
async fn an_app_that_never_answers_fails_at_its_deadline() {
    let w = World::step_by_step().await;
    let id = w.submit(r#"{"image":"a","deploymentStrategy":{"progressDeadlineSeconds":30}}"#).await;
    w.settle().await;
    w.sim.waiting(1, "it listens on 5000");
    w.pass(Duration::from_secs(29)).await;
    w.becomes(id, AppState::Initializing).await;
    w.sim.waiting(1, "it listens on 5000");
    w.settle().await;
    assert_eq!(w.info(id), "The app is starting: it listens on 5000", "one need not wait to know");
    w.pass(Duration::from_secs(2)).await;
    w.becomes(id, AppState::Failed).await;
    assert_eq!(w.info(id), "The app did not answer within 30 s: it listens on 5000");
    w.sim.finish(1);
    w.becomes(id, AppState::Failed).await;
}

#[tokio::test(start_paused = true)]
async fn scaling_keeps_answering() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    let three: ScalingStrategy = serde_json::from_str(r#"{"fixed":{"replicas":3}}"#).unwrap();
    w.platform.scale_app(&w.admin, &w.gra, id, &three).await.unwrap();
    w.becomes(id, AppState::Scaling).await;
    assert_eq!(w.endpoints(id), 1);
    w.sim.ready(2);
    w.sim.ready(3);
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.endpoints(id), 3);
    let one: ScalingStrategy = serde_json::from_str(r#"{"fixed":{"replicas":1}}"#).unwrap();
    w.platform.scale_app(&w.admin, &w.gra, id, &one).await.unwrap();
    w.becomes(id, AppState::Scaling).await;
    assert_eq!(w.sim.alive(), [1, 2, 3], "what a gateway was just sending gets there");
    w.pass(Duration::from_millis(200)).await;
    assert_eq!(w.sim.alive(), [1], "the youngest go");
    w.sim.finish(2);
    w.sim.finish(3);
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.endpoints(id), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_image_replaces_without_a_gap_and_a_bad_one_changes_nothing() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    w.platform.set_image(&w.admin, &w.gra, id, "b").await.unwrap();
    w.becomes(id, AppState::Scaling).await;
    assert_eq!((w.endpoints(id), w.sim.alive()), (1, vec![1, 2]));
    w.sim.ready(2);
    w.settle().await;
    assert_eq!((w.endpoints(id), w.sim.alive()), (1, vec![1, 2]), "no requests, but some time");
    w.pass(Duration::from_millis(200)).await;
    assert_eq!(w.sim.alive(), [2]);
    w.sim.finish(1);
    w.becomes(id, AppState::Running).await;

    w.platform.set_image(&w.admin, &w.gra, id, "bad").await.unwrap();
    w.settle().await;
    w.sim.exit(3, Blame::User, "no such image");
    w.becomes(id, AppState::Running).await;
    assert_eq!((w.endpoints(id), w.sim.alive()), (1, vec![2]));
    assert!(w.info(id).contains("no such image"), "{}", w.info(id));
    w.pass(Duration::from_hours(1)).await;
    assert_eq!(w.sim.launched().len(), 3, "it is not tried again by itself");

    w.platform.set_image(&w.admin, &w.gra, id, "good").await.unwrap();
    w.settle().await;
    w.sim.ready(4);
    w.pass(Duration::from_millis(200)).await;
    w.sim.finish(2);
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.sim.launched()[3].spec.image, "good");
}

/// A replica is not asked to stop while a request is under way there, but not kept for ever.
#[tokio::test(start_paused = true)]
async fn a_replica_finishes_requests_in_flight_before_it_is_stopped() {
    for (replaced, finishes) in [(true, true), (true, false), (false, true), (false, false)] {
        let w = World::step_by_step().await;
        let id = w.submit(APP).await;
        w.settle().await;
        w.sim.ready(1);
        w.becomes(id, AppState::Running).await;
        let request = w.platform.snapshot().app(id).unwrap().live.backends[0].under_way.token();
        if replaced {
            w.platform.set_image(&w.admin, &w.gra, id, "b").await.unwrap();
            w.settle().await;
            w.sim.ready(2);
        } else {
            w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
        }
        w.pass(Duration::from_millis(200)).await;
        w.pass(Duration::from_millis(4_700)).await;
        assert_eq!(w.endpoints(id), usize::from(replaced), "it gets no more requests");
        assert!(w.sim.alive().contains(&1), "replaced: {replaced}");
        if finishes {
            drop(request);
        } else {
            w.pass(Duration::from_millis(400)).await;
        }
        w.settle().await;
        assert!(!w.sim.alive().contains(&1), "replaced: {replaced}, finishes: {finishes}");
    }
    // Whoever kills it does not want to wait.
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    let _request = w.platform.snapshot().app(id).unwrap().live.backends[0].under_way.token();
    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::Now).await.unwrap();
    w.settle().await;
    assert!(w.sim.alive().is_empty());
}

/// An update that failed must not keep the app from being mended.
#[tokio::test(start_paused = true)]
async fn a_crash_after_a_failed_update_is_not_the_end() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    w.sim.ready(1);
    w.settle().await;
    w.platform.set_image(&w.admin, &w.gra, id, "bad").await.unwrap();
    assert_eq!(w.state(id), Some(AppState::Scaling), "at once, so that nobody takes it for done");
    w.settle().await;
    w.sim.exit(2, Blame::User, "no such image");
    w.becomes(id, AppState::Running).await;
    let record = w.platform.snapshot().app(id).unwrap().record.clone();
    let why = record.info.arguments["failedChange"].as_deref();
    assert_eq!(why, Some("no such image"));
    w.sim.exit(1, Blame::User, "segmentation fault");
    w.pass(Duration::from_secs(1)).await;
    assert_eq!(w.sim.alive(), [3], "what is wanted is tried again");
    w.sim.ready(3);
    w.becomes(id, AppState::Running).await;
}

/// Whether it is noticed first that it does not listen any more, or that it is gone, is chance.
#[tokio::test(start_paused = true)]
async fn losing_an_answer_before_the_exit_changes_nothing() {
    use ovhai_core::ports::ReplicaEvent;
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    w.sim.report(1, &ReplicaEvent::Lost("it does not listen".into()));
    w.becomes(id, AppState::Scaling).await;
    assert_eq!(w.endpoints(id), 0);
    w.sim.exit(1, Blame::User, "exited");
    w.pass(Duration::from_secs(1)).await;
    assert_eq!(w.sim.alive(), [2]);
    w.sim.exit(2, Blame::User, "exited before it answered");
    w.pass(Duration::from_secs(1)).await;
    assert_eq!(w.sim.alive(), [3], "a restart that fails is one more crash");
    w.sim.ready(3);
    w.becomes(id, AppState::Running).await;
}

/// Whoever asked may hang up before the answer; what was stored is done all the same.
#[tokio::test(start_paused = true)]
async fn a_cancelled_call_leaves_no_app_behind() {
    let w = World::automatic().await;
    let spec = serde_json::from_str(APP).unwrap();
    for _ in 0..20 {
        let creation = w.platform.create_app(&w.admin, &w.gra, &spec);
        let mut creation = std::pin::pin!(creation);
        std::future::poll_fn(|cx| {
            let _ = creation.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
    }
    w.settle().await;
    w.settle().await;
    let snapshot = w.platform.snapshot();
    assert_eq!(snapshot.app_count(), 20);
    assert!(snapshot.apps().all(|app| app.record.state == AppState::Running));
}

/// A command that exits at once, and a full disk.
#[tokio::test(start_paused = true)]
async fn a_failure_that_can_not_be_stored_is_not_retried_endlessly() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    w.store.set_failing(true);
    w.sim.exit(1, Blame::User, "exited");
    w.pass(Duration::from_mins(1)).await;
    assert_eq!(w.sim.launched().len(), 1);
    w.store.set_failing(false);
    w.pass(Duration::from_secs(2)).await;
    w.becomes(id, AppState::Failed).await;
    assert_eq!(w.info(id), "exited");
}

/// However often it crashes: it answers in between.
#[tokio::test(start_paused = true)]
async fn a_replica_that_answers_in_between_is_always_restarted() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    for crash in 1..=20 {
        w.sim.exit(crash, Blame::User, "segmentation fault");
        w.settle().await;
        assert_eq!(w.state(id), Some(AppState::Scaling), "crash {crash}");
        w.pass(Duration::from_secs(15)).await;
        w.sim.ready(crash + 1);
        w.becomes(id, AppState::Running).await;
    }
    // One that lived for a while has recovered.
    w.pass(Duration::from_mins(10)).await;
    w.sim.exit(21, Blame::User, "segmentation fault");
    w.settle().await;
    assert_eq!(w.sim.alive(), [22], "at once");
}

#[tokio::test(start_paused = true)]
async fn repeated_and_reversed_stops_and_starts_converge() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    for _ in 0..2 {
        w.platform.start_app(&w.admin, &w.gra, id).await.unwrap();
    }
    assert_eq!(w.sim.launched().len(), 1);
    for _ in 0..2 {
        w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    }
    w.settle().await;
    // Wanted again while it is still stopping: it stops, and then starts.
    w.platform.start_app(&w.admin, &w.gra, id).await.unwrap();
    w.becomes(id, AppState::Stopping).await;
    w.sim.finish(1);
    w.settle().await;
    w.sim.ready(2);
    w.becomes(id, AppState::Running).await;
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_not_stopped_is_deleted_only_by_force() {
    let w = World::step_by_step().await;
    let refused = async |id| {
        let outcome = w.platform.delete_app(&w.admin, &w.gra, id, Deletion::OnlyStopped).await;
        let why = outcome.unwrap_err().to_string();
        let state = w.state(id).unwrap();
        assert!(why.contains(&format!("the app is {state}: stop it first")), "{why}");
    };
    let deleted = async |id| {
        w.platform.delete_app(&w.admin, &w.gra, id, Deletion::OnlyStopped).await.unwrap();
    };
    let id = w.submit(APP).await;
    assert!(AppState::Queued.is_active() && !AppState::Stopping.is_active());
    w.becomes(id, AppState::Initializing).await;
    refused(id).await;
    w.sim.ready(1);
    w.becomes(id, AppState::Running).await;
    refused(id).await;
    let two: ScalingStrategy = serde_json::from_str(r#"{"fixed":{"replicas":2}}"#).unwrap();
    w.platform.scale_app(&w.admin, &w.gra, id, &two).await.unwrap();
    w.becomes(id, AppState::Scaling).await;
    refused(id).await;
    // Scripts stop, wait for a moment, and delete.
    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.becomes(id, AppState::Stopping).await;
    deleted(id).await;
    w.becomes(id, AppState::Deleting).await;
    assert_eq!(
        w.sim.launched()[0].stopping,
        Some(Duration::from_secs(10)),
        "the replica keeps the time that the stop gave it"
    );
    deleted(id).await;
    w.sim.finish(1);
    w.sim.finish(2);
    w.settle().await;
    assert_eq!(w.state(id), None);

    let failed = w.submit(APP).await;
    w.settle().await;
    w.sim.exit(1, Blame::User, "exited with status 1");
    w.becomes(failed, AppState::Failed).await;
    deleted(failed).await;
    w.settle().await;
    assert_eq!(w.state(failed), None);
}

#[tokio::test(start_paused = true)]
async fn forced_deletion_grants_no_time_even_to_stopping_replicas() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    w.sim.ready(1);
    w.settle().await;
    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::StopFirst).await.unwrap();
    w.settle().await;
    assert_eq!(w.sim.launched()[0].stopping, Some(Duration::from_secs(10)));
    assert!(w.platform.start_app(&w.admin, &w.gra, id).await.is_err(), "it is being deleted");
    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::Now).await.unwrap();
    w.settle().await;
    assert_eq!(w.sim.launched()[0].stopping, Some(Duration::ZERO));
    w.sim.finish(1);
    w.settle().await;
    assert_eq!(w.state(id), None);
}

#[tokio::test(start_paused = true)]
async fn a_restart_brings_every_app_back_to_its_desired_state() {
    let w = World::automatic().await;
    let running = w.submit(APP).await;
    let stopped = w.submit(APP).await;
    w.settle().await;
    w.platform.stop_app(&w.admin, &w.gra, stopped).await.unwrap();
    w.becomes(stopped, AppState::Stopped).await;
    w.becomes(running, AppState::Running).await;
    w.platform.shutdown(Duration::from_secs(1)).await;

    let again = World::on(SimRuntime::step_by_step(), Arc::clone(&w.store)).await;
    again.becomes(running, AppState::Initializing).await;
    again.becomes(stopped, AppState::Stopped).await;
    assert_eq!(again.sim.launched().len(), 1);
    again.sim.ready(1);
    again.becomes(running, AppState::Running).await;
    again
        .platform
        .delete_app(&again.admin, &again.gra, running, Deletion::StopFirst)
        .await
        .unwrap();
    again.becomes(running, AppState::Deleting).await;
    again.platform.shutdown(Duration::from_millis(1)).await;

    // Killed in the middle of a deletion: it is finished after.
    let third = World::on(SimRuntime::step_by_step(), Arc::clone(&w.store)).await;
    third.settle().await;
    assert_eq!(third.state(running), None);
}

#[tokio::test(start_paused = true)]
async fn many_changes_end_in_the_state_of_the_last() {
    let w = World::automatic().await;
    let id = w.submit(APP).await;
    for round in 0..50 {
        if round % 3 == 0 {
            w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
        } else {
            w.platform.start_app(&w.admin, &w.gra, id).await.unwrap();
        }
        if round % 7 == 0 {
            w.settle().await;
        }
    }
    w.platform.start_app(&w.admin, &w.gra, id).await.unwrap();
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.sim.alive().len(), 1);
}

/// Ports open and close while an app runs: gateways see it, and nothing else changes.
#[tokio::test(start_paused = true)]
async fn other_ports_are_published_without_a_commit() {
    let w = World::step_by_step().await;
    let id = w.submit(APP).await;
    w.settle().await;
    let http = ([127, 0, 0, 1], 9).into();
    let other = ([127, 0, 0, 1], 10).into();
    let report = |endpoint: ReplicaEndpoint| w.sim.report(1, &ReplicaEvent::Ready(endpoint));
    let seen = |port: u16| {
        let snapshot = w.platform.snapshot();
        let live = &snapshot.app(id).unwrap().live;
        (live.backends.len(), live.backends.first().and_then(|endpoint| endpoint.at(port)))
    };
    report(ReplicaEndpoint::new(http).exclusively());
    w.becomes(id, AppState::Running).await;
    let record = || Arc::clone(&w.platform.snapshot().app(id).unwrap().record);
    let before = record();
    assert_eq!(seen(7000), (1, None));
    // Whatever would be stored now is refused.
    w.store.set_failing(true);
    let opened = ReplicaEndpoint::new(http).exclusively().with_ports([(7000, other)]);
    report(opened.clone());
    w.settle().await;
    assert_eq!(seen(7000), (1, Some(other)));
    report(opened.with_grpc(Some(other)).with_ports([]));
    w.settle().await;
    assert_eq!(seen(7000), (1, None));
    assert_eq!(w.platform.snapshot().app(id).unwrap().live.backends[0].grpc(), Some(other));
    assert!(Arc::ptr_eq(&before, &record()));
    w.store.set_failing(false);
    // One that was asked to stop is not heard any more.
    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    report(ReplicaEndpoint::new(http).exclusively());
    w.settle().await;
    assert_eq!(w.endpoints(id), 0);
}

/// Four replicas, the default strategy, and an image that never answers.
#[tokio::test(start_paused = true)]
async fn the_old_version_stays_when_the_new_one_never_answers() {
    let w = World::step_by_step().await;
    let spec = r#"{"image":"a","scalingStrategy":{"fixed":{"replicas":4}},
        "deploymentStrategy":{"progressDeadlineSeconds":60}}"#;
    let id = w.submit(spec).await;
    w.settle().await;
    (1..=4).for_each(|number| w.sim.ready(number));
    w.becomes(id, AppState::Running).await;
    w.platform.set_image(&w.admin, &w.gra, id, "b").await.unwrap();
    w.pass(Duration::from_secs(1)).await;
    assert_eq!((w.endpoints(id), w.sim.alive()), (3, vec![2, 3, 4, 5, 6]));
    w.sim.finish(1);
    w.sim.waiting(5, "it listens on 5000");
    w.sim.waiting(6, "it listens on 5000");
    w.pass(Duration::from_secs(58)).await;
    w.becomes(id, AppState::Scaling).await;
    w.pass(Duration::from_secs(1)).await;
    w.becomes(id, AppState::Running).await;
    assert_eq!((w.endpoints(id), w.sim.alive()), (3, vec![2, 3, 4]));
    let says = "the change failed: The app did not answer within 60 s: it listens on 5000";
    assert!(w.info(id).ends_with(says), "{}", w.info(id));
    w.pass(Duration::from_hours(1)).await;
    assert_eq!((w.endpoints(id), w.sim.launched().len()), (3, 6), "it is not tried again");
}

/// Each replica has a deadline of its own, which a pull that moves keeps from running out.
#[tokio::test(start_paused = true)]
async fn a_pull_that_moves_does_not_run_into_the_deadline() {
    let w = World::step_by_step().await;
    let spec = r#"{"image":"a","scalingStrategy":{"fixed":{"replicas":2}},
        "deploymentStrategy":{"progressDeadlineSeconds":60}}"#;
    let id = w.submit(spec).await;
    w.settle().await;
    w.sim.ready(1);
    for percent in [0, 20, 40, 60] {
        w.sim.report(2, &ReplicaEvent::Pending(format!("pulling the image, {percent} %")));
        w.pass(Duration::from_secs(50)).await;
        w.becomes(id, AppState::Initializing).await;
    }
    let says = "The app is starting: pulling the image, 60 %";
    w.sim.report(1, &ReplicaEvent::Lost("it does not listen".into()));
    w.sim.waiting(2, "pulling the image, 60 %");
    w.sim.ready(1);
    w.settle().await;
    assert_eq!(w.info(id), says);
    // It moves no more.
    w.pass(Duration::from_secs(9)).await;
    w.becomes(id, AppState::Initializing).await;
    w.pass(Duration::from_secs(1)).await;
    w.settle().await;
    let says = "did not answer within 60 s: pulling the image, 60 %";
    assert!(w.info(id).contains(says), "{}", w.info(id));
    assert_eq!(w.sim.alive(), [1], "the other one goes on");
}

#[tokio::test(start_paused = true)]
async fn a_failure_names_the_reason_of_each_replica() {
    let w = World::step_by_step().await;
    let spec = r#"{"image":"a","scalingStrategy":{"fixed":{"replicas":2}},
        "deploymentStrategy":{"progressDeadlineSeconds":60}}"#;
    let id = w.submit(spec).await;
    w.settle().await;
    w.sim.waiting(1, "it listens on 5000");
    w.sim.waiting(2, "it answers with 500");
    w.pass(Duration::from_mins(1)).await;
    w.becomes(id, AppState::Failed).await;
    let why = "The app did not answer within 60 s";
    let says =
        format!("Replica 1: {why}: it listens on 5000; replica 2: {why}: it answers with 500");
    assert_eq!(w.info(id).to_lowercase(), says.to_lowercase());
}
