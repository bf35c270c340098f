//! Lists of objects, in the order of their names.

use std::os::fd::AsFd;

use ovhai_api_types::{ObjectName, ObjectPage, StoredObject, UNFINISHED};
use rustix::fs::{AtFlags, Dir, FileType, OFlags, Stat, fstat, statat};
use rustix::io::Errno;

use super::Result;
use super::bucket::{Bucket, modified, open_beneath, size};

/// Which objects to list.
#[derive(Debug, Default)]
pub struct Listing {
    /// What their names begin with.
    pub prefix: String,
    /// Only those after this name.
    pub after: String,
    /// Maximum number.
    pub count: usize,
}

impl Listing {
    /// Whether names that begin with this may be wanted.
    fn may_be_below(&self, path: &str) -> bool {
        (path.starts_with(&self.prefix) || self.prefix.starts_with(path))
            && (path > self.after.as_str() || self.after.starts_with(path))
    }

    fn wants(&self, name: &str) -> bool {
        name.starts_with(&self.prefix) && name > self.after.as_str()
    }
}

/// An entry of a directory that may lead to objects: a path from the bucket on. That of a directory
/// ends with a slash, so that the order of paths is that of the objects' names.
struct Entry {
    path: String,
    is_link: bool,
}

impl Bucket {
    /// A page of objects.
    pub fn list(&self, listing: &Listing) -> Result<ObjectPage> {
        let mut items = Vec::new();
        // What is left to look at, the next one last.
        let mut left = self.entries("", listing)?;
        while let Some(entry) = left.pop() {
            if entry.path.ends_with('/') {
                left.extend(self.entries(&entry.path, listing)?);
                continue;
            }
            let Some(stat) = self.stat(&entry) else { continue };
            if items.len() == listing.count {
                let next = items.last().map(|last: &StoredObject| last.name.clone());
                return Ok(ObjectPage { items, next });
            }
            // A name that is too long belongs to no object.
            if let Ok(name) = ObjectName::try_from(entry.path) {
                items.push(StoredObject {
                    name,
                    bytes: size(&stat),
                    last_modified: modified(&stat),
                });
            }
        }
        Ok(ObjectPage { items, next: None })
    }

    /// Whether there is an object at all whose name begins with this.
    pub fn has_objects(&self) -> Result<bool> {
        Ok(!self.list(&Listing { count: 1, ..Listing::default() })?.items.is_empty())
    }

    /// The wanted entries of a directory, in falling order.
    fn entries(&self, path: &str, listing: &Listing) -> Result<Vec<Entry>> {
        let directory = match self.open_directory(path) {
            Ok(directory) => directory,
            // It was removed meanwhile, or is not readable.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) if !path.is_empty() => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error.into()),
        };
        let mut all = Vec::new();
        for entry in Dir::read_from(directory.as_fd())? {
            let entry = entry?;
            let name = match entry.file_name().to_str() {
                Ok("." | "..") | Err(_) => continue,
                Ok(name) if name.starts_with(UNFINISHED) => continue,
                Ok(name) => name,
            };
            let kind = match entry.file_type() {
                FileType::Unknown => match statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(_) => continue,
                },
                known => known,
            };
            let mut path = format!("{path}{name}");
            match kind {
                FileType::Directory => {
                    path.push('/');
                    if listing.may_be_below(&path) {
                        all.push(Entry { path, is_link: false });
                    }
                }
                FileType::RegularFile | FileType::Symlink if listing.wants(&path) => {
                    all.push(Entry { path, is_link: kind == FileType::Symlink });
                }
                _ => {}
            }
        }
        all.sort_by(|a, b| b.path.cmp(&a.path));
        Ok(all)
    }

    /// The file of an entry; none if it is no object.
    fn stat(&self, entry: &Entry) -> Option<Stat> {
        let stat = if entry.is_link {
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = open_beneath(self.0.as_fd(), &entry.path, flags).ok()?;
            fstat(&file).ok()?
        } else {
            statat(&self.0, entry.path.as_str(), AtFlags::SYMLINK_NOFOLLOW).ok()?
        };
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        is_file.then_some(stat)
    }
}
