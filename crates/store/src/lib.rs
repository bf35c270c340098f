//! The domain's `Store` port: [`SqliteStore`] in a file, [`MemoryStore`] in memory. Both pass the
//! suite in `tests/conformance.rs`.
//!
//! What must not be here: rules of the domain, and names of kinds outside upgrades of old files.

mod feed;
mod memory;
mod sqlite;
mod wal;

pub use memory::MemoryStore;
pub use sqlite::{OpenError, SqliteStore};
