//! `ovhai emulator interrupt`.

use clap::Args;

use crate::cmd::several::Report;
use crate::context::Context;
use crate::error::Result;
use crate::server::resolve::resolve_each;
use crate::server::target::{Target, owner};

#[derive(Debug, Args)]
#[command(
    after_help = "The app goes from RUNNING to INITIALIZING and back, at the same address, with the info code APP_INTERRUPTED_BY_PLATFORM. That is no crash."
)]
pub(super) struct Interrupt {
    /// Ids, names, or beginnings of ids
    #[arg(id = "app", value_name = "APP", required = true)]
    apps: Vec<String>,
}

impl Interrupt {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        target.requires_emulator("emulator interrupt")?;
        let (apps, unclear) =
            resolve_each::<ovhai_api_types::App>(&target.client, &self.apps).await?;
        let mut report = Report::new("app", self.apps.len(), unclear);
        let owner = owner(context).await?;
        for app in apps {
            let name = app.spec.name.clone().unwrap_or_else(|| app.id.to_string());
            match owner.interrupt_app(app.id).await {
                Ok(()) => context.note(format!("Interrupted app {name}")),
                Err(error) => report.failed(name, error.into())?,
            }
        }
        report.finish("interrupted")
    }
}
