//! `ovhai app restart`.

use clap::Args;
use ovhai_api_types::AppState;
use ovhai_client::Client;

use super::change::Change;
use super::selection::Selection;
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
        let selected = self.apps.find(context, &target, AppState::is_active).await?;
        let change = Change {
            goal: AppState::Running,
            doing: "Restarting",
            done: "Restarted",
            participle: "restarted",
            already: |_| None,
        };
        let restart = async |client: &Client, id| client.restart_app(id).await;
        change.run(context, &target, selected, &self.wait, restart).await
    }
}
