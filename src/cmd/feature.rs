//! `ovhai feature …`.

use clap::{Args, Subcommand};
use ovhai_api_types::Feature;

use crate::context::Context;
use crate::error::Result;
use crate::server::target::Target;
use crate::term::describe::Description;
use crate::term::table::Fit;
use crate::ui::output::Show;

#[derive(Debug, Args)]
pub(crate) struct FeatureCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the features and whether the emulator supports them
    #[command(visible_alias = "ls")]
    List(List),
}

#[derive(Debug, Args)]
struct List {}

impl FeatureCommand {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let Verb::List(List {}) = self.verb;
        let features = Target::find(context).await?.control(context)?.features().await?;
        context.show_all(&features)
    }
}

impl Show for Feature {
    const COLUMNS: &'static [&'static str] = &["NAME", "AVAILABLE", "DESCRIPTION"];

    const FIT: &'static [Fit] = &[Fit::Fixed, Fit::Fixed, Fit::Shrink(16)];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![self.name.clone(), yes_no(self.available).into(), self.description.clone()]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("Name", &self.name)
            .field("Available", yes_no(self.available))
            .field("Description", &self.description)
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
