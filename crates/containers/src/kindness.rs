//! What Podman does for an image that the cloud does not, taken away.
//!
//! It gives an unknown user a line in `/etc/passwd`, and makes a missing working directory the
//! user's own: an image that lacks them would run here and fail in the cloud. The image's own file
//! is mounted over the one with the line, and the directory is made before, as root's.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use bollard::body_full;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, CreateContainerOptionsBuilder,
    DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::Mutex;

use crate::engine::{Engine, sha256, status};
use crate::images::Image;
use crate::labels::Owner;
use crate::reap;

const BLOCK: usize = 512;
/// Maximum size of a file with users.
const MAX_PASSWD: usize = 1024 * 1024;

/// What is to be done for an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// A copy of its `/etc/passwd`, or an empty file; none if it is not a plain file.
    pub(crate) passwd: Option<PathBuf>,
    /// The directories that its working directory needs and that it lacks, outermost first.
    missing: Vec<String>,
}

/// The facts, by the image's id.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<HashMap<String, Facts>>);

impl Known {
    /// Looks into a container of the image that never starts; `name` is one that the hub knows.
    pub(crate) async fn facts(
        &self,
        engine: &Engine,
        owner: &Owner,
        image: &Image,
        name: &str,
        directory: &Path,
    ) -> Result<Facts, Error> {
        let mut known = self.0.lock().await;
        if let Some(facts) = known.get(&image.id)
            && facts.passwd.as_ref().is_none_or(|file| file.exists())
        {
            return Ok(facts.clone());
        }
        let body = ContainerCreateBody {
            image: Some(image.id.clone()),
            // An image without one can't be created from otherwise.
            cmd: Some(vec!["true".into()]),
            labels: Some(owner.labels()),
            host_config: Some(HostConfig {
                network_mode: Some("none".into()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let made = engine.docker.create_container(Some(options), body).await?;
        let looked = look(engine, &made.id, image, directory).await;
        // It is reaped if this fails.
        let _ = reap::remove_one(&engine.docker, &made.id).await;
        let facts = looked?;
        known.insert(image.id.clone(), facts.clone());
        Ok(facts)
    }
}

async fn look(engine: &Engine, id: &str, image: &Image, directory: &Path) -> Result<Facts, Error> {
    let options = DownloadFromContainerOptionsBuilder::default().path("/etc/passwd").build();
    let mut archive = engine.docker.download_from_container(id, Some(options));
    let mut bytes = Vec::new();
    let mut is_there = true;
    while let Some(part) = archive.next().await {
        match part {
            Ok(part) => bytes.extend_from_slice(&part),
            Err(error) if status(&error) == Some(404) => is_there = false,
            Err(error) => return Err(error),
        }
        if bytes.len() > MAX_PASSWD || !is_there {
            break;
        }
    }
    let content = if is_there { file_in(&bytes) } else { Some(Vec::new()) };
    let passwd = content.map(|content| keep(directory, &content)).transpose()?;
    let mut missing = Vec::new();
    let working = image.working_directory.as_deref().unwrap_or("/");
    let mut path = String::new();
    for part in working.split('/').filter(|part| !part.is_empty()) {
        path = format!("{path}/{part}");
        let options = ContainerArchiveInfoOptionsBuilder::default().path(&path).build();
        match engine.docker.get_container_archive_info(id, Some(options)).await {
            Ok(_) => {}
            Err(error) if status(&error) == Some(404) => missing.push(path.clone()),
            Err(error) => return Err(error),
        }
    }
    Ok(Facts { passwd, missing })
}

/// Makes the directories that are missing, before the container starts.
pub(crate) async fn make_missing(engine: &Engine, id: &str, facts: &Facts) -> Result<(), Error> {
    let archive = directories(&facts.missing);
    if archive.is_empty() {
        return Ok(());
    }
    let options = UploadToContainerOptionsBuilder::default().path("/").build();
    let body = body_full(Bytes::from(archive));
    engine.docker.upload_to_container(id, Some(options), body).await
}

/// Keeps a copy that every user may read.
fn keep(directory: &Path, content: &[u8]) -> io::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;

    let name = sha256(content, 8);
    let file = directory.join(format!("passwd-{name}"));
    if !file.exists() {
        crate::hub::make_directory(directory)?;
        let new = directory.join(format!("passwd-{name}.{}", std::process::id()));
        std::fs::write(&new, content)?;
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o644))?;
        std::fs::rename(&new, &file)?;
    }
    Ok(file)
}

/// The content of the first plain file in a tar archive.
fn file_in(archive: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    loop {
        let head = archive.get(at..at + BLOCK)?;
        let size = std::str::from_utf8(head.get(124..136)?).ok()?;
        let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).ok()?;
        let content = at + BLOCK;
        match head.get(156)? {
            b'0' | 0 => {
                return archive.get(content..content.checked_add(size)?).map(<[u8]>::to_vec);
            }
            // Further fields of the entry that follows.
            b'x' | b'g' => at = content.checked_add(size.checked_next_multiple_of(BLOCK)?)?,
            _ => return None,
        }
    }
}

/// A tar archive with these directories, root's and 0755. Empty if there is none to make.
fn directories(paths: &[String]) -> Vec<u8> {
    let mut archive = Vec::new();
    for path in paths {
        let name = format!("{}/", path.trim_start_matches('/'));
        let mut head = [0_u8; BLOCK];
        let mut set = |at: usize, text: &[u8]| {
            if let Some(field) = head.get_mut(at..at + text.len()) {
                field.copy_from_slice(text);
            }
        };
        // A longer name needs header fields of its own; such a working directory stays as it is.
        if name.len() > 100 {
            return Vec::new();
        }
        set(0, name.as_bytes());
        set(100, b"0000755\0");
        set(108, b"0000000\0");
        set(116, b"0000000\0");
        set(124, b"00000000000\0");
        set(136, b"00000000000\0");
        set(148, b"        ");
        set(156, b"5");
        set(257, b"ustar\x0000");
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        if let Some(field) = head.get_mut(148..156) {
            field.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        archive.extend_from_slice(&head);
    }
    if !archive.is_empty() {
        archive.extend_from_slice(&[0; 2 * BLOCK]);
    }
    archive
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn archives_that_tar_reads_and_writes() {
        let directory = tempfile::tempdir().expect("a directory");
        let archive = directories(&["/work".into(), "/work/in".into()]);
        let file = directory.path().join("made.tar");
        std::fs::write(&file, archive).expect("written");
        let listed = Command::new("tar").arg("-tvf").arg(&file).output().expect("tar");
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let modes: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(modes, ["drwxr-xr-x", "drwxr-xr-x"], "{listed}");
        assert!(listed.ends_with("work/in/\n"), "{listed}");
        assert!(directories(&[]).is_empty());

        std::fs::write(directory.path().join("passwd"), "root:x:0:0\n").expect("written");
        for format in ["pax", "ustar", "gnu"] {
            let archive = Command::new("tar")
                .args(["-C", &directory.path().display().to_string()])
                .args([&format!("--format={format}"), "-cf", "-", "passwd"])
                .stderr(Stdio::inherit())
                .output()
                .expect("tar");
            assert_eq!(file_in(&archive.stdout).as_deref(), Some(&b"root:x:0:0\n"[..]), "{format}");
        }
        assert_eq!(file_in(b"no archive"), None);
        assert_eq!(file_in(&[0xff; 2048]), None);
    }
}
