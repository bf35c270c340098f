//! Commands that change an app: start, stop, set-image, scale.

use clap::Args;
use ovhai_api_types::{App, AppId, AppState};
use ovhai_client::Client;

use super::flags;
use super::options::Scaling;
use super::selection::{Selected, Selection};
use super::wait::Wait;
use super::{resolve, view};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::Target;

/// Shows the current apps, if a format was requested.
pub(super) async fn show(
    context: &mut Context,
    client: &Client,
    apps: &[App],
    is_list: bool,
) -> Result<()> {
    if context.format().is_none() {
        return Ok(());
    }
    let mut now = Vec::with_capacity(apps.len());
    for app in apps {
        now.push(client.get_app(app.id).await?);
    }
    show_as_asked(context, &now, is_list)
}

/// One app as an object, several as a list.
pub(super) fn show_as_asked(context: &mut Context, apps: &[App], is_list: bool) -> Result<()> {
    match apps {
        [one] if !is_list => context.show(one),
        [] if !is_list => Ok(()),
        many => context.show_all(many),
    }
}

/// An app's name in messages.
pub(super) fn named(app: &App) -> String {
    format!("{} ({})", view::name(app), app.id)
}

/// A change of several apps.
pub(super) struct Change {
    /// The state to wait for.
    pub(super) goal: AppState,
    /// Such as "Starting".
    pub(super) doing: &'static str,
    /// Such as "Started".
    pub(super) done: &'static str,
    /// Such as "started", for failures.
    pub(super) participle: &'static str,
    /// Describes an app for which there is nothing to do, such as "running".
    pub(super) already: fn(AppState) -> Option<&'static str>,
}

impl Change {
    /// Requests the change of each selected app, waits if requested, and reports each.
    pub(super) async fn run(
        self,
        context: &mut Context,
        target: &Target,
        selected: Selected,
        wait: &Wait,
        request: impl AsyncFn(&Client, AppId) -> ovhai_client::Result<()>,
    ) -> Result<()> {
        let Selected { apps, mut report, is_list } = selected;
        let mut requested = Vec::with_capacity(apps.len());
        for app in apps {
            match request(&target.client, app.id).await {
                Ok(()) => requested.push(app),
                Err(error) => report.failed(named(&app), error.into())?,
            }
        }
        let mut changed = Vec::with_capacity(requested.len());
        for app in requested {
            match wait.until(context, &target.client, app.id, self.goal).await {
                Ok(now) => {
                    context.note(match (self.already)(app.status.state) {
                        Some(state) => format!("{} is already {state}.", named(&app)),
                        None if now.is_some() => format!("{} {}.", self.done, named(&app)),
                        None => format!("{} {}.", self.doing, named(&app)),
                    });
                    changed.push(app);
                }
                Err(failure) => report.failed(named(&app), failure)?,
            }
        }
        show(context, &target.client, &changed, is_list).await?;
        report.finish(self.participle)
    }
}

#[derive(Debug, Args)]
pub(super) struct Start {
    #[command(flatten)]
    apps: Selection,
    #[command(flatten)]
    wait: Wait,
}

impl Start {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.apps.is_meant(&self.wait)?;
        let target = Target::find_to_change(context).await?;
        let at_rest = |state| {
            use AppState::{Error, Failed, Stopped, Stopping};
            matches!(state, Stopping | Stopped | Failed | Error)
        };
        let selected = self.apps.find(context, &target, at_rest).await?;
        let change = Change {
            goal: AppState::Running,
            doing: "Starting",
            done: "Started",
            participle: "started",
            already: |state| {
                matches!(state, AppState::Running | AppState::Scaling).then_some("running")
            },
        };
        let start = async |client: &Client, id| client.start_app(id).await;
        change.run(context, &target, selected, &self.wait, start).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Stop {
    #[command(flatten)]
    apps: Selection,
    #[command(flatten)]
    wait: Wait,
}

impl Stop {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.apps.is_meant(&self.wait)?;
        let target = Target::find_to_change(context).await?;
        // Also stopping apps, which can be waited for.
        let runs = |state: AppState| state.is_active() || state == AppState::Stopping;
        let selected = self.apps.find(context, &target, runs).await?;
        let change = Change {
            goal: AppState::Stopped,
            doing: "Stopping",
            done: "Stopped",
            participle: "stopped",
            already: |state| (state == AppState::Stopped).then_some("stopped"),
        };
        let stop = async |client: &Client, id| client.stop_app(id).await;
        change.run(context, &target, selected, &self.wait, stop).await
    }
}

#[derive(Debug, Args)]
pub(super) struct SetImage {
    /// Id, name, or beginning of an id
    app: String,
    /// The new image
    image: String,
    #[command(flatten)]
    wait: Wait,
}

impl SetImage {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        target.client.set_image(app.id, &self.image).await?;
        let waited = self.wait.until_running_again(context, &target.client, &app).await?;
        let name = view::name(&app);
        context.note(match waited {
            Some(_) => format!("The image of {name} is {}.", self.image),
            None => format!("Changing the image of {name} to {}.", self.image),
        });
        show(context, &target.client, &[app], false).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Scale {
    /// Id, name, or beginning of an id
    app: String,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    scaling: Scaling,
}

impl Scale {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let Some(strategy) = self.scaling.strategy() else {
            return Err(Failure::usage("the number of replicas is missing")
                .hint("give --replicas N, or --auto-min-replicas N and --auto-max-replicas N"));
        };
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        target.client.scale_app(app.id, &strategy).await.map_err(flags::failure)?;
        let waited = self.wait.until_running_again(context, &target.client, &app).await?;
        let (name, replicas) = (view::name(&app), view::wanted_replicas(&strategy));
        let word = if replicas == "1" { "replica" } else { "replicas" };
        context.note(match waited {
            Some(_) => format!("{name} has {replicas} {word}."),
            None => format!("Scaling {name} to {replicas} {word}."),
        });
        show(context, &target.client, &[app], false).await
    }
}
