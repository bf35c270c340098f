//! The environment of a command line, for the local process that it submits. An extension: the
//! service runs no processes on its caller's machine.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Variables by name. A secret as a whole: `Debug` shows neither names nor values.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Environment(BTreeMap<String, String>);

/// Why variables are not a valid environment. Contains at most one name, and no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidEnvironment {
    /// A name is empty, or has `=` or NUL.
    Name,
    /// The value of this variable has a NUL.
    Value(String),
    /// All names and values together are too large.
    TooLarge {
        /// Their size.
        bytes: usize,
        /// The largest variable.
        largest: String,
        /// Size of the largest variable.
        largest_bytes: usize,
    },
}

impl fmt::Display for InvalidEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("a name is empty, or has '=' or a NUL"),
            Self::Value(name) => write!(f, "the value of {name:?} has a NUL"),
            Self::TooLarge { bytes, largest, largest_bytes } => write!(
                f,
                "it has {} KiB, and at most {} KiB are allowed; its largest variable is {largest:?} with {} KiB",
                bytes.div_ceil(1024),
                Environment::MAX_BYTES / 1024,
                largest_bytes.div_ceil(1024)
            ),
        }
    }
}

impl std::error::Error for InvalidEnvironment {}

impl Environment {
    /// Largest environment, names and values together. The kernel gives a program 2 MiB for its
    /// arguments and its environment; an app's own variables have to fit beside this.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// The variables whose names satisfy `is_wanted`.
    #[must_use]
    pub fn retain(mut self, is_wanted: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|name, _| is_wanted(name));
        self
    }

    /// Checks names, values and size.
    pub fn check(&self) -> Result<(), InvalidEnvironment> {
        for (name, value) in &self.0 {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(InvalidEnvironment::Name);
            }
            if value.contains('\0') {
                return Err(InvalidEnvironment::Value(name.chars().take(80).collect()));
            }
        }
        let size = |(name, value): (&String, &String)| name.len() + value.len();
        let bytes = self.0.iter().map(size).sum();
        let largest = self.0.iter().max_by_key(|pair| size(*pair));
        match largest {
            Some((name, value)) if bytes > Self::MAX_BYTES => Err(InvalidEnvironment::TooLarge {
                bytes,
                largest: name.chars().take(80).collect(),
                largest_bytes: size((name, value)),
            }),
            _ => Ok(()),
        }
    }

    /// The variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(variables: T) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str, value: &str) -> Environment {
        [(name.to_owned(), value.to_owned())].into_iter().collect()
    }

    #[test]
    fn impossible_variables_are_refused_without_showing_values() {
        assert_eq!(environment("A", "b\n").check(), Ok(()));
        for name in ["", "A=B", "A\0"] {
            assert_eq!(environment(name, "hush").check(), Err(InvalidEnvironment::Name));
        }
        let why = environment("A", "hush\0").check().expect_err("a NUL").to_string();
        assert!(why.contains("\"A\"") && !why.contains("hush"), "{why}");
        let large = "hush".repeat(Environment::MAX_BYTES);
        let why = environment("A", &large).check().expect_err("too large").to_string();
        assert!(why.contains("256 KiB") && why.contains("\"A\""), "{why}");
        assert!(!why.contains("hush"), "{why}");
    }

    #[test]
    fn debug_shows_nothing() {
        let shown = format!("{:?}", environment("NAME", "hush"));
        assert!(!shown.contains("NAME") && !shown.contains("hush"), "{shown}");
    }
}
