//! Apps and tokens with few fields, for completion and tables. Parsing all fields of a thousand
//! apps would be most of the work.

use ovhai_api_types::{AppState, ReplicaExit, ScalingStrategy, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Client, PAGE, Result, encode};

/// Maximum number of candidates; a shell asks before it shows more.
const APPS: u32 = 200;

/// The identifying fields of an app or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Id.
    pub id: String,
    /// Name, if it has one.
    pub name: Option<String>,
    /// The state of an app, the role of a token.
    pub remark: String,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Spec {
    name: Option<String>,
    role: Option<String>,
}

#[derive(Default, Deserialize)]
struct Status {
    state: Option<String>,
}

impl From<Item> for Brief {
    fn from(Item { id, spec, status }: Item) -> Self {
        Self { id, name: spec.name, remark: status.state.or(spec.role).unwrap_or_default() }
    }
}

impl Client {
    /// Apps whose name or id has this prefix, if the server can filter; at most one page.
    pub async fn brief_apps(&self, begins: &str) -> Result<Vec<Brief>> {
        let row = ("fields", "row".to_owned());
        let query = encode(&[row, ("size", APPS.to_string()), ("begins", begins.to_owned())]);
        self.brief(&format!("/v1/app?{query}")).await
    }

    /// The first page of tokens.
    pub async fn brief_tokens(&self) -> Result<Vec<Brief>> {
        self.brief(&format!("/v1/token?page=1&size={PAGE}")).await
    }

    async fn brief(&self, path: &str) -> Result<Vec<Brief>> {
        let list: List = self.get(path).await?;
        Ok(list.items.into_iter().map(Brief::from).collect())
    }
}

/// The fields of an app that a table shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppRow {
    /// The id.
    pub id: String,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// The desired state.
    pub spec: RowSpec,
    /// The observed state.
    pub status: RowStatus,
}

/// Of [`AppRow`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowSpec {
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// The number of replicas; one when absent. Boxed, because it is rare and large.
    #[serde(default)]
    pub scaling_strategy: Option<Box<ScalingStrategy>>,
}

/// Of [`AppRow`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowStatus {
    /// Number of ready replicas.
    #[serde(default)]
    pub available_replicas: i64,
    /// The last crash of a replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<Box<ReplicaExit>>,
    /// Restarts after crashes.
    #[serde(default)]
    pub restarts: u32,
    /// The state.
    pub state: AppState,
    /// The app's address.
    #[serde(default)]
    pub url: String,
}
