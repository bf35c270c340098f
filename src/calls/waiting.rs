//! The requests of a command that wait for the first byte of an answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// The requests of a command that wait for the first byte of an answer, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    next: AtomicU64,
    since: Mutex<BTreeMap<u64, Instant>>,
    begun: Notify,
}

/// A waiting request; dropping this ends the wait.
#[derive(Debug)]
pub(crate) struct Turn(Arc<Queue>, u64);

impl Queue {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

impl Waiting {
    /// Adds a waiting request.
    pub(crate) fn begin(&self) -> Turn {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.lock().insert(number, Instant::now());
        self.0.begun.notify_one();
        Turn(Arc::clone(&self.0), number)
    }

    /// The oldest waiting request, as soon as there is one.
    pub(crate) async fn oldest(&self) -> (u64, Instant) {
        loop {
            let oldest = self.0.lock().first_key_value().map(|(number, since)| (*number, *since));
            match oldest {
                Some(oldest) => return oldest,
                None => self.0.begun.notified().await,
            }
        }
    }

    pub(crate) fn has(&self, number: u64) -> bool {
        self.0.lock().contains_key(&number)
    }
}
