//! Commands that change an app: start, stop, delete, set-label, set-image, scale.

use clap::Args;
use ovhai_api_types::{App, AppState, Deletion, LabelUpdate};
use ovhai_client::Client;

use super::options::Scaling;
use super::wait::Wait;
use super::{resolve, view};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::prompt;
use crate::target::Target;

/// All the apps that are meant, before anything is done to one of them.
pub(super) async fn resolve_all(client: &Client, wanted: &[String]) -> Result<Vec<App>> {
    let mut apps: Vec<App> = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let app = resolve(client, wanted).await?;
        if apps.iter().all(|known| known.id != app.id) {
            apps.push(app);
        }
    }
    Ok(apps)
}

/// Whoever asked for a format gets the apps as they are now, beside what is said to people.
pub(super) async fn show(context: &mut Context, client: &Client, apps: &[App]) -> Result<()> {
    if context.format().is_none() {
        return Ok(());
    }
    let mut now = Vec::with_capacity(apps.len());
    for app in apps {
        now.push(client.get_app(app.id).await?);
    }
    show_as_asked(context, &now)
}

/// One app as it is, several as a list.
fn show_as_asked(context: &mut Context, apps: &[App]) -> Result<()> {
    match apps {
        [one] => context.show(one),
        many => context.show_all(many),
    }
}

#[derive(Debug, Args)]
pub(super) struct Start {
    /// Ids, names, or beginnings of ids
    #[arg(id = "app", required = true, value_name = "APP")]
    apps: Vec<String>,
    #[command(flatten)]
    wait: Wait,
}

impl Start {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.wait.is_meant(&self.apps)?;
        let target = Target::find_to_change(context).await?;
        let apps = resolve_all(&target.client, &self.apps).await?;
        for app in &apps {
            target.client.start_app(app.id).await?;
        }
        for app in &apps {
            self.wait.until(context, &target.client, app.id, AppState::Running).await?;
            context.note(format!("Started {} ({}).", view::name(app), app.id));
        }
        show(context, &target.client, &apps).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Stop {
    /// Ids, names, or beginnings of ids
    #[arg(id = "app", required = true, value_name = "APP")]
    apps: Vec<String>,
    #[command(flatten)]
    wait: Wait,
}

impl Stop {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.wait.is_meant(&self.apps)?;
        let target = Target::find_to_change(context).await?;
        let apps = resolve_all(&target.client, &self.apps).await?;
        for app in &apps {
            target.client.stop_app(app.id).await?;
        }
        for app in &apps {
            self.wait.until(context, &target.client, app.id, AppState::Stopped).await?;
            context.note(format!("Stopped {} ({}).", view::name(app), app.id));
        }
        show(context, &target.client, &apps).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    /// Ids, names, or beginnings of ids
    #[arg(id = "app", required = true, value_name = "APP")]
    apps: Vec<String>,
    /// Stop running apps first, and do not ask
    #[arg(long)]
    force: bool,
    /// Kill the replicas at once, and do not ask
    #[arg(long)]
    now: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    wait: Wait,
}

impl Delete {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        self.wait.is_meant(&self.apps)?;
        let target = Target::find_to_change(context).await?;
        if self.now {
            target.requires_emulator("app delete --now")?;
        }
        let apps = resolve_all(&target.client, &self.apps).await?;
        let mut deletions = Vec::with_capacity(apps.len());
        for app in &apps {
            deletions.push(self.decide(app).await?);
        }
        for (app, deletion) in apps.iter().zip(deletions) {
            target.client.delete_app(app.id, deletion).await.map_err(|error| {
                let is_active = app.status.state.is_active();
                if deletion == Deletion::OnlyStopped && is_active {
                    let name = view::name(app);
                    return Failure::from(error)
                        .hint(format!("stop it, then delete it: ovhai app delete {name} --force"));
                }
                error.into()
            })?;
        }
        for app in &apps {
            let is_gone = self.wait.until_gone(context, &target.client, app.id).await?;
            let what = if is_gone { "Deleted" } else { "Deleting" };
            context.note(format!("{what} {} ({}).", view::name(app), app.id));
        }
        // As they were: nothing else is left.
        if context.format().is_some() { show_as_asked(context, &apps) } else { Ok(()) }
    }

    /// What becomes of an app that runs: the options say it, or the person at the terminal.
    async fn decide(&self, app: &App) -> Result<Deletion> {
        if self.now {
            return Ok(Deletion::Now);
        }
        if self.force {
            return Ok(Deletion::StopFirst);
        }
        let (name, id) = (view::name(app), app.id);
        match app.status.state {
            state if state.is_active() && !self.yes => {
                let question = format!("The app {name} ({id}) is {state}. Stop it and delete it?");
                let stops = prompt::confirmed(&question).await?;
                Ok(if stops { Deletion::StopFirst } else { Deletion::OnlyStopped })
            }
            _ => {
                prompt::confirm(&format!("Delete the app {name} ({id})?"), self.yes).await?;
                Ok(Deletion::OnlyStopped)
            }
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct SetLabel {
    /// Id, name, or beginning of an id
    app: String,
    /// The label's key
    name: String,
    /// Its value
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    value: Option<String>,
    /// Remove the label
    #[arg(long)]
    remove: bool,
}

impl SetLabel {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        let update = LabelUpdate { name: self.name, value: self.value };
        target.client.set_label(app.id, &update).await?;
        let what = if update.value.is_some() { "Set" } else { "Removed" };
        context.note(format!("{what} the label {} of {}.", update.name, view::name(&app)));
        show(context, &target.client, &[app]).await
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
        self.wait.until_running_again(context, &target.client, &app).await?;
        context.note(format!("The image of {} is now {}.", view::name(&app), self.image));
        show(context, &target.client, &[app]).await
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
            return Err(Failure::usage("nothing says how many replicas there are to be")
                .hint("give --replicas N, or --auto-min-replicas N and --auto-max-replicas N"));
        };
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        target.client.scale_app(app.id, &strategy).await?;
        self.wait.until_running_again(context, &target.client, &app).await?;
        let replicas = view::wanted_replicas(&strategy);
        context.note(format!("{} is to have {replicas} replicas.", view::name(&app)));
        show(context, &target.client, &[app]).await
    }
}
