//! The output formats.

use clap::ValueEnum;

use super::page::{Block, Page};
use crate::cli::Format;

/// The page.
pub fn page() -> Page {
    let formats = Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let terms = formats.map(|format| {
        let help = format.get_help().map(ToString::to_string).unwrap_or_default();
        (format.get_name().to_owned(), help)
    });
    Page {
        name: "formats",
        title: "Output formats",
        about: "Output formats, widths and colours",
        blocks: vec![
            Block::Text(
                "`-o` chooses how a result is shown. Without it a list is a table, and one thing a description.",
            ),
            Block::Terms { name: "format", meaning: "what it shows", terms: terms.collect() },
            Block::Text(
                "JSON and YAML have every field, in the API's own names and order, and dates as RFC 3339. Descriptions and tables are for people: dates in UTC, ages in one unit (12s, 3m, 5h, 8d), `~` for what is not there. They may change; scripts read JSON, also for a new token's string.",
            ),
            Block::Text(
                "On a terminal a table is made to fit: long names are cut (…), and columns that have no room then are left out without a word, such as the address, the age and the number of replicas; ids are always whole. In a pipe nothing is cut or left out, nor with `-o description`. Characters that a terminal would obey are shown escaped.",
            ),
            Block::Text(
                "Colours are only on a terminal: not in a pipe, not with `--no-color`, not when `NO_COLOR` is set. What is said beside the result goes to stderr; `-q` says nothing but the result.",
            ),
            Block::Lines(&[
                "ovhai app list -o json | jq -r '.[] | select(.spec.name == \"hello\") | .id'",
                "ovhai app list -o name",
                "ovhai -q token new ci --role read -o json | jq -r .status.value",
            ]),
        ],
    }
}
