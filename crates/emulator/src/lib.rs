//! The emulator of AI Deploy as a server.
//!
//! One listener; the Host header says which door a request takes ([`host`]): the regional API
//! ([`api`]), the gateway to an app ([`gateway`]), or the emulator's own control ([`control`]).
//! All of them talk to the domain's [`ovhai_core::Platform`] and to nothing below it. Nothing is
//! global: a hundred emulators run in one process.
//!
//! What must not be here: access rules, the life cycle, SQL.

pub mod api;
mod bearer;
mod body;
mod control;
mod emulator;
pub mod gateway;
pub mod host;
mod limits;
mod passwords;
mod secret;
mod seen;
mod server;
pub mod signer;
pub mod state;
mod watched;

pub use emulator::{Builder, DEFAULT_PORT, DEFAULT_REGIONS, Emulator, StartError};
pub use limits::Limits;
pub use ovhai_core::catalog;
pub use ovhai_core::platform::SessionTtl;
pub use ovhai_core::quota::Quotas;
pub use seen::AccessLog;
