//! `ovhai app wait`: until an app is in a state.

use std::time::Duration;

use clap::Args;
use ovhai_api_types::AppState;

use super::wait::{DEFAULT, Wait, duration};
use super::{resolve, view};
use crate::context::Context;
use crate::error::{Failure, NOT_FOUND, Result};
use crate::target::Target;

/// See the command.
#[derive(Debug, Args)]
#[command(
    after_help = "It ends at once when the app is FAILED or ERROR, unless that is waited for. Exit code 5: it took too long."
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
        let gone = |failure: &Failure| {
            // What is gone is deleted, before the first look too.
            self.state == AppState::Deleted && failure.code() == NOT_FOUND
        };
        let app = match resolve(&target.client, &self.app).await {
            Err(failure) if gone(&failure) => {
                context.note(format!("There is no app {} (any more).", self.app));
                return Ok(());
            }
            app => app?,
        };
        let wait = Wait::at_most(self.timeout);
        match wait.until(context, &target.client, app.id, self.state).await {
            Ok(Some(app)) if context.format().is_some() => context.show(&app),
            Ok(_) => {
                context.note(format!("{} ({}) is {}.", view::name(&app), app.id, self.state));
                Ok(())
            }
            Err(failure) if gone(&failure) => {
                context.note(format!("{} ({}) is DELETED.", view::name(&app), app.id));
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }
}
