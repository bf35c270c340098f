//! The files of an image that an engine has: a container is created, never started, and asked.
//!
//! A question about one path is cheap (`HEAD`); an archive costs twenty times as much, since engines
//! start a process for each. So owners and contents are asked for only where they decide something.

use bollard::Docker;
use bollard::container::PathStatResponse;
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder,
};
use futures_util::StreamExt;
use tar::EntryType;

use super::archive::{Archive, Kind, Stat, Tree, join};
use crate::engine::{status, text};

/// Bits of Go's file modes, which engines answer with.
const DIRECTORY: u32 = 1 << 31;
const SYMLINK: u32 = 1 << 27;
const STICKY: u32 = 1 << 20;
/// The other kinds: devices, pipes, sockets.
const SPECIAL: u32 = 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19;

/// A container that was created.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) docker: Docker,
    pub(super) id: String,
}

/// What an engine answers for a path: the file, and where it leads if it is a link.
fn answer(path: &str, said: &PathStatResponse) -> (Stat, Option<String>) {
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
    async fn ask(&self, path: &str) -> Result<Option<(Stat, Option<String>)>, String> {
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
        let bytes = self.archive(path, limit).await?;
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().map_err(|error| error.to_string())?;
        let mut tree = Tree::default();
        // The archive ends where reading stopped.
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
}
