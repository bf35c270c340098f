//! Results in the requested format. A table that hides columns says so in its last line; in a pipe,
//! and with `-o wide`, nothing is hidden.

use std::borrow::Cow;

use serde::Serialize;

use crate::args::global::Format;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::term::describe::Description;
use crate::term::table::{Fit, Head, table_of};
use crate::term::terminal::{Paint, paint};
use crate::term::text::clean;

/// A result that a command shows.
pub(crate) trait Show: Serialize {
    /// The heads of the table's columns.
    const COLUMNS: &'static [&'static str];

    /// What happens to each column when there is no room; the others are fixed.
    const FIT: &'static [Fit] = &[];

    /// One row of the table.
    fn row(&self, now: jiff::Timestamp) -> Vec<String>;

    /// The same row, borrowed where possible, for long lists.
    fn cells(&self, now: jiff::Timestamp) -> Vec<Cow<'_, str>> {
        self.row(now).into_iter().map(Cow::Owned).collect()
    }

    /// The detail view.
    fn describe(&self) -> Description;

    /// The name, for `-o name`.
    fn name(&self) -> String;
}

impl Context {
    /// Shows one object, as a description by default.
    pub(crate) fn show<T: Show>(&mut self, thing: &T) -> Result<()> {
        let text = match self.format().unwrap_or(Format::Description) {
            Format::Description => thing.describe().render(self.layout()),
            Format::Table | Format::Wide => self.table(std::slice::from_ref(thing)),
            Format::Name => clean(&thing.name()).into_owned(),
            Format::Json => json(thing)?,
            Format::Yaml => yaml(thing)?,
        };
        self.line(text.trim_end())
    }

    /// Shows a list, as a table by default.
    pub(crate) fn show_all<T: Show>(&mut self, things: &[T]) -> Result<()> {
        let text = match self.format().unwrap_or(Format::Table) {
            Format::Table | Format::Wide => self.table(things),
            Format::Description => {
                let layout = self.layout();
                let each = things.iter().map(|thing| thing.describe().render(layout));
                each.collect::<Vec<_>>().join("\n")
            }
            Format::Name => {
                let names = things.iter().map(|thing| clean(&thing.name()).into_owned());
                names.collect::<Vec<_>>().join("\n")
            }
            Format::Json => json(&things)?,
            Format::Yaml => yaml(&things)?,
        };
        if text.is_empty() {
            return Ok(());
        }
        self.line(text.trim_end())
    }

    /// Shows data that has no view for people, if a format for programs was requested; returns
    /// whether it did.
    pub(crate) fn show_data(&mut self, thing: &impl Serialize) -> Result<bool> {
        let text = match self.format() {
            Some(Format::Json) => json(thing)?,
            Some(Format::Yaml) => yaml(thing)?,
            _ => return Ok(false),
        };
        self.line(text.trim_end())?;
        Ok(true)
    }

    fn table<T: Show>(&self, things: &[T]) -> String {
        const { assert!(T::FIT.len() <= T::COLUMNS.len(), "a fit for a column that is not there") };
        const { assert!(are_words(T::COLUMNS), "a head that is not one word") };
        let mut layout = self.layout();
        if self.format() == Some(Format::Wide) {
            layout.columns = None;
        }
        let rows = things.iter().map(|thing| thing.cells(layout.now));
        let (text, hidden) = table_of(&Head::each(T::COLUMNS, T::FIT), rows, layout);
        match hidden {
            0 => text,
            1 => text + &paint(Paint::Dim, "1 column hidden: -o wide", layout.color) + "\n",
            many => {
                let said = format!("{many} columns hidden: -o wide");
                text + &paint(Paint::Dim, &said, layout.color) + "\n"
            }
        }
    }
}

/// Whether each head is one word, for programs that split lines at blanks.
const fn are_words(heads: &[&str]) -> bool {
    let mut at = 0;
    while at < heads.len() {
        let bytes = heads[at].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            if !(bytes[byte].is_ascii_uppercase() || matches!(bytes[byte], b'-' | b'_' | b'.')) {
                return false;
            }
            byte += 1;
        }
        at += 1;
    }
    true
}

fn json(thing: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(thing).map_err(|error| Failure::new(error.to_string()))
}

fn yaml(thing: &impl Serialize) -> Result<String> {
    serde_yaml::to_string(thing).map_err(|error| Failure::new(error.to_string()))
}
