//! Volumes and the life cycle: files are there before the first replica, and go after the last one.

use ovhai_api_types::{AppState, DataSyncDirection, Deletion};
use ovhai_core::Error;
use ovhai_core::sync::SyncPhase;

use crate::harness::World;

const APP: &str = r#"{"image":"a","scalingStrategy":{"fixed":{"replicas":2}},"volumeWriteback":true,
    "volumes":[{"mountPath":"/d","permission":"RW","dataStore":{"alias":"local","container":"c"}},
    {"mountPath":"/e","permission":"RO","dataStore":{"alias":"gra","container":"c"}}]}"#;

#[tokio::test(start_paused = true)]
async fn files_are_there_before_the_first_replica_and_go_after_the_last() {
    let w = World::step_by_step().await;
    w.volumes.hold();
    let id = w.submit(APP).await;
    w.settle().await;
    assert_eq!(w.state(id), Some(AppState::Initializing));
    assert!(w.sim.alive().is_empty(), "nothing is launched yet");
    assert!(w.info(id).contains("1 of 4 files"), "{}", w.info(id));
    let pulled = w.platform.sync_app(&w.admin, &w.gra, id, DataSyncDirection::Push, None);
    assert!(pulled.is_ok(), "it waits its turn: {pulled:?}");
    w.settle().await;
    assert_eq!(w.volumes.done(), ["mount 2 true", "Push 1"]);
    w.volumes.end(Ok(()));
    w.settle().await;
    assert_eq!(w.sim.alive(), [1, 2]);
    w.sim.ready(1);
    w.sim.ready(2);
    w.becomes(id, AppState::Running).await;
    assert!(!w.info(id).contains("files"), "{}", w.info(id));
    let snapshot = w.platform.snapshot();
    let syncs = snapshot.app(id).unwrap().observed.syncs();
    assert!(syncs.all().iter().all(|run| run.phase == SyncPhase::Done), "{syncs:?}");
    drop(snapshot);

    // An update keeps the files.
    w.platform.set_image(&w.admin, &w.gra, id, "b").await.unwrap();
    w.settle().await;
    assert_eq!(w.volumes.done(), Vec::<String>::new());
    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    assert_eq!(w.volumes.done(), Vec::<String>::new(), "replicas are still there");
    for number in 1..=3 {
        w.sim.finish(number);
    }
    w.becomes(id, AppState::Stopped).await;
    assert_eq!(w.volumes.done(), ["Push 1", "unmount Stopped"]);
    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::OnlyStopped).await.unwrap();
    w.settle().await;
    assert_eq!(w.volumes.done().last().map(String::as_str), Some("unmount Deleted"));
    assert_eq!(w.state(id), None);
}

#[tokio::test(start_paused = true)]
async fn an_app_without_its_files_fails_and_starts_with_new_ones() {
    let w = World::automatic().await;
    w.volumes.end(Err("the repository is gone"));
    let id = w.submit(APP).await;
    w.becomes(id, AppState::Failed).await;
    assert!(w.info(id).contains("the repository is gone"), "{}", w.info(id));
    w.volumes.end(Ok(()));
    w.platform.start_app(&w.admin, &w.gra, id).await.unwrap();
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.volumes.done(), ["mount 2 true", "mount 2 true"]);

    // What can't be written back is kept.
    w.volumes.end(Err("the disk is full"));
    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.becomes(id, AppState::Stopped).await;
    assert_eq!(w.volumes.done(), ["Push 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_keeps_what_could_not_be_written_back() {
    let w = World::automatic().await;
    let id = w.submit(APP).await;
    w.becomes(id, AppState::Running).await;
    w.volumes.end(Err("the disk is full"));
    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::StopFirst).await.unwrap();
    w.settle().await;
    assert_eq!(w.state(id), None, "the app goes all the same");
    assert_eq!(w.volumes.done(), ["mount 2 true", "Push 1"]);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_stopped_or_deleted_does_not_wait_for_its_files() {
    let w = World::automatic().await;
    w.volumes.hold();
    let id = w.submit(APP).await;
    w.settle().await;
    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::Now).await.unwrap();
    w.settle().await;
    assert_eq!(w.state(id), None);
    assert_eq!(w.volumes.done(), ["mount 2 true", "unmount Deleted"]);

    // A deletion at once ends the writing.
    w.volumes.end(Ok(()));
    let id = w.submit(APP).await;
    w.becomes(id, AppState::Running).await;
    w.volumes.hold();
    w.platform.stop_app(&w.admin, &w.gra, id).await.unwrap();
    w.settle().await;
    assert_eq!(w.state(id), Some(AppState::Stopping));
    w.platform.delete_app(&w.admin, &w.gra, id, Deletion::Now).await.unwrap();
    w.settle().await;
    assert_eq!(w.state(id), None);
    assert_eq!(w.volumes.done(), ["mount 2 true", "Push 1", "unmount Deleted"]);
}

#[tokio::test(start_paused = true)]
async fn what_can_be_synchronised() {
    let w = World::automatic().await;
    let id = w.submit(APP).await;
    w.becomes(id, AppState::Running).await;
    let sync = |direction, volume: Option<&str>| {
        w.platform.sync_app(&w.admin, &w.gra, id, direction, volume.map(str::to_owned))
    };
    let (pull, push) = (DataSyncDirection::Pull, DataSyncDirection::Push);
    assert_eq!(sync(pull, None).unwrap().volumes.len(), 2);
    assert_eq!(sync(push, None).unwrap().volumes.len(), 1);
    assert!(matches!(sync(push, Some("/e")), Err(Error::Invalid { .. })));
    assert!(matches!(sync(pull, Some("/x")), Err(Error::NotFound { .. })));
    assert_eq!(sync(pull, Some(&format!("{id}-2"))).unwrap().volumes[0].mount_path, "/e");
    let bare = w.submit(r#"{"image":"a"}"#).await;
    let none = w.platform.sync_app(&w.admin, &w.gra, bare, pull, None);
    assert!(matches!(none, Err(Error::Invalid { .. })));
}
