//! `ovhai token regenerate`.

use clap::Args;

use super::{resolve, show_and_keep};
use crate::context::Context;
use crate::error::Result;
use crate::server::credentials::Credentials;
use crate::server::target::Target;
use crate::ui::prompt;

#[derive(Debug, Args)]
pub(super) struct Regenerate {
    /// Id, name, or beginning of an id
    token: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Regenerate {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let token = resolve(&target.client, &self.token).await?;
        let question = format!(
            "Regenerate the token {} ({})? Its current string stops working immediately.",
            token.spec.name, token.id
        );
        prompt::confirm(&question, self.yes).await?;
        // As in token new.
        Credentials::open(context)?;
        let token = target.client.renew_token(token.id).await?;
        show_and_keep(context, &token, &target.issuer)
    }
}
