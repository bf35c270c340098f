//! Environments of processes, as they are stored.

use ovhai_api_types::{AppId, Environment};
use serde::{Deserialize, Serialize};

/// Whose processes an environment is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentOwner {
    /// An app, unless its image is mapped.
    App(AppId),
    /// The command that this image is mapped to.
    Image(String),
}

impl std::fmt::Display for EnvironmentOwner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::App(id) => write!(f, "app {id}"),
            Self::Image(image) => write!(f, "image {image}"),
        }
    }
}

/// The environment of the command line that an app or a mapping was made with. A record of its
/// own, so that nothing that shows apps or mappings can show it; it goes with its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentRecord {
    /// Whose processes get it.
    pub owner: EnvironmentOwner,
    /// All their variables but those of the spec and the ports.
    pub variables: Environment,
}
