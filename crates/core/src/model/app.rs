//! Apps, as they are stored.

use ovhai_api_types::{AppId, AppState, AppStateHistory, Info, Labels, Region, Timestamp};
use serde::{Deserialize, Serialize};

use crate::spec::Spec;

/// What was asked for an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// It should run.
    Running,
    /// It should not run, and stay.
    Stopped,
    /// It should go, after its replicas were asked to stop.
    Deleted,
    /// It should go at once.
    Killed,
}

/// An app, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRecord {
    /// The id.
    pub id: AppId,
    /// The region it lives in.
    pub region: Region,
    /// Order of submission, unique over all regions.
    pub seq: u64,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Name of the caller that submitted it.
    pub user: String,
    /// What was asked for, checked and with its defaults.
    pub spec: Spec,
    /// Whether callers that may run local processes gave all of its environment: no other environment
    /// gets into a local process.
    #[serde(default)]
    pub trusted_environment: bool,
    /// Whether the local administrator named the image: this machine's logins may pull it.
    #[serde(default)]
    pub trusted_image: bool,
    /// Whether the emulator's owner submitted it: its volumes may come from private repositories.
    #[serde(default)]
    pub trusted_volumes: bool,
    /// Whether the owner alone said what it runs: volumes may be written back to directories that the owner
    /// named.
    #[serde(default)]
    pub trusted_writeback: bool,
    /// All labels, the platform's among them.
    pub labels: Labels,
    /// The desired state.
    pub wanted: Wanted,
    /// Counts the changes that need new replicas (image, port, environment).
    pub revision: u64,
    /// The state.
    pub state: AppState,
    /// Why it is in that state.
    pub info: Info,
    /// The states it has been in, oldest first; bounded.
    pub history: Vec<AppStateHistory>,
}
