//! The command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::cmd::{
    Completion, Debug, Demo, FeatureCommand, Help, Login, Logout, Me, Reference, app::AppCommand,
    capabilities::CapabilitiesCommand, config::ConfigCommand, emulator::EmulatorCommand,
    registry::RegistryCommand, token::TokenCommand,
};
use crate::context::Context;
use crate::error::Result;
use crate::later::Later;

/// OVHcloud AI Deploy on your own machine: run apps, make tokens, reach the apps with them.
///
/// The first command that needs it starts an emulator of AI Deploy in the background.
#[derive(Debug, Parser)]
#[command(
    name = "ovhai",
    version,
    propagate_version = true,
    args_override_self = true,
    max_term_width = 100
)]
#[command(disable_help_subcommand = true)]
#[command(after_help = "Begin with: ovhai demo
A command's whole help: ovhai help COMMAND
Topics: ovhai help environment | exit-codes | formats | limits | options | selectors")]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command. A command's help leaves them out: `ovhai help options` has them.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Authenticate with this application token instead of the login [env: OVHAI_TOKEN]
    // Named apart from the positional TOKEN of the token commands.
    #[arg(
        id = "caller-token",
        long = "token",
        global = true,
        hide_short_help = true,
        hide_long_help = true,
        value_name = "TOKEN"
    )]
    pub token: Option<String>,
    /// Region, such as GRA [env: OVHAI_REGION] [default: the emulator's first]
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        hide_long_help = true,
        value_name = "REGION"
    )]
    pub region: Option<String>,
    /// How to show the result [default: a table for a list, else a description]
    // Text, not the enum: `app curl` has an `--output FILE` of its own, which takes its place.
    #[arg(short, long, global = true, hide_short_help = true, hide_long_help = true, value_name = "FORMAT", value_parser = formats())]
    pub output: Option<String>,
    /// The same as --output json
    // Text that needs no value, not a switch: `app curl` has a `--json DATA` in its place.
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        hide_long_help = true,
        hide = true,
        num_args = 0,
        default_missing_value = "true"
    )]
    pub json: Option<String>,
    /// State directory of the local emulator [env: OVHAI_STATE_DIR] [default: ~/.local/share/ovhai]
    #[arg(long, global = true, hide_short_help = true, hide_long_help = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// No colours; there are none in a pipe anyway [env: NO_COLOR]
    #[arg(long, global = true, hide_short_help = true, hide_long_help = true)]
    pub no_color: bool,
    /// Show each request to the API on stderr, with the answer's status and time; may be repeated
    #[arg(short, long, global = true, hide_short_help = true, hide_long_help = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Print nothing but the result
    #[arg(short, long, global = true, hide_short_help = true, hide_long_help = true)]
    pub quiet: bool,
}

fn formats() -> PossibleValuesParser {
    Format::value_variants().iter().filter_map(ValueEnum::to_possible_value).into()
}

/// Marks a value of `app curl`'s own `--output` and `--json`. Clap gives what stands before the
/// subcommand, the format of other commands, to the argument of the same name there.
pub(crate) const OWN: char = '=';

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
    /// A table with every column and whole ids, however wide
    Wide,
    /// Only the name
    Name,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run, see, change and query apps
    #[command(visible_alias = "apps")]
    App(Later<AppCommand>),
    /// Make, see, regenerate and delete application tokens
    #[command(visible_alias = "tokens")]
    Token(Later<TokenCommand>),
    /// Show who you are and what you may use
    #[command(alias = "whoami")]
    Me(Later<Me>),
    /// Log in with a user's password, or with a token
    Login(Later<Login>),
    /// End the login
    Logout(Later<Logout>),
    /// Choose a region, and add endpoints beside the local emulator
    Config(Later<ConfigCommand>),
    /// Show what a region offers: flavors, images, presets, quotas
    #[command(visible_alias = "cap")]
    Capabilities(Later<CapabilitiesCommand>),
    /// Manage registries that images come from
    #[command(visible_alias = "registries")]
    Registry(Later<RegistryCommand>),
    /// Show the requests of recent commands and their answers
    Debug(Later<Debug>),
    /// Show which features the emulator supports
    #[command(visible_alias = "features")]
    Feature(Later<FeatureCommand>),
    /// As other tools call it.
    #[command(hide = true)]
    Auth(Later<AuthCommand>),
    /// Start, stop and inspect the local emulator
    #[command(visible_alias = "emu")]
    Emulator(Later<EmulatorCommand>),
    /// Walk through labels, tokens and access in a minute, for real
    Demo(Later<Demo>),
    /// Print a shell's completion script for commands, names and values
    Completion(Later<Completion>),
    /// Explain a command or a topic
    Help(Later<Help>),
    /// Print the contents of docs/ and completions/, for the project's own use
    #[command(hide = true)]
    Reference(Later<Reference>),
}

/// `auth login`, as other tools call it.
#[derive(Debug, Args)]
pub(crate) struct AuthCommand {
    #[command(subcommand)]
    verb: AuthVerb,
}

#[derive(Debug, Subcommand)]
enum AuthVerb {
    /// Log in with a user's password, or with a token
    Login(Login),
    /// End the login
    Logout(Logout),
    /// Show who you are
    Status(Me),
}

/// The whole tree of commands; in [`Cli::command`] much is left for [`Later`].
pub fn tree() -> clap::Command {
    let mut root = Cli::command();
    root.build();
    root
}

/// Ends the help of a command, which leaves out the options of every command.
pub(crate) const MORE_OPTIONS: &str = "\nOptions of every command: ovhai help options\n";

impl Command {
    /// Whether the command serves others, and so wants every core.
    pub(crate) fn serves(&self) -> bool {
        matches!(self, Self::Demo(_) | Self::Emulator(_))
    }

    /// Whether the command itself does what is to be done when the program is asked to end.
    pub(crate) fn handles_signals(&self) -> bool {
        matches!(self, Self::Emulator(Later(command)) if command.handles_signals())
    }

    /// Runs it.
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::App(Later(command)) => command.run(context).await,
            Self::Token(Later(command)) => command.run(context).await,
            Self::Me(Later(command)) => command.run(context).await,
            Self::Login(Later(command)) => command.run(context).await,
            Self::Logout(Later(command)) => command.run(context).await,
            Self::Config(Later(command)) => command.run(context),
            Self::Capabilities(Later(command)) => command.run(context).await,
            Self::Registry(Later(command)) => command.run(context).await,
            Self::Debug(Later(command)) => command.run(context),
            Self::Feature(Later(command)) => command.run(context).await,
            Self::Auth(Later(command)) => match command.verb {
                AuthVerb::Login(command) => command.run(context).await,
                AuthVerb::Logout(command) => command.run(context).await,
                AuthVerb::Status(command) => command.run(context).await,
            },
            Self::Emulator(Later(command)) => command.run(context).await,
            // Boxed: it runs all the others.
            Self::Demo(Later(command)) => Box::pin(command.run(context)).await,
            Self::Completion(Later(command)) => command.run(context),
            Self::Help(Later(command)) => command.run(context),
            Self::Reference(Later(command)) => command.run(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    /// An argument with the id of a global one takes its place, and would silently take its
    /// value too.
    #[test]
    fn no_argument_shadows_a_global_one() {
        const MEANT: [(&str, &str); 4] = [
            // `-v` is `--volume` there, as in the service's own client; `--verbose` stays.
            ("run", "verbose"),
            // As curl has it: `-o FILE`. What it shows is the app's answer, which has no format.
            ("curl", "output"),
            // As curl has it: `--json DATA`.
            ("curl", "json"),
            // `--token` chooses requests there; the caller's is `--caller-token`.
            ("requests", "caller-token"),
        ];
        fn walk(command: &clap::Command, globals: &[String]) {
            for child in command.get_subcommands() {
                for argument in child.get_arguments() {
                    // What stands there because it is global itself.
                    if argument.is_global_set() {
                        continue;
                    }
                    let id = argument.get_id().to_string();
                    let meant = MEANT.contains(&(child.get_name(), id.as_str()));
                    assert!(meant || !globals.contains(&id), "{} {id}", child.get_name());
                }
                walk(child, globals);
            }
        }
        let command = tree();
        let globals: Vec<String> = (command.get_arguments())
            .filter(|argument| argument.is_global_set())
            .map(|argument| argument.get_id().to_string())
            .collect();
        assert!(globals.len() > 4);
        walk(&command, &globals);
    }
}
