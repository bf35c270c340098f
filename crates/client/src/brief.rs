//! Apps and tokens as a shell completes them: nothing but what tells one from another is read.

use serde::Deserialize;

use crate::{Client, PAGE, Result};

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
    /// The first page of apps.
    pub async fn brief_apps(&self) -> Result<Vec<Brief>> {
        self.brief("app").await
    }

    /// The first page of tokens.
    pub async fn brief_tokens(&self) -> Result<Vec<Brief>> {
        self.brief("token").await
    }

    async fn brief(&self, noun: &str) -> Result<Vec<Brief>> {
        let list: List = self.get(&format!("/v1/{noun}?page=1&size={PAGE}")).await?;
        Ok(list.items.into_iter().map(Brief::from).collect())
    }
}
