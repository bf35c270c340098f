//! The command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cmd::{
    Completion, Demo, Me, app::AppCommand, emulator::EmulatorCommand, token::TokenCommand,
};
use crate::context::Context;
use crate::error::Result;

/// OVHcloud AI Deploy on your own machine: run apps, make tokens, reach the apps with them.
///
/// The first command that needs it starts an emulator of AI Deploy in the background.
#[derive(Debug, Parser)]
#[command(name = "ovhai", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Begin with: ovhai demo")]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Authenticate with this application token instead of the login [env: `OVHAI_TOKEN`]
    // Named apart from the positional TOKEN of the token commands.
    #[arg(id = "caller-token", long = "token", global = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Region, such as GRA [env: `OVHAI_REGION`] [default: the emulator's first]
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// How to show the result
    // A string, so that app curl can have curl's own -o FILE in its place.
    #[arg(short, long, global = true, value_name = "FORMAT", value_parser = formats())]
    pub output: Option<String>,
    /// State directory of the local emulator [env: `OVHAI_STATE_DIR`] [default: ~/.local/share/ovhai]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Say nothing but the result
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// How to show a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// JSON; a list is one array
    Json,
    /// YAML
    Yaml,
    /// Names and values, for people
    Description,
    /// A table, for people
    Table,
    /// Only the name
    Name,
}

fn formats() -> PossibleValuesParser {
    let all = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    PossibleValuesParser::new(all)
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run, see, change and query apps
    #[command(visible_alias = "apps")]
    App(AppCommand),
    /// Make, see, regenerate and delete application tokens
    #[command(visible_alias = "tokens")]
    Token(TokenCommand),
    /// Show who you are and what you may use
    Me(Me),
    /// Start, stop and look at the local emulator
    #[command(visible_alias = "emu")]
    Emulator(EmulatorCommand),
    /// Walk through labels, tokens and access in a minute, for real
    Demo(Demo),
    /// Print the completion script of a shell
    Completion(Completion),
}

impl Command {
    /// Whether the command serves others, and so wants every core.
    pub(crate) fn serves(&self) -> bool {
        matches!(self, Self::Demo(_) | Self::Emulator(_))
    }

    /// Whether the command itself does what is to be done when the program is asked to end.
    pub(crate) fn handles_signals(&self) -> bool {
        matches!(self, Self::Emulator(command) if command.handles_signals())
    }

    /// Runs it.
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::App(command) => command.run(context).await,
            Self::Token(command) => command.run(context).await,
            Self::Me(command) => command.run(context).await,
            Self::Emulator(command) => command.run(context).await,
            // Boxed: it runs all the others.
            Self::Demo(command) => Box::pin(command.run(context)).await,
            Self::Completion(command) => command.run(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    /// An argument with the id of a global one would silently take its value.
    #[test]
    fn no_argument_shadows_a_global_one() {
        fn walk(command: &clap::Command, globals: &[String]) {
            for child in command.get_subcommands() {
                for argument in child.get_arguments() {
                    let id = argument.get_id().to_string();
                    // Meant: -o is a file there, as in curl, and marked as its own.
                    let is_meant = (child.get_name(), id.as_str()) == ("curl", "output");
                    assert!(!globals.contains(&id) || is_meant, "{} {id}", child.get_name());
                }
                walk(child, globals);
            }
        }
        let command = Cli::command();
        let globals: Vec<String> =
            command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
        assert!(globals.len() > 4);
        walk(&command, &globals);
    }
}
