//! The image doctor: whether an image would run in AI Deploy, and what mends it if it would not.
//!
//! It works for the caller, on the caller's engine or on a file, and never through the API. The
//! [`facts`] of an image are read from an [`archive`] of its files; [`rules`] and [`settings`] are
//! pure functions of them, one for each row of the table in `docs/reference.md`. [`run`] then runs
//! the image as 42420 and as root, and [`verdict`] says what that tells. Whatever it makes has labels
//! of its own, and is removed at the end, or by the [watcher](crate::watcher) if this process ends
//! before. It never changes an image, and never gives one help that the cloud may not give.

mod archive;
mod config;
mod container;
mod elf;
mod facts;
mod finding;
mod observe;
mod program;
mod rules;
mod run;
mod saved;
mod settings;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use ovhai_api_types::{AppId, AppSpec};
use ovhai_core::ports::ImageAccess;
use ovhai_core::spec::{PullPolicy, Spec};
use serde_json::json;

use config::{Asked, Config};
use container::Created;
use facts::Facts;
use run::{Bench, Observed, User};
use saved::SavedImage;
use verdict::Runs;

use crate::create::UID;
use crate::credentials::CredentialFiles;
use crate::engine::{self, Engine, EngineKind, EngineSettings, NoEngine, sha256, text};
use crate::hub;
use crate::images::{self, Image, Images, NoImage, Wanted};
use crate::labels::Owner;
use crate::pull::PLATFORM;
use crate::reap;
use crate::reference::Reference;

pub use finding::{Finding, IDS, Level};

/// Time for the second run, which only tells what it writes.
const ROOT: Duration = Duration::from_secs(10);
/// Size up to which an image is exported as a whole where single questions are slow, in bytes.
const EXPORTED: u64 = 128 * 1024 * 1024;

/// What is checked, and how.
#[derive(Debug, Clone)]
pub struct Check {
    /// The image and the app's options.
    pub spec: AppSpec,
    /// Whether nothing is run.
    pub is_static: bool,
    /// Time for the app to answer.
    pub deadline: Duration,
    /// Whether the user chose it.
    pub is_deadline_given: bool,
    /// The app's host name in the cloud.
    pub host: String,
    /// Where an engine is looked for.
    pub engine: EngineSettings,
    /// The machine's own logins at registries.
    pub credentials: CredentialFiles,
    /// The `ovhai` executable, which removes what a killed check leaves.
    pub program: Option<PathBuf>,
    /// An empty directory for files that a container needs.
    pub directory: PathBuf,
}

/// Why nothing could be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckError {
    /// No engine answers.
    NoEngine(NoEngine),
    /// There is no such image.
    NotFound(String),
    /// An option of the app is wrong.
    Invalid(String),
    /// The engine failed.
    Engine(String),
    /// The file is no image.
    File(String),
}

impl Check {
    fn checked(&self) -> Result<Spec, CheckError> {
        let wire = AppSpec { volumes: None, ..self.spec.clone() };
        let spec = Spec::check(&wire, |_| "check".into());
        spec.map_err(|error| CheckError::Invalid(error.to_string()))
    }

    fn has_volumes(&self) -> bool {
        self.spec.volumes.as_ref().is_some_and(|volumes| !volumes.is_empty())
    }
}

fn asked(spec: &Spec) -> Asked {
    let env = spec.env.iter().map(|env| (env.name.clone(), env.value.clone()));
    Asked {
        port: spec.http_port,
        env: env.collect(),
        command: spec.command.clone(),
        gpus: spec.resources.gpu.filter(|_| spec.asks_for_gpu).map_or(0, i64::unsigned_abs),
    }
}

/// Checks an image in a file: the static part.
pub async fn file(path: &Path, check: &Check) -> Result<Vec<Finding>, CheckError> {
    let spec = check.checked()?;
    let image = SavedImage::open(path).map_err(CheckError::File)?;
    let config = image.config.clone();
    let facts = Facts::gather(&image, config, asked(&spec)).await.map_err(CheckError::File)?;
    let mut findings = rules::all(&facts);
    if !check.is_static {
        findings.push(Finding::new(
            "run",
            Level::Undecided,
            "a file can't be run: how the app behaves is not decided",
            format!("docker load -i {}, and check the image that it names", path.display()),
        ));
    }
    Ok(finding::sorted(findings))
}

/// Checks an image of the engine's, which pulls it if it is missing; `report` gets the progress.
pub async fn image(
    check: &Check,
    report: &(dyn Fn(String) + Sync),
) -> Result<Vec<Finding>, CheckError> {
    let spec = check.checked()?;
    let reference = Reference::parse(&check.spec.image).map_err(CheckError::Invalid)?;
    let engine = engine::find(&check.engine).await.map_err(CheckError::NoEngine)?;
    let image = find(&engine, &reference, check, report).await?;
    let now = jiff::Timestamp::now().as_nanosecond();
    let state = sha256(format!("check {now} {}", std::process::id()).as_bytes(), 8);
    let owner = Owner::own(format!("check-{state}"));
    let address = &engine.info.address;
    let program = check.program.as_deref();
    // Without it a killed check leaves a container, which has a label.
    let watcher = program.and_then(|program| hub::start_watcher(program, address, &owner).ok());
    // It is large.
    let work = Box::pin(on_engine(&engine, &owner, &image, &spec, check, report));
    let outcome = work.await;
    let left = reap::all(&engine.docker, owner.of_own(), false, |_| false).await;
    if let (Ok(()), Some(watcher)) = (&left, watcher) {
        watcher.dismiss().await;
    }
    outcome.map(finding::sorted)
}

async fn find(
    engine: &Engine,
    reference: &Reference,
    check: &Check,
    report: &(dyn Fn(String) + Sync),
) -> Result<Image, CheckError> {
    let access = ImageAccess { is_local_administrator: true, ..ImageAccess::default() };
    let policy = check.spec.pull.unwrap_or_default();
    let present = images::present(engine, reference).await.map_err(no_image)?;
    if let Some(image) = present.clone().filter(|_| policy != PullPolicy::Always) {
        return Ok(image);
    }
    let wanted =
        Wanted { app: AppId(uuid::Uuid::nil()), revision: 1, reference, policy, access: &access };
    match Images::default().find(engine, &wanted, &check.credentials, report).await {
        Ok(image) => Ok(image),
        // One for another platform is a finding.
        Err(error) => match images::present(engine, reference).await {
            Ok(Some(image)) => Ok(image),
            _ => Err(no_image(error)),
        },
    }
}

fn no_image(error: NoImage) -> CheckError {
    match error {
        NoImage::Failed(failure) => CheckError::NotFound(failure.message),
        NoImage::Engine(said) => CheckError::Engine(said),
    }
}

async fn on_engine(
    engine: &Engine,
    owner: &Owner,
    image: &Image,
    spec: &Spec,
    check: &Check,
    report: &(dyn Fn(String) + Sync),
) -> Result<Vec<Finding>, CheckError> {
    let facts =
        look(engine, owner, image, spec, &check.directory).await.map_err(CheckError::Engine)?;
    let findings = rules::all(&facts);
    if check.is_static {
        return Ok(findings);
    }
    let is_for_us = image.platform == PLATFORM;
    if !is_for_us {
        return Ok(findings);
    }
    report("running it as 42420".into());
    let bench =
        Bench { engine, owner, image, spec, directory: &check.directory, host: &check.host };
    let app = bench.run(User::App, check.deadline).await.map_err(CheckError::Engine)?;
    let root = match app.not_started {
        Some(_) => None,
        None => {
            report("running it as root, to compare".into());
            let deadline = check.deadline.min(ROOT.max(app.watched));
            // It only adds to what is known.
            bench.run(User::Root, deadline).await.ok()
        }
    };
    let machine = engine.info.architecture.as_str();
    let runs = Runs {
        app: &app,
        root: root.as_ref(),
        port: spec.probe_port.unwrap_or(spec.http_port),
        path: spec.probe_path.as_deref(),
        host: &check.host,
        deadline: check.deadline,
        is_deadline_given: check.is_deadline_given,
        emulated: Some(machine).filter(|machine| *machine != "amd64"),
    };
    let seen = verdict::all(&facts, &runs);
    let mut all = verdict::joined(verdict::corrected(findings, &app), seen, &app);
    all.extend(notes(engine, check, &app));
    Ok(all)
}

/// What was not decided, and does not matter for whether it runs.
fn notes(engine: &Engine, check: &Check, app: &Observed) -> Vec<Finding> {
    let note = |evidence: String, fix: &str| Finding::new("run", Level::Info, evidence, fix);
    let mut notes = Vec::new();
    if check.has_volumes() {
        notes.push(note(
            "it ran without the app's volumes".into(),
            "run it with them: ovhai app run …",
        ));
    }
    if engine.info.architecture != "amd64" {
        let machine = &engine.info.architecture;
        notes.push(note(
            format!("this machine is linux/{machine}: the image ran under emulation"),
            "none is needed: the cloud is faster",
        ));
    }
    if app.sockets.is_none() && app.not_started.is_none() && app.ended.is_none() {
        notes.push(note(
            "the addresses that it listens on are unknown: the engine's processes do not run on this machine".into(),
            "none is needed if it answers",
        ));
    }
    notes
}

/// The facts of an image, from a container that never starts.
async fn look(
    engine: &Engine,
    owner: &Owner,
    image: &Image,
    spec: &Spec,
    directory: &Path,
) -> Result<Facts, String> {
    let docker = &engine.docker;
    let body = ContainerCreateBody {
        image: Some(image.id.clone()),
        // An image without one can't be created from otherwise.
        cmd: Some(vec!["true".into()]),
        labels: Some(owner.labels()),
        // Engines make a missing one.
        working_dir: Some("/".into()),
        host_config: Some(HostConfig {
            network_mode: Some("none".into()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let name = run::name(owner, "look");
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    let (created, found, history) = futures_util::join!(
        docker.create_container(Some(options), body),
        docker.inspect_image(&image.id),
        docker.image_history(&image.id)
    );
    let id = created.map_err(|error| text(&error))?.id;
    let facts = async {
        let found = found.map_err(|error| text(&error))?;
        let steps = history.unwrap_or_default().into_iter();
        let steps: Vec<_> = steps.map(|step| json!({"created_by": step.created_by})).collect();
        let config = Config::parse(&json!({
            "os": found.os, "architecture": found.architecture, "config": found.config,
            "history": steps, "size": found.size,
        }));
        let files = Created::new(engine, &id);
        if engine.info.kind == EngineKind::Podman && config.size <= EXPORTED {
            // Each question takes a process there, and archives tell no owners.
            let export = directory.join("export.tar");
            files.export(&export).await?;
            let files = SavedImage::exported(&export, config.clone())?;
            return Facts::gather(&files, config, asked(spec)).await;
        }
        Facts::gather(&files, config, asked(spec)).await
    };
    let facts = facts.await;
    let _ = reap::remove_one(docker, &id).await;
    facts
}
