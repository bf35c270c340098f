//! Copying a file of this machine into an object: in the kernel, and without a copy at all where the file
//! system can share its blocks.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use ovhai_api_types::{ObjectName, ObjectsDone};
use rustix::fs::OFlags;

use super::bucket::Bucket;
use super::write::Writer;
use super::{ObjectError, Result};

/// Bytes of one step.
const STEP: u64 = 64 * 1024 * 1024;

/// A file to copy.
#[derive(Debug)]
pub struct Source {
    file: File,
    bytes: u64,
}

impl Source {
    /// Opens a file, if it is the one with this device, number and size.
    pub fn open(path: &Path, identity: [u64; 3]) -> Result<Self> {
        let other = || ObjectError::Conflict("the path leads elsewhere for the emulator".into());
        if !path.is_absolute() {
            return Err(other());
        }
        // A pipe would wait for its other end.
        let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file = File::options().read(true).custom_flags(nonblocking).open(path);
        let file = file.map_err(|_| other())?;
        let found = file.metadata()?;
        if !found.is_file() || [found.dev(), found.ino(), found.len()] != identity {
            return Err(other());
        }
        Ok(Self { file, bytes: found.len() })
    }

    /// Copies the file. `passed` receives the bytes of each step; an error of it ends the copy, and nothing
    /// is left.
    pub fn copy(
        &self,
        bucket: &Bucket,
        name: &ObjectName,
        overwrite: bool,
        mut passed: impl FnMut(u64) -> io::Result<()>,
    ) -> Result<ObjectsDone> {
        let skipped = ObjectsDone { skipped: 1, ..ObjectsDone::default() };
        let mut writer = Writer::new(bucket, overwrite);
        let Some(mut part) = writer.begin(name)? else { return Ok(skipped) };
        let mut left = self.bytes;
        while left > 0 {
            let count = io::copy(&mut (&self.file).take(left.min(STEP)), &mut part.file)?;
            if count == 0 {
                return Err(ObjectError::BrokenOff("the file became shorter".into()));
            }
            left -= count;
            passed(count)?;
        }
        if !part.finish()? {
            return Ok(skipped);
        }
        writer.end()?;
        Ok(ObjectsDone { objects: 1, bytes: self.bytes, skipped: 0 })
    }
}
