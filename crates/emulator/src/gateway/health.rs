//! Replicas that failed: they get no requests until they pass a probe.

use std::collections::HashSet;
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
}

impl Health {
    pub(super) fn is_out(&self, replica: ReplicaKey) -> bool {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        !out.is_empty() && out.contains(&replica)
    }

    /// Takes a replica out. Returns whether that is new.
    pub(super) fn leave_out(&self, replica: ReplicaKey) -> bool {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).insert(replica)
    }

    fn take_back(&self, replica: ReplicaKey) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).remove(&replica);
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
