//! The settings that an emulator starts with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::Placement;
use ovhai_containers::ContainerSettings;
use ovhai_core::components::Components;
use ovhai_core::platform::SessionTtl;
use ovhai_core::ports::{Clock, Ids, Runtime, Store};
use ovhai_core::quota::Quotas;

use crate::host::Domains;
use crate::limits::Limits;
use crate::state::StateDir;
use crate::telemetry::AccessLog;

/// The settings that an emulator starts with. Everything has a default: no state directory, a port
/// of the system's choosing on loopback, two regions, the real clock and runtimes.
#[derive(Default)]
pub struct Builder {
    pub(super) state: Option<StateDir>,
    pub(super) listener: Option<std::net::TcpListener>,
    pub(super) address: Option<SocketAddr>,
    pub(super) tls: Option<SocketAddr>,
    pub(super) regions: Vec<String>,
    pub(super) placement: Option<Placement>,
    pub(super) supervisor: Option<PathBuf>,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) ids: Option<Arc<dyn Ids>>,
    pub(super) runtime: Option<Arc<dyn Runtime>>,
    pub(super) store: Option<Arc<dyn Store>>,
    pub(super) administrator: Option<String>,
    pub(super) user: Option<String>,
    pub(super) quotas: Quotas,
    pub(super) session_ttl: SessionTtl,
    pub(super) restart_delay: Option<Duration>,
    pub(super) token_exec: bool,
    pub(super) limits: Limits,
    pub(super) sample_every: Option<Duration>,
    pub(super) interrupts_weekly: bool,
    pub(super) access_log: Option<AccessLog>,
    pub(super) components: Arc<Components>,
    pub(super) processes: Option<PathBuf>,
    pub(super) private: Vec<PathBuf>,
    pub(super) containers: ContainerSettings,
    pub(super) from_apps: bool,
    pub(super) stop_after: Option<Duration>,
    pub(super) domains: Domains,
    pub(super) first_password: Option<String>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Builder {
    /// Keeps its state in a directory; without one nothing is kept.
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.state = Some(StateDir::new(path));
        self
    }

    /// Uses a bound listener.
    pub fn listener(mut self, listener: std::net::TcpListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Listens on this address; port 0 lets the system choose.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Serves HTTPS too, at this address; port 0 lets the system choose.
    pub fn tls(mut self, address: SocketAddr) -> Self {
        self.tls = Some(address);
        self
    }

    /// Has these regions; the first is the default.
    pub fn regions<S: Into<String>>(mut self, regions: impl IntoIterator<Item = S>) -> Self {
        self.regions = regions.into_iter().map(Into::into).collect();
        self
    }

    /// Runs apps this way that name no runtime and whose image is not built in.
    pub fn placement(mut self, placement: Option<Placement>) -> Self {
        self.placement = placement;
        self
    }

    /// The `ovhai` executable, which supervises processes; by default the running executable.
    pub fn supervisor(mut self, path: impl Into<PathBuf>) -> Self {
        self.supervisor = Some(path.into());
        self
    }

    /// Uses this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Uses this source of ids.
    pub fn ids(mut self, ids: Arc<dyn Ids>) -> Self {
        self.ids = Some(ids);
        self
    }

    /// Runs apps with this runtime.
    pub fn runtime(mut self, runtime: Arc<dyn Runtime>) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Uses this store instead of the state directory's database or memory.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// The local administrator's bearer; random by default.
    pub fn administrator(mut self, bearer: impl Into<String>) -> Self {
        self.administrator = Some(bearer.into());
        self
    }

    /// Quotas of the apps of a region; by default what the cloud gives a project.
    pub fn quotas(mut self, quotas: Quotas) -> Self {
        self.quotas = quotas;
        self
    }

    /// Delay before the second restart of a replica that keeps crashing; doubles with every further
    /// one, up to 30 times this [default: 500 ms; Kubernetes: 10 s].
    pub fn restart_delay(mut self, delay: Duration) -> Self {
        self.restart_delay = Some(delay);
        self
    }

    /// Whether the platform interrupts each app a week after its start, as the cloud may do.
    pub fn interrupts_weekly(mut self, does: bool) -> Self {
        self.interrupts_weekly = does;
        self
    }

    /// Whether operator tokens may run commands in apps, and copy their files.
    pub fn token_exec(mut self, allowed: bool) -> Self {
        self.token_exec = allowed;
        self
    }

    /// How long a login lasts.
    pub fn session_ttl(mut self, ttl: SessionTtl) -> Self {
        self.session_ttl = ttl;
        self
    }

    /// Limits on clients and on responses of apps.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Time between two samples of the console's charts [default: 10 s].
    pub fn sample_every(mut self, time: Duration) -> Self {
        self.sample_every = Some(time);
        self
    }

    /// Where the access log goes; by default into the state directory, and nowhere without one.
    pub fn access_log(mut self, log: AccessLog) -> Self {
        self.access_log = Some(log);
        self
    }

    /// Reports there which components fail; the caller's own, such as its log, may report there,
    /// too.
    pub fn components(mut self, components: Arc<Components>) -> Self {
        self.components = components;
        self
    }

    /// Where the processes of apps are recorded, so that the next emulator ends those that this one
    /// could not; by default in the state directory, and nowhere without one.
    pub fn processes(mut self, directory: impl Into<PathBuf>) -> Self {
        self.processes = Some(directory.into());
        self
    }

    /// Directories and sockets of this machine that may not be data stores, beside the state directory
    /// and the usual ones.
    pub fn private(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        self.private.extend(paths);
        self
    }

    /// How containers are run, and by which engine; by default there is no engine.
    pub fn containers(mut self, settings: ContainerSettings) -> Self {
        self.containers = settings;
        self
    }

    /// Lets containers call other apps through the gateway, with tokens as any client; only with an
    /// address on loopback, because containers would reach the API at any other.
    pub fn calls_from_apps(mut self, allowed: bool) -> Self {
        self.from_apps = allowed;
        self
    }

    /// Answers under these names, too.
    pub fn domains(mut self, domains: Domains) -> Self {
        self.domains = domains;
        self
    }

    /// Creates the first user with this password, also without a state directory.
    pub fn first_password(mut self, password: impl Into<String>) -> Self {
        self.first_password = Some(password.into());
        self
    }

    /// Asks to be stopped after this time; see [`crate::Emulator::stop_asked`].
    pub fn stop_after(mut self, time: Duration) -> Self {
        self.stop_after = Some(time);
        self
    }

    /// The local administrator's name.
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }
}
