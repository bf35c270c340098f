//! `ovhai bucket delete`.

use clap::Args;
use ovhai_api_types::BucketAddress;
use ovhai_client::Error as ClientError;

use super::count;
use crate::cmd::several::Report;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::ui::prompt;

#[derive(Debug, Args)]
#[command(
    after_help = "Only empty buckets can be deleted. To delete the objects first: ovhai bucket object delete BUCKET@STORE --all"
)]
pub(super) struct Delete {
    /// Alias of the data store
    #[arg(id = "store", value_name = "STORE")]
    store: String,
    /// Names of the buckets
    #[arg(value_name = "BUCKET", required_unless_present_any = ["prefix", "all"])]
    buckets: Vec<String>,
    /// Buckets whose names begin with this
    #[arg(short, long, conflicts_with = "buckets")]
    prefix: Option<String>,
    /// All buckets of the data store
    #[arg(short, long, conflicts_with_all = ["buckets", "prefix"])]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Delete {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let client = super::client(context).await?;
        let buckets = if self.all || self.prefix.is_some() {
            let prefix = self.prefix.unwrap_or_default();
            let all = client.buckets(&self.store).await?.into_iter().map(|bucket| bucket.name);
            all.filter(|name| name.starts_with(&prefix)).collect()
        } else {
            self.buckets
        };
        if buckets.is_empty() {
            context.note(format!("No bucket in {} matches.", self.store));
            return Ok(());
        }
        let question = match buckets.as_slice() {
            [one] => format!("Delete the bucket {one}@{}?", self.store),
            many => format!("Delete {} of {}?", count(many.len(), "bucket"), self.store),
        };
        prompt::confirm(&question, self.yes).await?;
        let mut report = Report::new("bucket", buckets.len(), Vec::new());
        for bucket in buckets {
            let address = BucketAddress { bucket, store: self.store.clone() };
            match client.delete_bucket(&address).await {
                Ok(()) => context.note(format!("Deleted the bucket {address}.")),
                Err(error) => report.failed(address.to_string(), explained(error, &address))?,
            }
        }
        report.finish("deleted")
    }
}

fn explained(error: ClientError, address: &BucketAddress) -> Failure {
    match error {
        ClientError::Api { status: 409, message } if message.contains("not empty") => Failure::new(
            format!("the bucket {address} is not empty"),
        )
        .hint(format!("delete its objects first: ovhai bucket object delete {address} --all")),
        other => other.into(),
    }
}
