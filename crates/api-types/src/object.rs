//! Objects in buckets of data stores: their names, and the wire types of the emulator's own calls.
//!
//! An object is a file below the directory of its bucket, so that a name that is no path below it, or
//! that the directory of an object would need, is no [`ObjectName`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Maximum length of an object's name, in bytes.
const NAME_MAX: usize = 1024;
/// Maximum length of one part of a name, in bytes: that of a file.
const PART_MAX: usize = 255;
/// What the names of files begin with that are being written.
pub const UNFINISHED: &str = ".ovhai-part-";

/// The text names no object, bucket or data store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidObject(String);

impl fmt::Display for InvalidObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidObject {}

/// The name of an object: a path below its bucket, such as `v1/weights/a.bin`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

impl ObjectName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts of the path.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ObjectName {
    type Err = InvalidObject;

    fn from_str(text: &str) -> Result<Self, InvalidObject> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for ObjectName {
    type Error = InvalidObject;

    fn try_from(text: String) -> Result<Self, InvalidObject> {
        let fault = |why: &str| InvalidObject(format!("{text:?} is no object name: {why}"));
        if text.len() > NAME_MAX {
            return Err(InvalidObject(format!(
                "the object name is longer than {NAME_MAX} bytes: {:?}…",
                text.chars().take(40).collect::<String>()
            )));
        }
        if text.contains('\0') {
            return Err(fault("it contains a NUL"));
        }
        for part in text.split('/') {
            match part {
                "" if text.is_empty() => return Err(fault("it is empty")),
                "" => return Err(fault("it begins or ends with a slash, or has two in a row")),
                "." | ".." => return Err(fault("it has a part . or ..")),
                _ if part.len() > PART_MAX => return Err(fault("a part is longer than 255 bytes")),
                _ if part.starts_with(UNFINISHED) => {
                    return Err(fault("such names belong to objects that are being written"));
                }
                _ => {}
            }
        }
        Ok(Self(text))
    }
}

impl Serialize for ObjectName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ObjectName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// Checks the name of a bucket: the name of one directory.
pub fn check_bucket(name: &str) -> Result<(), InvalidObject> {
    match ObjectName::from_str(name) {
        Ok(_) if name.contains(['/', '\\', '@']) || name.chars().any(char::is_control) => {
            let why = "it contains a /, a \\, a @ or a control character";
            Err(InvalidObject(format!("{name:?} is no bucket name: {why}")))
        }
        Ok(_) if name.starts_with(['.', '-']) => {
            Err(InvalidObject(format!("{name:?} is no bucket name: it begins with a dot or a -")))
        }
        Ok(_) => Ok(()),
        Err(_) => Err(InvalidObject(format!(
            "{name:?} is no bucket name: use the name of one directory, such as models"
        ))),
    }
}

/// A bucket of a data store, in the spelling of the command line: `bucket@store`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketAddress {
    /// The name of the bucket.
    pub bucket: String,
    /// The alias of the data store.
    pub store: String,
}

impl fmt::Display for BucketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.bucket, self.store)
    }
}

impl FromStr for BucketAddress {
    type Err = InvalidObject;

    fn from_str(text: &str) -> Result<Self, InvalidObject> {
        let parts = text.split_once('@').filter(|(bucket, store)| {
            !bucket.is_empty() && !store.is_empty() && !store.contains(['/', '@'])
        });
        let (bucket, store) = parts.ok_or_else(|| {
            InvalidObject(format!("{text:?} is no bucket: use BUCKET@STORE, such as models@local"))
        })?;
        check_bucket(bucket)?;
        Ok(Self { bucket: bucket.to_owned(), store: store.to_owned() })
    }
}

/// How names change on their way: `--remove-prefix` is taken off, then `--add-prefix` put before. Both
/// are text, as in object storage: a prefix need not end at a slash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renaming {
    /// Taken off a name that begins with it.
    pub remove: String,
    /// Put before a name.
    pub add: String,
}

impl Renaming {
    /// The name of an object after the change. A leading slash, and empty parts and parts `.`, are left
    /// out, so that `/tmp/a` and `./tmp/a` become `tmp/a`.
    pub fn apply(&self, name: &str) -> Result<ObjectName, InvalidObject> {
        let remove = self.remove.trim_start_matches("./");
        let name = name.trim_start_matches("./");
        let rest = match name.strip_prefix(remove) {
            Some(rest) => rest,
            // An absolute path of the command line against the name that it became.
            None => name.strip_prefix(remove.trim_start_matches('/')).unwrap_or(name),
        };
        let text = format!("{}{rest}", self.add);
        let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
        ObjectName::try_from(parts.collect::<Vec<_>>().join("/"))
    }
}

/// A data store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataStore {
    /// The alias that volumes and buckets name.
    pub alias: String,
    /// The kind: always `local`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `emulator`, or `customer` for a directory that the emulator's owner named.
    pub owner: String,
    /// The directory that the owner named; only the owner sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// A data store to add.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewDataStore {
    /// A directory of the emulator's machine; none: one of the emulator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// The name.
    pub name: String,
    /// When its directory changed last.
    pub last_modified: Option<crate::Timestamp>,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredObject {
    /// The name.
    pub name: ObjectName,
    /// The size.
    pub bytes: u64,
    /// When it was written last.
    pub last_modified: Option<crate::Timestamp>,
}

/// A page of a list of objects, by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectPage {
    /// The objects.
    pub items: Vec<StoredObject>,
    /// The last name of a page that others follow: `after` of the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ObjectName>,
}

/// Objects to read or to delete.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ObjectNames {
    /// Their names.
    pub names: Vec<ObjectName>,
}

/// Objects to copy or to move inside a data store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectTransfer {
    /// The bucket of the new names; none: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// Old and new names.
    pub names: Vec<(ObjectName, ObjectName)>,
    /// Whether the old objects go.
    #[serde(default)]
    pub is_move: bool,
}

/// A file of the emulator's machine to copy into an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectImport {
    /// The absolute path.
    pub path: String,
    /// Device, number and size of the file: the same path may lead elsewhere for the emulator.
    pub identity: [u64; 3],
    /// The name of the object.
    pub name: ObjectName,
    /// Whether an object of that name is replaced.
    pub overwrite: bool,
}

/// A line of the response to an [`ObjectImport`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ImportStep {
    /// Bytes that were copied since the line before.
    Bytes(u64),
    /// The end.
    Done(ObjectsDone),
    /// The end: why it failed.
    Failed(String),
}

/// What an upload or a change of several objects did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectsDone {
    /// Number of objects written or deleted.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Number of objects that were left alone, since one of their name exists or no longer does.
    pub skipped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_their_bucket() {
        for good in ["a", "a/b.txt", ".hidden/..x", "ü/ 1", "a\nb", "-rf", "a\\b", "...", "@x"] {
            assert_eq!(good.parse::<ObjectName>().map(|name| name.0), Ok(good.to_owned()));
        }
        let long = "x".repeat(256);
        let deep = "x/".repeat(600) + "x";
        for (bad, why) in [
            ("", "empty"),
            ("/", "slash"),
            ("/a", "slash"),
            ("a/", "slash"),
            ("a//b", "slash"),
            ("..", "part"),
            ("a/../b", "part"),
            ("./a", "part"),
            ("a\0b", "NUL"),
            ("a/.ovhai-part-1", "being written"),
            (long.as_str(), "255"),
            (deep.as_str(), "1024"),
        ] {
            let error = bad.parse::<ObjectName>().expect_err(bad).to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
        assert!(serde_json::from_str::<ObjectName>(r#""../x""#).is_err());
    }

    #[test]
    fn buckets_are_written_as_in_the_cloud() {
        let address: BucketAddress = "models@GRA".parse().expect("a bucket");
        assert_eq!((address.bucket.as_str(), address.store.as_str()), ("models", "GRA"));
        assert_eq!(address.to_string(), "models@GRA");
        for bad in
            ["models", "@GRA", "models@", "a/b@GRA", "..@GRA", "a@b@c", "a@b/c", ".a@GRA", "\0@x"]
        {
            assert!(bad.parse::<BucketAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn prefixes_are_taken_off_and_put_before() {
        let named = |remove: &str, add: &str, name: &str| {
            let renaming = Renaming { remove: remove.into(), add: add.into() };
            renaming.apply(name).map_or_else(|error| error.to_string(), |name| name.0)
        };
        for (remove, add, name, expected) in [
            ("", "", "weights/a", "weights/a"),
            ("", "", "./weights/a", "weights/a"),
            ("", "v1/", "./weights/a", "v1/weights/a"),
            // As text: no slash is added.
            ("", "v1-", "a", "v1-a"),
            ("weights/", "", "weights/a", "a"),
            ("./weights/", "", "./weights/a", "a"),
            ("weights", "", "weights/a", "a"),
            ("other/", "", "weights/a", "weights/a"),
            ("/tmp/x/", "", "/tmp/x/a", "a"),
            ("/tmp/x/", "", "tmp/x/a", "a"),
            ("", "/root", "/tmp/a", "root/tmp/a"),
            ("tmp/", "/root/", "tmp/a", "root/a"),
        ] {
            assert_eq!(named(remove, add, name), expected, "-{remove} +{add} {name}");
        }
        assert!(named("a", "", "a").contains("empty"));
        assert!(named("", "../", "a").contains("part"));
        assert!(named("x", "", "x../a").contains("part"));
    }
}
