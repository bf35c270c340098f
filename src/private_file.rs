//! Files that only their owner may read, that are replaced as a whole, and that several commands
//! may change at the same time.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Failure, Result};

/// What the file holds; the default when there is none.
pub(crate) fn read<T: DeserializeOwned + Default>(path: &Path, if_damaged: &str) -> Result<T> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| {
            Failure::new(format!("{} is damaged", path.display())).because(error).hint(if_damaged)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(Failure::new(format!("{} can't be read", path.display())).because(error)),
    }
}

/// Keeps other commands from changing the file, until the lock is dropped.
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

/// Replaces what the file holds (mode 0600).
pub(crate) fn write(path: &Path, contents: &impl Serialize) -> Result<()> {
    let text =
        serde_json::to_vec_pretty(contents).map_err(|error| Failure::new(error.to_string()))?;
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let write = || {
        make_directory(path)?;
        // One left by a killed process may have another mode.
        let _ = std::fs::remove_file(&temporary);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().map_err(|error: io::Error| {
        Failure::new(format!("{} can't be written", path.display())).because(error)
    })
}

/// The directory of the file, its owner's alone if it has to be made.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent),
        None => Ok(()),
    }
}
