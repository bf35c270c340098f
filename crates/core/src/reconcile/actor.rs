//! The actor of one app: compares what is wanted with what is observed and drives the runtime.
//!
//! It lives while there is something to do or to watch. All decisions are in [`super::plan`] and in the
//! table of [`crate::lifecycle`]; this module carries them out and observes the replicas.

mod interrupt;
mod mounts;
mod reload;
mod tell;
mod waits;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ovhai_api_types::{AppId, AppState, Placement, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::directory::{Backend, Live};
use crate::events::EventKind;
use crate::image_access::image_access;
use crate::lifecycle::{Event, may_answer};
use crate::model::{AppRecord, Wanted};
use crate::placement::resolved;
use crate::ports::clock::{after, elapsed};
use crate::ports::{
    Blame, BoxFuture, ImageAccess, Replica, ReplicaEndpoint, ReplicaEvent, ReplicaReporter,
    ReplicaRequest, STOP_GRACE,
};
use crate::replica::{Exit, ExitStatus, ReplicaContainer, ReplicaId, ReplicaKey};
use crate::transition::{StateNote, apply};

use self::mounts::Mounts;
use self::reload::Watched;
use self::waits::{join_all, reached, sleep_until};
use super::past::{Crash, Past};
use super::plan::{ObservedReplica, Phase, Plan, Target, converged, plan};
use super::{Reconcilers, Signal};

/// Time between the last request to a replica that others replace, and asking it to stop.
const HAND_OVER: Duration = Duration::from_millis(200);
/// Time that requests in flight at a replica have to finish before it is asked to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// [`STOP_GRACE`] when the emulator itself stops, within two seconds.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);
/// Age at which the reason is shown why a replica does not answer.
const EXPLAIN_AFTER: Duration = Duration::from_secs(2);
/// Delay before a change that was not stored is retried.
const RETRY_DELAY: Duration = Duration::from_secs(1);

struct Slot {
    id: ReplicaId,
    revision: u64,
    phase: Phase,
    /// When it came into that phase, in domain time.
    since: Timestamp,
    /// Since when it has been expected to answer, while it is starting.
    expected_since: Timestamp,
    waiting_for: Option<String>,
    container: Option<Arc<ReplicaContainer>>,
    endpoint: Option<ReplicaEndpoint>,
    /// Requests in flight there.
    under_way: TaskTracker,
    /// It reported that it is asleep, and has not answered since.
    is_asleep: bool,
    /// It was woken since.
    is_woken: bool,
    /// It has answered before.
    has_answered: bool,
    /// When it was launched, in real time.
    launched_at: Instant,
    /// It reported that it can't answer yet through no fault of its own.
    is_pending: bool,
    handle: Arc<dyn Replica>,
}

impl Slot {
    fn enter(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        (self.since, self.expected_since) = (now, now);
    }
}

/// A replica that failed while others answer: it is not retried until the target changes.
struct GivenUp {
    target: Target,
    ordinal: u32,
    why: String,
    /// Whether it is part of the last change.
    is_change: bool,
}

impl GivenUp {
    fn note(&self) -> StateNote {
        let Self { ordinal, why, is_change, .. } = self;
        if *is_change {
            StateNote {
                message: format!("The app is running as before; the change failed: {why}"),
                failed_change: Some(why.clone()),
                code: None,
            }
        } else {
            StateNote::new(format!("Replica {ordinal} failed, the others go on: {why}"))
        }
    }
}

/// See the module.
pub(crate) struct Actor {
    id: AppId,
    all: Arc<Reconcilers>,
    signal: Arc<Signal>,
    stopping: CancellationToken,
    replicas: BTreeMap<u64, Slot>,
    next_number: u64,
    reports: mpsc::UnboundedReceiver<(u64, ReplicaEvent)>,
    reporter: mpsc::UnboundedSender<(u64, ReplicaEvent)>,
    /// The past of replicas that ended by themselves, by ordinal.
    past: BTreeMap<u32, Past>,
    /// Replicas to be asked to stop as soon as no gateway sends them new requests.
    stopping_now: Vec<(u64, Duration)>,
    /// A failure that was not stored yet; nothing is launched before it is.
    pending: Option<(Event, StateNote)>,
    /// When to retry a change that was not stored, in real time.
    retry_at: Option<Instant>,
    given_up: Option<GivenUp>,
    /// A request waits for a replica, and none has answered since it came.
    is_demanded: bool,
    watched: Watched,
    mounts: Mounts,
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
        all: Arc<Reconcilers>,
        signal: Arc<Signal>,
        stopping: CancellationToken,
    ) -> Self {
        let (reporter, reports) = mpsc::unbounded_channel();
        Self {
            id,
            all,
            signal,
            stopping,
            replicas: BTreeMap::new(),
            next_number: 1,
            reports,
            reporter,
            past: BTreeMap::new(),
            stopping_now: Vec::new(),
            pending: None,
            retry_at: None,
            given_up: None,
            is_demanded: false,
            watched: Watched::default(),
            mounts: Mounts::default(),
            published: Live::default(),
        }
    }

    pub(crate) async fn run(mut self) {
        loop {
            self.signal.dirty.store(false, Ordering::Release);
            let all = Arc::clone(&self.all);
            let step = self.step(&all).await;
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
            let retry_at = self.retry_at;
            let all = Arc::clone(&self.all);
            let stopping = self.stopping.clone();
            // Registered with the clock before the actor rests.
            let due_at = self.next_due();
            let due = due_at.map(|due| all.clock.sleep_until(due));
            {
                let mut activity = self.signal.activity();
                (activity.rests, activity.due) = (true, due_at);
                activity.retries = retry_at.is_some();
                activity.volumes = self.mounts.work();
            }
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
                ended = self.mounts.ended() => self.volumes_ended(ended).await,
                () = self.watched.changed() => self.reload(&all).await,
                () = reached(due) => {}
                () = sleep_until(retry_at) => {}
            }
            self.signal.activity().rests = false;
        }
        let stops: Vec<BoxFuture<'static, ()>> =
            self.replicas.values().map(|slot| slot.handle.stop(SHUTDOWN_GRACE)).collect();
        join_all(stops).await;
    }

    /// Leaves the register of actors unless it was woken meanwhile.
    fn try_leave(&self) -> bool {
        let mut actors = self.all.actors();
        if self.signal.dirty.load(Ordering::Acquire) {
            return false;
        }
        actors.remove(&self.id);
        self.all.set_launched(self.id, Vec::new());
        true
    }

    /// The next deadline or restart, in domain time.
    fn next_due(&self) -> Option<Timestamp> {
        let snapshot = self.all.ledger.read();
        let entry = snapshot.app(self.id);
        let (revision, deadline) = entry.map_or((0, Duration::from_mins(10)), |entry| {
            (entry.record.revision, entry.record.spec.deployment.progress_deadline())
        });
        let starting = self
            .replicas
            .values()
            .filter(|slot| slot.phase == Phase::Starting)
            .map(|slot| after(slot.expected_since, deadline));
        let restarts = self.past.values().filter_map(Past::restart_at);
        let given_up = self.past.values().filter_map(|past| past.given_up_at(revision, deadline));
        let interruption = entry.and_then(|entry| self.interruption_at(&entry.record));
        starting.chain(restarts).chain(given_up).chain(interruption).min()
    }

    fn observed(&self) -> Vec<ObservedReplica> {
        self.replicas
            .iter()
            .map(|(number, slot)| ObservedReplica {
                number: *number,
                ordinal: slot.id.ordinal,
                revision: slot.revision,
                phase: slot.phase,
            })
            .collect()
    }

    /// Whether a replica alone has a port of the app's own: no other can listen there meanwhile.
    fn holds_own_port(&self, record: &AppRecord) -> bool {
        self.replicas.values().filter_map(|slot| slot.endpoint.as_ref()).any(|endpoint| {
            let grpc = endpoint.grpc().map(|grpc| grpc.port());
            endpoint.exclusive
                && (endpoint.http.port() == record.spec.http_port
                    || grpc.is_some_and(|port| Some(port) == record.spec.grpc_port))
        })
    }

    fn ready(&self) -> usize {
        self.replicas.values().filter(|slot| slot.phase == Phase::Ready).count()
    }

    /// Handles a report of a replica.
    async fn observe(&mut self, number: u64, event: ReplicaEvent) {
        let all = Arc::clone(&self.all);
        let now = all.clock.now();
        let Some(slot) = self.replicas.get_mut(&number) else { return };
        let ordinal = slot.id.ordinal;
        match event {
            ReplicaEvent::Waiting(why) => {
                slot.waiting_for = Some(why);
                slot.is_pending = false;
                self.tell(&all);
            }
            ReplicaEvent::Pending(why) => {
                slot.waiting_for = Some(why);
                slot.is_pending = true;
                slot.expected_since = now;
                if let Some(past) = self.past.get_mut(&ordinal) {
                    past.is_pending(now);
                }
                self.tell(&all);
            }
            ReplicaEvent::Created(container) => {
                slot.container = Some(Arc::new(container));
                slot.is_pending = false;
                self.tell(&all);
            }
            ReplicaEvent::Lost(why) => {
                if slot.phase == Phase::Ready {
                    slot.enter(Phase::Starting, now);
                    slot.waiting_for = Some(why.clone());
                    self.record(&all, ordinal, EventKind::Unready, "does not answer", &why);
                }
            }
            ReplicaEvent::Asleep => {
                if slot.phase == Phase::Starting {
                    slot.enter(Phase::Ready, now);
                }
                if slot.phase == Phase::Ready {
                    (slot.is_asleep, slot.is_woken) = (true, false);
                    slot.endpoint = None;
                    // While no request waits, it need not answer.
                    if let Some(past) = self.past.get_mut(&ordinal).filter(|_| !self.is_demanded) {
                        past.need_not_answer();
                    }
                }
            }
            ReplicaEvent::Ready(endpoint) => {
                slot.is_asleep = false;
                self.is_demanded = false;
                let is_new = slot.phase == Phase::Starting;
                if is_new {
                    slot.enter(Phase::Ready, now);
                    slot.has_answered = true;
                }
                // It may report this again with other ports, which is no change of state.
                if slot.phase == Phase::Ready {
                    slot.endpoint = Some(endpoint);
                }
                if is_new {
                    if let Some(past) = self.past.get_mut(&ordinal) {
                        past.answers();
                    }
                    let message = format!("Replica {ordinal} answers");
                    self.record(&all, ordinal, EventKind::Ready, "answers", &message);
                }
            }
            ReplicaEvent::Exited { fault, status, message } => {
                self.exited(&all, number, fault, status, message).await;
            }
        }
    }

    /// Handles the end of a run, which was requested or not.
    async fn exited(
        &mut self,
        all: &Reconcilers,
        number: u64,
        fault: Blame,
        status: Option<ExitStatus>,
        message: String,
    ) {
        let Some(slot) = self.replicas.remove(&number) else { return };
        self.stopping_now.retain(|(stopping, _)| *stopping != number);
        let ordinal = slot.id.ordinal;
        if slot.phase == Phase::Stopping {
            let message = format!("Replica {ordinal} stopped");
            self.end_log(all, slot.id, None);
            self.record(all, ordinal, EventKind::Stopped, "stopped", &message);
            return;
        }
        let now = all.clock.now();
        let has_answered = slot.has_answered;
        let exit = Arc::new(Exit { at: now, status, has_answered, message: message.clone() });
        let how = exit.reason();
        let lived = elapsed(slot.since, now);
        let (id, revision, container) = (slot.id, slot.revision, slot.container);
        let crash = Crash { id, revision, fault, lived, exit, container };
        let past = self.past.entry(ordinal).or_insert_with(|| Past::new(&crash));
        // One that was started again after a crash belongs to that crash.
        let restart = if slot.has_answered || past.is_restart(slot.revision) {
            Some(past.crashed(&crash, all.launching.restart_delay))
        } else {
            past.ended(&crash);
            None
        };
        let then = match restart {
            None => String::new(),
            Some(delay) if delay.is_zero() => "; restarting".into(),
            Some(delay) => format!("; restarting in {delay:?}"),
        };
        let ended = status.map_or_else(|| format!("ended: {message}"), ExitStatus::predicate);
        self.end_log(all, slot.id, Some(format!("-- replica {ordinal} {ended}{then} --")));
        let kind = match (restart, fault) {
            (None, _) => EventKind::Failed,
            (Some(_), Blame::User) => EventKind::Crashed,
            (Some(_), Blame::Platform) => EventKind::Interrupted,
        };
        self.record(all, ordinal, kind, &how, &message);
        match restart {
            None => self.failed(slot.revision, ordinal, fault, message).await,
            Some(_) => {
                let what = if fault == Blame::Platform { "was interrupted" } else { "crashed" };
                tracing::info!(app = %self.id, replica = ordinal, message, "a replica {what}");
            }
        }
    }

    /// A replica did not answer in time, or ended before it ever did. Where others answer they go
    /// on; else the app has failed.
    async fn failed(&mut self, revision: u64, ordinal: u32, fault: Blame, message: String) {
        let target = self.all.ledger.read().app(self.id).and_then(|entry| target(&entry.record));
        match target {
            Some(target) if self.ready() > 0 => {
                tracing::info!(app = %self.id, message, "a replica failed, the others go on");
                let is_ready = |slot: &Slot| slot.phase == Phase::Ready;
                let is_change =
                    !self.replicas.values().any(|slot| is_ready(slot) && slot.revision == revision);
                self.given_up = Some(GivenUp { target, ordinal, why: message, is_change });
            }
            _ => self.give_up(fault, &message).await,
        }
    }

    async fn give_up(&mut self, fault: Blame, message: &str) {
        let event = match fault {
            Blame::User => Event::Failed,
            Blame::Platform => Event::Broken,
        };
        let note = StateNote::new(message);
        self.transition(event, Some(&note)).await;
        if self.retry_at.is_some() {
            self.pending = Some((event, note));
        }
    }

    /// Applies an event of the life cycle; says whether the state changed.
    async fn transition(&mut self, event: Event, note: Option<&StateNote>) -> bool {
        let all = Arc::clone(&self.all);
        let (id, now) = (self.id, all.clock.now());
        let changed = all
            .ledger
            .transact(|tx| {
                let before = tx.app(id).map(|entry| Arc::clone(&entry.record));
                let changed = apply(tx, id, event, note, now);
                Ok((changed, before.filter(|_| tx.app(id).is_none())))
            })
            .await;
        match changed {
            Ok((changed, deleted)) => {
                if let Some(deleted) = deleted {
                    all.recorder.record_deletion(&deleted);
                    all.runtime.forget(id);
                }
                changed
            }
            Err(error) => {
                tracing::warn!(app = %id, %error, ?event, "a change of state was not kept");
                self.retry_at = Some(Instant::now() + RETRY_DELAY);
                false
            }
        }
    }

    /// Applies an event, and goes on with the next step.
    async fn advance(&mut self, event: Event) -> Next {
        self.transition(event, None).await;
        if self.retry_at.is_some() { Next::Wait } else { Next::Again }
    }

    /// Publishes the replicas that answer, and then stops those that gateways have stopped seeing.
    async fn publish(&mut self, all: &Reconcilers) {
        // Before the gateway has fewer replicas: its refusals say why.
        self.tell(all);
        let backend = |slot: &Slot| {
            let endpoint = slot.endpoint.clone()?;
            let key = ReplicaKey { app: self.id, replica: slot.id };
            Some(Backend { endpoint, replica: slot.id, key, under_way: slot.under_way.clone() })
        };
        let ready = self.replicas.values().filter(|slot| slot.phase == Phase::Ready);
        let backends: Vec<Backend> = ready.clone().filter_map(backend).collect();
        let asleep = backends.is_empty() && ready.clone().any(|slot| slot.is_asleep);
        let live = Live { backends, asleep };
        if live != self.published {
            let (id, published) = (self.id, live.clone());
            let kept = all
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

    fn launch(&mut self, all: &Reconcilers, record: &AppRecord, ordinal: u32) {
        let number = self.next_number;
        self.next_number += 1;
        let snapshot = all.ledger.read();
        let Some(entry) = snapshot.app(self.id) else { return };
        let clock = Arc::clone(&all.clock);
        entry.logs.tell_domain_time(move || clock.moved());
        let id = entry.logs.begin(ordinal);
        let is_restart =
            self.past.get_mut(&ordinal).is_some_and(|past| past.begun(record.revision));
        let (spec, environment) = resolved(all.launching.placement, &snapshot, record, |why| {
            entry.logs.push(all.clock.real_time(), id, why.into());
        });
        if let Some(why) = self.watched.complaint() {
            entry.logs.push(all.clock.real_time(), id, why);
        }
        // No other replica pulls anything.
        let image_access = match spec.placement {
            Some(Placement::Builtin | Placement::Process) => ImageAccess::default(),
            _ => image_access(&snapshot, &*all.launching.vault, record),
        };
        let request = ReplicaRequest {
            app: self.id,
            number,
            replica: id,
            revision: record.revision,
            spec,
            environment,
            volumes: self.mounts.ready(),
            image_access,
            logs: Arc::clone(&entry.logs),
        };
        let reporter = ReplicaReporter::new(number, self.reporter.clone());
        let handle = Arc::from(all.runtime.launch(request, reporter));
        let under_way = TaskTracker::new();
        // Only a closed tracker can be waited for.
        under_way.close();
        let now = all.clock.now();
        self.replicas.insert(
            number,
            Slot {
                id,
                revision: record.revision,
                phase: Phase::Starting,
                since: now,
                expected_since: now,
                waiting_for: None,
                container: None,
                endpoint: None,
                under_way,
                is_asleep: false,
                is_woken: false,
                has_answered: false,
                launched_at: Instant::now(),
                is_pending: false,
                handle,
            },
        );
        let reason = if is_restart { "restart" } else { "start" };
        let message = format!("Replica {ordinal} is starting");
        self.record(all, ordinal, EventKind::Started, reason, &message);
    }

    /// Marks a replica as stopping; [`Self::publish`] asks it to.
    fn stop(&mut self, number: u64, grace: Duration) {
        let Some(slot) = self.replicas.get_mut(&number) else { return };
        slot.phase = Phase::Stopping;
        self.stopping_now.push((number, grace));
    }

    /// Asks those to stop that no gateway sends new requests, when they have answered the requests
    /// in flight. Where others have taken over, what a gateway was just sending still gets
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
                    tracing::info!(
                        replica = number,
                        "a replica was asked to stop with requests in flight"
                    );
                }
                handle.stop(grace).await;
                let message = String::new();
                reporter.report(ReplicaEvent::Exited { fault: Blame::User, status: None, message });
            });
        }
    }

    async fn step(&mut self, all: &Reconcilers) -> Next {
        self.retry_at = None;
        self.is_demanded |= self.signal.demand.swap(false, Ordering::AcqRel);
        if self.is_demanded {
            for slot in self.replicas.values_mut().filter(|slot| slot.is_asleep) {
                if !std::mem::replace(&mut slot.is_woken, true) {
                    slot.handle.wake();
                }
            }
        }
        if let Some((event, note)) = self.pending.take() {
            self.transition(event, Some(&note)).await;
            if self.retry_at.is_some() {
                self.pending = Some((event, note));
                return Next::Wait;
            }
        }
        let record = match all.ledger.read().app(self.id) {
            Some(entry) => Arc::clone(&entry.record),
            None => return Next::Rest,
        };
        if self.interrupt(all, &record).await {
            return Next::Again;
        }
        self.watch_files(all, &record).await;
        match target(&record) {
            None => self.wind_down(all, &record).await,
            Some(target) => self.converge(all, &record, target).await,
        }
    }

    /// Towards no replica at all: stopped, failed or deleted.
    async fn wind_down(&mut self, all: &Reconcilers, record: &AppRecord) -> Next {
        let grace = if record.wanted == Wanted::Killed { Duration::ZERO } else { STOP_GRACE };
        let mut alive: Vec<u64> = Vec::new();
        for (number, slot) in &self.replicas {
            // It was asked to stop before, and now has to end at once.
            if slot.phase != Phase::Stopping || grace.is_zero() {
                alive.push(*number);
            }
        }
        let nothing_left = self.replicas.is_empty();
        for number in alive {
            self.stop(number, grace);
        }
        self.given_up = None;
        if matches!(record.state, AppState::Failed | AppState::Error) {
            // The exits are shown until the app is started again.
            self.past.values_mut().for_each(Past::rest);
        } else {
            self.past.clear();
        }
        self.publish(all).await;
        if !nothing_left || !self.has_left(all, record) {
            return Next::Wait;
        }
        if matches!(record.state, AppState::Stopping | AppState::Deleting) {
            return self.advance(Event::Gone).await;
        }
        if record.state == AppState::Stopped && record.wanted == Wanted::Running {
            // It was started again while it was stopping.
            return self.advance(Event::StartAsked).await;
        }
        // Changed files may start it again.
        if self.retry_at.is_some() || self.watched.is_on() { Next::Wait } else { Next::Rest }
    }

    /// Towards the wanted replicas.
    async fn converge(&mut self, all: &Reconcilers, record: &AppRecord, target: Target) -> Next {
        if record.state == AppState::Queued {
            // It starts over: its earlier crashes are forgotten.
            self.past.clear();
            self.mounts.start_over();
            self.tell(all);
            return self.advance(Event::Placed).await;
        }
        if !self.has_volumes(all, record) {
            self.publish(all).await;
            return Next::Wait;
        }
        if self.expire(record).await {
            return Next::Again;
        }
        self.past.retain(|ordinal, _| *ordinal <= target.replicas);
        // The target has changed, or no replica is left that goes on as before.
        if self.given_up.as_ref().is_some_and(|up| up.target != target) {
            self.given_up = None;
            self.past.values_mut().for_each(Past::forget);
        }
        if self.ready() == 0 {
            self.given_up = None;
        }
        if self.given_up.is_some() {
            self.past.values_mut().for_each(Past::rest);
            // Replicas that are starting are stopped; those that answer stay.
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
            let now = all.clock.now();
            // Until nothing is left to do: a replica that is stopping makes room for another one.
            loop {
                let mut next = plan(&target, &self.observed());
                self.past.values_mut().for_each(|past| {
                    if !past.may_begin(target.revision, now) {
                        next.launch.retain(|launched| *launched != past.id.ordinal);
                    }
                });
                // Nothing is launched of an app that was deleted just now.
                if next == Plan::default() || all.ledger.read().app(self.id).is_none() {
                    break;
                }
                for number in next.stop {
                    self.stop(number, STOP_GRACE);
                }
                for ordinal in next.launch {
                    self.launch(all, record, ordinal);
                }
            }
        }
        self.publish(all).await;
        let settled = converged(&target, &self.observed());
        let event = match record.state {
            AppState::Initializing if settled => Event::Converged,
            AppState::Scaling if settled || self.given_up.is_some() => Event::Converged,
            AppState::Running if !settled && self.given_up.is_none() => Event::Diverged,
            _ => return Next::Wait,
        };
        let note = self.given_up.as_ref().map(GivenUp::note);
        if self.transition(event, note.as_ref()).await { Next::Again } else { Next::Wait }
    }

    /// Gives up replicas that did not answer within the deadline, which each of them has for itself.
    async fn expire(&mut self, record: &AppRecord) -> bool {
        let all = Arc::clone(&self.all);
        let deadline = record.spec.deployment.progress_deadline();
        let now = all.clock.now();
        // By ordinal: its revision, and why.
        let mut late: BTreeMap<u32, (u64, String)> = BTreeMap::new();
        for past in self.past.values() {
            if past.given_up_at(record.revision, deadline).is_some_and(|at| at <= now) {
                late.insert(past.id.ordinal, (record.revision, past.reason(deadline)));
            }
        }
        let mut stops = Vec::new();
        for (number, slot) in &self.replicas {
            let is_starting = slot.phase == Phase::Starting;
            if !(is_starting || (slot.is_asleep && slot.phase == Phase::Ready)) {
                continue;
            }
            let is_late = is_starting && elapsed(slot.expected_since, now) >= deadline;
            if is_late || late.get(&slot.id.ordinal).is_some_and(|(of, _)| *of == slot.revision) {
                stops.push(*number);
                let seen = slot.waiting_for.as_deref().unwrap_or("it never answered its probe");
                let why = format!("The app did not answer within {} s: {seen}", deadline.as_secs());
                late.entry(slot.id.ordinal).or_insert((slot.revision, why));
            }
        }
        let Some((ordinal, (revision, first))) =
            late.first_key_value().map(|(ordinal, why)| (*ordinal, why.clone()))
        else {
            return false;
        };
        for (ordinal, (_, why)) in &late {
            self.record(&all, *ordinal, EventKind::Failed, "deadline", why);
        }
        let message = if late.values().all(|(_, why)| *why == first) {
            first
        } else {
            let each = late.iter().map(|(ordinal, (_, why))| format!("Replica {ordinal}: {why}"));
            each.collect::<Vec<_>>().join("; ")
        };
        for number in stops {
            self.stop(number, STOP_GRACE);
        }
        self.past
            .values_mut()
            .filter(|past| late.contains_key(&past.id.ordinal))
            .for_each(Past::rest);
        self.failed(revision, ordinal, Blame::User, message).await;
        true
    }
}

/// The target of an app; none if it is to have no replicas.
fn target(record: &AppRecord) -> Option<Target> {
    let wanted = record.wanted == Wanted::Running
        && (may_answer(record.state) || record.state == AppState::Queued);
    wanted.then(|| {
        Target::new(record.spec.scaling.replicas(), record.revision, &record.spec.deployment)
    })
}
