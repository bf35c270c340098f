//! What runs the replicas of apps.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::{AppId, Environment};
use tokio::sync::mpsc;

use super::future::BoxFuture;
use crate::logs::LogBuffer;
use crate::replica::{ExitStatus, ReplicaId};
use crate::spec::Spec;

/// Where a replica answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The app's own HTTP port.
    pub http: SocketAddr,
    /// The process behind it, when there is one.
    pub pid: Option<u32>,
    grpc: Option<SocketAddr>,
    /// By the port's number as the app has it, which may be another here; sorted.
    ports: Arc<[(u16, SocketAddr)]>,
}

impl Endpoint {
    /// One that answers on its HTTP port only.
    pub fn new(http: SocketAddr, pid: Option<u32>) -> Self {
        Self { http, pid, grpc: None, ports: Arc::default() }
    }

    /// Answers on these ports too: the number as the app has it, and where that is.
    #[must_use]
    pub fn with_ports(mut self, ports: impl IntoIterator<Item = (u16, SocketAddr)>) -> Self {
        let ports: BTreeMap<u16, SocketAddr> = ports.into_iter().collect();
        self.ports = ports.into_iter().collect();
        self
    }

    /// Speaks gRPC there.
    #[must_use]
    pub fn with_grpc(mut self, grpc: Option<SocketAddr>) -> Self {
        self.grpc = grpc;
        self
    }

    /// Where a port of the app is; none if nothing of the app listens there.
    pub fn at(&self, port: u16) -> Option<SocketAddr> {
        let at = self.ports.binary_search_by_key(&port, |(number, _)| *number).ok()?;
        self.ports.get(at).map(|(_, address)| *address)
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

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The image, the command or the program: the app is FAILED.
    User,
    /// The emulator or the machine: the app is in ERROR.
    Platform,
}

/// What a replica tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaEvent {
    /// It does not answer yet, and this is what was seen last.
    Waiting(String),
    /// It answers; or, said again, on other ports than before.
    Ready(Endpoint),
    /// It does not answer any more, though it is still there.
    Lost(String),
    /// It is gone, or never came; nothing of it is left.
    Exited {
        /// Whose fault it is.
        fault: Fault,
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
        // The actor may be gone already; then nobody wants to know.
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
    /// What to run.
    pub spec: Spec,
    /// All variables of a process but those of the spec and the ports; none: those that every
    /// process gets.
    pub environment: Option<Environment>,
    /// Where its output goes.
    pub logs: Arc<LogBuffer>,
}

/// A launched replica. Dropping it must not leave anything running.
pub trait Replica: Send + Sync {
    /// Asks it to stop, ends it by force after `grace`, and is ready when nothing is left.
    fn stop(&self, grace: Duration) -> BoxFuture<'static, ()>;
}

/// Runs replicas.
pub trait Runtime: Send + Sync + 'static {
    /// Launches one replica, which reports on `reporter` from now on.
    fn launch(&self, request: ReplicaRequest, reporter: ReplicaReporter) -> Box<dyn Replica>;
}
