//! Copying directories, and bringing two of them together.
//!
//! Both sides are opened as capabilities ([`cap_std`]): links are resolved beneath their roots, and what
//! leads out is left out. A file appears under its name when it is complete. Files are compared by size
//! and time; a copy has its source's time.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use cap_std::fs::{Dir, MetadataExt, OpenOptions, OpenOptionsExt};
use ovhai_core::sync::SyncCounts;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::names::is_temporary;

/// Maximum depth of directories.
const DEEPEST: usize = 64;
/// Time between two reports of the progress.
const REPORT_EVERY: Duration = Duration::from_millis(100);
/// Maximum number of paths that a message names.
const NAMED: usize = 3;

/// Ends the work that has a clone of it.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends the work.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// An error once the work is to end.
    pub fn check(&self) -> Result<(), DataError> {
        if self.0.load(Ordering::Relaxed) { Err(DataError::Cancelled) } else { Ok(()) }
    }
}

/// What tells one version of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    size: u64,
    /// Seconds and nanoseconds.
    time: (i64, i64),
}

/// A file of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its version.
    pub version: Version,
    executable: bool,
}

/// The files of a tree by their paths, and what is no file of it.
#[derive(Debug, Default)]
pub struct Listing {
    /// By path beneath the tree.
    pub files: BTreeMap<PathBuf, Found>,
    /// Directories, also empty ones.
    pub directories: Vec<PathBuf>,
    /// What is left out: links that lead out or in a circle, devices and sockets.
    pub left_out: Vec<PathBuf>,
    /// What may have files that are not listed: directories that can't be read, or are too deep.
    pub unread: Vec<PathBuf>,
}

/// The versions of the files of a copy as they were when they were fetched.
pub type Manifest = BTreeMap<PathBuf, Version>;

/// Lists the tree below `base`, which may be empty.
pub fn list(root: &Dir, base: &Path, cancel: &Cancel) -> Result<Listing, DataError> {
    let mut listing = Listing::default();
    let mut above = Vec::new();
    walk(root, base, Path::new(""), &mut above, &mut listing, cancel)?;
    Ok(listing)
}

/// `above` are the directories that it is in: a link to one of them is a circle.
fn walk(
    root: &Dir,
    base: &Path,
    at: &Path,
    above: &mut Vec<(u64, u64)>,
    listing: &mut Listing,
    cancel: &Cancel,
) -> Result<(), DataError> {
    let depth = above.len();
    let walked = walk_entries(root, base, at, above, listing, cancel);
    above.truncate(depth);
    walked
}

fn walk_entries(
    root: &Dir,
    base: &Path,
    at: &Path,
    above: &mut Vec<(u64, u64)>,
    listing: &mut Listing,
    cancel: &Cancel,
) -> Result<(), DataError> {
    cancel.check()?;
    let path = beneath(base, at);
    let failed = |source| DataError::io(path.display().to_string(), source);
    let own = root.metadata(&path).map_err(failed)?;
    above.push((own.dev(), own.ino()));
    for entry in root.read_dir(&path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name.to_str().is_some_and(is_temporary) {
            continue;
        }
        let inner = at.join(&name);
        // Follows links, as far as they lead to what is beneath the root.
        let found = match root.metadata(base.join(&inner)) {
            Ok(found) => found,
            Err(error) if is_kept_away(&error) => {
                listing.unread.push(inner);
                continue;
            }
            Err(_) => {
                listing.left_out.push(inner);
                continue;
            }
        };
        if found.is_dir() {
            if above.contains(&(found.dev(), found.ino())) {
                listing.left_out.push(inner);
                continue;
            }
            if above.len() >= DEEPEST {
                listing.unread.push(inner);
                continue;
            }
            listing.directories.push(inner.clone());
            if let Err(error) = walk(root, base, &inner, above, listing, cancel) {
                if matches!(error, DataError::Cancelled) {
                    return Err(error);
                }
                listing.unread.push(inner);
            }
        } else if found.is_file() {
            let version = Version { size: found.size(), time: (found.mtime(), found.mtime_nsec()) };
            let executable = found.mode() & 0o100 != 0;
            listing.files.insert(inner, Found { version, executable });
        } else {
            listing.left_out.push(inner);
        }
    }
    Ok(())
}

/// Whether the system refuses access; a link that leads out is refused by [`cap_std`] instead.
fn is_kept_away(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::ACCESS.raw_os_error())
}

/// A path beneath a base; the root itself is `.`.
fn beneath(base: &Path, at: &Path) -> PathBuf {
    let path = base.join(at);
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

/// A side of a copy: a root, and the directory beneath it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The root that nothing leads out of.
    pub root: &'a Dir,
    /// The directory.
    pub base: &'a Path,
}

/// How far a copy is, and whom it tells.
pub struct Progress<'a> {
    counts: SyncCounts,
    report: &'a dyn Fn(SyncCounts),
    told: std::time::Instant,
    cancel: Cancel,
    problems: Vec<String>,
}

impl<'a> Progress<'a> {
    /// Tells `report`, until it is cancelled.
    pub fn new(report: &'a dyn Fn(SyncCounts), cancel: Cancel) -> Self {
        let (told, problems) = (std::time::Instant::now(), Vec::new());
        Self { counts: SyncCounts::default(), report, told, cancel, problems }
    }

    /// Ends the work that it is of.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    fn step(&mut self, change: impl FnOnce(&mut SyncCounts)) -> Result<(), DataError> {
        change(&mut self.counts);
        if self.told.elapsed() >= REPORT_EVERY {
            self.told = std::time::Instant::now();
            (self.report)(self.counts);
        }
        self.cancel.check()
    }

    fn failed(&mut self, path: &Path, why: &DataError) -> Result<(), DataError> {
        if matches!(why, DataError::Cancelled) {
            return Err(DataError::Cancelled);
        }
        self.problems.push(format!("{}: {why}", path.display()));
        self.step(|counts| counts.failed += 1)
    }

    fn leave_out(&mut self, paths: &[PathBuf]) -> Result<(), DataError> {
        for path in paths {
            self.problems.push(format!(
                "{} is left out: a link that leads out of the container or in a circle, or a device",
                path.display()
            ));
            self.step(|counts| {
                counts.total += 1;
                counts.skipped += 1;
            })?;
        }
        Ok(())
    }

    /// Files in these are not copied, which is a failure: what was to be copied may be removed then.
    fn unread(&mut self, paths: &[PathBuf]) -> Result<(), DataError> {
        for path in paths {
            self.problems.push(format!(
                "{}: the directory can't be read, or is more than {DEEPEST} deep",
                path.display()
            ));
            self.step(|counts| {
                counts.total += 1;
                counts.failed += 1;
            })?;
        }
        Ok(())
    }

    /// Tells the last state, and says what went wrong; empty if nothing did.
    pub fn finish(self) -> String {
        (self.report)(self.counts);
        let more = self.problems.len().saturating_sub(NAMED);
        let mut said = self.problems.into_iter().take(NAMED).collect::<Vec<_>>().join("; ");
        if more > 0 {
            said += &format!("; and {more} more");
        }
        said
    }
}

/// Copies new and changed files. A file that is the same on both sides is skipped, and one that `keep`
/// wants to stay. `seen` receives the versions of the files of `from` that need no other copy, also if an
/// error ends the work.
pub fn copy(
    from: Side<'_>,
    to: Side<'_>,
    keep: impl Fn(&Path, Version) -> bool,
    seen: &mut Manifest,
    progress: &mut Progress<'_>,
) -> Result<(), DataError> {
    let listing = list(from.root, from.base, &progress.cancel)?;
    let there = list(to.root, to.base, &progress.cancel)?;
    let count = listing.files.len() as u64;
    progress.step(|counts| counts.total += count)?;
    progress.leave_out(&listing.left_out)?;
    progress.unread(&listing.unread)?;
    for directory in &listing.directories {
        progress.cancel.check()?;
        if let Err(error) = to.root.create_dir_all(to.base.join(directory)) {
            let error = DataError::io(directory.display().to_string(), error);
            // Its files fail, too, and are counted.
            progress.problems.push(error.to_string());
        }
    }
    for (path, found) in &listing.files {
        let is_same = there.files.get(path).is_some_and(|other| other.version == found.version);
        if is_same || keep(path, found.version) {
            seen.insert(path.clone(), found.version);
            progress.step(|counts| counts.skipped += 1)?;
            continue;
        }
        match copy_file(from, to, path, *found, progress) {
            Ok(()) => {
                seen.insert(path.clone(), found.version);
                progress.step(|counts| counts.completed += 1)?;
            }
            Err(error) => progress.failed(path, &error)?,
        }
    }
    Ok(())
}

/// Deletes these files, where they still are as they were when they were fetched.
pub fn delete(
    at: Side<'_>,
    files: impl Iterator<Item = (PathBuf, Version)>,
    progress: &mut Progress<'_>,
) -> Result<(), DataError> {
    for (path, version) in files {
        progress.step(|counts| counts.total += 1)?;
        let full = at.base.join(&path);
        let is_there = at.root.symlink_metadata(&full).is_ok_and(|found| {
            found.is_file()
                && version
                    == Version { size: found.size(), time: (found.mtime(), found.mtime_nsec()) }
        });
        if !is_there {
            progress.step(|counts| counts.skipped += 1)?;
            continue;
        }
        match at.root.remove_file(&full) {
            Ok(()) => progress.step(|counts| counts.deleted += 1)?,
            Err(error) => {
                let error = DataError::io(path.display().to_string(), error);
                progress.failed(&path, &error)?;
            }
        }
        // Object stores have no empty directories.
        let mut above = path.parent();
        while let Some(directory) = above.filter(|above| !above.as_os_str().is_empty()) {
            if at.root.remove_dir(at.base.join(directory)).is_err() {
                break;
            }
            above = directory.parent();
        }
    }
    Ok(())
}

/// Copies one file under another name, and renames it when it is complete.
fn copy_file(
    from: Side<'_>,
    to: Side<'_>,
    path: &Path,
    found: Found,
    progress: &mut Progress<'_>,
) -> Result<(), DataError> {
    let shown = || path.display().to_string();
    let failed = |source| DataError::io(shown(), source);
    let mut options = OpenOptions::new();
    // A pipe in the file's place would block.
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let source = from.root.open_with(from.base.join(path), &options).map_err(failed)?;
    let source = source.into_std();
    if !source.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is not a file any more")));
    }
    let target = to.base.join(path);
    let temporary = crate::names::temporary(&target);
    let copied = write(source, to.root, &temporary, found, progress)
        .and_then(|()| to.root.rename(&temporary, to.root, &target).map_err(failed));
    if copied.is_err() {
        // The first failure is the one that is reported.
        let _ = to.root.remove_file(&temporary);
    }
    copied
}

fn write(
    mut source: std::fs::File,
    to: &Dir,
    temporary: &Path,
    found: Found,
    progress: &mut Progress<'_>,
) -> Result<(), DataError> {
    let failed = |source| DataError::io(temporary.display().to_string(), source);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut target = match to.open_with(temporary, &options) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Half of a file that an emulator that was killed has left.
            to.remove_file(temporary).map_err(failed)?;
            to.open_with(temporary, &options)
        }
        opened => opened,
    }
    .map_err(failed)?
    .into_std();
    loop {
        // The kernel copies, and shares blocks where the file system can.
        let mut part = io::Read::take(&mut source, PART);
        let copied = io::copy(&mut part, &mut target).map_err(failed)?;
        progress.step(|counts| counts.bytes += copied)?;
        if copied == 0 {
            break;
        }
    }
    if found.executable {
        let mode = target.metadata().map_err(failed)?.permissions().mode();
        let permissions = std::fs::Permissions::from_mode(mode | 0o100);
        target.set_permissions(permissions).map_err(failed)?;
    }
    let (seconds, nanoseconds) = found.version.time;
    let time = u64::try_from(seconds).ok().and_then(|seconds| {
        let nanoseconds = u32::try_from(nanoseconds).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
    });
    if let Some(time) = time {
        target.set_modified(time).map_err(failed)?;
    }
    Ok(())
}

/// How much of a file is copied before the next look whether to go on.
const PART: u64 = 8 << 20;

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    fn open(path: &Path) -> Dir {
        Dir::open_ambient_dir(path, ambient_authority()).unwrap()
    }

    #[test]
    fn what_is_not_listed_is_a_failure() {
        let all = tempfile::tempdir().unwrap();
        let (from, to) = (all.path().join("from"), all.path().join("to"));
        let deep: PathBuf = std::iter::repeat_n("d", 70).collect();
        std::fs::create_dir_all(from.join(&deep)).unwrap();
        std::fs::create_dir_all(from.join("e")).unwrap();
        std::fs::create_dir(&to).unwrap();
        for file in [deep.join("f"), "e/f".into()] {
            std::fs::write(from.join(file), "x").unwrap();
        }
        std::os::unix::fs::symlink("/", from.join("out")).unwrap();
        let (from, to) = (open(&from), open(&to));
        let side = |root| Side { root, base: Path::new("") };
        let last = std::cell::Cell::new(SyncCounts::default());
        let report = |counts| last.set(counts);
        let mut progress = Progress::new(&report, Cancel::default());
        let mut seen = Manifest::new();
        copy(side(&from), side(&to), |_, _| false, &mut seen, &mut progress).unwrap();
        let said = progress.finish();
        let counts = last.get();
        assert_eq!((counts.completed, counts.skipped, counts.failed), (1, 1, 1), "{said}");
        assert!(said.contains("more than 64 deep"), "{said}");
        assert_eq!(seen.keys().collect::<Vec<_>>(), [Path::new("e/f")]);
    }

    #[test]
    fn a_directory_that_fails_is_none_above_the_others() {
        let all = tempfile::tempdir().unwrap();
        let (mut above, mut listing) = (vec![(0, 0)], Listing::default());
        let (root, cancel) = (open(all.path()), Cancel::default());
        let missing = Path::new("missing");
        assert!(walk(&root, missing, Path::new(""), &mut above, &mut listing, &cancel).is_err());
        std::fs::write(all.path().join("file"), "x").unwrap();
        let file = Path::new("file");
        assert!(walk(&root, file, Path::new(""), &mut above, &mut listing, &cancel).is_err());
        assert_eq!(above, [(0, 0)]);
    }
}
