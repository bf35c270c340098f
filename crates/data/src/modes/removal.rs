//! Removing what apps have written: directories of any depth, and those that another user has.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, fchmod, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;
use uuid::Uuid;

const OPEN_DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Begins the name of a directory that is moved up to be removed.
const GONE: &str = ".ovhai-gone-";
/// Follows the name of what could not be removed.
const LEFT: &str = ".left-";
/// How often a directory is emptied that is being written to meanwhile.
const ROUNDS: usize = 8;

/// Removes a file or a directory with all that is in it, if it is there.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => remove_tree(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The same, but what another user has is renamed, so that its name is free.
pub fn remove_or_set_aside(path: &Path) -> io::Result<()> {
    set_aside(path, remove(path))
}

/// Whether it is the name of what could not be removed.
pub fn is_set_aside(name: &str) -> bool {
    name.contains(LEFT)
}

fn set_aside(path: &Path, removed: io::Result<()>) -> io::Result<()> {
    let error = match removed {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => error,
        other => return other,
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut left = path.to_owned();
    if !is_set_aside(&name) {
        left = path.with_file_name(format!("{name}{LEFT}{}", Uuid::new_v4().simple()));
        std::fs::rename(path, &left)?;
    }
    tracing::warn!(directory = %left.display(), %error, "files of another user can't be removed, and stay: remove the directory by sudo rm -rf, or, if Podman runs without root, by podman unshare rm -rf");
    Ok(())
}

/// Moves each directory up to the top before it is emptied, so that neither the stack nor the number of
/// open files depends on the depth.
fn remove_tree(path: &Path) -> io::Result<()> {
    let top = match openat(CWD, path, OPEN_DIRECTORY, Mode::empty()) {
        Err(Errno::ACCESS) => {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
            openat(CWD, path, OPEN_DIRECTORY, Mode::empty())
        }
        opened => opened,
    }?;
    // What can't be changed is another user's.
    let _ = fchmod(&top, Mode::RWXU);
    let mut removal =
        Removal { top: top.as_fd(), directories: Vec::new(), moved: 0, failure: None };
    for _ in 0..ROUNDS {
        removal.empty(top.as_fd());
        while let Some(name) = removal.directories.pop() {
            let removed = removal.remove_directory(&name);
            removal.note(removed);
        }
        if let Some(error) = removal.failure {
            return Err(error.into());
        }
        match std::fs::remove_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            other => return other,
        }
    }
    Err(io::ErrorKind::DirectoryNotEmpty.into())
}

struct Removal<'t> {
    top: BorrowedFd<'t>,
    /// What is to be removed from the top.
    directories: Vec<CString>,
    moved: u64,
    /// The first one: the others are removed all the same.
    failure: Option<Errno>,
}

impl Removal<'_> {
    fn note(&mut self, done: Result<(), Errno>) {
        match done {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => {
                self.failure.get_or_insert(error);
            }
        }
    }

    /// Removes a directory of the top.
    fn remove_directory(&mut self, name: &CStr) -> Result<(), Errno> {
        for _ in 0..ROUNDS {
            match unlinkat(self.top, name, AtFlags::REMOVEDIR) {
                Err(Errno::NOTEMPTY | Errno::EXIST) => {}
                other => return other,
            }
            let directory = open_up(self.top, name)?;
            if !self.empty(directory.as_fd()) {
                return Ok(());
            }
        }
        Err(Errno::NOTEMPTY)
    }

    /// Removes the files of a directory, and moves its directories up. Says whether all went.
    fn empty(&mut self, directory: BorrowedFd<'_>) -> bool {
        let entries = match entries(directory) {
            Ok(entries) => entries,
            Err(error) => {
                self.note(Err(error));
                return false;
            }
        };
        let mut all_went = true;
        for (name, is_directory) in entries {
            let done = if is_directory {
                self.move_up(directory, &name)
            } else {
                unlinkat(directory, &name, AtFlags::empty())
            };
            all_went &= matches!(done, Ok(()) | Err(Errno::NOENT));
            self.note(done);
        }
        all_went
    }

    fn move_up(&mut self, from: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
        let mut is_opened = false;
        loop {
            self.moved += 1;
            let fresh = CString::new(format!("{GONE}{}", self.moved)).map_err(|_| Errno::INVAL)?;
            match renameat(from, name, self.top, &fresh) {
                Ok(()) => {
                    self.directories.push(fresh);
                    return Ok(());
                }
                // The app has such a name, too.
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
                // One that is moved must be writable, since its parent changes.
                Err(Errno::ACCESS) if !is_opened => {
                    is_opened = true;
                    if let Err(error) = open_up(from, name) {
                        return unlinkat(from, name, AtFlags::REMOVEDIR).map_err(|_| error);
                    }
                }
                // Another user's that is empty.
                Err(error) => {
                    return unlinkat(from, name, AtFlags::REMOVEDIR).map_err(|_| error);
                }
            }
        }
    }
}

/// Opens a directory that may be one that its owner can't read, and lets its owner write to it.
fn open_up(above: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let opened = match openat(above, name, OPEN_DIRECTORY, Mode::empty()) {
        Err(Errno::ACCESS) => {
            make_readable(above, name).map_err(|_| Errno::ACCESS)?;
            openat(above, name, OPEN_DIRECTORY, Mode::empty())
        }
        opened => opened,
    }?;
    // What can't be changed is another user's.
    let _ = fchmod(&opened, Mode::RWXU);
    Ok(opened)
}

/// Through [`cap_std`], since a link may have come in its place.
fn make_readable(above: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    let above = cap_std::fs::Dir::from_std_file(above.try_clone_to_owned()?.into());
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name.to_bytes());
    let permissions = std::fs::Permissions::from_mode(0o700);
    above.set_permissions(name, cap_std::fs::Permissions::from_std(permissions))
}

/// The names in a directory, and whether each is one of a directory.
fn entries(directory: BorrowedFd<'_>) -> Result<Vec<(CString, bool)>, Errno> {
    let mut all = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error),
            },
            known => known,
        };
        all.push((name.to_owned(), kind == FileType::Directory));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use rustix::fs::mkdirat;

    use super::*;
    use crate::modes::{Reader, settle};

    /// Directories in each other, some with a file; returns the last.
    fn deep(path: &Path, levels: usize) -> OwnedFd {
        std::fs::create_dir(path).unwrap();
        let mut at = openat(CWD, path, OPEN_DIRECTORY, Mode::empty()).unwrap();
        for level in 0..levels {
            if level % 100 == 0 {
                let create = OFlags::CREATE | OFlags::WRONLY;
                drop(openat(&at, "file", create, Mode::RUSR).unwrap());
            }
            mkdirat(&at, "a", Mode::RWXU).unwrap();
            at = openat(&at, "a", OPEN_DIRECTORY, Mode::empty()).unwrap();
        }
        at
    }

    #[test]
    fn directories_of_any_depth_are_settled_and_removed() {
        let all = tempfile::tempdir().unwrap();
        let copy = all.path().join("copy");
        drop(deep(&copy, 5000));
        std::fs::create_dir_all(copy.join(".ovhai-gone-1/.ovhai-gone-2/x")).unwrap();
        std::os::unix::fs::symlink(all.path(), copy.join("a/link")).unwrap();
        std::fs::write(all.path().join("outside"), "x").unwrap();
        let path = copy.clone();
        let reader = Reader { is_container: false, permission: ovhai_core::volume::Permission::Ro };
        let work = move || {
            settle(&path, reader).unwrap();
            remove(&path).unwrap();
        };
        // The stack of the threads that block.
        std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
        assert!(!copy.exists() && all.path().join("outside").exists());
    }

    #[test]
    fn directories_that_their_owner_may_not_read_are_removed() {
        let all = tempfile::tempdir().unwrap();
        let copy = all.path().join("copy");
        std::fs::create_dir_all(copy.join("a/b/c")).unwrap();
        for path in ["a/b/c", "a/b", "a", ""] {
            let none = std::fs::Permissions::from_mode(0o0);
            std::fs::set_permissions(copy.join(path), none).unwrap();
        }
        remove(&copy).unwrap();
        assert!(!copy.exists());
        remove(&copy).unwrap();
    }

    #[test]
    fn what_another_user_has_makes_room() {
        let all = tempfile::tempdir().unwrap();
        let copy = all.path().join("1");
        std::fs::create_dir_all(copy.join("other")).unwrap();
        let denied = || Err(io::ErrorKind::PermissionDenied.into());
        set_aside(&copy, denied()).unwrap();
        let names = || {
            let entries = std::fs::read_dir(all.path()).unwrap();
            entries.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
        };
        let left = names();
        assert_eq!(left.len(), 1);
        assert!(left[0].to_str().unwrap().starts_with("1.left-"), "{left:?}");
        set_aside(&all.path().join(&left[0]), denied()).unwrap();
        assert_eq!(names(), left, "it is not renamed again");
        assert!(set_aside(&copy, Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
