//! Questions to the user at the terminal, in dialoguer's words.
//!
//! dialoguer's own reader takes Ctrl-D as a character of the line and so waits for ever, and it
//! discards what is typed right after its question for a password. Here the terminal edits the
//! line, and the end of its input is not an answer. Questions are asked in a thread, so that the
//! event loop continues and notices Ctrl-C. The terminal's settings are always restored.

use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, Write};

use dialoguer::theme::{SimpleTheme, Theme};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::error::{Failure, Result};
use crate::term::text::clean;

/// The failure of a question that was not answered with yes.
const CANCELLED: &str = "cancelled; nothing was changed";

/// Asks before something that can't be undone. Without a terminal, and with `yes`, it does not ask,
/// as scripts expect.
pub(crate) async fn confirm(question: &str, yes: bool) -> Result<()> {
    if !yes {
        confirmed(question).await?;
    }
    Ok(())
}

/// Asks the same question: true if the user agreed, false without a terminal.
pub(crate) async fn confirmed(question: &str) -> Result<bool> {
    let question = clean(question).into_owned();
    let answer = ask(move || {
        let asked = worded(|f| SimpleTheme.format_confirm_prompt(f, &question, Some(false)));
        loop {
            if let Some(answer) = yes_or_no(&line(&asked)?) {
                return Ok(answer);
            }
            refuse("answer y or n")?;
        }
    });
    match answer.await? {
        Some(false) => Err(Failure::new(CANCELLED)),
        answer => Ok(answer.is_some()),
    }
}

/// A line that is not empty, or `default`; none without a terminal.
pub(crate) async fn text(question: &str, default: &str) -> Result<Option<String>> {
    let (question, default) = (question.to_owned(), default.to_owned());
    ask(move || {
        let shown = Some(default.as_str()).filter(|default| !default.is_empty());
        let asked = worded(|f| SimpleTheme.format_input_prompt(f, &question, shown));
        loop {
            match (line(&asked)?.trim(), shown) {
                ("", None) => {}
                ("", Some(default)) => return Ok(default.to_owned()),
                (line, _) => return Ok(line.to_owned()),
            }
        }
    })
    .await
}

/// A password, which is not echoed, and asked for twice if it is new; none without a terminal. A
/// password that `refused` objects to is asked for again immediately.
pub(crate) async fn password(
    question: &str,
    is_new: bool,
    refused: fn(&str) -> Option<&'static str>,
) -> Result<Option<String>> {
    let question = question.to_owned();
    ask(move || {
        loop {
            let password = secret(&question)?;
            if let Some(why) = refused(&password) {
                refuse(why)?;
                continue;
            }
            if !is_new || password == secret("Again")? {
                return Ok(password);
            }
            refuse("the two passwords differ")?;
        }
    })
    .await
}

async fn ask<T: Send + 'static>(
    question: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<Option<T>> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(None);
    }
    let mut before =
        Before { mode: tcgetattr(io::stdin()).map_err(io::Error::from)?, is_answered: false };
    let answer = tokio::task::spawn_blocking(question).await.map_err(io::Error::other)?;
    before.is_answered = answer.is_ok();
    answer.map(Some).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => {
            Failure::new(CANCELLED).because("the input ended before an answer")
        }
        _ => error.into(),
    })
}

/// Restores the terminal's settings when dropped, also if the question was abandoned.
struct Before {
    mode: Termios,
    is_answered: bool,
}

impl Drop for Before {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.mode);
        if !self.is_answered {
            // The cursor is still on the question's line.
            let _ = say("\n");
        }
    }
}

/// The next line, without its line end. Text without a line end means the end of the input,
/// [`ErrorKind::UnexpectedEof`].
fn line(question: &str) -> io::Result<String> {
    say(question)?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let line = line.strip_suffix('\n').ok_or(ErrorKind::UnexpectedEof)?;
    Ok(crate::secret::bare(line).to_owned())
}

/// A line that is not echoed, and not empty.
fn secret(question: &str) -> io::Result<String> {
    let asked = worded(|f| SimpleTheme.format_password_prompt(f, question));
    // Before the question, for users who answer immediately.
    let mut mode = tcgetattr(io::stdin())?;
    mode.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Now, &mode)?;
    loop {
        let line = line(&asked)?;
        // The terminal has not echoed the line end.
        say("\n")?;
        if !line.is_empty() {
            return Ok(line);
        }
    }
}

fn yes_or_no(line: &str) -> Option<bool> {
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "" | "n" | "no" | "q" => Some(false),
        _ => None,
    }
}

/// Shows why an answer is not accepted.
fn refuse(why: &str) -> io::Result<()> {
    say(&(worded(|f| SimpleTheme.format_error(f, why)) + "\n"))
}

fn worded(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut text);
    text
}

fn say(text: &str) -> io::Result<()> {
    io::stderr().write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let all = ["y", "Yes ", "YES", "", " n", "no", "q", "x", "yess", "\u{1b}"].map(yes_or_no);
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(all, [yes, yes, yes, no, no, no, no, None, None, None]);
    }
}
