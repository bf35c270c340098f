//! `ovhai app cp`: files from and to a replica of an app, with the rules of `docker cp`.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use ovhai_api_types::{App, CopyDirection, EXEC_CHUNK_MAX, ExecStatus, PathStatus};
use ovhai_client::ExecTask;
use ovhai_runtime::archive::{self, First, Target as Place};
use tokio::sync::mpsc;

use super::session::{Output, Session, WAITING, end};
use super::{resolve, view};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::Target;

/// Maximum length of the error text of an app's side, in bytes.
const SAID_MAX: usize = 4096;

#[derive(Debug, Args)]
#[command(
    after_help = "An extension of the emulator: the cloud copies no files of apps. One of the two is APP:PATH. A directory is copied with everything in it: into the destination if that is a directory, else as the destination; a source that ends with /. means what is in the directory. As a local path, - is a tar on standard input or output. In a container PATH begins at /, and files belong to the user 42420; beside a local process it begins at the app's directory. Nothing is written outside the destination."
)]
pub(super) struct Cp {
    /// What to copy: APP:PATH, a local path, or - for a tar on standard input
    source: String,
    /// Where: a local path, APP:PATH, or - for a tar on standard output
    destination: String,
    /// Number of the replica, from 1 [default: the first one that is ready]
    #[arg(long, value_name = "NUMBER")]
    replica: Option<u32>,
}

/// A path in an app; none: a local path.
fn in_app(text: &str) -> Option<(&str, &str)> {
    let (app, path) = text.split_once(':')?;
    let is_app = !app.is_empty() && !app.starts_with(['.', '/']) && !app.contains('/');
    is_app.then_some((app, if path.is_empty() { "." } else { path }))
}

/// The directory that a path is in, as it was written.
fn parent(path: &str) -> String {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/".into(),
        Some((parent, _)) => parent.into(),
        None => ".".into(),
    }
}

/// A path without `/.` at its end, and whether it had that.
fn contents(path: &str) -> (&str, bool) {
    match path.strip_suffix("/.") {
        Some("") => ("/", true),
        Some(path) => (path, true),
        None => (path, path == "."),
    }
}

impl Cp {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        match (in_app(&self.source), in_app(&self.destination)) {
            (Some((app, path)), None) => {
                let side = Side::find(context, app, self.replica, false).await?;
                side.copy_out(context, path, &self.destination).await
            }
            (None, Some((app, path))) => {
                if self.source != "-" {
                    // Before an emulator is started.
                    let found = std::fs::symlink_metadata(contents(&self.source).0);
                    found.map_err(|error| local(&self.source, &error))?;
                }
                let side = Side::find(context, app, self.replica, true).await?;
                side.copy_in(context, &self.source, path).await
            }
            (Some(_), Some(_)) => Err(Failure::usage("both paths are in apps")
                .hint("copy to a local path first: ovhai app cp APP:PATH LOCAL")),
            (None, None) => Err(Failure::usage("neither path is in an app")
                .hint("name the app: ovhai app cp APP:PATH LOCAL, or LOCAL APP:PATH")
                .hint("a local path with a colon begins with ./ here")),
        }
    }
}

fn local(path: &str, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("{path} can't be copied")).because(error);
    match error.kind() {
        io::ErrorKind::NotFound => failure.exit_code(crate::error::NOT_FOUND),
        _ => failure,
    }
}

/// The app's side of a copy.
struct Side {
    target: Target,
    app: App,
    replica: Option<u32>,
}

impl Side {
    async fn find(
        context: &mut Context,
        app: &str,
        replica: Option<u32>,
        changes: bool,
    ) -> Result<Self> {
        let target = if changes {
            Target::find_to_change(context).await?
        } else {
            Target::find(context).await?
        };
        let app = resolve(&target.client, app).await?;
        Ok(Self { target, app, replica })
    }

    async fn start(&self, direction: CopyDirection, path: &str) -> Result<Session> {
        let task = ExecTask::Copy { direction, path: path.to_owned() };
        Session::start(&self.target, &self.app, self.replica, &task).await
    }

    fn path(&self, path: &str) -> String {
        format!("{}:{path}", view::name(&self.app))
    }

    /// Runs one side of a copy against a thread that does the other.
    async fn transfer<T: Send + 'static>(
        &self,
        (direction, path): (CopyDirection, &str),
        input: Option<mpsc::Receiver<Vec<u8>>>,
        work: impl FnOnce(Received) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let session = self.start(direction, path).await?;
        let (bytes, received) = mpsc::channel(WAITING);
        let thread = tokio::task::spawn_blocking(move || work(Received::new(received)));
        let (output, mut said) = mpsc::channel(WAITING);
        let sort = async move {
            let mut complaint = Vec::new();
            while let Some(output) = said.recv().await {
                match output {
                    Output::Stdout(more) => {
                        if bytes.send(more).await.is_err() {
                            break;
                        }
                    }
                    Output::Stderr(more) => {
                        complaint.extend(more);
                        complaint.truncate(SAID_MAX);
                    }
                }
            }
            complaint
        };
        let (_told, controls) = mpsc::channel(1);
        let (outcome, complaint) = tokio::join!(session.drive(input, output, controls), sort);
        let worked = thread.await.map_err(|error| Failure::new(error.to_string()))?;
        let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
        let failed = |why: &dyn std::fmt::Display| {
            Failure::new(format!("{} can't be copied", self.path(path))).because(why)
        };
        match (outcome, worked) {
            // The worker ended first, which ended the session.
            (Err(failure), Err(error)) if failure.is_silent() => Err(match error.kind() {
                // The reader of a pipe is gone: that is its own affair.
                io::ErrorKind::BrokenPipe => failure,
                _ => failed(&error),
            }),
            (Err(failure), _) => Err(failure),
            (Ok(ExecStatus::Exited { code: 0 }), worked) => {
                worked.map_err(|error| match io::Error::kind(&error) {
                    io::ErrorKind::BrokenPipe => Failure::silent(0),
                    _ => failed(&error),
                })
            }
            (Ok(_), _) if !complaint.is_empty() => Err(failed(&complaint)),
            (Ok(status), _) => Err(match end(status) {
                Err(failure) if failure.is_silent() => failed(&"the app's side failed"),
                Err(failure) => failure,
                Ok(()) => failed(&"the app's side did not say that it is complete"),
            }),
        }
    }

    async fn look(&self, path: &str) -> Result<PathStatus> {
        let read = |mut from: Received| {
            let mut text = Vec::new();
            from.read_to_end(&mut text)?;
            Ok(serde_json::from_slice(&text)?)
        };
        self.transfer((CopyDirection::Look, path), None, read).await
    }

    async fn copy_out(&self, context: &mut Context, path: &str, to: &str) -> Result<()> {
        let (source, is_contents) = contents(path);
        let what = (CopyDirection::Read, source);
        if to == "-" {
            let mut out = io::stdout();
            return self
                .transfer(what, None, move |mut from| {
                    io::copy(&mut from, &mut out)?;
                    out.flush()
                })
                .await;
        }
        let destination = to.to_owned();
        let count = self
            .transfer(what, None, move |mut from| {
                let decide = |first: &First| place(first, &destination, is_contents);
                let count = archive::unpack(&mut from, decide)?;
                // The end of the archive is padded.
                io::copy(&mut from, &mut io::sink())?;
                Ok(count)
            })
            .await?;
        let files = files(count);
        context.note(format!("Copied {files} from {} to {to}.", self.path(path)));
        Ok(())
    }

    async fn copy_in(&self, context: &mut Context, from: &str, path: &str) -> Result<()> {
        let there = self.look(path).await?;
        let refuse = |why: &str| {
            let failure = Failure::new(format!("{} can't be written", self.path(path)));
            Err(failure.because(why))
        };
        let (source, is_contents) = contents(from);
        let is_stdin = from == "-";
        let source_is_directory = !is_stdin && Path::new(source).is_dir();
        let own = archive::base_name(source)
            .or_else(|| Some(std::fs::canonicalize(source).ok()?.file_name()?.to_owned()));
        let (directory, name) = match (there.exists, there.is_directory) {
            (_, true) if is_stdin || (is_contents && source_is_directory) => {
                (path.to_owned(), None)
            }
            (_, true) => (path.to_owned(), own),
            (true, false) if is_stdin || source_is_directory => {
                return refuse("it is a file, and the source is none");
            }
            (false, _) if is_stdin => return refuse("there is no such directory"),
            (false, _) if path.ends_with('/') && !source_is_directory => {
                return refuse("there is no such directory");
            }
            _ => (parent(path), archive::base_name(path)),
        };
        if !there.exists && !self.look(&directory).await?.is_directory {
            return refuse(&format!("there is no directory {directory}"));
        }
        let (bytes, input) = mpsc::channel(WAITING);
        let (told, source) = (from.to_owned(), PathBuf::from(source));
        let packed = tokio::task::spawn_blocking(move || {
            let mut to = io::BufWriter::with_capacity(EXEC_CHUNK_MAX, Sending(bytes));
            let count = if is_stdin {
                io::copy(&mut io::stdin(), &mut to)?;
                None
            } else {
                let name = name.as_deref().unwrap_or(OsStr::new("."));
                Some(archive::pack(&source, Path::new(name), &mut to)?)
            };
            to.flush()?;
            Ok::<_, io::Error>(count)
        });
        let what = (CopyDirection::Write, directory.as_str());
        let outcome =
            self.transfer(what, Some(input), |mut from| io::copy(&mut from, &mut io::sink()));
        // Together: the local side may fail first, and the app's side sees a broken tar then.
        let (outcome, packed) = if is_stdin {
            let outcome = outcome.await;
            // A thread that waits for standard input would keep a failure back.
            if outcome.is_err() && !packed.is_finished() {
                return outcome.map(drop);
            }
            (outcome, packed.await)
        } else {
            tokio::join!(outcome, packed)
        };
        match packed.map_err(|error| Failure::new(error.to_string()))? {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(local(&told, &error));
            }
            Ok(Some(count)) => {
                outcome?;
                let files = files(count);
                context.note(format!("Copied {files} from {told} to {}.", self.path(path)));
            }
            Ok(None) | Err(_) => drop(outcome?),
        }
        Ok(())
    }
}

fn files(count: u64) -> String {
    match count {
        1 => "1 file".into(),
        count => format!("{count} files"),
    }
}

/// Where the first entry of an archive, and what is in it, belongs.
fn place(first: &First, destination: &str, is_contents: bool) -> io::Result<Place> {
    let path = Path::new(destination);
    let there = archive::look(path)?;
    let fail = |kind, why: String| Err(io::Error::new(kind, why));
    if there.is_directory {
        let own = first.name.file_name().filter(|_| !(is_contents && first.is_directory));
        return Ok(Place::rename(path, first, own));
    }
    if there.exists && first.is_directory {
        let why = format!("{destination} is a file, and the source is a directory");
        return fail(io::ErrorKind::NotADirectory, why);
    }
    if !there.exists && destination.ends_with('/') && !first.is_directory {
        return fail(io::ErrorKind::NotFound, format!("there is no directory {destination}"));
    }
    let directory = PathBuf::from(parent(destination));
    if !directory.is_dir() {
        let why = format!("there is no directory {}", directory.display());
        return fail(io::ErrorKind::NotFound, why);
    }
    let name = archive::base_name(destination);
    let place = if there.exists {
        Place::rename(&directory, first, name.as_deref())
    } else {
        Place::create(&directory, first, name.as_deref())
    };
    Ok(place)
}

/// What was received, for a thread that reads.
struct Received {
    from: mpsc::Receiver<Vec<u8>>,
    rest: io::Cursor<Vec<u8>>,
}

impl Received {
    fn new(from: mpsc::Receiver<Vec<u8>>) -> Self {
        Self { from, rest: io::Cursor::default() }
    }
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
struct Sending(mpsc::Sender<Vec<u8>>);

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(bytes.to_vec());
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(in_app("ui:/x"), Some(("ui", "/x")));
        assert_eq!(in_app("ui:"), Some(("ui", ".")));
        assert_eq!(in_app("ui:a:b"), Some(("ui", "a:b")));
        for local in ["/x", "./a:b", "a/b:c", ":x", "x", "-", "../a:b"] {
            assert_eq!(in_app(local), None, "{local}");
        }
        for (path, of) in [("/a/b", "/a"), ("/a/b/", "/a"), ("/a", "/"), ("a", "."), ("a/b", "a")] {
            assert_eq!(parent(path), of, "{path}");
        }
        assert_eq!(contents("a/."), ("a", true));
        assert_eq!(contents("/."), ("/", true));
        assert_eq!(contents("."), (".", true));
        assert_eq!(contents("a/"), ("a/", false));
    }
}
