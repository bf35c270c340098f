//! `ovhai app run`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueHint};
use ovhai_api_types::{
    App, AppSpec, AppState, Environment, NewApp, Placement, Probe, PullPolicy, Resources, Volume,
};

use super::check;
use super::flags;
use super::label;
use super::options::{Affinity, Deployment, Scaling};
use super::submitted;
use super::volume::volume;
use super::wait::Wait;
use crate::cmd::environment::{EnvOption, Variables, note_unset, of_caller, with_values};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::resolve::say_if_named_alike;
use crate::server::target::Target;

/// The help of `--volume`.
const VOLUME_HELP: &str = "Volume, may be repeated: \
    container@alias/prefix:path[:ro|rw|rwd][:cache|no-cache], or url:path… of a Git repository or a \
    public container [default: ro, no-cache]";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ovhai app run --label group=A infrastructureascode/hello-world
  ovhai app run --runtime process python:3 -- python3 -m http.server '{port}'

At the local emulator a process gets this command's environment, without OVHAI_ variables.")]
pub(super) struct Run {
    /// Image; with --image, the name
    #[arg(value_name = "IMAGE", required_unless_present = "given_image")]
    first: Option<String>,
    /// Image, if the name comes first: app run NAME --image IMAGE
    #[arg(id = "given_image", long = "image", value_name = "IMAGE")]
    image: Option<String>,
    /// Command, instead of the image's own; for a local process {port} is the port to listen on
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Display name [default: generated]
    #[arg(short, long)]
    name: Option<String>,
    /// Label, may be repeated; labels that begin with ovh/ belong to the platform
    #[arg(short, long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    #[command(flatten)]
    variables: Variables,
    /// Port that the app listens on, 1 to 65535 [default: 8080]
    #[arg(short = 'p', long, visible_alias = "port", value_name = "PORT")]
    default_http_port: Option<u16>,
    /// Port that speaks gRPC, 1 to 65535; a local process gets a free one as GRPC_PORT and
    /// {grpc_port} [default: none]
    #[arg(long, value_name = "PORT")]
    grpc_port: Option<u16>,
    /// Make the app public: no token is required
    // Also takes a value, for example from a variable of a Makefile.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true)]
    unsecure_http: bool,
    // Help, not documentation: brackets would be a link.
    #[arg(short, long = "volume", help = VOLUME_HELP, value_name = "VOLUME", value_parser = volume)]
    volumes: Vec<Volume>,
    /// Emulator only: write volumes with the permission rw or rwd back to their data stores when the
    /// app stops; in the service their changes are lost
    #[arg(long)]
    volume_writeback: bool,
    /// GPUs per replica [default: 1, without --cpu]
    #[arg(short, long, value_name = "N")]
    gpu: Option<u32>,
    /// CPU units per replica; ignored with --gpu
    #[arg(short, long, value_name = "N")]
    cpu: Option<u32>,
    /// Flavor (instance type) of a CPU or GPU unit, such as ai1-1-cpu [default: the region's]
    #[arg(short, long)]
    flavor: Option<String>,
    /// Path of the probe [default: /]
    #[arg(long, value_name = "PATH")]
    probe_path: Option<String>,
    /// Port of the probe, 1 to 65535 [default: the app's own]
    #[arg(long, value_name = "PORT")]
    probe_port: Option<u16>,
    #[command(flatten)]
    affinity: Affinity,
    /// Emulator only: runtime of the app (builtin, process, container) [default: builtin for
    /// built-in images, else the emulator's --runtime]
    #[arg(long)]
    runtime: Option<Placement>,
    /// Emulator only: working directory of a local process; an empty value is the emulator's own
    /// [default: the current one]
    // A PathBuf could not be empty.
    #[arg(long, value_name = "DIR")]
    workdir: Option<OsString>,
    /// Emulator only: when the container engine pulls the image (missing, always, never) [default:
    /// missing]
    #[arg(long, value_name = "WHEN")]
    pull: Option<PullPolicy>,
    /// Emulator only: additional port of a container that the gateway reaches; may be repeated. Only
    /// needed where containers have no address of their own
    #[arg(long, value_name = "PORT")]
    publish: Vec<u16>,
    /// Emulator only: directory of a local process, which restarts when files in it change; may be
    /// repeated
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    reload: Vec<PathBuf>,
    /// Check the image before, as app check --static does, and refuse one that would not run
    #[arg(long)]
    check: bool,
    /// Show each request to the API on stderr, with the response's status and time; may be repeated
    // Replaces the global option, whose short form means a volume here.
    #[arg(long, action = ArgAction::Count)]
    verbose: u8,
    #[command(flatten)]
    wait: Wait,
    // Last, because they have headings of their own.
    #[command(flatten)]
    scaling: Scaling,
    #[command(flatten)]
    deployment: Deployment,
}

impl Run {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let variables = self.variables.read(context)?;
        let spec = self.spec_with(context, &variables)?;
        note_unset(context, &variables);
        if self.check {
            check::before_run(context, &spec).await?;
        }
        let target = Target::find_to_change(context).await?;
        let created = match self.environment(context, &target)? {
            Some(environment) => {
                let (region, mut spec) = (target.region.clone(), spec.clone());
                // Also if the emulator's default makes it a process: the emulator's own working
                // directory is `/`.
                if self.workdir.is_none() {
                    spec.working_directory = context.directory.to_str().map(str::to_owned);
                }
                let app = NewApp { region, spec, environment };
                target.control(context)?.create_app_in(&app).await
            }
            None => target.client.create_app(&spec).await,
        };
        let app = created.map_err(|error| {
            let is_missing = matches!(error, ovhai_client::Error::Api { status: 501, .. });
            let failure = flags::failure(error);
            if !is_missing || spec.volumes.is_none() {
                return failure;
            }
            failure.hint(
                "put the files into a container of a data store and attach that: --volume CONTAINER@local:PATH; see ovhai datastore list",
            )
        })?;
        say_what_labels_became(context, &spec, &app);
        if spec.name.is_some() {
            say_if_named_alike(context, &target.client, &app).await;
        }
        let app = self.wait.unless_it_fails_at_once(context, &target, app).await;
        let waited = self.wait.until(context, &target.client, app.id, AppState::Running).await;
        match waited {
            Ok(then) => submitted::show(context, &target, &then.unwrap_or(app)).await,
            Err(failure) => {
                // Programs need the app to clean it up.
                if context.format().is_some() {
                    let app = target.client.get_app(app.id).await.unwrap_or(app);
                    context.show(&app)?;
                }
                Err(failure)
            }
        }
    }

    /// The directories as the emulator needs them, which may have another current one.
    fn reload_directories(&self, context: &Context) -> Vec<String> {
        let absolute = |given: &PathBuf| -> PathBuf {
            if given.is_absolute() {
                return given.clone();
            }
            // Without `.` in between.
            context.directory.join(given).components().collect()
        };
        self.reload.iter().map(|given| absolute(given).to_string_lossy().into_owned()).collect()
    }

    /// The environment for a process: only if the owner asks the emulator of the own state
    /// directory, and only for a process.
    fn environment(&self, context: &mut Context, target: &Target) -> Result<Option<Environment>> {
        let Some(running) = target.owned() else { return Ok(None) };
        // Left to the emulator: a mapped image runs with the environment of its mapping.
        let placement = self.runtime.or(running.runtime);
        if placement != Some(Placement::Process) || self.command.is_empty() {
            return Ok(None);
        }
        of_caller(context).map(Some)
    }

    /// Name and image, in either order.
    fn name_and_image(&self) -> Result<(Option<String>, String)> {
        match (&self.first, &self.image, &self.name) {
            (Some(first), Some(image), Some(name)) => Err(Failure::usage("two names were given")
                .because(format!(
                    "with --image {image} the first argument is the name, {first:?}, but --name is {name:?}"
                ))
                .hint("omit one of them")),
            (Some(first), Some(image), None) => Ok((Some(first.clone()), image.clone())),
            (Some(image), None, name) | (None, Some(image), name) => {
                Ok((name.clone(), image.clone()))
            }
            (None, None, _) => Err(Failure::usage("the image is missing")
                .hint("give it: ovhai app run IMAGE")),
        }
    }

    /// The spec of these options.
    #[cfg(test)]
    pub(crate) fn spec(&self, context: &Context) -> Result<AppSpec> {
        self.spec_with(context, &self.variables.read(context)?)
    }

    fn spec_with(&self, context: &Context, variables: &[EnvOption]) -> Result<AppSpec> {
        let (name, image) = self.name_and_image()?;
        if self.runtime == Some(Placement::Process) && self.command.is_empty() {
            return Err(Failure::usage("a local process needs a command").hint(
                "give it after two hyphens: ovhai app run … --runtime process IMAGE -- COMMAND",
            ));
        }
        let has_none = |units: [Option<u32>; 2]| {
            units.contains(&Some(0)) && units.iter().all(|units| units.unwrap_or(0) == 0)
        };
        if self.flavor.is_none() && has_none([self.cpu, self.gpu]) {
            return Err(Failure::usage("the app would have no CPU and no GPU")
                .because("without --cpu and --gpu an app gets one GPU")
                .hint("give a number: --cpu N; see ovhai capabilities flavor list"));
        }
        let labels: BTreeMap<String, Option<String>> =
            self.labels.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        let some_resources = self.gpu.is_some() || self.cpu.is_some() || self.flavor.is_some();
        let some_probe = self.probe_path.is_some() || self.probe_port.is_some();
        // Only processes have a working directory, and only an explicit one defaults to the current
        // directory.
        let directory = match &self.workdir {
            Some(given) if given.is_empty() => None,
            Some(given) => Some(context.directory.join(given)),
            None if self.runtime == Some(Placement::Process) => Some(context.directory.clone()),
            None => None,
        };
        Ok(AppSpec {
            image,
            command: Some(self.command.clone()).filter(|command| !command.is_empty()),
            default_http_port: self.default_http_port.map(Into::into),
            env_vars: Some(with_values(context, variables)?).filter(|envs| !envs.is_empty()),
            grpc_port: self.grpc_port.map(Into::into),
            labels: Some(labels).filter(|labels| !labels.is_empty()),
            name,
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
            scaling_strategy: self.scaling.strategy(),
            session_affinity: self.affinity.session_affinity,
            deployment_strategy: self.deployment.strategy(),
            unsecure_http: self.unsecure_http,
            volumes: Some(self.volumes.clone()).filter(|volumes| !volumes.is_empty()),
            volume_writeback: self.volume_writeback,
            runtime: self.runtime,
            working_directory: directory.map(|path| path.to_string_lossy().into_owned()),
            reload: Some(self.reload_directories(context)).filter(|reload| !reload.is_empty()),
            pull: self.pull,
            publish: Some(self.publish.iter().map(|port| i64::from(*port)).collect::<Vec<_>>())
                .filter(|ports| !ports.is_empty()),
        })
    }
}

/// The service never rejects a label of its own, or one that a token's scope sets: it changes or
/// drops the value.
fn say_what_labels_became(context: &mut Context, asked: &AppSpec, app: &App) {
    let now = app.spec.labels.as_ref();
    for (key, value) in asked.labels.iter().flatten() {
        let became = now.and_then(|labels| labels.get(key));
        if became == Some(value) {
            continue;
        }
        let value = value.as_deref().unwrap_or_default();
        let why = if key.starts_with("ovh/") {
            "labels that begin with ovh/ belong to the platform"
        } else {
            "the token's selector sets it"
        };
        context.note(match became {
            Some(Some(other)) => format!("warning: the label {key} is {other}, not {value}: {why}"),
            _ => format!("warning: there is no label {key}={value}: {why}"),
        });
    }
}
