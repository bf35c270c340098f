//! The emulator's own API beside the service's, at `/_emulator/…`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::app::{AppSpec, AppState};
use crate::environment::Environment;
use crate::id::{AppId, Region, TokenId};

/// The response to a login (RFC 6749 section 5.1).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OauthTokens {
    /// The bearer for calls.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    /// The string to refresh the session with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl fmt::Debug for OauthTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthTokens").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Why a login was refused (RFC 6749 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OauthError {
    /// The code, such as `invalid_grant`.
    pub error: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

/// A user who can log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The name.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When the password was last set.
    pub updated_at: Timestamp,
}

/// A name with a password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUser {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A command that runs in place of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageMapping {
    /// The image; without a tag, all of its tags.
    pub image: String,
    /// The command.
    pub command: Vec<String>,
    /// Its working directory, an absolute path.
    pub working_directory: String,
    /// When it was mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
}

/// A command to run in place of an image, with the environment of the command line that maps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewImageMapping {
    /// The image; without a tag, all of its tags.
    pub image: String,
    /// The command.
    pub command: Vec<String>,
    /// Its working directory, an absolute path.
    pub working_directory: String,
    /// Variables of the command; when absent, those that every process gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
}

/// An app to submit with the environment of the calling command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewApp {
    /// The region.
    pub region: Region,
    /// The app.
    pub spec: AppSpec,
    /// Variables of its processes; dropped if the app does not run as a process.
    pub environment: Environment,
}

/// Number of pairs on a page about access; a shorter page is the last.
pub const ACCESS_PAGE: usize = 100;

fn first_page() -> u32 {
    1
}

/// A question about access: a token and all apps of the region, an app and all tokens, or one of
/// each.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessQuestion {
    /// The region.
    pub region: Region,
    /// A token's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// A token's string, instead of its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// An app's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// The page of [`ACCESS_PAGE`] pairs, from 1.
    #[serde(default = "first_page")]
    pub page: u32,
}

impl fmt::Debug for AccessQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessQuestion")
            .field("region", &self.region)
            .field("token", &self.token)
            .field("app", &self.app)
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

/// Whether an action is allowed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether it is.
    pub allowed: bool,
    /// The deciding term, role, region or version.
    pub reason: String,
}

/// A token in an answer about access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    /// The id.
    pub id: TokenId,
    /// The name.
    pub name: String,
    /// The role, in its short form.
    pub role: String,
    /// The selector; when absent, every app of the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<String>,
    /// The region.
    pub region: Region,
    /// The version.
    pub version: u32,
}

/// An app in an answer about access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessApp {
    /// The id.
    pub id: AppId,
    /// The name.
    pub name: String,
    /// The state.
    pub state: AppState,
}

/// What a token may do with an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The token; absent if the string belongs to no known token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<AccessToken>,
    /// The app.
    pub app: AccessApp,
    /// Whether it may send requests to the app.
    pub read: Verdict,
    /// Whether it may manage the app.
    pub operate: Verdict,
}

/// A component of the emulator that fails, or was restarted after a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The component, such as `storage`, `committer`, `access log`.
    pub component: String,
    /// Whether it fails at the moment.
    pub failing: bool,
    /// Number of restarts since the emulator's start.
    #[serde(default)]
    pub restarts: u64,
    /// Why it fails, or failed last; shown to the administrator only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A link that logs a browser in to the console: response of `POST /_emulator/console-links`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsoleLink {
    /// Path and query, at the emulator's own address. A secret until it is used.
    pub path: String,
    /// Seconds that the link works.
    pub expires_in: u64,
}

/// A feature of the emulator or of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// The name.
    pub name: String,
    /// Whether the emulator has it.
    pub available: bool,
    /// A description, or the replacement.
    pub description: String,
}

/// A container engine, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineDescription {
    /// `Docker` or `Podman`.
    pub kind: String,
    /// Its version.
    pub version: String,
    /// The version of its API.
    pub api_version: String,
    /// Its address.
    pub address: String,
    /// The option, variable or file that named the address.
    pub source: String,
    /// Whether it runs without root's rights.
    pub rootless: bool,
    /// Its operating system.
    pub system: String,
    /// Its architecture, as images name it.
    pub architecture: String,
    /// Number of CPUs.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory: u64,
}

/// A place without a container engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineTried {
    /// The option, variable or file that named the address.
    pub source: String,
    /// The address.
    pub address: String,
    /// What happened there.
    pub said: String,
}

/// The container engine of an emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineReport {
    /// The engine that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineDescription>,
    /// The places in which no engine answered.
    #[serde(default)]
    pub tried: Vec<EngineTried>,
    /// What the engine does not isolate, as far as is known.
    #[serde(default)]
    pub gaps: Vec<String>,
    /// Whether containers can call other apps; absent if they may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_from_apps: Option<CallsFromApps>,
}

/// The way from containers to other apps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallsFromApps {
    /// The gateway's address for containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Why containers can't call other apps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}
