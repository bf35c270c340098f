//! What became of a replica's earlier runs: how often it crashed, and when it may start again.
//!
//! Each ordinal has a past of its own: one that crashes all the time delays no other.

use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::Timestamp;

use crate::ports::clock::{after, elapsed};
use crate::replica::{Exit, ReplicaId};

/// A replica that lived this long has recovered: its crashes are forgotten.
const STABLE: Duration = Duration::from_mins(1);
/// Consecutive crashes after which a replica is given up.
const MAX_CRASHES: u32 = 5;
/// Before the second and every further restart; doubles.
const RESTART_DELAY: Duration = Duration::from_millis(500);

/// The end of a run that nothing asked for.
#[derive(Debug)]
pub(super) struct Crash {
    pub(super) id: ReplicaId,
    pub(super) revision: u64,
    /// How long the run answered, or tried to.
    pub(super) lived: Duration,
    pub(super) exit: Arc<Exit>,
}

/// What follows from a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sequel {
    /// It starts again after this delay.
    Restart(Duration),
    /// It crashed too often in a row.
    GiveUp,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Past {
    /// The run that ended last.
    pub(super) id: ReplicaId,
    /// How it ended.
    pub(super) exit: Arc<Exit>,
    /// Restarts after a crash, since the app was started.
    pub(super) restarts: u32,
    /// It crashed, and has not answered since.
    pub(super) is_down: bool,
    /// Crashes without a stable run between them, of this revision.
    in_a_row: u32,
    revision: u64,
    crashed_at: Timestamp,
    restart_at: Option<Timestamp>,
}

impl Past {
    /// Begins with the first end of a run.
    pub(super) fn new(crash: &Crash) -> Self {
        Self {
            id: crash.id,
            exit: Arc::clone(&crash.exit),
            restarts: 0,
            is_down: true,
            in_a_row: 0,
            revision: crash.revision,
            crashed_at: crash.exit.at,
            restart_at: None,
        }
    }

    /// Whether a run of this revision that ends before it answers belongs to an earlier crash.
    pub(super) fn is_restart(&self, revision: u64, now: Timestamp) -> bool {
        let is_recent = elapsed(self.crashed_at, now) < STABLE;
        self.in_a_row > 0 && self.revision == revision && is_recent
    }

    /// Adds a crash.
    pub(super) fn crashed(&mut self, crash: &Crash) -> Sequel {
        let goes_on = crash.lived < STABLE && crash.revision == self.revision;
        self.in_a_row = if goes_on { self.in_a_row + 1 } else { 1 };
        self.ended(crash);
        self.crashed_at = crash.exit.at;
        if self.in_a_row > MAX_CRASHES {
            return Sequel::GiveUp;
        }
        let delay = match self.in_a_row {
            1 => Duration::ZERO,
            more => RESTART_DELAY * (1 << (more - 2)),
        };
        self.restart_at = (!delay.is_zero()).then(|| after(crash.exit.at, delay));
        Sequel::Restart(delay)
    }

    /// Adds the end of a run that is no crash: it never answered.
    pub(super) fn ended(&mut self, crash: &Crash) {
        (self.id, self.exit, self.revision) = (crash.id, Arc::clone(&crash.exit), crash.revision);
        self.is_down = true;
    }

    /// A new run begins; says whether it is a restart after a crash.
    pub(super) fn begun(&mut self, revision: u64) -> bool {
        self.restart_at = None;
        let is_restart = self.is_down && self.revision == revision;
        self.restarts += u32::from(is_restart);
        is_restart
    }

    /// Whether a run of this revision may begin.
    pub(super) fn may_begin(&mut self, revision: u64, now: Timestamp) -> bool {
        if self.revision != revision || self.restart_at.is_some_and(|at| at <= now) {
            self.restart_at = None;
        }
        self.restart_at.is_none()
    }

    /// Does not start again by itself.
    pub(super) fn rest(&mut self) {
        self.restart_at = None;
    }

    /// Something else is wanted: its crashes do not count any more.
    pub(super) fn forget(&mut self) {
        self.in_a_row = 0;
    }

    /// When it starts again.
    pub(super) fn restart_at(&self) -> Option<Timestamp> {
        self.restart_at
    }

    /// What is happening, as a sentence.
    pub(super) fn says(&self) -> String {
        let (ordinal, exit) = (self.id.ordinal, &self.exit);
        let how = exit.status.map_or_else(|| exit.message.clone(), |status| status.to_string());
        match self.in_a_row {
            0 | 1 => format!("Replica {ordinal} crashed ({how}) and is restarting"),
            times => format!(
                "Replica {ordinal} crashed {times} times in a row (last: {how}) and is restarting"
            ),
        }
    }
}
