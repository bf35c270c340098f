//! What end-to-end tests share: emulators in process and as processes, a command line in an
//! environment of its own, clients on the level of bytes, and apps that a test controls.
//!
//! Everything here may panic: it is for tests only. The modules of tests/it import helpers from here,
//! never from each other. The executable under test is a parameter, since only tests/it knows it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::missing_panics_doc
)]

pub mod backpressure;
pub mod blocking;
pub mod browser;
mod cli;
pub mod clock;
pub mod console;
pub mod documents;
mod emulator;
pub mod foreground;
pub mod forward;
pub mod frames;
pub mod grpc;
pub mod http2;
pub mod processes;
pub mod pty;
pub mod raw;
pub mod recorder;
pub mod retry;
mod stderr;
pub mod stores;
mod upstream;
pub mod visitor;

pub use cli::TestCli;
pub use emulator::{Answer, TestEmulator, send};
pub use stderr::{is_stderr_lost, lose_log, stderr};
pub use upstream::Upstream;

use std::future::Future;
use std::time::{Duration, Instant};

/// A watchdog: a test fails if something that has to happen takes longer.
const PATIENCE: Duration = Duration::from_mins(2);
/// Time between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(5);

/// Polls until there is an answer; panics, naming `what`, if there is none for two minutes.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Polls a synchronous check until there is an answer; none if there is none within `patience`.
pub async fn eventually_within<T>(
    patience: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        match ask() {
            None if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            answer => return answer,
        }
    }
}

/// Polls a synchronous check until there is an answer, and blocks the thread meanwhile.
pub fn eventually_now<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// A free port, reserved among all emulators of the machine until the tests end.
pub fn free_port() -> u16 {
    let port = ovhai_runtime::sockets::free_port().expect("a port");
    let number = port.number;
    std::mem::forget(port);
    number
}

/// A port in use, and what uses it.
pub fn taken_port() -> (std::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}
