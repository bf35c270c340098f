//! Apps and tokens of which only a little is read: what a shell completes, and what a table shows.
//! Of a thousand apps the rest is most of the work.

use ovhai_api_types::{AppState, ReplicaExit, ScalingStrategy, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Client, PAGE, Result, encode};

/// A shell asks before it shows more, and a whole app is large.
const APPS: u32 = 200;

/// What tells an app or a token from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Id.
    pub id: String,
    /// Name, when it has one.
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
    /// Apps whose name or id begins so, where the server knows how: as many as anybody reads.
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

/// What a table shows of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppRow {
    /// The id.
    pub id: String,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// What it is asked to be.
    pub spec: RowSpec,
    /// What it is.
    pub status: RowStatus,
}

/// Of [`AppRow`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowSpec {
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// How many replicas; one when it is not said. Boxed, as it is rare and large.
    #[serde(default)]
    pub scaling_strategy: Option<Box<ScalingStrategy>>,
}

/// Of [`AppRow`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RowStatus {
    /// Replicas that answer now.
    #[serde(default)]
    pub available_replicas: i64,
    /// How a replica crashed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<Box<ReplicaExit>>,
    /// Restarts after a crash.
    #[serde(default)]
    pub restarts: u32,
    /// The state.
    pub state: AppState,
    /// The app's address.
    #[serde(default)]
    pub url: String,
}
