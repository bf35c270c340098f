//! `ovhai app check`: whether an image would run in AI Deploy, on the caller's own engine or from a
//! file, never through the API.

mod report;

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use clap::{Args, ValueHint};
use ovhai_api_types::{AppSpec, Placement, Probe, PullPolicy, Resources};
use ovhai_containers::credentials::CredentialFiles;
use ovhai_containers::doctor::{self, Check, CheckError, Finding};
use ovhai_containers::engine::{EngineAddress, EngineSettings};
use ovhai_emulator::state::StateDir;
use ovhai_runtime::builtin;
use tokio::sync::mpsc;

use super::wait::duration;
use crate::cmd::environment::{Variables, note_unset, with_values};
use crate::context::Context;
use crate::error::{Failure, Result, UNDECIDED};
use crate::server::options::Options;
use crate::settings::readable_state_dir;
use crate::ui::progress::Progress;

/// Time for the app to answer, unless the user gives another one.
const DEADLINE: Duration = Duration::from_secs(30);
const ENGINE_HELP: &str = "Container engine: docker, podman, or an address such as \
    unix:///run/docker.sock [env: OVHAI_ENGINE] [default: the emulator's, or the first that answers]";
/// An id as the cloud gives: the app has none yet.
const SOME_ID: &str = "00000000-0000-4000-8000-000000000000";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ovhai app check team/ui:1 -p 8501 --probe-path /_stcore/health
  ovhai app check --static image.tar

The image runs as user 42420 and, to compare, as root. Exit codes: 0 it would run, 1 it would not,
3 the image does not exist, 7 not decided. The fixes are explained in docs/reference.md.")]
pub(super) struct CheckImage {
    /// Image, or a file of docker save or in OCI layout (a path that ends in .tar or begins with
    /// / or .)
    #[arg(value_name = "IMAGE", value_hint = ValueHint::AnyPath)]
    image: String,
    /// Command, instead of the image's own
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    variables: Variables,
    /// Port that the app listens on, 1 to 65535 [default: 8080]
    #[arg(short = 'p', long, visible_alias = "port", value_name = "PORT")]
    default_http_port: Option<u16>,
    /// Path of the probe [default: /]
    #[arg(long, value_name = "PATH")]
    probe_path: Option<String>,
    /// Port of the probe, 1 to 65535 [default: the app's own]
    #[arg(long, value_name = "PORT")]
    probe_port: Option<u16>,
    /// GPUs of the app
    #[arg(short, long, value_name = "N")]
    gpu: Option<u32>,
    /// Time for the app to answer, such as 5m [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    deadline: Option<Duration>,
    /// Look at the image only, and run nothing
    #[arg(long = "static")]
    is_static: bool,
    /// When the engine pulls the image (missing, always, never) [default: missing]
    #[arg(long, value_name = "WHEN")]
    pull: Option<PullPolicy>,
    #[arg(long, help = ENGINE_HELP, value_name = "ENGINE")]
    engine: Option<String>,
}

impl CheckImage {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let variables = self.variables.read(context)?;
        let env = with_values(context, &variables)?;
        note_unset(context, &variables);
        let gpu = self.gpu.filter(|gpus| *gpus > 0);
        let spec = AppSpec {
            image: self.image.clone(),
            command: Some(self.command.clone()).filter(|command| !command.is_empty()),
            default_http_port: self.default_http_port.map(Into::into),
            env_vars: Some(env).filter(|env| !env.is_empty()),
            probe: Some(Probe {
                path: self.probe_path.clone(),
                port: self.probe_port.map(Into::into),
            }),
            resources: Some(Resources {
                gpu: gpu.map(Into::into),
                cpu: gpu.is_none().then_some(1),
                ..Resources::default()
            }),
            pull: self.pull,
            ..AppSpec::default()
        };
        let scratch = tempfile::Builder::new().prefix("ovhai-check-").tempdir()?;
        let mut check = check(context, spec, self.engine.as_deref(), scratch.path().into())?;
        check.is_static = self.is_static;
        check.is_deadline_given = self.deadline.is_some();
        check.deadline = self.deadline.unwrap_or(DEADLINE);
        let findings = if is_file(&self.image) {
            let path = context.directory.join(&self.image);
            if !path.exists() {
                return Err(Failure::not_found(format!("the file {} does not exist", self.image))
                    .hint(format!("make it: docker save IMAGE -o {}", self.image)));
            }
            doctor::file(&path, &check).await
        } else {
            with_progress(context, |report| {
                let check = check.clone();
                async move { doctor::image(&check, &|text| drop(report.send(text))).await }
            })
            .await
        };
        let findings = findings.map_err(|error| failure(&self.image, error))?;
        report::show(context, &self.image, &findings, self.is_static)
    }
}

/// Refuses an app whose image has faults that can be seen without running it.
pub(super) async fn before_run(context: &mut Context, spec: &AppSpec) -> Result<()> {
    match spec.runtime {
        Some(Placement::Process) => {
            return Err(Failure::usage("--check and --runtime process exclude each other")
                .because("a local process has no image")
                .hint("leave out one of them"));
        }
        Some(Placement::Builtin) => return Ok(()),
        None if builtin::find(&spec.image).is_some() => return Ok(()),
        None | Some(Placement::Container) => {}
    }
    let scratch = tempfile::Builder::new().prefix("ovhai-check-").tempdir()?;
    let mut check = check(context, spec.clone(), None, scratch.path().into())?;
    check.is_static = true;
    let findings = with_progress(context, |report| async move {
        doctor::image(&check, &|text| drop(report.send(text))).await
    });
    let findings = findings.await.map_err(|error| failure(&spec.image, error))?;
    report::refuse(context, &spec.image, &findings)
}

fn is_file(image: &str) -> bool {
    let image = image.to_ascii_lowercase();
    image.starts_with(['/', '.'])
        || [".tar", ".tar.gz", ".tgz"].iter().any(|it| image.ends_with(it))
}

/// What is the same for all checks: the engine, the logins, the app's name in the cloud.
fn check(
    context: &Context,
    spec: AppSpec,
    engine: Option<&str>,
    directory: PathBuf,
) -> Result<Check> {
    // The emulator's own engine, if its user chose one.
    let saved = Options::of(&StateDir::new(readable_state_dir(context)?)).ok();
    let saved = saved.as_ref().and_then(|options| options.get("engine"));
    let given = engine.or_else(|| context.var("OVHAI_ENGINE")).or(saved);
    if let Some(address) = given.filter(|given| !["docker", "podman"].contains(given)) {
        EngineAddress::parse(address).map_err(|why| {
            Failure::usage(format!("{address:?} is no container engine"))
                .because(why)
                .hint("use docker, podman, or an address such as unix:///run/docker.sock")
        })?;
    }
    let read = |name: &str| context.var(name).map(str::to_owned);
    let region = context.region()?;
    let region = region.map_or_else(|| "gra".to_owned(), |region| region.as_str().to_lowercase());
    Ok(Check {
        spec,
        is_static: false,
        deadline: DEADLINE,
        is_deadline_given: false,
        host: format!("{SOME_ID}.app.{region}.ai.cloud.ovh.net"),
        engine: EngineSettings::resolve(given, &read),
        credentials: CredentialFiles::resolve(&read),
        program: context.executable.clone(),
        directory,
    })
}

/// Shows what a check reports while it works.
async fn with_progress<F: Future>(
    context: &mut Context,
    work: impl FnOnce(mpsc::UnboundedSender<String>) -> F,
) -> F::Output {
    let (sender, mut reports) = mpsc::unbounded_channel();
    let mut work = pin!(work(sender));
    let mut progress = Progress::new(context);
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return outcome,
            Some(text) = reports.recv() => progress.say(&text),
        }
    }
}

fn failure(image: &str, error: CheckError) -> Failure {
    match error {
        CheckError::NoEngine(none) => Failure::new(format!("{image} could not be checked"))
            .because(none)
            .hint("start Docker or Podman, or name its address: --engine unix:///PATH")
            .hint("without an engine, check a file: docker save IMAGE -o image.tar; ovhai app check --static image.tar")
            .exit_code(UNDECIDED),
        CheckError::NotFound(why) => Failure::not_found(format!("the image {image} can't be had"))
            .because(why)
            .hint("see the engine's images: docker images"),
        CheckError::Invalid(why) => Failure::usage(format!("{image} can't be checked")).because(why),
        CheckError::Engine(why) => Failure::new(format!("{image} could not be checked"))
            .because(why)
            .hint("see the engine: ovhai emulator engine; then check again")
            .exit_code(UNDECIDED),
        CheckError::File(why) => Failure::new(format!("{image} could not be checked"))
            .because(why)
            .hint("make it again: docker save IMAGE -o image.tar")
            .exit_code(UNDECIDED),
    }
}

/// How findings are counted in sentences.
fn number(findings: &[&Finding], one: &str) -> String {
    match findings.len() {
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    }
}
