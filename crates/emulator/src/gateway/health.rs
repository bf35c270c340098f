//! Replicas that took no connections, and their way back.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ovhai_api_types::AppId;

use super::Gateway;

/// Between two probes.
const PROBE_EVERY: Duration = Duration::from_millis(500);

/// Who is left out.
#[derive(Debug, Default)]
pub(super) struct Health {
    out: Mutex<HashSet<(AppId, SocketAddr)>>,
}

impl Health {
    pub(super) fn is_out(&self, app: AppId, address: SocketAddr) -> bool {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        !out.is_empty() && out.contains(&(app, address))
    }

    /// Whether it is new that it is left out.
    pub(super) fn leave_out(&self, app: AppId, address: SocketAddr) -> bool {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).insert((app, address))
    }

    fn take_back(&self, app: AppId, address: SocketAddr) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).remove(&(app, address));
    }
}

/// Probes a replica until it answers, or is none of the app's any more.
pub(super) async fn watch(
    gateway: Arc<Gateway>,
    app: AppId,
    address: SocketAddr,
    path: Option<String>,
) {
    loop {
        tokio::select! {
            () = gateway.stopping.cancelled() => return,
            () = tokio::time::sleep(PROBE_EVERY) => {}
        }
        let is_there = gateway.platform.snapshot().app(app).is_some_and(|entry| {
            entry.live.backends.iter().any(|endpoint| endpoint.http == address)
        });
        if !is_there || ovhai_runtime::probe::http(address, path.as_deref()).await.is_ok() {
            gateway.health.take_back(app, address);
            return;
        }
    }
}
