//! The output formats.

use clap::ValueEnum;

use super::page::{Block, Page};
use crate::line::global::Format;

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
                "JSON and YAML have every field, in the API's own names and order, and dates as RFC 3339. Descriptions and tables are for people: dates in UTC with the age beside, ages in one unit (12s, 3m, 5h, 8d), `~` for what is absent, `\"\"` for an empty text. They may change; scripts read JSON, also for a new token's string.",
            ),
            Block::Text(
                "On a terminal a table is made to fit: ids are shortened to 8 characters, which name a thing as well; then long names are cut (…), and columns without room are left out, which a last line says. In a pipe, with `-o wide` and with `-o description`, nothing is cut or left out. Characters that a terminal would obey are shown escaped.",
            ),
            Block::Text(
                "Colours are only on a terminal: not in a pipe, not with `--no-color`, not when `NO_COLOR` is set. What is said beside the result goes to stderr; `-q` says nothing but the result.",
            ),
            Block::Text(
                "A failure is text on stderr, with `-o json` one line of JSON: `{\"error\":{\"message\":…,\"cause\":…,\"hints\":[…],\"exitCode\":3}}`. Remarks before it, such as that an emulator was started, stay text: `-q` leaves them out.",
            ),
            Block::Lines(&[
                "ovhai app list -o json | jq -r '.[] | select(.spec.name == \"hello\") | .id'",
                "ovhai app list -o name",
                "ovhai -q token new ci --role read -o json | jq -r .status.value",
            ]),
        ],
    }
}
