//! `ovhai app requests`: `ovhai emulator requests` of one app.

use clap::Args;
use ovhai_api_types::AppId;

use super::resolve;
use crate::cmd::requests::Filters;
use crate::context::Context;
use crate::error::Result;
use crate::server::target::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "The same as: ovhai emulator requests --app APP. Only the local emulator records requests."
)]
pub(super) struct Requests {
    /// Id, name, or beginning of an id
    app: String,
    #[command(flatten)]
    filters: Filters,
}

impl Requests {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.filters.apply(context)?;
        let target = Target::find(context).await?;
        let control = target.control(context)?;
        // The object may have been deleted.
        let app = match self.app.parse::<AppId>() {
            Ok(id) => id,
            Err(_) => resolve(&target.login, &self.app).await?.id,
        };
        self.filters.run(context, &control, &target.client, Some(app), None).await
    }
}
