//! The exit codes.

use super::page::{Block, Page};
use crate::error::{DENIED, FAILED, HTTP_ERROR, INTERRUPTED, NOT_FOUND, TIMEOUT, UNDECIDED, USAGE};

/// Every code, and what it means.
pub const CODES: [(u8, &str); 9] = [
    (
        0,
        "success; also if the reader closed the pipe early, and if `emulator start` in the foreground was asked to stop",
    ),
    (FAILED, "failed"),
    (USAGE, "the command line is wrong, or the server rejects one of its values"),
    (NOT_FOUND, "something named on the command line does not exist"),
    (DENIED, "not authenticated, or forbidden"),
    (TIMEOUT, "timed out: `--wait=DURATION` expired, or the server did not answer in time"),
    (UNDECIDED, "not decided: `app check` has no engine, or what it has can't run the image"),
    (HTTP_ERROR, "the app answered with an error (`app curl --fail`, as in curl)"),
    (
        INTERRUPTED,
        "interrupted by Ctrl-C or SIGTERM; silent for commands that only end this way (`app logs --follow`, `emulator logs --follow`, `--watch`, `app port-forward`)",
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
                "A failure is reported on stderr: what happened (`error:`), why (`cause:`), and what to do next (`hint:`).",
            ),
        ],
    }
}
