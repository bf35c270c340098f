//! Registries, as they are stored.

use std::fmt;

use ovhai_api_types::{Region, RegistryId, Timestamp};
use serde::{Deserialize, Serialize};

/// A password, encrypted by the [`Vault`](crate::ports::Vault).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SealedPassword(pub(crate) String);

impl fmt::Debug for SealedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedPassword")
    }
}

/// A registry that images come from.
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
    /// The password; none if none was given, or an earlier version added the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SealedPassword>,
    /// Name of the caller that added it.
    pub user: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl RegistryRecord {
    /// What the password of this registry is encrypted for.
    pub(crate) fn purpose(id: RegistryId, region: &Region) -> String {
        format!("registry {id} {region}")
    }
}
