//! The options of every command, which each command's help leaves out.

use clap::{Args, Command};

use super::page::{Block, Page};
use crate::args::global::Global;

/// The page.
pub fn page() -> Page {
    let command = Global::augment_args(Command::new("ovhai"));
    let described = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let terms = described.map(|argument| {
        let long = argument.get_long().unwrap_or_default();
        let mut name = match argument.get_short() {
            Some(short) => format!("-{short}, --{long}"),
            None => format!("    --{long}"),
        };
        let values = argument.get_value_names().filter(|_| argument.get_action().takes_values());
        for value in values.unwrap_or_default() {
            name += &format!(" <{value}>");
        }
        (name, argument.get_help().map(ToString::to_string).unwrap_or_default())
    });
    Page {
        name: "options",
        title: "Options of every command",
        about: "Options of every command",
        blocks: vec![
            Block::Text(
                "These options may come before or after the command. A command rejects an option that it has no use for.",
            ),
            Block::Terms { name: "option", meaning: "meaning", terms: terms.collect() },
            Block::Text("The formats for `--output`: `ovhai help formats`."),
        ],
    }
}
