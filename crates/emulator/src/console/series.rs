//! What apps did lately, for charts.
//!
//! A sample is taken of each app that has had a request, or whose page was opened. What replicas use is
//! read only while the page is open, since a reading asks an engine. Series are bounded in length and in
//! number.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ovhai_api_types::AppId;
use ovhai_core::Platform;
use ovhai_core::ports::ReplicaUsage;

use crate::telemetry::{AppTotals, Telemetry};

/// Time between two samples.
pub(crate) const EVERY: Duration = Duration::from_secs(10);
/// Samples of a series: half an hour.
pub(super) const SAMPLES: usize = 180;
/// Number of series; that of the app that was unused for the longest time goes first.
const SERIES: usize = 256;
/// Time after the last view of its page during which an app's usage is read.
const WATCHED: Duration = Duration::from_mins(1);

/// An app in the time since the sample before.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sample {
    /// Requests a second.
    pub(super) requests: f32,
    /// Requests a second that were answered with a status from 500 on.
    pub(super) failed: f32,
    /// Milliseconds; none without requests.
    pub(super) median: Option<f32>,
    /// The 95th percentile, in milliseconds.
    pub(super) slow: Option<f32>,
    /// Replicas that answer.
    pub(super) ready: f32,
    /// Cores that all replicas used together.
    pub(super) cpu: Option<f32>,
    /// Memory of all replicas together, in MiB.
    pub(super) memory: Option<f32>,
}

/// Earlier readings of counters, to which new ones are compared.
#[derive(Debug, Default)]
struct Before {
    at: Option<Instant>,
    totals: AppTotals,
    /// CPU time by ordinal.
    cpu: HashMap<u32, Duration>,
    usage_at: Option<Instant>,
}

#[derive(Debug)]
struct AppSeries {
    samples: VecDeque<Sample>,
    before: Before,
    /// The last request, or the last view of its page.
    used: Instant,
    viewed: Option<Instant>,
}

impl AppSeries {
    fn new(now: Instant) -> Self {
        Self { samples: VecDeque::new(), before: Before::default(), used: now, viewed: None }
    }

    fn is_viewed(&self, now: Instant) -> bool {
        self.viewed.is_some_and(|at| now.duration_since(at) < WATCHED)
    }

    fn take(
        &mut self,
        now: Instant,
        totals: AppTotals,
        ready: usize,
        usage: &[(u32, ReplicaUsage)],
    ) {
        let mut sample = Sample { ready: count(ready), ..Sample::default() };
        if totals.requests != self.before.totals.requests {
            self.used = now;
        }
        if let Some(at) = self.before.at {
            let seconds = now.duration_since(at).as_secs_f32().max(f32::EPSILON);
            let before = &self.before.totals;
            let rate = |now: u64, before: u64| difference(now, before) / seconds;
            sample.requests = rate(totals.requests, before.requests);
            sample.failed = rate(totals.failed, before.failed);
            sample.median = totals.quantile_since(before, 0.5);
            sample.slow = totals.quantile_since(before, 0.95);
        }
        if usage.is_empty() {
            (self.before.cpu, self.before.usage_at) = (HashMap::new(), None);
        } else {
            let bytes: u64 = usage.iter().map(|(_, used)| used.memory).sum();
            sample.memory = Some(difference(bytes >> 10, 0) / 1024.0);
            sample.cpu = self.before.usage_at.map(|at| {
                let used: Duration = usage
                    .iter()
                    .filter_map(|(ordinal, used)| {
                        // A replica that was started again counts from 0.
                        let before = self.before.cpu.get(ordinal)?;
                        Some(used.cpu.checked_sub(*before).unwrap_or(used.cpu))
                    })
                    .sum();
                used.as_secs_f32() / now.duration_since(at).as_secs_f32().max(f32::EPSILON)
            });
            self.before.cpu = usage.iter().map(|(ordinal, used)| (*ordinal, used.cpu)).collect();
            self.before.usage_at = Some(now);
        }
        (self.before.at, self.before.totals) = (Some(now), totals);
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }
}

fn count(number: usize) -> f32 {
    u16::try_from(number).unwrap_or(u16::MAX).into()
}

#[expect(clippy::cast_precision_loss, reason = "charts show fewer digits")]
fn difference(now: u64, before: u64) -> f32 {
    now.saturating_sub(before) as f32
}

/// The series of all apps.
#[derive(Debug, Default)]
pub(super) struct Series(Mutex<HashMap<AppId, AppSeries>>);

impl Series {
    fn lock(&self) -> MutexGuard<'_, HashMap<AppId, AppSeries>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The samples of an app, the oldest first, for a caller who may see the app. From now on, samples
    /// are taken of it.
    pub(super) fn view(&self, app: AppId, now: Instant) -> Vec<Sample> {
        let mut all = self.lock();
        let series = all.entry(app).or_insert_with(|| AppSeries::new(now));
        (series.used, series.viewed) = (now, Some(now));
        let samples = series.samples.iter().copied().collect();
        while all.len() > SERIES {
            let oldest = all.iter().min_by_key(|(_, series)| series.used).map(|(id, _)| *id);
            oldest.map(|id| all.remove(&id));
        }
        samples
    }

    fn is_viewed(&self, app: AppId, now: Instant) -> bool {
        self.lock().get(&app).is_some_and(|series| series.is_viewed(now))
    }
}

/// Takes a sample of each app every so often, for as long as it is polled.
pub(super) async fn sample(
    series: Arc<Series>,
    platform: Arc<Platform>,
    telemetry: Arc<Telemetry>,
    every: Duration,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        take(&series, &platform, &telemetry).await;
    }
}

async fn take(series: &Series, platform: &Platform, telemetry: &Telemetry) {
    let mut totals = telemetry.app_totals();
    let now = Instant::now();
    let snapshot = platform.snapshot();
    {
        let mut all = series.lock();
        all.retain(|id, _| snapshot.app(*id).is_some());
        // Apps that have had requests get a series while there is room.
        for (id, totals) in &totals {
            if all.len() < SERIES && totals.requests > 0 && snapshot.app(*id).is_some() {
                all.entry(*id).or_insert_with(|| AppSeries::new(now));
            }
        }
    }
    let ids: Vec<AppId> = series.lock().keys().copied().collect();
    for id in ids {
        let Some(entry) = snapshot.app(id) else { continue };
        let usage =
            if series.is_viewed(id, now) { platform.usage_of(id).await } else { Vec::new() };
        let totals = totals.remove(&id).unwrap_or_default();
        if let Some(series) = series.lock().get_mut(&id) {
            series.take(Instant::now(), totals, entry.live.backends.len(), &usage);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cpu: u64, memory: u64) -> [(u32, ReplicaUsage); 1] {
        [(1, ReplicaUsage { cpu: Duration::from_secs(cpu), memory: memory << 20 })]
    }

    #[test]
    fn samples_are_rates_since_the_sample_before() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut series = AppSeries::new(start);
        let totals = |requests, failed| AppTotals { requests, failed, ..AppTotals::default() };
        series.take(at(0), totals(5, 0), 1, &usage(1, 3));
        series.take(at(10), totals(25, 5), 2, &usage(6, 4));
        // The replica was started again.
        series.take(at(20), totals(25, 5), 2, &usage(2, 5));
        series.take(at(30), totals(25, 5), 0, &[]);
        let first = Sample { ready: 1.0, memory: Some(3.0), ..Sample::default() };
        let second = Sample {
            requests: 2.0,
            failed: 0.5,
            ready: 2.0,
            cpu: Some(0.5),
            memory: Some(4.0),
            ..Sample::default()
        };
        let third = Sample { ready: 2.0, cpu: Some(0.2), memory: Some(5.0), ..Sample::default() };
        assert_eq!(Vec::from(series.samples), [first, second, third, Sample::default()]);
        assert_eq!(series.used, at(10));
    }

    #[test]
    fn series_are_bounded() {
        let (all, now) = (Series::default(), Instant::now());
        for number in 0..=SERIES {
            let used = now + Duration::from_secs(number as u64);
            all.view(AppId(uuid::Uuid::from_u128(number as u128)), used);
        }
        assert_eq!(all.lock().len(), SERIES);
        assert!(!all.lock().contains_key(&AppId(uuid::Uuid::nil())), "the oldest one is removed");
        let mut series = AppSeries::new(now);
        for _ in 0..=SAMPLES {
            series.take(now, AppTotals::default(), 1, &[]);
        }
        assert_eq!(series.samples.len(), SAMPLES);
    }
}
