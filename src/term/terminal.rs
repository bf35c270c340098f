//! The terminal: its width, and colours where they are wanted.
//!
//! A stream has colours if it is a terminal, `--no-color` was not given, `NO_COLOR` is unset or
//! empty, and `TERM` is not `dumb`.

use std::borrow::Cow;
use std::io::{self, IsTerminal};

use ovhai_api_types::AppState;

/// The streams that may have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colors {
    /// The result.
    pub out: bool,
    /// Messages beside the result.
    pub err: bool,
}

impl Colors {
    /// Nowhere.
    pub const NONE: Self = Self { out: false, err: false };

    /// The streams of this process, before its options are applied.
    pub(crate) fn of_process() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return Self::NONE;
        }
        Self { out: io::stdout().is_terminal(), err: io::stderr().is_terminal() }
    }
}

/// Width of the result's terminal; none if the result goes elsewhere or the width is unknown.
pub(crate) fn columns() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let width = size.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
    // For a terminal that does not report its size, such as a serial line.
    width.or_else(|| std::env::var("COLUMNS").ok()?.parse().ok().filter(|width| *width > 0))
}

/// How much room there is, and whether colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Columns of the terminal; none: as many as it takes.
    pub(crate) columns: Option<usize>,
    /// Whether there may be colours.
    pub(crate) color: bool,
    /// The time that ages are counted from.
    pub(crate) now: jiff::Timestamp,
}

impl Layout {
    /// As it is in a pipe.
    #[cfg(test)]
    pub(crate) const PLAIN: Self =
        Self { columns: None, color: false, now: jiff::Timestamp::UNIX_EPOCH };
}

/// What a word looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Green,
    Yellow,
    Red,
    Cyan,
    Dim,
}

/// A word in this colour, if there may be colours.
pub(crate) fn paint(how: Paint, word: &str, color: bool) -> Cow<'_, str> {
    if !color {
        return word.into();
    }
    let code = match how {
        Paint::Green => "32",
        Paint::Yellow => "33",
        Paint::Red => "1;31",
        Paint::Cyan => "36",
        Paint::Dim => "2",
    };
    format!("\x1b[{code}m{word}\x1b[0m").into()
}

/// The colour of an app's state; none for any other word.
pub(crate) fn state(word: &str) -> Option<Paint> {
    let state = AppState::ALL.into_iter().find(|state| state.as_str() == word)?;
    Some(match state {
        AppState::Running => Paint::Green,
        AppState::Failed | AppState::Error => Paint::Red,
        AppState::Queued
        | AppState::Initializing
        | AppState::Scaling
        | AppState::Stopping
        | AppState::Deleting => Paint::Yellow,
        AppState::Stopped | AppState::Deleted => Paint::Dim,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states() {
        let colors = ["RUNNING", "FAILED", "STOPPING", "STOPPED", "running", ""].map(state);
        let some = [Paint::Green, Paint::Red, Paint::Yellow, Paint::Dim].map(Some);
        assert_eq!(colors[..4], some);
        assert_eq!(colors[4..], [None, None]);
    }

    #[test]
    fn no_codes_without_colours() {
        assert_eq!(paint(Paint::Green, "RUNNING", false), "RUNNING");
        assert_eq!(paint(Paint::Green, "RUNNING", true), "\x1b[32mRUNNING\x1b[0m");
    }
}
