//! The files of an image that an engine has: a container is created, never started, and asked.
//!
//! A question about one path is cheap (`HEAD`); an archive costs twenty times as much, since engines
//! start a process for each. So owners and contents are asked for only where they decide something,
//! and once. In its archives Podman gives every file to its own user: there owners come from an
//! export of the whole container, whose headers alone are kept.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use bollard::Docker;
use bollard::container::PathStatResponse;
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tar::EntryType;
use tokio::sync::{Mutex, OnceCell};

use super::archive::{Archive, EXECUTE, Kind, READ, Stat, Tree, WRITE, join};
use crate::engine::{Engine, EngineKind, status, text};

/// Bits of Go's file modes, which engines answer with.
const DIRECTORY: u32 = 1 << 31;
const SYMLINK: u32 = 1 << 27;
const STICKY: u32 = 1 << 20;
/// The other kinds: devices, pipes, sockets.
const SPECIAL: u32 = 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19;

/// How much of an export is read for owners, in bytes: more would take minutes.
const EXPORT: u64 = 4 * 1024 * 1024 * 1024;
const BLOCK: usize = 512;

type Owners = HashMap<String, (u64, u64)>;
/// A file, and where it leads if it is a link.
type Known = (Stat, Option<String>);

/// A container that was created.
#[derive(Debug)]
pub(super) struct Created {
    docker: Docker,
    id: String,
    /// Whether archives do not tell owners.
    hides_owners: bool,
    owners: OnceCell<Owners>,
    trees: Mutex<HashMap<String, Arc<OnceCell<Tree>>>>,
    /// What was asked before.
    known: Mutex<HashMap<String, Option<Known>>>,
}

/// What an engine answers for a path: the file, and where it leads if it is a link.
fn answer(path: &str, said: &PathStatResponse) -> Known {
    let bits = said.file_mode;
    let kind = match bits {
        _ if bits & SYMLINK != 0 => Kind::Link,
        _ if bits & DIRECTORY != 0 => Kind::Directory,
        _ if bits & SPECIAL != 0 => Kind::Other,
        _ => Kind::File,
    };
    let sticky = if bits & STICKY == 0 { 0 } else { 0o1000 };
    let target = Some(said.link_target.clone()).filter(|target| !target.is_empty());
    let mode = bits & 0o777 | sticky;
    (Stat { path: path.to_owned(), kind, mode, owner: None }, target)
}

impl Created {
    pub(super) fn new(engine: &Engine, id: &str) -> Self {
        Self {
            docker: engine.docker.clone(),
            id: id.to_owned(),
            hides_owners: engine.info.kind == EngineKind::Podman,
            owners: OnceCell::new(),
            trees: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// The owner of each file of the image.
    async fn owners(&self) -> Result<&Owners, String> {
        let export = async {
            let mut stream = self.docker.export_container(&self.id);
            let (mut headers, mut seen) = (Headers::default(), 0);
            while let Some(part) = stream.next().await {
                let part = part.map_err(|error| text(&error))?;
                headers.take(&part);
                seen += part.len() as u64;
                if seen > EXPORT {
                    break;
                }
            }
            Ok(headers.owners)
        };
        self.owners.get_or_try_init(|| export).await
    }

    /// Writes all files of the container into one archive.
    pub(super) async fn export(&self, to: &Path) -> Result<(), String> {
        let said = |error: std::io::Error| error.to_string();
        let mut file = File::create(to).map_err(said)?;
        let mut stream = self.docker.export_container(&self.id);
        while let Some(part) = stream.next().await {
            file.write_all(&part.map_err(|error| text(&error))?).map_err(said)?;
        }
        Ok(())
    }

    async fn read_tree(&self, path: &str, limit: usize) -> Result<Tree, String> {
        let bytes = self.archive(path, limit).await?;
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut tree = files(&bytes, directory)?;
        if self.hides_owners {
            let is_known = |file: &Stat| file.allows(READ | WRITE | EXECUTE);
            tree.files.iter_mut().for_each(|file| file.owner = None);
            if !tree.files.iter().all(is_known) {
                let owners = self.owners().await?;
                for file in &mut tree.files {
                    file.owner = owners.get(&file.path).copied();
                }
            }
        }
        Ok(tree)
    }
    async fn ask(&self, path: &str) -> Result<Option<Known>, String> {
        if let Some(known) = self.known.lock().await.get(path) {
            return Ok(known.clone());
        }
        let found = self.ask_engine(path).await?;
        self.known.lock().await.insert(path.to_owned(), found.clone());
        Ok(found)
    }

    async fn ask_engine(&self, path: &str) -> Result<Option<Known>, String> {
        let options = ContainerArchiveInfoOptionsBuilder::default().path(path).build();
        match self.docker.get_container_archive_info(&self.id, Some(options)).await {
            Ok(said) => Ok(Some(answer(path, &said))),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(text(&error)),
        }
    }

    /// The first bytes of an archive.
    async fn archive(&self, path: &str, limit: usize) -> Result<Vec<u8>, String> {
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let mut stream = self.docker.download_from_container(&self.id, Some(options));
        let mut bytes = Vec::new();
        while let Some(part) = stream.next().await {
            bytes.extend_from_slice(&part.map_err(|error| text(&error))?);
            if bytes.len() >= limit {
                break;
            }
        }
        Ok(bytes)
    }
}

impl Archive for Created {
    async fn stat(&self, path: &str) -> Result<Option<Stat>, String> {
        let mut path = join("/", path);
        for _ in 0..8 {
            match self.ask(&path).await? {
                Some((Stat { kind: Kind::Link, .. }, Some(target))) => {
                    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
                    let target = join(directory, &target);
                    if target == path {
                        return Ok(None);
                    }
                    path = target;
                }
                found => return Ok(found.map(|(stat, _)| stat)),
            }
        }
        Ok(None)
    }

    async fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, String> {
        // Room for headers.
        let bytes = self.archive(path, limit.saturating_add(64 * 1024)).await?;
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().map_err(|error| error.to_string())?;
        for entry in entries.flatten() {
            if entry.header().entry_type() == EntryType::Regular {
                let at = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX);
                let rest = bytes.get(at..).unwrap_or_default();
                let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
                return Ok(rest[..rest.len().min(size).min(limit)].to_vec());
            }
        }
        Ok(Vec::new())
    }

    async fn tree(&self, path: &str, limit: usize) -> Result<Tree, String> {
        if path == "/" {
            // Its archive would be the whole image.
            let kind = Kind::Directory;
            let root = Stat { path: "/".into(), kind, mode: 0o755, owner: Some((0, 0)) };
            return Ok(Tree { files: vec![root] });
        }
        let known = Arc::clone(self.trees.lock().await.entry(path.to_owned()).or_default());
        known.get_or_try_init(|| self.read_tree(path, limit)).await.cloned()
    }
}

/// The files of an archive, which ends where reading stopped.
fn files(archive: &[u8], directory: &str) -> Result<Tree, String> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().map_err(|error| error.to_string())?;
    let mut tree = Tree::default();
    for entry in entries.map_while(Result::ok) {
        let header = entry.header();
        let kind = match header.entry_type() {
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => Kind::Link,
            EntryType::Regular | EntryType::Link => Kind::File,
            _ => Kind::Other,
        };
        tree.files.push(Stat {
            path: join(directory, &String::from_utf8_lossy(&entry.path_bytes())),
            kind,
            mode: header.mode().unwrap_or(0) & 0o7777,
            owner: Some((header.uid().unwrap_or(0), header.gid().unwrap_or(0))),
        });
    }
    Ok(tree)
}

/// The owners in an archive that comes in pieces. Names of more than 100 bytes are left out.
#[derive(Debug, Default)]
struct Headers {
    owners: Owners,
    head: Vec<u8>,
    /// Bytes of content before the next header.
    skip: u64,
}

impl Headers {
    fn take(&mut self, mut part: &[u8]) {
        while !part.is_empty() {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(part.len());
            self.skip -= skipped as u64;
            part = &part[skipped..];
            let wanted = (BLOCK - self.head.len()).min(part.len());
            self.head.extend_from_slice(&part[..wanted]);
            part = &part[wanted..];
            if self.head.len() == BLOCK {
                let head = std::mem::take(&mut self.head);
                let header = tar::Header::from_byte_slice(&head);
                let size = header.entry_size().unwrap_or(0);
                self.skip = size.next_multiple_of(BLOCK as u64);
                if let (Ok(user), Ok(group)) = (header.uid(), header.gid()) {
                    let path = join("/", &String::from_utf8_lossy(&header.path_bytes()));
                    self.owners.insert(path, (user, group));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_says_of_a_path() {
        let said = |mode: u32, target: &str| {
            let json =
                serde_json::json!({"name": "x", "size": 7, "mode": mode, "linkTarget": target});
            answer("/x", &serde_json::from_value(json).expect("an answer"))
        };
        let (link, target) = said(134_218_239, "/bin/b");
        assert_eq!((link.kind, target.as_deref()), (Kind::Link, Some("/bin/b")));
        let (tmp, target) = said(2_148_532_735, "");
        assert_eq!((tmp.kind, tmp.mode, target), (Kind::Directory, 0o1777, None));
        let (file, _) = said(493, "/x");
        assert_eq!((file.kind, file.mode), (Kind::File, 0o755));
    }

    #[test]
    fn owners_of_an_archive_in_pieces() {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, size, owner) in [("a", 700, 1), ("b/c", 0, 42420)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(size);
            header.set_uid(owner);
            header.set_gid(owner);
            let content = vec![1; usize::try_from(size).expect("small")];
            archive.append_data(&mut header, path, content.as_slice()).expect("appended");
        }
        let archive = archive.into_inner().expect("an archive");
        for size in [1, 7, 512, 10_000] {
            let mut headers = Headers::default();
            archive.chunks(size).for_each(|part| headers.take(part));
            assert_eq!(headers.owners["/a"], (1, 1), "{size}");
            assert_eq!(headers.owners["/b/c"], (42420, 42420), "{size}");
        }
    }
}
