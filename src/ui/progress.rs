//! A progress line on the terminal, which is redrawn in place and removed at the end. There is none
//! if stderr is not a terminal, or with `--quiet`.

use crate::context::Context;

const CLEAR: &[u8] = b"\r\x1b[K";
/// Width of a terminal that does not report its own.
const WIDTH: usize = 80;

/// See the module.
pub(crate) struct Progress<'a> {
    context: &'a mut Context,
    shown: bool,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(context: &'a mut Context) -> Self {
        Self { context, shown: false }
    }

    /// Replaces the line.
    pub(crate) fn say(&mut self, text: &str) {
        if !self.context.err_terminal || self.context.global.quiet {
            return;
        }
        // Cut to one line: a wrapped line would not be cleared.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let width =
            console::Term::stderr().size_checked().map_or(WIDTH, |(_, columns)| columns.into());
        let text = console::truncate_str(&text, width.saturating_sub(1), "…");
        self.write(&[CLEAR, text.as_bytes()].concat());
        self.shown = true;
    }

    fn write(&mut self, bytes: &[u8]) {
        // The reader may be gone.
        let _ = self.context.err.write_all(bytes).and_then(|()| self.context.err.flush());
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.shown {
            self.write(CLEAR);
        }
    }
}
