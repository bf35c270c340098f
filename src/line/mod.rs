//! The command line: the command tree, completion, and advice on words that it does not know.

pub(crate) mod advice;
pub mod cli;
pub(crate) mod complete;
pub(crate) mod misplaced_args;
