//! An app's volumes: their files are there before the first replica is launched, all replicas share
//! them, and they go when the app has stopped.
//!
//! A copy lives as long as the app runs: an emulator that was started again finds it. An app that
//! starts gets a new one.

use std::sync::Arc;

use ovhai_api_types::{AppState, DataSyncDirection};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::Actor;
use crate::data_stores::requests;
use crate::model::{AppRecord, Wanted};
use crate::ports::{Leaving, MountedVolume, VolumeFailure, VolumeRequest, Volumes};
use crate::reconcile::Reconcilers;
use crate::sync_log::SyncLog;

/// Where an app's volumes are.
enum Phase {
    /// There may be copies of an earlier actor, which are used.
    Unknown,
    /// What is there belongs to an earlier start of the app.
    Stale,
    Filling(#[expect(dead_code, reason = "ends the work")] AbortOnDropHandle<()>),
    Ready(Arc<[MountedVolume]>),
    Leaving {
        #[expect(dead_code, reason = "ends the work")]
        work: AbortOnDropHandle<()>,
        leaving: Leaving,
        /// Whether it writes nothing back.
        at_once: bool,
    },
    Gone(Leaving),
}

/// What has ended.
pub(super) enum Ended {
    Filled(Result<Vec<MountedVolume>, VolumeFailure>),
    Left(Leaving),
}

/// See the module.
pub(super) struct Mounts {
    phase: Phase,
    ends: mpsc::UnboundedReceiver<Ended>,
    end: mpsc::UnboundedSender<Ended>,
}

impl Default for Mounts {
    fn default() -> Self {
        let (end, ends) = mpsc::unbounded_channel();
        Self { phase: Phase::Unknown, ends, end }
    }
}

impl Mounts {
    /// Waits until something has ended. Cancelling it loses nothing.
    pub(super) async fn ended(&mut self) -> Ended {
        match self.ends.recv().await {
            Some(ended) => ended,
            // Never: it has the other end, too.
            None => std::future::pending().await,
        }
    }

    /// What is done with them now.
    pub(super) fn work(&self) -> Option<&'static str> {
        match self.phase {
            Phase::Filling(_) => Some("volumes are fetched"),
            Phase::Leaving { .. } => Some("volumes are written back"),
            _ => None,
        }
    }

    /// The app is started: what it had before is not used again.
    pub(super) fn start_over(&mut self) {
        self.phase = Phase::Stale;
        self.forget_ends();
    }

    /// What was ended on purpose may have been done at the same moment.
    fn forget_ends(&mut self) {
        while self.ends.try_recv().is_ok() {}
    }

    /// The volumes of the replicas.
    pub(super) fn ready(&self) -> Arc<[MountedVolume]> {
        match &self.phase {
            Phase::Ready(volumes) => Arc::clone(volumes),
            _ => Arc::default(),
        }
    }
}

impl Actor {
    /// Whether replicas can be launched: the app has no volumes, or their files are there. Else they are
    /// being fetched.
    pub(super) fn has_volumes(&mut self, all: &Reconcilers, record: &AppRecord) -> bool {
        if record.spec.volumes.is_empty() {
            return true;
        }
        let anew = match self.mounts.phase {
            Phase::Ready(_) => return true,
            Phase::Filling(_) | Phase::Leaving { .. } => return false,
            // Replicas of before are still ending.
            Phase::Stale | Phase::Gone(_) if !self.replicas.is_empty() => return false,
            Phase::Stale | Phase::Gone(_) => true,
            Phase::Unknown => false,
        };
        let snapshot = all.ledger.read();
        let Some(entry) = snapshot.app(self.id) else { return false };
        let launching = &all.launching;
        let volumes = requests(&snapshot, &launching.regions, launching.placement, record);
        let log = SyncLog::queue(
            Arc::clone(&entry.observed),
            Arc::clone(&all.clock),
            launching.ids.uuid(),
            DataSyncDirection::Pull,
            false,
            None,
            &volumes,
        );
        let work = launching.volumes.mount(self.id, volumes, anew, log.report());
        let end = self.mounts.end.clone();
        self.mounts.phase = Phase::Filling(AbortOnDropHandle::new(tokio::spawn(async move {
            let filled = work.await;
            log.ended(filled.as_ref().err().map(|failure| failure.message.as_str()));
            // The actor may be gone.
            let _ = end.send(Ended::Filled(filled));
        })));
        false
    }

    /// Whether nothing of the volumes is left of an app that has stopped, or is being deleted; else they
    /// are written back if that was chosen, and removed. One that has failed keeps its copies, so that
    /// their files can be looked at.
    pub(super) fn has_left(&mut self, all: &Reconcilers, record: &AppRecord) -> bool {
        if record.spec.volumes.is_empty() {
            return true;
        }
        if !matches!(record.state, AppState::Stopping | AppState::Deleting) {
            if matches!(self.mounts.phase, Phase::Filling(_)) {
                self.mounts.start_over();
            }
            return true;
        }
        let is_killed = record.wanted == Wanted::Killed;
        let leaving =
            if record.state == AppState::Deleting { Leaving::Deleted } else { Leaving::Stopped };
        match self.mounts.phase {
            Phase::Gone(how) if how == leaving || how == Leaving::Deleted => return true,
            // A deletion at once does not wait for what is being written back.
            Phase::Leaving { leaving: how, at_once, .. }
                if !is_killed || (at_once && how == leaving) =>
            {
                return false;
            }
            _ => {}
        }
        let has_data = matches!(self.mounts.phase, Phase::Ready(_) | Phase::Unknown);
        let work = Departure {
            leaving,
            write_back: if has_data && !is_killed {
                self.to_write_back(all, record)
            } else {
                Vec::new()
            },
        };
        let copies = self.mounts.ready();
        self.mounts.start_over();
        let id = self.id;
        let volumes = Arc::clone(&all.launching.volumes);
        let log = all.ledger.read().app(id).filter(|_| !work.write_back.is_empty()).map(|entry| {
            SyncLog::queue(
                Arc::clone(&entry.observed),
                Arc::clone(&all.clock),
                all.launching.ids.uuid(),
                DataSyncDirection::Push,
                false,
                None,
                &work.write_back,
            )
        });
        let end = self.mounts.end.clone();
        let at_once = work.write_back.is_empty();
        let task = tokio::spawn(async move {
            let mut unwritten = Vec::new();
            if let Some(log) = log {
                for request in work.write_back {
                    let number = request.number;
                    if !push(&*volumes, id, request, &log).await {
                        unwritten.push(number);
                    }
                }
                log.ended(None);
            }
            if unwritten.is_empty() {
                volumes.unmount(id, work.leaving).await;
            } else {
                warn_of_unwritten(id, &unwritten, &copies, work.leaving);
            }
            let _ = end.send(Ended::Left(work.leaving));
        });
        let work = AbortOnDropHandle::new(task);
        self.mounts.phase = Phase::Leaving { work, leaving, at_once };
        false
    }

    /// The volumes that are written back when the app stops. What the owner named is written only if the
    /// owner said what the app runs.
    fn to_write_back(&self, all: &Reconcilers, record: &AppRecord) -> Vec<VolumeRequest> {
        if !record.spec.volume_writeback {
            return Vec::new();
        }
        let launching = &all.launching;
        let snapshot = all.ledger.read();
        let mut volumes = requests(&snapshot, &launching.regions, launching.placement, record);
        volumes.retain(|volume| {
            let Some(store) = &volume.store else { return false };
            let may_write = !store.is_owner_named() || record.trusted_writeback;
            if !may_write {
                tracing::warn!(app = %self.id, data_store = store.alias, "a volume is not written back: its directory is the owner's, and the owner did not choose what the app runs");
            }
            may_write && volume.spec.permission.writes()
        });
        volumes
    }

    /// Takes in what has ended.
    pub(super) async fn volumes_ended(&mut self, ended: Ended) {
        match ended {
            Ended::Filled(Ok(volumes)) => self.mounts.phase = Phase::Ready(volumes.into()),
            Ended::Filled(Err(VolumeFailure { fault, message })) => {
                self.mounts.phase = Phase::Stale;
                self.give_up(fault, &message).await;
            }
            Ended::Left(how) => self.mounts.phase = Phase::Gone(how),
        }
    }
}

/// What is done when an app has stopped.
struct Departure {
    leaving: Leaving,
    write_back: Vec<VolumeRequest>,
}

/// Says which copies stay, where they are, and how long.
fn warn_of_unwritten(
    app: ovhai_api_types::AppId,
    unwritten: &[usize],
    copies: &[MountedVolume],
    leaving: Leaving,
) {
    let directories: Vec<&str> = copies
        .iter()
        .filter(|copy| unwritten.contains(&copy.number))
        .map(|copy| copy.directory.as_str())
        .collect();
    let until = match leaving {
        Leaving::Stopped => "the app is started again or deleted",
        // The next emulator removes copies of apps that do not exist.
        Leaving::Deleted => "the emulator is started again: save what you need from it before",
    };
    tracing::warn!(%app, volumes = ?unwritten, ?directories, "files of a volume could not be written back; its copy stays until {until}");
}

/// Writes one volume back; says whether all of it was written.
async fn push(
    volumes: &dyn Volumes,
    app: ovhai_api_types::AppId,
    request: VolumeRequest,
    log: &Arc<SyncLog>,
) -> bool {
    let number = request.number;
    let outcome = volumes.sync(app, request, DataSyncDirection::Push, log.report()).await;
    log.volume_ended(number, outcome.map_err(|failure| failure.message))
}
