//! Logins, as they are stored.

use ovhai_api_types::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

/// A secret of which only the SHA-256 digest is known here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The digest, in hexadecimal digits.
    pub digest: String,
    /// The end of the secret's validity.
    pub until: Timestamp,
}

/// A login. Its strings exist at the client only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The id.
    pub id: SessionId,
    /// The user's name.
    pub user: String,
    /// The secrets that calls are made with, newest first: one that was replaced stays valid until it
    /// expires, since a call may be using it.
    pub access: Vec<Digest>,
    /// The secret that makes new ones.
    pub refresh: Digest,
    /// When the user logged in.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionRecord")
            .field("id", &self.id)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
