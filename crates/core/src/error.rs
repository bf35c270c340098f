//! What can go wrong in the domain, without a word of HTTP.

use crate::policy::Decision;
use crate::ports::store::{CommitError, StoreError};

/// The domain's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the domain refuses or fails.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The caller may not do this; the decision says why.
    #[error("{}", .0.reason)]
    Denied(Decision),
    /// There is no such thing, or the caller may not know of it.
    #[error("there is no {kind} {id}")]
    NotFound {
        /// `app`, `token`, `registry`, `user`, `flavor` and so on.
        kind: &'static str,
        /// What was asked for.
        id: String,
    },
    /// A value is not allowed.
    #[error("{field}: {message}")]
    Invalid {
        /// Path of the field, such as `scalingStrategy.fixed.replicas`.
        field: String,
        /// What is wrong and what is allowed.
        message: String,
    },
    /// The real service can do this, the emulator can't yet.
    #[error("{operation} is not emulated yet")]
    Unsupported {
        /// The operation's name.
        operation: String,
    },
    /// The apps of the region would use more than they may.
    #[error(
        "over quota: {more} more {kind} requested, {used} of {quota} in use; stop or delete an app, or request less"
    )]
    OverQuota {
        /// `CPU` or `GPU`.
        kind: &'static str,
        /// The most units at once.
        quota: u32,
        /// Units in use.
        used: u64,
        /// Units asked for.
        more: u64,
    },
    /// There is one already.
    #[error("there is already a {kind} {id}")]
    Exists {
        /// `user`, `registry`.
        kind: &'static str,
        /// Its name.
        id: String,
    },
    /// The name or the password is wrong, or the session is over; never which.
    #[error("the credentials are not valid")]
    BadCredentials,
    /// Too many tries.
    #[error("too many tries; wait {seconds} s")]
    TooManyTries {
        /// Until the next one is looked at.
        seconds: u64,
    },
    /// The store could not keep the change; nothing was changed.
    #[error("the change could not be stored, and nothing was changed: {0}")]
    Storage(StoreError),
    /// The store failed while it kept the change. The emulator goes on as if nothing was changed;
    /// after a crash the change may be there.
    #[error(
        "it is not known whether the change was stored: it does not count now, and may be there after a crash of the emulator or the machine: {0}"
    )]
    Unknown(StoreError),
    /// What is stored can't be read.
    #[error("the records can't be read: {0}")]
    Load(StoreError),
    /// The emulator is shutting down.
    #[error("the emulator is shutting down")]
    ShuttingDown,
    /// A defect of the emulator.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(_) | CommitError::Conflict(_) => Self::Storage(error.cause()),
            CommitError::Unknown(cause) => Self::Unknown(cause),
        }
    }
}

impl Error {
    /// An invalid value at `field`.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }
}
