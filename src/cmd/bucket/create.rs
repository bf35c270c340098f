//! `ovhai bucket create`.

use clap::Args;
use ovhai_api_types::{BucketAddress, check_bucket};

use crate::context::Context;
use crate::error::{Failure, Result};

#[derive(Debug, Args)]
#[command(after_help = "An upload creates its bucket, too.")]
pub(super) struct Create {
    /// Alias of the data store
    #[arg(id = "store", value_name = "STORE")]
    store: String,
    /// Names of the buckets
    #[arg(required = true, value_name = "BUCKET")]
    buckets: Vec<String>,
}

impl Create {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        for bucket in &self.buckets {
            check_bucket(bucket).map_err(|error| Failure::usage(error.to_string()))?;
        }
        let client = super::client(context).await?;
        for bucket in self.buckets {
            let address = BucketAddress { bucket, store: self.store.clone() };
            let is_new = client.create_bucket(&address).await?;
            context.note(if is_new {
                format!("Created the bucket {address}.")
            } else {
                format!("The bucket {address} exists already.")
            });
        }
        Ok(())
    }
}
