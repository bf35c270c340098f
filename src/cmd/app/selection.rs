//! The apps of a command: named, selected by labels, or all of the region.

use clap::Args;
use ovhai_api_types::{App, AppState, LabelKey, LabelValue, Selector, Term};
use ovhai_client::AppFilter;

use super::wait::Wait;
use crate::cmd::several::Report;
use crate::context::Context;
use crate::error::Result;
use crate::server::resolve::resolve_each;
use crate::server::target::Target;

/// Labels and a selector; both must match.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ByLabel {
    /// Only apps that satisfy this label selector, such as group=A,team!=b
    #[arg(long, alias = "label-selector", value_name = "SELECTOR")]
    selector: Option<Selector>,
    /// Only apps with this label, may be repeated
    #[arg(short, long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(LabelKey, LabelValue)>,
}

impl ByLabel {
    /// Both combined; none if neither was given. An empty selector is ignored.
    pub(super) fn selector(&self) -> Option<Selector> {
        let labels = self.labels.iter().cloned();
        let mut terms: Vec<_> = labels.map(|(key, value)| Term::Equals(key, value)).collect();
        terms.extend(self.selector.iter().flat_map(Selector::terms).cloned());
        (!terms.is_empty()).then(|| Selector::new(terms))
    }
}

/// Which apps to process.
#[derive(Debug, Clone, Args)]
pub(super) struct Selection {
    /// Ids, names, or beginnings of ids
    #[arg(id = "app", value_name = "APP", required_unless_present_any = ["labels", "selector", "all"], conflicts_with_all = ["labels", "selector", "all"])]
    apps: Vec<String>,
    #[command(flatten)]
    by_label: ByLabel,
    /// All apps of the region
    #[arg(long, conflicts_with_all = ["labels", "selector"])]
    all: bool,
}

/// The apps found, and the failures of the others.
pub(super) struct Selected {
    pub(super) apps: Vec<App>,
    pub(super) report: Report,
    /// Whether the result is a list, even of one app.
    pub(super) is_list: bool,
}

impl Selection {
    /// A positional argument after `--wait` that looks like a duration was meant as its value.
    pub(super) fn is_meant(&self, wait: &Wait) -> Result<()> {
        wait.is_meant(&self.apps)
    }

    /// Finds the apps. Selected apps, unlike named ones, are left out if the command has nothing to
    /// do for their state.
    pub(super) async fn find(
        &self,
        context: &mut Context,
        target: &Target,
        concerns: fn(AppState) -> bool,
    ) -> Result<Selected> {
        let client = &target.client;
        if !self.apps.is_empty() {
            let (apps, unclear) = resolve_each::<App>(client, &self.apps).await?;
            let asked = apps.len() + unclear.len();
            let report = Report::new("app", asked, unclear);
            return Ok(Selected { apps, report, is_list: asked > 1 });
        }
        let selector = self.by_label.selector();
        let filter = AppFilter {
            selector: selector.as_ref().map(ToString::to_string),
            ..AppFilter::default()
        };
        // Without `--all` an empty selector must not match every app.
        let mut apps = match (&selector, self.all) {
            (None, false) => Vec::new(),
            _ => client.list_apps(&filter).await?,
        };
        apps.retain(|app| concerns(app.status.state));
        if apps.is_empty() {
            let region = &target.region;
            context.note(match selector {
                Some(selector) => format!("No app to change in {region} matches {selector}."),
                None => format!("No app to change in {region}."),
            });
        }
        let report = Report::new("app", apps.len(), Vec::new());
        Ok(Selected { apps, report, is_list: true })
    }
}

/// `KEY=VALUE` of a label; the value may be empty.
pub(super) fn label(text: &str) -> Result<(LabelKey, LabelValue), String> {
    let (key, value) = text.split_once('=').ok_or("use KEY=VALUE")?;
    let key = key.parse().map_err(|error| format!("{error}"))?;
    let value = value.parse().map_err(|error| format!("{error}"))?;
    Ok((key, value))
}
