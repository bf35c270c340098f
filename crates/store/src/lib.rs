//! The domain's `Store` port, twice: [`SqliteStore`] for good, [`MemoryStore`] for as long as the
//! process lives. Both pass the one suite in `tests/conformance.rs`.
//!
//! What must not be here: rules of the domain. A record goes in and comes out as it is.

mod feed;
mod memory;
mod sqlite;
mod wal;

pub use memory::MemoryStore;
pub use sqlite::{OpenError, SqliteStore};
