//! Files that only their owner can read, that are replaced as a whole, and that several commands
//! may change concurrently.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Failure, Result};

/// Prefix of a temporary file's extension; the process id follows.
const TEMPORARY: &str = "tmp-";
/// Maximum number of links to follow, as in the kernel.
const LINKS: usize = 40;

/// Reads the file; the default if it is missing.
pub(crate) fn read<T: DeserializeOwned + Default>(path: &Path, if_damaged: &str) -> Result<T> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| {
            Failure::new(format!("{} is damaged", path.display())).because(error).hint(if_damaged)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(Failure::new(format!("{} can't be read", path.display())).because(error)),
    }
}

/// Locks the file against other commands until the lock is dropped.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let path = path.with_extension("lock");
    let lock = || {
        make_directory(&path)?;
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().map_err(|error: io::Error| {
        Failure::new(format!("{} can't be locked", path.display())).because(error)
    })
}

/// Replaces the file's content (mode 0600); of a link, its target's.
pub(crate) fn write(path: &Path, contents: &impl Serialize) -> Result<()> {
    let text =
        serde_json::to_vec_pretty(contents).map_err(|error| Failure::new(error.to_string()))?;
    replace(path, &text).map_err(|error: io::Error| {
        Failure::new(format!("{} can't be written", path.display())).because(error)
    })
}

/// Replaces the file's text (mode 0600).
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    replace(path, text.as_bytes()).map_err(|error: io::Error| {
        Failure::new(format!("{} can't be written", path.display())).because(error)
    })
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    make_directory(path)?;
    // Users keep such files elsewhere and link them.
    let path = destination(path)?;
    let temporary = path.with_extension(format!("{TEMPORARY}{}", std::process::id()));
    remove_abandoned(&path);
    let write = || {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text)?;
        file.sync_all()?;
        std::fs::rename(&temporary, &path)
    };
    let written = write();
    if written.is_err() {
        // The remainder is useless; the first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    } else if let Some(directory) = path.parent() {
        // The name must survive a power cut too. Some file systems can't sync a directory.
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
    written
}

/// The file that a path resolves to; it need not exist.
fn destination(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match std::fs::read_link(&path) {
            // A relative link is relative to its own directory.
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            // Not a link, or missing.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "too many links"))
}

/// Removes temporary files of killed commands, and of earlier processes with this process's id.
fn remove_abandoned(path: &Path) {
    let (Some(directory), Some(stem)) = (path.parent(), path.file_stem()) else { return };
    let begin = [stem.as_bytes(), b".", TEMPORARY.as_bytes()].concat();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid =
            name.as_bytes().strip_prefix(&*begin).and_then(|pid| std::str::from_utf8(pid).ok());
        let Some(pid) = pid.and_then(|pid| pid.parse().ok()) else { continue };
        let is_ours = u32::try_from(pid).is_ok_and(|pid| pid == std::process::id());
        let is_alive = Pid::from_raw(pid).is_some_and(|pid| {
            // A process of another user is alive too.
            !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))
        });
        if is_ours || !is_alive {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Creates the directory of the file if it is missing, with mode 0700.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failure_leaves_no_temporary_file_and_stale_ones_are_removed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.json");
        // It can't be replaced by a file.
        std::fs::create_dir_all(path.join("in the way")).unwrap();
        // The largest possible process id is 4,194,304.
        std::fs::write(home.path().join("config.tmp-2000000000"), "").unwrap();
        std::fs::write(home.path().join("config.tmp-1"), "").unwrap();
        std::fs::write(home.path().join("config.tmp-own"), "").unwrap();
        let failure = write(&path, &1).unwrap_err();
        assert!(failure.brief().contains("config.json can't be written"), "{failure:?}");
        assert_eq!(names(home.path()), ["config.json", "config.tmp-1", "config.tmp-own"]);
    }

    #[test]
    fn a_link_is_written_through() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir(at("dotfiles")).unwrap();
        std::os::unix::fs::symlink("dotfiles/ovhai.json", at("config.json")).unwrap();
        for value in [1, 2] {
            write(&at("config.json"), &value).unwrap();
            assert_eq!(
                std::fs::read_to_string(at("dotfiles/ovhai.json")).unwrap(),
                value.to_string()
            );
        }
        assert!(std::fs::read_link(at("config.json")).is_ok(), "it is a link still");
        assert_eq!(names(&at("dotfiles")), ["ovhai.json"]);
        std::os::unix::fs::symlink("circle.json", at("circle.json")).unwrap();
        assert!(write(&at("circle.json"), &1).is_err());
    }
}
