//! Synchronisations of volumes with their data stores.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The state of a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VolumeStatus {
    /// Id of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it is mounted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
    /// When the last synchronisation to the volume was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub last_pulled_created_at: Option<Timestamp>,
    /// When the last synchronisation from the volume was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub last_pushed_created_at: Option<Timestamp>,
}

/// The direction of a data synchronisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DataSyncSpecDirection))]
pub enum DataSyncDirection {
    /// From the object storage to the volume.
    Pull,
    /// From the volume to the object storage.
    Push,
}

/// The request of a data synchronisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DataSyncSpec {
    /// The direction.
    pub direction: DataSyncDirection,
    /// The app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Whether a user requested it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<bool>,
    /// The volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
}

/// A data synchronisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DataSync {
    /// Its id.
    pub id: String,
    /// When it was requested.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it last changed.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// The request.
    pub spec: DataSyncSpec,
    /// What became of it.
    #[serde(default)]
    pub status: DataSyncStatus,
}

/// What became of a data synchronisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DataSyncStatus {
    /// `QUEUED`, `RUNNING`, `DONE`, `FAILED` or `INTERRUPTED`.
    #[serde(default)]
    pub state: String,
    /// When it was queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub queued_at: Option<Timestamp>,
    /// When it began.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub ended_at: Option<Timestamp>,
    /// Its progress, a volume each.
    #[serde(default)]
    pub progress: Vec<DataSyncProgress>,
}

/// The progress of a data synchronisation with one volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DataSyncProgress {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// The id of the synchronisation.
    #[serde(default)]
    pub data_sync_id: String,
    /// `pull` or `push`.
    #[serde(default)]
    pub direction: String,
    /// The state, as that of the synchronisation.
    #[serde(default)]
    pub state: String,
    /// What happened, for people; empty if there is nothing to say.
    #[serde(default)]
    pub info: String,
    /// Files to look at.
    #[serde(default)]
    pub total: i64,
    /// Files that were looked at.
    #[serde(default)]
    pub processed: i64,
    /// Files that were copied.
    #[serde(default)]
    pub completed: i64,
    /// Files that were the same already, or are left out.
    #[serde(default)]
    pub skipped: i64,
    /// Files that could not be copied or deleted.
    #[serde(default)]
    pub failed: i64,
    /// Files that were deleted.
    #[serde(default)]
    pub deleted: i64,
    /// Bytes that were copied.
    #[serde(default)]
    pub transferred_bytes: i64,
    /// When it began.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it last changed.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// The volume.
    #[serde(default)]
    pub volume_status: VolumeStatus,
}
