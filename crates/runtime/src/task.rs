//! A replica that is a task: how it is told to stop and how others learn that it has ended.

use std::time::Duration;

use ovhai_core::ports::{BoxFuture, Replica};
use tokio::sync::{mpsc, watch};

/// The replica's side.
pub(crate) struct Control {
    /// Requests to stop, each with its grace; closed when nobody holds the replica any more.
    pub(crate) stop: mpsc::UnboundedReceiver<Duration>,
    /// Dropped when nothing is left.
    pub(crate) done: watch::Sender<()>,
}

/// The owner's side.
pub(crate) struct TaskReplica {
    stop: mpsc::UnboundedSender<Duration>,
    done: watch::Receiver<()>,
}

pub(crate) fn replica() -> (TaskReplica, Control) {
    let (stop, stop_requests) = mpsc::unbounded_channel();
    let (done, ended) = watch::channel(());
    (TaskReplica { stop, done: ended }, Control { stop: stop_requests, done })
}

impl Replica for TaskReplica {
    fn stop(&self, grace: Duration) -> BoxFuture<'static, ()> {
        // A task that has ended does not listen any more.
        let _ = self.stop.send(grace);
        let mut done = self.done.clone();
        Box::pin(async move { while done.changed().await.is_ok() {} })
    }
}
