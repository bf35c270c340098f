//! Replicas that failed: they get no requests until they pass a probe.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ovhai_core::replica::ReplicaKey;

use super::Gateway;

/// Time between two probes.
const PROBE_EVERY: Duration = Duration::from_millis(500);

/// The replicas that get no requests.
#[derive(Debug, Default)]
pub(super) struct Health {
    out: Mutex<HashSet<ReplicaKey>>,
    /// Their number: while it is 0, which is nearly always, no request takes the lock.
    count: AtomicUsize,
}

impl Health {
    pub(super) fn is_out(&self, replica: ReplicaKey) -> bool {
        self.count.load(Ordering::Acquire) > 0
            && self.out.lock().unwrap_or_else(PoisonError::into_inner).contains(&replica)
    }

    /// Changes the set; returns whether it changed.
    fn change(&self, change: impl FnOnce(&mut HashSet<ReplicaKey>) -> bool) -> bool {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = change(&mut out);
        self.count.store(out.len(), Ordering::Release);
        has_changed
    }

    /// Takes a replica out. Returns whether that is new.
    pub(super) fn leave_out(&self, replica: ReplicaKey) -> bool {
        self.change(|out| out.insert(replica))
    }

    fn take_back(&self, replica: ReplicaKey) {
        self.change(|out| out.remove(&replica));
    }
}

/// Probes a replica until it answers, or the app has it no more.
pub(super) async fn watch(gateway: Arc<Gateway>, replica: ReplicaKey, path: Option<String>) {
    loop {
        tokio::select! {
            () = gateway.stopping.cancelled() => return,
            () = tokio::time::sleep(PROBE_EVERY) => {}
        }
        // It may answer at another address by now.
        let address = gateway.platform.snapshot().app(replica.app).and_then(|entry| {
            entry.live.backends.iter().find(|backend| backend.key == replica).map(|it| it.http)
        });
        let is_good = match address {
            Some(address) => ovhai_runtime::probe::http(address, path.as_deref()).await.is_ok(),
            None => true,
        };
        if is_good {
            gateway.health.take_back(replica);
            return;
        }
    }
}
