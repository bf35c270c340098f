//! One replica: a container, from the look for an engine to its removal.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerState};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, RenameContainerOptionsBuilder,
};
use ovhai_core::ports::{Blame, ReplicaEndpoint, ReplicaEvent, ReplicaReporter, ReplicaRequest};
use ovhai_core::replica::ReplicaContainer;
use ovhai_runtime::probe::{Finding, Prober};
use tokio::task::JoinHandle;

use crate::create::{self, Plan};
use crate::engine::{Engine, EngineKind, Gpus, status, text};
use crate::exit::{self, End, Failure};
use crate::hub::Watched;
use crate::images::{Image, NoImage, Wanted};
use crate::kindness::{self, Facts};
use crate::labels::KEPT;
use crate::network::Place;
use crate::output::{self, Sink};
use crate::pull::PLATFORM;
use crate::reap;
use crate::reference::Reference;
use crate::shared::{Control, Shared};
use crate::usage::Running;

/// Between two looks for an engine that is away.
const ENGINE_AGAIN: Duration = Duration::from_secs(1);
/// Time to read the output of a container that has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Maximum number of lines of output in a message.
const LAST_LINES: usize = 3;
/// How often a container that can't be removed is tried again; then it is left to the next
/// connection to the engine.
const REMOVALS: u32 = 20;
/// Maximum number of an app's failed containers that are kept: the newest.
const KEPT_OF_APP: usize = 3;
/// How often another address is tried.
const PLACES: u32 = 4;

/// Runs one replica to its end.
pub(crate) async fn run(
    shared: Arc<Shared>,
    request: ReplicaRequest,
    reporter: ReplicaReporter,
    mut control: Control,
) {
    let outcome = whole(&shared, &request, &reporter, &mut control).await;
    drop(control.done);
    if let Err(failure) = outcome {
        reporter.report(failure.event());
    }
}

async fn whole(
    shared: &Arc<Shared>,
    request: &ReplicaRequest,
    reporter: &ReplicaReporter,
    control: &mut Control,
) -> Result<(), Failure> {
    let reference = Reference::parse(&request.spec.image).map_err(Failure::user)?;
    let (engine, image) = tokio::select! {
        found = find(shared, request, reporter, &reference) => found?,
        // Nothing was made yet.
        _ = control.stop.recv() => return Ok(()),
    };
    // From here on, a request to stop waits: what is half made must not be forgotten.
    let mut container = start(shared, request, engine, &image).await?;
    let running = Running {
        engine: Arc::clone(&container.engine),
        id: container.id.clone(),
        pid: container.pid,
    };
    *control.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    let info = &container.engine.info;
    reporter.report(ReplicaEvent::Created(ReplicaContainer {
        engine: format!("{} {}", info.kind, info.version),
        image_id: image.id,
    }));
    let outcome = container.watch(reporter, control).await;
    *control.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let has_failed = matches!(&outcome, Err(failure) if failure.fault == Blame::User);
    container.remove(has_failed && shared.settings.keep_failed).await;
    outcome
}

/// The engine and the image, however long it takes.
async fn find(
    shared: &Arc<Shared>,
    request: &ReplicaRequest,
    reporter: &ReplicaReporter,
    reference: &Reference,
) -> Result<(Arc<Engine>, Image), Failure> {
    // The time to answer begins when the container runs.
    let report = |text: String| reporter.report(ReplicaEvent::Pending(text));
    loop {
        let engine = match shared.link.engine().await {
            Ok(engine) => engine,
            Err(none) if none.is_there_none() => {
                return Err(Failure::user(format!(
                    "The image {:?} needs a container engine, and {none}. Start Docker or Podman; or go on without: run a command in place of the image (ovhai image map IMAGE -- COMMAND), or the app's own (ovhai app run … --runtime process -- COMMAND)",
                    request.spec.image
                )));
            }
            Err(none) => {
                report(none.to_string());
                tokio::time::sleep(ENGINE_AGAIN).await;
                continue;
            }
        };
        let wanted = Wanted {
            app: request.app,
            revision: request.revision,
            reference,
            policy: request.spec.pull,
            access: &request.image_access,
        };
        let files = &shared.settings.credentials;
        match shared.images.find(&engine, &wanted, files, &report).await {
            Ok(image) => return Ok((engine, image)),
            Err(NoImage::Failed(failure)) => return Err(failure),
            Err(NoImage::Engine(said)) => {
                shared.link.lost(&engine).await;
                report(format!("{} at {} is gone: {said}", engine.info.kind, engine.info.address));
                tokio::time::sleep(ENGINE_AGAIN).await;
            }
        }
    }
}

/// A container that was started.
struct Container<'a> {
    shared: &'a Arc<Shared>,
    request: &'a ReplicaRequest,
    engine: Arc<Engine>,
    id: String,
    name: String,
    pid: i64,
    place: Place,
    endpoint: ReplicaEndpoint,
    probed: SocketAddr,
    signal: String,
    memory: Option<i64>,
    watched: Watched,
    output: Option<JoinHandle<()>>,
}

/// What the engine says that is no refusal is its own fault, not the image's.
fn broken(engine: &Engine, error: &bollard::errors::Error) -> Failure {
    let info = &engine.info;
    Failure::platform(format!("{} at {} failed: {}", info.kind, info.address, text(error)))
}

async fn start<'a>(
    shared: &'a Arc<Shared>,
    request: &'a ReplicaRequest,
    engine: Arc<Engine>,
    image: &Image,
) -> Result<Container<'a>, Failure> {
    let sink = Sink { replica: request.replica, logs: Arc::clone(&request.logs) };
    notes(request, &engine, image, &sink);
    shared.link.prepare(&engine);
    let facts = match engine.info.kind {
        EngineKind::Docker => Facts::default(),
        EngineKind::Podman => {
            let name = shared.name("look");
            let _known = shared.link.watch(&name);
            let (owner, directory) = (&shared.link.owner, &shared.directory);
            let facts = shared.known.facts(&engine, owner, image, &name, directory).await;
            facts.map_err(|error| broken(&engine, &error))?
        }
    };
    let id = request.app.to_string();
    let name = format!("{}-{}", id.split('-').next().unwrap_or(&id), request.replica.ordinal);
    let name = shared.name(&name);
    let watched = shared.link.watch(&name);
    let mut tries = 0;
    loop {
        tries += 1;
        let place = shared.networks.enter(&engine, &shared.link.owner, request.app).await;
        let place = place.map_err(Failure::platform)?;
        match start_at(shared, request, &engine, image, &facts, &name, &place).await {
            Ok(found) => {
                let is_reached = shared.networks.is_reached(&engine, &place);
                if let Some(Err(why)) = shared.networks.calls() {
                    sink.note(&format!("this app can't call other apps: {why}"));
                }
                let reached = match endpoint(request, image, &place, is_reached, &found) {
                    Ok(reached) => reached,
                    Err(failure) => {
                        let _ = reap::remove_one(&engine.docker, &name).await;
                        shared.networks.leave(&engine, request.app, &place).await;
                        return Err(failure);
                    }
                };
                let id = found.id.clone().unwrap_or_else(|| name.clone());
                let output = output::follow(Arc::clone(&shared.link), id.clone(), sink);
                return Ok(Container {
                    shared,
                    request,
                    pid: found.state.and_then(|state| state.pid).unwrap_or(0),
                    memory: create::memory(&request.spec, &engine.info),
                    engine,
                    id,
                    name,
                    place,
                    endpoint: reached.0,
                    probed: reached.1,
                    signal: image.stop_signal.clone().unwrap_or_else(|| "SIGTERM".into()),
                    watched,
                    output: Some(tokio::spawn(output)),
                });
            }
            Err(error) => {
                // The exit code of one that did not start is of no use.
                let _ = reap::remove_one(&engine.docker, &name).await;
                shared.networks.leave(&engine, request.app, &place).await;
                if status(&error).is_none() {
                    shared.link.lost(&engine).await;
                    return Err(broken(&engine, &error));
                }
                let said = text(&error);
                let is_taken = said.to_lowercase().contains("address already in use");
                if !(is_taken && place.address.is_some() && tries < PLACES) {
                    return Err(exit::not_started(&said));
                }
            }
        }
    }
}

/// Creates and starts the container; what the engine knows of it then.
async fn start_at(
    shared: &Arc<Shared>,
    request: &ReplicaRequest,
    engine: &Engine,
    image: &Image,
    facts: &Facts,
    name: &str,
    place: &Place,
) -> Result<ContainerInspectResponse, bollard::errors::Error> {
    let passwd = facts.passwd.as_ref().map(|file| file.display().to_string());
    let body = create::body(&Plan {
        owner: &shared.link.owner,
        engine: &engine.info,
        request,
        image,
        place,
        labels: &shared.settings.labels,
        passwd: passwd.as_deref(),
    });
    // Without a platform: the image is given by its id, and was compared.
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    let id = engine.docker.create_container(Some(options), body).await?.id;
    kindness::make_missing(engine, &id, facts).await?;
    engine.docker.start_container(&id, None).await?;
    reap::inspect(&engine.docker, &id).await
}

/// What the app's log should tell before its own output.
fn notes(request: &ReplicaRequest, engine: &Engine, image: &Image, sink: &Sink) {
    let spec = &request.spec;
    if !image.has_home && !spec.env.iter().any(|env| env.name == "HOME") {
        sink.note(
            "neither the image nor the app sets HOME: it is /, where the user 42420 can't write",
        );
    }
    if format!("linux/{}", engine.info.architecture) != PLATFORM {
        sink.note(&format!(
            "this machine is linux/{}: the image runs under emulation, more slowly than in the cloud",
            engine.info.architecture
        ));
    }
    let count = spec.resources.gpu.unwrap_or(0);
    if count > 0 && spec.asks_for_gpu && engine.info.gpus == Gpus::None {
        sink.note(&format!("the engine has no NVIDIA GPU: the app runs without its {count}"));
    }
}

/// Where a started container answers: its endpoint, and the address of its probe.
fn endpoint(
    request: &ReplicaRequest,
    image: &Image,
    place: &Place,
    is_reached: bool,
    found: &ContainerInspectResponse,
) -> Result<(ReplicaEndpoint, SocketAddr), Failure> {
    let spec = &request.spec;
    let settings = found.network_settings.as_ref();
    let ports = create::ports(spec, image);
    let at: Vec<(u16, SocketAddr)> = if is_reached {
        let own = settings
            .and_then(|settings| settings.networks.as_ref()?.get(&place.network))
            .and_then(|network| network.ip_address.as_deref()?.parse::<Ipv4Addr>().ok());
        // A container that has ended has no address; its end is reported next.
        let own = own.or(place.address).unwrap_or(Ipv4Addr::UNSPECIFIED);
        ports.into_iter().map(|port| (port, SocketAddr::from((own, port)))).collect()
    } else {
        let published = settings.and_then(|settings| settings.ports.clone()).unwrap_or_default();
        let at = |port: u16| {
            let bindings = published.get(&format!("{port}/tcp"))?.as_ref()?;
            let port = bindings.iter().find_map(|it| it.host_port.as_deref()?.parse().ok())?;
            Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        };
        ports.into_iter().filter_map(|port| Some((port, at(port)?))).collect()
    };
    let find = |port: u16| at.iter().find(|(number, _)| *number == port).map(|(_, at)| *at);
    let is_running = found.state.as_ref().and_then(|state| state.running).unwrap_or(false);
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, spec.http_port));
    let http = match find(spec.http_port) {
        Some(http) => http,
        // A container that has ended has no ports; its end is reported next.
        None if !is_running => nowhere,
        None => return Err(Failure::platform("The engine did not publish the app's port")),
    };
    let probed = spec.probe_port.and_then(find).unwrap_or(http);
    let mut endpoint = ReplicaEndpoint::new(http)
        .with_ports(at.iter().copied())
        .with_grpc(spec.grpc_port.and_then(find));
    if is_reached && !http.ip().is_unspecified() {
        endpoint = endpoint.with_host(http.ip());
    }
    Ok((endpoint, probed))
}

impl Container<'_> {
    /// Until the container ends: looks whether it answers, and does what is asked.
    async fn watch(
        &mut self,
        reporter: &ReplicaReporter,
        control: &mut Control,
    ) -> Result<(), Failure> {
        let mut prober = Prober::new(self.request.spec.probe_path.clone());
        let mut is_ready = false;
        let address = self.probed;
        let state = loop {
            tokio::select! {
                biased;
                grace = control.stop.recv() => {
                    self.halt(control, grace.unwrap_or_default()).await;
                    return Ok(());
                }
                look = self.watched.changed() => {
                    // The address may be another container's soon.
                    if look.has_died && is_ready {
                        is_ready = false;
                        prober.reset();
                        reporter.report(ReplicaEvent::Lost("its container ended".into()));
                    }
                    if let Some(state) = self.ended().await { break state }
                }
                () = finished(&mut self.output) => {
                    self.output = None;
                    if let Some(state) = self.ended().await { break state }
                }
                finding = prober.next(address) => {
                    is_ready = finding == Finding::Ready;
                    reporter.report(match finding {
                        Finding::Ready => ReplicaEvent::Ready(self.endpoint.clone()),
                        Finding::Lost(why) => ReplicaEvent::Lost(why),
                        Finding::Waiting(why) => ReplicaEvent::Waiting(why),
                    });
                }
            }
        };
        if is_ready {
            reporter.report(ReplicaEvent::Lost("its container ended".into()));
        }
        Err(self.explain(state).await)
    }

    /// How it ended; none: it runs, as far as is known. One whose engine is away is looked at again
    /// when that is back.
    async fn ended(&self) -> Option<ContainerState> {
        let engine = self.shared.link.engine().await.ok()?;
        match reap::inspect(&engine.docker, &self.id).await {
            Ok(found) => {
                let state = found.state.unwrap_or_default();
                (state.running != Some(true)).then_some(state)
            }
            Err(error) if status(&error) == Some(404) => Some(ContainerState::default()),
            Err(error) => {
                tracing::debug!(container = self.id, why = text(&error), "it can't be looked at");
                self.shared.link.lost(&engine).await;
                None
            }
        }
    }

    async fn explain(&mut self, state: ContainerState) -> Failure {
        // What it said last may still be on its way.
        if let Some(output) = &mut self.output {
            let _ = tokio::time::timeout(LAST_WORDS, output).await;
        }
        let info = &self.engine.info;
        if state.exit_code.is_none() {
            return Failure::platform(format!(
                "The container was removed, not by this emulator, from {} at {}",
                info.kind, info.address
            ));
        }
        if self.watched.has_gap() && info.kind == EngineKind::Docker {
            return Failure::platform(format!(
                "{} at {} was restarted or went away, which ended the container",
                info.kind, info.address
            ));
        }
        let replica = self.request.replica;
        let lines = self.request.logs.tail(5, |run| run == replica).into_iter();
        let lines = lines.map(|line| line.text).filter(|line| !line.starts_with("[ovhai]"));
        let last: Vec<String> = lines.collect();
        exit::ended(&End {
            code: state.exit_code.unwrap_or(-1),
            is_out_of_memory: state.oom_killed.unwrap_or(false),
            memory: self.memory,
            last: &last[last.len().saturating_sub(LAST_LINES)..],
        })
    }

    /// Asks it to stop, and waits for as long as the grace; the removal ends it by force.
    async fn halt(&mut self, control: &mut Control, grace: Duration) {
        if !grace.is_zero() {
            let options = KillContainerOptionsBuilder::default().signal(&self.signal).build();
            // It may have ended by itself.
            let _ = self.engine.docker.kill_container(&self.id, Some(options)).await;
            let deadline = tokio::time::sleep(grace);
            tokio::pin!(deadline);
            loop {
                tokio::select! {
                    look = self.watched.changed() => if look.has_died { break },
                    () = finished(&mut self.output) => { self.output = None; break }
                    () = &mut deadline => break,
                    more = control.stop.recv() => match more {
                        Some(grace) if !grace.is_zero() => {}
                        _ => break,
                    },
                }
            }
        }
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        let _ = self.engine.docker.kill_container(&self.id, Some(options)).await;
        // Its log goes with it.
        if let Some(output) = &mut self.output {
            let _ = tokio::time::timeout(LAST_WORDS / 4, output).await;
        }
    }

    /// Removes it; or gives it another name, and leaves it.
    async fn remove(mut self, is_kept: bool) {
        let docker = &self.engine.docker;
        let kept = format!("{KEPT}{}", self.name.trim_start_matches("ovhai-"));
        let rename = RenameContainerOptionsBuilder::default().name(&kept).build();
        if is_kept && docker.rename_container(&self.id, rename).await.is_ok() {
            let sink = Sink { replica: self.request.replica, logs: Arc::clone(&self.request.logs) };
            sink.note(&format!("the container {kept} was kept"));
            // What can't be removed now is with the next one, or with the app.
            let of_app = self.shared.link.owner.of_app(self.request.app);
            let _ = reap::kept(docker, of_app, KEPT_OF_APP).await;
        } else {
            for _ in 0..REMOVALS {
                // The engine may have come back on another connection.
                let engine = self.shared.link.engine().await;
                let removed = match &engine {
                    Ok(engine) => reap::remove_one(&engine.docker, &self.id).await.is_ok(),
                    Err(_) => false,
                };
                if removed {
                    break;
                }
                tokio::time::sleep(ENGINE_AGAIN / 2).await;
            }
        }
        if let Some(output) = self.output.take() {
            output.abort();
        }
        self.shared.networks.leave(&self.engine, self.request.app, &self.place).await;
    }
}

/// Until all output was read, which is after the end of the container.
async fn finished(output: &mut Option<JoinHandle<()>>) {
    match output {
        // Its outcome is in the log.
        Some(output) => drop(output.await),
        None => std::future::pending().await,
    }
}
