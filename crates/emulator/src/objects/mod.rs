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
mod list;
mod write;

use std::io;

pub(crate) use archive::{pack, unpack};
pub(crate) use bucket::{Bucket, Store};
pub(crate) use list::Listing;

/// Why something can't be done to an object or a bucket.
#[derive(Debug)]
pub(crate) enum ObjectError {
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

type Result<T, E = ObjectError> = std::result::Result<T, E>;
