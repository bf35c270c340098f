//! `ovhai app restart`.

use clap::Args;
use ovhai_api_types::AppState;

use super::change::{resolve_all, show};
use super::view;
use super::wait::Wait;
use crate::context::Context;
use crate::error::Result;
use crate::target::Target;

#[derive(Debug, Args)]
#[command(
    after_help = "Replicas are replaced one after the other, as by an update; the image's tag is looked up again, and a process keeps its environment. An app that is stopped or failed is started."
)]
pub(super) struct Restart {
    /// Ids, names, or beginnings of ids
    #[arg(id = "app", required = true, value_name = "APP")]
    apps: Vec<String>,
    #[command(flatten)]
    wait: Wait,
}

impl Restart {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.wait.is_meant(&self.apps)?;
        let target = Target::find_to_change(context).await?;
        target.needs_emulator(
            "app restart",
            "stop the app and start it: ovhai app stop APP --wait && ovhai app start APP",
        )?;
        let apps = resolve_all(&target.client, &self.apps).await?;
        for app in &apps {
            target.client.restart_app(app.id).await?;
        }
        for app in &apps {
            let done = self.wait.until(context, &target.client, app.id, AppState::Running).await?;
            let what = if done.is_some() { "Restarted" } else { "Restarting" };
            context.note(format!("{what} {} ({}).", view::name(app), app.id));
        }
        show(context, &target.client, &apps).await
    }
}
