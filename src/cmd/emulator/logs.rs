//! `ovhai emulator logs`.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use ovhai_emulator::state::StateDir;

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::settings::readable_state_dir;
use crate::ui::endless::while_read;

#[derive(Debug, Args)]
pub(super) struct Logs {
    /// Follow the log
    #[arg(short, long)]
    follow: bool,
    /// Number of lines to show from the end [default: all]
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<usize>,
    /// Show the access log: one JSON object per request
    #[arg(long)]
    access: bool,
}

impl Logs {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(readable_state_dir(context)?);
        let (path, hint) = if self.access {
            let path = match state.running() {
                Some(running) => running.access_log.ok_or_else(|| {
                    Failure::not_found("the running emulator writes no access log").hint(
                        "ovhai emulator stop, then ovhai emulator start --detach --access-log FILE",
                    )
                })?,
                // The last emulator's log, at its default place.
                None => state.access_log(),
            };
            (path, "it may be off, or in another file: ovhai emulator start --access-log FILE")
        } else {
            (state.log(), "an emulator in the foreground writes to its terminal")
        };
        let mut file = File::open(&path).map_err(|error| {
            Failure::not_found(format!("there is no log at {}", path.display()))
                .because(error)
                .hint(hint)
        })?;
        if !file.metadata()?.is_file() {
            return Err(Failure::new(format!("{} is not a file", path.display()))
                .because("the log is a device, which can't be read back")
                .hint("remove the link, and start the emulator again"));
        }
        if self.follow {
            // Before the first line is shown: its reader may interrupt right after.
            while_read(async {
                self.show(context, &mut file)?;
                follow(context, &path, file).await
            })
            .await
        } else {
            self.show(context, &mut file)
        }
    }

    /// Shows the existing lines.
    fn show(&self, context: &mut Context, file: &mut File) -> Result<()> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let skip = self.tail.map_or(0, |tail| text.lines().count().saturating_sub(tail));
        for line in text.lines().skip(skip) {
            context.line(line)?;
        }
        Ok(context.out.flush()?)
    }
}

/// Shows new lines of the file, and of the files that replace it.
async fn follow(context: &mut Context, path: &Path, mut file: File) -> Result<()> {
    let mut at = file.stream_position()?;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut more = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        file.read_to_end(&mut more)?;
        at = file.stream_position()?;
        if more.is_empty()
            && let Ok(new) = File::open(path)
            && new.metadata()?.ino() != file.metadata()?.ino()
        {
            // The file was rotated; the old one is read to its end.
            (file, at) = (new, 0);
            continue;
        }
        context.out.write_all(&more)?;
        context.out.flush()?;
    }
}
