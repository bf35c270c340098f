//! Registries that images come from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::id::RegistryId;
use crate::image::ImageName;
use crate::page::Metadata;

/// Whether the emulator has a registry's password. The real service does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum PasswordState {
    /// It has it.
    Stored,
    /// None was given, or an earlier version took it and did not store it.
    Missing,
    /// It has it, and can't decrypt it.
    Unreadable,
}

impl fmt::Display for PasswordState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stored => "stored",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        })
    }
}

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
    /// The password, in requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether the password is stored, in responses of the emulator only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_state: Option<PasswordState>,
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
    /// The password. Without it a new host deletes the stored one: it was given for the old host.
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

/// The host of an address, with its port unless that is 443.
pub fn registry_host(url: &str) -> String {
    let address = plain_address(url);
    address.split('/').next().unwrap_or_default().to_owned()
}

/// Whether a registry's address is that of an image, and the length of the address. It is, if it
/// names the image's host and nothing else, or the beginning of the image's path, too.
pub fn registry_covers(url: &str, image: &ImageName) -> Option<usize> {
    let mut address = plain_address(url);
    // Docker Hub's names in logins; the rest of its address is no part of images' names.
    if matches!(
        registry_host(url).as_str(),
        "docker.io" | "index.docker.io" | "registry-1.docker.io" | "hub.docker.com"
    ) {
        let path = address.split_once('/').map_or("", |(_, path)| path);
        let path = if matches!(path, "v1" | "v2") { "" } else { path };
        address = format!("docker.io/{path}");
    }
    let address = address.trim_end_matches('/');
    let repository = plain_address(image.repository());
    let rest = repository.strip_prefix(address)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(address.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_for_images_below_its_address() {
        for (url, image, is_for) in [
            ("registry.example.com", "registry.example.com/team/ui:1", true),
            ("https://Registry.example.com:443/", "registry.example.com:443/ui", true),
            ("registry.example.com/team", "registry.example.com/team/ui", true),
            ("registry.example.com/team", "registry.example.com/teams/ui", false),
            ("registry.example.com/team", "registry.example.com/ui", false),
            ("registry.example.com", "registry.example.com.evil.example/ui", false),
            ("registry.example.com", "other.example.com/registry.example.com/ui", false),
            ("registry.example.com", "registry.example.com:5000/ui", false),
            ("localhost:5000", "localhost:5000/ui", true),
            ("localhost:5000", "localhost:5001/ui", false),
            ("[::1]:5000", "[::1]:5000/ui", true),
            ("docker.io", "my/ui", true),
            ("https://index.docker.io/v1/", "ui", true),
            ("docker.io/my", "my/ui", true),
            ("docker.io/my", "other/ui", false),
            ("registry.example.com", "my/ui", false),
        ] {
            let found = registry_covers(url, &ImageName::parse(image));
            assert_eq!(found.is_some(), is_for, "{url} {image}");
        }
    }

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
