//! What the gateway records: a line of the access log for every request, metrics, ids of requests.
//!
//! [`Telemetry`] is shared by all; each thread that serves has a [`Recorder`], which records every
//! request when it has ended. That costs well below a microsecond: counters are the worker's own,
//! and the line goes into a buffer that another thread writes to the file. The gateway never waits
//! for a disk: lines are dropped, and counted, when it is full or slow. The last requests stay in
//! memory, in rings of each worker's own, whether there is a log or not.
//!
//! No token string ever gets here: of a caller only the token's id or the user's name is known.

pub(crate) mod capture;
mod count;
mod file;
mod line;
pub(crate) mod note;
mod process;
pub(crate) mod recent;
mod refusal_kind;
mod request_id;
mod stamp;
pub(crate) mod tally;
mod text;
pub(crate) mod visible;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ovhai_api_types::{AppId, CapturedApp, Timestamp, TokenId};
use ovhai_core::components::Components;
use ovhai_core::ports::Clock;
use ovhai_wire::request::RequestHead;
use uuid::Uuid;

use crate::seal::Seal;

use capture::Captures;
pub(crate) use count::AppTotals;
use count::{ANSWERS, AppCounts, Codes, Count, Histogram, OVERHEAD, Summed};
pub use file::AccessLog;
pub(crate) use file::LogFile;
use file::{Lines, Sink};
use line::Who;
pub(crate) use line::{Aborted, Destination, Line, Protocol};
pub(crate) use note::Note;
use recent::Recent;
pub(crate) use refusal_kind::RefusalKind;
use request_id::IdSource;
pub(crate) use request_id::RequestId;
use stamp::Stamp;
use tally::{Sums, Tally};
pub(crate) use text::CONTENT_TYPE;
use text::{Kind, MetricsPage};

/// The counters of one thread.
#[derive(Default)]
struct Shard {
    /// Locked when an app's first request comes, and by readers.
    apps: Mutex<HashMap<AppId, Arc<AppCounts>>>,
    /// Requests to no existing app: to the API, to `localhost`, to nowhere.
    others: [Codes; OTHERS.len()],
    overhead: Histogram,
    refused: [Count; RefusalKind::ALL.len()],
    aborted: [Count; ABORTED.len()],
    /// Locked by the thread with each request, and by readers.
    recent: Mutex<Recent>,
    /// The same.
    tally: Mutex<Tally>,
    /// Number of requests that have begun.
    begun: Count,
    /// The second of Unix time of each token's last request to an app. Locked by the thread once a
    /// second for a token, and by readers.
    used: Mutex<HashMap<TokenId, u64>>,
}

/// Labels of destinations that are not apps; the last is an app that does not exist.
const OTHERS: [&str; 4] = ["api", "local", "none", "unknown_app"];
const ABORTED: [&str; 3] = ["client", "app", "access"];

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts and records requests; shared by all threads.
pub(crate) struct Telemetry {
    shards: Mutex<Vec<Arc<Shard>>>,
    /// Changes when apps were removed: recorders then remove theirs.
    forgotten: AtomicU64,
    connections: Arc<AtomicI64>,
    tunnels: Arc<AtomicI64>,
    sink: Option<Sink>,
    /// Distinguishes the numbers of requests of this run from those of others.
    run: u64,
    /// Hides the numbers of requests in cursors.
    seal: Arc<Seal>,
    clock: Arc<dyn Clock>,
    captures: Captures,
    /// When the numbers of requests were last set to zero.
    counting_since: Mutex<Timestamp>,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

/// Counts something as open, until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenGauge(Arc<AtomicI64>);

impl OpenGauge {
    fn new(gauge: &Arc<AtomicI64>) -> Self {
        gauge.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(gauge))
    }
}

impl Drop for OpenGauge {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Telemetry {
    /// Creates one that writes to this file, or keeps no log.
    pub(crate) fn new(
        log: Option<LogFile>,
        components: &Arc<Components>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            shards: Mutex::default(),
            forgotten: AtomicU64::new(0),
            connections: Arc::default(),
            tunnels: Arc::default(),
            sink: log.map(|log| Sink::new(log, Arc::clone(components))),
            run: Uuid::new_v4().as_u64_pair().0,
            seal: Arc::default(),
            counting_since: Mutex::new(clock.real_time()),
            clock,
            captures: Captures::default(),
        })
    }

    /// Creates a thread's recorder. Create one for each thread that serves, not for each
    /// connection: its counts stay when it is dropped.
    pub(crate) fn recorder(self: &Arc<Self>) -> Recorder {
        let shard = Arc::new(Shard::default());
        lock(&self.shards).push(Arc::clone(&shard));
        Recorder {
            ids: IdSource::new(),
            apps: HashMap::new(),
            forgotten: self.forgotten.load(Ordering::Relaxed),
            lines: self.sink.as_ref().map(Sink::lines),
            stamp: Stamp::of(SystemTime::now()),
            shard,
            used: None,
            telemetry: Arc::clone(self),
        }
    }

    /// Counts a client's connection, until the returned value is dropped.
    pub(crate) fn connection_opened(&self) -> OpenGauge {
        OpenGauge::new(&self.connections)
    }

    /// Counts a tunnel (a WebSocket, another upgrade), until the returned value is dropped.
    pub(crate) fn tunnel_opened(&self) -> OpenGauge {
        OpenGauge::new(&self.tunnels)
    }

    /// The time of each token's last request to an app, in real time, to the second.
    pub(crate) fn last_uses(&self) -> HashMap<TokenId, Timestamp> {
        let mut all: HashMap<TokenId, Timestamp> = HashMap::new();
        for shard in lock(&self.shards).iter() {
            for (id, second) in lock(&shard.used).iter() {
                let at = i64::try_from(*second).ok().and_then(|s| Timestamp::from_second(s).ok());
                if let Some(at) = at {
                    all.entry(*id).and_modify(|last| *last = at.max(*last)).or_insert(at);
                }
            }
        }
        all
    }

    /// Removes what is known of apps and tokens that do not exist any more; called from time to
    /// time.
    pub(crate) fn purge(
        &self,
        exists: impl Fn(AppId) -> bool,
        has_token: impl Fn(TokenId) -> bool,
    ) {
        self.captures.purge(&exists);
        let mut gone = false;
        for shard in lock(&self.shards).iter() {
            lock(&shard.used).retain(|id, _| has_token(*id));
            lock(&shard.apps).retain(|id, _| {
                let stays = exists(*id);
                gone |= !stays;
                stays
            });
        }
        if gone {
            self.forgotten.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A view of the last requests.
    pub(crate) fn recent(&self) -> recent::View {
        let shards = lock(&self.shards).clone();
        let rings = shards.iter().flat_map(|shard| lock(&shard.recent).view()).collect();
        recent::View::new(self.run, Arc::clone(&self.seal), rings)
    }

    /// The requests to each app so far, summed over all threads.
    pub(crate) fn app_totals(&self) -> HashMap<AppId, AppTotals> {
        let mut apps: HashMap<AppId, AppTotals> = HashMap::new();
        for shard in lock(&self.shards).iter() {
            for (id, counts) in lock(&shard.apps).iter() {
                apps.entry(*id).or_default().add(counts);
            }
        }
        apps
    }

    /// Which apps are captured, and what was.
    pub(crate) fn captures(&self) -> &Captures {
        &self.captures
    }

    /// Captures the heads of requests to an app; none if too many apps are captured.
    pub(crate) fn start_capture(
        &self,
        app: AppId,
        by: &str,
        time: Duration,
    ) -> Option<CapturedApp> {
        self.captures.start(app, by, time, &*self.clock)
    }

    /// The apps that are captured now.
    pub(crate) fn captured_apps(&self) -> Vec<CapturedApp> {
        self.captures.list(&*self.clock)
    }

    /// Stores the head of a request if its app is captured.
    pub(crate) fn capture(&self, app: AppId, head: &RequestHead<'_>, note: &Note) {
        self.captures.take(app, head, note.id().as_bytes(), &*self.clock);
    }

    /// Number of requests that [`Self::recent`] has recorded, to tell whether there are new ones.
    pub(crate) fn recorded(&self) -> u64 {
        lock(&self.shards).iter().map(|shard| lock(&shard.recent).count()).sum()
    }

    /// Exact numbers of requests, and since when.
    pub(crate) fn totals(&self) -> (Timestamp, Sums) {
        let since = *lock(&self.counting_since);
        let mut sums = Sums::default();
        for shard in lock(&self.shards).iter() {
            lock(&shard.tally).sum_into(&mut sums);
        }
        (since, sums)
    }

    /// Sets the numbers of requests to zero.
    pub(crate) fn reset_totals(&self) {
        let mut since = lock(&self.counting_since);
        *since = self.clock.real_time();
        for shard in lock(&self.shards).iter() {
            lock(&shard.tally).reset();
        }
    }

    /// Number of requests that have begun and not ended.
    pub(crate) fn under_way(&self) -> u64 {
        let of = |shard: &Arc<Shard>| {
            // In this order, or one could have ended that had not begun.
            let ended = lock(&shard.tally).ended;
            shard.begun.get().saturating_sub(ended)
        };
        lock(&self.shards).iter().map(of).sum()
    }

    /// Writes the lines that are still in memory; blocks, at most until the deadline.
    pub(crate) fn flush(&self, deadline: Duration) {
        if let Some(sink) = &self.sink {
            sink.flush(deadline);
        }
    }

    /// The metrics, with the apps that have a name.
    pub(crate) fn metrics(
        &self,
        started_at: Timestamp,
        name_of: impl Fn(AppId) -> Option<String>,
    ) -> String {
        let shards: Vec<_> = lock(&self.shards).clone();
        let mut apps: BTreeMap<AppId, Vec<Arc<AppCounts>>> = BTreeMap::new();
        for shard in &shards {
            for (id, counts) in lock(&shard.apps).iter() {
                apps.entry(*id).or_default().push(Arc::clone(counts));
            }
        }
        let labelled = apps.into_iter().filter_map(|(id, counts)| {
            let name = name_of(id)?;
            Some((format!("app=\"{id}\",name=\"{}\"", text::escaped(&name)), counts))
        });
        let mut page = MetricsPage::default();
        app_metrics(&mut page, &labelled.collect::<Vec<_>>());
        self.own_metrics(&mut page, &shards);
        process::metrics(&mut page, started_at);
        page.finish()
    }

    fn own_metrics(&self, page: &mut MetricsPage, shards: &[Arc<Shard>]) {
        let help = "Requests that did not go to an app, by destination and status.";
        let mut metric = page.metric("ovhai_other_requests_total", Kind::Counter, help);
        for (at, door) in OTHERS.into_iter().enumerate() {
            for (code, count) in summed_codes(shards.iter().map(|shard| &shard.others[at])) {
                metric.sample(format_args!("door=\"{door}\",code=\"{code}\""), count);
            }
        }
        let help = "Time that the gateway itself adds to requests to apps.";
        let mut overhead = Summed::default();
        for shard in shards {
            shard.overhead.sum_into(&mut overhead);
        }
        page.metric("ovhai_gateway_overhead_seconds", Kind::Histogram, help)
            .histogram("", &overhead, &OVERHEAD);
        let help = "Requests that the gateway refused, by reason.";
        let mut metric = page.metric("ovhai_gateway_refusals_total", Kind::Counter, help);
        for kinds in RefusalKind::ALL.chunk_by(|one, other| one.label() == other.label()) {
            let of = |shard: &Arc<Shard>| -> u64 {
                kinds.iter().map(|kind| shard.refused[*kind as usize].get()).sum()
            };
            let count: u64 = shards.iter().map(of).sum();
            metric.sample(format_args!("reason=\"{}\"", kinds[0].label()), count);
        }
        let help = "Responses that were broken off, by the side that did.";
        let mut metric = page.metric("ovhai_gateway_aborted_total", Kind::Counter, help);
        for (at, who) in ABORTED.into_iter().enumerate() {
            let count: u64 = shards.iter().map(|shard| shard.aborted[at].get()).sum();
            metric.sample(format_args!("by=\"{who}\""), count);
        }
        for (name, help, gauge) in [
            ("ovhai_open_connections", "Connections of clients.", &self.connections),
            ("ovhai_open_tunnels", "WebSockets and other upgraded connections.", &self.tunnels),
        ] {
            page.metric(name, Kind::Gauge, help).sample("", gauge.load(Ordering::Relaxed).max(0));
        }
        let help = "Lines of the access log that were dropped because the disk is full or slow.";
        let dropped = self.sink.as_ref().map_or(0, Sink::dropped);
        page.metric("ovhai_access_log_dropped_lines_total", Kind::Counter, help)
            .sample("", dropped);
    }
}

/// Writes the metrics of each app, under its labels.
fn app_metrics(page: &mut MetricsPage, apps: &[(String, Vec<Arc<AppCounts>>)]) {
    let help = "Requests to apps, by app and status.";
    let mut metric = page.metric("ovhai_gateway_requests_total", Kind::Counter, help);
    for (app, counts) in apps {
        for (code, count) in summed_codes(counts.iter().map(|counts| &counts.codes)) {
            metric.sample(format_args!("{app},code=\"{code}\""), count);
        }
    }
    type Times = fn(&AppCounts) -> &Histogram;
    let histograms: [(&str, &str, Times); 2] = [
        (
            "ovhai_gateway_request_duration_seconds",
            "From a request's whole head to the end of its response, without tunnels.",
            |counts| &counts.total,
        ),
        (
            "ovhai_gateway_upstream_duration_seconds",
            "From connecting to the app to the end of its response, with waits for either side's body, without tunnels.",
            |counts| &counts.upstream,
        ),
    ];
    for (name, help, times) in histograms {
        let mut metric = page.metric(name, Kind::Histogram, help);
        for (app, counts) in apps {
            let mut sum = Summed::default();
            for counts in counts {
                times(counts).sum_into(&mut sum);
            }
            metric.histogram(app, &sum, &ANSWERS);
        }
    }
    type Number = fn(&AppCounts) -> u64;
    let counters: [(&str, &str, Number); 4] = [
        ("ovhai_gateway_received_bytes_total", "Bytes of request bodies.", |c| c.bytes_in.get()),
        ("ovhai_gateway_sent_bytes_total", "Bytes of response bodies.", |c| c.bytes_out.get()),
        (
            "ovhai_gateway_retried_requests_total",
            "Requests sent to another replica, because the first took no connection or closed it without an answer.",
            |c| c.retried.get(),
        ),
        (
            "ovhai_gateway_lost_requests_total",
            "Requests that got 502 because their replica broke the connection off before it answered.",
            |c| c.lost.get(),
        ),
    ];
    for (name, help, of) in counters {
        let mut metric = page.metric(name, Kind::Counter, help);
        for (app, counts) in apps {
            let sum: u64 = counts.iter().map(|counts| of(counts)).sum();
            metric.sample(app, sum);
        }
    }
}

fn summed_codes<'a>(all: impl Iterator<Item = &'a Codes>) -> BTreeMap<u16, u64> {
    let mut sums = BTreeMap::new();
    for (code, count) in all.flat_map(Codes::each) {
        *sums.entry(code).or_default() += count;
    }
    sums
}

/// A thread's counters and log buffer; see [`Telemetry::recorder`].
pub(crate) struct Recorder {
    ids: IdSource,
    apps: HashMap<AppId, Arc<AppCounts>>,
    forgotten: u64,
    lines: Option<Lines>,
    stamp: Stamp,
    /// The token of the last request of a token, and its second.
    used: Option<(TokenId, u64)>,
    shard: Arc<Shard>,
    telemetry: Arc<Telemetry>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

/// Counts what happens to a thread's requests between replicas. For that thread only.
pub(crate) struct Failovers(Arc<Shard>);

impl Failovers {
    fn of(&self, app: AppId) -> Arc<AppCounts> {
        Arc::clone(lock(&self.0.apps).entry(app).or_default())
    }

    /// A request of the app is sent to another replica.
    pub(crate) fn retried(&self, app: AppId) {
        self.of(app).retried.add(1);
    }

    /// A replica of the app took a request, and ended without an answer.
    pub(crate) fn lost(&self, app: AppId) {
        self.of(app).lost.add(1);
    }
}

impl Recorder {
    /// Counts for the same thread.
    pub(crate) fn failovers(&self) -> Failovers {
        Failovers(Arc::clone(&self.shard))
    }

    /// The id of a request that begins: the client's, or a new one.
    pub(crate) fn begin(&mut self, given: Option<&[u8]>) -> RequestId {
        self.shard.begun.add(1);
        RequestId::of(given, &mut self.ids)
    }

    /// Records a request that has ended.
    pub(crate) fn record(&mut self, line: &Line<'_>) {
        self.count(line);
        let now = SystemTime::now();
        lock(&self.shard.recent).push(line, now);
        let mut tally = lock(&self.shard.tally);
        if recent::is_own(line) {
            tally.skip();
        } else {
            tally.add(line);
        }
        drop(tally);
        self.use_token(line, now);
        if let (Some(lines), Some(sink)) = (&self.lines, &self.telemetry.sink) {
            self.stamp.set(now);
            let moved = self.telemetry.clock.moved();
            lines.push(sink, |buffer| line.write(&self.stamp, moved, buffer));
        }
    }

    /// Notes when a token was used: once a second for each.
    fn use_token(&mut self, line: &Line<'_>, now: SystemTime) {
        let Who::Token { id, .. } = line.who else { return };
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if self.used != Some((id, second)) {
            self.used = Some((id, second));
            lock(&self.shard.used).insert(id, second);
        }
    }

    fn count(&mut self, line: &Line<'_>) {
        let shard = &self.shard;
        if let Some(refused) = line.refused {
            shard.refused[refused as usize].add(1);
        }
        if let Some(aborted) = line.aborted {
            shard.aborted[aborted as usize].add(1);
        }
        let other = match line.destination {
            Destination::App { id, known: true, .. } => return self.count_app(id, line),
            Destination::Api => 0,
            Destination::Local => 1,
            Destination::Nowhere => 2,
            Destination::App { known: false, .. } => 3,
        };
        shard.others[other].add(line.status);
    }

    fn count_app(&mut self, id: AppId, line: &Line<'_>) {
        let forgotten = self.telemetry.forgotten.load(Ordering::Relaxed);
        if forgotten != self.forgotten {
            self.forgotten = forgotten;
            self.apps.clear();
        }
        let counts = self.apps.entry(id).or_insert_with(|| {
            // After a purge the app may still be there, with its counters.
            Arc::clone(lock(&self.shard.apps).entry(id).or_default())
        });
        counts.codes.add(line.status);
        counts.bytes_in.add(line.bytes_in);
        counts.bytes_out.add(line.bytes_out);
        // How long a tunnel was open says nothing about speed.
        if line.status != 101 {
            counts.total.add(line.total, &ANSWERS);
            if let Some(upstream) = line.upstream {
                counts.upstream.add(upstream, &ANSWERS);
                self.shard.overhead.add(line.total.saturating_sub(upstream), &OVERHEAD);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::line::Decision;
    use super::*;

    struct NotMoved;

    impl Clock for NotMoved {
        fn now(&self) -> Timestamp {
            Timestamp::now()
        }
    }

    pub(super) fn line<'a>(app: AppId, known: bool, status: u16) -> Line<'a> {
        Line {
            client: ([127, 0, 0, 1], 1).into(),
            destination: Destination::App { id: app, known, port: None },
            method: b"GET",
            path: b"/",
            status,
            bytes_in: 1,
            bytes_out: 2,
            decision: Decision::Public,
            who: Who::Anonymous,
            refused: (status == 502).then_some(RefusalKind::BadGateway),
            reason: "",
            aborted: None,
            total: Duration::from_micros(700),
            upstream: (status == 200).then_some(Duration::from_micros(600)),
            held: Duration::ZERO,
            replica: 1,
            id: b"x",
            protocol: Protocol::Http11,
            tls: false,
        }
    }

    #[test]
    fn the_last_use_of_a_token_is_the_newest_of_all_threads() {
        let telemetry = Telemetry::new(None, &Arc::default(), Arc::new(NotMoved));
        let [one, two] = [1, 2].map(|id| TokenId(Uuid::from_u128(id)));
        let app = AppId(Uuid::nil());
        let of = |id| Line { who: Who::Token { id, name: "t" }, ..line(app, true, 200) };
        let mut workers = [telemetry.recorder(), telemetry.recorder()];
        let at = |second| UNIX_EPOCH + Duration::from_secs(second);
        workers[0].use_token(&of(one), at(10));
        workers[1].use_token(&of(one), at(12));
        workers[0].use_token(&of(two), at(11));
        workers[0].use_token(&line(app, true, 200), at(13));
        let seconds = |id| telemetry.last_uses().get(&id).map(|at| at.as_second());
        assert_eq!((seconds(one), seconds(two)), (Some(12), Some(11)));
        telemetry.purge(|_| true, |id| id == one);
        assert_eq!((seconds(one), seconds(two)), (Some(12), None));
    }

    #[test]
    fn counts_of_threads_are_summed_and_deleted_apps_removed() {
        let telemetry = Telemetry::new(None, &Arc::default(), Arc::new(NotMoved));
        let (a, b) = (AppId(Uuid::from_u128(1)), AppId(Uuid::from_u128(2)));
        let mut workers = [telemetry.recorder(), telemetry.recorder()];
        for worker in &mut workers {
            for (app, known, status) in
                [(a, true, 200), (a, true, 502), (b, true, 101), (AppId(Uuid::max()), false, 404)]
            {
                worker.record(&line(app, known, status));
            }
            worker.record(&Line {
                destination: Destination::Api,
                aborted: Some(Aborted::Client),
                ..line(a, true, 200)
            });
        }
        let (open, tunnel) = (telemetry.connection_opened(), telemetry.tunnel_opened());
        let page = || telemetry.metrics(Timestamp::UNIX_EPOCH, |_| Some("n".to_owned()));
        let samples = text::tests::checked(&page());
        let is = |series: &str, value: f64| {
            let found = samples.get(series).copied().unwrap_or(-1.0);
            assert!((found - value).abs() < 1e-9, "{series}: {found}");
        };
        let of_a = format!("app=\"{a}\",name=\"n\"");
        is(&format!("ovhai_gateway_requests_total{{{of_a},code=\"200\"}}"), 2.0);
        is(&format!("ovhai_gateway_requests_total{{{of_a},code=\"502\"}}"), 2.0);
        let bucket = "ovhai_gateway_request_duration_seconds_bucket";
        is(&format!("{bucket}{{{of_a},le=\"0.0005\"}}"), 0.0);
        is(&format!("{bucket}{{{of_a},le=\"0.001\"}}"), 4.0);
        is(&format!("ovhai_gateway_request_duration_seconds_sum{{{of_a}}}"), 0.0028);
        is(&format!("ovhai_gateway_upstream_duration_seconds_count{{{of_a}}}"), 2.0);
        is(&format!("ovhai_gateway_request_duration_seconds_count{{app=\"{b}\",name=\"n\"}}"), 0.0);
        is("ovhai_gateway_overhead_seconds_bucket{le=\"0.0001\"}", 2.0);
        is("ovhai_gateway_overhead_seconds_bucket{le=\"0.000075\"}", 0.0);
        is("ovhai_gateway_refusals_total{reason=\"bad_gateway\"}", 2.0);
        is("ovhai_gateway_aborted_total{by=\"client\"}", 2.0);
        is("ovhai_other_requests_total{door=\"api\",code=\"200\"}", 2.0);
        is("ovhai_other_requests_total{door=\"unknown_app\",code=\"404\"}", 2.0);
        is("ovhai_open_connections", 1.0);
        is("ovhai_open_tunnels", 1.0);
        assert!(!page().contains(&Uuid::max().to_string()), "anybody can make up ids");

        telemetry.purge(|id| id == b, |_| true);
        assert!(!page().contains(&of_a) && page().contains(&b.to_string()));
        // A request that was still under way is counted again, and is removed with the next purge;
        // the other app's counters go on.
        workers[0].record(&line(a, true, 200));
        workers[0].record(&line(b, true, 101));
        drop((workers, open, tunnel));
        let samples = text::tests::checked(&page());
        assert!(
            samples.contains_key(&format!("ovhai_gateway_requests_total{{{of_a},code=\"200\"}}"))
        );
        let of_b = format!("ovhai_gateway_requests_total{{app=\"{b}\",name=\"n\",code=\"101\"}}");
        assert!((samples[&of_b] - 3.0).abs() < 1e-9);
        assert!(samples["ovhai_open_connections"].abs() < 1e-9);
        telemetry.purge(|_| false, |_| true);
        assert!(!page().contains("app=\""));
    }
}
