//! The record of a synchronisation while it runs: what works on it reports here, and every reader of the
//! app sees it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ovhai_api_types::{DataSyncDirection, Timestamp};
use uuid::Uuid;

use crate::ports::{Clock, SyncReport, VolumeRequest};
use crate::replica::Observed;
use crate::sync::{SyncCounts, SyncPhase, SyncRun, VolumeSync};

/// See the module. Dropped before its end, the synchronisation was interrupted.
pub(crate) struct SyncLog {
    observed: Arc<Observed>,
    clock: Arc<dyn Clock>,
    run: Mutex<SyncRun>,
}

impl SyncLog {
    /// Queues one for these volumes.
    pub(crate) fn queue(
        observed: Arc<Observed>,
        clock: Arc<dyn Clock>,
        id: Uuid,
        direction: DataSyncDirection,
        manual: bool,
        volume: Option<String>,
        of: &[VolumeRequest],
    ) -> Arc<Self> {
        let now = clock.now();
        let volumes = of.iter().map(|request| VolumeSync {
            number: request.number,
            mount_path: request.spec.mount_path.clone(),
            phase: SyncPhase::Queued,
            counts: SyncCounts::default(),
            info: String::new(),
            since: now,
            updated: now,
        });
        let run = SyncRun {
            id,
            direction,
            manual,
            volume,
            queued: now,
            started: None,
            ended: None,
            phase: SyncPhase::Queued,
            volumes: volumes.collect(),
        };
        observed.put_sync(run.clone());
        Arc::new(Self { observed, clock, run: Mutex::new(run) })
    }

    fn lock(&self) -> MutexGuard<'_, SyncRun> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is now.
    pub(crate) fn run(&self) -> SyncRun {
        self.lock().clone()
    }

    fn change(&self, change: impl FnOnce(&mut SyncRun, Timestamp)) {
        let mut run = self.lock();
        change(&mut run, self.clock.now());
        self.observed.put_sync(run.clone());
    }

    fn change_volume(&self, number: usize, change: impl FnOnce(&mut VolumeSync)) {
        self.change(|run, now| {
            run.phase = SyncPhase::Running;
            run.started.get_or_insert(now);
            if let Some(volume) = run.volumes.iter_mut().find(|volume| volume.number == number) {
                volume.updated = now;
                change(volume);
            }
        });
    }

    /// What takes the progress.
    pub(crate) fn report(self: &Arc<Self>) -> SyncReport {
        let log = Arc::clone(self);
        Arc::new(move |number, counts| {
            log.change_volume(number, |volume| {
                volume.phase = SyncPhase::Running;
                volume.counts = counts;
            });
        })
    }

    /// One volume is done, or has failed; says which.
    pub(crate) fn volume_ended(&self, number: usize, outcome: Result<String, String>) -> bool {
        let mut is_done = false;
        self.change_volume(number, |volume| {
            is_done = outcome.is_ok() && volume.counts.failed == 0;
            volume.phase = if is_done { SyncPhase::Done } else { SyncPhase::Failed };
            volume.info = outcome.unwrap_or_else(|why| why);
        });
        is_done
    }

    /// All volumes are done, or the first failure ends it all.
    pub(crate) fn ended(&self, failure: Option<&str>) {
        self.change(|run, now| {
            run.started.get_or_insert(now);
            run.ended = Some(now);
            for volume in run.volumes.iter_mut().filter(|volume| !volume.phase.has_ended()) {
                volume.phase = if failure.is_some() { SyncPhase::Failed } else { SyncPhase::Done };
                volume.updated = now;
                if let Some(why) = failure {
                    why.clone_into(&mut volume.info);
                }
            }
            let has_failed = run.volumes.iter().any(|volume| volume.phase == SyncPhase::Failed);
            run.phase = if has_failed { SyncPhase::Failed } else { SyncPhase::Done };
        });
    }
}

impl Drop for SyncLog {
    fn drop(&mut self) {
        if self.lock().phase.has_ended() {
            return;
        }
        self.change(|run, now| {
            run.ended = Some(now);
            run.phase = SyncPhase::Interrupted;
            for volume in run.volumes.iter_mut().filter(|volume| !volume.phase.has_ended()) {
                volume.phase = SyncPhase::Interrupted;
                volume.updated = now;
            }
        });
    }
}
