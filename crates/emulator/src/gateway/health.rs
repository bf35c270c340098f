//! Replicas that took no connections, and their way back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ovhai_core::replica::ReplicaKey;

use super::Gateway;

/// Between two probes.
const PROBE_EVERY: Duration = Duration::from_millis(500);

/// Who is left out.
#[derive(Debug, Default)]
pub(super) struct Health {
    out: Mutex<HashSet<ReplicaKey>>,
}

impl Health {
    pub(super) fn is_out(&self, replica: ReplicaKey) -> bool {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        !out.is_empty() && out.contains(&replica)
    }

    /// Whether it is new that it is left out.
    pub(super) fn leave_out(&self, replica: ReplicaKey) -> bool {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).insert(replica)
    }

    fn take_back(&self, replica: ReplicaKey) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).remove(&replica);
    }
}

/// Probes a replica until it answers, or is gone.
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
