//! The exit codes.

use super::page::{Block, Page};
use crate::error::{DENIED, FAILED, HTTP_ERROR, INTERRUPTED, NOT_FOUND, TIMEOUT, USAGE};

/// Every code, and what it means.
pub const CODES: [(u8, &str); 8] = [
    (
        0,
        "done; also when whoever read the result closed the pipe early, and when `emulator start` in the foreground was asked to end",
    ),
    (FAILED, "failed"),
    (USAGE, "the command line is wrong, or the server refuses a value of it"),
    (NOT_FOUND, "what was named is not there"),
    (DENIED, "not authenticated, or forbidden"),
    (TIMEOUT, "waited too long: `--wait=DURATION` ran out, or the server did not answer in time"),
    (HTTP_ERROR, "the app answered with an error: `app curl --fail`, as curl has it"),
    (
        INTERRUPTED,
        "interrupted: Ctrl-C, or asked to end; without a word where this is the only end (`app logs --follow`, `emulator logs --follow`, `--watch`, `app port-forward`)",
    ),
];

/// The page.
pub fn page() -> Page {
    Page {
        name: "exit-codes",
        title: "Exit codes",
        about: "Exit codes",
        blocks: vec![
            Block::Terms {
                name: "code",
                meaning: "meaning",
                terms: CODES
                    .iter()
                    .map(|(code, meaning)| (code.to_string(), (*meaning).to_owned()))
                    .collect(),
            },
            Block::Text(
                "A failure is told on stderr: what happened (`error:`), why (`cause:`), and what to do next (`hint:`).",
            ),
        ],
    }
}
