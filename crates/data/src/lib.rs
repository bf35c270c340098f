//! The files of data stores and volumes.
//!
//! - [`roots`]: from an alias, a container and a prefix to a directory;
//! - [`refused`]: directories of this machine that are no data stores;
//! - [`volumes`]: the domain's port;
//! - [`tree`]: copying directories, and bringing two of them together;
//! - `git`: repositories;
//! - [`modes`]: who may read and write the files of a copy, and its removal;
//! - [`names`]: names of containers and objects;
//! - [`objects`]: reading, writing and listing objects.
//!
//! What always holds: a path that a caller gave is resolved beneath its container by [`cap_std`], and
//! neither `..` nor a link leads out of it. What must not be here: decisions about access, which are
//! the domain's.

pub mod error;
mod git;
pub mod modes;
pub mod names;
pub mod objects;
pub mod refused;
pub mod roots;
pub mod tree;
pub mod volumes;

pub use cap_std;
pub use error::DataError;
pub use roots::StoreRoots;
pub use volumes::FileVolumes;
