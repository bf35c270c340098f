//! Registries that images come from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::id::RegistryId;
use crate::page::Metadata;

/// A registry. A request has `url`, `username` and `password`; a response has all other fields, and
/// never a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Registry {
    /// The id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RegistryId>,
    /// Host and path, such as `registry.example.com/team`.
    pub url: String,
    /// Who is known there.
    pub username: String,
    /// The password: taken and not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// When it was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub updated_at: Option<Timestamp>,
    /// Who added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("id", &self.id)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// A change of a registry; absent fields stay as they are.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegistryUpdate {
    /// The password: taken and not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Host and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who is known there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

impl fmt::Debug for RegistryUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryUpdate").field("url", &self.url).finish_non_exhaustive()
    }
}

/// One page of registries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegistryList {
    /// The registries, newest first.
    #[serde(default)]
    pub items: Vec<Registry>,
    /// Position of the page.
    #[serde(default)]
    pub metadata: Metadata,
}

/// Whether two addresses are the same, however they are written.
pub fn is_same_address(one: &str, other: &str) -> bool {
    plain_address(one) == plain_address(other)
}

/// An address without what may be written or left out: scheme, port 443, a slash at the end, and
/// the case of the host.
fn plain_address(url: &str) -> String {
    let url = match url.split_at_checked("https://".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https://") => rest,
        _ => url,
    };
    let (host, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    let host = host.strip_suffix(":443").unwrap_or(host).to_ascii_lowercase();
    host + path.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let plain = "registry.example.com/team";
        for same in ["https://Registry.example.com:443/team/", "HTTPS://registry.example.com/team"]
        {
            assert!(is_same_address(same, plain), "{same}");
        }
        for other in [
            "registry.example.com",
            "registry.example.com/Team",
            "http://registry.example.com/team",
        ] {
            assert!(!is_same_address(other, plain), "{other}");
        }
    }
}
