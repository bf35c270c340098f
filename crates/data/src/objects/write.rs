//! Writing objects: beside their names first, and renamed when they are complete.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use ovhai_api_types::{ObjectName, UNFINISHED};
use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, statat, unlinkat};
use rustix::io::Errno;
use uuid::Uuid;

use super::bucket::Bucket;
use super::{ObjectError, Result};

/// Mode of objects: apps run as another user.
const MODE: Mode = Mode::from_raw_mode(0o644);

/// Writes objects of a bucket, one after the other.
pub struct Writer<'b> {
    bucket: &'b Bucket,
    overwrite: bool,
    /// Part of the names of unfinished objects.
    mark: String,
    count: u64,
    /// The last object's directory, since many objects have the same.
    last: Option<(String, OwnedFd)>,
}

/// An object that is being written. It is removed unless it is finished.
pub struct Part<'w> {
    directory: &'w OwnedFd,
    unfinished: String,
    name: &'w ObjectName,
    overwrite: bool,
    /// Where its bytes go.
    pub file: File,
    is_done: bool,
}

impl<'b> Writer<'b> {
    /// A writer for a bucket. One that does not overwrite leaves objects alone that exist.
    pub fn new(bucket: &'b Bucket, overwrite: bool) -> Self {
        let mark = Uuid::new_v4().simple().to_string();
        Self { bucket, overwrite, mark, count: 0, last: None }
    }

    /// Begins an object; none if it exists and must not be overwritten.
    pub fn begin<'w>(&'w mut self, name: &'w ObjectName) -> Result<Option<Part<'w>>> {
        let (path, last) = name.as_str().rsplit_once('/').unwrap_or(("", name.as_str()));
        self.count += 1;
        let unfinished = format!("{UNFINISHED}{}-{}", self.mark, self.count);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if self.last.as_ref().is_none_or(|(known, _)| known != path) {
            self.last = Some((path.to_owned(), self.bucket.place(name, true)?.directory));
        }
        let mut tried_again = false;
        let file = loop {
            let Some((_, directory)) = &self.last else {
                return Err(ObjectError::Conflict("the bucket was deleted meanwhile".into()));
            };
            if !self.overwrite && statat(directory, last, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                return Ok(None);
            }
            match openat(directory, unfinished.as_str(), flags, MODE) {
                Ok(file) => break file,
                // The directory was empty for a moment, and another call removed it.
                Err(Errno::NOENT) if !tried_again => {
                    tried_again = true;
                    self.last = Some((path.to_owned(), self.bucket.place(name, true)?.directory));
                }
                Err(error) => return Err(error.into()),
            }
        };
        let Some((_, directory)) = &self.last else {
            return Err(ObjectError::Conflict("the bucket was deleted meanwhile".into()));
        };
        let overwrite = self.overwrite;
        Ok(Some(Part { directory, unfinished, name, overwrite, file: file.into(), is_done: false }))
    }

    /// Asks the file system to keep what was written.
    pub fn end(self) -> Result<()> {
        self.bucket.sync_names()
    }
}

impl Part<'_> {
    /// Gives the object its name. Returns whether it has got it: an object that came meanwhile may have
    /// to stay.
    pub fn finish(mut self) -> Result<bool> {
        let name = self.name.as_str().rsplit('/').next().unwrap_or_default();
        let (from, at) = (self.unfinished.as_str(), self.directory.as_fd());
        let renamed = if self.overwrite {
            renameat(at, from, at, name)
        } else {
            match rename_new(at, from, name) {
                Err(Errno::EXIST) => return Ok(false),
                other => other,
            }
        };
        match renamed {
            Ok(()) => {
                self.is_done = true;
                Ok(true)
            }
            Err(Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST) => Err(ObjectError::Conflict(
                format!("{} can't be an object: there are objects below it", self.name),
            )),
            Err(error) => Err(error.into()),
        }
    }
}

/// Renames to a name that is free.
fn rename_new(at: std::os::fd::BorrowedFd<'_>, from: &str, to: &str) -> Result<(), Errno> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{RenameFlags, renameat_with};
        match renameat_with(at, from, at, to, RenameFlags::NOREPLACE) {
            // File systems that can't.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            other => return other,
        }
    }
    match statat(at, to, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Err(Errno::EXIST),
        Err(_) => renameat(at, from, at, to),
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            // The directory may be gone.
            let _ = unlinkat(self.directory, self.unfinished.as_str(), AtFlags::empty());
        }
    }
}
