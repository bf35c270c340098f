//! `ovhai bucket object download`: large objects by a call of their own, small ones as tar streams.
//! Nothing is written outside the destination: links in it are not followed.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use clap::{Args, ValueHint};
use futures_util::{StreamExt, TryStreamExt, stream};
use ovhai_api_types::{BucketAddress, ObjectName, ObjectsDone, Renaming, StoredObject};
use ovhai_client::Client;
use ovhai_data::objects::{Bucket as Directory, Listing, ObjectError, Writer, unpack};
use rustix::fs::{CWD, Mode, OFlags, openat};

use super::super::{client, count};
use super::files::PROBE;
use super::list::size;
use super::mirror::{confirm, planned};
use super::pipe::{PipeReader, pipe};
use super::threads::{AtEnd, Threads};
use super::totals::Totals;
use super::{LARGE, WORKERS};
use crate::args::global::OWN;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::term::text::clean;

/// Maximum number of objects in a tar stream.
const SHARE: usize = 1000;
/// Number of named objects up to which each is looked up.
const FEW: usize = 20;

#[derive(Debug, Args)]
#[command(
    after_help = "An object becomes a file of its name below the directory. A file appears when it is complete. Links in the directory are not followed.

Example: ovhai bucket object download models@local --prefix v1/ --remove-prefix v1/ --output ./weights"
)]
pub(crate) struct Download {
    /// Bucket and data store, such as models@local
    #[arg(id = "bucket", value_name = "BUCKET@STORE")]
    pub(super) bucket: BucketAddress,
    /// Names of objects [default: all]
    #[arg(value_name = "OBJECT")]
    pub(super) objects: Vec<String>,
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only objects whose names begin with this
    #[arg(short, long, alias = "object-prefix")]
    prefix: Option<String>,
    /// Directory for the files, which is created [default: the current one]
    #[arg(id = "output", short = 'o', long = "output", alias = "output-dir", value_name = "DIR", value_parser = own, value_hint = ValueHint::DirPath)]
    output: Option<String>,
    /// Text to take off the beginning of the names, such as v1/
    #[arg(short, long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    remove_prefix: String,
    /// Leave files alone that exist
    #[arg(long)]
    no_overwrite: bool,
    /// Delete files from the place of the objects that have no object
    #[arg(long)]
    delete: bool,
    /// Show what would be downloaded and deleted, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Number of transfers at once
    #[arg(short, long, value_name = "N", default_value_t = WORKERS, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Do not ask before --delete
    #[arg(short, long)]
    yes: bool,
    /// Create the bucket if it does not exist
    #[arg(long, hide = true)]
    create: bool,
}

#[allow(clippy::unnecessary_wraps, reason = "what clap's value parsers are")]
fn own(text: &str) -> Result<String, Infallible> {
    Ok(format!("{OWN}{text}"))
}

/// An object, and the name of its file.
#[derive(Debug, Clone)]
struct Wanted {
    object: ObjectName,
    file: ObjectName,
    bytes: u64,
}

impl Options {
    pub(crate) async fn run(
        self,
        context: &mut Context,
        bucket: BucketAddress,
        objects: Vec<String>,
    ) -> Result<()> {
        if self.delete && !objects.is_empty() {
            return Err(Failure::usage("--delete does not go with the names of objects")
                .hint("use --prefix, or leave the names out"));
        }
        let client = client(context).await?;
        if self.create {
            client.create_bucket(&bucket).await?;
        }
        let found = self.find(&client, &bucket, &objects).await?;
        let given = self.output.as_deref().and_then(|given| given.strip_prefix(OWN));
        let path = given.map_or_else(|| context.directory.clone(), |to| context.directory.join(to));
        let mut wanted = self.named(found)?;
        let existing = if self.no_overwrite || self.delete { files_of(&path)? } else { Vec::new() };
        let stale = if self.delete { self.stale(&wanted, &existing) } else { Vec::new() };
        let mut kept = 0;
        if self.no_overwrite {
            let existing: BTreeSet<_> = existing.iter().collect();
            let before = wanted.len();
            wanted.retain(|one| !existing.contains(&one.file));
            kept = before - wanted.len();
        }
        if self.dry_run {
            for Wanted { object, file, .. } in &wanted {
                let to = path.join(file.as_str());
                planned(context, "download", object, Some(&to.display()))?;
            }
            for name in &stale {
                planned(context, "delete", path.join(name.as_str()).display(), None)?;
            }
            return Ok(());
        }
        confirm(stale.len(), "file", "that have no object", self.yes).await?;
        let directory = Arc::new(opened(&path)?);
        let number = wanted.len();
        let workers = self.workers.into();
        let overwrite = !self.no_overwrite;
        let mut done =
            receive(context, &client, &bucket, wanted, &directory, overwrite, workers).await?;
        let missing = number
            .saturating_sub(usize::try_from(done.objects + done.skipped).unwrap_or(usize::MAX));
        done.skipped += kept as u64;
        let deleted = directory.delete(&stale).map_err(unwritable)?.objects;
        if context.show_data(&done)? {
            return Ok(());
        }
        context.note(format!(
            "Downloaded {} ({}) to {}.",
            count(usize::try_from(done.objects).unwrap_or(usize::MAX), "object"),
            size(done.bytes),
            given.unwrap_or("the current directory")
        ));
        if done.skipped > 0 {
            let skipped = usize::try_from(done.skipped).unwrap_or(usize::MAX);
            context.note(format!("Left {} alone: they exist already.", count(skipped, "file")));
        }
        if missing > 0 {
            context.note(format!("{} meanwhile deleted.", count(missing, "object")));
        }
        if deleted > 0 {
            let deleted = usize::try_from(deleted).unwrap_or(usize::MAX);
            context.note(format!("Deleted {}.", count(deleted, "file")));
        }
        Ok(())
    }

    /// The objects that are asked for.
    async fn find(
        &self,
        client: &Client,
        bucket: &BucketAddress,
        names: &[String],
    ) -> Result<Vec<StoredObject>> {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        if names.is_empty() {
            let found = client.objects(bucket, prefix).await?;
            if found.is_empty() && !prefix.is_empty() {
                return Err(Failure::not_found(format!(
                    "no object of {bucket} begins with {prefix}"
                ))
                .hint(format!("list the objects: ovhai bucket object list {bucket}")));
            }
            return Ok(found);
        }
        let mut wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let mut all = Vec::new();
        if names.len() <= FEW {
            for name in &wanted {
                all.extend(client.objects(bucket, name).await?);
            }
        } else {
            all = client.objects(bucket, "").await?;
        }
        all.retain(|object| wanted.remove(object.name.as_str()));
        if let Some(missing) = wanted.first() {
            return Err(Failure::not_found(format!(
                "the object {missing} does not exist in {bucket}"
            ))
            .hint(format!("list the objects: ovhai bucket object list {bucket}")));
        }
        Ok(all)
    }

    /// The names of the files.
    fn named(&self, objects: Vec<StoredObject>) -> Result<Vec<Wanted>> {
        let renaming = Renaming { remove: self.remove_prefix.clone(), add: String::new() };
        let mut files: HashMap<ObjectName, ObjectName> = HashMap::new();
        let mut wanted = Vec::with_capacity(objects.len());
        for StoredObject { name, bytes, .. } in objects {
            let file = renaming.apply(name.as_str()).map_err(|error| {
                Failure::usage(format!("{} can't be downloaded", clean(name.as_str())))
                    .because(error)
                    .hint("use another --remove-prefix")
            })?;
            if let Some(other) = files.insert(file.clone(), name.clone()) {
                return Err(Failure::usage(format!("two objects would become the file {file}"))
                    .because(format!("{other} and {name}"))
                    .hint("use another --remove-prefix, or --prefix"));
            }
            wanted.push(Wanted { object: name, file, bytes });
        }
        Ok(wanted)
    }

    /// The files in the place of the objects that have no object.
    fn stale(&self, wanted: &[Wanted], existing: &[ObjectName]) -> Vec<ObjectName> {
        let renaming = Renaming { remove: self.remove_prefix.clone(), add: String::new() };
        let prefix = self.prefix.as_deref().unwrap_or_default();
        // As far as the prefix names directories.
        let directory = prefix.rfind('/').map_or("", |end| &prefix[..=end]);
        let scope = renaming.apply(&format!("{directory}{PROBE}")).map(|name| name.to_string());
        let Some(scope) = scope.ok().and_then(|name| Some(name.strip_suffix(PROBE)?.to_owned()))
        else {
            return Vec::new();
        };
        let wanted: BTreeSet<_> = wanted.iter().map(|one| &one.file).collect();
        let is_stale =
            |name: &&ObjectName| name.as_str().starts_with(&scope) && !wanted.contains(name);
        existing.iter().filter(is_stale).cloned().collect()
    }
}

/// The files below a directory, which may not exist yet.
fn files_of(path: &Path) -> Result<Vec<ObjectName>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let listing = Listing { count: usize::MAX, ..Listing::default() };
    let page = opened(path)?.list(&listing).map_err(unwritable)?;
    Ok(page.items.into_iter().map(|file| file.name).collect())
}

/// The directory for the files, which is created.
fn opened(path: &Path) -> Result<Directory> {
    let fault = |error: io::Error| {
        Failure::new(format!("the directory {} can't be used", path.display())).because(error)
    };
    std::fs::create_dir_all(path).map_err(fault)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = openat(CWD, path, flags, Mode::empty()).map_err(|error| fault(error.into()))?;
    Ok(Directory::of_directory(directory))
}

fn unwritable(error: ObjectError) -> Failure {
    let failure = Failure::new("the files can't be written").because(&error);
    match error {
        ObjectError::Full => failure.hint("free space, or use another directory: --output DIR"),
        ObjectError::Conflict(_) => {
            failure.hint("remove what is in the way, or use another directory: --output DIR")
        }
        _ => failure,
    }
}

/// Receives objects, several at once.
async fn receive(
    context: &mut Context,
    client: &Client,
    bucket: &BucketAddress,
    wanted: Vec<Wanted>,
    directory: &Arc<Directory>,
    overwrite: bool,
    workers: usize,
) -> Result<ObjectsDone> {
    let totals = Arc::new(Totals::new(wanted.len(), wanted.iter().map(|one| one.bytes).sum()));
    let threads = Threads::default();
    let _at_end = AtEnd(threads.clone());
    let (large, small): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|one| one.bytes >= LARGE);
    let share = small.len().div_ceil(2).clamp(1, SHARE);
    let jobs = small.chunks(share).map(<[Wanted]>::to_vec).map(Job::Small);
    let jobs: Vec<Job> = jobs.chain(large.into_iter().map(Job::Large)).collect();
    let receiver =
        Receiver { client, bucket, directory, overwrite, threads: &threads, totals: &totals };
    let all = stream::iter(jobs)
        .map(|job| receiver.receive(job))
        .buffer_unordered(workers)
        .try_fold(ObjectsDone::default(), |mut all, done| async move {
            all.objects += done.objects;
            all.bytes += done.bytes;
            all.skipped += done.skipped;
            Ok(all)
        });
    totals.shown(context, "Downloading", all).await
}

enum Job {
    Small(Vec<Wanted>),
    Large(Wanted),
}

struct Receiver<'a> {
    client: &'a Client,
    bucket: &'a BucketAddress,
    directory: &'a Arc<Directory>,
    overwrite: bool,
    threads: &'a Threads,
    totals: &'a Arc<Totals>,
}

impl Receiver<'_> {
    async fn receive(&self, job: Job) -> Result<ObjectsDone> {
        let (directory, totals) = (Arc::clone(self.directory), Arc::clone(self.totals));
        let overwrite = self.overwrite;
        let (feed, reader) = pipe();
        let (stream, thread) = match job {
            Job::Small(wanted) => {
                let names = wanted.iter().map(|one| one.object.clone()).collect();
                let stream = self.client.download_objects(self.bucket, names).await?;
                let files: HashMap<_, _> =
                    wanted.into_iter().map(|one| (one.object, one.file)).collect();
                let file_of = move |name: ObjectName| {
                    files.get(&name).cloned().ok_or_else(|| {
                        ObjectError::Invalid(format!("{name} was sent and not asked for"))
                    })
                };
                let passed = move |count| totals.add(count);
                let unpack = move || unpack(&directory, reader, overwrite, file_of, passed);
                (stream, self.threads.run(unpack))
            }
            Job::Large(one) => {
                let stream = match self.client.get_object(self.bucket, &one.object).await {
                    // It was deleted since.
                    Err(error) if error.status() == Some(404) => return Ok(ObjectsDone::default()),
                    other => other?,
                };
                let write = move || write(&directory, reader, overwrite, &one.file, &totals);
                (stream, self.threads.run(write))
            }
        };
        let downloaded = feed.feed(stream).await;
        match thread.await.map_err(io::Error::other)? {
            // The connection says why.
            Err(ObjectError::BrokenOff(_)) if downloaded.is_err() => {}
            Err(error) => return Err(unwritable(error)),
            Ok(done) => {
                downloaded?;
                return Ok(done);
            }
        }
        downloaded.map(|()| ObjectsDone::default())
    }
}

/// Writes a file.
fn write(
    directory: &Directory,
    mut from: PipeReader,
    overwrite: bool,
    name: &ObjectName,
    totals: &Totals,
) -> Result<ObjectsDone, ObjectError> {
    let skipped = ObjectsDone { skipped: 1, ..ObjectsDone::default() };
    let mut writer = Writer::new(directory, overwrite);
    let Some(mut part) = writer.begin(name)? else { return Ok(skipped) };
    let mut bytes = 0;
    let broken = |error: io::Error| ObjectError::BrokenOff(error.to_string());
    while let Some(piece) = from.next().map_err(broken)? {
        part.file.write_all(&piece)?;
        bytes += piece.len() as u64;
        totals.add(piece.len() as u64);
    }
    if !part.finish()? {
        return Ok(skipped);
    }
    Ok(ObjectsDone { objects: 1, bytes, skipped: 0 })
}
