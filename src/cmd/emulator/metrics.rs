//! `ovhai emulator metrics`.

use clap::Args;

use crate::context::Context;
use crate::error::Result;
use crate::server::target::Server;

#[derive(Debug, Args)]
#[command(
    after_help = "Prometheus reads /metrics itself. Give it an operator token, which shows the apps that the token's selector matches: ovhai token new prometheus --role operator"
)]
pub(super) struct Metrics {}

impl Metrics {
    #[allow(clippy::unused_self, reason = "as every command")]
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let metrics = Server::find_local(context)?.control(context)?.metrics().await?;
        context.out.write_all(&metrics)?;
        Ok(())
    }
}
