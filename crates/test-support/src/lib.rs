//! Helpers for tests of several crates: an emulator in process, a command line in an environment of
//! its own, and upstreams that a test controls.
//!
//! Everything here may panic: it is for tests only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod cli;
mod emulator;
mod stderr;
mod upstream;

pub use cli::TestCli;
pub use emulator::{Answer, TestEmulator, send};
pub use stderr::{is_stderr_lost, lose_log, stderr};
pub use upstream::Upstream;

use std::future::Future;
use std::time::{Duration, Instant};

/// Polls until there is an answer; panics after two minutes, naming `what`.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The same for a synchronous check.
pub fn eventually_now<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
