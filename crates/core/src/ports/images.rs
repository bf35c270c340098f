//! What images may be pulled with.

use std::fmt;

/// A login at a registry.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistryLogin {
    /// The registry's host, with its port unless that is the usual one.
    pub host: String,
    /// The user.
    pub username: String,
    /// The password, or a token string.
    pub password: String,
}

impl fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryLogin").field("host", &self.host).finish_non_exhaustive()
    }
}

/// What the image of one replica may be pulled with. It belongs to that replica's image and no other:
/// the app may have another image, named by another caller, before the pull begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageAccess {
    /// Whether the local administrator named the image: the machine's files and helpers may be used,
    /// and every image that the engine has.
    pub is_local_administrator: bool,
    /// The project's logins at the registry of the image, the best one first.
    pub logins: Vec<RegistryLogin>,
    /// Why further logins at that registry can't be used, and what to do, for a person.
    pub unusable: Vec<String>,
}
