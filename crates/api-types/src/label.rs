//! Label keys and values, by the rules of Kubernetes
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/>).
//!
//! A key is `[prefix/]name`: the prefix a DNS subdomain of at most 253 characters, the name at
//! most 63 of `[A-Za-z0-9_.-]`, alphanumeric at both ends. A value is empty or like a name, and
//! may also begin and end with `_`: the platform takes such values (a published tutorial of its
//! has the value `_lab_my_operator_token`), which Kubernetes would reject.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The prefix of the labels that only the platform writes.
pub const PLATFORM_PREFIX: &str = "ovh/";
/// The label that holds an app's id.
pub const PLATFORM_ID: &str = "ovh/id";
/// The label that holds the kind of workload; `app` for every app.
pub const PLATFORM_TYPE: &str = "ovh/type";

const NAME_MAX: usize = 63;
const PREFIX_MAX: usize = 253;

/// The string can't be a label key or value; displays the fault and the allowed form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidLabel {
    what: &'static str,
    given: String,
    rule: &'static str,
}

impl InvalidLabel {
    fn new(what: &'static str, given: &str, rule: &'static str) -> Self {
        Self { what, given: given.chars().take(80).collect(), rule }
    }
}

impl fmt::Display for InvalidLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid label {} {:?}: {}", self.what, self.given, self.rule)
    }
}

impl std::error::Error for InvalidLabel {}

fn is_name(s: &str) -> bool {
    is_name_with_ends(s, u8::is_ascii_alphanumeric)
}

fn is_value(s: &str) -> bool {
    s.is_empty() || is_name_with_ends(s, |b| b.is_ascii_alphanumeric() || *b == b'_')
}

fn is_name_with_ends(s: &str, ends: impl Fn(&u8) -> bool) -> bool {
    let bytes = s.as_bytes();
    s.len() <= NAME_MAX
        && bytes.first().is_some_and(&ends)
        && bytes.last().is_some_and(&ends)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn is_dns_subdomain(s: &str) -> bool {
    let part = |part: &str| {
        let bytes = part.as_bytes();
        let ends = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        bytes.first().is_some_and(ends)
            && bytes.last().is_some_and(ends)
            && bytes.iter().all(|b| ends(b) || *b == b'-')
    };
    s.len() <= PREFIX_MAX && s.split('.').all(part)
}

/// A valid label key. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct LabelKey(Arc<str>);

impl LabelKey {
    /// The key as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only the platform may write this label.
    pub fn is_platform(&self) -> bool {
        self.0.starts_with(PLATFORM_PREFIX)
    }

    /// `ovh/id`.
    pub fn platform_id() -> Self {
        Self(PLATFORM_ID.into())
    }

    /// `ovh/type`.
    pub fn platform_type() -> Self {
        Self(PLATFORM_TYPE.into())
    }
}

impl FromStr for LabelKey {
    type Err = InvalidLabel;

    fn from_str(s: &str) -> Result<Self, InvalidLabel> {
        let (prefix, name) = match s.split_once('/') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, s),
        };
        if let Some(prefix) = prefix
            && !is_dns_subdomain(prefix)
        {
            return Err(InvalidLabel::new(
                "key",
                s,
                "the part before '/' must be a DNS subdomain: lower case letters, digits, '-' and '.', at most 253 characters",
            ));
        }
        if !is_name(name) {
            return Err(InvalidLabel::new(
                "key",
                s,
                "a name is 1 to 63 letters, digits, '-', '_' or '.', beginning and ending with a letter or digit, with an optional 'prefix/' before it",
            ));
        }
        Ok(Self(s.into()))
    }
}

/// A valid label value, possibly empty. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct LabelValue(Arc<str>);

impl LabelValue {
    /// The value as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LabelValue {
    type Err = InvalidLabel;

    fn from_str(s: &str) -> Result<Self, InvalidLabel> {
        if is_value(s) {
            Ok(Self(s.into()))
        } else {
            Err(InvalidLabel::new(
                "value",
                s,
                "a value is empty or up to 63 letters, digits, '-', '_' or '.', beginning and ending with a letter, a digit or '_'",
            ))
        }
    }
}

macro_rules! string_like {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = InvalidLabel;

            fn try_from(s: String) -> Result<Self, InvalidLabel> {
                s.parse()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}
string_like!(LabelKey);
string_like!(LabelValue);

/// The labels of one app, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<LabelKey, LabelValue>);

impl Labels {
    /// No label.
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses labels of the wire; a label with a null value is absent.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a String, &'a Option<String>)>,
    ) -> Result<Self, InvalidLabel> {
        let mut labels = BTreeMap::new();
        for (key, value) in pairs {
            if let Some(value) = value {
                labels.insert(key.parse()?, value.parse()?);
            }
        }
        Ok(Self(labels))
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&LabelValue> {
        self.0.get(key)
    }

    /// Sets one label; returns the old value.
    pub fn insert(&mut self, key: LabelKey, value: LabelValue) -> Option<LabelValue> {
        self.0.insert(key, value)
    }

    /// Removes one label; returns the old value.
    pub fn remove(&mut self, key: &str) -> Option<LabelValue> {
        self.0.remove(key)
    }

    /// All labels in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&LabelKey, &LabelValue)> {
        self.0.iter()
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(LabelKey, LabelValue)> for Labels {
    fn from_iter<I: IntoIterator<Item = (LabelKey, LabelValue)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl From<&Labels> for BTreeMap<String, Option<String>> {
    fn from(labels: &Labels) -> Self {
        labels.iter().map(|(key, value)| (key.to_string(), Some(value.to_string()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for good in ["a", "group", "ovh/id", "a.b-c_d", "example.com/Team", "0", &"n".repeat(63)] {
            assert!(good.parse::<LabelKey>().is_ok(), "{good:?}");
        }
        let long = "n".repeat(64);
        let long_prefix = format!("{}/a", "p".repeat(254));
        for bad in [
            "",
            "/",
            "a/",
            "/a",
            "-a",
            "_a",
            "a_",
            "a-",
            "a b",
            "é",
            "Ovh/id",
            "a/b/c",
            "a..b/c",
            &long,
            &long_prefix,
        ] {
            assert!(bad.parse::<LabelKey>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn values() {
        for good in ["", "A", "a.b", "_lab_my_operator_token", "_", "a_", &"v".repeat(63)] {
            assert!(good.parse::<LabelValue>().is_ok(), "{good:?}");
        }
        for bad in [" ", "a b", "a/b", "-", ".a", "_.", "-_", &"v".repeat(64)] {
            assert!(bad.parse::<LabelValue>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn deserialising_checks() {
        assert!(serde_json::from_str::<Labels>(r#"{"group":"A"}"#).is_ok());
        assert!(serde_json::from_str::<Labels>(r#"{"group":"A b"}"#).is_err());
        assert!(serde_json::from_str::<Labels>(r#"{"":"A"}"#).is_err());
    }
}
