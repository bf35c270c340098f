//! Whom a listener serves, and what: everything to anyone, or apps only to the containers of apps.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ovhai_containers::AppPeers;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::tls::Tls;

/// Part of the connections that apps may have to each other: calls in a circle must not use up all.
const PART_OF_APPS: usize = 4;

/// The clients of a listener.
#[derive(Clone)]
pub(super) enum Audience {
    /// Anyone, over TLS or not.
    Anyone(Option<Tls>),
    /// The containers of a network, and the connections that are left to all of them.
    Apps(AppPeers, Arc<AppConnections>),
}

/// The connections that are left to all apps.
pub(super) struct AppConnections {
    left: Arc<Semaphore>,
    /// Whether the log has said that there are none left.
    has_warned: AtomicBool,
}

impl AppConnections {
    /// `most` is the maximum of all clients.
    pub(super) fn new(most: usize) -> Arc<Self> {
        let left = (most / PART_OF_APPS).clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self { left: Arc::new(Semaphore::new(left)), has_warned: AtomicBool::new(false) })
    }

    fn take(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.left).try_acquire_owned().ok();
        if permit.is_none() && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "apps have too many connections to each other: new ones are closed. Does an app call itself?"
            );
        }
        permit
    }
}

/// What is known of a client that may connect.
pub(super) struct Admitted {
    pub(super) tls: Option<Tls>,
    /// Held by the connection of an app.
    pub(super) from_app: Option<OwnedSemaphorePermit>,
}

impl Audience {
    /// Admits a client; none: its connection is to be closed.
    pub(super) fn admit(&self, client: SocketAddr) -> Option<Admitted> {
        match self {
            Self::Anyone(tls) => Some(Admitted { tls: tls.clone(), from_app: None }),
            Self::Apps(peers, connections) => {
                if !peers.admits(client) {
                    tracing::debug!(%client, "a client outside the containers' network was turned away");
                    return None;
                }
                Some(Admitted { tls: None, from_app: Some(connections.take()?) })
            }
        }
    }

    /// Waits until the listener is to be closed.
    pub(super) async fn closed(&self) {
        match self {
            Self::Anyone(_) => std::future::pending().await,
            Self::Apps(peers, _) => peers.closed().await,
        }
    }
}
