//! `ovhai app update`.

use clap::Args;
use ovhai_api_types::{App, AppUpdate, Resources};

use super::flags;
use super::options::{Affinity, Deployment};
use super::wait::Wait;
use super::{resolve, view};
use crate::cmd::environment::{Variables, note_unset, with_values};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::Target;

#[derive(Debug, Args)]
pub(super) struct Update {
    /// Id, name, or beginning of an id
    app: String,
    #[command(flatten)]
    variables: Variables,
    /// Emulator only: environment variable to remove, may be repeated
    #[arg(long = "unset-env", value_name = "NAME")]
    unset_envs: Vec<String>,
    /// Port that the app listens on, 1 to 65535
    #[arg(short = 'p', long, visible_alias = "port", value_name = "PORT")]
    default_http_port: Option<u16>,
    /// Port that speaks gRPC, 1 to 65535
    #[arg(long, value_name = "PORT")]
    grpc_port: Option<u16>,
    /// Image
    #[arg(long)]
    image: Option<String>,
    /// Emulator only: GPUs per replica; the flavor stays if it has GPUs
    #[arg(short, long, value_name = "N", conflicts_with = "cpu")]
    gpu: Option<u32>,
    /// Emulator only: CPU units per replica; the flavor stays if it has no GPU
    #[arg(short, long, value_name = "N")]
    cpu: Option<u32>,
    #[command(flatten)]
    affinity: Affinity,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    deployment: Deployment,
}

impl Update {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let given = self.variables.read(context)?;
        let variables = with_values(context, &given)?;
        let some_units = self.cpu.is_some() || self.gpu.is_some();
        let update = AppUpdate {
            default_http_port: self.default_http_port.map(Into::into),
            grpc_port: self.grpc_port.map(Into::into),
            env_vars: Some(variables).filter(|variables| !variables.is_empty()),
            unset_env_vars: Some(self.unset_envs.clone()).filter(|names| !names.is_empty()),
            resources: some_units.then(|| Resources {
                cpu: self.cpu.map(Into::into),
                gpu: self.gpu.map(Into::into),
                ..Resources::default()
            }),
            url: self.image.clone(),
            deployment_strategy: self.deployment.strategy(),
            session_affinity: self.affinity.session_affinity,
        };
        note_unset(context, &given);
        if update == AppUpdate::default() {
            return Err(Failure::usage("nothing to change").hint(
                "give --env, --env-file, --unset-env, --image, --default-http-port, --grpc-port, --cpu, --gpu, --session-affinity, --max-surge, --max-unavailable or --progress-deadline-seconds",
            ));
        }
        let target = Target::find_to_change(context).await?;
        if let Some(option) = self.extension() {
            target.requires_emulator(&format!("app update {option}"))?;
        }
        let app = resolve(&target.client, &self.app).await?;
        self.note_absent(context, &app);
        let updated = target.client.update_app(app.id, update).await.map_err(flags::failure)?;
        let waited = self.wait.until_running_again(context, &target.client, &app).await?;
        if context.format().is_some() {
            return context.show(&waited.unwrap_or(updated));
        }
        let what = if waited.is_some() { "Updated" } else { "Updating" };
        context.note(format!("{what} {}.", view::name(&app)));
        Ok(())
    }

    /// An option that only the emulator has.
    fn extension(&self) -> Option<&'static str> {
        [
            ("--unset-env", !self.unset_envs.is_empty()),
            ("--cpu", self.cpu.is_some()),
            ("--gpu", self.gpu.is_some()),
        ]
        .into_iter()
        .find_map(|(option, is_given)| is_given.then_some(option))
    }

    /// The name of a variable to remove may be mistyped.
    fn note_absent(&self, context: &mut Context, app: &App) {
        let has = |name: &String| app.spec.env_vars.iter().flatten().any(|env| env.name == *name);
        for name in self.unset_envs.iter().filter(|name| !has(name)) {
            context.note(format!("warning: {} has no variable {name}", view::name(app)));
        }
    }
}
