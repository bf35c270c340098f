//! What tells the time.

use ovhai_api_types::Timestamp;

/// Tells the time of day. Waiting is tokio's, which tests pause.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}
