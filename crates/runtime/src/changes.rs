//! Watches directories for changed files.
//!
//! What tools and editors write beside the files (caches, repositories, swap files) does not count.
//! Changes are reported when none has come for a moment: saving a file takes several. Linux only, by
//! inotify, with a watch for each directory; files that an app keeps open and writes to, such as
//! logs, do not count before they are closed. A given directory that is deleted or moved away is
//! watched again when there is one of its name, which counts as a change.

use ovhai_core::ports::FileWatch;

/// Directories that are not looked into.
#[cfg(target_os = "linux")]
const IGNORED: [&str; 10] = [
    ".git",
    ".hg",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".venv",
    "__pycache__",
    "node_modules",
    "target",
];

/// Whether a file or directory of this name does not count: also what editors write while a file is
/// not saved yet.
#[cfg(target_os = "linux")]
fn is_ignored(name: &str) -> bool {
    IGNORED.contains(&name)
        || name.ends_with('~')
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || [".swp", ".swo", ".swx"].iter().any(|end| name.ends_with(end))
}

/// Watches these directories and all below.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn watch(_directories: Vec<String>) -> Result<Box<dyn FileWatch>, String> {
    Err("the emulator can't watch files on this system".into())
}

/// Watches these directories and all below.
#[cfg(target_os = "linux")]
pub(crate) async fn watch(directories: Vec<String>) -> Result<Box<dyn FileWatch>, String> {
    let given = directories.clone();
    let begun = tokio::task::spawn_blocking(move || linux::begin(&given)).await;
    let (inotify, watched) = begun.map_err(|error| error.to_string())??;
    let changes = linux::Changes::new(inotify, watched, &directories);
    Ok(Box::new(changes.map_err(|error| error.to_string())?))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use ovhai_core::ports::{BoxFuture, FileWatch};
    use rustix::fs::inotify::{
        CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init, remove_watch,
    };
    use rustix::io::Errno;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

    use super::is_ignored;

    /// Changes are reported when none has come for this time,
    const SETTLED: Duration = Duration::from_millis(200);
    /// and at the latest after this one.
    const LONGEST: Duration = Duration::from_secs(2);
    /// Between two looks for a given directory that is missing.
    const AGAIN: Duration = Duration::from_millis(500);
    /// Maximum number of watched directories.
    const DIRECTORIES_MAX: usize = 8192;

    /// The watched directories, by their watch.
    type Watched = HashMap<i32, PathBuf>;

    /// Begins to watch these directories and all below.
    pub(super) fn begin(directories: &[String]) -> Result<(OwnedFd, Watched), String> {
        let inotify =
            init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(|errno| match errno {
                Errno::MFILE => "too many watchers run: raise fs.inotify.max_user_instances".into(),
                errno => errno.to_string(),
            })?;
        let mut watched = Watched::new();
        for directory in directories {
            add(&inotify, Path::new(directory), &mut watched).map_err(|(path, errno)| {
                let path = path.display();
                match errno {
                    Errno::NOENT | Errno::NOTDIR => format!("there is no directory {path}"),
                    Errno::NOSPC => {
                        format!("{path}: too many watches: raise fs.inotify.max_user_watches")
                    }
                    Errno::TOOBIG => {
                        format!("{directory} has more than {DIRECTORIES_MAX} directories")
                    }
                    errno => format!("{path}: {errno}"),
                }
            })?;
        }
        Ok((inotify, watched))
    }

    /// Watches a directory and all below. What disappears meanwhile is no error, but for `top`.
    fn add(inotify: &OwnedFd, top: &Path, watched: &mut Watched) -> Result<(), (PathBuf, Errno)> {
        let flags = WatchFlags::CLOSE_WRITE
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let mut left = vec![top.to_owned()];
        while let Some(directory) = left.pop() {
            if watched.len() >= DIRECTORIES_MAX {
                return Err((directory, Errno::TOOBIG));
            }
            match add_watch(inotify, &directory, flags) {
                Ok(watch) => watched.insert(watch, directory.clone()),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) if directory != top => continue,
                Err(errno) => return Err((directory, errno)),
            };
            for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_directory && !is_ignored(&entry.file_name().to_string_lossy()) {
                    left.push(entry.path());
                }
            }
        }
        Ok(())
    }

    /// See the module above.
    pub(super) struct Changes {
        inotify: AsyncFd<OwnedFd>,
        /// The directories that were given.
        tops: Vec<PathBuf>,
        /// Those that are missing now, and when to look for them again.
        missing: Vec<PathBuf>,
        look_at: Option<Instant>,
        watched: Watched,
        /// When changes that came are reported, and when at the latest.
        due: Option<(Instant, Instant)>,
    }

    impl Changes {
        // The other constructor is unsafe. What it asks for holds for an `OwnedFd`, which is one
        // open descriptor as long as it is owned.
        #[expect(deprecated)]
        pub(super) fn new(
            inotify: OwnedFd,
            watched: Watched,
            tops: &[String],
        ) -> std::io::Result<Self> {
            Ok(Self {
                inotify: AsyncFd::new(inotify)?,
                tops: tops.iter().map(PathBuf::from).collect(),
                missing: Vec::new(),
                look_at: None,
                watched,
                due: None,
            })
        }

        /// A directory is no longer where it was watched. A given one is looked for again.
        fn is_gone(&mut self, watch: i32) {
            let Some(path) = self.watched.remove(&watch) else { return };
            if self.tops.contains(&path) && !self.missing.contains(&path) {
                self.missing.push(path);
                self.look_at.get_or_insert_with(|| Instant::now() + AGAIN);
            }
        }

        /// Stops watching a directory that was moved, and all below: their paths are others now.
        fn moved(&mut self, watch: i32) {
            let Some(path) = self.watched.get(&watch).cloned() else { return };
            let below: Vec<i32> = self
                .watched
                .iter()
                .filter(|(_, other)| other.starts_with(&path))
                .map(|(watch, _)| *watch)
                .collect();
            for watch in below {
                // It may have been deleted meanwhile.
                let _ = remove_watch(self.inotify.get_ref(), watch);
                self.is_gone(watch);
            }
        }

        /// Looks for the given directories that are missing; says whether one is there again.
        fn look(&mut self) -> bool {
            let before = self.missing.len();
            let (inotify, watched) = (self.inotify.get_ref(), &mut self.watched);
            self.missing.retain(|top| add(inotify, top, watched).is_err());
            self.look_at = (!self.missing.is_empty()).then(|| Instant::now() + AGAIN);
            self.missing.len() < before
        }

        /// A change counts.
        fn begin(&mut self) {
            let now = Instant::now();
            let latest = self.due.map_or(now + LONGEST, |(_, latest)| latest);
            self.due = Some(((now + SETTLED).min(latest), latest));
        }

        /// Waits for the next events; says whether one counts.
        async fn read(&mut self) -> bool {
            let Ok(mut guard) = self.inotify.readable().await else {
                return std::future::pending().await;
            };
            let mut counts = false;
            let (mut created, mut moved, mut gone) = (Vec::new(), Vec::new(), Vec::new());
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut events = Reader::new(guard.get_inner(), &mut buffer);
            loop {
                let event = match events.next() {
                    Ok(event) => event,
                    Err(Errno::INTR) => continue,
                    Err(_) => break,
                };
                if event.events().contains(ReadFlags::IGNORED) {
                    gone.push(event.wd());
                    continue;
                }
                if event.events().contains(ReadFlags::MOVE_SELF) {
                    moved.push(event.wd());
                    continue;
                }
                // Some were lost: there may be one that counts.
                counts |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
                let Some(name) = event.file_name().map(|name| name.to_string_lossy()) else {
                    continue;
                };
                if is_ignored(&name) {
                    continue;
                }
                counts = true;
                let begins = ReadFlags::CREATE | ReadFlags::MOVED_TO;
                if event.events().contains(ReadFlags::ISDIR) && event.events().intersects(begins) {
                    let parent = self.watched.get(&event.wd());
                    created.extend(parent.map(|parent| parent.join(&*name)));
                }
            }
            guard.clear_ready();
            for watch in moved {
                self.moved(watch);
            }
            for watch in gone {
                self.is_gone(watch);
            }
            for directory in created {
                if let Err((path, errno)) =
                    add(self.inotify.get_ref(), &directory, &mut self.watched)
                {
                    tracing::info!(path = %path.display(), %errno, "a directory is not watched");
                }
            }
            counts
        }
    }

    async fn reached(at: Option<Instant>) {
        match at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    impl FileWatch for Changes {
        fn changed(&mut self) -> BoxFuture<'_, ()> {
            Box::pin(async move {
                loop {
                    let due = self.due.map(|(due, _)| due);
                    let look_at = self.look_at;
                    tokio::select! {
                        counts = self.read() => if counts { self.begin() },
                        () = reached(look_at) => if self.look() { self.begin() },
                        () = reached(due) => {
                            self.due = None;
                            return;
                        }
                    }
                }
            })
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    async fn watched(directory: &Path) -> Box<dyn FileWatch> {
        let directories = vec![directory.to_string_lossy().into_owned()];
        watch(directories).await.unwrap_or_else(|why| panic!("{why}"))
    }

    #[tokio::test]
    async fn changes_are_reported_once_and_those_of_tools_not_at_all() {
        let top = tempfile::tempdir().expect("a directory");
        let at = |path: &str| top.path().join(path);
        for directory in ["src/deep", ".git", "src/__pycache__", "node_modules/x", "target"] {
            fs::create_dir_all(at(directory)).expect("created");
        }
        let mut watch = watched(top.path()).await;
        let mut changed =
            async || tokio::time::timeout(LONG, watch.changed()).await.expect("a change");
        for file in ["a", "b", "src/deep/c"] {
            fs::write(at(file), "1").expect("written");
        }
        changed().await;
        fs::remove_file(at("a")).expect("removed");
        changed().await;
        fs::rename(at("b"), at("src/b")).expect("moved");
        changed().await;
        fs::create_dir_all(at("src/new/er")).expect("created");
        changed().await;
        fs::write(at("src/new/er/d"), "1").expect("written");
        changed().await;
        // None of these counts: only what is written after them is a change.
        for file in [
            ".git/x",
            "src/__pycache__/x.pyc",
            "node_modules/x/y",
            "target/x",
            "src/.a.swp",
            "src/a~",
            "src/.#a",
            "src/#a#",
        ] {
            fs::write(at(file), "1").expect("written");
        }
        fs::create_dir(at("src/.venv")).expect("created");
        let quiet = tokio::time::timeout(Duration::from_millis(400), watch.changed()).await;
        assert!(quiet.is_err(), "nothing changed");
        // A wait that is cancelled loses no change.
        fs::write(at("src/e"), "1").expect("written");
        let cancelled = tokio::time::timeout(Duration::from_millis(20), watch.changed()).await;
        assert!(cancelled.is_err(), "it has not settled");
        tokio::time::timeout(LONG, watch.changed()).await.expect("a change");
    }

    /// As a checkout, a build or an editor does it.
    #[tokio::test]
    async fn a_directory_that_is_made_again_is_watched_again() {
        let home = tempfile::tempdir().expect("a directory");
        let at = |path: &str| home.path().join(path);
        let make = || {
            fs::create_dir_all(at("src/deep")).expect("created");
            fs::write(at("src/deep/a"), "1").expect("written");
        };
        make();
        let mut watch = watched(&at("src")).await;
        let mut changed =
            async || tokio::time::timeout(LONG, watch.changed()).await.expect("a change");
        fs::remove_dir_all(at("src")).expect("removed");
        changed().await;
        make();
        changed().await;
        fs::write(at("src/deep/a"), "2").expect("written");
        changed().await;
        // Another takes its place.
        fs::rename(at("src"), at("old")).expect("moved");
        make();
        changed().await;
        fs::write(at("src/deep/b"), "1").expect("written");
        changed().await;
        fs::write(at("old/deep/a"), "3").expect("written");
        let quiet = tokio::time::timeout(Duration::from_millis(400), watch.changed()).await;
        assert!(quiet.is_err(), "that one is no longer watched");
    }

    #[tokio::test]
    async fn a_directory_that_is_missing_is_named() {
        let why = watch(vec!["/no/such/directory".into()]).await.err();
        assert_eq!(why.as_deref(), Some("there is no directory /no/such/directory"));
    }
}
