//! Counters and histograms of requests.
//!
//! Each thread has its own, which it alone changes and any thread may read: no two threads ever
//! wait for one cache line, and a change is a plain load and a plain store.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A counter that one thread changes and others read.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    /// Adds; only the thread that owns it may.
    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    /// The current number.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

type Hundred = Box<[Count; 100]>;

/// Number of responses by status. Memory for the codes of a class is allocated with its first.
#[derive(Debug, Default)]
pub(crate) struct Codes([OnceLock<Hundred>; 5]);

impl Codes {
    /// Counts a response; a status out of range is not counted.
    pub(crate) fn add(&self, status: u16) {
        let class = usize::from(status / 100).checked_sub(1).and_then(|class| self.0.get(class));
        if let Some(class) = class {
            let codes = class.get_or_init(|| Box::new([const { Count(AtomicU64::new(0)) }; 100]));
            codes[usize::from(status % 100)].add(1);
        }
    }

    /// Iterates over the statuses that occurred, in order.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u16, u64)> {
        let classes = (1u16..).zip(&self.0);
        let there = classes.filter_map(|(class, codes)| Some((class, codes.get()?)));
        there.flat_map(|(class, codes)| {
            let codes = (class * 100..).zip(codes.iter());
            codes.map(|(code, count)| (code, count.get())).filter(|(_, count)| *count > 0)
        })
    }
}

/// Number of a histogram's buckets beside `+Inf`.
pub(crate) const BUCKETS: usize = 16;

/// The upper bounds of a histogram's buckets, in microseconds, rising.
pub(crate) type Bounds = [u64; BUCKETS];

/// For responses: from what the gateway alone needs to what a large model takes.
pub(crate) const ANSWERS: Bounds = [
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    10_000_000,
    60_000_000,
    600_000_000,
];

/// For the gateway's share of the time.
pub(crate) const OVERHEAD: Bounds = [
    10, 20, 30, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000, 1_000_000,
];

/// Durations, counted in buckets.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// Not cumulative; the last is for durations above every bound.
    buckets: [Count; BUCKETS + 1],
    nanos: Count,
}

impl Histogram {
    /// Counts one duration.
    pub(crate) fn add(&self, time: Duration, bounds: &Bounds) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let at = bounds.partition_point(|bound| bound.saturating_mul(1000) < nanos);
        self.buckets[at].add(1);
        self.nanos.add(nanos);
    }

    /// Adds its counts to a total.
    pub(crate) fn sum_into(&self, total: &mut Summed) {
        for (sum, bucket) in total.buckets.iter_mut().zip(&self.buckets) {
            *sum += bucket.get();
        }
        total.nanos += u128::from(self.nanos.get());
    }
}

/// The sum of several threads' histograms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summed {
    /// Not cumulative.
    pub(crate) buckets: [u64; BUCKETS + 1],
    /// Sum of all durations.
    pub(crate) nanos: u128,
}

/// The counters of an app, of one thread.
#[derive(Debug, Default)]
pub(crate) struct AppCounts {
    pub(crate) codes: Codes,
    pub(crate) total: Histogram,
    pub(crate) upstream: Histogram,
    pub(crate) bytes_in: Count,
    pub(crate) bytes_out: Count,
    /// Requests sent to another replica.
    pub(crate) retried: Count,
    /// Requests that their replica took, and did not answer.
    pub(crate) lost: Count,
}

/// Requests to an app since the emulator started.
#[derive(Debug, Clone, Default)]
pub(crate) struct AppTotals {
    pub(crate) requests: u64,
    /// Those with a status from 500 on.
    pub(crate) failed: u64,
    pub(crate) times: Summed,
}

impl AppTotals {
    /// Adds a thread's counters.
    pub(super) fn add(&mut self, counts: &AppCounts) {
        for (code, count) in counts.codes.each() {
            self.requests += count;
            if code >= 500 {
                self.failed += count;
            }
        }
        counts.total.sum_into(&mut self.times);
    }

    /// The duration, in milliseconds, within which this share of the requests since `before` was
    /// answered; none if there was no request. Interpolated within a bucket of the histogram.
    pub(crate) fn quantile_since(&self, before: &Self, share: f32) -> Option<f32> {
        let buckets: Vec<u64> = self
            .times
            .buckets
            .iter()
            .zip(&before.times.buckets)
            .map(|(now, before)| now.saturating_sub(*before))
            .collect();
        let all: u64 = buckets.iter().sum();
        if all == 0 {
            return None;
        }
        let wanted = share * as_float(all);
        let (mut below, mut lower) = (0, 0);
        for (bucket, upper) in buckets.iter().zip(ANSWERS) {
            if *bucket > 0 && as_float(below + bucket) >= wanted {
                let part = (wanted - as_float(below)).max(0.0) / as_float(*bucket);
                return Some((as_float(lower) + part * as_float(upper - lower)) / 1000.0);
            }
            below += bucket;
            lower = upper;
        }
        // Longer than every bound.
        Some(as_float(lower) / 1000.0)
    }
}

/// For charts, which do not show the digits that are lost.
#[expect(clippy::cast_precision_loss, reason = "charts show fewer digits")]
fn as_float(number: u64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_code_has_its_own_count() {
        let codes = Codes::default();
        for status in [200, 404, 200, 599, 100, 0, 99, 600, 999, u16::MAX] {
            codes.add(status);
        }
        assert_eq!(codes.each().collect::<Vec<_>>(), [(100, 1), (200, 2), (404, 1), (599, 1)]);
    }

    #[test]
    fn quantiles_are_of_the_requests_since_an_earlier_reading() {
        let counts = AppCounts::default();
        let reading = || {
            let mut totals = AppTotals::default();
            totals.add(&counts);
            totals
        };
        counts.total.add(Duration::from_secs(700), &ANSWERS);
        let before = reading();
        assert_eq!(before.quantile_since(&before, 0.5), None);
        for _ in 0..4 {
            counts.total.add(Duration::from_micros(1500), &ANSWERS);
        }
        let now = reading();
        assert_eq!(now.quantile_since(&before, 0.5), Some(1.75));
        assert_eq!(now.quantile_since(&before, 1.0), Some(2.5));
        assert_eq!(before.quantile_since(&AppTotals::default(), 0.5), Some(600_000.0));
    }

    #[test]
    fn a_time_is_counted_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for micros in [0, 250, 251, 600_000_000, 600_000_001, u64::MAX] {
            histogram.add(Duration::from_micros(micros), &ANSWERS);
        }
        let mut summed = Summed::default();
        histogram.sum_into(&mut summed);
        histogram.sum_into(&mut summed);
        assert_eq!((summed.buckets[0], summed.buckets[1]), (4, 2));
        assert_eq!(summed.buckets[BUCKETS - 1..], [2, 4]);
        assert!(ANSWERS.is_sorted() && OVERHEAD.is_sorted());
    }
}
