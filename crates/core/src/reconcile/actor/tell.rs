//! What an actor shows of its replicas: live state, events, and lines in the app's log. None of it is
//! stored.

use std::sync::Arc;

use ovhai_api_types::{AppState, Timestamp};

use super::{Actor, EXPLAIN_AFTER, Slot};
use crate::events::EventKind;
use crate::lifecycle::{self, may_answer};
use crate::ports::clock::elapsed;
use crate::reconcile::activity::Work;
use crate::reconcile::past::Past;
use crate::reconcile::plan::Phase;
use crate::reconcile::{Launched, Reconcilers};
use crate::replica::{Progress, ReplicaId, ReplicaPhase, ReplicaState};

impl Slot {
    /// What is under way with it.
    fn work(&self) -> Option<(u32, Work)> {
        let work = match self.phase {
            Phase::Starting if self.is_pending => {
                Work::Pull(self.waiting_for.clone().unwrap_or_default())
            }
            Phase::Starting => Work::Start(self.launched_at),
            Phase::Stopping => Work::Stop,
            Phase::Ready => return None,
        };
        Some((self.id.ordinal, work))
    }
}

fn phase(phase: Phase) -> ReplicaPhase {
    match phase {
        Phase::Starting => ReplicaPhase::Starting,
        Phase::Ready => ReplicaPhase::Ready,
        Phase::Stopping => ReplicaPhase::Stopping,
    }
}

impl Actor {
    /// Publishes the progress of the replicas.
    pub(super) fn tell(&self, all: &Reconcilers) {
        self.signal.activity().work = self.replicas.values().filter_map(Slot::work).collect();
        let snapshot = all.ledger.read();
        if let Some(entry) = snapshot.app(self.id) {
            entry.observed.set(self.progress(entry.record.state, all.clock.now()));
        }
        let launched = self.replicas.values().map(|slot| Launched {
            id: slot.id,
            phase: phase(slot.phase),
            handle: Arc::downgrade(&slot.handle),
        });
        all.set_launched(self.id, launched.collect());
    }

    /// Records what happened to a replica.
    pub(super) fn record(
        &self,
        all: &Reconcilers,
        ordinal: u32,
        kind: EventKind,
        reason: &str,
        message: &str,
    ) {
        if let Some(entry) = all.ledger.read().app(self.id) {
            all.recorder.record(&entry.record, Some(ordinal), kind, (reason, message));
        }
    }

    /// A run has ended; `line` is the last one in its output.
    pub(super) fn end_log(&self, all: &Reconcilers, id: ReplicaId, line: Option<String>) {
        let snapshot = all.ledger.read();
        let Some(entry) = snapshot.app(self.id) else { return };
        if let Some(line) = line {
            entry.logs.push(all.clock.real_time(), id, line);
        }
        entry.logs.end(id);
    }

    pub(super) fn progress(&self, state: AppState, now: Timestamp) -> Progress {
        let has_failed = !may_answer(state) || self.given_up.is_some();
        let last_exit = |ordinal| self.past.get(&ordinal).map(|past| Arc::clone(&past.exit));
        let interruptions = |ordinal| self.past.get(&ordinal).map_or(0, |past| past.interruptions);
        let restarts = |ordinal| self.past.get(&ordinal).map_or(0, |past| past.restarts);
        let running = self.replicas.values().map(|slot| ReplicaState {
            id: slot.id,
            phase: phase(slot.phase),
            since: slot.since,
            restarts: restarts(slot.id.ordinal),
            interruptions: interruptions(slot.id.ordinal),
            last_exit: last_exit(slot.id.ordinal),
            container: slot.container.clone(),
        });
        let has_run = |ordinal| self.replicas.values().any(|slot| slot.id.ordinal == ordinal);
        let gone = self.past.iter().filter(|(ordinal, _)| !has_run(**ordinal));
        let gone = gone.map(|(_, past)| ReplicaState {
            id: past.id,
            phase: if has_failed { ReplicaPhase::Failed } else { ReplicaPhase::BackOff },
            since: past.exit.at,
            restarts: past.restarts,
            interruptions: past.interruptions,
            last_exit: Some(Arc::clone(&past.exit)),
            container: past.container.clone(),
        });
        let mut replicas: Vec<_> = running.chain(gone).collect();
        replicas.sort_by_key(|replica| replica.id);
        let says = match &self.given_up {
            Some(given_up) => Some(given_up.note().message),
            None if has_failed => None,
            None => self.says(state, now),
        };
        Progress { replicas, says }
    }

    /// Why replicas do not answer.
    fn says(&self, state: AppState, now: Timestamp) -> Option<String> {
        let starting = || self.replicas.values().filter(|slot| slot.phase == Phase::Starting);
        let crashed = self.past.values().filter(|past| past.is_down).map(Past::says);
        let is_down =
            |slot: &&Slot| self.past.get(&slot.id.ordinal).is_some_and(|past| past.is_down);
        let lost = starting()
            .filter(|slot| slot.has_answered && !is_down(slot))
            .map(|slot| format!("Replica {} stopped answering", slot.id.ordinal));
        let what: Vec<String> = crashed.chain(lost).collect();
        let why = starting()
            .filter(|slot| slot.has_answered || elapsed(slot.since, now) >= EXPLAIN_AFTER)
            .find_map(|slot| slot.waiting_for.as_ref());
        match (what.is_empty(), why) {
            (true, None) => None,
            (true, Some(_)) if state == AppState::Running => None,
            (true, Some(why)) => Some(format!("{}: {why}", lifecycle::message(state))),
            (false, None) => Some(what.join("; ")),
            (false, Some(why)) => Some(format!("{}: {why}", what.join("; "))),
        }
    }
}
