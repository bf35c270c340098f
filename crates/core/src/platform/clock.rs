//! Moving domain time.
//!
//! The clock goes from one moment that something waits for to the next. Before each step it waits, in
//! real time, until all that the step before caused is done, so that a deadline never passes while a
//! replica is still being started.

use std::time::Duration;

use ovhai_api_types::{AppId, Timestamp};
use tokio::time::Instant;

use super::Platform;
use crate::error::{Error, Result};
use crate::lifecycle::{self, Event};
use crate::model::ClockRecord;
use crate::policy::{Action, Principal};
use crate::ports::ClockControl;
use crate::ports::clock::after;
use crate::records::Change;

/// How far domain time can be ahead of real time.
const AHEAD_MAX: Duration = Duration::from_hours(24 * 3653);
/// Looks in a row that must find nothing in hand: a task may be between two things.
const LOOKS: u32 = 3;
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(1);

/// The clock at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockStatus {
    /// Domain time.
    pub domain_time: Timestamp,
    /// Real time.
    pub real_time: Timestamp,
    /// Whether domain time stands still.
    pub is_frozen: bool,
    /// Whether domain time differs from real time.
    pub is_moved: bool,
}

/// How far the clock was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The clock now.
    pub clock: ClockStatus,
    /// What was not done in time, so that the clock stopped there; empty if it was moved as far as it
    /// should be.
    pub in_hand: Vec<String>,
}

/// Lets the clock go on when a move ends, however it does.
struct Hold<'a> {
    control: &'a dyn ClockControl,
    goes_on: bool,
    /// How far domain time was ahead of real time before.
    ahead_millis: i64,
}

impl<'a> Hold<'a> {
    fn new(control: &'a dyn ClockControl) -> Self {
        let goes_on = !control.stands_still();
        let ahead_millis = control.record().ahead_millis;
        control.freeze();
        Self { control, goes_on, ahead_millis }
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if self.goes_on {
            self.control.resume();
            // Real time has passed meanwhile: a move never puts domain time behind where it would be.
            let ahead_millis = self.control.record().ahead_millis.max(self.ahead_millis);
            self.control.restore(ClockRecord { ahead_millis, stands_at: None });
        }
    }
}

impl Platform {
    fn clock_control(&self, caller: &Principal) -> Result<&dyn ClockControl> {
        self.may_in_a_region(caller, Action::MoveClock)?;
        let none = || Error::Unsupported { operation: "moving this emulator's clock".into() };
        self.clock.control().ok_or_else(none)
    }

    fn clock_now(&self) -> ClockStatus {
        let domain_time = self.clock.now();
        ClockStatus {
            domain_time,
            real_time: self.clock.real_time(),
            is_frozen: self.clock.control().is_some_and(ClockControl::stands_still),
            is_moved: self.clock.moved().is_some(),
        }
    }

    async fn store_clock(&self, record: ClockRecord) -> Result<()> {
        self.ledger
            .transact(|tx| {
                tx.apply(Change::SetClock(record));
                Ok(())
            })
            .await
    }

    /// The clock.
    pub fn clock_status(&self, caller: &Principal) -> Result<ClockStatus> {
        self.clock_control(caller)?;
        Ok(self.clock_now())
    }

    /// Stops domain time.
    pub async fn freeze_clock(&self, caller: &Principal) -> Result<ClockStatus> {
        let control = self.clock_control(caller)?;
        let _moves = self.clock_moves.lock().await;
        let was_frozen = control.stands_still();
        control.freeze();
        if let Err(error) = self.store_clock(control.record()).await {
            if !was_frozen {
                control.resume();
            }
            return Err(error);
        }
        Ok(self.clock_now())
    }

    /// Lets domain time go on from where it stands.
    pub async fn resume_clock(&self, caller: &Principal) -> Result<ClockStatus> {
        let control = self.clock_control(caller)?;
        let _moves = self.clock_moves.lock().await;
        control.resume();
        self.store_clock(control.record()).await?;
        Ok(self.clock_now())
    }

    /// Moves domain time forward by `by`. What a step causes has `settle` of real time to be done.
    pub async fn advance_clock(
        &self,
        caller: &Principal,
        by: Duration,
        settle: Duration,
    ) -> Result<Moved> {
        let control = self.clock_control(caller)?;
        let _moves = self.clock_moves.lock().await;
        let hold = Hold::new(control);
        let target = after(self.clock.now(), by);
        self.move_clock(control, hold, target, settle).await
    }

    /// Moves domain time forward to `target`; see [`Self::advance_clock`].
    pub async fn set_clock(
        &self,
        caller: &Principal,
        target: Timestamp,
        settle: Duration,
    ) -> Result<Moved> {
        let control = self.clock_control(caller)?;
        let _moves = self.clock_moves.lock().await;
        let hold = Hold::new(control);
        let now = self.clock.now();
        if target < now {
            return Err(Error::invalid(
                "to",
                format!("domain time never goes backward, and it is {now} now"),
            ));
        }
        self.move_clock(control, hold, target, settle).await
    }

    async fn move_clock(
        &self,
        control: &dyn ClockControl,
        hold: Hold<'_>,
        target: Timestamp,
        settle: Duration,
    ) -> Result<Moved> {
        let real_time = self.clock.real_time();
        if target > after(real_time, AHEAD_MAX) {
            return Err(Error::invalid(
                "to",
                "domain time can be at most 10 years ahead of real time".to_owned(),
            ));
        }
        // Stored first: after a crash on the way domain time is not earlier than what was stored at it.
        let ahead = target.as_millisecond() - real_time.as_millisecond();
        let stands_at = (!hold.goes_on).then_some(target);
        self.store_clock(ClockRecord { ahead_millis: ahead, stands_at }).await?;
        let in_hand = loop {
            if let Err(in_hand) = self.settle(control, settle).await {
                break in_hand;
            }
            match control.next_wait().filter(|at| *at <= target) {
                Some(at) => control.move_to(at),
                None if self.clock.now() < target => control.move_to(target),
                None => break Vec::new(),
            }
        };
        drop(hold);
        self.store_clock(control.record()).await?;
        Ok(Moved { clock: self.clock_now(), in_hand })
    }

    /// Waits until nothing is in hand, at most for `limit` of real time; else says what is.
    async fn settle(
        &self,
        control: &dyn ClockControl,
        limit: Duration,
    ) -> std::result::Result<(), Vec<String>> {
        let begun = Instant::now();
        let mut looks = 0;
        loop {
            let now = self.clock.now();
            let is_awaited = control.next_wait().is_some_and(|at| at <= now);
            let in_hand = self.reconcilers.in_hand(limit);
            if !is_awaited && in_hand.is_empty() {
                looks += 1;
                if looks == LOOKS {
                    return Ok(());
                }
                tokio::task::yield_now().await;
                continue;
            }
            looks = 0;
            if begun.elapsed() >= limit {
                let mut texts: Vec<String> = in_hand
                    .into_iter()
                    .map(|(app, works)| self.in_hand_text(app, &works))
                    .collect();
                if texts.is_empty() {
                    texts.push("a task waits for this moment".to_owned());
                }
                return Err(texts);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn in_hand_text(&self, app: Option<AppId>, works: &[String]) -> String {
        let what = works.join(", ");
        let Some(app) = app else { return what };
        match self.snapshot().app(app) {
            Some(entry) => format!("app {}: {what}", entry.record.spec.name),
            None => format!("app {app}: {what}"),
        }
    }

    /// Interrupts an app that runs, as the cloud may do for maintenance: its replicas are replaced.
    pub fn interrupt_app(&self, caller: &Principal, id: AppId) -> Result<()> {
        let entry = self.permit_anywhere(caller, Action::Interrupt, id)?;
        let state = entry.record.state;
        if lifecycle::next(state, Event::Interrupted).is_none() {
            return Err(Error::invalid(
                "state",
                format!(
                    "the app is {state}; only an app that is RUNNING or SCALING can be interrupted"
                ),
            ));
        }
        self.reconcilers.interrupt(id);
        Ok(())
    }
}
