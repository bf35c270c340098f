//! The emulator of AI Deploy as a server.
//!
//! There is one listener (`edge`). The Host header decides which door a request takes ([`host`]):
//! the regional API ([`api`]), the gateway to an app (`gateway`), or the emulator's own endpoints
//! (`control`). All of them use the domain's [`ovhai_core::Platform`] and nothing below it. Nothing
//! is global: a hundred emulators run in one process.
//!
//! What must not be here: access rules, the life cycle, SQL.

pub mod api;
mod console;
mod control;
mod domain_time;
mod edge;
mod emulator;
mod gateway;
pub mod host;
mod json;
mod limits;
mod listen;
pub mod origin;
mod passwords;
mod pieces;
mod random;
mod seal;
mod secret;
pub mod signer;
mod start_error;
pub mod state;
mod telemetry;
pub mod tls;
mod vault;
mod web;

pub use emulator::{
    Builder, DEFAULT_PORT, DEFAULT_REGIONS, DEFAULT_TLS_PORT, Emulator, StopReason,
};
pub use gateway::reserved::{FORWARDED_HOST, GATEWAY_TOKEN};
pub use limits::{LIMITS, Limit, Limits};
pub use ovhai_core::catalog;
pub use ovhai_core::components::{Component, Components};
pub use ovhai_core::input;
pub use ovhai_core::platform::SessionTtl;
pub use ovhai_core::quota::Quotas;
pub use ovhai_store::OpenError;
pub use start_error::StartError;
pub use telemetry::AccessLog;
