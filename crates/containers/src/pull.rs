//! Pulls an image: one pull at a time per image and credentials, however many replicas wait for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;
use tokio::sync::watch;

use crate::engine::{Engine, status, text};
use crate::exit::Failure;
use crate::reference::Reference;

/// Time for an engine's first word on a pull: it asks the registry before.
const FIRST_STEP: Duration = Duration::from_mins(10);
/// The platform of the cloud's machines.
pub(crate) const PLATFORM: &str = "linux/amd64";

/// Why an image was not pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PullError {
    /// The registry does not have it, or not for these credentials: it says the same of both.
    Refused(String),
    /// It is not for [`PLATFORM`].
    Platform(String),
    /// The engine is gone.
    Engine(String),
    /// The registry can't be reached, or failed.
    Registry(String),
}

impl PullError {
    fn of(error: &bollard::errors::Error) -> Self {
        let said = text(error);
        let lower = said.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let is_answer = status(error).is_some()
            || matches!(error, bollard::errors::Error::DockerStreamError { .. });
        if !is_answer {
            return Self::Engine(said);
        }
        if has(&[
            "no matching manifest",
            "does not match the specified platform",
            "no image found in",
        ]) || has(&["image operating system", "does not provide the specified platform"])
        {
            return Self::Platform(said);
        }
        if has(&["toomanyrequests", "too many requests", "rate limit"]) {
            return Self::Registry(said);
        }
        if has(&["unauthorized", "denied", "authentication required", "no basic auth"])
            || has(&["not found", "manifest unknown", "name unknown", "does not exist"])
            || has(&["invalid username/password", "403 (forbidden)", "status code 403", "login"])
        {
            return Self::Refused(said);
        }
        Self::Registry(said)
    }

    pub(crate) fn failure(self, image: &Reference, had_credentials: bool) -> Failure {
        match self {
            Self::Refused(said) => {
                let tried = if had_credentials {
                    "with the credentials for it and without"
                } else {
                    "without credentials: there are none for it"
                };
                Failure::user(format!(
                    "The image {image} can't be pulled from {}: {said}. The registry does not have it, or not for you (tried {tried})",
                    image.host
                ))
            }
            Self::Platform(said) => not_amd64(image, &said),
            Self::Engine(said) => {
                Failure::platform(format!("The container engine is gone: {said}"))
            }
            Self::Registry(said) => Failure::platform(format!(
                "The image {image} can't be pulled from {}: {said}",
                image.host
            )),
        }
    }
}

pub(crate) fn not_amd64(image: &Reference, said: &str) -> Failure {
    Failure::user(format!(
        "The image {image} is not for {PLATFORM}, which AI Deploy runs: {said}. Build it with docker build --platform {PLATFORM}"
    ))
}

/// A pull that is under way, or has ended.
#[derive(Debug, Clone)]
pub(crate) enum Progress {
    Running(String),
    Ended(Result<(), PullError>),
}

type Key = (String, String, Option<(Option<String>, Option<String>)>);

/// The pulls that are under way.
#[derive(Debug, Default)]
pub(crate) struct Pulls(Arc<Mutex<HashMap<Key, watch::Receiver<Progress>>>>);

impl Pulls {
    /// Joins the pull of this image with these credentials, or begins it. It goes on
    /// to its end even if no replica waits for it any more: the next one then finds the image.
    pub(crate) fn join(
        &self,
        engine: &Engine,
        image: &Reference,
        credentials: Option<DockerCredentials>,
    ) -> watch::Receiver<Progress> {
        let identity = credentials.as_ref().map(|it| {
            // The same user with another password is another pull.
            (it.username.clone(), it.password.clone().or_else(|| it.identitytoken.clone()))
        });
        let key = (engine.info.address.clone(), image.full(), identity);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pull) = all.get(&key) {
            return pull.clone();
        }
        let (sender, receiver) = watch::channel(Progress::Running(format!("pulling {image}")));
        all.insert(key.clone(), receiver.clone());
        let (engine, image, pulls) = (engine.clone(), image.clone(), Arc::clone(&self.0));
        tokio::spawn(async move {
            let outcome = pull(&engine, &image, credentials, &sender).await;
            pulls.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            sender.send_replace(Progress::Ended(outcome));
        });
        receiver
    }
}

async fn pull(
    engine: &Engine,
    image: &Reference,
    credentials: Option<DockerCredentials>,
    progress: &watch::Sender<Progress>,
) -> Result<(), PullError> {
    let options =
        CreateImageOptionsBuilder::default().from_image(&image.full()).platform(PLATFORM).build();
    let mut layers = Layers::default();
    let docker = engine.docker.clone().with_timeout(FIRST_STEP);
    let mut stream = docker.create_image(Some(options), None, credentials);
    // A failure may come in the middle of a stream that began well.
    while let Some(step) = stream.next().await {
        let step = step.map_err(|error| PullError::of(&error))?;
        if layers.note(&step) {
            progress.send_replace(Progress::Running(layers.text(image)));
        }
    }
    Ok(())
}

/// What is known of the layers, by their ids.
#[derive(Debug, Default)]
struct Layers(BTreeMap<String, Layer>);

#[derive(Debug, Default)]
struct Layer {
    current: u64,
    total: u64,
    is_here: bool,
}

impl Layers {
    /// Whether the step says something of a layer.
    fn note(&mut self, step: &CreateImageInfo) -> bool {
        let (Some(id), Some(said)) = (&step.id, &step.status) else { return false };
        // The name of the tag comes as an id too.
        if said.starts_with("Pulling from") || said.starts_with("Digest") {
            return false;
        }
        let layer = self.0.entry(id.clone()).or_default();
        let detail = step.progress_detail.as_ref();
        let bytes = |value: Option<i64>| value.and_then(|bytes| u64::try_from(bytes).ok());
        let current = bytes(detail.and_then(|detail| detail.current));
        let total = bytes(detail.and_then(|detail| detail.total));
        if said == "Downloading" {
            layer.current = current.unwrap_or(layer.current);
            layer.total = total.unwrap_or(layer.total).max(layer.current);
        } else if said.ends_with("omplete") || said.starts_with("Already exists") {
            layer.current = layer.total;
            layer.is_here |= said != "Download complete";
        }
        true
    }

    fn text(&self, image: &Reference) -> String {
        let here = self.0.values().filter(|layer| layer.is_here).count();
        let current: u64 = self.0.values().map(|layer| layer.current).sum();
        let total: u64 = self.0.values().map(|layer| layer.total).sum();
        let layers = match self.0.len() {
            1 => "1 layer".to_owned(),
            count => format!("{count} layers"),
        };
        let bytes = match total {
            0 => String::new(),
            total => {
                format!(", {} of {} MB", megabytes(current), megabytes(total))
            }
        };
        format!("pulling {image}: {here} of {layers}{bytes}")
    }
}

/// With one decimal.
fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

#[cfg(test)]
mod tests {
    use bollard::models::ProgressDetail;

    use super::*;

    fn step(id: &str, status: &str, detail: Option<(i64, i64)>) -> CreateImageInfo {
        CreateImageInfo {
            id: Some(id.into()),
            status: Some(status.into()),
            progress_detail: detail.map(|(current, total)| ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            ..CreateImageInfo::default()
        }
    }

    #[test]
    fn bytes_and_layers() {
        let image = Reference::parse("r.example.com/ui:1").expect("a name");
        let mut layers = Layers::default();
        assert!(!layers.note(&step("1", "Pulling from ui", None)));
        layers.note(&step("a", "Pulling fs layer", None));
        layers.note(&step("b", "Already exists", None));
        assert_eq!(layers.text(&image), "pulling r.example.com/ui:1: 1 of 2 layers");
        layers.note(&step("a", "Downloading", Some((1_250_000, 5_000_000))));
        let text = layers.text(&image);
        assert_eq!(text, "pulling r.example.com/ui:1: 1 of 2 layers, 1.2 of 5.0 MB");
        layers.note(&step("a", "Download complete", None));
        layers.note(&step("a", "Pull complete", None));
        let text = layers.text(&image);
        assert_eq!(text, "pulling r.example.com/ui:1: 2 of 2 layers, 5.0 of 5.0 MB");
    }

    #[test]
    fn whose_fault_a_failed_pull_is() {
        use bollard::errors::Error;

        let answer = |status_code, message: &str| Error::DockerResponseServerError {
            status_code,
            message: message.into(),
        };
        let stream = |error: &str| Error::DockerStreamError { error: error.into() };
        for refused in [
            answer(404, "manifest for r/x:1 not found: manifest unknown: manifest unknown"),
            answer(500, "Get \"https://r/v2/\": unauthorized: authentication required"),
            answer(500, "pull access denied for x, repository does not exist"),
            stream(
                "initializing source docker://r/x:1: reading manifest 1 in r/x: manifest unknown",
            ),
            stream("reading manifest 1 in r/x: authentication required"),
        ] {
            assert!(matches!(PullError::of(&refused), PullError::Refused(_)), "{refused}");
        }
        let platform = answer(404, "no matching manifest for linux/amd64 in the manifest list");
        assert!(matches!(PullError::of(&platform), PullError::Platform(_)));
        for registry in [
            answer(500, "Get \"https://r/v2/\": dial tcp: lookup r: no such host"),
            answer(429, "toomanyrequests: You have reached your pull rate limit"),
        ] {
            assert!(matches!(PullError::of(&registry), PullError::Registry(_)), "{registry}");
        }
        let gone = PullError::of(&Error::RequestTimeoutError);
        assert!(matches!(gone, PullError::Engine(_)));
    }
}
