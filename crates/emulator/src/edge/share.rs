//! The share of each client in the requests of HTTP/2 that are under way at apps: each request has
//! a connection to its app, and the process can open a limited number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts a client's request to an app, as long as it is under way.
pub(super) struct Share {
    of_client: Arc<AtomicUsize>,
    /// The common pool that it was taken from, unless it is the one that each client has.
    more: Option<Arc<AtomicUsize>>,
}

impl Share {
    /// Takes one request more for a client; none if the client has more under way than are left.
    pub(super) fn take(of_client: &Arc<AtomicUsize>, left: &Arc<AtomicUsize>) -> Option<Self> {
        let before = of_client.fetch_add(1, Ordering::Relaxed);
        let mut share = Self { of_client: Arc::clone(of_client), more: None };
        if before > 0 {
            let take = |left: usize| left.checked_sub(1).filter(|_| before <= left);
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
            share.more = Some(Arc::clone(left));
        }
        Some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of_client.fetch_sub(1, Ordering::Relaxed);
        if let Some(left) = &self.more {
            left.fetch_add(1, Ordering::Relaxed);
        }
    }
}
