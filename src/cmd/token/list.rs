//! `ovhai token list`, `ovhai token get`.

use clap::Args;

use ovhai_api_types::Selector;

use super::{has_selector, resolve};
use crate::context::Context;
use crate::error::Result;
use crate::server::resolve::again;
use crate::server::target::Target;
use crate::ui::watch::Watch;

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only tokens with exactly this label selector, in any spelling
    #[arg(short = 'l', long, alias = "label-selector", value_name = "SELECTOR")]
    selector: Option<Selector>,
    #[command(flatten)]
    watch: Watch,
}

impl List {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let list = async || {
            let mut tokens = target.client.list_tokens().await?;
            if let Some(selector) = &self.selector {
                tokens.retain(|token| has_selector(token, selector));
            }
            Ok(tokens)
        };
        self.watch.run(context, list, |context, tokens| context.show_all(tokens)).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Get {
    /// Id, name, or beginning of an id
    token: String,
    #[command(flatten)]
    watch: Watch,
}

impl Get {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let token = resolve(&target.client, &self.token).await?;
        let mut first = Some(token.clone());
        let get = async || match first.take() {
            Some(token) => Ok(token),
            None => again(&target.client, &token).await,
        };
        self.watch.run(context, get, Context::show).await
    }
}
