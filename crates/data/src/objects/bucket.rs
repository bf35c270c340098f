//! The directory of a data store and those of its buckets, and how names are resolved below them.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ovhai_api_types::{ObjectName, Timestamp};
use ovhai_core::model::DataStoreRecord;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, statat};
use rustix::io::Errno;

use super::{ObjectError, Result};
use crate::names::check_container;
use crate::roots::{Missing, StoreRoots};

/// Mode of directories: apps run as another user.
const DIRECTORY: Mode = Mode::from_raw_mode(0o755);
const OPEN_DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The directory of a data store.
pub struct Store(OwnedFd);

impl Store {
    /// The directory of a store; none if it is missing and not made.
    pub fn open(
        roots: &StoreRoots,
        store: &DataStoreRecord,
        missing: Missing,
    ) -> Result<Option<Self>> {
        let root = roots.root(store, missing)?;
        // Opened again, because `cap_std` opens directories for resolving paths only.
        let open = |root: cap_std::fs::Dir| openat(&root, ".", OPEN_DIRECTORY, Mode::empty());
        Ok(root.map(open).transpose()?.map(Self))
    }

    /// The buckets by name, with the time at which their directory changed.
    pub fn buckets(&self) -> Result<Vec<(String, Option<Timestamp>)>> {
        let mut all = Vec::new();
        for name in names(self.0.as_fd())? {
            if check_container(&name).is_err() {
                continue;
            }
            let Ok(stat) = statat(&self.0, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                all.push((name, modified(&stat)));
            }
        }
        all.sort();
        Ok(all)
    }

    /// Makes a bucket. Returns whether it is new.
    pub fn create(&self, bucket: &str) -> Result<bool> {
        check_container(bucket)?;
        match mkdirat(&self.0, bucket, DIRECTORY) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => self.bucket(bucket).map(|_| false),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a bucket that has no objects.
    pub fn delete(&self, bucket: &str) -> Result<()> {
        let opened = self.bucket(bucket)?;
        opened.delete_empty_directories()?;
        match rustix::fs::unlinkat(&self.0, bucket, AtFlags::REMOVEDIR) {
            Ok(()) => Ok(()),
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                Err(ObjectError::Conflict(format!("the bucket {bucket} is not empty")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A bucket that exists.
    pub fn bucket(&self, bucket: &str) -> Result<Bucket> {
        check_container(bucket)?;
        match openat(&self.0, bucket, OPEN_DIRECTORY, Mode::empty()) {
            Ok(directory) => Ok(Bucket(directory)),
            Err(Errno::NOENT) => {
                Err(ObjectError::NotFound(format!("the bucket {bucket} does not exist")))
            }
            Err(Errno::NOTDIR | Errno::LOOP) => {
                Err(ObjectError::Conflict(format!("{bucket} is no directory, and so no bucket")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A bucket, which is made if it does not exist.
    pub fn bucket_or_new(&self, bucket: &str) -> Result<Bucket> {
        self.create(bucket)?;
        self.bucket(bucket)
    }
}

/// The directory of a bucket.
#[derive(Debug)]
pub struct Bucket(pub(super) OwnedFd);

/// The directory that an object is in, and its name there.
pub(super) struct Place<'n> {
    pub(super) directory: OwnedFd,
    pub(super) name: &'n str,
}

impl Bucket {
    /// A directory that objects are downloaded to.
    pub fn of_directory(directory: OwnedFd) -> Self {
        Self(directory)
    }

    /// Opens an object for reading.
    pub fn open_object(&self, name: &ObjectName) -> Result<(File, Stat)> {
        let missing = || ObjectError::NotFound(format!("the object {name} does not exist"));
        // A pipe would wait for its other end.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match open_beneath(self.0.as_fd(), name.as_str(), flags) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NXIO) => return Err(missing()),
            Err(Errno::LOOP | Errno::XDEV) => {
                return Err(ObjectError::Conflict(format!(
                    "{name} is a link, or below one, that leads out of the bucket"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(missing());
        }
        Ok((file.into(), stat))
    }

    /// The directory of an object; `create` makes it if it is missing. No link is followed.
    pub(super) fn place<'n>(&self, name: &'n ObjectName, create: bool) -> Result<Place<'n>> {
        let (path, last) = name.as_str().rsplit_once('/').unwrap_or(("", name.as_str()));
        let missing = || ObjectError::NotFound(format!("the object {name} does not exist"));
        let mut directory = self.0.as_fd().try_clone_to_owned()?;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let mut opened = openat(&directory, part, OPEN_DIRECTORY, Mode::empty());
            if matches!(opened, Err(Errno::NOENT)) && create {
                match mkdirat(&directory, part, DIRECTORY) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                opened = openat(&directory, part, OPEN_DIRECTORY, Mode::empty());
            }
            directory = match opened {
                Ok(next) => next,
                Err(Errno::NOENT) => return Err(missing()),
                Err(Errno::NOTDIR | Errno::LOOP) if create => {
                    return Err(ObjectError::Conflict(format!(
                        "{name} can't be an object: {part} on its path is an object or a link"
                    )));
                }
                Err(Errno::NOTDIR | Errno::LOOP) => return Err(missing()),
                Err(error) => return Err(error.into()),
            };
        }
        Ok(Place { directory, name: last })
    }

    /// Opens a directory below the bucket; the empty path is the bucket. No link is followed.
    pub(super) fn open_directory(&self, path: &str) -> Result<OwnedFd, Errno> {
        let mut directory = openat(&self.0, ".", OPEN_DIRECTORY, Mode::empty())?;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            directory = openat(&directory, part, OPEN_DIRECTORY, Mode::empty())?;
        }
        Ok(directory)
    }

    /// Asks the file system to keep the names that were given since.
    pub(super) fn sync_names(&self) -> Result<()> {
        match rustix::fs::fsync(&self.0) {
            // Some file systems can't.
            Ok(()) | Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Opens a path beneath a directory. Links that stay beneath it are followed where the kernel can
/// check that; elsewhere none is.
pub(super) fn open_beneath(
    directory: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match openat2(directory, path, flags, Mode::empty(), resolve) {
            // Kernels before 5.6, and sandboxes.
            Err(Errno::NOSYS | Errno::PERM) => {}
            // A rename beside it; the walk below has no such trouble.
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
    let (above, last) = path.rsplit_once('/').unwrap_or(("", path));
    let mut at = directory
        .try_clone_to_owned()
        .map_err(|error| error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error))?;
    for part in above.split('/').filter(|part| !part.is_empty()) {
        at = openat(&at, part, OPEN_DIRECTORY, Mode::empty())?;
    }
    openat(&at, last, flags | OFlags::NOFOLLOW, Mode::empty())
}

/// The names in a directory, but for its own and its parent's, and those that are not UTF-8.
pub(super) fn names(directory: BorrowedFd<'_>) -> io::Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        match entry.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) => all.push(name.to_owned()),
        }
    }
    Ok(all)
}

/// When a file changed.
#[allow(
    clippy::useless_conversion,
    clippy::unnecessary_fallible_conversions,
    reason = "the types differ by system"
)]
pub fn modified(stat: &Stat) -> Option<Timestamp> {
    let seconds = i64::try_from(stat.st_mtime).ok()?;
    Timestamp::new(seconds, i32::try_from(stat.st_mtime_nsec).ok()?).ok()
}

/// The size of a file.
pub fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}
