//! `ovhai token list`, `ovhai token get`.

use clap::Args;

use super::resolve;
use crate::context::Context;
use crate::error::Result;
use crate::target::Target;

/// See the command.
#[derive(Debug, Args)]
pub(super) struct List {}

impl List {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let tokens = target.client.list_tokens().await?;
        context.show_all(&tokens)
    }
}

/// See the command.
#[derive(Debug, Args)]
pub(super) struct Get {
    /// Id, name, or beginning of an id
    token: String,
}

impl Get {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let token = resolve(&target.client, &self.token).await?;
        context.show(&token)
    }
}
