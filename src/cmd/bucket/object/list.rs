//! `ovhai bucket object list`.

use clap::Args;
use ovhai_api_types::{BucketAddress, StoredObject};

use crate::context::Context;
use crate::error::Result;
use crate::term::describe::{Description, bytes, date};
use crate::ui::output::Show;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only objects whose names begin with this
    #[arg(short, long, alias = "object-prefix")]
    prefix: Option<String>,
}

impl Options {
    pub(crate) async fn run(self, context: &mut Context, bucket: BucketAddress) -> Result<()> {
        let client = super::super::client(context).await?;
        let prefix = self.prefix.unwrap_or_default();
        context.show_all(&client.objects(&bucket, &prefix).await?)
    }
}

/// A size of an object.
pub(super) fn size(of: u64) -> String {
    bytes(i64::try_from(of).unwrap_or(i64::MAX))
}

impl Show for StoredObject {
    const COLUMNS: &'static [&'static str] = &["DATE", "BYTES", "NAME"];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        let date = self.last_modified.map(date).unwrap_or_default();
        vec![date, size(self.bytes), self.name.to_string()]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("Name", self.name.as_str())
            .field("Bytes", size(self.bytes))
            .date("Last Modified", self.last_modified)
    }

    fn name(&self) -> String {
        self.name.to_string()
    }
}
