//! The stored state of the clock.

use ovhai_api_types::Timestamp;
use serde::{Deserialize, Serialize};

/// How domain time differs from real time. It is stored, and holds after a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockRecord {
    /// Milliseconds that domain time is ahead of real time.
    pub ahead_millis: i64,
    /// The moment at which it stands still, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_at: Option<Timestamp>,
}
