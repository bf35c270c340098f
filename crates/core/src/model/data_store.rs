//! Data stores, as they are stored: an alias, and the directory behind it.

use ovhai_api_types::Timestamp;
use serde::{Deserialize, Serialize};

/// Maximum length of an alias.
const LONGEST: usize = 63;

/// A data store. Its containers are the directories in its directory, and their files the objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataStoreRecord {
    /// The alias. Two that differ in case only are the same one.
    pub alias: String,
    /// The absolute path of the directory of this machine that the emulator's owner named; none: a
    /// directory of the emulator's own, below its state directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

impl DataStoreRecord {
    /// Whether the emulator's owner named its directory, so that only the owner may change what is in
    /// there.
    pub fn is_owner_named(&self) -> bool {
        self.directory.is_some()
    }

    /// The alias as a key: in lower case.
    pub fn key(&self) -> String {
        Self::key_of(&self.alias)
    }

    /// The key of an alias.
    pub fn key_of(alias: &str) -> String {
        alias.to_ascii_lowercase()
    }

    /// Why a text is no alias; none if it is one. An alias is also the name of a directory.
    pub fn fault_of(alias: &str) -> Option<&'static str> {
        let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if alias.is_empty() || alias.len() > LONGEST {
            Some("an alias has 1 to 63 characters")
        } else if !alias.starts_with(|c: char| c.is_ascii_alphanumeric())
            || !alias.chars().all(is_known)
        {
            Some(
                "an alias has letters, digits, '-', '_' and '.', and begins with a letter or a digit",
            )
        } else {
            None
        }
    }
}
