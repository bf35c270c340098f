//! The domain of AI Deploy: apps, application tokens, access, and the life cycle.
//!
//! What holds here: access is decided in [`policy`] only; states change by the table in
//! [`lifecycle`] only; every change goes through [`ledger::Ledger`], which makes it durable
//! before it is visible. Everything outside comes in through the traits in [`ports`].
//!
//! What must not be here: HTTP, SQL, processes, files, or an error type of any of those.

pub mod auth;
pub mod catalog;
mod check;
pub mod components;
mod data_stores;
pub mod directory;
pub mod error;
pub mod events;
mod image_access;
pub mod input;
pub mod ledger;
pub mod lifecycle;
pub mod logs;
pub mod model;
mod placement;
pub mod platform;
pub mod policy;
pub mod ports;
pub mod quota;
pub mod reconcile;
mod recorder;
pub mod records;
pub mod replica;
mod scaling;
pub mod spec;
mod subscriptions;
pub mod sync;
mod sync_log;
mod transition;
mod virtual_clock;
pub mod volume;

pub use error::{Error, Result};
pub use platform::{Platform, PlatformBuilder, Settings};
pub use virtual_clock::VirtualClock;
