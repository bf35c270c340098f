//! Replicas that failed: they get no requests until they pass a probe.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ovhai_api_types::AppId;

use super::Gateway;

/// Time between two probes.
const PROBE_EVERY: Duration = Duration::from_millis(500);

/// The replicas that get no requests.
#[derive(Debug, Default)]
pub(super) struct Health {
    out: Mutex<HashSet<(AppId, SocketAddr)>>,
}

impl Health {
    pub(super) fn is_out(&self, app: AppId, address: SocketAddr) -> bool {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        !out.is_empty() && out.contains(&(app, address))
    }

    /// Takes a replica out. Returns whether that is new.
    pub(super) fn leave_out(&self, app: AppId, address: SocketAddr) -> bool {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).insert((app, address))
    }

    fn take_back(&self, app: AppId, address: SocketAddr) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).remove(&(app, address));
    }
}

/// Probes a replica until it answers, or the app has it no more.
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
