//! A clock that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ovhai_api_types::Timestamp;
use ovhai_core::ports::Clock;
use ovhai_emulator::Builder;

use crate::TestEmulator;

/// A clock that stands still unless a test moves it.
#[derive(Debug)]
pub struct SteppedClock(Timestamp, AtomicI64);

impl SteppedClock {
    /// At the current time.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Timestamp::now(), AtomicI64::new(0)))
    }

    /// Moves it to this many seconds after its beginning.
    pub fn set(&self, seconds: u64) {
        self.1.store(seconds.try_into().unwrap(), Ordering::SeqCst);
    }

    /// An emulator whose domain time it is.
    pub async fn emulator(self: &Arc<Self>, builder: Builder) -> TestEmulator {
        let emulator = builder.clock(Arc::clone(self) as _).start().await.unwrap();
        TestEmulator { emulator, sim: None }
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        self.0
            .checked_add(Duration::from_secs(self.1.load(Ordering::SeqCst).unsigned_abs()))
            .unwrap()
    }
}
