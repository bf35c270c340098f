//! `ovhai bucket object …`. The options have the names and meanings of OVHcloud's own client.

pub(crate) mod delete;
pub(crate) mod download;
mod files;
pub(crate) mod list;
mod mirror;
mod pipe;
mod threads;
mod totals;
pub(crate) mod transfer;
pub(crate) mod upload;

use clap::{Args, Subcommand};
use ovhai_api_types::BucketAddress;

use crate::context::Context;
use crate::error::Result;

/// Size from which on an object is transferred by a call of its own, in bytes.
const LARGE: u64 = 8 * 1024 * 1024;
/// Bytes that are read at once.
const CHUNK: usize = 512 * 1024;
/// Number of transfers at once unless another one is asked for.
const WORKERS: u16 = 4;

#[derive(Debug, Args)]
pub(crate) struct ObjectCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List objects
    #[command(visible_alias = "ls")]
    List(OnBucket<list::Options>),
    /// Upload files and directories
    #[command(visible_alias = "put")]
    Upload(upload::Upload),
    /// Download objects
    #[command(visible_alias = "get")]
    Download(download::Download),
    /// Delete objects
    #[command(visible_alias = "rm")]
    Delete(delete::Delete),
    /// Copy objects inside a data store
    #[command(visible_alias = "cp")]
    Copy(transfer::Transfer),
    /// Move objects inside a data store
    #[command(visible_alias = "mv")]
    Move(transfer::Transfer),
}

/// A bucket, and options.
#[derive(Debug, Args)]
struct OnBucket<T: Args> {
    /// Bucket and data store, such as models@local
    #[arg(id = "bucket", value_name = "BUCKET@STORE")]
    bucket: BucketAddress,
    #[command(flatten)]
    options: T,
}

impl ObjectCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::List(OnBucket { bucket, options }) => options.run(context, bucket).await,
            Verb::Upload(verb) => verb.options.run(context, verb.bucket, verb.paths).await,
            Verb::Download(verb) => verb.options.run(context, verb.bucket, verb.objects).await,
            Verb::Delete(verb) => {
                verb.options.run(context, verb.bucket, verb.objects).await.map(drop)
            }
            Verb::Copy(verb) => verb.run(context, false).await,
            Verb::Move(verb) => verb.run(context, true).await,
        }
    }
}
