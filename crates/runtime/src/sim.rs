//! A runtime in which nothing runs: for tests of what the domain makes of events.
//!
//! In automatic mode every replica answers at once and stops at once. Step by step, nothing
//! happens but what the test says.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ovhai_api_types::{AppId, Environment, Placement};
use ovhai_core::ports::{
    Blame, BoxFuture, ExecBackend, ExecControl, ExecOutput, ExecSession, ExecTask, FileWatch,
    ImageAccess, NoExec, Replica, ReplicaEndpoint, ReplicaEvent, ReplicaReporter, ReplicaRequest,
    ReplicaUsage, Runtime, Survivor,
};
use ovhai_core::replica::{ExitStatus, ReplicaId, ReplicaKey};
use ovhai_core::spec::Spec;
use tokio::sync::{Notify, watch};

/// A replica that was launched.
#[derive(Debug, Clone)]
pub struct Launched {
    /// The app.
    pub app: AppId,
    /// Number of the run.
    pub number: u64,
    /// Which run of which replica it is.
    pub replica: ReplicaId,
    /// What it runs.
    pub spec: Spec,
    /// The environment that it gets.
    pub environment: Option<Environment>,
    /// With how much grace it was asked to stop, if it was.
    pub stopping: Option<Duration>,
    /// What its image may be pulled with.
    pub image_access: ImageAccess,
    /// Whether nothing is left of it.
    pub gone: bool,
    /// Replicas of an earlier emulator that were still there when it was launched.
    pub survivors: usize,
    /// How often it was woken.
    pub wakes: u32,
    /// What it has used, as the test says.
    pub usage: Option<ReplicaUsage>,
}

struct Entry {
    launched: Launched,
    reporter: ReplicaReporter,
    done: Option<watch::Sender<()>>,
}

#[derive(Default)]
struct State {
    replicas: Vec<Entry>,
    survivors: Vec<ReplicaKey>,
    /// In automatic mode, replicas are asleep instead of answering.
    is_sleepy: bool,
    /// The directories that are watched.
    watched: Vec<String>,
    /// What replicas run as.
    placement: Option<Placement>,
    /// The commands that were run in replicas.
    execs: Vec<(ReplicaId, ExecTask)>,
}

/// See the module.
#[derive(Clone)]
pub struct SimRuntime {
    automatic: bool,
    endpoint: SocketAddr,
    grpc: Option<SocketAddr>,
    state: Arc<Mutex<State>>,
    files: Arc<Notify>,
}

impl std::fmt::Debug for SimRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimRuntime").field("automatic", &self.automatic).finish_non_exhaustive()
    }
}

impl SimRuntime {
    /// Every replica answers at `endpoint`, at once.
    pub fn automatic(endpoint: SocketAddr) -> Self {
        Self { automatic: true, endpoint, grpc: None, state: Arc::default(), files: Arc::default() }
    }

    /// Nothing happens by itself.
    pub fn step_by_step() -> Self {
        let endpoint = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        Self { automatic: false, ..Self::automatic(endpoint) }
    }

    /// Every replica speaks gRPC at `address`.
    #[must_use]
    pub fn with_grpc(self, address: SocketAddr) -> Self {
        Self { grpc: Some(address), ..self }
    }

    fn endpoint(&self) -> ReplicaEndpoint {
        ReplicaEndpoint::new(self.endpoint).with_grpc(self.grpc)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that was launched, in its order.
    pub fn launched(&self) -> Vec<Launched> {
        self.lock().replicas.iter().map(|entry| entry.launched.clone()).collect()
    }

    /// The numbers of the replicas that are there and were not asked to stop.
    pub fn alive(&self) -> Vec<u64> {
        let alive = |l: &Launched| !l.gone && l.stopping.is_none();
        self.launched().iter().filter(|l| alive(l)).map(|l| l.number).collect()
    }

    /// Replica `number` (of any app) reports this.
    pub fn report(&self, number: u64, event: &ReplicaEvent) {
        for entry in self.lock().replicas.iter().filter(|entry| entry.launched.number == number) {
            entry.reporter.report(event.clone());
        }
    }

    /// Replica `number` (of any app) answers from now on.
    pub fn ready(&self, number: u64) {
        self.report(number, &ReplicaEvent::Ready(self.endpoint()));
    }

    /// Replica `number` is asleep until it is woken.
    pub fn sleep(&self, number: u64) {
        self.report(number, &ReplicaEvent::Asleep);
    }

    /// Every replica is asleep from now on, the launched ones and those to come; when it is woken
    /// nothing happens but what the test says.
    pub fn sleep_all(&self) {
        self.lock().is_sleepy = true;
        for number in self.alive() {
            self.sleep(number);
        }
    }

    /// Replicas of an earlier emulator that the next start finds.
    pub fn survive(&self, survivors: impl IntoIterator<Item = ReplicaKey>) {
        self.lock().survivors.extend(survivors);
    }

    /// The directories that are watched.
    pub fn watched(&self) -> Vec<String> {
        self.lock().watched.clone()
    }

    /// Files of the watched directories change.
    pub fn change_files(&self) {
        self.files.notify_one();
    }

    /// Replicas run as this from now on. Then commands in them say what they get: their input on
    /// standard output, resizes and signals on standard error; they end with their input. The
    /// command `exit N` ends at once. Without a placement, no command runs in them.
    pub fn run_as(&self, placement: Placement) {
        self.lock().placement = Some(placement);
    }

    /// The commands that were run in replicas.
    pub fn execs(&self) -> Vec<(ReplicaId, ExecTask)> {
        self.lock().execs.clone()
    }

    /// Replica `number` has used this.
    pub fn set_usage(&self, number: u64, usage: ReplicaUsage) {
        for entry in self.lock().replicas.iter_mut().filter(|entry| entry.launched.number == number)
        {
            entry.launched.usage = Some(usage);
        }
    }

    /// Replica `number` does not answer, for this reason.
    pub fn waiting(&self, number: u64, why: &str) {
        self.report(number, &ReplicaEvent::Waiting(why.into()));
    }

    /// Replica `number` is gone by itself.
    pub fn exit(&self, number: u64, fault: Blame, message: &str) {
        let message = message.into();
        self.report(number, &ReplicaEvent::Exited { fault, status: None, message });
        self.finish(number);
    }

    /// The process of replica `number` ends by itself.
    pub fn crash(&self, number: u64, status: ExitStatus) {
        let message = format!("The command {}", status.predicate());
        let status = Some(status);
        self.report(number, &ReplicaEvent::Exited { fault: Blame::User, status, message });
        self.finish(number);
    }

    /// Replica `number`, which was asked to stop, has.
    pub fn finish(&self, number: u64) {
        for entry in self.lock().replicas.iter_mut().filter(|entry| entry.launched.number == number)
        {
            entry.launched.gone = true;
            entry.done = None;
        }
    }
}

struct SimReplica {
    sim: SimRuntime,
    index: usize,
    done: watch::Receiver<()>,
}

impl Replica for SimReplica {
    fn stop(&self, grace: Duration) -> BoxFuture<'static, ()> {
        if let Some(entry) = self.sim.lock().replicas.get_mut(self.index) {
            entry.launched.stopping = Some(grace);
            if self.sim.automatic {
                entry.launched.gone = true;
                entry.done = None;
            }
        }
        let mut done = self.done.clone();
        Box::pin(async move { while done.changed().await.is_ok() {} })
    }

    fn wake(&self) {
        if let Some(entry) = self.sim.lock().replicas.get_mut(self.index) {
            entry.launched.wakes += 1;
        }
    }

    fn usage(&self) -> BoxFuture<'static, Option<ReplicaUsage>> {
        let usage = self.sim.lock().replicas.get(self.index).and_then(|one| one.launched.usage);
        Box::pin(async move { usage })
    }

    fn placement(&self) -> Option<Placement> {
        self.sim.lock().placement
    }

    fn exec(&self, task: ExecTask) -> Result<ExecSession, NoExec> {
        let mut state = self.sim.lock();
        let one = state.replicas.get(self.index).filter(|one| !one.launched.gone);
        let replica = one.ok_or(NoExec::NotRunning)?.launched.replica;
        if !matches!(state.placement, Some(Placement::Container | Placement::Process)) {
            return Err(NoExec::NotSupported);
        }
        state.execs.push((replica, task.clone()));
        let (session, backend) = ExecSession::new();
        tokio::spawn(scripted(task, backend, self.done.clone()));
        Ok(session)
    }
}

/// A command; see [`SimRuntime::run_as`].
async fn scripted(task: ExecTask, mut backend: ExecBackend, mut gone: watch::Receiver<()>) {
    let exit = match &task {
        ExecTask::Command { command, .. } => match &command[..] {
            [word, code] if word == "exit" => code.parse().ok(),
            _ => None,
        },
        ExecTask::Copy { .. } => None,
    };
    let status = loop {
        if let Some(code) = exit {
            break ExitStatus::Code(code);
        }
        let said = tokio::select! {
            bytes = backend.input.recv() => match bytes {
                Some(bytes) => ExecOutput::Stdout(bytes),
                None => break ExitStatus::Code(0),
            },
            Some(control) = backend.control.recv() => ExecOutput::Stderr(match control {
                ExecControl::Resize(size) => format!("{}x{}\n", size.width, size.height).into(),
                ExecControl::Signal(number) => format!("signal {number}\n").into(),
            }),
            _ = gone.changed() => break ExitStatus::Signal(9),
            () = backend.output.closed() => return,
        };
        // The session may have been dropped.
        let _ = backend.output.send(said).await;
    };
    let _ = backend.output.send(ExecOutput::Ended(status)).await;
}

/// A replica of an earlier emulator, until it is stopped.
struct SimSurvivor {
    sim: SimRuntime,
    key: ReplicaKey,
}

impl Replica for SimSurvivor {
    fn stop(&self, _grace: Duration) -> BoxFuture<'static, ()> {
        self.sim.lock().survivors.retain(|key| *key != self.key);
        Box::pin(async {})
    }
}

/// Watches what the test says.
struct SimFiles(Arc<Notify>);

impl FileWatch for SimFiles {
    fn changed(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.notified())
    }
}

impl Runtime for SimRuntime {
    fn watch(&self, directories: Vec<String>) -> BoxFuture<'_, Result<Box<dyn FileWatch>, String>> {
        let is_missing = directories.iter().any(|directory| directory == "/missing");
        self.lock().watched = directories;
        let files: Box<dyn FileWatch> = Box::new(SimFiles(Arc::clone(&self.files)));
        let watch =
            if is_missing { Err("there is no directory /missing".into()) } else { Ok(files) };
        Box::pin(async { watch })
    }

    fn recover(&self) -> BoxFuture<'_, Vec<Survivor>> {
        let keys = self.lock().survivors.clone();
        let survivor = |key| {
            let handle = Box::new(SimSurvivor { sim: self.clone(), key });
            Survivor { key, handle }
        };
        let all = keys.into_iter().map(survivor).collect();
        Box::pin(async move { all })
    }

    fn launch(&self, request: ReplicaRequest, reporter: ReplicaReporter) -> Box<dyn Replica> {
        let (done, ended) = watch::channel(());
        let mut state = self.lock();
        if state.is_sleepy {
            reporter.report(ReplicaEvent::Asleep);
        } else if self.automatic {
            reporter.report(ReplicaEvent::Ready(self.endpoint()));
        }
        let survivors = state.survivors.len();
        state.replicas.push(Entry {
            launched: Launched {
                app: request.app,
                number: request.number,
                replica: request.replica,
                spec: request.spec.clone(),
                environment: request.environment.clone(),
                image_access: request.image_access.clone(),
                stopping: None,
                gone: false,
                survivors,
                wakes: 0,
                usage: None,
            },
            reporter,
            done: Some(done),
        });
        let index = state.replicas.len() - 1;
        Box::new(SimReplica { sim: self.clone(), index, done: ended })
    }
}
