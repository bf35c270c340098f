//! Where commands find an ephemeral emulator: a directory of its own with the emulator's address
//! and the commands' files, which is removed when the emulator stops.
//!
//! A killed emulator leaves its directory to the next one, which ends the processes recorded there
//! and removes it. Only directories that contain [`MARK`] are removed.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ovhai_emulator::state::{Lock, Running, StateDir};
use ovhai_runtime::remains::Register;
use rustix::process::geteuid;

use crate::context::Context;
use crate::error::{Failure, Result};

/// Name of an empty file in each of these directories.
const MARK: &str = "ephemeral";
/// Prefix of their names.
const PREFIX: &str = "ovhai-";

/// See the module.
#[derive(Debug)]
pub(super) struct Rendezvous {
    state: StateDir,
    lock: Option<Lock>,
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
            File::options()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(directory.path().join(MARK))?;
            Ok(Self { state: StateDir::new(directory.keep()), lock: None, is_own: true })
        };
        create().map_err(unusable)
    }

    /// Takes over the directory that the starter of this emulator created.
    pub(super) fn adopt(directory: PathBuf) -> Result<Self> {
        if !directory.join(MARK).is_file() {
            return Err(Failure::usage("--background --ephemeral is internal")
                .hint("use: ovhai emulator start --ephemeral --detach"));
        }
        Ok(Self { state: StateDir::new(directory), lock: None, is_own: true })
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

    /// Publishes the emulator's address.
    pub(super) fn announce(&mut self, running: &Running) -> Result<()> {
        let announce = || {
            let lock = self.state.lock()?.ok_or(io::ErrorKind::ResourceBusy)?;
            self.state.announce(running)?;
            Ok(lock)
        };
        self.lock = Some(announce().map_err(unusable)?);
        Ok(())
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
        let entries = self.path().parent().and_then(|base| std::fs::read_dir(base).ok());
        for entry in entries.into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_left(&path) {
                let processes = StateDir::new(&path).processes();
                Register::new(&processes).end_what_is_left();
                // If processes could not be ended yet, the directory stays until the next time.
                if std::fs::read_dir(&processes).map_or(true, |mut left| left.next().is_none()) {
                    let _ = std::fs::remove_dir_all(&path);
                }
            }
        }
    }
}

impl Drop for Rendezvous {
    fn drop(&mut self) {
        // It may have been removed, and replaced by another one.
        let is_there = self.lock.as_ref().is_none_or(Lock::is_in_place);
        if self.is_own && is_there {
            let _ = std::fs::remove_dir_all(self.path());
        }
    }
}

/// Whether an emulator of this user was there, and was killed.
fn is_left(directory: &Path) -> bool {
    let is_ours = std::fs::symlink_metadata(directory)
        .is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw());
    // The lock file is empty before an emulator has locked it, and after an orderly stop.
    let has_held = || std::fs::metadata(directory.join("lock")).is_ok_and(|lock| lock.len() > 0);
    is_ours && directory.join(MARK).is_file() && has_held() && !StateDir::new(directory).is_locked()
}

fn unusable(error: io::Error) -> Failure {
    Failure::new("can't publish the emulator's address to other commands")
        .because(error)
        .hint("it needs to write a small file: set TMPDIR to a writable directory")
}
