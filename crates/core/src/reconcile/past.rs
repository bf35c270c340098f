//! The ends of a replica's earlier runs: how often it crashed, and when it may start again.
//!
//! Each ordinal has a past of its own: one that keeps crashing delays no other. No number of crashes
//! is too many: a replica is given up when it has not answered for the app's deadline. Ends by the
//! platform's fault are not crashes: they are counted and delayed separately, and never given up.

use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::Timestamp;

use crate::ports::Blame;
use crate::ports::clock::after;
use crate::replica::{Exit, ReplicaContainer, ReplicaId};

/// Lifetime after which a replica has recovered: its crashes are forgotten (as in Kubernetes).
const STABLE: Duration = Duration::from_mins(10);
/// The delay doubles with every crash, up to this multiple of the first one (Kubernetes: 10 to 300 s).
const LONGEST_DELAY: u32 = 30;
/// The first and the longest delay after ends by the platform's fault.
const FAULT_DELAY: Duration = Duration::from_millis(500);
const LONGEST_FAULT_DELAY: Duration = Duration::from_secs(30);

/// The end of a run that nothing asked for.
#[derive(Debug)]
pub(super) struct Crash {
    pub(super) id: ReplicaId,
    pub(super) revision: u64,
    pub(super) fault: Blame,
    /// How long the run answered, or tried to.
    pub(super) lived: Duration,
    pub(super) exit: Arc<Exit>,
    pub(super) container: Option<Arc<ReplicaContainer>>,
}

/// Ends of one kind without a stable run between them, of one revision.
#[derive(Debug, Default)]
struct Series {
    in_a_row: u32,
}

impl Series {
    /// The delay before the next run: none after the first end, then doubling.
    fn delay(&self, first: Duration, longest: Duration) -> Duration {
        match self.in_a_row {
            0 | 1 => Duration::ZERO,
            more => first.saturating_mul(1 << (more - 2).min(16)).min(longest),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Past {
    /// The run that ended last.
    pub(super) id: ReplicaId,
    /// How it ended.
    pub(super) exit: Arc<Exit>,
    /// Its container, if it had one.
    pub(super) container: Option<Arc<ReplicaContainer>>,
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
    /// Since when it has been expected to answer again, if it crashed.
    expected_since: Option<Timestamp>,
}

impl Past {
    /// Begins with the first end of a run.
    pub(super) fn new(crash: &Crash) -> Self {
        Self {
            id: crash.id,
            exit: Arc::clone(&crash.exit),
            container: crash.container.clone(),
            restarts: 0,
            interruptions: 0,
            is_down: true,
            fault: crash.fault,
            crashes: Series::default(),
            faults: Series::default(),
            revision: crash.revision,
            restart_at: None,
            expected_since: None,
        }
    }

    fn series(&self, fault: Blame) -> &Series {
        match fault {
            Blame::User => &self.crashes,
            Blame::Platform => &self.faults,
        }
    }

    /// Whether a run of this revision that ends before it answers belongs to an earlier end.
    pub(super) fn is_restart(&self, revision: u64) -> bool {
        let is_open = self.crashes.in_a_row > 0 || self.faults.in_a_row > 0;
        self.revision == revision && self.is_down && is_open
    }

    /// Adds a crash, or another end that it starts again after; returns the delay before that.
    /// `first_delay` is the delay after the second crash in a row.
    pub(super) fn crashed(&mut self, crash: &Crash, first_delay: Duration) -> Duration {
        let goes_on = crash.lived < STABLE && crash.revision == self.revision;
        if crash.revision != self.revision {
            self.forget();
        }
        self.ended(crash);
        let (series, first, longest) = match crash.fault {
            Blame::User => {
                (&mut self.crashes, first_delay, first_delay.saturating_mul(LONGEST_DELAY))
            }
            Blame::Platform => (&mut self.faults, FAULT_DELAY, LONGEST_FAULT_DELAY),
        };
        series.in_a_row = if goes_on { series.in_a_row.saturating_add(1) } else { 1 };
        let delay = series.delay(first, longest);
        self.restart_at = (!delay.is_zero()).then(|| after(crash.exit.at, delay));
        self.expected_since = match crash.fault {
            Blame::User => self.expected_since.or(Some(crash.exit.at)),
            Blame::Platform => None,
        };
        delay
    }

    /// Adds the end of a run that it does not start again after: it never answered.
    pub(super) fn ended(&mut self, crash: &Crash) {
        (self.id, self.exit, self.revision) = (crash.id, Arc::clone(&crash.exit), crash.revision);
        self.container.clone_from(&crash.container);
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

    /// It answers.
    pub(super) fn answers(&mut self) {
        (self.is_down, self.expected_since) = (false, None);
    }

    /// It has crashed, but nothing waits for its answer now.
    pub(super) fn need_not_answer(&mut self) {
        self.expected_since = None;
    }

    /// It can't answer yet, through no fault of its own.
    pub(super) fn is_pending(&mut self, now: Timestamp) {
        if let Some(since) = &mut self.expected_since {
            *since = now;
        }
    }

    /// When it is given up, unless it answers before. What crashed of another revision than the
    /// wanted one says nothing about that.
    pub(super) fn given_up_at(&self, wanted: u64, deadline: Duration) -> Option<Timestamp> {
        let counts = self.is_down && self.fault == Blame::User && self.revision == wanted;
        let since = self.expected_since.filter(|_| counts)?;
        Some(after(since, deadline))
    }

    /// Cancels the next restart.
    pub(super) fn rest(&mut self) {
        (self.restart_at, self.expected_since) = (None, None);
    }

    /// Something else is wanted: its crashes are forgotten.
    pub(super) fn forget(&mut self) {
        (self.crashes.in_a_row, self.faults.in_a_row) = (0, 0);
        self.expected_since = None;
    }

    /// When it starts again.
    pub(super) fn restart_at(&self) -> Option<Timestamp> {
        self.restart_at
    }

    /// Why it is given up after this time.
    pub(super) fn reason(&self, deadline: Duration) -> String {
        let times = match self.crashes.in_a_row {
            0 | 1 => String::new(),
            times => format!(" {times} times in a row"),
        };
        let seconds = deadline.as_secs();
        format!("It crashed{times} and did not answer within {seconds} s: {}", self.exit.message)
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
