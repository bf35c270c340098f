//! The servers that commands call: which one, with whose credentials, and what is stored for it.

pub(crate) mod background;
pub(crate) mod config;
pub(crate) mod credentials;
pub(crate) mod options;
pub(crate) mod resolve;
pub(crate) mod session;
pub(crate) mod target;
