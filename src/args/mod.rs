//! Arguments of several commands, and how clap learns about them.

pub(crate) mod deferred;
pub(crate) mod global;
pub(crate) mod near;
