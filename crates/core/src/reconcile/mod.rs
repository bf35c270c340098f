//! Brings every app from its observed to its wanted state, with one actor per app.
//!
//! [`Reconcilers`] owns the actors, their wake-ups, the runtime and the clock. A commit that changes
//! an app wakes its actor, or starts one. This module does not depend on the platform, which owns it.

mod activity;
mod actor;
mod past;
pub mod plan;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ovhai_api_types::{AppId, AppState, Placement, Region};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::components::{self, Component, Components};
use crate::ledger::Ledger;
use crate::model::{AppRecord, Wanted};
use crate::ports::{Clock, Ids, Replica, ReplicaUsage, Runtime, Survivor, Vault, Volumes};
use crate::recorder::EventRecorder;
use crate::replica::{ReplicaId, ReplicaPhase};
use activity::Activity;
use actor::Actor;

/// Time that replicas of an earlier emulator have to end.
const RECOVERY: Duration = Duration::from_secs(10);
/// Delay before an actor that panicked is restarted.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Whether something is left to do for an app.
pub(crate) fn needs_actor(app: &AppRecord) -> bool {
    match app.wanted {
        // One that has failed is started again when its files change.
        Wanted::Running => {
            !matches!(app.state, AppState::Failed | AppState::Error) || !app.spec.reload.is_empty()
        }
        Wanted::Stopped => !matches!(app.state, AppState::Stopped),
        Wanted::Deleted | Wanted::Killed => true,
    }
}

/// Whether an app may have files of volumes: copies, or a volume that is kept with the app.
fn has_copies(app: &AppRecord) -> bool {
    !app.spec.volumes.is_empty()
}

/// What wakes an actor.
#[derive(Debug, Default)]
struct Signal {
    notify: Notify,
    dirty: AtomicBool,
    /// A request waits for the app: replicas that are asleep are to be woken.
    demand: AtomicBool,
    /// The platform interrupts the app.
    interruption: AtomicBool,
    activity: Mutex<Activity>,
}

impl Signal {
    fn wake(&self) {
        self.dirty.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// Whether the actor was woken, and has not begun to look why.
    fn is_woken(&self) -> bool {
        self.dirty.load(Ordering::Acquire)
    }

    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A launched replica, for those that run something in it.
#[derive(Clone)]
pub(crate) struct Launched {
    pub(crate) id: ReplicaId,
    pub(crate) phase: ReplicaPhase,
    /// The actor owns it.
    pub(crate) handle: Weak<dyn Replica>,
}

/// How replicas are launched.
pub(crate) struct Launching {
    /// The runtime of apps that ask for none.
    pub(crate) placement: Option<Placement>,
    /// Delay after the second crash in a row.
    pub(crate) restart_delay: Duration,
    /// Whether the platform interrupts each app a week after its start, as the cloud may do.
    pub(crate) interrupts_weekly: bool,
    /// Decrypts the passwords of registries.
    pub(crate) vault: Arc<dyn Vault>,
    /// Keeps the files of volumes.
    pub(crate) volumes: Arc<dyn Volumes>,
    /// Makes the ids of synchronisations.
    pub(crate) ids: Arc<dyn Ids>,
    /// The regions, which have data stores.
    pub(crate) regions: Vec<Region>,
}

/// See the module.
pub(crate) struct Reconcilers {
    ledger: Arc<Ledger>,
    runtime: Arc<dyn Runtime>,
    clock: Arc<dyn Clock>,
    recorder: Arc<EventRecorder>,
    launching: Launching,
    components: Arc<Components>,
    actors: Mutex<HashMap<AppId, Arc<Signal>>>,
    /// Changes of apps whose actors were not woken yet.
    unseen: Arc<AtomicUsize>,
    launched: Mutex<HashMap<AppId, Vec<Launched>>>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Reconcilers {
    pub(crate) fn new(
        ledger: Arc<Ledger>,
        runtime: Arc<dyn Runtime>,
        clock: Arc<dyn Clock>,
        recorder: Arc<EventRecorder>,
        launching: Launching,
        components: Arc<Components>,
        unseen: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            ledger,
            runtime,
            clock,
            recorder,
            launching,
            components,
            actors: Mutex::default(),
            unseen,
            launched: Mutex::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    fn actors(&self) -> MutexGuard<'_, HashMap<AppId, Arc<Signal>>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The launched replicas of an app.
    pub(crate) fn launched(&self, id: AppId) -> Vec<Launched> {
        let all = self.launched.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&id).cloned().unwrap_or_default()
    }

    fn set_launched(&self, id: AppId, launched: Vec<Launched>) {
        let mut all = self.launched.lock().unwrap_or_else(PoisonError::into_inner);
        if launched.is_empty() {
            all.remove(&id);
        } else {
            all.insert(id, launched);
        }
    }

    /// Lets the runtime recover, before the first actor wakes. Replicas that survived are ended: no
    /// actor can adopt them.
    pub(crate) async fn recover(&self) {
        let mut ends = JoinSet::new();
        for Survivor { key, handle } in self.runtime.recover().await {
            let (app, ordinal) = (key.app, key.replica.ordinal);
            tracing::info!(%app, replica = ordinal, "a replica of an earlier emulator was ended");
            ends.spawn(async move { handle.stop(Duration::ZERO).await });
        }
        let snapshot = self.ledger.read();
        let keep = snapshot.apps().filter(|app| has_copies(&app.record));
        let keep = keep.map(|app| app.record.id).collect();
        drop(snapshot);
        self.launching.volumes.recover(keep).await;
        let ended = async { while ends.join_next().await.is_some() {} };
        if tokio::time::timeout(RECOVERY, ended).await.is_err() {
            tracing::warn!("replicas of an earlier emulator did not end in time");
        }
    }

    fn has_unseen_changes(&self) -> bool {
        self.unseen.load(Ordering::Acquire) > 0
    }

    /// Interrupts an app that runs: its replicas are replaced by the platform.
    pub(crate) fn interrupt(&self, id: AppId) {
        if let Some(signal) = self.actors().get(&id) {
            signal.interruption.store(true, Ordering::Release);
            signal.wake();
        }
    }

    /// Wakes an app that is asleep.
    pub(crate) fn demand(&self, id: AppId) {
        if let Some(signal) = self.actors().get(&id) {
            signal.demand.store(true, Ordering::Release);
            signal.wake();
        }
    }

    /// What the replicas of an app have used so far, by ordinal, of those that can tell.
    pub(crate) async fn usage(&self, id: AppId) -> Vec<(u32, ReplicaUsage)> {
        let mut readings = JoinSet::new();
        for Launched { id, phase, handle } in self.launched(id) {
            if phase == ReplicaPhase::Stopping {
                continue;
            }
            let ordinal = id.ordinal;
            // Asked at once: a reading waits for an engine.
            if let Some(reading) = handle.upgrade().map(|replica| replica.usage()) {
                readings.spawn(async move { (ordinal, reading.await) });
            }
        }
        let mut usage = Vec::new();
        while let Some(reading) = readings.join_next().await {
            if let Ok((ordinal, Some(used))) = reading {
                usage.push((ordinal, used));
            }
        }
        usage.sort_unstable_by_key(|(ordinal, _)| *ordinal);
        usage
    }

    /// Starts the actors of these apps, and of those that are changed from now on.
    pub(crate) fn start(
        self: &Arc<Self>,
        mut changed: mpsc::UnboundedReceiver<AppId>,
        apps: &[AppId],
    ) {
        for id in apps {
            self.wake(*id);
        }
        let all = Arc::clone(self);
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    () = all.stopping.cancelled() => return,
                    id = changed.recv() => match id {
                        Some(id) => {
                            all.wake_if_needed(id);
                            all.unseen.fetch_sub(1, Ordering::AcqRel);
                        }
                        None => return,
                    },
                }
            }
        });
    }

    /// Wakes the app's actor, or starts one if there is something to do.
    fn wake_if_needed(self: &Arc<Self>, id: AppId) {
        // Under the lock: an actor that ends takes its signal out first.
        let actors = self.actors();
        if let Some(signal) = actors.get(&id) {
            signal.wake();
            return;
        }
        drop(actors);
        if self.ledger.read().app(id).is_some_and(|entry| needs_actor(&entry.record)) {
            self.wake(id);
        }
    }

    /// Wakes the app's actor, and starts one if it has none.
    fn wake(self: &Arc<Self>, id: AppId) {
        if self.stopping.is_cancelled() {
            return;
        }
        let mut actors = self.actors();
        if let Some(signal) = actors.get(&id) {
            signal.wake();
            return;
        }
        let signal = Arc::new(Signal::default());
        actors.insert(id, Arc::clone(&signal));
        drop(actors);
        let actor = Actor::new(id, Arc::clone(self), signal, self.stopping.clone());
        let all = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(panicked) = components::catch_future(actor.run()).await {
                // A defect must not block the app for good. Its replicas ended with the actor.
                tracing::error!(app = %id, %panicked, "the app's reconciler panicked and was restarted");
                all.components.begins_anew(Component::Reconciler, &panicked);
                tokio::time::sleep(AFTER_PANIC).await;
                all.components.works(Component::Reconciler);
                all.actors().remove(&id);
                all.wake(id);
            }
        });
    }

    /// Stops all replicas as soon as the guard is dropped.
    pub(crate) fn stop_on_drop(&self) -> DropGuard {
        self.stopping.clone().drop_guard()
    }

    /// Begins to stop all replicas.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Stops all replicas and waits at most `deadline` for them.
    pub(crate) async fn shutdown(&self, deadline: Duration) {
        self.stop();
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!("some apps did not stop in time and were abandoned");
        }
    }
}
