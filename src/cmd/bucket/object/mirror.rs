//! What a transfer is going to do, for `--dry-run`, and the questions before it deletes something.

use std::fmt::Display;

use super::super::count;
use crate::context::Context;
use crate::error::Result;
use crate::term::text::clean;
use crate::ui::prompt;

/// Shows one step of `--dry-run`.
pub(super) fn planned(
    context: &mut Context,
    verb: &str,
    from: impl Display,
    to: Option<&dyn Display>,
) -> Result<()> {
    let line = match to {
        Some(to) => format!("{verb} {from} -> {to}"),
        None => format!("{verb} {from}"),
    };
    context.line(clean(&line))
}

/// Asks before objects or files are deleted.
pub(super) async fn confirm(number: usize, kind: &str, of: &str, yes: bool) -> Result<()> {
    if number == 0 {
        return Ok(());
    }
    let question = format!("Delete {} {of}? This can't be undone.", count(number, kind));
    prompt::confirm(&question, yes).await
}
