//! Starting and stopping an emulator, as a library.

mod settings;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::Region;
use ovhai_containers::{AppListener, ContainerRuntime, FromApps};
use ovhai_core::policy::Principal;
use ovhai_core::ports::{Ids, Runtime, Signer, Store};
use ovhai_core::{Platform, PlatformBuilder, Settings, VirtualClock};
use ovhai_data::refused::Refused;
use ovhai_data::{FileVolumes, StoreRoots};
use ovhai_runtime::remains::Register;
use ovhai_runtime::tool::Tools;
use ovhai_runtime::{LocalRuntime, builtin};
use ovhai_store::{MemoryStore, SqliteStore};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use settings::Builder;

use crate::console::{self, Console, Machine};
use crate::edge::{Edge, ReaderThreads, Shared};
use crate::gateway::Gateway;
use crate::host::Domains;
use crate::limits::Limits;
use crate::listen::{adopt, listen};
use crate::passwords::{SystemSecrets, random_secret};
use crate::signer::JwtSigner;
use crate::start_error::StartError;
use crate::state::{FirstUser, Lock, Running, StateDir};
use crate::telemetry::{AccessLog, LogFile, Telemetry};
use crate::tls::Tls;
use crate::vault::KeyVault;
use crate::{api, control};

/// Default port.
pub const DEFAULT_PORT: u16 = 4480;
/// Default port for HTTPS.
pub const DEFAULT_TLS_PORT: u16 = 4443;
/// Default regions; the first is the default region.
pub const DEFAULT_REGIONS: [&str; 2] = ["GRA", "BHS"];
/// Time for apps to end in a shutdown; with [`DRAIN`] before it, below two seconds.
const SHUTDOWN: Duration = Duration::from_millis(1400);
/// Time to write the end of the access log.
const FLUSH: Duration = Duration::from_millis(100);
/// Time for requests under way to finish in a shutdown, and again to be broken off.
const DRAIN: Duration = Duration::from_millis(250);

#[derive(Debug)]
struct RandomIds;

impl Ids for RandomIds {
    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }
}

impl Builder {
    /// Starts it on the current tokio runtime. When this is ready, the emulator answers, and every
    /// app is on its way back to its desired state. If it fails, nothing of it is left.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let lock = match &self.state {
            Some(state) => Some(take(state)?),
            None => None,
        };
        let listeners = match self.listener {
            Some(bound) => vec![adopt(bound).map_err(StartError::System)?],
            None => listen(self.address.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into()), false)?,
        };
        let log_path = match (self.access_log, &self.state) {
            (Some(AccessLog::Path(path)), _) => Some(path),
            (None, Some(state)) => Some(state.access_log()),
            (Some(AccessLog::Off), _) | (None, None) => None,
        };
        let access_log = log_path
            .clone()
            .map(|path| {
                LogFile::open(&path).map_err(|source| StartError::AccessLog { path, source })
            })
            .transpose()?;
        let address = address_of(&listeners)?;
        let (from_apps, app_listeners) = if self.from_apps {
            let is_open = |address: SocketAddr| !address.ip().is_loopback();
            if is_open(address) || self.tls.is_some_and(is_open) {
                let why = "apps may call each other only while the emulator listens on loopback";
                return Err(StartError::System(io::Error::new(io::ErrorKind::InvalidInput, why)));
            }
            let (from_apps, listeners) = FromApps::new(address.port());
            (Some(from_apps), Some(listeners))
        } else {
            (None, None)
        };
        let secure = match self.tls {
            Some(address) => {
                let listeners = listen(address, true)?;
                Some((listeners, Tls::load_or_create(self.state.as_ref().map(StateDir::path))?))
            }
            None => None,
        };
        let tls = secure.as_ref().map(|(listeners, _)| address_of(listeners)).transpose()?;
        let regions = if self.regions.is_empty() {
            DEFAULT_REGIONS.map(str::to_owned).to_vec()
        } else {
            self.regions
        };
        let regions =
            regions.iter().map(|name| name.parse()).collect::<Result<Vec<Region>, _>>()?;
        if let Some(state) = &self.state
            && state.database().exists()
            && !state.signing_key().exists()
        {
            tracing::warn!(key = %state.signing_key().display(), "the signing key is missing: a new one was created, and all token strings are invalid until they are regenerated");
        }
        let store = match (self.store, &self.state) {
            (Some(store), _) => store,
            (None, Some(state)) => Arc::new(SqliteStore::open(&state.database())?),
            (None, None) => Arc::new(MemoryStore::new()) as Arc<dyn Store>,
        };
        let signer: Arc<dyn Signer> = Arc::new(match &self.state {
            Some(state) => JwtSigner::from_file(&state.signing_key())
                .map_err(|source| StartError::State { path: state.signing_key(), source })?,
            None => JwtSigner::ephemeral().map_err(StartError::System)?,
        });
        let administrator = match self.administrator {
            Some(bearer) if bearer.len() < 16 => {
                let why = "the administrator's bearer needs 16 characters or more";
                return Err(StartError::System(io::Error::new(io::ErrorKind::InvalidInput, why)));
            }
            Some(bearer) => bearer,
            None => random_secret().map_err(|why| StartError::System(io::Error::other(why)))?,
        };
        let (data, scratch) = match (&self.state, &self.processes) {
            (Some(state), _) => (state.data(), None),
            (None, Some(records)) => (records.with_file_name("data"), None),
            (None, None) => {
                let all = std::env::temp_dir().join(format!("ovhai-data-{}", Uuid::new_v4()));
                std::fs::DirBuilder::new()
                    .mode(0o700)
                    .create(&all)
                    .map_err(|source| StartError::State { path: all.clone(), source })?;
                (all.join("data"), Some(Scratch(all)))
            }
        };
        let volumes = data.with_file_name("volumes");
        let own = data.parent().map(Path::to_path_buf);
        let stores = StoreRoots::new(data, Refused::new(own.into_iter().chain(self.private)));
        let supervisor = match self.supervisor {
            Some(path) => path,
            None => std::env::current_exe().map_err(StartError::System)?,
        };
        let records = self.processes.or(self.state.as_ref().map(StateDir::processes));
        let register = records.clone().map(Register::new).unwrap_or_default();
        let (runtime, containers) = match self.runtime {
            Some(runtime) => (runtime, None),
            None => {
                let (id, files) = match &self.state {
                    Some(state) => {
                        let id = state.id().map_err(|source| StartError::State {
                            path: state.path().into(),
                            source,
                        })?;
                        (id, state.containers())
                    }
                    None => {
                        let id = Uuid::new_v4().to_string();
                        let files = match &records {
                            Some(records) => records.with_file_name("containers"),
                            None => std::env::temp_dir().join(format!("ovhai-containers-{id}")),
                        };
                        (id, files)
                    }
                };
                let containers = ContainerRuntime::new(
                    self.containers,
                    id,
                    files,
                    Some(supervisor.clone()),
                    from_apps,
                );
                let local = LocalRuntime::new(
                    self.placement,
                    supervisor.clone(),
                    register.clone(),
                    Arc::new(containers.clone()),
                );
                (Arc::new(local) as Arc<dyn Runtime>, Some(containers))
            }
        };
        let clock = self.clock.unwrap_or_else(|| Arc::new(VirtualClock::new()));
        let started_at = clock.real_time();
        let stops_at = self.stop_after.and_then(|time| started_at.checked_add(time).ok());
        let platform = PlatformBuilder {
            store,
            runtime,
            clock,
            ids: self.ids.unwrap_or_else(|| Arc::new(RandomIds)),
            signer,
            secrets: Arc::new(SystemSecrets::default()),
            volumes: Arc::new(FileVolumes::new(
                stores.clone(),
                volumes,
                Tools::new(supervisor, register),
            )),
            vault: Arc::new(KeyVault::new(self.state.as_ref().map(StateDir::registry_key))),
            administrator: administrator.clone(),
            settings: Settings {
                interrupts_weekly: self.interrupts_weekly,
                token_exec: self.token_exec,
                restart_delay: self.restart_delay.unwrap_or(Settings::default().restart_delay),
                regions,
                placement: self.placement,
                user: self.user.unwrap_or_else(|| "local".into()),
                quotas: self.quotas,
                images: builtin::images(),
                session_ttl: self.session_ttl,
            },
            components: self.components,
        }
        .start()
        .await
        .map_err(StartError::Platform)?;

        let running = Running {
            pid: std::process::id(),
            address,
            tls,
            administrator,
            // The given regions, and those of stored apps.
            regions: platform.settings().regions.clone(),
            started_at,
            stops_at,
            access_log: log_path,
            runtime: self.placement,
            version: env!("CARGO_PKG_VERSION").into(),
            project: platform.project().to_string(),
        };
        if let Some(state) = &self.state
            && let Err(source) = state.announce(&running)
        {
            platform.shutdown(SHUTDOWN).await;
            return Err(StartError::State { path: state.path().into(), source });
        }
        let ways = Ways {
            plain: listeners,
            secure,
            from_apps: app_listeners,
            limits: self.limits.within_descriptors(),
            log: access_log,
            containers,
            stores,
            scratch,
            sample_every: self.sample_every.unwrap_or(console::SAMPLE_EVERY),
            domains: self.domains,
            first_password: self.first_password,
        };
        let emulator = Emulator::serve(ways, platform, running, self.state, lock)
            .map_err(StartError::System)?;
        emulator.watch(self.stop_after);
        Ok(emulator)
    }
}

fn take(state: &StateDir) -> Result<Lock, StartError> {
    let unusable = |source| StartError::State { path: state.path().into(), source };
    state.create().map_err(unusable)?;
    state.lock().map_err(unusable)?.ok_or_else(|| StartError::AlreadyRunning {
        path: state.path().into(),
        pid: state.holder().map(|holder| holder.pid),
    })
}

/// The address that was asked for; the others are beside it.
fn address_of(listeners: &[TcpListener]) -> Result<SocketAddr, StartError> {
    let none = || StartError::System(io::ErrorKind::NotConnected.into());
    listeners.first().ok_or_else(none)?.local_addr().map_err(StartError::System)
}

/// Creates the first user, in the name of the owner, who finds the password in the state directory.
/// Without one there is no first user: the password could not be read.
async fn make_first_user(platform: Arc<Platform>, state: StateDir) {
    let is_there = |name: &str| platform.snapshot().users().any(|user| user.name == name);
    // One whose password was written, but whose emulator ended before the user was stored.
    let told = state.first_user().filter(|first| !is_there(&first.name));
    if !platform.is_new() && told.is_none() {
        return;
    }
    let owner = Principal::Administrator { user: platform.settings().user.clone() };
    let name = user_name(&owner);
    let made = async {
        let first = match told {
            Some(first) => first,
            None => {
                let mut password = random_secret().map_err(|why| why.to_string())?;
                password.truncate(20);
                let first = FirstUser { name, password };
                state.write_first_user(&first).map_err(|why| why.to_string())?;
                first
            }
        };
        let FirstUser { name, password } = first;
        platform.add_user(&owner, &name, password).await.map_err(|why| why.to_string())
    };
    if let Err(why) = made.await {
        tracing::warn!(
            why,
            "the first user could not be created; add one: ovhai emulator user add"
        );
    }
}

/// The name of the first user.
fn user_name(owner: &Principal) -> String {
    // A system's user name may have characters that are not allowed here.
    let name: String =
        owner.name().chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
    if name.is_empty() { "local".to_owned() } else { name }
}

/// Creates the first user with a given password, or sets it.
async fn make_given_user(platform: Arc<Platform>, password: String) {
    let owner = Principal::Administrator { user: platform.settings().user.clone() };
    let name = user_name(&owner);
    let is_there = platform.snapshot().users().any(|user| user.name == name);
    let made = if is_there {
        platform.set_password(&owner, &name, password).await
    } else {
        platform.add_user(&owner, &name, password).await
    };
    if let Err(why) = made {
        tracing::warn!(%why, name, "the user with the given password could not be created");
    }
}

/// How clients connect, and their limits and log.
struct Ways {
    plain: Vec<TcpListener>,
    secure: Option<(Vec<TcpListener>, Tls)>,
    from_apps: Option<mpsc::UnboundedReceiver<AppListener>>,
    limits: Limits,
    log: Option<LogFile>,
    containers: Option<ContainerRuntime>,
    stores: StoreRoots,
    scratch: Option<Scratch>,
    sample_every: Duration,
    domains: Domains,
    first_password: Option<String>,
}

/// The files of data stores and volumes of an emulator without a state directory; they go with it.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is made when it is needed.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running emulator. Dropping it stops it without waiting; [`Emulator::shutdown`] waits.
pub struct Emulator {
    running: Running,
    platform: Arc<Platform>,
    state: Option<StateDir>,
    lock: Option<Lock>,
    edge: Option<Edge>,
    connections: TaskTracker,
    stopping: CancellationToken,
    abandon: CancellationToken,
    stop_asked: CancellationToken,
    early_stop: watch::Sender<Option<StopReason>>,
    telemetry: Arc<Telemetry>,
    _scratch: Option<Scratch>,
}

/// Why an emulator should be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// A request asked for it.
    Asked,
    /// It has run as long as it was started for.
    TimeIsUp,
    /// Its state directory was removed or replaced: no command finds it any more.
    StateDirectoryLost,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("running", &self.running).finish_non_exhaustive()
    }
}

impl Emulator {
    /// Starts to set one up.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn serve(
        ways: Ways,
        platform: Arc<Platform>,
        running: Running,
        state: Option<StateDir>,
        lock: Option<Lock>,
    ) -> io::Result<Self> {
        let Ways {
            plain,
            secure,
            from_apps,
            limits,
            log,
            containers,
            stores,
            scratch,
            sample_every,
            domains,
            first_password,
        } = ways;
        let telemetry = Telemetry::new(log, platform.components(), Arc::clone(platform.clock()));
        let (stopping, abandon) = (CancellationToken::new(), CancellationToken::new());
        let (stop_asked, users_ready) = (CancellationToken::new(), CancellationToken::new());
        // Hashing a password takes longer than all the rest of a start: only a login waits for it.
        let ready = users_ready.clone().drop_guard();
        let (platform_of_user, state_of_user) = (Arc::clone(&platform), state.clone());
        tokio::spawn(async move {
            let _ready = ready;
            match (first_password, state_of_user) {
                (Some(password), _) => make_given_user(platform_of_user, password).await,
                (None, Some(state)) => make_first_user(platform_of_user, state).await,
                (None, None) => {}
            }
        });
        let connections = TaskTracker::new();
        let gateway = Arc::new(Gateway::new(Arc::clone(&platform), stopping.clone()));
        let shared = Arc::new(Shared {
            platform: Arc::clone(&platform),
            gateway: Arc::clone(&gateway),
            api: api::router(
                Arc::clone(&platform),
                stores.clone(),
                running.address.port(),
                stopping.clone(),
                users_ready,
            ),
            local: console::router(Console::new(
                Arc::clone(&platform),
                Arc::clone(&telemetry),
                gateway,
                running.address.port(),
                stopping.clone(),
                Machine {
                    started_at: running.started_at,
                    secure_port: running.tls.map(|address| address.port()),
                    state: state.clone(),
                    containers: containers.clone(),
                    limits,
                    sample_every,
                },
            ))
            .merge(control::router(control::Control {
                platform: Arc::clone(&platform),
                started_at: running.started_at,
                address: running.address,
                stop_asked: stop_asked.clone(),
                state: state.clone(),
                authority: secure.as_ref().map(|(_, tls)| Arc::clone(tls.authority())),
                telemetry: Arc::clone(&telemetry),
                containers,
                stores,
            })),
            telemetry: Arc::clone(&telemetry),
            limits,
            domains,
            main: tokio::runtime::Handle::current(),
            readers: ReaderThreads::start()?,
            stopping: stopping.clone(),
        });
        let edge = Edge::start(plain, secure, from_apps, shared, &connections, &abandon)?;
        Ok(Self {
            running,
            platform,
            state,
            lock,
            edge: Some(edge),
            connections,
            stopping,
            abandon,
            stop_asked,
            early_stop: watch::Sender::new(None),
            telemetry,
            _scratch: scratch,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// The local administrator's bearer.
    pub fn administrator(&self) -> &str {
        &self.running.administrator
    }

    /// What its state directory tells other commands.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// The domain, for programs that embed the emulator.
    pub fn platform(&self) -> &Arc<Platform> {
        &self.platform
    }

    /// Waits until it should be stopped. Returns the reason.
    pub async fn stop_asked(&self) -> StopReason {
        let mut early = self.early_stop.subscribe();
        tokio::select! {
            () = self.stop_asked.cancelled() => StopReason::Asked,
            // The sender lives as long as this.
            Ok(reason) = early.wait_for(Option::is_some) => reason.unwrap_or(StopReason::Asked),
        }
    }

    /// Watches for reasons to stop other than requests.
    fn watch(&self, stop_after: Option<Duration>) {
        let lost = self.lock.as_ref().map(Lock::until_lost);
        let (early, stopping) = (self.early_stop.clone(), self.stopping.clone());
        tokio::spawn(async move {
            let time_is_up = async {
                match stop_after {
                    Some(time) => tokio::time::sleep(time).await,
                    None => std::future::pending().await,
                }
            };
            let lost = async {
                match lost {
                    Some(lost) => lost.await,
                    None => std::future::pending().await,
                }
            };
            let reason = tokio::select! {
                () = stopping.cancelled() => return,
                () = time_is_up => StopReason::TimeIsUp,
                () = lost => StopReason::StateDirectoryLost,
            };
            early.send_replace(Some(reason));
        });
    }

    /// Stops it within two seconds: requests finish or are broken off, apps are asked to stop and
    /// then ended. What was acknowledged is durable before; the directory is free afterwards.
    pub async fn shutdown(mut self) {
        self.stopping.cancel();
        self.connections.close();
        // First the requests, which still need the apps.
        if tokio::time::timeout(DRAIN, self.connections.wait()).await.is_err() {
            self.abandon.cancel();
            let _ = tokio::time::timeout(DRAIN, self.connections.wait()).await;
        }
        if let Some(edge) = self.edge.take() {
            // They end at once now; a thread must not outlive what it serves.
            self.abandon.cancel();
            let _ = tokio::task::spawn_blocking(move || edge.join()).await;
        }
        self.platform.shutdown(SHUTDOWN).await;
        let telemetry = Arc::clone(&self.telemetry);
        // It fails only when the runtime is ending; then the log's own thread does its best.
        let _ = tokio::task::spawn_blocking(move || telemetry.flush(FLUSH)).await;
        self.leave();
    }

    fn leave(&mut self) {
        // If the directory was replaced, another emulator may have announced itself there.
        if let (Some(state), Some(lock)) = (&self.state, &self.lock)
            && lock.is_in_place()
        {
            state.withdraw();
        }
        self.lock = None;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.abandon.cancel();
        self.platform.abandon();
        self.leave();
    }
}
