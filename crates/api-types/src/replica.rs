//! Replicas and what happens to them: extensions of the emulator, which the service's clients
//! ignore.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::id::AppId;

/// How a replica exited on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplicaExit {
    /// When.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// The exit status of its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// The signal that ended its process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// How, in a word or two: such as `exit status 3`, or `not started` for one that never ran.
    pub reason: String,
    /// What happened, for a person.
    pub message: String,
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplicaStatus {
    /// Its number, from 1 to as many as are wanted.
    pub ordinal: u32,
    /// Counts the runs of this ordinal, from 1.
    pub attempt: u32,
    /// `STARTING`, `READY`, `STOPPING`, `BACK_OFF` or `FAILED`.
    pub state: String,
    /// Since when.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub since: Timestamp,
    /// Restarts after a crash, since the app was started.
    #[serde(default)]
    pub restarts: u32,
    /// How it crashed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<ReplicaExit>,
    /// Name and version of the engine that has its container; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The id of the image that its container runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
}

/// Something that happened to an app or to one of its replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppEvent {
    /// Position among all events since the emulator was started, from 1.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Id of the app.
    pub app: AppId,
    /// The name that the app has now, or had when it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// To which replica; none: to the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<u32>,
    /// `state`, `started`, `ready`, `unready`, `crashed`, `interrupted`, `failed`, `stopped` or
    /// `reloaded`.
    pub kind: String,
    /// The cause in a word or two.
    pub reason: String,
    /// The message, for people.
    pub message: String,
}

/// What keeps a client's requests at one replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum SessionAffinity {
    /// Nothing: each request goes to any replica.
    None,
    /// A cookie of the gateway's.
    Cookie,
    /// The token that the request comes with.
    Token,
}

impl SessionAffinity {
    /// The name on the command line and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cookie => "cookie",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for SessionAffinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SessionAffinity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::None, Self::Cookie, Self::Token];
        all.into_iter().find(|affinity| affinity.as_str() == text).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            format!("{text:?} is not a session affinity: use cookie, token or none")
        })
    }
}
