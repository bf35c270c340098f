//! The command line: its options and commands, completion, and advice on words that it does not
//! know.

pub(crate) mod advice;
pub mod cli;
pub(crate) mod complete;
pub(crate) mod deferred;
pub(crate) mod global;
pub(crate) mod misplaced_args;
pub(crate) mod near;
