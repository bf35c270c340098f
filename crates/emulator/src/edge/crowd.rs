//! The connections of one worker that wait for their client, with nothing under way that anybody was
//! let in for: when there are as many as there may be, those that have waited longest make room for
//! others.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

/// Who has waited no longer than this may be about to send its next request.
const IN_USE: Duration = Duration::from_millis(250);

/// See the module.
#[derive(Debug)]
pub(super) struct Crowd {
    seats: Mutex<(u64, HashMap<u64, Arc<Seat>>)>,
    since: Instant,
}

/// What is known of one connection.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// When it began to wait, in microseconds and never 0; 0 when it does not.
    waits_since: AtomicU64,
    is_to_leave: AtomicBool,
    waker: AtomicWaker,
}

/// A connection's place in the crowd, until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    number: u64,
    seat: Arc<Seat>,
}

impl Crowd {
    /// One of which all times count from `since`.
    pub(super) fn new(since: Instant) -> Self {
        Self { seats: Mutex::default(), since }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<u64, Arc<Seat>>)> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn micros(&self, at: Instant) -> u64 {
        let micros = at.saturating_duration_since(self.since).as_micros();
        u64::try_from(micros).unwrap_or(u64::MAX)
    }

    /// A place for a new connection.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let seat = Arc::new(Seat::default());
        let mut seats = self.lock();
        let number = seats.0;
        seats.0 += 1;
        seats.1.insert(number, Arc::clone(&seat));
        drop(seats);
        Place { crowd: Arc::clone(self), number, seat }
    }
}

/// Asks so many of those that have waited longest to leave, of all crowds together.
pub(super) fn make_room<'a>(crowds: impl Iterator<Item = &'a Crowd>, count: usize) {
    let mut waiting: Vec<(u64, Arc<Seat>)> = Vec::new();
    for crowd in crowds {
        let before = crowd.micros(Instant::now()).saturating_sub(micros(IN_USE));
        let seats = crowd.lock();
        let each = seats.1.values().filter(|seat| !seat.is_to_leave.load(Ordering::Relaxed));
        let each = each.map(|seat| (seat.waits_since.load(Ordering::Relaxed), seat));
        let waits = each.filter(|(since, _)| (1..=before).contains(since));
        waiting.extend(waits.map(|(since, seat)| (since, Arc::clone(seat))));
    }
    if waiting.len() > count {
        waiting.select_nth_unstable_by_key(count, |(since, _)| *since);
        waiting.truncate(count);
    }
    for (_, seat) in waiting {
        seat.is_to_leave.store(true, Ordering::Release);
        seat.waker.wake();
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Place {
    /// From now on it waits.
    pub(super) fn waits(&self, now: Instant) {
        let since = self.crowd.micros(now).max(1);
        self.seat.waits_since.store(since, Ordering::Relaxed);
        if self.seat.is_to_leave.load(Ordering::Relaxed) {
            // It was asked before it had something to do.
            self.seat.waker.wake();
        }
    }

    /// From now on it does not.
    pub(super) fn is_busy(&self) {
        self.seat.waits_since.store(0, Ordering::Relaxed);
    }

    /// Ready when it is asked to leave.
    pub(super) fn poll_leave(&self, cx: &Context<'_>) -> Poll<()> {
        self.seat.waker.register(cx.waker());
        if self.seat.is_to_leave.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// What comes of this, unless it is asked to leave meanwhile.
    pub(super) async fn unless_asked_to_leave<T>(
        &self,
        mut work: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll_leave(cx).map(|()| None),
        })
        .await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.lock().1.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn who_has_waited_longest_makes_room() {
        let now = Instant::now();
        let since = now.checked_sub(Duration::from_mins(1)).unwrap_or(now);
        let crowds = [Arc::new(Crowd::new(since)), Arc::new(Crowd::new(since))];
        let places: Vec<_> = (0..6_u64)
            .map(|number| {
                let place = crowds[usize::from(number % 2 == 0)].enter();
                // The first is busy; the last has just begun to wait.
                let waits = [0, 5, 3, 4, 2, 59_999_999][usize::try_from(number).unwrap_or(0)];
                place.seat.waits_since.store(waits, Ordering::Relaxed);
                place
            })
            .collect();
        let left = || -> Vec<bool> {
            let leaves = |place: &Place| poll_fn(|cx| place.poll_leave(cx)).now_or_never();
            places.iter().map(|place| leaves(place).is_some()).collect()
        };
        let ask = |count| make_room(crowds.iter().map(|crowd| &**crowd), count);
        ask(1);
        assert_eq!(left(), [false, false, false, false, true, false]);
        ask(2);
        assert_eq!(left(), [false, false, true, true, true, false]);
        ask(10);
        assert_eq!(left(), [false, true, true, true, true, false]);
        drop(places);
        assert_eq!(crowds.each_ref().map(|crowd| crowd.lock().1.len()), [0, 0]);
    }
}
