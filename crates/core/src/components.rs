//! The parts of the emulator that may fail while the rest goes on: the ones that fail at the moment,
//! and the ones that were restarted after a panic. Health and status show them.
//!
//! A part reports here and goes on. Nothing here may block or fail.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use ovhai_api_types::Fault;

/// A part of the emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// The store that keeps the records.
    Storage,
    /// The task that commits and publishes changes.
    Committer,
    /// A task that accepts connections.
    Listener,
    /// A thread that serves connections.
    Worker,
    /// The access log.
    AccessLog,
    /// The emulator's own log.
    Log,
    /// The tasks that drive apps.
    Reconciler,
}

impl Component {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Committer => "committer",
            Self::Listener => "listener",
            Self::Worker => "worker",
            Self::AccessLog => "access log",
            Self::Log => "log",
            Self::Reconciler => "reconciler",
        }
    }
}

#[derive(Debug, Default)]
struct Condition {
    failing: bool,
    restarts: u64,
    reason: String,
}

/// The condition of all parts.
#[derive(Debug, Default)]
pub struct Components {
    conditions: Mutex<BTreeMap<Component, Condition>>,
    /// Whether any part fails: parts that work report often.
    any_failing: AtomicBool,
}

impl Components {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Component, Condition>> {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a part fails.
    pub fn fails(&self, component: Component, reason: impl fmt::Display) {
        let mut conditions = self.lock();
        let condition = conditions.entry(component).or_default();
        condition.failing = true;
        condition.reason = reason.to_string();
        self.any_failing.store(true, Ordering::Release);
    }

    /// Records that a part panicked and is restarted; it fails until [`Self::works`].
    pub fn begins_anew(&self, component: Component, panicked: &Panicked) {
        self.fails(component, panicked);
        self.lock().entry(component).or_default().restarts += 1;
    }

    /// Records that a part works.
    pub fn works(&self, component: Component) {
        if !self.any_failing.load(Ordering::Acquire) {
            return;
        }
        let mut conditions = self.lock();
        if let Some(condition) = conditions.get_mut(&component) {
            condition.failing = false;
        }
        conditions.retain(|_, condition| condition.failing || condition.restarts > 0);
        let any = conditions.values().any(|condition| condition.failing);
        self.any_failing.store(any, Ordering::Release);
    }

    /// Whether any part fails at the moment.
    pub fn any_failing(&self) -> bool {
        self.any_failing.load(Ordering::Acquire)
    }

    /// The parts that fail, and those that were restarted.
    pub fn faults(&self) -> Vec<Fault> {
        let fault = |(component, condition): (&Component, &Condition)| Fault {
            component: component.as_str().to_owned(),
            failing: condition.failing,
            restarts: condition.restarts,
            reason: Some(condition.reason.clone()),
        };
        self.lock().iter().map(fault).collect()
    }
}

/// The panic of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked(String);

impl Panicked {
    /// The message of a panic.
    pub fn new(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self(text.unwrap_or_else(|| "no message".into()))
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it panicked: {}", self.0)
    }
}

/// Runs a function; a panic is an error.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Panicked::new(&*payload))
}

/// Runs a future to its end; a panic in it is an error.
pub async fn catch_future<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| match catch(|| future.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lasts_until_its_component_works_again() {
        let components = Components::default();
        components.works(Component::Log);
        assert!(!components.any_failing() && components.faults().is_empty());
        components.fails(Component::Log, "no space");
        let panicked = catch(|| panic!("number {}", 1)).unwrap_err();
        components.begins_anew(Component::Committer, &panicked);
        assert!(components.any_failing());
        let names = |faults: Vec<Fault>| -> Vec<_> {
            faults.into_iter().map(|f| (f.component, f.failing, f.restarts)).collect()
        };
        let both = vec![("committer".to_owned(), true, 1), ("log".to_owned(), true, 0)];
        assert_eq!(names(components.faults()), both);
        components.works(Component::Log);
        components.works(Component::Committer);
        assert!(!components.any_failing());
        // The restart stays on record.
        assert_eq!(names(components.faults()), [("committer".to_owned(), false, 1)]);
        let reason = components.faults().remove(0).reason;
        assert_eq!(reason.as_deref(), Some("it panicked: number 1"));
    }

    #[tokio::test]
    async fn a_panic_in_a_future_is_an_error() {
        let late = async {
            tokio::task::yield_now().await;
            panic!("late");
        };
        let panicked: Result<(), _> = catch_future(late).await;
        assert_eq!(panicked.unwrap_err().to_string(), "it panicked: late");
        assert_eq!(catch_future(async { 1 }).await, Ok(1));
    }
}
