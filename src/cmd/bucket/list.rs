//! `ovhai bucket list`.

use clap::Args;
use ovhai_api_types::Bucket;

use super::LOCAL;
use crate::context::Context;
use crate::error::Result;
use crate::term::describe::{Description, date};
use crate::ui::output::Show;

#[derive(Debug, Args)]
pub(super) struct List {
    /// Alias of the data store
    #[arg(id = "store", value_name = "STORE", default_value = LOCAL)]
    store: String,
    /// Only buckets whose names begin with this
    #[arg(short, long)]
    prefix: Option<String>,
}

impl List {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        show(context, &self.store, self.prefix.as_deref().unwrap_or_default()).await
    }
}

/// Shows the buckets of a data store.
pub(super) async fn show(context: &mut Context, store: &str, prefix: &str) -> Result<()> {
    let mut buckets = super::client(context).await?.buckets(store).await?;
    buckets.retain(|bucket| bucket.name.starts_with(prefix));
    context.show_all(&buckets)
}

impl Show for Bucket {
    const COLUMNS: &'static [&'static str] = &["DATE", "NAME"];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![self.last_modified.map(date).unwrap_or_default(), self.name.clone()]
    }

    fn describe(&self) -> Description {
        Description::new().field("Name", &self.name).date("Last Modified", self.last_modified)
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}
