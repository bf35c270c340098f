//! The ends of a replica's earlier runs: how often it crashed, and when it may start again.
//!
//! Each ordinal has a past of its own: one that keeps crashing delays no other. Ends by the platform's
//! fault are not crashes: they are counted, delayed and given up separately.

use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::Timestamp;

use crate::ports::Blame;
use crate::ports::clock::{after, elapsed};
use crate::replica::{Exit, ReplicaId};

/// Lifetime after which a replica has recovered: its crashes are forgotten.
const STABLE: Duration = Duration::from_mins(1);
/// Maximum number of consecutive crashes; after one more the replica is given up.
const MAX_CRASHES: u32 = 5;
/// Delay before the second restart; doubles with every further one.
const RESTART_DELAY: Duration = Duration::from_millis(500);

/// The end of a run that nothing asked for.
#[derive(Debug)]
pub(super) struct Crash {
    pub(super) id: ReplicaId,
    pub(super) revision: u64,
    pub(super) fault: Blame,
    /// How long the run answered, or tried to.
    pub(super) lived: Duration,
    pub(super) exit: Arc<Exit>,
}

/// The consequence of a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sequel {
    /// It starts again after this delay.
    Restart(Duration),
    /// It crashed too often in a row.
    GiveUp,
}

/// Ends of one kind without a stable run between them, of one revision.
#[derive(Debug, Default)]
struct Series {
    in_a_row: u32,
    last: Timestamp,
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
    /// Ends by the platform's fault, since the app was started.
    pub(super) interruptions: u32,
    /// It ended by itself, and has not answered since.
    pub(super) is_down: bool,
    fault: Blame,
    crashes: Series,
    faults: Series,
    revision: u64,
    restart_at: Option<Timestamp>,
}

impl Past {
    /// Begins with the first end of a run.
    pub(super) fn new(crash: &Crash) -> Self {
        Self {
            id: crash.id,
            exit: Arc::clone(&crash.exit),
            restarts: 0,
            interruptions: 0,
            is_down: true,
            fault: crash.fault,
            crashes: Series::default(),
            faults: Series::default(),
            revision: crash.revision,
            restart_at: None,
        }
    }

    fn series(&self, fault: Blame) -> &Series {
        match fault {
            Blame::User => &self.crashes,
            Blame::Platform => &self.faults,
        }
    }

    /// Whether a run of this revision that ends before it answers belongs to an earlier end.
    pub(super) fn is_restart(&self, revision: u64, now: Timestamp) -> bool {
        let is_open = |series: &Series| series.in_a_row > 0 && elapsed(series.last, now) < STABLE;
        self.revision == revision && (is_open(&self.crashes) || is_open(&self.faults))
    }

    /// Adds a crash, or another end that it starts again after.
    pub(super) fn crashed(&mut self, crash: &Crash) -> Sequel {
        let goes_on = crash.lived < STABLE && crash.revision == self.revision;
        if crash.revision != self.revision {
            self.forget();
        }
        self.ended(crash);
        let series = match crash.fault {
            Blame::User => &mut self.crashes,
            Blame::Platform => &mut self.faults,
        };
        series.in_a_row = if goes_on { series.in_a_row + 1 } else { 1 };
        series.last = crash.exit.at;
        if series.in_a_row > MAX_CRASHES {
            return Sequel::GiveUp;
        }
        let delay = match series.in_a_row {
            1 => Duration::ZERO,
            more => RESTART_DELAY * (1 << (more - 2)),
        };
        self.restart_at = (!delay.is_zero()).then(|| after(crash.exit.at, delay));
        Sequel::Restart(delay)
    }

    /// Adds the end of a run that it does not start again after: it never answered.
    pub(super) fn ended(&mut self, crash: &Crash) {
        (self.id, self.exit, self.revision) = (crash.id, Arc::clone(&crash.exit), crash.revision);
        self.interruptions += u32::from(crash.fault == Blame::Platform);
        self.fault = crash.fault;
        self.is_down = true;
    }

    /// A new run begins; says whether it is a restart after a crash.
    pub(super) fn begun(&mut self, revision: u64) -> bool {
        self.restart_at = None;
        let is_restart = self.is_down && self.revision == revision;
        self.restarts += u32::from(is_restart && self.fault == Blame::User);
        is_restart
    }

    /// Whether a run of this revision may begin.
    pub(super) fn may_begin(&mut self, revision: u64, now: Timestamp) -> bool {
        if self.revision != revision || self.restart_at.is_some_and(|at| at <= now) {
            self.restart_at = None;
        }
        self.restart_at.is_none()
    }

    /// Cancels the next restart.
    pub(super) fn rest(&mut self) {
        self.restart_at = None;
    }

    /// Something else is wanted: its crashes are forgotten.
    pub(super) fn forget(&mut self) {
        (self.crashes.in_a_row, self.faults.in_a_row) = (0, 0);
    }

    /// When it starts again.
    pub(super) fn restart_at(&self) -> Option<Timestamp> {
        self.restart_at
    }

    /// What is happening, as a sentence.
    pub(super) fn says(&self) -> String {
        let (ordinal, exit) = (self.id.ordinal, &self.exit);
        let how = exit.status.map_or_else(|| exit.message.clone(), |status| status.to_string());
        let what = match self.fault {
            Blame::User => "crashed",
            Blame::Platform => "was interrupted by the platform",
        };
        match self.series(self.fault).in_a_row {
            0 | 1 => format!("Replica {ordinal} {what} ({how}) and is restarting"),
            times => format!(
                "Replica {ordinal} {what} {times} times in a row (last: {how}) and is restarting"
            ),
        }
    }
}
