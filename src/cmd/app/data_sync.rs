//! `ovhai app data-sync`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use ovhai_api_types::{App, DataSync, DataSyncDirection, DataSyncSpec};

use super::resolve;
use super::wait::{DEFAULT, duration};
use crate::context::{Context, interrupted};
use crate::error::{Failure, Result, TIMEOUT};
use crate::server::target::Target;
use crate::ui::progress::Progress;

/// Times between two looks.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Direction {
    /// From the data stores to the app
    Pull,
    /// From the app to the data stores
    Push,
}

#[derive(Debug, Args)]
#[command(
    after_help = "pull brings new and changed files of a data store to the app's copy. push brings the app's new and changed files to the data store: for volumes with the permission rw, and with rwd files that the app deleted are deleted there, too. Nothing of a volume with the permission ro is written back."
)]
pub(super) struct DataSyncCommand {
    /// Id, name, or the beginning of the id
    app: String,
    /// Direction
    direction: Direction,
    /// Volume, by its mount path or id [default: all that come from a data store]
    #[arg(long, value_name = "PATH")]
    volume: Option<String>,
    /// Do not wait until it is done
    #[arg(long)]
    no_wait: bool,
    /// Maximum time to wait, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = DEFAULT, value_parser = duration, conflicts_with = "no_wait")]
    timeout: Duration,
}

impl DataSyncCommand {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        let spec = DataSyncSpec {
            direction: match self.direction {
                Direction::Pull => DataSyncDirection::Pull,
                Direction::Push => DataSyncDirection::Push,
            },
            app_id: Some(app.id.to_string()),
            manual: Some(true),
            volume: self.volume.clone(),
        };
        let begun = target.client.sync_app(app.id, &spec).await?;
        if self.no_wait {
            if context.show_data(&begun)? {
                return Ok(());
            }
            let (id, app) = (&begun.id, app.id);
            return context.line(format!("Began {id}: ovhai app get {app} shows its progress."));
        }
        let done = self.wait(context, &target, &app, begun).await?;
        let is_shown = context.show_data(&done)?;
        for volume in done.status.progress.iter().filter(|_| !is_shown) {
            let path = volume.volume_status.mount_path.as_deref().unwrap_or_default();
            let (copied, deleted) = (volume.completed, volume.deleted);
            let files = if copied == 1 { "file" } else { "files" };
            let skipped = volume.skipped;
            context.line(format!(
                "{path}: copied {copied} {files}, deleted {deleted}, {skipped} unchanged or left out"
            ))?;
            if !volume.info.is_empty() {
                context.note(format!("note: {path}: {}", volume.info));
            }
        }
        if done.status.state == "DONE" {
            return Ok(());
        }
        Err(Failure::new(format!("the synchronisation {} is {}", done.id, done.status.state))
            .hint(format!("see the state of each volume: ovhai app get {} -o json", app.id)))
    }

    async fn wait(
        &self,
        context: &mut Context,
        target: &Target,
        app: &App,
        begun: DataSync,
    ) -> Result<DataSync> {
        let mut progress = Progress::new(context);
        let (mut now, mut pause) = (begun, FIRST_PAUSE);
        let until = tokio::time::Instant::now() + self.timeout;
        let id = now.id.clone();
        while matches!(now.status.state.as_str(), "QUEUED" | "RUNNING") {
            if tokio::time::Instant::now() >= until {
                return Err(Failure::new(format!(
                    "the synchronisation {id} is not done after {} s",
                    self.timeout.as_secs()
                ))
                .hint(format!("it goes on; see its progress: ovhai app get {}", app.id))
                .exit_code(TIMEOUT));
            }
            let sum = |of: fn(&ovhai_api_types::DataSyncProgress) -> i64| -> i64 {
                now.status.progress.iter().map(of).sum()
            };
            progress.say(&format!("{} of {} files", sum(|p| p.processed), sum(|p| p.total)));
            tokio::select! {
                biased;
                () = interrupted() => return Err(Failure::interrupted()
                    .because("only the waiting ended; the synchronisation continues")
                    .hint(format!("see its progress: ovhai app get {}", app.id))),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            let app = target.client.get_app(app.id).await?;
            match app.status.data_sync.into_iter().find(|one| one.id == id) {
                Some(newer) => now = newer,
                None => {
                    return Err(Failure::new(format!("the synchronisation {id} is gone"))
                        .because("the emulator was restarted, or newer ones took its place"));
                }
            }
        }
        Ok(now)
    }
}
