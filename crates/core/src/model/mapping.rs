//! Commands in place of images, as they are stored.

use ovhai_api_types::Timestamp;
use serde::{Deserialize, Serialize};

/// A command that the emulator's owner has run in place of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingRecord {
    /// The image, with a tag for that one only, without for all of its tags.
    pub image: String,
    /// The command, run as a local process.
    pub command: Vec<String>,
    /// Where it is run.
    pub working_directory: String,
    /// When it was mapped.
    pub created_at: Timestamp,
}
