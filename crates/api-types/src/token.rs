//! Application tokens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::id::TokenId;
use crate::page::Metadata;

/// The role of a caller. On the wire `administrator`, `ai_training_read`, `ai_training_operator`;
/// on the command line `read` and `operator`. Both are accepted.
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

    /// Parses the roles of tokens, in either spelling.
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

/// The desired state of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenSpec {
    /// Display name, 1 to 100 characters.
    pub name: String,
    /// `ai_training_read` or `ai_training_operator` (`read`, `operator`).
    pub role: String,
    /// The scope; when absent or empty, all apps of the project in its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<String>,
}

/// The observed state of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenStatus {
    /// The token's string: only in the responses to creation and renewal, otherwise null.
    #[serde(default)]
    pub value: Option<String>,
    /// 1 at first; every renewal adds one. Only the newest version is valid.
    #[serde(default)]
    pub version: i64,
}

/// An application token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Token {
    /// The id, which renewals keep.
    pub id: TokenId,
    /// When it was created.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was last renewed.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// The desired state.
    pub spec: TokenSpec,
    /// The observed state.
    pub status: TokenStatus,
}

/// One page of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenList {
    /// The tokens, newest first.
    #[serde(default)]
    pub items: Vec<Token>,
    /// Position of the page.
    #[serde(default)]
    pub metadata: Metadata,
}
