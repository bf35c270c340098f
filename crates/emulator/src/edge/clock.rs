//! A connection's deadline, moved with every request at the cost of a subtraction.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// One timer for the life of a connection: it is set anew only when it rings too early, or would
/// ring too late.
#[derive(Debug)]
pub(crate) struct Clock {
    timer: Pin<Box<Sleep>>,
    at: Instant,
    /// How long a client may pause in a body.
    pause: Duration,
}

impl Clock {
    pub(crate) fn new(time: Duration, pause: Duration) -> Self {
        let at = Instant::now() + time;
        Self { timer: Box::pin(tokio::time::sleep_until(at)), at, pause }
    }

    pub(crate) fn pause(&self) -> Duration {
        self.pause
    }

    /// The time from now on; says what moment that is.
    pub(crate) fn set(&mut self, time: Duration) -> Instant {
        let now = Instant::now();
        self.at = now + time;
        if self.timer.deadline() > self.at {
            self.timer.as_mut().reset(self.at);
        }
        now
    }

    /// Ready when the time is up.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(cx).is_ready() {
            if self.at <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.at);
        }
        Poll::Pending
    }
}
