//! What a transfer has to do and has done, for its progress line.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::list::size;
use crate::context::Context;
use crate::error::Result;
use crate::ui::progress::Progress;

/// Time before the first line: a short transfer needs none.
const FIRST: Duration = Duration::from_millis(300);
const EVERY: Duration = Duration::from_millis(100);
/// Characters of the bar.
const BAR: u64 = 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Totals {
    objects: u64,
    bytes: u64,
    passed: AtomicU64,
    begin: Instant,
}

impl Totals {
    pub(super) fn new(objects: usize, bytes: u64) -> Self {
        Self { objects: objects as u64, bytes, passed: AtomicU64::new(0), begin: Instant::now() }
    }

    /// Counts bytes that were transferred.
    pub(super) fn add(&self, bytes: u64) {
        self.passed.fetch_add(bytes, Ordering::Relaxed);
    }

    fn line(&self, what: &str) -> String {
        let passed = self.passed.load(Ordering::Relaxed).min(self.bytes);
        let percent = (passed * 100).checked_div(self.bytes).unwrap_or(100);
        let filled = usize::try_from(percent * BAR / 100).unwrap_or(0);
        let bar = "#".repeat(filled) + &"-".repeat(usize::try_from(BAR).unwrap_or(0) - filled);
        let milliseconds = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let rate = (passed * 1000).checked_div(milliseconds).unwrap_or(0);
        let objects = if self.objects == 1 { "object" } else { "objects" };
        format!(
            "{what} {} {objects} [{bar}] {percent} %, {} of {}, {}/s",
            self.objects,
            size(passed),
            size(self.bytes),
            size(rate)
        )
    }

    /// Does the work, and shows how far it is.
    pub(super) async fn shown<T>(
        &self,
        context: &mut Context,
        what: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut progress = Progress::new(context);
        let mut work = pin!(work);
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + FIRST, EVERY);
        loop {
            tokio::select! {
                biased;
                outcome = work.as_mut() => return outcome,
                _ = ticks.tick() => progress.say(&self.line(what)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line() {
        let totals = Totals::new(2, 200);
        totals.add(50);
        let line = totals.line("Uploading");
        assert!(
            line.starts_with("Uploading 2 objects [#####---------------] 25 %, 50.0 B of 200.0 B,"),
            "{line}"
        );
        let nothing = Totals::new(1, 0).line("Uploading");
        assert!(nothing.contains("1 object [####################] 100 %"), "{nothing}");
    }
}
