//! Showing results in the format that was asked for.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::cli::Format;
use crate::context::Context;
use crate::describe::Description;
use crate::error::{Failure, Result};

/// Something that a command shows.
pub(crate) trait Show: Serialize {
    /// The heads of the table's columns.
    const COLUMNS: &'static [&'static str];

    /// One row of the table.
    fn row(&self, now: jiff::Timestamp) -> Vec<String>;

    /// The detail view.
    fn describe(&self) -> Description;

    /// The name alone.
    fn name(&self) -> String;
}

/// A table without lines; nothing in it is wrapped.
pub(crate) fn table(columns: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().copied());
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

impl Context {
    /// Shows one thing; a description unless something else was asked for.
    pub(crate) fn show<T: Show>(&mut self, thing: &T) -> Result<()> {
        let text = match self.format().unwrap_or(Format::Description) {
            Format::Description => thing.describe().render(),
            Format::Table => table(T::COLUMNS, vec![thing.row((self.now)())]),
            Format::Name => thing.name(),
            Format::Json => json(thing)?,
            Format::Yaml => yaml(thing)?,
        };
        self.line(text.trim_end())
    }

    /// Shows a list; a table unless something else was asked for.
    pub(crate) fn show_all<T: Show>(&mut self, things: &[T]) -> Result<()> {
        let now = (self.now)();
        let text = match self.format().unwrap_or(Format::Table) {
            Format::Table => table(T::COLUMNS, things.iter().map(|thing| thing.row(now)).collect()),
            Format::Description => {
                things.iter().map(|thing| thing.describe().render()).collect::<Vec<_>>().join("\n")
            }
            Format::Name => things.iter().map(Show::name).collect::<Vec<_>>().join("\n"),
            Format::Json => json(&things)?,
            Format::Yaml => yaml(&things)?,
        };
        if text.is_empty() {
            return Ok(());
        }
        self.line(text.trim_end())
    }
}

fn json(thing: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(thing).map_err(|error| Failure::new(error.to_string()))
}

fn yaml(thing: &impl Serialize) -> Result<String> {
    serde_yaml::to_string(thing).map_err(|error| Failure::new(error.to_string()))
}
