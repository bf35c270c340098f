//! The output of an app's replicas: bounded, in memory, followable.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ovhai_api_types::Timestamp;
use tokio::sync::watch;

/// Bytes kept for one app; older lines are dropped.
const CAPACITY: usize = 1024 * 1024;
/// Longer lines are cut into pieces of this size.
pub const LINE_MAX: usize = 16 * 1024;

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Position in the app's whole output, from 0.
    pub index: u64,
    /// When it was read.
    pub at: Timestamp,
    /// Which replica wrote it.
    pub replica: u64,
    /// The line without its end.
    pub text: String,
}

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<LogLine>,
    bytes: usize,
    next: u64,
}

/// What a line takes, an empty one too.
fn cost(text: &str) -> usize {
    size_of::<LogLine>() + text.len()
}

/// The output of one app. It outlives replicas, so that one can see why the last one failed.
#[derive(Debug)]
pub struct LogBuffer {
    lines: Mutex<Lines>,
    /// The number of the last replica that began; they are counted from 1.
    last: AtomicU64,
    written: watch::Sender<u64>,
}

impl Default for LogBuffer {
    fn default() -> Self {
        Self { lines: Mutex::default(), last: AtomicU64::new(0), written: watch::Sender::new(0) }
    }
}

impl LogBuffer {
    /// Appends one line.
    pub fn push(&self, at: Timestamp, replica: u64, text: String) {
        let next = {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let index = lines.next;
            lines.next += 1;
            lines.bytes += cost(&text);
            lines.lines.push_back(LogLine { index, at, replica, text });
            while lines.bytes > CAPACITY {
                let Some(dropped) = lines.lines.pop_front() else { break };
                lines.bytes -= cost(&dropped.text);
            }
            lines.next
        };
        self.written.send_replace(next);
    }

    /// A replica begins, whether it will write anything or not.
    pub fn begin(&self, replica: u64) {
        self.last.fetch_max(replica, Ordering::Relaxed);
    }

    /// The number of the last replica that began; none: none has.
    pub fn last_replica(&self) -> Option<u64> {
        Some(self.last.load(Ordering::Relaxed)).filter(|last| *last != 0)
    }

    /// The kept lines from position `from` on, of one replica or of all.
    pub fn read(&self, from: u64, replica: Option<u64>) -> Vec<LogLine> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let start = lines.lines.partition_point(|line| line.index < from);
        lines
            .lines
            .range(start..)
            .filter(|line| replica.is_none_or(|replica| line.replica == replica))
            .cloned()
            .collect()
    }

    /// All kept lines of one replica or of all, and the position after the last one of all.
    pub fn read_with_end(&self, replica: Option<u64>) -> (Vec<LogLine>, u64) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |line: &&LogLine| replica.is_none_or(|replica| line.replica == replica);
        (lines.lines.iter().filter(fits).cloned().collect(), lines.next)
    }

    /// The last `count` lines of one replica or of all, oldest first.
    pub fn tail(&self, count: usize, replica: Option<u64>) -> Vec<LogLine> {
        let mut lines = self.read(0, replica);
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
        let big = "x".repeat(LINE_MAX);
        for replica in 0..200 {
            logs.push(Timestamp::UNIX_EPOCH, replica % 2, big.clone());
        }
        let kept = logs.read(0, None);
        assert_eq!(kept.len(), CAPACITY / cost(&big));
        for _ in 0..100_000 {
            logs.push(Timestamp::UNIX_EPOCH, 0, String::new());
        }
        assert_eq!(logs.read(0, None).len(), CAPACITY / cost(""), "empty lines take room too");
        let logs = LogBuffer::default();
        for replica in 0..200 {
            logs.push(Timestamp::UNIX_EPOCH, replica % 2, big.clone());
        }
        assert_eq!(kept.last().map(|line| line.index), Some(199));
        assert_eq!(logs.read(198, None).len(), 2);
        assert_eq!(
            logs.tail(3, Some(1)).iter().map(|l| l.index).collect::<Vec<_>>(),
            [195, 197, 199]
        );
    }
}
