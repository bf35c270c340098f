//! Who may read and write the files of a copy, and its removal.
//!
//! The app may be changing the files meanwhile: every file is opened beneath the copy, and what is
//! changed is what was opened.

pub mod removal;

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use ovhai_core::volume::Permission;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, chmodat, chownat, fchmod, fchown, fstat};

/// The user and group of every container, as in the service.
const CONTAINER: u32 = 42420;

/// Depth of directories below which nothing is changed: an app may have made any.
const DEEPEST: usize = 256;

/// For whom a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// Whether it is a container, whose user is another one and which gets it mounted.
    pub is_container: bool,
    /// What it may do. A container's mount says so; for a process the files do.
    pub permission: Permission,
}

impl Reader {
    /// The same, while the emulator changes the files.
    pub fn while_changed(self) -> Self {
        Self { permission: Permission::Rwd, ..self }
    }

    fn modes(self, is_root: bool) -> (u32, u32) {
        match (self.is_container, is_root, self.permission) {
            (true, true, _) => (0o755, 0o644),
            // No other user gets here: the directory above is the emulator's alone.
            (true, false, _) => (0o777, 0o666),
            (false, _, Permission::Ro) => (0o500, 0o400),
            (false, ..) => (0o700, 0o600),
        }
    }
}

/// Sets owner and permissions of all files and directories; those of others are left as they are.
pub fn settle(path: &Path, reader: Reader) -> io::Result<()> {
    let root = Dir::open_ambient_dir(path, ambient_authority())?;
    settle_directory(&root, reader, rustix::process::geteuid().is_root(), 0)
}

fn settle_directory(
    directory: &Dir,
    reader: Reader,
    is_root: bool,
    depth: usize,
) -> io::Result<()> {
    let (inner, file) = reader.modes(is_root);
    // First, so that a directory that can't be read is opened up.
    change_directory(directory, inner | 0o700, is_root && reader.is_container);
    for entry in directory.entries()? {
        let entry = entry?;
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if depth >= DEEPEST {
                continue;
            }
            match entry.open_dir() {
                Ok(below) => settle_directory(&below, reader, is_root, depth + 1)?,
                Err(_) => unlock(directory, &entry.file_name(), reader, is_root, depth),
            }
        } else if kind.is_file() {
            let mut options = OpenOptions::new();
            options
                .read(true)
                .custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed());
            let Ok(opened) = entry.open_with(&options) else { continue };
            let execute = match fstat(&opened) {
                Ok(found) if found.st_mode & 0o100 != 0 => (file & 0o444) >> 2,
                _ => 0,
            };
            change(&opened, file | execute, is_root && reader.is_container);
        }
    }
    change_directory(directory, inner, false);
    Ok(())
}

/// Opens up a directory that its owner can't read, and settles it.
fn unlock(above: &Dir, name: &std::ffi::OsStr, reader: Reader, is_root: bool, depth: usize) {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let opened = above
        .set_permissions(name, cap_std::fs::Permissions::from_std(permissions))
        .and_then(|()| above.open_dir(name));
    if let Ok(below) = opened {
        // What can't be changed is another user's.
        let _ = settle_directory(&below, reader, is_root, depth + 1);
    }
}

/// A directory is opened as a path only, through which it can't be changed itself.
fn change_directory(of: &Dir, mode: u32, gives_away: bool) {
    if gives_away {
        let (user, group) = (Some(Uid::from_raw(CONTAINER)), Some(Gid::from_raw(CONTAINER)));
        let _ = chownat(of, ".", user, group, AtFlags::SYMLINK_NOFOLLOW);
    }
    let _ = chmodat(of, ".", Mode::from_raw_mode(mode), AtFlags::empty());
}

fn change(of: &impl AsFd, mode: u32, gives_away: bool) {
    if gives_away {
        let _ = fchown(of, Some(Uid::from_raw(CONTAINER)), Some(Gid::from_raw(CONTAINER)));
    }
    // Another user's file stays as it is.
    let _ = fchmod(of, Mode::from_raw_mode(mode));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::removal::remove;
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_settled_and_removed() {
        let all = tempfile::tempdir().unwrap();
        let (copy, outside) = (all.path().join("copy"), all.path().join("outside"));
        std::fs::create_dir_all(copy.join("a/b")).unwrap();
        for file in [&copy.join("a/f"), &copy.join("run"), &outside] {
            std::fs::write(file, "x").unwrap();
        }
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(copy.join("run"), executable).unwrap();
        std::fs::set_permissions(&outside, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&outside, copy.join("a/link")).unwrap();
        let reader = Reader { is_container: false, permission: Permission::Ro };
        settle(&copy, reader).unwrap();
        assert_eq!((mode(&copy), mode(&copy.join("a/b"))), (0o500, 0o500));
        assert_eq!((mode(&copy.join("a/f")), mode(&copy.join("run"))), (0o400, 0o500));
        assert_eq!(mode(&outside), 0o640, "links are not followed");
        settle(&copy, reader.while_changed()).unwrap();
        assert_eq!((mode(&copy.join("a")), mode(&copy.join("a/f"))), (0o700, 0o600));
        settle(&copy, reader).unwrap();
        remove(&copy).unwrap();
        assert!(!copy.exists() && outside.exists());
        remove(&copy).unwrap();
    }
}
