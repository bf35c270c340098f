//! What people see: results as tables and descriptions, colours, questions, progress.
//!
//! What must not be here: calls of a server.

pub(crate) mod describe;
pub(crate) mod endless;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod table;
pub(crate) mod terminal;
pub(crate) mod text;
pub(crate) mod watch;
