//! `ovhai app run`.

use std::collections::BTreeMap;

use clap::Args;
use ovhai_api_types::{
    AppSpec, AppState, AutomaticScalingStrategy, Env, FixedScalingStrategy, Placement, Probe,
    Resources, ScalingResourceType, ScalingStrategy,
};

use super::pair;
use super::wait::Wait;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::target::Target;

/// See the command.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ovhai app run --label group=A infrastructureascode/hello-world
  ovhai app run --runtime process python:3 -- python3 -m http.server '{port}'")]
pub(super) struct Run {
    /// The image
    image: String,
    /// The command, instead of the image's own; for a local process {port} is the port to listen on
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Name for people; generated when not given
    #[arg(short, long)]
    name: Option<String>,
    /// Label, may be repeated; labels that begin with ovh/ are the platform's
    #[arg(short, long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// Environment variable, may be repeated
    #[arg(short, long = "env", value_name = "NAME=VALUE", value_parser = pair)]
    envs: Vec<(String, String)>,
    /// Port that the app listens on [default: 8080]
    #[arg(short = 'p', long, visible_alias = "port", value_name = "PORT")]
    default_http_port: Option<u16>,
    /// Port that speaks gRPC
    #[arg(long, value_name = "PORT")]
    grpc_port: Option<u16>,
    /// Open the app to everybody, without a token
    #[arg(long)]
    unsecure_http: bool,
    /// GPU units
    #[arg(short, long, value_name = "N")]
    gpu: Option<u32>,
    /// CPU units; ignored with --gpu
    #[arg(short, long, value_name = "N")]
    cpu: Option<u32>,
    /// Flavor
    #[arg(short, long)]
    flavor: Option<String>,
    /// Fixed number of replicas, 1 to 10 [default: 1]
    #[arg(long, value_name = "N", conflicts_with_all = ["auto_min_replicas", "auto_max_replicas"])]
    replicas: Option<u32>,
    /// Smallest number of replicas of automatic scaling
    #[arg(long, alias = "min-replicas", value_name = "N", requires = "auto_max_replicas")]
    auto_min_replicas: Option<u32>,
    /// Largest number of replicas of automatic scaling
    #[arg(long, alias = "max-replicas", value_name = "N", requires = "auto_min_replicas")]
    auto_max_replicas: Option<u32>,
    /// What automatic scaling looks at: CPU or RAM [default: CPU]
    #[arg(long, alias = "resource-type", value_name = "TYPE", ignore_case = true, value_parser = resource_type)]
    auto_resource_type: Option<ScalingResourceType>,
    /// Use at which automatic scaling adds replicas, in per cent [default: 75]
    #[arg(long, alias = "resource-threshold", value_name = "PERCENT")]
    auto_resource_usage_threshold: Option<u32>,
    /// Path of the probe [default: /]
    #[arg(long, value_name = "PATH")]
    probe_path: Option<String>,
    /// Port of the probe [default: the app's own]
    #[arg(long, value_name = "PORT")]
    probe_port: Option<u16>,
    /// Emulator only: what runs the app (builtin, process, container)
    #[arg(long)]
    runtime: Option<Placement>,
    /// Emulator only: directory of a local process [default: this one]
    #[arg(long, value_name = "DIR")]
    workdir: Option<std::path::PathBuf>,
    #[command(flatten)]
    wait: Wait,
}

fn resource_type(text: &str) -> Result<ScalingResourceType, String> {
    match text.to_ascii_uppercase().as_str() {
        "CPU" => Ok(ScalingResourceType::Cpu),
        "RAM" => Ok(ScalingResourceType::Ram),
        _ => Err("use CPU or RAM".into()),
    }
}

impl Run {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let spec = self.spec(context)?;
        let target = Target::find_to_change(context).await?;
        let app = target.client.create_app(&spec).await?;
        let then = self.wait.until(context, &target.client, app.id, AppState::Running).await?;
        context.show(&then.unwrap_or(app))
    }

    fn spec(&self, context: &Context) -> Result<AppSpec> {
        if self.runtime == Some(Placement::Process) && self.command.is_empty() {
            return Err(Failure::usage("a local process needs a command").hint(
                "write it after two hyphens: ovhai app run … --runtime process IMAGE -- COMMAND",
            ));
        }
        let automatic = match (self.auto_min_replicas, self.auto_max_replicas) {
            (Some(min), Some(max)) => Some(AutomaticScalingStrategy {
                average_usage_target: self.auto_resource_usage_threshold.unwrap_or(75).into(),
                replicas_max: max.into(),
                replicas_min: min.into(),
                resource_type: self.auto_resource_type.unwrap_or(ScalingResourceType::Cpu),
            }),
            _ => None,
        };
        let fixed =
            self.replicas.map(|replicas| FixedScalingStrategy { replicas: replicas.into() });
        let labels: BTreeMap<String, Option<String>> =
            self.labels.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        let some_resources = self.gpu.is_some() || self.cpu.is_some() || self.flavor.is_some();
        let some_probe = self.probe_path.is_some() || self.probe_port.is_some();
        // Only a process is run in a directory, and only one that was asked for here can mean
        // this one.
        let directory = (self.runtime == Some(Placement::Process) || self.workdir.is_some())
            .then(|| context.directory.join(self.workdir.clone().unwrap_or_default()));
        Ok(AppSpec {
            image: self.image.clone(),
            command: Some(self.command.clone()).filter(|command| !command.is_empty()),
            default_http_port: self.default_http_port.map(Into::into),
            env_vars: Some(
                self.envs
                    .iter()
                    .map(|(name, value)| Env { name: name.clone(), value: value.clone() })
                    .collect::<Vec<_>>(),
            )
            .filter(|envs| !envs.is_empty()),
            grpc_port: self.grpc_port.map(Into::into),
            labels: Some(labels).filter(|labels| !labels.is_empty()),
            name: self.name.clone(),
            probe: some_probe.then(|| Probe {
                path: self.probe_path.clone(),
                port: self.probe_port.map(Into::into),
            }),
            resources: some_resources.then(|| Resources {
                gpu: self.gpu.map(Into::into),
                cpu: self.cpu.map(Into::into),
                flavor: self.flavor.clone(),
                ..Resources::default()
            }),
            scaling_strategy: (fixed.is_some() || automatic.is_some())
                .then_some(ScalingStrategy { automatic, fixed }),
            unsecure_http: self.unsecure_http,
            runtime: self.runtime,
            working_directory: directory.map(|path| path.to_string_lossy().into_owned()),
            ..AppSpec::default()
        })
    }
}
