//! What tells the time.
//!
//! *Domain time* governs apps, logins and deadlines; it can be moved forward, may stand
//! still, and never goes back. *Real time* is for the wire and for logs. They are the same until
//! domain time is moved.

use std::time::Duration;

use ovhai_api_types::Timestamp;

use super::future::BoxFuture;
use crate::model::clock::ClockRecord;

/// Maximum time between two readings of a clock: it goes on while the machine sleeps, and a timer does
/// not.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Tells the time, and waits for it.
pub trait Clock: Send + Sync + 'static {
    /// Domain time.
    fn now(&self) -> Timestamp;

    /// Waits until domain time has reached `at`. A clock that can be moved ends the wait when it is
    /// moved there.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                match Duration::try_from(at.duration_since(self.now())) {
                    Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(LOOK_EVERY)).await,
                    _ => return,
                }
            }
        })
    }

    /// Real time.
    fn real_time(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Domain time, while it differs from real time.
    fn moved(&self) -> Option<Timestamp> {
        None
    }

    /// How its domain time is moved, if it can be.
    fn control(&self) -> Option<&dyn ClockControl> {
        None
    }
}

/// Moves domain time.
pub trait ClockControl: Send + Sync {
    /// Whether it stands still.
    fn stands_still(&self) -> bool;

    /// What is stored of it.
    fn record(&self) -> ClockRecord;

    /// Continues as it was stored.
    fn restore(&self, record: ClockRecord);

    /// Stops it where it is.
    fn freeze(&self);

    /// Sets one that stands still forward; an earlier moment changes nothing.
    fn move_to(&self, at: Timestamp);

    /// Lets one that stands still go on from where it is.
    fn resume(&self);

    /// The earliest moment that a task waits for. It may have passed: the task has not noticed yet.
    fn next_wait(&self) -> Option<Timestamp>;
}

/// Domain time that passed between two moments; none if the second is earlier.
pub(crate) fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

/// A moment after another one.
pub(crate) fn after(moment: Timestamp, time: Duration) -> Timestamp {
    moment.saturating_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::Instant;

    use super::*;

    /// A clock that goes on while the machine sleeps.
    struct Slept(Instant, AtomicU64);

    impl Clock for Slept {
        fn now(&self) -> Timestamp {
            let slept = Duration::from_secs(self.1.load(Ordering::SeqCst));
            Timestamp::UNIX_EPOCH + self.0.elapsed() + slept
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_notices_that_the_machine_slept() {
        let clock = Slept(Instant::now(), AtomicU64::new(0));
        let hour = Duration::from_hours(1);
        let mut wait = pin!(clock.sleep_until(Timestamp::UNIX_EPOCH + hour));
        let passes = async |wait: &mut _, time| tokio::time::timeout(time, wait).await.is_ok();
        assert!(!passes(&mut wait, hour.mul_f64(0.99)).await);
        assert!(passes(&mut wait, hour.mul_f64(0.02)).await);
        let mut wait = pin!(clock.sleep_until(Timestamp::UNIX_EPOCH + 3 * hour));
        assert!(!passes(&mut wait, Duration::from_mins(5)).await);
        clock.1.store(2 * 3600, Ordering::SeqCst);
        assert!(passes(&mut wait, LOOK_EVERY).await);
    }
}
