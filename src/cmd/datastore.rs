//! `ovhai datastore …`: aliases of directories that have buckets.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use ovhai_api_types::{DataStore, NewDataStore};

use crate::cmd::bucket::client;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::term::describe::Description;
use crate::term::table::Fit;
use crate::ui::output::Show;
use crate::ui::prompt;

#[derive(Debug, Args)]
pub(crate) struct DataStoreCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the data stores
    #[command(visible_alias = "ls")]
    List(List),
    /// Add a data store
    Add(Add),
    /// Remove a data store; its files stay
    #[command(visible_alias = "rm", alias = "delete")]
    Remove(Remove),
}

#[derive(Debug, Args)]
struct List {}

#[derive(Debug, Args)]
struct Add {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// Add a directory of this machine, or one of the emulator's own
    Local(Local),
    /// Object storage, which the emulator does not reach
    #[command(hide = true)]
    S3(Other),
    /// Git repositories, which need no data store here
    #[command(hide = true)]
    Git(Other),
}

#[derive(Debug, Args)]
#[command(
    after_help = "The directories in DIR are its buckets. Only the emulator's owner may name a directory. Directories that have the emulator's own files or your keys in them are refused.

Example: ovhai datastore add local datasets ~/datasets"
)]
struct Local {
    /// Alias, such as datasets
    alias: String,
    /// Directory of this machine [default: one of the emulator's own]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Other {
    /// What the service's own command takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<String>,
}

#[derive(Debug, Args)]
struct Remove {
    /// Alias
    #[arg(id = "store", value_name = "ALIAS")]
    alias: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Shows the data stores.
pub(super) async fn list(context: &mut Context) -> Result<()> {
    let stores = client(context).await?.data_stores().await?;
    context.show_all(&stores)
}

impl DataStoreCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        match self.verb {
            Verb::List(List {}) => list(context).await,
            Verb::Add(Add { kind: Kind::Local(verb) }) => verb.run(context).await,
            Verb::Add(Add { kind: Kind::S3(Other { .. }) }) => {
                Err(Failure::usage("data stores of S3 are not emulated")
                    .because("the emulator keeps data on this machine and reaches no object storage")
                    .hint("use a directory under the same alias: ovhai datastore add local ALIAS DIR"))
            }
            Verb::Add(Add { kind: Kind::Git(Other { .. }) }) => {
                Err(Failure::usage("data stores of Git are not emulated").hint(
                    "give a volume the repository's address: ovhai app run IMAGE --volume https://github.com/OWNER/NAME.git:/workspace/code",
                ))
            }
            Verb::Remove(Remove { alias, yes }) => {
                let client = client(context).await?;
                let question = format!("Remove the data store {alias}? Its files stay.");
                prompt::confirm(&question, yes).await?;
                client.remove_data_store(&alias).await?;
                context.note(format!("Removed the data store {alias}; its files stay."));
                Ok(())
            }
        }
    }
}

impl Local {
    async fn run(self, context: &mut Context) -> Result<()> {
        let here = context.directory.clone();
        let directory = self.directory.map(|given| {
            let path = here.join(given);
            path.canonicalize().unwrap_or(path).into_os_string().into_string().map_err(|path| {
                Failure::usage(format!("{} can't be a data store", path.display()))
                    .because("the path is not UTF-8")
            })
        });
        let store = NewDataStore { directory: directory.transpose()? };
        let added = client(context).await?.add_data_store(&self.alias, &store).await?;
        context.show(&added)
    }
}

impl Show for DataStore {
    const COLUMNS: &'static [&'static str] = &["ALIAS", "STORE_TYPE", "OWNER", "ENDPOINT"];

    const FIT: &'static [Fit] = &[Fit::Fixed, Fit::Fixed, Fit::Fixed, Fit::Shrink(12)];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        let endpoint = self.endpoint.clone().unwrap_or_else(|| "~".into());
        vec![self.alias.clone(), self.kind.clone(), self.owner.clone(), endpoint]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("Alias", &self.alias)
            .field("Store Type", &self.kind)
            .field("Owner", &self.owner)
            .field("Endpoint", self.endpoint.as_deref().unwrap_or("~"))
    }

    fn name(&self) -> String {
        self.alias.clone()
    }
}
