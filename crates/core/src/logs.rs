//! The output of an app's replicas: bounded, in memory, and can be followed.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use ovhai_api_types::Timestamp;
use tokio::sync::watch;

use crate::replica::ReplicaId;

/// Maximum size of one app's output, in bytes; older lines are dropped.
const CAPACITY: usize = 1024 * 1024;
/// Maximum length of a line, in bytes; longer ones are cut into pieces.
pub const LINE_MAX: usize = 16 * 1024;

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Position in the app's whole output, from 0.
    pub index: u64,
    /// When it was read, in real time.
    pub at: Timestamp,
    /// The same moment in domain time, if that was moved.
    pub moved: Option<Timestamp>,
    /// Which run of which replica wrote it.
    pub replica: ReplicaId,
    /// The line without its end.
    pub text: String,
}

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<LogLine>,
    bytes: usize,
    next: u64,
    /// The runs of the replica with ordinal 1, 2, …
    runs: Vec<Runs>,
}

/// The newest attempts of one ordinal.
#[derive(Debug, Clone, Copy, Default)]
struct Runs {
    begun: u32,
    ended: u32,
}

/// Size of a line beside its text, in bytes.
fn cost(text: &str) -> usize {
    size_of::<LogLine>() + text.len()
}

/// Tells domain time while it differs from real time.
type Moved = Box<dyn Fn() -> Option<Timestamp> + Send + Sync>;

/// The output of one app. It outlives replicas, so that it shows why the last one failed.
pub struct LogBuffer {
    lines: Mutex<Lines>,
    written: watch::Sender<u64>,
    /// Set with the first run: no line is older.
    moved: OnceLock<Moved>,
}

impl std::fmt::Debug for LogBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogBuffer").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Default for LogBuffer {
    fn default() -> Self {
        Self { lines: Mutex::default(), written: watch::Sender::new(0), moved: OnceLock::new() }
    }
}

impl LogBuffer {
    /// Has each line carry domain time while `moved` tells one.
    pub(crate) fn tell_domain_time(
        &self,
        moved: impl Fn() -> Option<Timestamp> + Send + Sync + 'static,
    ) {
        // The clock is the same for every run.
        let _ = self.moved.set(Box::new(moved));
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends one line.
    pub fn push(&self, at: Timestamp, replica: ReplicaId, text: String) {
        let moved = self.moved.get().and_then(|moved| moved());
        let next = {
            let mut lines = self.lock();
            let index = lines.next;
            lines.next += 1;
            lines.bytes += cost(&text);
            lines.lines.push_back(LogLine { index, at, moved, replica, text });
            while lines.bytes > CAPACITY {
                let Some(dropped) = lines.lines.pop_front() else { break };
                lines.bytes -= cost(&dropped.text);
            }
            lines.next
        };
        self.written.send_replace(next);
    }

    /// The replica with this ordinal begins its next run, whether it will write anything or not.
    pub fn begin(&self, ordinal: u32) -> ReplicaId {
        let mut lines = self.lock();
        let at = usize::try_from(ordinal.saturating_sub(1)).unwrap_or(usize::MAX);
        if lines.runs.len() <= at {
            lines.runs.resize(at + 1, Runs::default());
        }
        lines.runs[at].begun += 1;
        ReplicaId { ordinal, attempt: lines.runs[at].begun }
    }

    /// That run has ended.
    pub fn end(&self, replica: ReplicaId) {
        let at = usize::try_from(replica.ordinal.saturating_sub(1)).unwrap_or(usize::MAX);
        if let Some(runs) = self.lock().runs.get_mut(at) {
            runs.ended = runs.ended.max(replica.attempt);
        }
    }

    /// The largest ordinal that has had a run; none: no replica was started.
    pub fn last_ordinal(&self) -> Option<u32> {
        u32::try_from(self.lock().runs.len()).ok().filter(|count| *count > 0)
    }

    /// The newest run that has ended of each replica, or of one; those without one are left out.
    pub fn ended(&self, ordinal: Option<u32>) -> Vec<ReplicaId> {
        let runs = self.lock().runs.clone();
        (1..)
            .zip(runs)
            .map(|(ordinal, runs)| ReplicaId { ordinal, attempt: runs.ended })
            .filter(|id| id.attempt > 0 && ordinal.is_none_or(|ordinal| id.ordinal == ordinal))
            .collect()
    }

    /// The kept lines from position `from` on, of the runs that fit.
    pub fn read(&self, from: u64, fits: impl Fn(ReplicaId) -> bool) -> Vec<LogLine> {
        let lines = self.lock();
        let start = lines.lines.partition_point(|line| line.index < from);
        lines.lines.range(start..).filter(|line| fits(line.replica)).cloned().collect()
    }

    /// All kept lines of the runs that fit, and the position after the last one of all.
    pub fn read_with_end(&self, fits: impl Fn(ReplicaId) -> bool) -> (Vec<LogLine>, u64) {
        let lines = self.lock();
        (lines.lines.iter().filter(|line| fits(line.replica)).cloned().collect(), lines.next)
    }

    /// The last `count` lines of the runs that fit, oldest first.
    pub fn tail(&self, count: usize, fits: impl Fn(ReplicaId) -> bool) -> Vec<LogLine> {
        let mut lines = self.read(0, fits);
        lines.drain(..lines.len().saturating_sub(count));
        lines
    }

    /// Changes whenever a line is written; holds the position after the last one. It closes when
    /// the app is deleted.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_within_bounds() {
        let logs = LogBuffer::default();
        let of = |ordinal| ReplicaId { ordinal, attempt: 1 };
        let big = "x".repeat(LINE_MAX);
        for replica in 0..200 {
            logs.push(Timestamp::UNIX_EPOCH, of(replica % 2), big.clone());
        }
        let kept = logs.read(0, |_| true);
        assert_eq!(kept.len(), CAPACITY / cost(&big));
        for _ in 0..100_000 {
            logs.push(Timestamp::UNIX_EPOCH, of(0), String::new());
        }
        assert_eq!(logs.read(0, |_| true).len(), CAPACITY / cost(""), "empty lines take room too");
        let logs = LogBuffer::default();
        for replica in 0..200 {
            logs.push(Timestamp::UNIX_EPOCH, of(replica % 2), big.clone());
        }
        assert_eq!(kept.last().map(|line| line.index), Some(199));
        assert_eq!(logs.read(198, |_| true).len(), 2);
        let last = logs.tail(3, |replica| replica == of(1));
        assert_eq!(last.iter().map(|line| line.index).collect::<Vec<_>>(), [195, 197, 199]);
    }

    #[test]
    fn runs_are_counted_by_ordinal() {
        let logs = LogBuffer::default();
        assert_eq!((logs.last_ordinal(), logs.ended(None)), (None, vec![]));
        let (second, first) = (logs.begin(2), logs.begin(1));
        assert_eq!((second.attempt, logs.last_ordinal()), (1, Some(2)));
        logs.end(first);
        let again = logs.begin(1);
        assert_eq!((again.attempt, logs.ended(None)), (2, vec![first]));
        assert_eq!((logs.ended(Some(1)), logs.ended(Some(2))), (vec![first], vec![]));
        // An old run may end after the one that replaces it.
        logs.end(again);
        logs.end(first);
        assert_eq!(logs.ended(None), [again]);
    }
}
