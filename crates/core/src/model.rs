//! The durable records.

use std::sync::Arc;

use ovhai_api_types::{
    AppId, AppState, AppStateHistory, Info, Labels, Region, Role, Selector, Timestamp, TokenId,
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

/// One durable change.
#[derive(Debug, Clone)]
pub enum Change {
    /// Adds or replaces an app.
    PutApp(Arc<AppRecord>),
    /// Removes an app.
    RemoveApp(AppId),
    /// Adds or replaces a token.
    PutToken(Arc<TokenRecord>),
    /// Removes a token.
    RemoveToken(TokenId),
}

/// Everything that was stored.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// The project's id; none in a new store.
    pub project: Option<Uuid>,
    /// All apps, in any order.
    pub apps: Vec<AppRecord>,
    /// All tokens, in any order.
    pub tokens: Vec<TokenRecord>,
}
