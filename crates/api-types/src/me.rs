//! Who the caller is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::token::Role;

/// How the caller authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = MeTokenKind))]
pub enum TokenKind {
    /// With an application token.
    App,
    /// With a login.
    Oauth,
}

/// The project's quotas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ProjectQuotas {
    /// Units by kind, such as `{"CPU": 12, "GPU": 4}`.
    #[serde(default)]
    pub resources: BTreeMap<String, Option<i64>>,
    /// Bytes of storage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<i64>,
}

/// The answer of `GET /v1/me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Me {
    /// The user's name, or the token's.
    pub name: String,
    /// The project's quotas in this region.
    #[serde(default)]
    pub quotas: ProjectQuotas,
    /// What the caller may do.
    pub role: Role,
    /// The project's id.
    #[serde(default)]
    pub tenant: String,
    /// How the caller authenticated.
    pub token_kind: TokenKind,
    /// The trust between the caller and the project; the token's id for application tokens.
    #[serde(default)]
    pub trust_id: String,
}
