//! The command tree as data, for documentation and tools.

use clap::{Arg, Command};
use serde::Serialize;

/// A command.
#[derive(Debug, Serialize)]
pub struct CommandInfo {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<Alias>,
    about: Option<String>,
    arguments: Vec<ArgumentInfo>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subcommands: Vec<Self>,
}

#[derive(Debug, Serialize)]
struct Alias {
    name: String,
    visible: bool,
}

/// An option, or a positional argument.
#[derive(Debug, Serialize)]
struct ArgumentInfo {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    short: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    long: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<Alias>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    default: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    possible_values: Vec<String>,
    global: bool,
    required: bool,
    help: Option<String>,
}

/// The tree below a built command, without hidden commands and arguments; global options are listed
/// at the root only.
pub fn tree(command: &Command) -> CommandInfo {
    node(command, true)
}

fn node(command: &Command, root: bool) -> CommandInfo {
    let visible: Vec<&str> = command.get_visible_aliases().collect();
    let arguments = command.get_arguments().filter(|arg| {
        let of_clap = matches!(arg.get_id().as_str(), "help" | "version");
        !arg.is_hide_set() && (root || !(arg.is_global_set() || of_clap))
    });
    let children = command
        .get_subcommands()
        .filter(|child| !child.is_hide_set() && (root || child.get_name() != "help"));
    CommandInfo {
        name: command.get_name().to_owned(),
        aliases: command
            .get_all_aliases()
            .map(|name| Alias { name: name.to_owned(), visible: visible.contains(&name) })
            .collect(),
        about: command.get_about().map(ToString::to_string),
        arguments: arguments.map(argument).collect(),
        subcommands: children.map(|child| node(child, false)).collect(),
    }
}

fn argument(arg: &Arg) -> ArgumentInfo {
    let visible = arg.get_visible_aliases().unwrap_or_default();
    let takes_values = arg.get_num_args().is_some_and(|range| range.takes_values());
    ArgumentInfo {
        id: arg.get_id().to_string(),
        short: arg.get_short(),
        long: arg.get_long().map(str::to_owned),
        aliases: arg
            .get_all_aliases()
            .unwrap_or_default()
            .into_iter()
            .map(|name| Alias { name: name.to_owned(), visible: visible.contains(&name) })
            .collect(),
        value_name: arg
            .get_value_names()
            .filter(|_| takes_values)
            .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
        default: arg
            .get_default_values()
            .iter()
            .filter(|_| takes_values)
            .map(|value| value.to_string_lossy().into_owned())
            .collect(),
        possible_values: arg
            .get_possible_values()
            .iter()
            .filter(|value| takes_values && !value.is_hide_set())
            .map(|value| value.get_name().to_owned())
            .collect(),
        global: arg.is_global_set(),
        required: arg.is_required_set(),
        help: arg.get_help().map(ToString::to_string),
    }
}
