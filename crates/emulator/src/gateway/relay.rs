//! What a worker needs to pass requests on to apps.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio_util::sync::CancellationToken;

use super::Gateway;
use super::upstream::Pool;
use crate::limits::Limits;
use crate::telemetry::Failovers;

/// One worker's access to the apps.
pub(crate) struct Relay {
    pub(crate) gateway: Arc<Gateway>,
    /// Connections to apps, which only this worker uses.
    pub(crate) pool: Pool,
    pub(crate) limits: Limits,
    pub(crate) stopping: CancellationToken,
    /// How many more requests of HTTP/2 may be under way at apps, of all workers together.
    pub(crate) streams_left: Arc<AtomicUsize>,
    pub(crate) failovers: Failovers,
}

impl Relay {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }
}
