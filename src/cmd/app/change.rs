//! Commands that change an app: start, stop, delete, set-label, set-image, scale, update.

use clap::Args;
use ovhai_api_types::{
    AppState, AppUpdate, Env, FixedScalingStrategy, LabelUpdate, ScalingStrategy,
};

use super::wait::Wait;
use super::{pair, resolve, view};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::target::Target;

/// See the command.
#[derive(Debug, Args)]
pub(super) struct Start {
    /// Id, name, or beginning of an id
    app: String,
    #[command(flatten)]
    wait: Wait,
}

impl Start {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        target.client.start_app(app.id).await?;
        self.wait.until(context, &target.client, app.id, AppState::Running).await?;
        context.note(format!("Started {} ({}).", view::name(&app), app.id));
        Ok(())
    }
}

/// See the command.
#[derive(Debug, Args)]
pub(super) struct Stop {
    /// Id, name, or beginning of an id
    app: String,
    #[command(flatten)]
    wait: Wait,
}

impl Stop {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        target.client.stop_app(app.id).await?;
        self.wait.until(context, &target.client, app.id, AppState::Stopped).await?;
        context.note(format!("Stopped {} ({}).", view::name(&app), app.id));
        Ok(())
    }
}

/// See the command.
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// Id, name, or beginning of an id
    app: String,
    /// End it at once, and do not ask
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Delete {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        let question = format!("Delete the app {} ({})?", view::name(&app), app.id);
        context.confirm(&question, self.yes || self.force)?;
        target.client.delete_app(app.id, self.force).await?;
        context.note(format!("Deleted {} ({}).", view::name(&app), app.id));
        Ok(())
    }
}

/// See the command.
#[derive(Debug, Args)]
pub(super) struct SetLabel {
    /// Id, name, or beginning of an id
    app: String,
    /// The label's key
    name: String,
    /// Its value; none removes the label
    value: Option<String>,
}

impl SetLabel {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        let update = LabelUpdate { name: self.name, value: self.value };
        target.client.set_label(app.id, &update).await?;
        let what = if update.value.is_some() { "Set" } else { "Removed" };
        context.note(format!("{what} the label {} of {}.", update.name, view::name(&app)));
        Ok(())
    }
}

/// See the command.
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
        self.wait.until(context, &target.client, app.id, AppState::Running).await?;
        context.note(format!("The image of {} is now {}.", view::name(&app), self.image));
        Ok(())
    }
}

/// See the command.
#[derive(Debug, Args)]
pub(super) struct Scale {
    /// Id, name, or beginning of an id
    app: String,
    /// Number of replicas, 1 to 10
    #[arg(long, value_name = "N")]
    replicas: u32,
    #[command(flatten)]
    wait: Wait,
}

impl Scale {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        let strategy = ScalingStrategy {
            fixed: Some(FixedScalingStrategy { replicas: self.replicas.into() }),
            automatic: None,
        };
        target.client.scale_app(app.id, &strategy).await?;
        self.wait.until(context, &target.client, app.id, AppState::Running).await?;
        context.note(format!("{} is to have {} replicas.", view::name(&app), self.replicas));
        Ok(())
    }
}

/// See the command.
#[derive(Debug, Args)]
pub(super) struct Update {
    /// Id, name, or beginning of an id
    app: String,
    /// Environment variable to set, may be repeated
    #[arg(short, long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    envs: Vec<(String, String)>,
    /// Port that the app listens on
    #[arg(short = 'p', long, visible_alias = "port", value_name = "PORT")]
    default_http_port: Option<u16>,
    /// Port that speaks gRPC
    #[arg(long, value_name = "PORT")]
    grpc_port: Option<u16>,
}

impl Update {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if self.envs.is_empty() && self.default_http_port.is_none() && self.grpc_port.is_none() {
            return Err(Failure::usage("nothing is to be changed")
                .hint("give --env, --default-http-port or --grpc-port"));
        }
        let target = Target::find_to_change(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        let env_vars: Vec<Env> =
            self.envs.into_iter().map(|(name, value)| Env { name, value }).collect();
        let update = AppUpdate {
            default_http_port: self.default_http_port.map(Into::into),
            grpc_port: self.grpc_port.map(Into::into),
            env_vars: Some(env_vars).filter(|vars| !vars.is_empty()),
            ..AppUpdate::default()
        };
        let updated = target.client.update_app(app.id, update).await?;
        context.show(&updated)
    }
}
