//! Errors of the domain, without HTTP.

use crate::policy::Decision;
use crate::ports::store::{CommitError, StoreError};

/// The domain's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the domain refuses or fails.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The caller has no access; the decision says why.
    #[error("{}", .0.reason)]
    Denied(Decision),
    /// It does not exist, or is outside the caller's scope.
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
        /// The fault, and the allowed values.
        message: String,
    },
    /// The real service can do this, the emulator can't yet.
    #[error("{operation} is not emulated yet")]
    Unsupported {
        /// The operation's name.
        operation: String,
    },
    /// Its state does not allow the operation; the text says which, and what to do.
    #[error("{0}")]
    NotNow(String),
    /// It never allows the operation; the text says why.
    #[error("{0}")]
    NotSupported(String),
    /// The apps of the region would exceed the quota.
    #[error(
        "over quota: {more} more {kind} requested, {used} of {quota} in use; stop or delete an app, or request less"
    )]
    OverQuota {
        /// `CPU` or `GPU`.
        kind: &'static str,
        /// Maximum number of units.
        quota: u32,
        /// Units in use.
        used: u64,
        /// Units asked for.
        more: u64,
    },
    /// It exists already.
    #[error("there is already a {kind} {id}")]
    Exists {
        /// `user`, `registry`.
        kind: &'static str,
        /// Its name.
        id: String,
    },
    /// It changed since the caller read it.
    #[error("the {kind} changed meanwhile")]
    Outdated {
        /// `labels`.
        kind: &'static str,
    },
    /// The name or the password is wrong, or the session has ended; the error does not say which.
    #[error("the credentials are not valid")]
    BadCredentials,
    /// Too many tries.
    #[error("too many tries; wait {seconds} s")]
    TooManyTries {
        /// Time until the next try is accepted.
        seconds: u64,
    },
    /// The store refused the change; nothing was changed.
    #[error("the change could not be stored, and nothing was changed: {0}")]
    Storage(StoreError),
    /// The store failed during the commit. The emulator goes on without the change, which may be there
    /// after a crash.
    #[error(
        "it is not known whether the change was stored: it does not count now, and may be there after a crash of the emulator or the machine: {0}"
    )]
    Unknown(StoreError),
    /// The stored records can't be read.
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
