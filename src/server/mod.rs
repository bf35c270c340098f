//! The servers that commands call: which one, with whose credentials, whether it answers, and what
//! is recorded.

pub(crate) mod address;
pub(crate) mod background;
pub(crate) mod config;
pub(crate) mod credentials;
pub(crate) mod liveness;
pub(crate) mod options;
pub(crate) mod resolve;
pub(crate) mod session;
pub(crate) mod target;
pub(crate) mod trace;
pub(crate) mod waiting;
