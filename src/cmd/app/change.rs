//! Commands that change an app: start, stop, set-image, scale.

use clap::Args;
use ovhai_api_types::{App, AppState};
use ovhai_client::Client;

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
        let Selected { apps, mut report, is_list } =
            self.apps.find(context, &target, at_rest).await?;
        let mut asked = Vec::with_capacity(apps.len());
        for app in apps {
            match target.client.start_app(app.id).await {
                Ok(()) => asked.push(app),
                Err(error) => report.failed(named(&app), error.into())?,
            }
        }
        let mut done = Vec::with_capacity(asked.len());
        for app in asked {
            match self.wait.until(context, &target.client, app.id, AppState::Running).await {
                Ok(waited) => {
                    let what = if waited.is_some() { "Started" } else { "Starting" };
                    context.note(format!("{what} {}.", named(&app)));
                    done.push(app);
                }
                Err(failure) => report.failed(named(&app), failure)?,
            }
        }
        show(context, &target.client, &done, is_list).await?;
        report.finish("started")
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
        let Selected { apps, mut report, is_list } = self.apps.find(context, &target, runs).await?;
        let mut asked = Vec::with_capacity(apps.len());
        for app in apps {
            match target.client.stop_app(app.id).await {
                Ok(()) => asked.push(app),
                Err(error) => report.failed(named(&app), error.into())?,
            }
        }
        let mut done = Vec::with_capacity(asked.len());
        for app in asked {
            match self.wait.until(context, &target.client, app.id, AppState::Stopped).await {
                Ok(waited) => {
                    let what = if waited.is_some() { "Stopped" } else { "Stopping" };
                    context.note(format!("{what} {}.", named(&app)));
                    done.push(app);
                }
                Err(failure) => report.failed(named(&app), failure)?,
            }
        }
        show(context, &target.client, &done, is_list).await?;
        report.finish("stopped")
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
        target.client.scale_app(app.id, &strategy).await?;
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
