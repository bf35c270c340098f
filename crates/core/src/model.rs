//! The durable records.

use ovhai_api_types::{
    AppId, AppState, AppStateHistory, Environment, Info, Labels, Region, RegistryId, Role,
    Selector, Timestamp, TokenId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::spec::Spec;

/// What somebody wants of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// It should run.
    Running,
    /// It should not run, and stay.
    Stopped,
    /// It should go, after its replicas were asked to stop.
    Deleted,
    /// It should go at once.
    Killed,
}

/// An app, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRecord {
    /// The id.
    pub id: AppId,
    /// The region it lives in.
    pub region: Region,
    /// Order of submission, unique over all regions.
    pub seq: u64,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who submitted it.
    pub user: String,
    /// What was asked for, checked and with its defaults.
    pub spec: Spec,
    /// Whether all of its environment was given by somebody who may run local processes: no other
    /// gets into one.
    #[serde(default)]
    pub trusted_environment: bool,
    /// All labels, the platform's among them.
    pub labels: Labels,
    /// What is wanted.
    pub wanted: Wanted,
    /// Counts the changes that need new replicas (image, port, environment).
    pub revision: u64,
    /// The state.
    pub state: AppState,
    /// Why it is in that state.
    pub info: Info,
    /// The states it has been in, oldest first; bounded.
    pub history: Vec<AppStateHistory>,
}

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

/// A registry that images come from. Its password is not kept: nothing is pulled yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRecord {
    /// The id.
    pub id: RegistryId,
    /// The region it was added in.
    pub region: Region,
    /// Order of creation.
    pub seq: u64,
    /// Host and path, such as `registry.example.com/team`.
    pub url: String,
    /// Who is known there.
    pub username: String,
    /// Who added it.
    pub user: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

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

/// The id of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

/// A secret of which only the SHA-256 digest is known here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The digest, in hexadecimal digits.
    pub digest: String,
    /// Until when the secret is good.
    pub until: Timestamp,
}

/// A login. Its strings exist at the client only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The id.
    pub id: SessionId,
    /// Whose it is.
    pub user: String,
    /// The secrets that calls are made with, newest first: one that was replaced is good until it
    /// expires, for whoever calls with it at that moment.
    pub access: Vec<Digest>,
    /// The secret that makes new ones.
    pub refresh: Digest,
    /// When somebody logged in.
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

/// A command that the emulator's owner has run in place of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingRecord {
    /// The image, with a tag for that one only, without for all of its tags.
    pub image: String,
    /// The command, run as a local process.
    pub command: Vec<String>,
    /// Where it is run.
    pub working_directory: String,
    /// When it was mapped.
    pub created_at: Timestamp,
}

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
