//! Threads that read or write files of a transfer. When the transfer ends, or is interrupted, it
//! waits for them, so that they remove what they have not finished.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

/// Maximum time that an interruption waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// See the module. What feeds the threads has to be dropped before.
#[derive(Debug, Clone, Default)]
pub(super) struct Threads(Arc<Running>);

#[derive(Debug, Default)]
struct Running {
    count: Mutex<usize>,
    ended: Condvar,
}

impl Threads {
    /// Runs what blocks.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let one = One(Arc::clone(&self.0));
        tokio::task::spawn_blocking(move || {
            let _one = one;
            work()
        })
    }

    /// Waits until all have ended.
    fn wait(&self) {
        let count = self.0.count.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.0.ended.wait_timeout_while(count, PATIENCE, |count| *count > 0);
    }
}

/// One of the threads.
struct One(Arc<Running>);

impl Drop for One {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.ended.notify_all();
    }
}

/// Waits for the threads when it is dropped.
#[derive(Debug)]
pub(super) struct AtEnd(pub(super) Threads);

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.0.wait();
    }
}
