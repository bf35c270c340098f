//! The state directory of an emulator, and how others find the one that runs there.
//!
//! `ovhai.db` (the store), `signing.key` (0600), `registry.key` (0600: encrypts the passwords of
//! registries, from the first one on), `emulator.json` (0600: pid, address and the
//! local administrator's bearer, as long as it runs), `first-user.json` (0600: the first user's
//! password, until it is changed), `emulator.log` (when it runs in the
//! background), `access.log` (0600: a line a request; `access.log.1` before it), `options.json`
//! (0600: what the last start on purpose was given), `processes` (0700: a record for each process
//! of an app), `containers` (0700: files that containers get), `data` (0700: the data stores), `id` (what the labels of containers and
//! networks name), `lock` (held as long as it runs; it names the process that holds it).

use std::fs::{File, TryLockError};
use std::future::Future;
use std::io::{self, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ovhai_api_types::{Placement, Region, Timestamp};
use ovhai_runtime::identity::Identity;
use ovhai_runtime::sockets;
use serde::{Deserialize, Serialize};

use crate::secret;

/// Time between two looks whether a state directory is still there.
const WATCH: Duration = Duration::from_secs(1);

/// What a running emulator tells commands that may read its directory.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens with TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<SocketAddr>,
    /// The local administrator's bearer.
    pub administrator: String,
    /// Its regions; the first is the default.
    pub regions: Vec<Region>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ends by itself, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stops_at: Option<Timestamp>,
    /// Where it writes the access log, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log: Option<PathBuf>,
    /// The runtime of an app that names none and whose image is not built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Placement>,
    /// Its version.
    pub version: String,
    /// The project's id, the same as long as the directory exists.
    pub project: String,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("pid", &self.pid)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Running {
    /// Its region of that name, in any case.
    pub fn region(&self, name: &str) -> Option<Region> {
        self.regions.iter().find(|region| region.is_host_label(name)).cloned()
    }
}

/// The user that the first start created, until its password is changed.
#[derive(Clone, Serialize, Deserialize)]
pub struct FirstUser {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for FirstUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstUser").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A state directory.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

/// The lock of a state directory. It is released when this is dropped, or its process ends in
/// whatever way.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Writes into the lock file which process holds it.
    fn sign(&mut self) -> io::Result<()> {
        let own = Identity::own().unwrap_or_else(|| Identity::numbered(std::process::id()));
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&serde_json::to_vec(&own)?)
    }

    /// Waits until the lock file was removed or replaced, so that no command finds the emulator any
    /// more, and that was seen twice. A file system that does not answer does not count.
    pub fn until_lost(&self) -> impl Future<Output = ()> + Send + use<> {
        let (path, own) = (self.path.clone(), self.number());
        async move {
            let mut was_lost = false;
            loop {
                tokio::time::sleep(WATCH).await;
                let path = path.clone();
                let look = tokio::task::spawn_blocking(move || is_lost(&path, own)).await;
                let is_lost = look.unwrap_or_default();
                if is_lost && was_lost {
                    return;
                }
                was_lost = is_lost;
            }
        }
    }

    /// Whether the lock file is still at its place.
    pub fn is_in_place(&self) -> bool {
        !is_lost(&self.path, self.number())
    }

    /// Device and inode of the lock file.
    fn number(&self) -> Option<(u64, u64)> {
        self.file.metadata().ok().map(|file| (file.dev(), file.ino()))
    }
}

/// Whether there is another file at this path, or certainly none.
fn is_lost(path: &Path, own: Option<(u64, u64)>) -> bool {
    match std::fs::metadata(path) {
        Ok(there) => own.is_some_and(|own| own != (there.dev(), there.ino())),
        Err(error) => says_gone(&error),
    }
}

/// A failing disk, an unreachable server or a missing permission proves nothing.
fn says_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A command that reads the pid later must not take it for an emulator's.
        let _ = self.file.set_len(0);
    }
}

impl StateDir {
    /// The directory at this path, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Path of the database.
    pub fn database(&self) -> PathBuf {
        self.0.join("ovhai.db")
    }

    /// Path of the signing key.
    pub fn signing_key(&self) -> PathBuf {
        self.0.join("signing.key")
    }

    /// Path of the key of the registries' passwords.
    pub fn registry_key(&self) -> PathBuf {
        self.0.join("registry.key")
    }

    /// Path of the log of an emulator in the background.
    pub fn log(&self) -> PathBuf {
        self.0.join("emulator.log")
    }

    /// Path of the saved options of a start.
    pub fn options(&self) -> PathBuf {
        self.0.join("options.json")
    }

    /// Default path of the access log.
    pub fn access_log(&self) -> PathBuf {
        self.0.join("access.log")
    }

    /// Path of the directory with records of processes.
    pub fn processes(&self) -> PathBuf {
        self.0.join("processes")
    }

    /// Path of the directory with files that containers get.
    pub(crate) fn containers(&self) -> PathBuf {
        self.0.join("containers")
    }

    /// Path of the directory with the emulator's own data stores.
    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// The id of the directory, which the labels of its containers name; made on first use.
    pub(crate) fn id(&self) -> io::Result<String> {
        let path = self.0.join("id");
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let id = uuid::Uuid::parse_str(text.trim());
                id.map(|id| id.to_string())
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = uuid::Uuid::new_v4().to_string();
                secret::write(&path, id.as_bytes())?;
                Ok(id)
            }
            Err(error) => Err(error),
        }
    }

    fn running_file(&self) -> PathBuf {
        self.0.join("emulator.json")
    }

    fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    fn first_user_file(&self) -> PathBuf {
        self.0.join("first-user.json")
    }

    /// The user that the first start created, unless its password was changed.
    pub fn first_user(&self) -> Option<FirstUser> {
        serde_json::from_slice(&std::fs::read(self.first_user_file()).ok()?).ok()
    }

    pub(crate) fn write_first_user(&self, user: &FirstUser) -> io::Result<()> {
        secret::write(&self.first_user_file(), &serde_json::to_vec_pretty(user)?)
    }

    /// Removes the first user's password, if `name` is the first user.
    pub(crate) fn forget_first_user(&self, name: &str) {
        if self.first_user().is_some_and(|first| first.name == name) {
            let _ = std::fs::remove_file(self.first_user_file());
        }
    }

    /// Creates the directory (mode 0700) if it does not exist.
    pub fn create(&self) -> io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)
    }

    /// Locks the directory; none if an emulator runs in it.
    pub fn lock(&self) -> io::Result<Option<Lock>> {
        let path = self.lock_file();
        let file =
            File::options().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
        // A command that only looks holds it for a moment; an emulator holds it for good.
        for _ in 0..20 {
            match file.try_lock() {
                Ok(()) => {
                    // What a killed emulator left would send others to an old address.
                    self.withdraw();
                    let mut lock = Lock { file, path };
                    lock.sign()?;
                    return Ok(Some(lock));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether an emulator runs in it.
    pub fn is_locked(&self) -> bool {
        // Shared: two commands that only look must not take each other for an emulator.
        match File::open(self.lock_file()) {
            Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        }
    }

    /// The process that holds it, if it is proved to be the emulator: the lock is held, and the
    /// process that it names is the very one that took it. A number alone proves nothing, since
    /// another process may have it, in another container, too; then the process counts that listens
    /// where the emulator said that it does.
    pub fn holder(&self) -> Option<Identity> {
        let named = self.named()?;
        if !self.is_locked() || !named.is_alive() {
            return None;
        }
        if named.is_exact() {
            return Some(named);
        }
        let told: Running =
            serde_json::from_slice(&std::fs::read(self.running_file()).ok()?).ok()?;
        let listens = |l: &sockets::Listening| l.pid == named.pid && l.address == told.address;
        sockets::listening().iter().any(listens).then(|| Identity::of(named.pid)).flatten()
    }

    /// The process that the lock file names.
    fn named(&self) -> Option<Identity> {
        let text = std::fs::read_to_string(self.lock_file()).ok()?;
        // Earlier versions wrote the number alone.
        serde_json::from_str(&text)
            .ok()
            .or_else(|| text.trim().parse().ok().map(Identity::numbered))
    }

    /// Tells other commands where the emulator is.
    pub fn announce(&self, running: &Running) -> io::Result<()> {
        secret::write(&self.running_file(), &serde_json::to_vec_pretty(running)?)
    }

    /// Removes that.
    pub fn withdraw(&self) {
        // It may be gone with the directory.
        let _ = std::fs::remove_file(self.running_file());
    }

    /// The emulator that runs in it, by what it has told; none if none runs.
    pub fn running(&self) -> Option<Running> {
        let text = std::fs::read(self.running_file()).ok()?;
        let running: Running = serde_json::from_slice(&text).ok()?;
        // What a killed emulator left is not believed, even if a new one has just started.
        let named = self.named()?;
        let is_its_own = named.pid == running.pid && named.is_alive();
        (is_its_own && self.is_locked()).then_some(running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_lost_when_its_file_was_replaced_or_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().join("state");
        let state = StateDir::new(&place);
        state.create().expect("made");
        let lock = state.lock().expect("a lock").expect("it is free");
        assert!(lock.is_in_place());
        assert_eq!(state.holder(), Identity::own());

        let aside = directory.path().join("aside");
        std::fs::rename(&place, &aside).expect("moved");
        assert!(!lock.is_in_place(), "it is gone");
        std::fs::write(&place, "").expect("a file");
        assert!(!lock.is_in_place(), "there is no directory");
        std::fs::remove_file(&place).expect("removed");
        state.create().expect("made");
        let other = state.lock().expect("a lock").expect("it is another");
        assert!(!lock.is_in_place() && other.is_in_place());
        drop(other);
        std::fs::remove_dir_all(&place).expect("removed");
        std::fs::rename(&aside, &place).expect("moved back");
        assert!(lock.is_in_place());
    }

    #[test]
    fn a_lock_is_kept_while_the_file_system_does_not_answer() {
        use rustix::io::Errno;
        for (error, is_gone) in [
            (Errno::NOENT, true),
            (Errno::NOTDIR, true),
            (Errno::IO, false),
            (Errno::ACCESS, false),
            (Errno::STALE, false),
        ] {
            assert_eq!(says_gone(&error.into()), is_gone, "{error}");
        }
    }
}
