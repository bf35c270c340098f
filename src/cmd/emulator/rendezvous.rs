//! Where commands find an ephemeral emulator: a directory of its own with the emulator's address
//! and the commands' files, which is removed when the emulator stops.
//!
//! A killed emulator leaves its directory to the next one, which ends the processes recorded there,
//! and those of the command of `emulator exec` ([`COMMAND_MARK`]), and removes it. Only directories
//! that contain [`MARK`] are removed. Lock and mark go last, so that one whose removal was broken off
//! is recognised; without a lock that was ever held it is removed a minute later.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use ovhai_emulator::state::{Lock, Running, StateDir};
use ovhai_runtime::remains::{Register, end_marked};
use rustix::process::geteuid;

use crate::context::Context;
use crate::error::{Failure, Result};

/// Name of an empty file in each of these directories.
const MARK: &str = "ephemeral";
/// Name of the lock, which `StateDir` makes.
const LOCK: &str = "lock";
/// Prefix of their names.
const PREFIX: &str = "ovhai-";
/// Variable of every process of the command of `emulator exec`: the directory.
pub(super) const COMMAND_MARK: &str = "OVHAI_EXEC";
/// Age from which a directory that no emulator has locked is abandoned: an emulator starts faster.
const ABANDONED: Duration = Duration::from_mins(1);
/// How long processes have to end before a directory is left to the next emulator.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// See the module.
#[derive(Debug)]
pub(super) struct Rendezvous {
    state: StateDir,
    lock: Option<Lock>,
    /// The mark, locked as long as this process uses the directory, with or without an emulator.
    _mark: Option<File>,
    /// Whether dropping this removes the directory.
    is_own: bool,
}

impl Rendezvous {
    /// Creates a directory.
    pub(super) fn create(context: &Context) -> Result<Self> {
        let runtime = context.var("XDG_RUNTIME_DIR").map(Path::new).filter(|dir| dir.is_dir());
        let base = context.directory.join(runtime.map_or_else(std::env::temp_dir, Into::into));
        let create = || {
            if base.to_str().is_none() {
                let why = "the path of the temporary directory is not UTF-8";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
            let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(base)?;
            let mut options = File::options();
            let options = options.write(true).create_new(true).mode(0o600);
            let mark = options.open(directory.path().join(MARK))?;
            mark.lock()?;
            let state = StateDir::new(directory.keep());
            Ok(Self { state, lock: None, _mark: Some(mark), is_own: true })
        };
        create().map_err(unusable)
    }

    /// Takes over the directory that the starter of this emulator created.
    pub(super) fn adopt(directory: PathBuf) -> Result<Self> {
        if !directory.join(MARK).is_file() {
            return Err(Failure::usage("--background --ephemeral is internal")
                .hint("use: ovhai emulator start --ephemeral --detach"));
        }
        Ok(Self { state: StateDir::new(directory), lock: None, _mark: None, is_own: true })
    }

    pub(super) fn state(&self) -> &StateDir {
        &self.state
    }

    pub(super) fn path(&self) -> &Path {
        self.state.path()
    }

    /// Releases the directory to an emulator that has adopted it.
    pub(super) fn hand_over(mut self) -> StateDir {
        self.is_own = false;
        self.state.clone()
    }

    /// Locks the directory, which says that it is in use.
    pub(super) fn hold(&mut self) -> Result<()> {
        let hold = || self.state.lock()?.ok_or_else(|| io::ErrorKind::ResourceBusy.into());
        if self.lock.is_none() {
            self.lock = Some(hold().map_err(unusable)?);
        }
        Ok(())
    }

    /// Tells commands that no emulator runs there any more.
    pub(super) fn let_go(&mut self) {
        self.state.withdraw();
        self.lock = None;
    }

    /// Publishes the emulator's address.
    pub(super) fn announce(&mut self, running: &Running) -> Result<()> {
        self.hold()?;
        self.state.announce(running).map_err(unusable)
    }

    /// Ready when the directory has been removed.
    pub(super) async fn lost(&self) {
        match &self.lock {
            Some(lock) => lock.until_lost().await,
            None => std::future::pending().await,
        }
    }

    /// Removes the directories of killed emulators. Blocks for some milliseconds.
    pub(super) fn sweep(&self) {
        sweep(self.path());
    }

    /// The same, in a thread.
    pub(super) fn sweeping(&self) -> tokio::task::JoinHandle<()> {
        let own = self.path().to_owned();
        tokio::task::spawn_blocking(move || sweep(&own))
    }
}

fn sweep(own: &Path) {
    let entries = own.parent().and_then(|base| std::fs::read_dir(base).ok());
    for entry in entries.into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && path != own && is_left(&path)
        {
            end_and_erase(&path);
        }
    }
}

/// Ends the processes of a killed emulator, and removes its directory. If processes could not be
/// ended yet, the directory stays until the next time.
fn end_and_erase(directory: &Path) {
    end_marked(COMMAND_MARK, &directory.to_string_lossy());
    let processes = StateDir::new(directory).processes();
    Register::new(&processes).end_what_is_left();
    if std::fs::read_dir(&processes).map_or(true, |mut left| left.next().is_none()) {
        erase(directory);
    }
}

/// Removes the directory of an emulator that has just been killed, with what is left of it; waits
/// for its processes.
pub(super) fn clear(directory: &Path) {
    let begun = Instant::now();
    while directory.join(MARK).is_file() && begun.elapsed() < PATIENCE {
        if is_left(directory) {
            end_and_erase(directory);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Removes a directory, its lock and its mark last.
fn erase(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if name == MARK || name == LOCK {
            continue;
        }
        let _ = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            std::fs::remove_dir_all(path)
        } else {
            std::fs::remove_file(path)
        };
    }
    let is_last = std::fs::read_dir(directory).is_ok_and(|left| {
        left.flatten().all(|entry| [MARK, LOCK].map(Into::into).contains(&entry.file_name()))
    });
    if is_last {
        let _ = std::fs::remove_file(directory.join(LOCK));
        let _ = std::fs::remove_file(directory.join(MARK));
        let _ = std::fs::remove_dir(directory);
    }
}

impl Drop for Rendezvous {
    fn drop(&mut self) {
        // It may have been removed, and replaced by another one.
        let is_there = self.lock.as_ref().is_none_or(Lock::is_in_place);
        if self.is_own && is_there {
            erase(self.path());
        }
    }
}

/// Whether an emulator of this user was there, and was killed.
fn is_left(directory: &Path) -> bool {
    let is_ours = std::fs::symlink_metadata(directory)
        .is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw());
    // The lock file is empty before an emulator has locked it, and after an orderly stop.
    let has_held = || std::fs::metadata(directory.join(LOCK)).is_ok_and(|lock| lock.len() > 0);
    let is_old = || {
        let changed = std::fs::metadata(directory).and_then(|found| found.modified());
        changed
            .is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > ABANDONED))
    };
    let is_used = || match File::open(directory.join(MARK)) {
        Ok(mark) => matches!(mark.try_lock_shared(), Err(TryLockError::WouldBlock)),
        Err(_) => false,
    };
    is_ours
        && directory.join(MARK).is_file()
        && !is_used()
        && !StateDir::new(directory).is_locked()
        && (has_held() || is_old())
}

fn unusable(error: io::Error) -> Failure {
    Failure::new("can't publish the emulator's address to other commands")
        .because(error)
        .hint("it needs to write a small file: set TMPDIR to a writable directory")
}
