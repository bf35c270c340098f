//! `ovhai reference …`: what `cargo xtask gen` commits.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::reference::{commands, environment, exit_codes, limits, man, selectors};

#[derive(Debug, Args)]
pub(crate) struct Reference {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write the man pages into a directory
    Man {
        /// The directory, created if it is missing
        directory: PathBuf,
    },
    /// Print the command tree as JSON
    Commands,
    /// Print the environment variables as Markdown
    Environment,
    /// Print the exit codes as Markdown
    ExitCodes,
    /// Print the limits of the gateway as Markdown
    Limits,
    /// Print what label selectors are as Markdown
    Selectors,
}

impl Reference {
    pub(crate) fn run(self, context: &mut Context) -> Result<()> {
        let command = (context.tree)();
        let text = match self.what {
            What::Man { directory } => {
                let directory = context.directory.join(directory);
                let write = || {
                    std::fs::create_dir_all(&directory)?;
                    for (name, page) in man::pages(&command)? {
                        std::fs::write(directory.join(name), page)?;
                    }
                    Ok(())
                };
                return write().map_err(|error: std::io::Error| {
                    Failure::new(format!("{} can't be written", directory.display()))
                        .because(error)
                        .hint("choose a directory that you can write to")
                });
            }
            What::Commands => serde_json::to_string_pretty(&commands::tree(&command))
                .map_err(|error| Failure::new(error.to_string()))?,
            What::Environment => environment::page().markdown(),
            What::ExitCodes => exit_codes::page().markdown(),
            What::Limits => limits::page().markdown(),
            What::Selectors => selectors::page().markdown(),
        };
        context.line(text.trim_end())
    }
}
