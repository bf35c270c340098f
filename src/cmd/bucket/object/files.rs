//! The files that an upload sends, and the names that they get.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use ovhai_api_types::{ObjectName, Renaming};

use crate::error::{Failure, Result};

/// A file to upload.
#[derive(Debug, Clone)]
pub(super) struct LocalFile {
    pub(super) path: PathBuf,
    pub(super) name: ObjectName,
    pub(super) bytes: u64,
    /// Device and number.
    pub(super) place: (u64, u64),
}

/// What the paths of a command line lead to.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files, by name.
    pub(super) files: Vec<LocalFile>,
    /// What the names of the objects from each directory begin with.
    pub(super) scopes: Vec<String>,
    /// What is neither a file nor a directory.
    pub(super) skipped: Vec<PathBuf>,
}

/// Looks for the files of these paths, which are relative to `here`. An object's name is the path as it
/// was typed. Links are followed, since object storage has none.
pub(super) fn find(here: &Path, paths: &[PathBuf], renaming: &Renaming) -> Result<Found> {
    let mut walk = Walk { renaming, found: Found::default(), names: HashMap::new() };
    for path in paths {
        let typed = typed_name(path)?;
        let full = here.join(path);
        let metadata = std::fs::metadata(&full).map_err(|error| {
            let shown = path.display();
            match error.kind() {
                std::io::ErrorKind::NotFound => {
                    Failure::not_found(format!("the file {shown} does not exist"))
                }
                _ => unreadable(&full, &error),
            }
        })?;
        if metadata.is_dir() {
            walk.found.scopes.extend(scope(renaming, &typed));
            walk.directory(&full, &typed, &mut vec![identity(&metadata)])?;
        } else {
            walk.file(full, &typed, &metadata)?;
        }
    }
    let mut found = walk.found;
    found.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// A file that can't be read.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} can't be read", path.display())).because(error)
}

/// A path as it was typed, without parts that lead nowhere: `./a`, `x/../a` and `../a` become `a`.
fn typed_name(path: &Path) -> Result<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str().ok_or_else(|| not_utf8(path))?),
            Component::ParentDir => drop(parts.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    let root = if path.is_absolute() { "/" } else { "" };
    Ok(format!("{root}{}", parts.join("/")))
}

fn not_utf8(path: &Path) -> Failure {
    Failure::usage(format!("{} can't be the name of an object", path.display()))
        .because("the name is not UTF-8")
        .hint("rename the file")
}

/// A name in a directory that no prefix of a command ends with.
pub(super) const PROBE: &str = "ovhai-any-name";

/// What the names of objects from a directory begin with; none if that is not known.
fn scope(renaming: &Renaming, typed: &str) -> Option<String> {
    // The name of an object in there, without its own part.
    let below = if typed.is_empty() { PROBE.to_owned() } else { format!("{typed}/{PROBE}") };
    let name = renaming.apply(&below).ok()?.to_string();
    name.strip_suffix(PROBE).map(str::to_owned)
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

struct Walk<'a> {
    renaming: &'a Renaming,
    found: Found,
    names: HashMap<ObjectName, PathBuf>,
}

impl Walk<'_> {
    fn file(&mut self, path: PathBuf, typed: &str, metadata: &Metadata) -> Result<()> {
        if !metadata.is_file() {
            self.found.skipped.push(path);
            return Ok(());
        }
        let name = self.renaming.apply(typed).map_err(|error| {
            Failure::usage(format!("{} can't be uploaded", path.display())).because(error)
        })?;
        if let Some(other) = self.names.insert(name.clone(), path.clone()) {
            if other == path {
                // It was named twice.
                return Ok(());
            }
            return Err(Failure::usage(format!("two files would become the object {name}"))
                .because(format!("{} and {}", other.display(), path.display()))
                .hint("upload them with separate commands, with another --add-prefix"));
        }
        let place = identity(metadata);
        self.found.files.push(LocalFile { path, name, bytes: metadata.len(), place });
        Ok(())
    }

    /// `above` has the directories on the way, so that a link to one of them ends the walk.
    fn directory(&mut self, path: &Path, typed: &str, above: &mut Vec<(u64, u64)>) -> Result<()> {
        let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(path, &error))?;
            let full = entry.path();
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| not_utf8(&full))?;
            let typed = if typed.is_empty() { name.to_owned() } else { format!("{typed}/{name}") };
            let metadata = match std::fs::metadata(&full) {
                Ok(metadata) => metadata,
                // A link to nothing, or a file that has gone.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    self.found.skipped.push(full);
                    continue;
                }
                Err(error) => return Err(unreadable(&full, &error)),
            };
            if !metadata.is_dir() {
                self.file(full, &typed, &metadata)?;
                continue;
            }
            if above.contains(&identity(&metadata)) {
                self.found.skipped.push(full);
                continue;
            }
            above.push(identity(&metadata));
            self.directory(&full, &typed, above)?;
            above.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_paths_as_typed() {
        for (path, name) in [
            ("weights", "weights"),
            ("./weights/", "weights"),
            ("a/../b", "b"),
            ("../b", "b"),
            (".", ""),
            ("/tmp/x", "/tmp/x"),
        ] {
            assert_eq!(typed_name(Path::new(path)).ok().as_deref(), Some(name), "{path}");
        }
    }

    #[test]
    fn a_directory_has_a_scope() {
        let scope = |remove: &str, add: &str, typed: &str| {
            scope(&Renaming { remove: remove.into(), add: add.into() }, typed).unwrap()
        };
        assert_eq!(scope("", "v1/", "weights"), "v1/weights/");
        assert_eq!(scope("weights/", "", "weights"), "");
        assert_eq!(scope("weights/", "v1/", "weights"), "v1/");
        assert_eq!(scope("", "", ""), "");
        // A prefix that is not taken off everything in the directory.
        assert_eq!(scope("weights/x", "v1/", "weights"), "v1/weights/");
    }
}
