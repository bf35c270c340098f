//! Runs a container of the image as AI Deploy does, and watches it.
//!
//! The image gets no help that the cloud may not give: no `HOME`, no line in its list of users, no
//! working directory of its own, no port below 1024.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bollard::container::LogOutput;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, LogsOptionsBuilder,
};
use futures_util::StreamExt;
use ovhai_api_types::AppId;
use ovhai_core::logs::LogBuffer;
use ovhai_core::ports::{ImageAccess, ReplicaRequest};
use ovhai_core::spec::Spec;

use super::observe::{self, Answer};
use crate::create::{self, Plan};
use crate::engine::{Engine, EngineKind, status, text};
use crate::images::Image;
use crate::kindness::{self, Facts, Known};
use crate::labels::Owner;
use crate::network::{Networks, Place};
use crate::reap;

/// Between two looks at a container.
const LOOK: Duration = Duration::from_millis(100);
/// How long a state that will not change by itself is watched.
const SETTLED: Duration = Duration::from_secs(2);
/// How long one is watched that may change by itself.
const MAY_CHANGE: Duration = Duration::from_secs(6);
/// Time to end after a request to.
const GRACE: Duration = Duration::from_secs(5);
/// Time to write files after it answers.
const WRITES: Duration = Duration::from_millis(300);
/// Time to read the output of a container that has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Maximum number of lines of output, and of bytes in one.
const LINES: usize = 5_000;
const LINE: usize = 4_096;
/// Paths at which programs that are known for it accept WebSockets.
const WEBSOCKETS: [&str; 4] = ["/_stcore/stream", "/ws", "/websocket", "/api/events/subscribe"];

/// How a container ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) code: i64,
    pub(super) is_out_of_memory: bool,
    pub(super) after: Duration,
}

/// A WebSocket that was asked for with the app's own origin, and without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Upgrade {
    pub(super) path: String,
    pub(super) with_origin: u16,
    pub(super) without: u16,
}

/// What was seen of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Observed {
    /// Why the engine did not start it.
    pub(super) not_started: Option<String>,
    pub(super) ended: Option<Ended>,
    /// Its output.
    pub(super) lines: Vec<String>,
    /// The addresses that it listens on; none if they are unknown.
    pub(super) sockets: Option<Vec<SocketAddr>>,
    /// The last answer to the probe, or why there is none.
    pub(super) answer: Option<Result<Answer, String>>,
    /// Status of the same request with the host `localhost`, if the app refused its own name.
    pub(super) as_localhost: Option<u16>,
    /// When the probe was good.
    pub(super) ready_after: Option<Duration>,
    pub(super) upgrades: Vec<Upgrade>,
    /// Whether it ended after a request to; none: it was not asked.
    pub(super) ends_when_asked: Option<bool>,
    /// Paths that it wrote to.
    pub(super) changes: Vec<String>,
    /// How long it was watched.
    pub(super) watched: Duration,
}

impl Observed {
    pub(super) fn is_ready(&self) -> bool {
        self.ready_after.is_some()
    }
}

/// What all runs share.
pub(super) struct Bench<'a> {
    pub(super) engine: &'a Engine,
    pub(super) owner: &'a Owner,
    pub(super) image: &'a Image,
    pub(super) spec: &'a Spec,
    /// For a copy of the image's list of users.
    pub(super) directory: &'a Path,
    /// The app's name in the cloud.
    pub(super) host: &'a str,
}

/// Who runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum User {
    /// 42420, as in the cloud.
    App,
    /// Root with an engine's usual rights, to compare.
    Root,
}

/// One start of a container.
struct Start<'a> {
    user: User,
    app: AppId,
    networks: &'a Networks,
    place: &'a Place,
    facts: &'a Facts,
    name: &'a str,
}

/// A name that no other container of this owner has.
pub(super) fn name(owner: &Owner, of: &str) -> String {
    format!("ovhai-check-{of}-{}", owner.word())
}

impl Bench<'_> {
    /// Runs the image until it is known how it behaves; the error is the engine's.
    pub(super) async fn run(&self, user: User, deadline: Duration) -> Result<Observed, String> {
        let app = AppId(uuid::Uuid::new_v4());
        let networks = Networks::new(false, None);
        let facts = match self.engine.info.kind {
            EngineKind::Docker => Facts::default(),
            EngineKind::Podman => {
                let name = name(self.owner, "look");
                let known = Known::default();
                let facts = known.facts(self.engine, self.owner, self.image, &name, self.directory);
                facts.await.map_err(|error| text(&error))?
            }
        };
        let place = networks.enter(self.engine, self.owner, app).await?;
        let name = name(self.owner, if user == User::App { "app" } else { "root" });
        let start =
            Start { user, app, networks: &networks, place: &place, facts: &facts, name: &name };
        let outcome = self.run_at(&start, deadline).await;
        let removed = reap::remove_one(&self.engine.docker, &name).await;
        networks.leave(self.engine, app, &place).await;
        let outcome = outcome?;
        removed.map_err(|error| text(&error))?;
        Ok(outcome)
    }

    async fn run_at(&self, start: &Start<'_>, deadline: Duration) -> Result<Observed, String> {
        let Start { user, app, networks, place, facts, name } = *start;
        let logs = Arc::new(LogBuffer::default());
        let request = ReplicaRequest {
            app,
            number: 1,
            replica: logs.begin(1),
            revision: 1,
            spec: self.spec.clone(),
            environment: None,
            volumes: Arc::default(),
            image_access: ImageAccess::default(),
            logs,
        };
        let passwd = facts.passwd.as_ref().map(|file| file.display().to_string());
        let mut body = create::body(&Plan {
            owner: self.owner,
            engine: &self.engine.info,
            request: &request,
            image: self.image,
            place,
            labels: &[],
            passwd: passwd.as_deref(),
        });
        if let Some(host) = &mut body.host_config {
            host.sysctls = Some(
                [("net.ipv4.ip_unprivileged_port_start".to_owned(), "1024".to_owned())].into(),
            );
            if user == User::Root {
                host.cap_drop = None;
                host.security_opt = None;
            }
        }
        if user == User::Root {
            body.user = Some("0:0".into());
        }
        let docker = &self.engine.docker;
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let created = docker.create_container(Some(options), body).await;
        let id = match created {
            Ok(created) => created.id,
            Err(error) => return refused(&error),
        };
        kindness::make_missing(self.engine, &id, facts).await.map_err(|error| text(&error))?;
        if let Err(error) = docker.start_container(&id, None).await {
            return refused(&error);
        }
        let begun = Instant::now();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = tokio::spawn(follow(docker.clone(), id.clone(), Arc::clone(&lines)));
        let found = reap::inspect(docker, &id).await.map_err(|error| text(&error))?;
        let at = self.address(networks, place, &found);
        let pid = found.state.and_then(|state| state.pid).unwrap_or(0);
        let running = Running { bench: self, id: &id, pid, at, begun };
        let mut seen = running.watch(deadline).await?;
        if seen.is_ready() {
            tokio::time::sleep(WRITES).await;
        }
        if user == User::App
            && let Some(at) = at.filter(|_| seen.is_ready())
        {
            seen.upgrades = self.upgrades(at).await;
        }
        seen.changes = self.changes(&id).await;
        if user == User::App && seen.is_ready() {
            seen.ends_when_asked = running.ends_when_asked().await;
        }
        seen.watched = begun.elapsed();
        // The output ends with the container.
        let kill = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        let _ = docker.kill_container(&id, Some(kill)).await;
        let _ = tokio::time::timeout(LAST_WORDS, log).await;
        seen.lines = std::mem::take(&mut lines.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(seen)
    }

    /// Where the app's port is reached.
    fn address(
        &self,
        networks: &Networks,
        place: &Place,
        found: &ContainerInspectResponse,
    ) -> Option<SocketAddr> {
        let port = self.spec.probe_port.unwrap_or(self.spec.http_port);
        let settings = found.network_settings.as_ref()?;
        if networks.is_reached(self.engine, place) {
            let own = settings.networks.as_ref()?.get(&place.network);
            let own = own.and_then(|it| it.ip_address.as_deref()?.parse::<Ipv4Addr>().ok());
            return own.or(place.address).map(|ip| SocketAddr::from((ip, port)));
        }
        let bindings = settings.ports.as_ref()?.get(&format!("{port}/tcp"))?.as_ref()?;
        let port = bindings.iter().find_map(|it| it.host_port.as_deref()?.parse().ok())?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    fn path(&self) -> &str {
        self.spec.probe_path.as_deref().unwrap_or("/")
    }

    /// Asks for WebSockets where they may be; those that the app's own origin is refused for.
    async fn upgrades(&self, at: SocketAddr) -> Vec<Upgrade> {
        let origin = format!("https://{}", self.host);
        let mut found = Vec::new();
        for path in WEBSOCKETS.iter().copied().chain([self.path()]) {
            let with = observe::upgrade(at, path, self.host, Some(&origin)).await;
            let Some(with_origin) = with.filter(|status| matches!(status, 400 | 401 | 403)) else {
                continue;
            };
            if let Some(without) = observe::upgrade(at, path, self.host, None).await {
                found.push(Upgrade { path: path.to_owned(), with_origin, without });
            }
        }
        found
    }

    async fn changes(&self, id: &str) -> Vec<String> {
        let changes = self.engine.docker.container_changes(id).await.ok().flatten();
        changes.unwrap_or_default().into_iter().map(|change| change.path).collect()
    }
}

/// The engine's refusal to create or start a container; the error is one without an answer.
fn refused(error: &bollard::errors::Error) -> Result<Observed, String> {
    match status(error) {
        Some(_) => Ok(Observed { not_started: Some(text(error)), ..Observed::default() }),
        None => Err(text(error)),
    }
}

/// A container that was started.
struct Running<'a> {
    bench: &'a Bench<'a>,
    id: &'a str,
    pid: i64,
    at: Option<SocketAddr>,
    begun: Instant,
}

impl Running<'_> {
    async fn ended(&self) -> Result<Option<Ended>, String> {
        let found = reap::inspect(&self.bench.engine.docker, self.id).await;
        let state = found.map_err(|error| text(&error))?.state.unwrap_or_default();
        Ok((state.running == Some(false)).then(|| Ended {
            code: state.exit_code.unwrap_or(-1),
            is_out_of_memory: state.oom_killed.unwrap_or(false),
            after: self.begun.elapsed(),
        }))
    }

    /// Until the probe is good, or will not be.
    async fn watch(&self, deadline: Duration) -> Result<Observed, String> {
        let mut seen = Observed::default();
        let port = self.bench.spec.probe_port.unwrap_or(self.bench.spec.http_port);
        // Since when nothing has changed.
        let mut since = Instant::now();
        loop {
            seen.ended = self.ended().await?;
            if seen.ended.is_some() {
                return Ok(seen);
            }
            let sockets = observe::sockets(self.pid, self.id);
            let before = (seen.sockets.clone(), status_of(seen.answer.as_ref()));
            // A table can't be read any more when the process has just ended.
            seen.sockets = sockets.or(seen.sockets);
            if let Some(at) = self.at {
                let answer = observe::get(at, self.bench.path(), self.bench.host).await;
                if let Ok(answer) = &answer
                    && self.is_good(answer.status)
                {
                    seen.ready_after = Some(self.begun.elapsed());
                    seen.as_localhost = self.as_localhost(at, Some(answer.status)).await;
                    seen.answer = Some(Ok(answer.clone()));
                    return Ok(seen);
                }
                seen.answer = Some(answer);
            }
            if before != (seen.sockets.clone(), status_of(seen.answer.as_ref())) {
                since = Instant::now();
            }
            let quiet = since.elapsed();
            let status = status_of(seen.answer.as_ref());
            let sockets = seen.sockets.as_deref().unwrap_or_default();
            let is_there = sockets.iter().any(|it| it.port() == port);
            let is_decided = match status {
                Some(400..=499) => quiet > SETTLED,
                Some(_) => quiet > MAY_CHANGE,
                None if is_there => quiet > SETTLED,
                None => !sockets.is_empty() && quiet > MAY_CHANGE,
            };
            if is_decided || self.begun.elapsed() > deadline {
                if let Some(at) = self.at {
                    seen.as_localhost = self.as_localhost(at, status).await;
                }
                return Ok(seen);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// As the emulator's probe and the cloud's: without a path any answer but a server's error.
    fn is_good(&self, status: u16) -> bool {
        match &self.bench.spec.probe_path {
            Some(_) => (200..400).contains(&status),
            None => status < 500,
        }
    }

    /// The status with another host, if the app refused its own name.
    async fn as_localhost(&self, at: SocketAddr, status: Option<u16>) -> Option<u16> {
        let (400 | 403 | 404 | 421) = status? else { return None };
        let again = observe::get(at, self.bench.path(), "localhost").await;
        again.ok().map(|answer| answer.status)
    }

    async fn ends_when_asked(&self) -> Option<bool> {
        let signal = self.bench.image.stop_signal.as_deref().unwrap_or("SIGTERM");
        let kill = KillContainerOptionsBuilder::default().signal(signal).build();
        self.bench.engine.docker.kill_container(self.id, Some(kill)).await.ok()?;
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if self.ended().await.ok()?.is_some() {
                return Some(true);
            }
            tokio::time::sleep(LOOK).await;
        }
        Some(false)
    }
}

fn status_of(answer: Option<&Result<Answer, String>>) -> Option<u16> {
    answer?.as_ref().ok().map(|answer| answer.status)
}

/// Collects the output until the container ends.
async fn follow(docker: bollard::Docker, id: String, lines: Arc<Mutex<Vec<String>>>) {
    let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).tail("all");
    let mut log = docker.logs(&id, Some(options.build()));
    let mut rests = [Vec::new(), Vec::new()];
    let push = |line: &[u8]| {
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < LINES {
            let line = &line[..line.len().min(LINE)];
            lines.push(String::from_utf8_lossy(line).trim_end().to_owned());
        }
    };
    while let Some(Ok(output)) = log.next().await {
        let at = usize::from(matches!(output, LogOutput::StdErr { .. }));
        for byte in output.into_bytes() {
            match byte {
                b'\n' => push(&std::mem::take(&mut rests[at])),
                byte if rests[at].len() < LINE => rests[at].push(byte),
                _ => {}
            }
        }
    }
    rests.iter().filter(|rest| !rest.is_empty()).for_each(|rest| push(rest));
}
