//! `ovhai bucket …`: buckets of the emulator's data stores, and the objects in them.

mod create;
mod delete;
mod list;
pub(crate) mod object;

use clap::{Args, Subcommand};
use ovhai_client::Client;

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::Server;

/// The data store that has no region.
const LOCAL: &str = "local";

#[derive(Debug, Args)]
pub(crate) struct BucketCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the buckets of a data store
    #[command(visible_alias = "ls")]
    List(list::List),
    /// Create buckets
    Create(create::Create),
    /// Delete empty buckets
    #[command(visible_alias = "rm")]
    Delete(delete::Delete),
    /// Upload, list, download, copy, move and delete objects
    #[command(visible_alias = "objects")]
    Object(object::ObjectCommand),
}

impl BucketCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::List(verb) => verb.run(context).await,
            Verb::Create(verb) => verb.run(context).await,
            Verb::Delete(verb) => verb.run(context).await,
            Verb::Object(verb) => verb.run(context).await,
        }
    }
}

/// Client of the emulator that has the data stores.
pub(super) async fn client(context: &mut Context) -> Result<Client> {
    let server = Server::find(context).await?;
    if !server.is_local() {
        return Err(Failure::usage(format!(
            "data stores are not available at {}",
            server.shown()
        ))
        .because("the service keeps data in object storage of its own, which OVHcloud's client calls directly; this program has buckets only in the local emulator")
        .hint("use OVHcloud's own client, or a client of S3, for data in the cloud")
        .hint("for the emulator's buckets choose a local region: --region GRA, or ovhai config set GRA"));
    }
    server.control(context)
}

/// Shows the buckets of a data store.
pub(super) async fn list(context: &mut Context, store: &str) -> Result<()> {
    list::show(context, store, "").await
}

/// "1 object", "2 objects".
pub(super) fn count(number: usize, kind: &str) -> String {
    if number == 1 { format!("1 {kind}") } else { format!("{number} {kind}s") }
}
