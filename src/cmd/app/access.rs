//! `ovhai app access`.

use clap::Args;
use ovhai_api_types::AccessQuestion;

use super::resolve;
use crate::cmd::access::{OfToken, ask};
use crate::context::Context;
use crate::error::Result;
use crate::server::target::Target;

#[derive(Debug, Args)]
pub(super) struct Access {
    /// Id, name, or beginning of an id
    app: String,
}

impl Access {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let app = resolve(&target.login, &self.app).await?;
        let region = target.region.clone();
        let question =
            AccessQuestion { region, token: None, value: None, app: Some(app.id), page: 1 };
        let all = ask(context, &target, question).await?;
        let all: Vec<_> = all.into_iter().map(OfToken).collect();
        context.show_all(&all)?;
        if app.spec.unsecure_http {
            context.note("The app is public: it needs no token.");
        }
        Ok(())
    }
}
