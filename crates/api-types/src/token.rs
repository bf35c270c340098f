//! Application tokens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::id::TokenId;
use crate::page::Metadata;

/// What a caller may do. On the wire `administrator`, `ai_training_read`,
/// `ai_training_operator`; on the command line `read` and `operator`. Both are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Role {
    /// Everything in the project; no application token has this role.
    #[serde(rename = "administrator")]
    Administrator,
    /// Query and manage.
    #[serde(rename = "ai_training_operator", alias = "operator")]
    Operator,
    /// Query only.
    #[serde(rename = "ai_training_read", alias = "read")]
    Read,
}

impl Role {
    /// The name on the command line.
    pub fn short(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
            Self::Read => "read",
        }
    }

    /// The name on the wire.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Operator => "ai_training_operator",
            Self::Read => "ai_training_read",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.short())
    }
}

impl FromStr for Role {
    type Err = String;

    /// Takes the roles that a token can have, in either spelling.
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "read" | "ai_training_read" => Ok(Self::Read),
            "operator" | "ai_training_operator" => Ok(Self::Operator),
            other => Err(format!(
                "{:?} is not a role: use read (ai_training_read) or operator (ai_training_operator)",
                other.chars().take(40).collect::<String>()
            )),
        }
    }
}

/// What a token is asked to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenSpec {
    /// A name for people, 1 to 100 characters.
    pub name: String,
    /// `ai_training_read` or `ai_training_operator` (`read`, `operator`).
    pub role: String,
    /// Which apps it is for; absent or empty: all of the project in its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<String>,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenStatus {
    /// The token's string: filled in the answers of creation and renewal, null ever after.
    #[serde(default)]
    pub value: Option<String>,
    /// 1 at first; every renewal adds one, and only the newest version opens anything.
    #[serde(default)]
    pub version: i64,
}

/// An application token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Token {
    /// The id, which renewal does not change.
    pub id: TokenId,
    /// When it was made.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last renewed.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// What it was asked to be.
    pub spec: TokenSpec,
    /// What it is.
    pub status: TokenStatus,
}

/// One page of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenList {
    /// The tokens, newest first.
    #[serde(default)]
    pub items: Vec<Token>,
    /// Where the page stands.
    #[serde(default)]
    pub metadata: Metadata,
}
