//! `ovhai emulator logs`.

use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use clap::Args;
use ovhai_emulator::state::StateDir;

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::settings::state_dir;

/// See the command.
#[derive(Debug, Args)]
pub(super) struct Logs {
    /// Go on with what is written from now on
    #[arg(short, long)]
    follow: bool,
    /// Only the last so many lines [default: all]
    #[arg(long, value_name = "LINES")]
    tail: Option<usize>,
}

impl Logs {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(state_dir(context)?);
        let mut file = std::fs::File::open(state.log()).map_err(|error| {
            Failure::not_found(format!("there is no log at {}", state.log().display()))
                .because(error)
                .hint("an emulator in the foreground writes to its terminal")
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let skip = self.tail.map_or(0, |tail| text.lines().count().saturating_sub(tail));
        for line in text.lines().skip(skip) {
            context.line(line)?;
        }
        context.out.flush()?;
        if !self.follow {
            return Ok(());
        }
        let mut at = file.stream_position()?;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let mut more = Vec::new();
            file.seek(SeekFrom::Start(at))?;
            file.read_to_end(&mut more)?;
            at = file.stream_position()?;
            context.out.write_all(&more)?;
            context.out.flush()?;
        }
    }
}
