//! `ovhai app logs`.

use clap::Args;
use ovhai_client::LogFilter;

use super::resolve;
use crate::context::Context;
use crate::error::Result;
use crate::target::Target;

/// See the command.
#[derive(Debug, Args)]
pub(super) struct Logs {
    /// Id, name, or beginning of an id
    app: String,
    /// Go on with what is written from now on
    #[arg(short, long)]
    follow: bool,
    /// Only the last so many lines
    #[arg(long, value_name = "LINES")]
    tail: Option<u32>,
    /// Only of the replica with this number
    #[arg(long, value_name = "NUMBER")]
    replica: Option<u64>,
}

impl Logs {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        let filter = LogFilter {
            follow: self.follow,
            tail: self.tail,
            replica: self.replica.map(|replica| replica.to_string()),
        };
        let mut logs = target.client.app_logs(app.id, &filter).await?;
        while let Some(piece) = logs.next().await? {
            context.out.write_all(&piece)?;
            context.out.flush()?;
        }
        Ok(())
    }
}
