//! The options of every command, and the output formats.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, ValueEnum};

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
    // Text, not the enum: the `--output FILE` of `app curl` replaces it.
    #[arg(short, long, global = true, hide_short_help = true, hide_long_help = true, value_name = "FORMAT", value_parser = formats())]
    pub output: Option<String>,
    /// The same as --output json
    // Text with an optional value, not a switch: the `--json DATA` of `app curl` replaces it.
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
    /// No colours, as in a pipe [env: NO_COLOR]
    #[arg(long, global = true, hide_short_help = true, hide_long_help = true)]
    pub no_color: bool,
    /// Show each request to the API on stderr, with the response's status and time; may be repeated
    #[arg(short, long, global = true, hide_short_help = true, hide_long_help = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Print nothing but the result
    #[arg(short, long, global = true, hide_short_help = true, hide_long_help = true)]
    pub quiet: bool,
}

fn formats() -> PossibleValuesParser {
    Format::value_variants().iter().filter_map(ValueEnum::to_possible_value).into()
}

/// Marks a value of `app curl`'s own `--output` and `--json`. Clap also gives it the value of the
/// global option of the same name, if that precedes the subcommand.
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

/// The last line of a command's help, which omits the options of every command.
pub(crate) const MORE_OPTIONS: &str = "\nOptions of every command: ovhai help options\n";
