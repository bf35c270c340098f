//! Objects of data stores: files below the directory of a bucket.
//!
//! Every path is resolved part by part beneath the bucket. A link is followed for reading only, and only
//! if it stays in the bucket. An object is written beside its name and renamed when it is complete, so
//! that a half one is never seen; as with `cp`, its bytes may still be lost if the machine crashes soon
//! after.
//!
//! All of it blocks, and runs on threads for that. What must not be here: who has access, HTTP.

mod archive;
mod bucket;
mod change;
mod import;
mod list;
mod write;

use std::fmt;
use std::io;

use crate::error::DataError;

pub use archive::{append_file, pack, unpack};
pub use bucket::{Bucket, Store, modified, size};
pub use import::Source;
pub use list::Listing;
pub use tar;
pub use write::{Part, Writer};

/// Why something can't be done to an object or a bucket.
#[derive(Debug)]
pub enum ObjectError {
    /// The bucket or the object does not exist.
    NotFound(String),
    /// What is there does not allow it.
    Conflict(String),
    /// The request is wrong.
    Invalid(String),
    /// The disk is full.
    Full,
    /// What the caller sends broke off.
    BrokenOff(String),
    /// The system failed.
    System(io::Error),
}

impl From<io::Error> for ObjectError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::System(error),
        }
    }
}

impl From<rustix::io::Errno> for ObjectError {
    fn from(error: rustix::io::Errno) -> Self {
        io::Error::from(error).into()
    }
}

impl From<DataError> for ObjectError {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Name { .. } => Self::Invalid(error.to_string()),
            DataError::Outside { .. } | DataError::Refused(_) | DataError::Cancelled => {
                Self::Conflict(error.to_string())
            }
            DataError::Io { source, .. } => source.into(),
        }
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(why)
            | Self::Conflict(why)
            | Self::Invalid(why)
            | Self::BrokenOff(why) => f.write_str(why),
            Self::Full => f.write_str("the disk is full"),
            Self::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ObjectError {}

/// The result of every operation.
pub type Result<T, E = ObjectError> = std::result::Result<T, E>;
