//! `ovhai app list`, `ovhai app get`.

use clap::Args;
use ovhai_api_types::AppState;
use ovhai_client::AppFilter;

use super::resolve;
use super::selection::ByLabel;
use crate::args::global::Format;
use crate::context::Context;
use crate::error::Result;
use crate::server::resolve::again;
use crate::server::target::Target;
use crate::ui::watch::Watch;

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    by_label: ByLabel,
    /// Only apps in these states, with commas between them
    #[arg(short, long = "state", value_name = "STATE", value_delimiter = ',', ignore_case = true)]
    states: Vec<AppState>,
    /// All apps; for compatibility: stopped and failed apps are always shown
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    watch: Watch,
}

impl List {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let filter = AppFilter {
            selector: self.by_label.selector().map(|selector| selector.to_string()),
            states: self.states.iter().map(ToString::to_string).collect(),
            named: None,
        };
        let target = Target::find(context).await?;
        if matches!(context.format(), None | Some(Format::Table | Format::Name)) {
            let rows = async || Ok(target.client.list_app_rows(&filter).await?);
            return self.watch.run(context, rows, |context, rows| context.show_all(rows)).await;
        }
        let list = async || Ok(target.client.list_apps(&filter).await?);
        self.watch.run(context, list, |context, apps| context.show_all(apps)).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Get {
    /// Id, name, or beginning of an id
    app: String,
    #[command(flatten)]
    watch: Watch,
}

impl Get {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        let mut first = Some(app.clone());
        let get = async || match first.take() {
            Some(app) => Ok(app),
            None => again(&target.client, &app).await,
        };
        self.watch.run(context, get, Context::show).await
    }
}
