//! Deleting, copying and moving objects.

use std::io;
use std::time::{Duration, SystemTime};

use ovhai_api_types::{ObjectName, ObjectsDone, UNFINISHED};
use rustix::fs::{AtFlags, FileType, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::bucket::{Bucket, modified, names, size};
use super::write::Writer;
use super::{ObjectError, Result};

/// How long an unfinished object is left alone that no byte is written to.
const STALLED: Duration = Duration::from_mins(5);

impl Bucket {
    /// Deletes objects; those that do not exist are skipped.
    pub fn delete(&self, names: &[ObjectName]) -> Result<ObjectsDone> {
        let mut done = ObjectsDone::default();
        for name in names {
            match self.delete_one(name) {
                Ok(bytes) => {
                    done.objects += 1;
                    done.bytes += bytes;
                }
                Err(ObjectError::NotFound(_)) => done.skipped += 1,
                Err(error) => return Err(error),
            }
        }
        self.sync_names()?;
        Ok(done)
    }

    /// Deletes an object, and the directories that only it needed. Returns its size.
    fn delete_one(&self, name: &ObjectName) -> Result<u64> {
        let missing = || ObjectError::NotFound(format!("the object {name} does not exist"));
        let place = self.place(name, false)?;
        let stat = match statat(&place.directory, place.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Err(missing()),
            Err(error) => return Err(error.into()),
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return Err(missing());
        }
        match unlinkat(&place.directory, place.name, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Err(missing()),
            Err(error) => return Err(error.into()),
        }
        self.remove_empty(name);
        Ok(size(&stat))
    }

    /// Removes the directories of an object that has gone, as far as they are empty.
    fn remove_empty(&self, name: &ObjectName) {
        let mut path = name.as_str();
        while let Some((above, _)) = path.rsplit_once('/') {
            let (parent, last) = above.rsplit_once('/').unwrap_or(("", above));
            let removed = self
                .open_directory(parent)
                .and_then(|directory| unlinkat(&directory, last, AtFlags::REMOVEDIR));
            if removed.is_err() {
                return;
            }
            path = above;
        }
    }

    /// Removes all directories of a bucket that has no objects, and what uploads that were killed have
    /// left.
    pub(super) fn delete_empty_directories(&self) -> Result<()> {
        if self.has_objects()? {
            // Deleting the bucket says so.
            return Ok(());
        }
        // Each directory, and the parents of each before it.
        let mut paths = vec![String::new()];
        let mut at = 0;
        while let Some(path) = paths.get(at).cloned() {
            at += 1;
            let directory = self.open_directory(&path)?;
            for name in names(std::os::fd::AsFd::as_fd(&directory))? {
                let stat = match statat(&directory, name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
                    // An upload has ended.
                    Err(Errno::NOENT) => continue,
                    found => found?,
                };
                if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                    paths.push(format!("{path}{name}/"));
                } else if name.starts_with(UNFINISHED) && is_stalled(&stat) {
                    match unlinkat(&directory, name.as_str(), AtFlags::empty()) {
                        Ok(()) | Err(Errno::NOENT) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        for path in paths.iter().skip(1).rev() {
            let path = path.trim_end_matches('/');
            let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
            let directory = self.open_directory(parent)?;
            match unlinkat(&directory, last, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Copies objects to new names, maybe in another bucket, or moves them there. An object of a new name
    /// is replaced.
    pub fn transfer(
        &self,
        to: &Bucket,
        names: &[(ObjectName, ObjectName)],
        is_move: bool,
    ) -> Result<ObjectsDone> {
        let is_same = is_same(self, to)?;
        let mut done = ObjectsDone::default();
        let mut writer = Writer::new(to, true);
        for (old, new) in names {
            let (mut file, stat) = self.open_object(old)?;
            done.objects += 1;
            done.bytes += size(&stat);
            if is_same && old == new {
                continue;
            }
            if is_move && self.rename(old, to, new)? {
                self.remove_empty(old);
                continue;
            }
            let Some(mut part) = writer.begin(new)? else { continue };
            io::copy(&mut file, &mut part.file)?;
            part.finish()?;
            if is_move {
                self.delete_one(old)?;
            }
        }
        writer.end()?;
        if is_move && !is_same {
            self.sync_names()?;
        }
        Ok(done)
    }

    /// Renames an object. Returns whether that was possible: a link leads elsewhere from another
    /// place, and buckets may be on different file systems.
    fn rename(&self, old: &ObjectName, to: &Bucket, new: &ObjectName) -> Result<bool> {
        let from = self.place(old, false);
        let Ok(from) = from else { return Ok(false) };
        let stat = statat(&from.directory, from.name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(false);
        }
        let place = to.place(new, true)?;
        match renameat(&from.directory, from.name, &place.directory, place.name) {
            Ok(()) => Ok(true),
            Err(Errno::XDEV | Errno::NOENT) => Ok(false),
            Err(Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST) => Err(ObjectError::Conflict(
                format!("{new} can't be an object: there are objects below it"),
            )),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether nothing was written to a file for long.
fn is_stalled(stat: &rustix::fs::Stat) -> bool {
    let seconds = modified(stat).and_then(|time| u64::try_from(time.as_second()).ok());
    seconds
        .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .and_then(|written| written.elapsed().ok())
        .is_some_and(|since| since > STALLED)
}

/// Whether two buckets are the same directory.
fn is_same(one: &Bucket, other: &Bucket) -> Result<bool> {
    let place =
        |bucket: &Bucket| rustix::fs::fstat(&bucket.0).map(|stat| (stat.st_dev, stat.st_ino));
    Ok(place(one)? == place(other)?)
}

#[cfg(test)]
mod tests {
    use ovhai_core::model::DataStoreRecord;

    use crate::objects::{ObjectError, Store};
    use crate::refused::Refused;
    use crate::roots::{Missing, StoreRoots};

    use super::*;

    #[test]
    fn what_a_killed_upload_has_left_does_not_keep_a_bucket() {
        let all = tempfile::tempdir().unwrap();
        let roots = StoreRoots::new(all.path().join("own"), Refused::new([]));
        let record: DataStoreRecord = serde_json::from_value(serde_json::json!({
            "alias": "LOCAL", "created_at": "2026-01-01T00:00:00Z",
        }))
        .unwrap();
        let store = Store::open(&roots, &record, Missing::Make).unwrap().unwrap();
        store.create("data").unwrap();
        let inner = all.path().join("own/local/data/a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let part = |name: &str, age: u64| {
            let file = std::fs::File::create(inner.join(format!("{UNFINISHED}{name}"))).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        };
        part("killed-1", 400);
        part("running-1", 100);
        assert!(matches!(store.delete("data"), Err(ObjectError::Conflict(_))), "an upload runs");
        part("running-1", 400);
        // An object keeps both.
        std::fs::write(inner.join("object"), "x").unwrap();
        assert!(matches!(store.delete("data"), Err(ObjectError::Conflict(_))));
        assert!(inner.join(format!("{UNFINISHED}running-1")).exists());
        std::fs::remove_file(inner.join("object")).unwrap();
        store.delete("data").unwrap();
        assert!(!all.path().join("own/local/data").exists());
    }
}
