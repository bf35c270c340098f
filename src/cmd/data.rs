//! `ovhai data …`: the older spelling of `ovhai bucket object …`, with the data store and the bucket as
//! two words.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ovhai_api_types::BucketAddress;

use crate::cmd::bucket::object::{delete, download, list, upload};
use crate::cmd::{bucket, datastore};
use crate::context::Context;
use crate::error::{Failure, Result};

#[derive(Debug, Args)]
pub(crate) struct DataCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the data stores
    #[command(visible_alias = "regions")]
    Region(Stores),
    /// List buckets, or the objects of a bucket
    #[command(visible_alias = "ls")]
    List(On<list::Options>),
    /// Upload files and directories
    Upload(On<upload::Options>),
    /// Download objects
    Download(On<download::Options>),
    /// Delete objects; with --all also the bucket
    #[command(visible_alias = "rm")]
    Delete(On<delete::Options>),
}

#[derive(Debug, Args)]
struct Stores {}

/// A place, and options.
#[derive(Debug, Args)]
struct On<T: Args> {
    /// Alias of the data store, or BUCKET@STORE
    #[arg(id = "store", value_name = "STORE")]
    store: String,
    /// Bucket, unless it was named; then paths or names of objects
    #[arg(value_name = "BUCKET|NAME")]
    words: Vec<String>,
    #[command(flatten)]
    options: T,
}

impl<T: Args> On<T> {
    /// The bucket, the words after it, and the options.
    fn split(self) -> Result<(BucketAddress, Vec<String>, T)> {
        let Self { store, words, options } = self;
        let invalid = |error| Failure::usage(format!("{error}"));
        if store.contains('@') {
            return Ok((store.parse().map_err(invalid)?, words, options));
        }
        let mut words = words.into_iter();
        let bucket = words.next().ok_or_else(|| {
            Failure::usage("the bucket is missing")
                .hint("name it after the data store: ovhai data … STORE BUCKET")
        })?;
        let address = format!("{bucket}@{store}").parse().map_err(invalid)?;
        Ok((address, words.collect(), options))
    }
}

impl DataCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::Region(Stores {}) => datastore::list(context).await,
            Verb::List(on) if on.words.is_empty() && !on.store.contains('@') => {
                bucket::list(context, &on.store).await
            }
            Verb::List(on) => {
                let (bucket, _, options) = on.split()?;
                options.run(context, bucket).await
            }
            Verb::Upload(on) => {
                let (bucket, paths, options) = on.split()?;
                options.run(context, bucket, paths.into_iter().map(PathBuf::from).collect()).await
            }
            Verb::Download(on) => {
                let (bucket, names, options) = on.split()?;
                options.run(context, bucket, names).await
            }
            Verb::Delete(on) => {
                let is_old = !on.store.contains('@');
                let (bucket, names, options) = on.split()?;
                let with_bucket = is_old && options.all;
                let address = bucket.clone();
                if options.run(context, bucket, names).await? && with_bucket {
                    bucket::client(context).await?.delete_bucket(&address).await?;
                    context.note(format!("Deleted the bucket {address}."));
                }
                Ok(())
            }
        }
    }
}
