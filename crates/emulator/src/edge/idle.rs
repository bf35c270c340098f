//! The idle connections of one worker: those that wait for their client, without an authorized
//! request under way. When the connection limit is reached, those that have waited longest are
//! closed to make room.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

/// Connections that have waited no longer than this may be about to send their next request.
const IN_USE: Duration = Duration::from_millis(250);

/// The idle connections of one worker.
#[derive(Debug)]
pub(super) struct IdleRegistry {
    slots: Mutex<(u64, HashMap<u64, Arc<IdleSlot>>)>,
    since: Instant,
}

/// The record of one connection.
#[derive(Debug, Default)]
pub(super) struct IdleSlot {
    /// When it began to wait, in microseconds and never 0; 0 while it is busy.
    waits_since: AtomicU64,
    is_evicted: AtomicBool,
    waker: AtomicWaker,
}

/// A connection's registration, until this is dropped.
#[derive(Debug)]
pub(super) struct IdleGuard {
    idle: Arc<IdleRegistry>,
    number: u64,
    slot: Arc<IdleSlot>,
}

impl IdleRegistry {
    /// Creates a registry whose times count from `since`.
    pub(super) fn new(since: Instant) -> Self {
        Self { slots: Mutex::default(), since }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<u64, Arc<IdleSlot>>)> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn micros(&self, at: Instant) -> u64 {
        let micros = at.saturating_duration_since(self.since).as_micros();
        u64::try_from(micros).unwrap_or(u64::MAX)
    }

    /// Registers a new connection.
    pub(super) fn enter(self: &Arc<Self>) -> IdleGuard {
        let slot = Arc::new(IdleSlot::default());
        let mut slots = self.lock();
        let number = slots.0;
        slots.0 += 1;
        slots.1.insert(number, Arc::clone(&slot));
        drop(slots);
        IdleGuard { idle: Arc::clone(self), number, slot }
    }
}

/// Asks `count` of those that have waited longest to close, of all registries together.
pub(super) fn evict<'a>(registries: impl Iterator<Item = &'a IdleRegistry>, count: usize) {
    let mut waiting: Vec<(u64, Arc<IdleSlot>)> = Vec::new();
    for idle in registries {
        let before = idle.micros(Instant::now()).saturating_sub(micros(IN_USE));
        let slots = idle.lock();
        let each = slots.1.values().filter(|slot| !slot.is_evicted.load(Ordering::Relaxed));
        let each = each.map(|slot| (slot.waits_since.load(Ordering::Relaxed), slot));
        let waits = each.filter(|(since, _)| (1..=before).contains(since));
        waiting.extend(waits.map(|(since, slot)| (since, Arc::clone(slot))));
    }
    if waiting.len() > count {
        waiting.select_nth_unstable_by_key(count, |(since, _)| *since);
        waiting.truncate(count);
    }
    for (_, slot) in waiting {
        slot.is_evicted.store(true, Ordering::Release);
        slot.waker.wake();
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl IdleGuard {
    /// Marks the connection as waiting for its client.
    pub(super) fn set_waiting(&self, now: Instant) {
        let since = self.idle.micros(now).max(1);
        self.slot.waits_since.store(since, Ordering::Relaxed);
        if self.slot.is_evicted.load(Ordering::Relaxed) {
            // It was asked to close while it was busy.
            self.slot.waker.wake();
        }
    }

    /// Marks the connection as busy.
    pub(super) fn set_busy(&self) {
        self.slot.waits_since.store(0, Ordering::Relaxed);
    }

    /// Ready when the connection is asked to close.
    pub(super) fn poll_evicted(&self, cx: &Context<'_>) -> Poll<()> {
        self.slot.waker.register(cx.waker());
        if self.slot.is_evicted.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Awaits `work`; none if the connection is asked to close meanwhile.
    pub(super) async fn unless_evicted<T>(
        &self,
        mut work: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll_evicted(cx).map(|()| None),
        })
        .await
    }
}

impl Drop for IdleGuard {
    fn drop(&mut self) {
        self.idle.lock().1.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn the_longest_idle_connection_is_closed_first() {
        let now = Instant::now();
        let since = now.checked_sub(Duration::from_mins(1)).unwrap_or(now);
        let registries = [Arc::new(IdleRegistry::new(since)), Arc::new(IdleRegistry::new(since))];
        let places: Vec<_> = (0..6_u64)
            .map(|number| {
                let place = registries[usize::from(number % 2 == 0)].enter();
                // The first is busy; the last has just begun to wait.
                let waits = [0, 5, 3, 4, 2, 59_999_999][usize::try_from(number).unwrap_or(0)];
                place.slot.waits_since.store(waits, Ordering::Relaxed);
                place
            })
            .collect();
        let left = || -> Vec<bool> {
            let leaves = |place: &IdleGuard| poll_fn(|cx| place.poll_evicted(cx)).now_or_never();
            places.iter().map(|place| leaves(place).is_some()).collect()
        };
        let ask = |count| evict(registries.iter().map(|idle| &**idle), count);
        ask(1);
        assert_eq!(left(), [false, false, false, false, true, false]);
        ask(2);
        assert_eq!(left(), [false, false, true, true, true, false]);
        ask(10);
        assert_eq!(left(), [false, true, true, true, true, false]);
        drop(places);
        assert_eq!(registries.each_ref().map(|idle| idle.lock().1.len()), [0, 0]);
    }
}
