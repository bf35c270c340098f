//! `ovhai bucket object copy` and `move`.

use clap::Args;
use ovhai_api_types::{BucketAddress, ObjectName, Renaming, check_bucket};

use super::super::{client, count};
use super::list::size;
use super::mirror::planned;
use crate::context::Context;
use crate::error::{Failure, Result};

#[derive(Debug, Args)]
#[command(after_help = "An object that has the new name is replaced.

Examples: ovhai bucket object copy models@local v1/a.bin v2/a.bin
          ovhai bucket object move models@local --prefix v1/ archive/v1/
          ovhai bucket object copy models@local --container backup --prefix v1/")]
pub(crate) struct Transfer {
    /// Bucket and data store, such as models@local
    #[arg(id = "bucket", value_name = "BUCKET@STORE")]
    bucket: BucketAddress,
    /// Name of the object; with --prefix, what the names begin with
    source: String,
    /// New name; with --prefix, what the new names begin with [default: the same]
    #[arg(required_unless_present = "container")]
    destination: Option<String>,
    /// Bucket of the new objects, in the same data store
    #[arg(short, long, value_name = "BUCKET")]
    container: Option<String>,
    /// All objects whose names begin with SOURCE
    #[arg(short, long)]
    prefix: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// No effect, for compatibility with OVHcloud's client: it does not ask
    #[arg(short, long, hide = true)]
    yes: bool,
    /// No effect, for compatibility with OVHcloud's client
    #[arg(short, long, hide = true, value_name = "N")]
    workers: Option<u16>,
}

fn object(name: &str) -> Result<ObjectName> {
    name.parse().map_err(|error| Failure::usage(format!("{error}")))
}

impl Transfer {
    pub(super) async fn run(self, context: &mut Context, is_move: bool) -> Result<()> {
        let Self { bucket, source, destination, container, .. } = &self;
        if let Some(container) = container {
            check_bucket(container).map_err(|error| {
                Failure::usage(error.to_string())
                    .hint("the new bucket is in the same data store: --container BUCKET")
            })?;
        }
        let new = destination.as_deref().unwrap_or(source);
        let client = client(context).await?;
        let names = if self.prefix {
            let renaming = Renaming { remove: source.clone(), add: new.to_owned() };
            let found = client.objects(bucket, source).await?;
            if found.is_empty() {
                return Err(Failure::not_found(format!(
                    "no object of {bucket} begins with {source}"
                ))
                .hint(format!("list the objects: ovhai bucket object list {bucket}")));
            }
            let named = |name: ObjectName| {
                let new = renaming.apply(name.as_str());
                let new = new.map_err(|error| Failure::usage(error.to_string()))?;
                Ok((name, new))
            };
            found.into_iter().map(|object| named(object.name)).collect::<Result<Vec<_>>>()?
        } else {
            // As in a shell, a destination that ends with a slash keeps the last part of the name.
            let last = source.rsplit('/').next().unwrap_or_default();
            let new = if new.ends_with('/') { format!("{new}{last}") } else { new.to_owned() };
            vec![(object(source)?, object(&new)?)]
        };
        let to = BucketAddress {
            bucket: container.clone().unwrap_or_else(|| bucket.bucket.clone()),
            store: bucket.store.clone(),
        };
        if self.dry_run {
            let verb = if is_move { "move" } else { "copy" };
            for (old, new) in &names {
                planned(context, verb, old, Some(&format!("{new} ({to})")))?;
            }
            return Ok(());
        }
        let done = client.transfer_objects(bucket, container.as_deref(), &names, is_move).await?;
        if context.show_data(&done)? {
            return Ok(());
        }
        context.note(format!(
            "{} {} ({}) to {to}.",
            if is_move { "Moved" } else { "Copied" },
            count(usize::try_from(done.objects).unwrap_or(usize::MAX), "object"),
            size(done.bytes)
        ));
        Ok(())
    }
}
