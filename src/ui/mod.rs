//! Input and output of commands: results, questions, progress.
//!
//! What must not be here: calls of a server.

pub(crate) mod browser;
pub(crate) mod endless;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod watch;
