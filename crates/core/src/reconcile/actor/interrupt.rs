//! Interruptions: the platform replaces all replicas of an app, which starts again at the same address.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ovhai_api_types::{AppState, Timestamp};

use super::Actor;
use crate::lifecycle::Event;
use crate::model::AppRecord;
use crate::ports::STOP_GRACE;
use crate::ports::clock::after;
use crate::reconcile::Reconcilers;
use crate::reconcile::plan::Phase;
use crate::transition::StateNote;

/// Time after an app's start until the platform interrupts it, if it does so regularly.
const INTERVAL: Duration = Duration::from_hours(7 * 24);

impl Actor {
    /// When the platform interrupts the app by itself.
    pub(super) fn interruption_at(&self, record: &AppRecord) -> Option<Timestamp> {
        if !self.all.launching.interrupts_weekly
            || !matches!(record.state, AppState::Running | AppState::Scaling)
        {
            return None;
        }
        let is_start = |state| matches!(state, AppState::Initializing);
        // The oldest entry that is left, of an app that has changed often since its start.
        let started = record.history.iter().rev().find(|entry| is_start(entry.state));
        let started = started.or_else(|| record.history.first())?;
        Some(after(started.date, INTERVAL))
    }

    /// Interrupts the app if it is time, or was asked for; says whether its state changed.
    pub(super) async fn interrupt(&mut self, all: &Reconcilers, record: &AppRecord) -> bool {
        let is_asked = self.signal.interruption.swap(false, Ordering::AcqRel);
        let is_due = self.interruption_at(record).is_some_and(|at| at <= all.clock.now());
        if !(is_asked || is_due)
            || !self.transition(Event::Interrupted, Some(&StateNote::interrupted())).await
        {
            return false;
        }
        let alive = self.replicas.iter().filter(|(_, slot)| slot.phase != Phase::Stopping);
        let alive: Vec<u64> = alive.map(|(number, _)| *number).collect();
        for number in alive {
            self.stop(number, STOP_GRACE);
        }
        true
    }
}
