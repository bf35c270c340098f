//! Users, as they are stored.

use ovhai_api_types::Timestamp;
use serde::{Deserialize, Serialize};

/// A person who can log in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// The name, unique.
    pub name: String,
    /// The password's argon2 hash, as a PHC string.
    pub password: String,
    /// When the user was added.
    pub created_at: Timestamp,
    /// When the password was last set.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRecord").field("name", &self.name).finish_non_exhaustive()
    }
}
