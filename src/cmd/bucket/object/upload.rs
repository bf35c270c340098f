//! `ovhai bucket object upload`: large files by a call of their own, small ones as tar streams. Large
//! files of the emulator's owner are copied by the emulator itself, since they are on its machine: that
//! costs as much as `cp`, where a stream costs several times as much.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};
use futures_util::{StreamExt, TryStreamExt, stream};
use ovhai_api_types::{BucketAddress, ObjectImport, ObjectName, ObjectsDone, Renaming};
use ovhai_client::{Client, Error as ClientError, ObjectBody, ObjectSink};
use ovhai_data::objects::append_file;
use ovhai_data::objects::tar::Builder;
use tokio::task::JoinHandle;

use super::super::{client, count};
use super::files::{Found, LocalFile, find, unreadable};
use super::list::size;
use super::mirror::{confirm, planned};
use super::threads::{AtEnd, Threads};
use super::totals::Totals;
use super::{CHUNK, LARGE, WORKERS};
use crate::context::Context;
use crate::error::{Failure, Result};

#[derive(Debug, Args)]
#[command(
    after_help = "The name of an object is the path as it was typed: ./weights/a.bin becomes weights/a.bin. The bucket is created if it does not exist. An object appears when it is complete.

Example: ovhai bucket object upload models@local ./weights --add-prefix v1/"
)]
pub(crate) struct Upload {
    /// Bucket and data store, such as models@local
    #[arg(id = "bucket", value_name = "BUCKET@STORE")]
    pub(super) bucket: BucketAddress,
    /// Files and directories
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Text to put before the names, such as v1/
    #[arg(short, long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    add_prefix: String,
    /// Text to take off the beginning of the names, such as weights/
    #[arg(short, long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    remove_prefix: String,
    /// Leave objects alone that exist
    #[arg(long)]
    no_overwrite: bool,
    /// Delete objects from the place of the uploaded directories that have no file
    #[arg(long)]
    delete: bool,
    /// Show what would be uploaded and deleted, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Number of transfers at once
    #[arg(short, long, value_name = "N", default_value_t = WORKERS, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Do not ask before --delete
    #[arg(short, long)]
    yes: bool,
}

/// What is going to happen.
struct Plan {
    files: Vec<LocalFile>,
    /// Number of objects that stay as they are.
    kept: usize,
    delete: Vec<ObjectName>,
}

impl Options {
    pub(crate) async fn run(
        self,
        context: &mut Context,
        bucket: BucketAddress,
        paths: Vec<PathBuf>,
    ) -> Result<()> {
        let renaming =
            Renaming { remove: self.remove_prefix.clone(), add: self.add_prefix.clone() };
        let found = find(&context.directory, &paths, &renaming)?;
        for path in &found.skipped {
            context.note(format!("Skipped {}: it is no file that can be read.", path.display()));
        }
        let client = client(context).await?;
        let plan = self.plan(&client, &bucket, found).await?;
        if self.dry_run {
            for file in &plan.files {
                planned(context, "upload", file.path.display(), Some(&file.name))?;
            }
            for name in &plan.delete {
                planned(context, "delete", name, None)?;
            }
            return Ok(());
        }
        let place = format!("from {bucket} that have no file here");
        confirm(plan.delete.len(), "object", &place, self.yes).await?;
        // Refusals come before anything is sent.
        client.create_bucket(&bucket).await?;
        let overwrite = !self.no_overwrite;
        let mut done =
            send(context, &client, &bucket, plan.files, overwrite, self.workers.into()).await?;
        done.skipped += plan.kept as u64;
        let deleted = client.delete_objects(&bucket, &plan.delete).await?.objects;
        if context.show_data(&done)? {
            return Ok(());
        }
        context.note(format!(
            "Uploaded {} ({}) to {bucket}.",
            count(usize::try_from(done.objects).unwrap_or(usize::MAX), "object"),
            size(done.bytes)
        ));
        if done.skipped > 0 {
            let skipped = usize::try_from(done.skipped).unwrap_or(usize::MAX);
            context.note(format!("Left {} alone: they exist already.", count(skipped, "object")));
        }
        if deleted > 0 {
            let deleted = usize::try_from(deleted).unwrap_or(usize::MAX);
            context.note(format!("Deleted {}.", count(deleted, "object")));
        }
        Ok(())
    }

    async fn plan(&self, client: &Client, bucket: &BucketAddress, found: Found) -> Result<Plan> {
        let mut plan = Plan { files: found.files, kept: 0, delete: Vec::new() };
        if !self.no_overwrite && !self.delete {
            return Ok(plan);
        }
        let existing = match client.objects(bucket, "").await {
            Ok(objects) => objects,
            // The bucket does not exist yet.
            Err(error) if error.status() == Some(404) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        if self.delete {
            let names: BTreeSet<_> = plan.files.iter().map(|file| &file.name).collect();
            let is_in_scope = |name: &ObjectName| {
                found.scopes.iter().any(|scope| name.as_str().starts_with(scope))
            };
            let names = existing
                .iter()
                .map(|object| &object.name)
                .filter(|name| !names.contains(*name) && is_in_scope(name));
            plan.delete = names.cloned().collect();
        }
        if self.no_overwrite {
            let existing: BTreeSet<_> = existing.iter().map(|object| &object.name).collect();
            let before = plan.files.len();
            plan.files.retain(|file| !existing.contains(&file.name));
            plan.kept = before - plan.files.len();
        }
        Ok(plan)
    }
}

/// Sends files, several at once.
async fn send(
    context: &mut Context,
    client: &Client,
    bucket: &BucketAddress,
    files: Vec<LocalFile>,
    overwrite: bool,
    workers: usize,
) -> Result<ObjectsDone> {
    let totals = Arc::new(Totals::new(files.len(), files.iter().map(|file| file.bytes).sum()));
    let threads = Threads::default();
    let _at_end = AtEnd(threads.clone());
    let (large, small): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.bytes >= LARGE);
    // Two threads on each side have enough to do with small files.
    let streams = if small.len() < 64 { 1 } else { workers.min(2) };
    let share = small.len().div_ceil(streams).max(1);
    let jobs = small.chunks(share).map(<[LocalFile]>::to_vec).map(Job::Small);
    let jobs: Vec<Job> = jobs.chain(large.into_iter().map(Job::Large)).collect();
    let is_owner = context.token()?.is_none();
    let sender = Sender { client, bucket, overwrite, threads: &threads, totals: &totals, is_owner };
    let all = stream::iter(jobs).map(|job| sender.send(job)).buffer_unordered(workers).try_fold(
        ObjectsDone::default(),
        |mut all, done| async move {
            all.objects += done.objects;
            all.bytes += done.bytes;
            all.skipped += done.skipped;
            Ok(all)
        },
    );
    totals.shown(context, "Uploading", all).await
}

enum Job {
    Small(Vec<LocalFile>),
    Large(LocalFile),
}

struct Sender<'a> {
    client: &'a Client,
    bucket: &'a BucketAddress,
    overwrite: bool,
    threads: &'a Threads,
    totals: &'a Arc<Totals>,
    /// Whether the caller is the emulator's owner, and so on its machine.
    is_owner: bool,
}

impl Sender<'_> {
    async fn send(&self, job: Job) -> Result<ObjectsDone> {
        let totals = Arc::clone(self.totals);
        let (sent, reader) = match job {
            Job::Small(files) => {
                let (sink, body) = ObjectBody::new(None);
                let reader = self.threads.run(move || pack(&files, sink, &totals));
                (self.client.upload_objects(self.bucket, body, self.overwrite).await, reader)
            }
            Job::Large(file) => {
                if self.is_owner
                    && let Some(done) = self.import(&file).await?
                {
                    return Ok(done);
                }
                let (sink, body) = ObjectBody::new(Some(file.bytes));
                let name = file.name.clone();
                let reader = self.threads.run(move || pass(&file, sink, &totals));
                (self.client.put_object(self.bucket, &name, body, self.overwrite).await, reader)
            }
        };
        joined(reader).await?;
        sent.map_err(Failure::from)
    }

    /// Has the emulator copy a file; none if it can't read it at the same path.
    async fn import(&self, file: &LocalFile) -> Result<Option<ObjectsDone>> {
        let Some(path) = file.path.to_str() else { return Ok(None) };
        let import = ObjectImport {
            path: path.to_owned(),
            identity: [file.place.0, file.place.1, file.bytes],
            name: file.name.clone(),
            overwrite: self.overwrite,
        };
        let passed = |count| self.totals.add(count);
        match self.client.import_object(self.bucket, &import, passed).await {
            Ok(done) => Ok(Some(done)),
            Err(ClientError::Api { status: 409, message }) if message.contains("elsewhere") => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The failure of a thread that reads files. One that was not listened to any more has none of its own.
async fn joined(reader: JoinHandle<Result<(), (PathBuf, io::Error)>>) -> Result<()> {
    match reader.await.map_err(io::Error::other)? {
        Err((path, error)) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(unreadable(&path, &error))
        }
        _ => Ok(()),
    }
}

fn pack(
    files: &[LocalFile],
    mut sink: ObjectSink,
    totals: &Totals,
) -> Result<(), (PathBuf, io::Error)> {
    let mut builder = Builder::new(&mut sink);
    for file in files {
        let appended = File::open(&file.path).and_then(|mut from| {
            append_file(&mut builder, &file.name, &mut from, file.bytes, |count| totals.add(count))
        });
        appended.map_err(|error| (file.path.clone(), error))?;
    }
    let ended = builder.into_inner().map(drop);
    ended.and_then(|()| sink.end()).map_err(|error| (PathBuf::new(), error))
}

fn pass(
    file: &LocalFile,
    mut sink: ObjectSink,
    totals: &Totals,
) -> Result<(), (PathBuf, io::Error)> {
    let fault = |error| (file.path.clone(), error);
    let mut from = File::open(&file.path).map_err(fault)?;
    let mut left = file.bytes;
    while left > 0 {
        let mut piece = vec![0; usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)];
        let count = from.read(&mut piece).map_err(fault)?;
        if count == 0 {
            return Err(fault(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter")));
        }
        piece.truncate(count);
        left -= count as u64;
        totals.add(count as u64);
        sink.pass(piece).map_err(fault)?;
    }
    sink.end().map_err(fault)
}
