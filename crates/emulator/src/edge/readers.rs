//! The threads for calls that read many records: lists, logs, metrics.
//!
//! They are half as many as there are cores, and have a lower priority than the workers: lists that
//! are requested in a loop do not take the gateway's time.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Niceness of the threads, relative to the workers.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// The threads for calls that read many records.
pub(crate) struct ReaderThreads(Option<Runtime>);

impl ReaderThreads {
    /// Starts the threads.
    pub(crate) fn start() -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads((cores / 2).max(1))
            .thread_name("readers")
            .on_thread_start(|| {
                // On Linux niceness is the thread's own. If it is refused, the threads share the
                // cores equally.
                #[cfg(target_os = "linux")]
                let _ = rustix::process::nice(NICENESS);
            })
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// The runtime for calls; none once everything has stopped.
    pub(crate) fn handle(&self) -> Option<&Handle> {
        self.0.as_ref().map(Runtime::handle)
    }
}

impl Drop for ReaderThreads {
    fn drop(&mut self) {
        // The last connection may be dropped on a thread that must not block.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
