//! Application tokens, as they are stored.

use ovhai_api_types::{Region, Role, Selector, Timestamp, TokenId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An application token, as it is stored: everything but its string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The id.
    pub id: TokenId,
    /// The only region it opens.
    pub region: Region,
    /// Order of creation.
    pub seq: u64,
    /// A name for people.
    pub name: String,
    /// Read or operator.
    pub role: Role,
    /// The scope; none: every app of the region.
    pub selector: Option<Selector>,
    /// The only version that opens anything.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last renewed.
    pub updated_at: Timestamp,
}

/// What a token's string says once its signature is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenClaims {
    /// The project.
    pub project: Uuid,
    /// The token.
    pub id: TokenId,
    /// Which of the token's versions the string is.
    pub version: u32,
    /// Whom the token speaks for.
    pub subject: Uuid,
}
