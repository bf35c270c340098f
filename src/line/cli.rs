//! The command line.

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::args::deferred::Deferred;
use crate::args::global::Global;
use crate::cmd::{
    Completion, DataCommand, Debug, Demo, FeatureCommand, Help, Login, Logout, Me, Reference,
    app::AppCommand, bucket::BucketCommand, capabilities::CapabilitiesCommand,
    config::ConfigCommand, datastore::DataStoreCommand, emulator::EmulatorCommand,
    registry::RegistryCommand, token::TokenCommand,
};
use crate::context::Context;
use crate::error::Result;

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

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run, inspect, change and query apps
    #[command(visible_alias = "apps")]
    App(Deferred<AppCommand>),
    /// Create, inspect, regenerate and delete application tokens
    #[command(visible_alias = "tokens")]
    Token(Deferred<TokenCommand>),
    /// Show who you are, and your quotas
    #[command(alias = "whoami")]
    Me(Deferred<Me>),
    /// Log in with a user's password or with a token
    Login(Deferred<Login>),
    /// Log out
    Logout(Deferred<Logout>),
    /// Choose a region, and add endpoints beside the local emulator
    Config(Deferred<ConfigCommand>),
    /// Show flavors, images, presets and quotas of a region
    #[command(visible_alias = "cap")]
    Capabilities(Deferred<CapabilitiesCommand>),
    /// Manage registries that images come from
    #[command(visible_alias = "registries")]
    Registry(Deferred<RegistryCommand>),
    /// Manage buckets, and the objects in them
    #[command(visible_alias = "buckets")]
    Bucket(Deferred<BucketCommand>),
    /// Manage the data stores that have the buckets
    #[command(visible_alias = "datastores")]
    Datastore(Deferred<DataStoreCommand>),
    /// The older spelling of bucket object
    #[command(hide = true)]
    Data(Deferred<DataCommand>),
    /// Show the requests of recent commands and their answers
    Debug(Deferred<Debug>),
    /// Show which features the emulator supports
    #[command(visible_alias = "features")]
    Feature(Deferred<FeatureCommand>),
    /// As other tools call it.
    #[command(hide = true)]
    Auth(Deferred<AuthCommand>),
    /// Start, stop and inspect the local emulator
    #[command(visible_alias = "emu")]
    Emulator(Deferred<EmulatorCommand>),
    /// Run a one-minute tour of labels, tokens and access
    Demo(Deferred<Demo>),
    /// Print a shell's completion script
    Completion(Deferred<Completion>),
    /// Explain a command or a topic
    Help(Deferred<Help>),
    /// Print the contents of docs/ and completions/, for the project's own use
    #[command(hide = true)]
    Reference(Deferred<Reference>),
}

/// `auth login`, as other tools call it.
#[derive(Debug, Args)]
pub(crate) struct AuthCommand {
    #[command(subcommand)]
    verb: AuthVerb,
}

#[derive(Debug, Subcommand)]
enum AuthVerb {
    /// Log in with a user's password or with a token
    Login(Login),
    /// Log out
    Logout(Logout),
    /// Show who you are
    Status(Me),
}

/// The whole command tree; `Cli::command` leaves much to `Deferred`.
pub fn tree() -> clap::Command {
    let mut root = Cli::command();
    root.build();
    root
}

impl Command {
    /// Whether the command serves requests, and so needs all cores.
    pub(crate) fn serves(&self) -> bool {
        matches!(self, Self::Demo(_) | Self::Emulator(_))
    }

    /// Whether the command handles SIGINT and SIGTERM itself.
    pub(crate) fn handles_signals(&self) -> bool {
        match self {
            Self::Emulator(Deferred(command)) => command.handles_signals(),
            Self::App(Deferred(command)) => command.handles_signals(),
            _ => false,
        }
    }

    /// Runs it.
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::App(Deferred(command)) => command.run(context).await,
            Self::Token(Deferred(command)) => command.run(context).await,
            Self::Me(Deferred(command)) => command.run(context).await,
            Self::Login(Deferred(command)) => command.run(context).await,
            Self::Logout(Deferred(command)) => command.run(context).await,
            Self::Config(Deferred(command)) => command.run(context),
            Self::Capabilities(Deferred(command)) => command.run(context).await,
            Self::Registry(Deferred(command)) => command.run(context).await,
            Self::Bucket(Deferred(command)) => command.run(context).await,
            Self::Datastore(Deferred(command)) => command.run(context).await,
            Self::Data(Deferred(command)) => command.run(context).await,
            Self::Debug(Deferred(command)) => command.run(context),
            Self::Feature(Deferred(command)) => command.run(context).await,
            Self::Auth(Deferred(command)) => match command.verb {
                AuthVerb::Login(command) => command.run(context).await,
                AuthVerb::Logout(command) => command.run(context).await,
                AuthVerb::Status(command) => command.run(context).await,
            },
            Self::Emulator(Deferred(command)) => command.run(context).await,
            // Boxed: it runs all the others.
            Self::Demo(Deferred(command)) => Box::pin(command.run(context)).await,
            Self::Completion(Deferred(command)) => command.run(context),
            Self::Help(Deferred(command)) => command.run(context),
            Self::Reference(Deferred(command)) => command.run(context),
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

    /// An argument with the id of a global one replaces it, and would silently take its value too.
    #[test]
    fn no_argument_shadows_a_global_one() {
        const MEANT: [(&str, &str); 5] = [
            // `-v` is `--volume` there, as in the service's own client; `--verbose` stays.
            ("run", "verbose"),
            // As in curl: `-o FILE`. The app's response has no format.
            ("curl", "output"),
            // As in curl: `--json DATA`.
            ("curl", "json"),
            // As in the service's own client: `-o DIR`.
            ("download", "output"),
            // `--token` selects requests there; the caller's token is `--caller-token`.
            ("requests", "caller-token"),
        ];
        fn walk(command: &clap::Command, globals: &[String]) {
            for child in command.get_subcommands() {
                for argument in child.get_arguments() {
                    // Global arguments appear at every level.
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
