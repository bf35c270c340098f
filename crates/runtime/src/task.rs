//! A replica that is a task: requests to stop, and the notice that it has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ovhai_api_types::Placement;
use ovhai_core::ports::{BoxFuture, Replica, ReplicaUsage};
use tokio::sync::{mpsc, watch};

use crate::usage;

/// The replica's side.
pub(crate) struct Control {
    /// Requests to stop, each with its grace; closes when the replica is dropped.
    pub(crate) stop: mpsc::UnboundedReceiver<Duration>,
    /// Dropped when nothing is left.
    pub(crate) done: watch::Sender<()>,
    /// The session that its processes belong to; 0: none.
    pub(crate) session: Arc<AtomicU32>,
}

/// The owner's side.
pub(crate) struct TaskReplica {
    stop: mpsc::UnboundedSender<Duration>,
    done: watch::Receiver<()>,
    session: Arc<AtomicU32>,
    placement: Placement,
}

pub(crate) fn replica(placement: Placement) -> (TaskReplica, Control) {
    let (stop, stop_requests) = mpsc::unbounded_channel();
    let (done, ended) = watch::channel(());
    let session = Arc::new(AtomicU32::new(0));
    let control = Control { stop: stop_requests, done, session: Arc::clone(&session) };
    (TaskReplica { stop, done: ended, session, placement }, control)
}

impl Replica for TaskReplica {
    fn stop(&self, grace: Duration) -> BoxFuture<'static, ()> {
        // A task that has ended has closed the channel.
        let _ = self.stop.send(grace);
        let mut done = self.done.clone();
        Box::pin(async move { while done.changed().await.is_ok() {} })
    }

    fn placement(&self) -> Option<Placement> {
        Some(self.placement)
    }

    fn usage(&self) -> BoxFuture<'static, Option<ReplicaUsage>> {
        let session = self.session.load(Ordering::Relaxed);
        Box::pin(async move {
            if session == 0 {
                return None;
            }
            tokio::task::spawn_blocking(move || usage::of_session(session)).await.ok().flatten()
        })
    }
}
