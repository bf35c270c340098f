//! `ovhai emulator requests`.

use clap::Args;
use ovhai_api_types::{App, AppId};

use crate::cmd::requests::Filters;
use crate::context::Context;
use crate::error::Result;
use crate::server::resolve::resolve;
use crate::server::target::Server;

#[derive(Debug, Args)]
#[command(
    after_help = "The emulator keeps a few thousand recent requests in memory, also without an access log. A request appears when its response has ended."
)]
pub(super) struct Requests {
    /// Only requests to this app (name or id)
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    /// Set the numbers of --totals to zero
    #[arg(long, conflicts_with_all = ["totals", "follow", "since", "count", "denied", "all", "app", "by_token"])]
    reset: bool,
    #[command(flatten)]
    filters: Filters,
}

impl Requests {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.filters.apply(context)?;
        let server = Server::find_local(context)?;
        let (control, api) = (server.control(context)?, server.local_client(context)?);
        if self.reset {
            return Ok(control.reset_request_totals().await?);
        }
        let app = match &self.app {
            None => None,
            // The object may have been deleted.
            Some(app) => Some(match app.parse::<AppId>() {
                Ok(id) => id,
                Err(_) => resolve::<App>(&api, app).await?.id,
            }),
        };
        // Of all regions, unless one is given.
        let region = context.region()?;
        self.filters.run(context, &control, &api, app, region).await
    }
}
