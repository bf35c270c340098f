//! Why files of data stores can't be had.

use std::fmt;
use std::io;

/// See the module.
#[derive(Debug)]
pub enum DataError {
    /// A name or a path is not allowed.
    Name {
        /// `container`, `prefix`, `object`.
        what: &'static str,
        /// As it was given.
        name: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A path leads out of its container, by a link.
    Outside {
        /// As it was given.
        name: String,
    },
    /// The directory may not be a data store, or is none any more.
    Refused(String),
    /// The work was ended before its end.
    Cancelled,
    /// The file system fails.
    Io {
        /// The file or directory.
        what: String,
        /// Its error.
        source: io::Error,
    },
}

impl DataError {
    /// An error of the file system; one of a path that leads out of its container has a variant of its own.
    pub fn io(what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        // The library's own refusal has no number of the system.
        if source.kind() == io::ErrorKind::PermissionDenied && source.raw_os_error().is_none() {
            return Self::Outside { name: what };
        }
        Self::Io { what, source }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { what, name, why } => write!(f, "{what} {name:?}: {why}"),
            Self::Outside { name } => {
                write!(
                    f,
                    "{name:?} leads out of its container: a link inside a container may only point to files of the same container"
                )
            }
            Self::Cancelled => f.write_str("it was ended before its end"),
            Self::Refused(why) => f.write_str(why),
            Self::Io { what, source } => write!(f, "{what:?}: {source}"),
        }
    }
}

impl std::error::Error for DataError {}
