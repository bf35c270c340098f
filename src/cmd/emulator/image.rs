//! `ovhai emulator image …`: commands of this machine in place of images.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ovhai_api_types::{ImageMapping, NewImageMapping};

use crate::cmd::environment::of_caller;
use crate::context::Context;
use crate::error::Result;
use crate::server::target::owner;
use crate::term::describe::Description;
use crate::term::table::Fit;
use crate::ui::output::Show;

#[derive(Debug, Args)]
pub(super) struct ImageCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Map an image to a local command, from the apps' next start on
    Map(Map),
    /// List the mapped images and their commands
    #[command(visible_alias = "ls")]
    List,
    /// Remove a mapping
    #[command(visible_alias = "rm")]
    Unmap(Unmap),
}

#[derive(Debug, Args)]
#[command(
    after_help = "The command gets the environment of the shell in which it is mapped, without OVHAI_ variables.

Example: ovhai emulator image map registry.example.com/team/ui -- streamlit run app.py --server.port '{port}'"
)]
struct Map {
    /// Image; without a tag, all of its tags
    image: String,
    /// Working directory of the command [default: the current one]
    #[arg(long, value_name = "DIR")]
    workdir: Option<PathBuf>,
    /// Command; {port} is the port to listen on
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

#[derive(Debug, Args)]
struct Unmap {
    /// Image, as it was mapped
    image: String,
}

impl ImageCommand {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let client = owner(context).await?;
        match self.verb {
            Verb::Map(Map { image, workdir, command }) => {
                let here = context.directory.clone();
                let directory = workdir.map_or(here, |given| context.directory.join(given));
                // Only the owner sets an environment; a token's holder is not the owner.
                let is_owner = context.global.token.is_none();
                let mapping = NewImageMapping {
                    image,
                    command,
                    working_directory: directory.to_string_lossy().into_owned(),
                    environment: is_owner.then(|| of_caller(context)).transpose()?,
                };
                let mapping = client.map_image(&mapping).await?;
                context.show(&mapping)
            }
            Verb::List => context.show_all(&client.mappings().await?),
            Verb::Unmap(Unmap { image }) => {
                client.unmap_image(&image).await?;
                context.note(format!("Removed the mapping for {image}."));
                Ok(())
            }
        }
    }
}

impl Show for ImageMapping {
    const COLUMNS: &'static [&'static str] = &["IMAGE", "COMMAND", "DIRECTORY"];

    const FIT: &'static [Fit] = &[Fit::Fixed, Fit::Shrink(12), Fit::Shrink(10)];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![self.image.clone(), self.command.join(" "), self.working_directory.clone()]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("Image", &self.image)
            .field("Command", self.command.join(" "))
            .field("Working Directory", &self.working_directory)
            .date("Created At", self.created_at)
    }

    fn name(&self) -> String {
        self.image.clone()
    }
}
