//! `ovhai app wait`.

use std::time::Duration;

use clap::Args;
use ovhai_api_types::AppState;

use super::wait::{DEFAULT, Wait, duration};
use super::{resolve, view};
use crate::context::Context;
use crate::error::{NOT_FOUND, Result};
use crate::server::target::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "If the app becomes FAILED or ERROR, the wait ends immediately, unless it waits for that state. Exit code 5: timed out."
)]
pub(super) struct AwaitState {
    /// Id, name, or beginning of an id
    app: String,
    /// The state, such as running, stopped or deleted
    #[arg(long = "for", value_name = "STATE", default_value = "RUNNING")]
    state: AppState,
    /// Wait at most this long (such as 90s or 5m)
    #[arg(long, value_name = "DURATION", default_value = DEFAULT, value_parser = duration)]
    timeout: Duration,
}

impl AwaitState {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let app = match resolve(&target.client, &self.app).await {
            // A missing app counts as deleted, also at the first poll.
            Err(failure) if self.state == AppState::Deleted && failure.code() == NOT_FOUND => {
                context.note(format!("App {} does not exist, or was deleted.", self.app));
                return Ok(());
            }
            app => app?,
        };
        let wait = Wait::for_state(self.timeout);
        if self.state == AppState::Deleted {
            wait.until_gone(context, &target.client, app.id).await?;
        } else {
            let then = wait.until(context, &target.client, app.id, self.state).await?;
            if let Some(app) = then.filter(|_| context.format().is_some()) {
                return context.show(&app);
            }
        }
        context.note(format!("{} ({}) is {}.", view::name(&app), app.id, self.state));
        Ok(())
    }
}
