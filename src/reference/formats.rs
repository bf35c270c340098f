//! The output formats.

use clap::ValueEnum;

use super::page::{Block, Page};
use crate::args::global::Format;

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
                "`-o` chooses the format of the result. By default a list is a table, and a single object is a description.",
            ),
            Block::Terms { name: "format", meaning: "what it shows", terms: terms.collect() },
            Block::Text(
                "JSON and YAML have every field, with the API's names and order, and dates as RFC 3339. Descriptions and tables are for people: dates in UTC with their age, ages in one unit (12s, 3m, 5h, 8d), `~` for an absent value, `\"\"` for an empty text. They may change; scripts should read JSON, also for a new token's string.",
            ),
            Block::Text(
                "On a terminal a table fits the width: ids are shortened to 8 characters, which commands accept too; then long names are cut (…), and columns without room are hidden, as the last line says. In a pipe, with `-o wide` and with `-o description`, nothing is cut or hidden. Control characters are shown escaped.",
            ),
            Block::Text(
                "Colours are used on a terminal only, and not with `--no-color` or `NO_COLOR`. Messages beside the result go to stderr; `-q` prints the result only.",
            ),
            Block::Text(
                "A failure is text on stderr; with `-o json` it is one line of JSON: `{\"error\":{\"message\":…,\"cause\":…,\"hints\":[…],\"exitCode\":3}}`. Messages before it, such as that an emulator was started, stay text; `-q` omits them.",
            ),
            Block::Lines(&[
                "ovhai app list -o json | jq -r '.[] | select(.spec.name == \"hello\") | .id'",
                "ovhai app list -o name",
                "ovhai -q token new ci --role read -o json | jq -r .status.value",
            ]),
        ],
    }
}
