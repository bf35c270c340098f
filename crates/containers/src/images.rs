//! Which image a replica runs: an id, chosen once per revision of the app, so that a tag that moves
//! does not mix versions.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::models::ImageInspect;
use ovhai_api_types::AppId;
use ovhai_core::ports::ImageAccess;
use ovhai_core::spec::PullPolicy;

use crate::credentials::{self, CredentialFiles};
use crate::engine::{Engine, EngineKind, status, text};
use crate::exit::Failure;
use crate::pull::{self, Progress, PullError, Pulls};
use crate::reference::Reference;

/// Number of revisions of an app that are remembered: during an update, replicas of the old one start
/// again too.
const REVISIONS: usize = 4;
/// Minimum time between two reports of a pull's progress.
const REPORT: Duration = Duration::from_millis(250);

/// An image that the engine has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) id: String,
    /// The TCP ports that it exposes.
    pub(crate) ports: Vec<u16>,
    pub(crate) working_directory: Option<String>,
    /// The signal that asks it to stop.
    pub(crate) stop_signal: Option<String>,
    /// Whether it sets `HOME`.
    pub(crate) has_home: bool,
    pub(crate) platform: String,
    /// Whether it has a name at a registry.
    pub(crate) is_from_registry: bool,
}

impl Image {
    fn of(found: ImageInspect) -> Self {
        let config = found.config.unwrap_or_default();
        let port = |text: &String| match text.split_once('/') {
            None => text.parse().ok(),
            Some((port, "tcp")) => port.parse().ok(),
            Some(_) => None,
        };
        let os = found.os.filter(|os| !os.is_empty()).unwrap_or_else(|| "linux".into());
        let architecture = found.architecture.unwrap_or_default();
        let digests = found.repo_digests.unwrap_or_default();
        Self {
            id: found.id.unwrap_or_default(),
            ports: config.exposed_ports.unwrap_or_default().iter().filter_map(port).collect(),
            working_directory: config.working_dir.filter(|path| !path.is_empty()),
            stop_signal: config.stop_signal.filter(|signal| !signal.is_empty()),
            has_home: config.env.unwrap_or_default().iter().any(|env| env.starts_with("HOME=")),
            platform: format!("{os}/{architecture}"),
            // What Podman built here has digests too, under this host.
            is_from_registry: digests.iter().any(|digest| !digest.starts_with("localhost/")),
        }
    }

    fn is_for_us(&self) -> bool {
        self.platform == pull::PLATFORM
    }
}

/// Why there is no image yet.
#[derive(Debug)]
pub(crate) enum NoImage {
    /// It can't be had.
    Failed(Failure),
    /// The engine is gone: to be tried again.
    Engine(String),
}

/// A request for an image.
pub(crate) struct Wanted<'a> {
    pub(crate) app: AppId,
    pub(crate) revision: u64,
    pub(crate) reference: &'a Reference,
    pub(crate) policy: PullPolicy,
    pub(crate) access: &'a ImageAccess,
}

/// The images of the apps.
#[derive(Debug, Default)]
pub(crate) struct Images {
    pulls: Pulls,
    /// Of each app, its newest revisions and the id that each of them runs.
    chosen: Mutex<HashMap<AppId, BTreeMap<u64, String>>>,
}

impl Images {
    /// The image of a revision; `report` gets the progress.
    pub(crate) async fn find(
        &self,
        engine: &Engine,
        wanted: &Wanted<'_>,
        files: &CredentialFiles,
        report: &(dyn Fn(String) + Sync),
    ) -> Result<Image, NoImage> {
        if let Some(id) = self.chosen(wanted)
            && let Some(image) = inspect(engine, &id).await?
        {
            return Ok(image);
        }
        let image = self.look(engine, wanted, files, report).await?;
        // Another replica of this revision may have been faster.
        let id = self.choose(wanted, &image.id);
        if id == image.id {
            return Ok(image);
        }
        let Some(chosen) = inspect(engine, &id).await? else {
            // It was removed from the engine.
            self.lock().entry(wanted.app).or_default().insert(wanted.revision, image.id.clone());
            return Ok(image);
        };
        Ok(chosen)
    }

    /// The app was deleted.
    pub(crate) fn forget(&self, app: AppId) {
        self.lock().remove(&app);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AppId, BTreeMap<u64, String>>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chosen(&self, wanted: &Wanted<'_>) -> Option<String> {
        self.lock().get(&wanted.app)?.get(&wanted.revision).cloned()
    }

    /// The id that the revision runs: the first one that was found for it.
    fn choose(&self, wanted: &Wanted<'_>, found: &str) -> String {
        let mut all = self.lock();
        let revisions = all.entry(wanted.app).or_default();
        let id = revisions.entry(wanted.revision).or_insert_with(|| found.to_owned()).clone();
        while revisions.len() > REVISIONS {
            revisions.pop_first();
        }
        id
    }

    async fn look(
        &self,
        engine: &Engine,
        wanted: &Wanted<'_>,
        files: &CredentialFiles,
        report: &(dyn Fn(String) + Sync),
    ) -> Result<Image, NoImage> {
        let Wanted { reference, policy, access, .. } = wanted;
        let attempts = credentials::attempts(access, files, reference).await;
        let had_credentials = attempts.len() > 1;
        let present = present(engine, reference).await?;
        let mut usable = present.clone();
        // The machine's owner may have pulled a private image: for other callers the registry
        // decides. An image that was built here has no registry.
        if let Some(image) = &present
            && image.is_from_registry
            && !access.is_local_administrator
        {
            usable = None;
            if *policy == PullPolicy::Never {
                return if self.may_have(engine, reference, attempts).await? {
                    platform_of(reference, image.clone())
                } else {
                    Err(NoImage::Failed(Failure::user(format!(
                        "The image {reference} is present, but its registry does not give it to the owner of this app, and the app's pull policy is never"
                    ))))
                };
            }
        }
        match (policy, usable) {
            (PullPolicy::Missing, Some(image)) if image.is_for_us() => return Ok(image),
            (PullPolicy::Never, Some(image)) => return platform_of(reference, image),
            (PullPolicy::Never, None) => {
                return Err(NoImage::Failed(Failure::user(format!(
                    "The engine does not have the image {reference}, and the app's pull policy is never: docker pull {reference}"
                ))));
            }
            _ => {}
        }
        let mut refused: Option<PullError> = None;
        for attempt in attempts {
            match self.pull(engine, reference, attempt, report).await {
                Ok(()) => {
                    let image = self::present(engine, reference).await?.ok_or_else(|| {
                        let why = format!("The engine pulled {reference}, and does not have it");
                        NoImage::Failed(Failure::platform(why))
                    })?;
                    return platform_of(reference, image);
                }
                Err(PullError::Engine(said)) => return Err(NoImage::Engine(said)),
                // The reason with credentials tells more than the one without.
                Err(error @ PullError::Refused(_)) => drop(refused.get_or_insert(error)),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        // An image of another platform that can't be replaced.
        if let Some(image) = present.filter(|image| !image.is_for_us()) {
            return platform_of(reference, image);
        }
        let error = refused.unwrap_or_else(|| PullError::Registry("no attempt was made".into()));
        let is_refused = matches!(error, PullError::Refused(_));
        let mut failure = error.failure(reference, had_credentials);
        if is_refused {
            failure.message += &advice(access, reference);
        }
        Err(NoImage::Failed(failure))
    }

    async fn pull(
        &self,
        engine: &Engine,
        reference: &Reference,
        credentials: Option<bollard::auth::DockerCredentials>,
        report: &(dyn Fn(String) + Sync),
    ) -> Result<(), PullError> {
        let mut pull = self.pulls.join(engine, reference, credentials);
        loop {
            let seen = pull.borrow_and_update().clone();
            match seen {
                Progress::Ended(outcome) => return outcome,
                Progress::Running(text) => report(text),
            }
            let changed = async {
                let changed = pull.changed().await;
                (changed, matches!(*pull.borrow(), Progress::Ended(_)))
            };
            match changed.await {
                (Err(_), false) => return Err(PullError::Engine("the pull was given up".into())),
                (_, true) => {}
                (Ok(()), false) => {
                    // The end is not waited for.
                    let ended = pull.wait_for(|state| matches!(state, Progress::Ended(_)));
                    let _ = tokio::time::timeout(REPORT, ended).await;
                }
            }
        }
    }

    /// Whether the registry would give the image to one with these credentials. Podman can't ask.
    async fn may_have(
        &self,
        engine: &Engine,
        reference: &Reference,
        attempts: Vec<Option<bollard::auth::DockerCredentials>>,
    ) -> Result<bool, NoImage> {
        if engine.info.kind == EngineKind::Podman {
            return Ok(false);
        }
        for attempt in attempts {
            match engine.docker.inspect_registry_image(&reference.full(), attempt).await {
                Ok(_) => return Ok(true),
                Err(error) if status(&error).is_none() => {
                    return Err(NoImage::Engine(text(&error)));
                }
                Err(_) => {}
            }
        }
        Ok(false)
    }
}

/// What else could get an image that its registry refused.
fn advice(access: &ImageAccess, reference: &Reference) -> String {
    let mut advice = access.unusable.iter().fold(String::new(), |all, why| all + ". " + why);
    if access.unusable.is_empty() && access.logins.is_empty() {
        let host = &reference.host;
        advice += &if access.is_local_administrator {
            format!(". Log in there: docker login {host}")
        } else {
            format!(
                ". Store a login: ovhai registry add {host} --username USER; the machine's own serve only images that the emulator's owner names: ovhai app set-image APP IMAGE"
            )
        };
    }
    advice
}

/// AI Deploy runs nothing else, whatever an engine would do.
fn platform_of(reference: &Reference, image: Image) -> Result<Image, NoImage> {
    if image.is_for_us() {
        return Ok(image);
    }
    let said = format!("it is for {}", image.platform);
    Err(NoImage::Failed(pull::not_amd64(reference, &said)))
}

/// The image of that name, if the engine has it.
pub(crate) async fn present(
    engine: &Engine,
    reference: &Reference,
) -> Result<Option<Image>, NoImage> {
    for name in reference.local_names() {
        if let Some(image) = inspect(engine, &name).await? {
            return Ok(Some(image));
        }
    }
    Ok(None)
}

async fn inspect(engine: &Engine, name: &str) -> Result<Option<Image>, NoImage> {
    match engine.docker.inspect_image(name).await {
        Ok(found) => Ok(Some(Image::of(found))),
        Err(error) if status(&error).is_some() => Ok(None),
        Err(error) => Err(NoImage::Engine(text(&error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_image_says() {
        let image =
            |json: &str| Image::of(serde_json::from_str::<ImageInspect>(json).expect("an image"));
        let full = image(
            r#"{"Id":"sha256:1","Os":"linux","Architecture":"amd64","RepoDigests":["r/x@sha256:2"],
                "Config":{"Env":["PATH=/bin","HOME=/workspace"],"WorkingDir":"/workspace",
                "StopSignal":"SIGINT","ExposedPorts":{"8080/tcp":{},"53/udp":{},"9":{}}}}"#,
        );
        let mut ports = full.ports.clone();
        ports.sort_unstable();
        assert_eq!(ports, [9, 8080]);
        assert!(full.is_for_us() && full.has_home && full.is_from_registry);
        assert_eq!(full.working_directory.as_deref(), Some("/workspace"));
        assert_eq!(full.stop_signal.as_deref(), Some("SIGINT"));
        let built = image(
            r#"{"Os":"linux","Architecture":"arm64","RepoDigests":["localhost/x@sha256:2"]}"#,
        );
        assert!(!built.is_for_us() && !built.has_home && !built.is_from_registry);
    }
}
