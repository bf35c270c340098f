//! A request for an app that is asleep: it wakes the app and waits, and is admitted again then.
//!
//! Only a request whose caller has access waits. Nothing of it is read meanwhile but its head, and
//! no time-out of bodies or answers runs.

use std::time::Duration;

use tokio::time::Instant;

use super::Gateway;
use super::access::Admission;
use super::refusal::Refusal;
use crate::telemetry::RefusalKind;

/// Maximum time that a request waits for an app to wake up.
const HOLD_MAX: Duration = Duration::from_mins(5);
/// How often to check whether a client that waits has hung up.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The time that a request may wait, however often the app falls asleep again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HoldLimit(Instant);

impl HoldLimit {
    pub(crate) fn new() -> Self {
        Self(Instant::now() + HOLD_MAX)
    }
}

/// A request that waits.
#[derive(Debug)]
pub(crate) struct Hold {
    admission: Admission,
}

impl Hold {
    pub(super) fn new(admission: Admission) -> Self {
        Self { admission }
    }

    /// Waits until the app may answer, or the caller's access may have changed: the request is to
    /// be admitted again. Refused when it takes too long, or everything stops.
    pub(crate) async fn over(self, gateway: &Gateway, limit: HoldLimit) -> Result<(), Refusal> {
        let Admission { app, principal, login, .. } = self.admission;
        let platform = &gateway.platform;
        let mut access = platform.watch_access(&principal, app);
        let mut live = platform.watch_live(app);
        // Subscribed first, then looked: no change is missed.
        let is_asleep = platform.snapshot().app(app).is_some_and(|entry| entry.is_asleep());
        let current = platform.current(&principal).filter(|_| is_asleep);
        let Some(current) = current else { return Ok(()) };
        if platform.wake(&current, app).is_err() {
            return Ok(());
        }
        let logged_out = async {
            match login {
                Some(login) => login.over(&**platform.clock()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = access.changed() => Ok(()),
            () = live.changed() => Ok(()),
            () = logged_out => Ok(()),
            () = gateway.stopping.cancelled() => Err(Refusal::new(
                RefusalKind::NotReady,
                "the emulator is shutting down",
            )),
            () = tokio::time::sleep_until(limit.0) => Err(Refusal::new(
                RefusalKind::NotReady,
                format!("the app {app} did not wake up within {} s", HOLD_MAX.as_secs()),
            )),
        }
    }
}
