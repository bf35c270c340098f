//! Removes containers and networks by label, many at a time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::{
    KillContainerOptionsBuilder, ListContainersOptionsBuilder, ListNetworksOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt;

use crate::engine::{status, text};
use crate::labels::KEPT;

/// Number of containers that are removed at a time.
const AT_ONCE: usize = 10;
/// How long an answer is asked for again that can't be read, and how often.
const UNREADABLE: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(50);

/// Repeats a call while its answer can't be read. Podman has a state for a container that has just
/// ended (`stopped`) which the client does not know; it lasts until Podman has cleaned up.
async fn readable<T, F: Future<Output = Result<T, Error>>>(
    call: impl Fn() -> F,
) -> Result<T, Error> {
    let begun = Instant::now();
    loop {
        match call().await {
            Err(Error::JsonDataError { .. }) if begun.elapsed() < UNREADABLE => {
                tokio::time::sleep(AGAIN).await;
            }
            outcome => return outcome,
        }
    }
}

/// What the engine knows of a container.
pub(crate) async fn inspect(docker: &Docker, id: &str) -> Result<ContainerInspectResponse, Error> {
    readable(|| docker.inspect_container(id, None)).await
}

/// The containers with these labels, whether they run or not.
pub(crate) async fn list(
    docker: &Docker,
    filter: HashMap<String, Vec<String>>,
) -> Result<Vec<ContainerSummary>, Error> {
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filter).build();
    match readable(|| docker.list_containers(Some(options.clone()))).await {
        Err(Error::JsonDataError { .. }) => {
            // One whose end Podman does not notice must not hide the others.
            let known = ["created", "running", "paused", "exited"].map(str::to_owned);
            let mut filter = filter;
            filter.insert("status".into(), known.into());
            let options = ListContainersOptionsBuilder::default().all(true).filters(&filter);
            docker.list_containers(Some(options.build())).await
        }
        outcome => outcome,
    }
}

/// A container's name.
pub(crate) fn name(container: &ContainerSummary) -> String {
    let names = container.names.as_deref().unwrap_or_default();
    names.first().map(|name| name.trim_start_matches('/').to_owned()).unwrap_or_default()
}

pub(crate) fn is_running(container: &ContainerSummary) -> bool {
    matches!(
        container.state,
        Some(ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::PAUSED)
    )
}

/// Removes one, with its anonymous volumes; ends it first if it runs. It may be gone already.
pub(crate) async fn remove_one(docker: &Docker, container: &str) -> Result<(), Error> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match docker.remove_container(container, Some(options)).await {
        Err(error) if status(&error) == Some(404) => Ok(()),
        Err(error) if status(&error) == Some(409) && text(&error).contains("progress") => Ok(()),
        outcome => outcome,
    }
}

/// Removes these.
pub(crate) async fn remove(docker: &Docker, containers: impl Iterator<Item = &ContainerSummary>) {
    let mut ids: Vec<String> = Vec::new();
    let mut running: Vec<String> = Vec::new();
    for container in containers {
        running.extend(container.id.clone().filter(|_| is_running(container)));
        ids.extend(container.id.clone());
    }
    // To end one takes a fraction of its removal: the last must not run until the others are gone.
    if running.len() > AT_ONCE {
        let kill = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        futures_util::stream::iter(running)
            .for_each_concurrent(AT_ONCE, |id| {
                let kill = kill.clone();
                // What it can't end, the removal does.
                async move { drop(docker.kill_container(&id, Some(kill)).await) }
            })
            .await;
    }
    futures_util::stream::iter(ids)
        .for_each_concurrent(AT_ONCE, |id| async move {
            if let Err(error) = remove_one(docker, &id).await {
                tracing::warn!(container = id, why = text(&error), "a container can't be removed");
            }
        })
        .await;
}

/// Whether an app failed in it, and it was kept for its owner to look at.
pub(crate) fn is_kept(container: &ContainerSummary) -> bool {
    name(container).starts_with(KEPT)
}

/// Removes the kept ones among the containers with these labels, but the newest.
pub(crate) async fn kept(
    docker: &Docker,
    filter: HashMap<String, Vec<String>>,
    newest: usize,
) -> Result<(), Error> {
    let mut kept = list(docker, filter).await?;
    kept.retain(is_kept);
    // Of one second: by the number at the end of their names.
    let number = |it: &ContainerSummary| -> u64 {
        name(it).rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    kept.sort_by_key(|it| std::cmp::Reverse((it.created, number(it))));
    remove(docker, kept.iter().skip(newest)).await;
    Ok(())
}

/// Removes all containers and networks with these labels, but those that are `spared`; with
/// `spares_kept` also but those that are kept on purpose.
pub(crate) async fn all(
    docker: &Docker,
    filter: HashMap<String, Vec<String>>,
    spares_kept: bool,
    spared: impl Fn(&HashMap<String, String>) -> bool,
) -> Result<(), Error> {
    let is_spared = |labels: &Option<HashMap<String, String>>| labels.as_ref().is_some_and(&spared);
    let containers = list(docker, filter.clone()).await?;
    let doomed =
        containers.iter().filter(|it| !(is_spared(&it.labels) || spares_kept && is_kept(it)));
    remove(docker, doomed).await;
    let options = ListNetworksOptionsBuilder::default().filters(&filter).build();
    for network in docker.list_networks(Some(options)).await? {
        if let (Some(name), false) = (&network.name, is_spared(&network.labels)) {
            // One that a kept container is in stays.
            let _ = docker.remove_network(name).await;
        }
    }
    Ok(())
}
