//! Files of a container, by the engine's archive call, which needs no program in the image.
//!
//! What goes in is checked and belongs to the container's user: the engine unpacks as root.

use std::io::{self, Read, Write};
use std::time::Duration;

use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use ovhai_api_types::{CopyDirection, EXEC_CHUNK_MAX, PathStatus};
use ovhai_core::ports::{ExecBackend, ExecOutput};
use ovhai_core::replica::ExitStatus;
use ovhai_runtime::archive::sanitize;
use tokio::sync::mpsc;

use crate::engine::{status, text};
use crate::usage::Running;

/// The user of apps.
const USER: u64 = 42420;
/// A copy may take long; it is watched by its user.
const PATIENCE: Duration = Duration::from_hours(24);
/// Maximum number of links that are followed.
const LINKS: u32 = 16;
/// Bits of Go's `os.FileMode`, in which engines tell modes.
const DIRECTORY: u32 = 1 << 31;
const LINK: u32 = 1 << 27;

/// Runs a copy to its end.
pub(crate) async fn run(
    running: Running,
    direction: CopyDirection,
    path: String,
    backend: ExecBackend,
) {
    let output = backend.output.clone();
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    let work = async {
        match direction {
            CopyDirection::Look => look(&running, path, &output).await,
            CopyDirection::Read => read(&running, &path, &output).await,
            CopyDirection::Write => write(&running, &path, backend.input).await,
        }
    };
    let code = tokio::select! {
        outcome = work => match outcome {
            Ok(()) => 0,
            Err(why) => {
                let _ = output.send(ExecOutput::Stderr(why.into_bytes())).await;
                1
            }
        },
        () = output.closed() => return,
    };
    // The session may have been dropped.
    let _ = output.send(ExecOutput::Ended(ExitStatus::Code(code))).await;
}

async fn look(
    running: &Running,
    mut path: String,
    output: &mpsc::Sender<ExecOutput>,
) -> Result<(), String> {
    let mut found = PathStatus { exists: false, is_directory: false };
    for _ in 0..LINKS {
        let options = ContainerArchiveInfoOptionsBuilder::default().path(&path).build();
        let docker = &running.engine.docker;
        match docker.get_container_archive_info(&running.id, Some(options)).await {
            Ok(there) if there.file_mode & LINK != 0 && there.link_target.starts_with('/') => {
                found.exists = true;
                path = there.link_target;
            }
            Ok(there) => {
                let is_directory = there.file_mode & DIRECTORY != 0;
                found = PathStatus { exists: true, is_directory };
                break;
            }
            Err(error) if status(&error) == Some(404) => break,
            Err(error) => return Err(text(&error)),
        }
    }
    let json = serde_json::to_vec(&found).map_err(|error| error.to_string())?;
    let _ = output.send(ExecOutput::Stdout(json)).await;
    Ok(())
}

async fn read(
    running: &Running,
    path: &str,
    output: &mpsc::Sender<ExecOutput>,
) -> Result<(), String> {
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let docker = running.engine.docker.clone().with_timeout(PATIENCE);
    let mut tar = docker.download_from_container(&running.id, Some(options));
    while let Some(part) = tar.next().await {
        let part = part.map_err(|error| text(&error))?;
        for piece in part.chunks(EXEC_CHUNK_MAX) {
            if output.send(ExecOutput::Stdout(piece.to_vec())).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn write(
    running: &Running,
    path: &str,
    input: mpsc::Receiver<Vec<u8>>,
) -> Result<(), String> {
    let (to, parts) = mpsc::channel::<io::Result<Bytes>>(2);
    let checking = tokio::task::spawn_blocking(move || {
        let mut from = Received { from: input, rest: io::Cursor::default() };
        let out = io::BufWriter::with_capacity(EXEC_CHUNK_MAX, Sending(to.clone()));
        let checked = sanitize(&mut from, out, USER);
        match &checked {
            // The client's tar may be padded.
            Ok(()) => drop(io::copy(&mut from, &mut io::sink())),
            // The engine must not take what came so far for a whole.
            Err(error) => drop(to.blocking_send(Err(error.kind().into()))),
        }
        checked
    });
    let body = stream::unfold(parts, |mut parts| async { Some((parts.recv().await?, parts)) });
    let options = UploadToContainerOptionsBuilder::default()
        .path(path)
        .no_overwrite_dir_non_dir("true")
        .build();
    let docker = running.engine.docker.clone().with_timeout(PATIENCE);
    let sent = docker
        .upload_to_container(&running.id, Some(options), bollard::body_try_stream(body))
        .await;
    match (sent, checking.await.map_err(|error| error.to_string())?) {
        (_, Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        (Err(error), _) => Err(text(&error)),
        (Ok(()), checked) => checked.map_err(|error| error.to_string()),
    }
}

/// What was received, for a thread that reads.
struct Received {
    from: mpsc::Receiver<Vec<u8>>,
    rest: io::Cursor<Vec<u8>>,
}

impl Read for Received {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.rest.read(room)?;
            if count > 0 || room.is_empty() {
                return Ok(count);
            }
            match self.from.blocking_recv() {
                Some(bytes) => self.rest = io::Cursor::new(bytes),
                None => return Ok(0),
            }
        }
    }
}

/// What is to be sent, for a thread that writes.
struct Sending(mpsc::Sender<io::Result<Bytes>>);

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
