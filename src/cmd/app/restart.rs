//! `ovhai app restart`.

use clap::Args;
use ovhai_api_types::AppState;

use super::change::{named, show};
use super::selection::{Selected, Selection};
use super::wait::Wait;
use crate::context::Context;
use crate::error::Result;
use crate::server::target::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "Replaces the replicas one after the other, as an update does. Resolves the image's tag again; a process keeps its environment. An app that is named and is stopped or failed is started."
)]
pub(super) struct Restart {
    #[command(flatten)]
    apps: Selection,
    #[command(flatten)]
    wait: Wait,
}

impl Restart {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.apps.is_meant(&self.wait)?;
        let target = Target::find_to_change(context).await?;
        target.requires_emulator("app restart")?;
        let Selected { apps, mut report, is_list } =
            self.apps.find(context, &target, AppState::is_active).await?;
        let mut asked = Vec::with_capacity(apps.len());
        for app in apps {
            match target.client.restart_app(app.id).await {
                Ok(()) => asked.push(app),
                Err(error) => report.failed(named(&app), error.into())?,
            }
        }
        let mut done = Vec::with_capacity(asked.len());
        for app in asked {
            match self.wait.until(context, &target.client, app.id, AppState::Running).await {
                Ok(waited) => {
                    let what = if waited.is_some() { "Restarted" } else { "Restarting" };
                    context.note(format!("{what} {}.", named(&app)));
                    done.push(app);
                }
                Err(failure) => report.failed(named(&app), failure)?,
            }
        }
        show(context, &target.client, &done, is_list).await?;
        report.finish("restarted")
    }
}
