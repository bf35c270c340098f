//! The durable records, a module a kind.
//!
//! Modules that records are made of ([`crate::spec`], [`crate::error`], [`crate::policy`],
//! [`crate::ports`]) import from the module of a kind, never from here.

pub(crate) mod app;
pub(crate) mod clock;
pub(crate) mod data_store;
pub(crate) mod environment;
pub(crate) mod mapping;
pub(crate) mod registry;
pub(crate) mod session;
pub(crate) mod token;
pub(crate) mod user;

pub use app::{AppRecord, Wanted};
pub use clock::ClockRecord;
pub use data_store::DataStoreRecord;
pub use environment::{EnvironmentOwner, EnvironmentRecord};
pub use mapping::MappingRecord;
pub use registry::{RegistryRecord, SealedPassword};
pub use session::{Digest, SessionId, SessionRecord};
pub use token::{TokenClaims, TokenRecord};
pub use user::UserRecord;
