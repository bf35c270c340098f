//! The emulator's clock.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The emulator's clock at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockStatus {
    /// The time of apps, deadlines and logins.
    pub domain_time: Timestamp,
    /// The time of the machine.
    pub real_time: Timestamp,
    /// Whether domain time stands still.
    pub frozen: bool,
    /// Whether domain time differs from real time.
    pub moved: bool,
    /// What was not done in time, so that domain time was not moved further.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_hand: Vec<String>,
}

/// How far to move domain time: by an interval, or to a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClockMove {
    /// Milliseconds to advance by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_millis: Option<u64>,
    /// The moment to advance to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Milliseconds of real time that each step has to be done [default: 30000].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_millis: Option<u64>,
}
