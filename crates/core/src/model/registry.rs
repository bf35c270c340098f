//! Registries, as they are stored.

use ovhai_api_types::{Region, RegistryId, Timestamp};
use serde::{Deserialize, Serialize};

/// A registry that images come from. Its password is not kept: nothing is pulled yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRecord {
    /// The id.
    pub id: RegistryId,
    /// The region it was added in.
    pub region: Region,
    /// Order of creation.
    pub seq: u64,
    /// Host and path, such as `registry.example.com/team`.
    pub url: String,
    /// User name at the registry.
    pub username: String,
    /// Name of the caller that added it.
    pub user: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
