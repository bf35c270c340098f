//! From an alias, a container and a prefix to a directory.
//!
//! A data store's directory is one that the owner named, or `ALIAS` below the emulator's own. The
//! directories in it are its containers. One of the emulator's own is made when something is written
//! to it; until then it is empty.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use ovhai_core::model::DataStoreRecord;

use crate::error::DataError;
use crate::names::{check_container, prefix_path};
use crate::refused::Refused;

/// Whether directories that are missing are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// They are not made: nothing is there.
    Leave,
    /// They are made.
    Make,
}

/// See the module. Its methods block.
#[derive(Debug, Clone)]
pub struct StoreRoots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    own: PathBuf,
    refused: Refused,
}

impl StoreRoots {
    /// `own` is the emulator's directory for data stores, which is made when it is needed.
    pub fn new(own: PathBuf, refused: Refused) -> Self {
        Self(Arc::new(Inner { own, refused }))
    }

    /// The real path of a directory that may be a data store.
    pub fn accept(&self, directory: &Path) -> Result<PathBuf, DataError> {
        self.0.refused.check(directory)
    }

    /// The directory of a data store, whether it exists or not.
    pub fn path(&self, store: &DataStoreRecord) -> PathBuf {
        match &store.directory {
            Some(directory) => PathBuf::from(directory),
            // An alias is one part of a path; two that differ in case are the same.
            None => self.0.own.join(store.key()),
        }
    }

    /// A data store's directory; none if it is missing and not made. One that the owner named is
    /// checked again, because links may have changed, and never made.
    pub fn root(
        &self,
        store: &DataStoreRecord,
        missing: Missing,
    ) -> Result<Option<Dir>, DataError> {
        let path = self.path(store);
        if let Some(directory) = &store.directory {
            let real = self.accept(Path::new(directory));
            if !real.as_ref().is_ok_and(|real| *real == path) {
                // The path is the owner's: callers who are not get only the alias.
                tracing::warn!(alias = store.alias, directory, ?real, "a data store can't be used");
                return Err(DataError::Refused(format!(
                    "the directory of the data store {} can't be used: it is missing, refused, or a part of it was replaced by a link; the emulator's log says which: ovhai emulator logs",
                    store.alias
                )));
            }
        } else if missing == Missing::Make {
            make(&path).map_err(|source| DataError::io(path.display().to_string(), source))?;
        }
        absent(Dir::open_ambient_dir(&path, ambient_authority()), &path.display().to_string())
    }

    /// The containers of a data store, by name. Hidden directories are none.
    pub fn containers(&self, store: &DataStoreRecord) -> Result<Vec<String>, DataError> {
        let Some(root) = self.root(store, Missing::Leave)? else { return Ok(Vec::new()) };
        let failed = |source| DataError::io(store.alias.clone(), source);
        let mut names = Vec::new();
        for entry in root.entries().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let is_container = check_container(&name).is_ok()
                && root.metadata(&name).is_ok_and(|found| found.is_dir());
            if is_container {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// A container; none if it is missing and not made.
    pub fn container(
        &self,
        store: &DataStoreRecord,
        name: &str,
        missing: Missing,
    ) -> Result<Option<Dir>, DataError> {
        check_container(name)?;
        let Some(root) = self.root(store, missing)? else { return Ok(None) };
        let shown = format!("{name}@{}", store.alias);
        if missing == Missing::Make {
            exists(root.create_dir(name)).map_err(|source| DataError::io(&shown, source))?;
        }
        absent(root.open_dir(name), &shown)
    }

    /// The directory of a prefix in a container; none if it is missing and not made. The container is
    /// the root: nothing that is opened from it or below it lies outside of it.
    pub fn open(
        &self,
        store: &DataStoreRecord,
        container: &str,
        prefix: &str,
        missing: Missing,
    ) -> Result<Option<Dir>, DataError> {
        let path = prefix_path(prefix)?;
        let Some(root) = self.container(store, container, missing)? else { return Ok(None) };
        if path.as_os_str().is_empty() {
            return Ok(Some(root));
        }
        let shown = format!("{container}@{}/{prefix}", store.alias);
        if missing == Missing::Make {
            root.create_dir_all(&path).map_err(|source| DataError::io(&shown, source))?;
        }
        absent(root.open_dir(&path), &shown)
    }
}

/// Makes a directory of the emulator's own, which only its user may enter, and the one above it.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let builder = || {
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700);
        builder
    };
    if let Some(above) = path.parent() {
        // Not what is above that: a state directory that was removed does not come back.
        exists(builder().create(above))?;
    }
    exists(builder().create(path))
}

fn exists(made: io::Result<()>) -> io::Result<()> {
    made.or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Ok(()),
        _ => Err(error),
    })
}

fn absent(opened: io::Result<Dir>, shown: &str) -> Result<Option<Dir>, DataError> {
    match opened {
        Ok(directory) => Ok(Some(directory)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(DataError::io(shown, error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use ovhai_core::model::DataStoreRecord;

    use super::*;

    struct Place {
        _all: tempfile::TempDir,
        path: PathBuf,
        roots: StoreRoots,
    }

    fn place() -> Place {
        let all = tempfile::tempdir().unwrap();
        let path = all.path().canonicalize().unwrap();
        std::fs::create_dir(path.join("state")).unwrap();
        let refused = Refused::new([path.join("state")]);
        let roots = StoreRoots::new(path.join("state/data"), refused);
        Place { _all: all, path, roots }
    }

    fn store(directory: Option<&Path>) -> DataStoreRecord {
        serde_json::from_value(serde_json::json!({
            "alias": "S3GRA",
            "directory": directory,
            "created_at": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn containers_are_made_on_first_use() {
        let at = place();
        let own = store(None);
        assert!(at.roots.open(&own, "data", "a/b", Missing::Leave).unwrap().is_none());
        assert!(!at.path.join("state/data").exists());
        assert!(at.roots.open(&own, "data", "a/b", Missing::Make).unwrap().is_some());
        assert!(at.path.join("state/data/s3gra/data/a/b").is_dir());
        assert_eq!(at.roots.containers(&own).unwrap(), ["data"]);
        std::fs::remove_dir_all(at.path.join("state")).unwrap();
        assert!(at.roots.open(&own, "data", "", Missing::Make).is_err(), "it does not come back");
    }

    #[test]
    fn nothing_leads_out_of_a_container() {
        let at = place();
        let host = at.path.join("host");
        std::fs::create_dir_all(host.join("data/inner")).unwrap();
        std::fs::create_dir_all(host.join("other/secret")).unwrap();
        std::fs::write(host.join("other/file"), "secret").unwrap();
        symlink("../other", host.join("data/out")).unwrap();
        symlink("/", host.join("data/root")).unwrap();
        symlink("inner", host.join("data/in")).unwrap();
        symlink("../other/file", host.join("data/file")).unwrap();
        symlink("../state", host.join("away")).unwrap();
        let store = store(Some(&host));
        let open = |container: &str, prefix: &str| {
            at.roots.open(&store, container, prefix, Missing::Leave)
        };
        assert!(open("data", "in").unwrap().is_some());
        for (container, prefix) in [
            ("data", "out"),
            ("data", "out/secret"),
            ("data", "root/etc"),
            ("data", "inner/../../other"),
            ("..", ""),
            ("away", ""),
        ] {
            assert!(open(container, prefix).is_err(), "{container} {prefix}");
        }
        assert!(at.roots.open(&store, "data", "out/new", Missing::Make).is_err());
        let data = open("data", "").unwrap().unwrap();
        assert!(data.open("file").is_err() && data.read("out/file").is_err());
        assert!(data.write("out/new", "x").is_err() && data.create_dir("root/tmp/x").is_err());
    }

    #[test]
    fn a_named_directory_is_checked_again() {
        let at = place();
        let host = at.path.join("host");
        std::fs::create_dir(&host).unwrap();
        let store = store(Some(&host));
        assert!(at.roots.root(&store, Missing::Leave).unwrap().is_some());
        std::fs::remove_dir(&host).unwrap();
        std::fs::create_dir(at.path.join("elsewhere")).unwrap();
        for target in ["state", "elsewhere"] {
            symlink(target, &host).unwrap();
            assert!(at.roots.root(&store, Missing::Leave).is_err(), "{target}");
            std::fs::remove_file(&host).unwrap();
        }
        assert!(at.roots.root(&store, Missing::Make).is_err(), "it is not made");
    }
}
