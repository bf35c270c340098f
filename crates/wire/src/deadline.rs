//! A connection's deadline, moved with every request at the cost of a subtraction.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// One timer for the life of a connection. It is set again only when it fires too early, or would
/// fire too late.
#[derive(Debug)]
pub struct Deadline {
    timer: Pin<Box<Sleep>>,
    at: Instant,
    /// Maximum pause of the client in a body.
    pause: Duration,
}

impl Deadline {
    /// One that is reached after `time`; `pause` is the maximum pause of the client in a body.
    pub fn new(time: Duration, pause: Duration) -> Self {
        let at = Instant::now() + time;
        Self { timer: Box::pin(tokio::time::sleep_until(at)), at, pause }
    }

    /// Maximum pause of the client in a body.
    #[inline]
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Moves the deadline to `time` from now. Returns what moment now is.
    #[inline]
    pub fn set(&mut self, time: Duration) -> Instant {
        let now = Instant::now();
        self.at = now + time;
        if self.timer.deadline() > self.at {
            self.timer.as_mut().reset(self.at);
        }
        now
    }

    /// Ready when the deadline is reached.
    #[inline]
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(cx).is_ready() {
            if self.at <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.at);
        }
        Poll::Pending
    }
}
