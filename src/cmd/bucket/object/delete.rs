//! `ovhai bucket object delete`.

use clap::Args;
use ovhai_api_types::{BucketAddress, ObjectName};

use super::super::{client, count};
use super::mirror::planned;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::ui::prompt;

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Bucket and data store, such as models@local
    #[arg(id = "bucket", value_name = "BUCKET@STORE")]
    pub(super) bucket: BucketAddress,
    /// Names of objects
    #[arg(value_name = "OBJECT")]
    pub(super) objects: Vec<String>,
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// All objects whose names begin with this
    #[arg(short, long, alias = "object-prefix")]
    prefix: Option<String>,
    /// All objects of the bucket; the bucket stays
    #[arg(short, long, conflicts_with = "prefix")]
    pub(crate) all: bool,
    /// Show what would be deleted, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// No effect, for compatibility with OVHcloud's client
    #[arg(short, long, hide = true, value_name = "N")]
    workers: Option<u16>,
}

impl Options {
    /// Returns whether something was changed.
    pub(crate) async fn run(
        self,
        context: &mut Context,
        bucket: BucketAddress,
        objects: Vec<String>,
    ) -> Result<bool> {
        let by_prefix = self.all || self.prefix.is_some();
        if objects.is_empty() != by_prefix {
            let failure = if by_prefix {
                Failure::usage("--prefix and --all do not go with the names of objects")
            } else {
                Failure::usage("the objects to delete are missing")
            };
            return Err(failure.hint("use names of objects, --prefix PREFIX, or --all"));
        }
        let names = objects.into_iter().map(|name| {
            ObjectName::try_from(name).map_err(|error| Failure::usage(error.to_string()))
        });
        let mut names: Vec<ObjectName> = names.collect::<Result<_>>()?;
        let client = client(context).await?;
        if by_prefix {
            let prefix = self.prefix.unwrap_or_default();
            let found = client.objects(&bucket, &prefix).await?;
            names = found.into_iter().map(|object| object.name).collect();
        }
        if self.dry_run {
            for name in &names {
                planned(context, "delete", name, None)?;
            }
            return Ok(false);
        }
        if names.is_empty() {
            context.note(format!("No object of {bucket} matches."));
            return Ok(true);
        }
        let question = match names.as_slice() {
            [one] => format!("Delete the object {one} of {bucket}?"),
            many => format!("Delete {} of {bucket}?", count(many.len(), "object")),
        };
        prompt::confirm(&question, self.yes).await?;
        let done = client.delete_objects(&bucket, &names).await?;
        if !context.show_data(&done)? {
            let deleted = usize::try_from(done.objects).unwrap_or(usize::MAX);
            context.note(format!("Deleted {} of {bucket}.", count(deleted, "object")));
        }
        if done.skipped > 0 && !by_prefix {
            let missing = usize::try_from(done.skipped).unwrap_or(usize::MAX);
            let failure = match names.as_slice() {
                [one] => Failure::not_found(format!("the object {one} does not exist in {bucket}")),
                _ => Failure::not_found(format!(
                    "{} to delete did not exist in {bucket}",
                    count(missing, "object")
                )),
            };
            return Err(
                failure.hint(format!("list the objects: ovhai bucket object list {bucket}"))
            );
        }
        Ok(true)
    }
}
