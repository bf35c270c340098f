//! What runs the replicas of apps.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::{AppId, Environment, Placement};
use tokio::sync::mpsc;

use super::blame::Blame;
use super::exec::{ExecSession, ExecTask};
use super::future::BoxFuture;
use super::images::ImageAccess;
use super::volumes::MountedVolume;
use crate::logs::LogBuffer;
use crate::replica::{ExitStatus, ReplicaContainer, ReplicaId, ReplicaKey};
use crate::spec::Spec;

/// Where a replica answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaEndpoint {
    /// The app's own HTTP port, on whatever host.
    pub http: SocketAddr,
    /// Whether the addresses are taken by this replica alone: another one that is to listen on one
    /// of them has to wait until this one is gone.
    pub exclusive: bool,
    grpc: Option<SocketAddr>,
    /// By the port's number as the app has it, which may be another here; sorted.
    ports: Arc<[(u16, SocketAddr)]>,
    /// An address of the replica's own, on which it has all its ports.
    host: Option<IpAddr>,
}

impl ReplicaEndpoint {
    /// One that answers on its HTTP port only.
    pub fn new(http: SocketAddr) -> Self {
        Self { http, exclusive: false, grpc: None, ports: Arc::default(), host: None }
    }

    /// The same, on addresses that no other replica can have meanwhile.
    #[must_use]
    pub fn exclusively(self) -> Self {
        Self { exclusive: true, ..self }
    }

    /// Answers on these ports too: the number as the app has it, and where that is.
    #[must_use]
    pub fn with_ports(mut self, ports: impl IntoIterator<Item = (u16, SocketAddr)>) -> Self {
        let ports: BTreeMap<u16, SocketAddr> = ports.into_iter().collect();
        self.ports = ports.into_iter().collect();
        self
    }

    /// Has an address of its own: every other port is at this address, under its own number.
    #[must_use]
    pub fn with_host(self, host: IpAddr) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Speaks gRPC there.
    #[must_use]
    pub fn with_grpc(mut self, grpc: Option<SocketAddr>) -> Self {
        self.grpc = grpc;
        self
    }

    /// Where a port of the app is; none if nothing of the app listens there.
    pub fn at(&self, port: u16) -> Option<SocketAddr> {
        let known = self.ports.binary_search_by_key(&port, |(number, _)| *number).ok();
        let known = known.and_then(|at| self.ports.get(at)).map(|(_, address)| *address);
        known.or_else(|| self.host.map(|host| SocketAddr::new(host, port)))
    }

    /// Where it speaks gRPC.
    pub fn grpc(&self) -> Option<SocketAddr> {
        self.grpc
    }

    /// The numbers of the ports that it answers on, in order.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        self.ports.iter().map(|(number, _)| *number)
    }
}

/// Time a replica has between being asked to stop and being ended, as in Docker.
pub const STOP_GRACE: Duration = Duration::from_secs(10);

/// What a replica tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaEvent {
    /// It does not answer yet, and this is what was seen last.
    Waiting(String),
    /// It can't answer yet, through no fault of its own: its image is being pulled and has moved, or
    /// the engine is away. The time that it has to answer begins anew with every report.
    Pending(String),
    /// Its container runs.
    Created(ReplicaContainer),
    /// It answers; or, said again, on other ports than before.
    Ready(ReplicaEndpoint),
    /// It stopped answering, and is still there.
    Lost(String),
    /// It runs nothing until it is woken, and answers then.
    Asleep,
    /// It is gone, or never came; nothing of it is left.
    Exited {
        /// Whose fault it is.
        fault: Blame,
        /// How its process ended, if it had one.
        status: Option<ExitStatus>,
        /// What happened, and what to do, for a person.
        message: String,
    },
}

/// How a replica's runtime reports. Reports after the actor is gone are dropped.
#[derive(Debug, Clone)]
pub struct ReplicaReporter {
    number: u64,
    sender: mpsc::UnboundedSender<(u64, ReplicaEvent)>,
}

impl ReplicaReporter {
    /// A reporter for replica `number`.
    pub fn new(number: u64, sender: mpsc::UnboundedSender<(u64, ReplicaEvent)>) -> Self {
        Self { number, sender }
    }

    /// Reports one event.
    pub fn report(&self, event: ReplicaEvent) {
        // The actor may be gone already.
        let _ = self.sender.send((self.number, event));
    }
}

/// What a runtime is asked to run.
#[derive(Debug, Clone)]
pub struct ReplicaRequest {
    /// The app.
    pub app: AppId,
    /// Number of the run, unique in the app's activation.
    pub number: u64,
    /// What people call it, and its output.
    pub replica: ReplicaId,
    /// The app's revision: replicas of one revision are of one version of the image.
    pub revision: u64,
    /// What to run.
    pub spec: Spec,
    /// All variables of a process but those of the spec and the ports; none: those that every
    /// process gets.
    pub environment: Option<Environment>,
    /// Its volumes, whose files are there.
    pub volumes: Arc<[MountedVolume]>,
    /// What its image may be pulled with, if it runs as a container.
    pub image_access: ImageAccess,
    /// Where its output goes.
    pub logs: Arc<LogBuffer>,
}

/// What a replica has used, in counters: a rate is the difference of two readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplicaUsage {
    /// CPU time of all its processes since it was launched, also of those that have ended.
    pub cpu: Duration,
    /// Memory that it has now, in bytes.
    pub memory: u64,
}

/// Why a replica runs no command beside its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoExec {
    /// It does not run yet, or no longer.
    NotRunning,
    /// No replica of its kind can.
    NotSupported,
}

/// A launched replica. Dropping it must not leave anything running.
pub trait Replica: Send + Sync {
    /// Asks it to stop, ends it by force after `grace`, and is ready when nothing is left.
    fn stop(&self, grace: Duration) -> BoxFuture<'static, ()>;

    /// Wakes one that has reported that it is asleep; it reports when it answers.
    fn wake(&self) {}

    /// What it has used so far; none if the runtime can't tell, or it is gone.
    fn usage(&self) -> BoxFuture<'static, Option<ReplicaUsage>> {
        Box::pin(async { None })
    }

    /// What it runs as; none if it runs nothing.
    fn placement(&self) -> Option<Placement> {
        None
    }

    /// Runs a command inside it, or copies its files. The command ends with the session, and with
    /// the replica.
    fn exec(&self, _task: ExecTask) -> Result<ExecSession, NoExec> {
        Err(NoExec::NotSupported)
    }
}

/// A replica that an earlier emulator launched, and that still runs.
pub struct Survivor {
    /// Which replica it is.
    pub key: ReplicaKey,
    /// The replica.
    pub handle: Box<dyn Replica>,
}

impl std::fmt::Debug for Survivor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Survivor").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Watches files that an app is made of.
pub trait FileWatch: Send {
    /// Waits until files have changed, and for the last of several changes that belong together.
    /// Cancelling it loses none.
    fn changed(&mut self) -> BoxFuture<'_, ()>;
}

/// Runs replicas.
pub trait Runtime: Send + Sync + 'static {
    /// Ends what an earlier emulator left and can't go on; returns what still runs. Called once,
    /// before the first launch.
    fn recover(&self) -> BoxFuture<'_, Vec<Survivor>> {
        Box::pin(async { Vec::new() })
    }

    /// Watches the files of these directories and of all below. The error says why it can't.
    fn watch(
        &self,
        _directories: Vec<String>,
    ) -> BoxFuture<'_, Result<Box<dyn FileWatch>, String>> {
        Box::pin(async { Err("this runtime watches no files".into()) })
    }

    /// The app was deleted, and none of its replicas is left: what else belongs to it goes.
    fn forget(&self, _app: AppId) {}

    /// Launches one replica, which reports on `reporter` from now on.
    fn launch(&self, request: ReplicaRequest, reporter: ReplicaReporter) -> Box<dyn Replica>;
}
