//! Synchronisations of volumes with their sources: what is known of them while the app exists. None of
//! it is stored.

use std::sync::Arc;

use ovhai_api_types::{AppId, DataSyncDirection, Timestamp};
use uuid::Uuid;

/// The state of a synchronisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyncPhase {
    /// It has not begun.
    Queued,
    /// It is under way.
    Running,
    /// All of it is done.
    Done,
    /// A part of it failed.
    Failed,
    /// The app stopped meanwhile.
    Interrupted,
}

impl SyncPhase {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Interrupted => "INTERRUPTED",
        }
    }

    /// Whether it changes no more.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// Files and bytes of a synchronisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// Files to look at; it grows until all are known.
    pub total: u64,
    /// Files that were copied.
    pub completed: u64,
    /// Files that were the same already, or are left out.
    pub skipped: u64,
    /// Files that were deleted.
    pub deleted: u64,
    /// Files that could not be copied or deleted.
    pub failed: u64,
    /// Bytes that were copied.
    pub bytes: u64,
}

impl SyncCounts {
    /// Files that were looked at.
    pub fn processed(&self) -> u64 {
        self.completed + self.skipped + self.deleted + self.failed
    }
}

/// The progress with one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeSync {
    /// The volume's number in the app, from 1 on.
    pub number: usize,
    /// Where it is mounted.
    pub mount_path: String,
    /// The state.
    pub phase: SyncPhase,
    /// Files and bytes.
    pub counts: SyncCounts,
    /// What happened, for people.
    pub info: String,
    /// When it began, or was queued.
    pub since: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A synchronisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// Its id.
    pub id: Uuid,
    /// The direction.
    pub direction: DataSyncDirection,
    /// Whether a caller asked for it; else the app's start or stop did.
    pub manual: bool,
    /// The volume that it is of, if it is of one only.
    pub volume: Option<String>,
    /// When it was queued.
    pub queued: Timestamp,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The state.
    pub phase: SyncPhase,
    /// The progress, a volume each.
    pub volumes: Vec<VolumeSync>,
}

impl SyncRun {
    /// What a running one is at, in a few words.
    pub fn says(&self) -> String {
        let sum = |of: fn(&SyncCounts) -> u64| -> u64 {
            self.volumes.iter().map(|volume| of(&volume.counts)).sum()
        };
        let (done, total) = (sum(SyncCounts::processed), sum(|counts| counts.total));
        let bytes = sum(|counts| counts.bytes);
        if total == 0 {
            return "fetching the data of its volumes".into();
        }
        let files = if total == 1 { "file" } else { "files" };
        format!(
            "fetching the data of its volumes: {done} of {total} {files}, {} MiB",
            bytes.div_ceil(1 << 20)
        )
    }
}

/// The id of a volume on the wire.
pub fn volume_id(app: AppId, number: usize) -> String {
    format!("{app}-{number}")
}

/// The synchronisations of one app, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Syncs(Vec<Arc<SyncRun>>);

/// Maximum number of synchronisations that are kept of an app.
const MOST: usize = 20;

impl Syncs {
    /// Adds one, or replaces the one of its id.
    pub fn put(&mut self, sync: SyncRun) {
        let sync = Arc::new(sync);
        match self.0.iter_mut().find(|one| one.id == sync.id) {
            Some(old) => *old = sync,
            None => {
                self.0.push(sync);
                if self.0.len() > MOST
                    && let Some(at) = self.0.iter().position(|one| one.phase.has_ended())
                {
                    self.0.remove(at);
                }
            }
        }
    }

    /// All, oldest first.
    pub fn all(&self) -> &[Arc<SyncRun>] {
        &self.0
    }

    /// The first one that is under way.
    pub fn running(&self) -> Option<&Arc<SyncRun>> {
        self.0.iter().find(|one| !one.phase.has_ended())
    }
}
