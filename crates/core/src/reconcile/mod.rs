//! One actor per app: compares what is wanted with what is observed and drives the runtime.
//!
//! An actor lives while there is something to do or to watch, and ends when its app rests. All
//! decisions are in [`plan`] and in the table of [`crate::lifecycle`]; what is here is carrying
//! them out and noticing what comes back.

pub mod plan;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use ovhai_api_types::{AppId, AppState};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::directory::{Backend, Live};
use crate::lifecycle::{self, Event, may_answer};
use crate::model::{AppRecord, Wanted};
use crate::platform::images::resolved;
use crate::platform::{Note, Platform, apply};
use crate::ports::{
    BoxFuture, Endpoint, Fault, Replica, ReplicaEvent, ReplicaReporter, ReplicaRequest,
};
use plan::{Observed, Phase, Target, converged, plan};

/// Between the last request to a replica that others replace, and asking it to stop.
const HAND_OVER: Duration = Duration::from_millis(200);
/// Requests under way at a replica have this long to finish before it is asked to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// Time a replica has between being asked to stop and being ended.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// The same when the emulator itself stops; below the two seconds it promises.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);
/// A replica that lived this long has recovered: its crashes are forgotten.
const STABLE: Duration = Duration::from_mins(1);
/// After so many crashes in a row the app is given up.
const MAX_CRASHES: u32 = 5;
/// A replica that does not answer by then has its reason shown.
const EXPLAIN_AFTER: Duration = Duration::from_secs(2);
/// Before a change that could not be stored is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Before the second and every further restart; doubles.
const RESTART_DELAY: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
struct Signal {
    notify: Notify,
    dirty: AtomicBool,
}

/// How others reach an actor.
#[derive(Debug, Clone)]
pub(crate) struct ActorHandle(Arc<Signal>);

impl ActorHandle {
    pub(crate) fn wake(&self) {
        self.0.dirty.store(true, Ordering::Release);
        self.0.notify.notify_one();
    }
}

struct Slot {
    revision: u64,
    phase: Phase,
    since: Instant,
    waiting_for: Option<String>,
    endpoint: Option<Endpoint>,
    /// Requests that gateways sent it.
    under_way: TaskTracker,
    /// It has answered at some time.
    has_answered: bool,
    handle: Arc<dyn Replica>,
}

/// See the module.
pub(crate) struct Actor {
    id: AppId,
    platform: Weak<Platform>,
    signal: Arc<Signal>,
    stopping: CancellationToken,
    replicas: BTreeMap<u64, Slot>,
    next_number: u64,
    reports: mpsc::UnboundedReceiver<(u64, ReplicaEvent)>,
    reporter: mpsc::UnboundedSender<(u64, ReplicaEvent)>,
    crashes: u32,
    last_crash: Option<Instant>,
    restart_at: Option<Instant>,
    /// Replicas to be asked to stop as soon as no gateway sends them requests any more.
    stopping_now: Vec<(u64, Duration)>,
    /// A failure that could not be stored yet; nothing is launched before it is.
    pending: Option<(Event, Note)>,
    /// A change was not kept; what was done for it is done again then.
    retry_at: Option<Instant>,
    /// What the app says at the moment about why it does not answer.
    explained: Option<String>,
    /// What could not be brought up while older replicas go on answering: not tried again until
    /// something else is wanted.
    given_up: Option<(Target, String)>,
    published: Live,
}

/// Whether an actor goes on.
enum Next {
    Wait,
    Again,
    Rest,
}

impl Actor {
    pub(crate) fn new(
        id: AppId,
        platform: Weak<Platform>,
        stopping: CancellationToken,
    ) -> (Self, ActorHandle) {
        let signal = Arc::new(Signal::default());
        let (reporter, reports) = mpsc::unbounded_channel();
        let actor = Self {
            id,
            platform,
            signal: Arc::clone(&signal),
            stopping,
            replicas: BTreeMap::new(),
            next_number: 1,
            reports,
            reporter,
            crashes: 0,
            last_crash: None,
            restart_at: None,
            stopping_now: Vec::new(),
            pending: None,
            retry_at: None,
            explained: None,
            given_up: None,
            published: Live::default(),
        };
        (actor, ActorHandle(signal))
    }

    pub(crate) async fn run(mut self) {
        loop {
            self.signal.dirty.store(false, Ordering::Release);
            let Some(platform) = self.platform.upgrade() else { break };
            let step = self.step(&platform).await;
            drop(platform);
            match step {
                Next::Again => continue,
                Next::Rest => {
                    if self.try_leave() {
                        return;
                    }
                    continue;
                }
                Next::Wait => {}
            }
            let timer = self.next_timer();
            let stopping = self.stopping.clone();
            tokio::select! {
                biased;
                () = stopping.cancelled() => break,
                Some((number, event)) = self.reports.recv() => {
                    self.observe(number, event).await;
                    while let Ok((number, event)) = self.reports.try_recv() {
                        self.observe(number, event).await;
                    }
                }
                () = self.signal.notify.notified() => {}
                () = sleep_until(timer) => {}
            }
        }
        let stops: Vec<BoxFuture<'static, ()>> =
            self.replicas.values().map(|slot| slot.handle.stop(SHUTDOWN_GRACE)).collect();
        join_all(stops).await;
    }

    /// Leaves the register of actors unless somebody wants something meanwhile.
    fn try_leave(&self) -> bool {
        let Some(platform) = self.platform.upgrade() else { return true };
        let mut actors = platform.actors.lock().unwrap_or_else(PoisonError::into_inner);
        if self.signal.dirty.load(Ordering::Acquire) {
            return false;
        }
        actors.remove(&self.id);
        true
    }

    fn next_timer(&self) -> Option<Instant> {
        let deadline = self
            .platform
            .upgrade()
            .and_then(|platform| {
                platform
                    .snapshot()
                    .app(self.id)
                    .map(|entry| entry.record.spec.deployment.progress_deadline())
            })
            .unwrap_or(Duration::from_mins(10));
        let starting = self
            .replicas
            .values()
            .filter(|slot| slot.phase == Phase::Starting)
            .map(|slot| slot.since + deadline);
        starting.chain(self.restart_at).chain(self.retry_at).min()
    }

    fn observed(&self) -> Vec<Observed> {
        self.replicas
            .iter()
            .map(|(number, slot)| Observed {
                number: *number,
                revision: slot.revision,
                phase: slot.phase,
            })
            .collect()
    }

    /// Whether a replica is a process on a port of the app's own: no other can have it meanwhile.
    fn holds_own_port(&self, record: &AppRecord) -> bool {
        self.replicas.values().filter_map(|slot| slot.endpoint.as_ref()).any(|endpoint| {
            let grpc = endpoint.grpc().map(|grpc| grpc.port());
            endpoint.pid.is_some()
                && (endpoint.http.port() == record.spec.http_port
                    || grpc.is_some_and(|port| Some(port) == record.spec.grpc_port))
        })
    }

    fn ready(&self) -> usize {
        self.replicas.values().filter(|slot| slot.phase == Phase::Ready).count()
    }

    /// Takes note of what a replica reports.
    async fn observe(&mut self, number: u64, event: ReplicaEvent) {
        let Some(slot) = self.replicas.get_mut(&number) else { return };
        match event {
            ReplicaEvent::Waiting(why) => {
                let late = slot.phase == Phase::Starting && slot.since.elapsed() >= EXPLAIN_AFTER;
                slot.waiting_for = Some(why.clone());
                if late && self.explained.as_ref() != Some(&why) {
                    self.explain(&why).await;
                    self.explained = Some(why);
                }
            }
            ReplicaEvent::Lost(why) => {
                if slot.phase == Phase::Ready {
                    slot.phase = Phase::Starting;
                    slot.since = Instant::now();
                    slot.waiting_for = Some(why);
                }
            }
            ReplicaEvent::Ready(endpoint) => {
                if slot.phase == Phase::Starting {
                    slot.phase = Phase::Ready;
                    slot.since = Instant::now();
                    slot.has_answered = true;
                }
                // It may say so again with other ports; that is no change of state.
                if slot.phase == Phase::Ready {
                    slot.endpoint = Some(endpoint);
                }
            }
            ReplicaEvent::Exited { fault, message } => {
                let (phase, lived) = (slot.phase, slot.since.elapsed());
                let has_answered = slot.has_answered;
                self.replicas.remove(&number);
                self.stopping_now.retain(|(stopping, _)| *stopping != number);
                // One that was started again after a crash belongs to that crash.
                let is_restart = self.last_crash.is_some_and(|at| at.elapsed() < STABLE);
                match phase {
                    Phase::Stopping => {}
                    Phase::Starting if !has_answered && !is_restart => {
                        self.failed(fault, message).await;
                    }
                    Phase::Starting | Phase::Ready => self.crashed(lived, fault, message).await,
                }
            }
        }
    }

    /// A replica that answered is gone: it is started again, unless that happens all the time.
    async fn crashed(&mut self, lived: Duration, fault: Fault, message: String) {
        self.crashes = if lived >= STABLE { 1 } else { self.crashes + 1 };
        self.last_crash = Some(Instant::now());
        tracing::info!(app = %self.id, crashes = self.crashes, message, "a replica is gone");
        if self.crashes > MAX_CRASHES {
            let message =
                format!("{message} (again and again, each time within a minute of starting)");
            self.failed(fault, message).await;
        } else if self.crashes > 1 {
            self.restart_at = Some(Instant::now() + RESTART_DELAY * (1 << (self.crashes - 2)));
        }
    }

    /// A replica never answered. Where others answer they go on; else the app has failed.
    async fn failed(&mut self, fault: Fault, message: String) {
        let target = self.platform.upgrade().and_then(|platform| {
            platform.snapshot().app(self.id).and_then(|entry| target(&entry.record))
        });
        match target {
            Some(target) if self.ready() > 0 => {
                tracing::info!(app = %self.id, message, "a new replica failed, the others stay");
                self.given_up = Some((target, message));
            }
            _ => self.give_up(fault, &message).await,
        }
    }

    async fn give_up(&mut self, fault: Fault, message: &str) {
        let event = match fault {
            Fault::User => Event::Failed,
            Fault::Platform => Event::Broken,
        };
        let note = Note::new(message);
        self.transition(event, Some(&note)).await;
        if self.retry_at.is_some() {
            self.pending = Some((event, note));
        }
    }

    /// Applies an event of the life cycle; says whether the state changed.
    async fn transition(&mut self, event: Event, note: Option<&Note>) -> bool {
        let Some(platform) = self.platform.upgrade() else { return false };
        let (id, now) = (self.id, platform.clock.now());
        let changed = platform.ledger.transact(|tx| Ok(apply(tx, id, event, note, now))).await;
        changed.unwrap_or_else(|error| {
            tracing::warn!(app = %id, %error, ?event, "a change of state was not kept");
            self.retry_at = Some(Instant::now() + RETRY_DELAY);
            false
        })
    }

    /// Has the app say why it does not answer yet.
    async fn explain(&mut self, why: &str) {
        let Some(platform) = self.platform.upgrade() else { return };
        let id = self.id;
        let message = format!("{}: {why}", lifecycle::message(AppState::Initializing));
        let kept = platform
            .ledger
            .transact(|tx| {
                let Some(entry) = tx.app(id) else { return Ok(()) };
                if entry.record.state == AppState::Initializing {
                    let mut record = AppRecord::clone(&entry.record);
                    record.info.message = message;
                    tx.put_app(record);
                }
                Ok(())
            })
            .await;
        if let Err(error) = kept {
            tracing::warn!(app = %id, %error, "the reason for waiting was not kept");
        }
    }

    /// The same, and then on with what follows from it.
    async fn advance(&mut self, event: Event) -> Next {
        self.transition(event, None).await;
        if self.retry_at.is_some() { Next::Wait } else { Next::Again }
    }

    /// Makes what gateways see true, and then has those stopped that they do not see any more.
    async fn publish(&mut self, platform: &Platform) {
        let backend = |slot: &Slot| {
            let endpoint = slot.endpoint.clone()?;
            Some(Backend { endpoint, under_way: slot.under_way.clone() })
        };
        let ready = self.replicas.values().filter(|slot| slot.phase == Phase::Ready);
        let live = Live { backends: ready.filter_map(backend).collect() };
        if live != self.published {
            let (id, published) = (self.id, live.clone());
            let kept = platform
                .ledger
                .transact(|tx| {
                    tx.set_live(id, live);
                    Ok(())
                })
                .await;
            match kept {
                Ok(()) => self.published = published,
                Err(error) => {
                    tracing::warn!(app = %id, %error, "the app's addresses were not published");
                    self.retry_at = Some(Instant::now() + RETRY_DELAY);
                    return;
                }
            }
        }
        self.send_stops();
    }

    fn launch(&mut self, platform: &Platform, record: &AppRecord) {
        let number = self.next_number;
        self.next_number += 1;
        let snapshot = platform.snapshot();
        let Some(entry) = snapshot.app(self.id) else { return };
        entry.logs.begin(number);
        let (spec, environment) = resolved(platform, &snapshot, record, || {
            let why = "[ovhai] the app's environment is left out: the image is mapped to a local command, and the environment was given by somebody who may not run local processes";
            entry.logs.push(platform.clock.now(), number, why.into());
        });
        let request = ReplicaRequest {
            app: self.id,
            number,
            spec,
            environment,
            logs: Arc::clone(&entry.logs),
        };
        let reporter = ReplicaReporter::new(number, self.reporter.clone());
        let handle = Arc::from(platform.runtime.launch(request, reporter));
        let under_way = TaskTracker::new();
        // Only a closed one can be waited for.
        under_way.close();
        self.replicas.insert(
            number,
            Slot {
                revision: record.revision,
                phase: Phase::Starting,
                since: Instant::now(),
                waiting_for: None,
                endpoint: None,
                under_way,
                has_answered: false,
                handle,
            },
        );
    }

    /// Marks a replica as stopping; [`Self::publish`] asks it to.
    fn stop(&mut self, number: u64, grace: Duration) {
        let Some(slot) = self.replicas.get_mut(&number) else { return };
        slot.phase = Phase::Stopping;
        self.stopping_now.push((number, grace));
    }

    /// Asks those to stop that no gateway sends requests any more, when they have answered what
    /// is under way. Where others have taken over, what a gateway was just sending still gets
    /// there.
    fn send_stops(&mut self) {
        let replaced = !self.published.backends.is_empty();
        for (number, grace) in std::mem::take(&mut self.stopping_now) {
            let Some(slot) = self.replicas.get(&number) else { continue };
            let drains = slot.endpoint.is_some() && !grace.is_zero();
            let under_way = slot.under_way.clone();
            let handle = Arc::clone(&slot.handle);
            let reporter = ReplicaReporter::new(number, self.reporter.clone());
            tokio::spawn(async move {
                if drains && replaced {
                    tokio::time::sleep(HAND_OVER).await;
                }
                if drains && tokio::time::timeout(DRAIN, under_way.wait()).await.is_err() {
                    tracing::info!(replica = number, "it is asked to stop with requests under way");
                }
                handle.stop(grace).await;
                let message = String::new();
                reporter.report(ReplicaEvent::Exited { fault: Fault::User, message });
            });
        }
    }

    async fn step(&mut self, platform: &Arc<Platform>) -> Next {
        self.retry_at = None;
        if let Some((event, note)) = self.pending.take() {
            self.transition(event, Some(&note)).await;
            if self.retry_at.is_some() {
                self.pending = Some((event, note));
                return Next::Wait;
            }
        }
        let record = match platform.snapshot().app(self.id) {
            Some(entry) => Arc::clone(&entry.record),
            None => return Next::Rest,
        };
        match target(&record) {
            None => self.wind_down(platform, &record).await,
            Some(target) => self.converge(platform, &record, target).await,
        }
    }

    /// Towards no replica at all: stopped, failed or deleted.
    async fn wind_down(&mut self, platform: &Platform, record: &AppRecord) -> Next {
        let grace = if record.wanted == Wanted::Killed { Duration::ZERO } else { STOP_GRACE };
        let mut alive: Vec<u64> = Vec::new();
        for (number, slot) in &self.replicas {
            // Asked to stop before, but now there is no time any more.
            if slot.phase != Phase::Stopping || grace.is_zero() {
                alive.push(*number);
            }
        }
        let nothing_left = self.replicas.is_empty();
        for number in alive {
            self.stop(number, grace);
        }
        self.publish(platform).await;
        self.given_up = None;
        self.restart_at = None;
        self.explained = None;
        self.crashes = 0;
        self.last_crash = None;
        if !nothing_left {
            return Next::Wait;
        }
        if matches!(record.state, AppState::Stopping | AppState::Deleting) {
            return self.advance(Event::Gone).await;
        }
        if record.state == AppState::Stopped && record.wanted == Wanted::Running {
            // Somebody changed their mind while it was stopping.
            return self.advance(Event::StartAsked).await;
        }
        if self.retry_at.is_some() { Next::Wait } else { Next::Rest }
    }

    /// Towards the wanted replicas.
    async fn converge(&mut self, platform: &Platform, record: &AppRecord, target: Target) -> Next {
        if record.state == AppState::Queued {
            return self.advance(Event::Placed).await;
        }
        if self.expire(record).await {
            return Next::Again;
        }
        // Something else is wanted, or nothing is left that would go on as before.
        if self.given_up.as_ref().is_some_and(|(what, _)| *what != target || self.ready() == 0) {
            self.given_up = None;
        }
        if self.given_up.is_some() {
            self.restart_at = None;
            // What was being brought up goes; what answered before stays.
            let starting: Vec<u64> = self
                .replicas
                .iter()
                .filter(|(_, slot)| slot.phase == Phase::Starting)
                .map(|(number, _)| *number)
                .collect();
            for number in starting {
                self.stop(number, STOP_GRACE);
            }
        } else {
            let target = if self.holds_own_port(record) { target.one_at_a_time() } else { target };
            let mut next = plan(&target, &self.observed());
            if let Some(at) = self.restart_at {
                if Instant::now() < at && next.launch > 0 {
                    next.launch = 0;
                } else {
                    self.restart_at = None;
                }
            }
            for number in next.stop {
                self.stop(number, STOP_GRACE);
            }
            for _ in 0..next.launch {
                self.launch(platform, record);
            }
        }
        self.publish(platform).await;
        let settled = converged(&target, &self.observed());
        let event = match record.state {
            AppState::Initializing if settled => Event::Converged,
            AppState::Scaling if settled || self.given_up.is_some() => Event::Converged,
            AppState::Running if !settled && self.given_up.is_none() => Event::Diverged,
            _ => return Next::Wait,
        };
        let note = self.given_up.as_ref().map(|(_, why)| Note {
            message: format!("The app is running as before; the change failed: {why}"),
            failed_change: Some(why.clone()),
        });
        if self.transition(event, note.as_ref()).await { Next::Again } else { Next::Wait }
    }

    /// Ends replicas that had long enough to answer.
    async fn expire(&mut self, record: &AppRecord) -> bool {
        let deadline = record.spec.deployment.progress_deadline();
        let late: Vec<u64> = self
            .replicas
            .iter()
            .filter(|(_, slot)| slot.phase == Phase::Starting && slot.since.elapsed() >= deadline)
            .map(|(number, _)| *number)
            .collect();
        let Some(first) = late.first() else { return false };
        let seen = self
            .replicas
            .get(first)
            .and_then(|slot| slot.waiting_for.clone())
            .unwrap_or_else(|| "it never answered its probe".into());
        let message = format!("The app did not answer within {} s: {seen}", deadline.as_secs());
        for number in &late {
            self.stop(*number, STOP_GRACE);
        }
        self.failed(Fault::User, message).await;
        true
    }
}

/// What an app's replicas should be; none when there should be none at all.
fn target(record: &AppRecord) -> Option<Target> {
    let wanted = record.wanted == Wanted::Running
        && (may_answer(record.state) || record.state == AppState::Queued);
    wanted.then(|| {
        Target::new(record.spec.scaling.replicas(), record.revision, &record.spec.deployment)
    })
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn join_all(futures: Vec<BoxFuture<'static, ()>>) {
    let mut tasks = tokio::task::JoinSet::new();
    for future in futures {
        tasks.spawn(future);
    }
    while tasks.join_next().await.is_some() {}
}
