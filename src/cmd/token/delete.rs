//! `ovhai token delete`.

use clap::Args;

use super::resolve;
use crate::context::Context;
use crate::credentials::Credentials;
use crate::error::Result;
use crate::target::Target;

#[derive(Debug, Args)]
pub(super) struct Delete {
    /// Id, name, or beginning of an id
    token: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Delete {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let token = resolve(&target.client, &self.token).await?;
        let question = format!(
            "Delete the token {} ({})? Its string stops working at once.",
            token.spec.name, token.id
        );
        context.confirm(&question, self.yes)?;
        let mut credentials = Credentials::open(context)?;
        target.client.delete_token(token.id).await?;
        credentials.forget(token.id)?;
        context.note(format!("Deleted the token {} ({}).", token.spec.name, token.id));
        Ok(())
    }
}
