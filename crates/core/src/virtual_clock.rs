//! A clock whose domain time can be moved forward, and can stand still.
//!
//! It knows the moments that tasks wait for, so that a move goes from one to the next. A wait is
//! registered until its task has noticed that it is over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ovhai_api_types::Timestamp;
use tokio::sync::Notify;

use crate::model::ClockRecord;
use crate::ports::{BoxFuture, Clock, ClockControl};

/// Maximum time between two readings of the system's clock, which goes on while the machine sleeps.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// Stands for a clock that goes on.
const GOES_ON: i64 = i64::MIN;

#[derive(Debug, Default)]
struct Waits {
    next: u64,
    by_moment: BTreeMap<(Timestamp, u64), Arc<Notify>>,
}

/// See the module.
#[derive(Debug)]
pub struct VirtualClock {
    ahead: AtomicI64,
    stands_at: AtomicI64,
    waits: Mutex<Waits>,
}

/// The system's time in whole milliseconds, as the API has it.
fn system_time() -> i64 {
    Timestamp::now().as_millisecond()
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// A registered wait; dropping it removes it.
struct Wait<'a> {
    clock: &'a VirtualClock,
    key: (Timestamp, u64),
    moved: Arc<Notify>,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.clock.waits().by_moment.remove(&self.key);
    }
}

impl VirtualClock {
    /// A clock that shows real time.
    pub fn new() -> Self {
        Self {
            ahead: AtomicI64::new(0),
            stands_at: AtomicI64::new(GOES_ON),
            waits: Mutex::default(),
        }
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, at: Timestamp) -> Wait<'_> {
        let mut waits = self.waits();
        waits.next += 1;
        let (key, moved) = ((at, waits.next), Arc::<Notify>::default());
        waits.by_moment.insert(key, Arc::clone(&moved));
        Wait { clock: self, key, moved }
    }

    /// Wakes the waits for moments up to this one.
    fn wake(&self, until: Timestamp) {
        for moved in self.waits().by_moment.range(..=(until, u64::MAX)).map(|(_, moved)| moved) {
            moved.notify_one();
        }
    }
}

impl ClockControl for VirtualClock {
    fn stands_still(&self) -> bool {
        self.stands_at.load(Ordering::Acquire) != GOES_ON
    }

    fn record(&self) -> ClockRecord {
        let stands_at = self.stands_still().then(|| self.now());
        ClockRecord { ahead_millis: self.ahead.load(Ordering::Acquire), stands_at }
    }

    fn restore(&self, record: ClockRecord) {
        self.ahead.store(record.ahead_millis, Ordering::Release);
        let stands_at = record.stands_at.map_or(GOES_ON, Timestamp::as_millisecond);
        self.stands_at.store(stands_at, Ordering::Release);
        self.wake(Timestamp::MAX);
    }

    fn freeze(&self) {
        if !self.stands_still() {
            self.stands_at.store(self.now().as_millisecond(), Ordering::Release);
            // They wait for the clock from now on, and not for real time.
            self.wake(Timestamp::MAX);
        }
    }

    fn move_to(&self, at: Timestamp) {
        let before = self.stands_at.load(Ordering::Acquire);
        if before != GOES_ON && before < at.as_millisecond() {
            self.stands_at.store(at.as_millisecond(), Ordering::Release);
            self.wake(at);
        }
    }

    fn resume(&self) {
        let stands_at = self.stands_at.load(Ordering::Acquire);
        if stands_at != GOES_ON {
            self.ahead.store(stands_at - system_time(), Ordering::Release);
            self.stands_at.store(GOES_ON, Ordering::Release);
            self.wake(Timestamp::MAX);
        }
    }

    fn next_wait(&self) -> Option<Timestamp> {
        self.waits().by_moment.first_key_value().map(|((at, _), _)| *at)
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        match self.stands_at.load(Ordering::Acquire) {
            GOES_ON => timestamp(system_time() + self.ahead.load(Ordering::Acquire)),
            stands_at => timestamp(stands_at),
        }
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        // Registered now, and not when the wait is polled first: a move in between is not missed.
        let wait = self.register(at);
        Box::pin(async move {
            loop {
                let left = match Duration::try_from(wait.key.0.duration_since(self.now())) {
                    Ok(left) if !left.is_zero() => left,
                    _ => return,
                };
                if self.stands_still() {
                    wait.moved.notified().await;
                } else {
                    let _ = tokio::time::timeout(left.min(LOOK_EVERY), wait.moved.notified()).await;
                }
            }
        })
    }

    fn real_time(&self) -> Timestamp {
        timestamp(system_time())
    }

    fn moved(&self) -> Option<Timestamp> {
        let is_real = !self.stands_still() && self.ahead.load(Ordering::Acquire) == 0;
        (!is_real).then(|| self.now())
    }

    fn control(&self) -> Option<&dyn ClockControl> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::{Pin, pin};
    use std::task::Poll;

    use super::*;

    async fn ends(wait: &mut Pin<&mut impl Future<Output = ()>>) -> bool {
        poll_fn(|context| Poll::Ready(wait.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn a_clock_that_stands_still_is_moved_from_wait_to_wait() {
        let clock = VirtualClock::new();
        assert_eq!((clock.moved(), clock.next_wait()), (None, None));
        clock.freeze();
        let start = clock.now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut early = pin!(clock.sleep_until(at(10)));
        let mut late = pin!(clock.sleep_until(at(20)));
        assert!(!ends(&mut early).await && !ends(&mut late).await);
        assert_eq!(clock.next_wait(), Some(at(10)));
        clock.move_to(at(9));
        assert!(!ends(&mut early).await);
        clock.move_to(at(10));
        clock.move_to(at(9));
        assert_eq!((clock.now(), clock.next_wait()), (at(10), Some(at(10))));
        assert!(ends(&mut early).await);
        assert!(!ends(&mut late).await);
        assert_eq!(clock.next_wait(), Some(at(20)));
    }

    #[tokio::test]
    async fn it_goes_on_from_where_it_stood_also_after_a_restart() {
        let clock = VirtualClock::new();
        clock.freeze();
        let hour = clock.now() + Duration::from_hours(1);
        clock.move_to(hour);
        let stood = VirtualClock::new();
        stood.restore(clock.record());
        assert_eq!((stood.now(), stood.stands_still()), (hour, true));
        clock.resume();
        let again = VirtualClock::new();
        again.restore(clock.record());
        assert!(!again.stands_still() && again.now() >= hour && again.moved().is_some());
        // A wait notices that the clock goes on.
        let clock = Arc::new(stood);
        let waits = Arc::clone(&clock);
        let wait =
            tokio::spawn(async move { waits.sleep_until(hour + Duration::from_millis(1)).await });
        while clock.next_wait().is_none() {
            tokio::task::yield_now().await;
        }
        clock.resume();
        wait.await.unwrap();
    }
}
