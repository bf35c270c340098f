//! The runtime: launches replicas, and removes what earlier emulators left.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ovhai_api_types::{AppId, Placement};
use ovhai_core::ports::{
    BoxFuture, ExecSession, ExecTask, NoExec, Replica, ReplicaReporter, ReplicaRequest,
    ReplicaUsage, Runtime, Survivor,
};
use tokio::sync::{mpsc, watch};

use crate::engine::{EngineInfo, NoEngine, Tried, text};
use crate::from_apps::FromApps;
use crate::hub::Link;
use crate::images::Images;
use crate::kindness::Known;
use crate::labels::Owner;
use crate::network::Networks;
use crate::shared::{ContainerSettings, Control, Shared};
use crate::usage::{self, Running};
use crate::{archive, exec, reap, replica};

/// The engine, as it is now.
#[derive(Debug, Clone)]
pub struct EngineStatus {
    /// The engine that answers, or what was tried.
    pub engine: Result<EngineInfo, NoEngine>,
    /// The places in which none answered, before the one that did.
    pub tried: Vec<Tried>,
    /// What it can't isolate, as far as is known, in sentences without a full stop.
    pub gaps: Vec<String>,
    /// Whether containers can call other apps; none: they may not.
    pub calls: Option<CallsFromApps>,
}

/// Whether containers can call other apps: the gateway's address for them, or why they can't.
pub type CallsFromApps = Result<String, String>;

/// Runs replicas as containers; see the crate.
#[derive(Clone)]
pub struct ContainerRuntime(Arc<Shared>);

impl std::fmt::Debug for ContainerRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContainerRuntime")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl ContainerRuntime {
    /// `state` is the id of the state directory, which never changes: by it an emulator recognises
    /// the containers of earlier ones. `directory` is one in the state directory, made when it is
    /// needed. `program` is the `ovhai` executable, which runs the [watcher](crate::watcher); none: the
    /// containers of an emulator that is killed stay until the next one. `from_apps` opens listeners
    /// for containers; none: containers may not call other apps.
    pub fn new(
        settings: ContainerSettings,
        state: impl Into<String>,
        directory: impl Into<PathBuf>,
        program: Option<PathBuf>,
        from_apps: Option<FromApps>,
    ) -> Self {
        let directory = directory.into();
        let link = Link::new(
            settings.engine.clone(),
            Owner::own(state),
            settings.keep_failed,
            program,
            directory.clone(),
        );
        let networks = Networks::new(settings.is_published, from_apps);
        Self(Arc::new(Shared {
            settings,
            directory,
            link,
            images: Images::default(),
            networks,
            known: Known::default(),
            launches: AtomicU64::new(1),
        }))
    }

    /// The engine, which is looked for unless there is a connection.
    pub async fn status(&self) -> EngineStatus {
        let networks = &self.0.networks;
        let calls = networks.calls();
        let open = networks.open();
        let open = open.map(|why| format!("apps can reach each other's containers: {why}"));
        match self.0.link.engine().await {
            Ok(engine) => {
                let why = "the networks of an engine without root's rights are not on this machine";
                let calls = calls.map(|calls| match calls {
                    Ok(_) if engine.info.is_rootless => Err(why.into()),
                    calls => calls,
                });
                let gaps = open.into_iter().chain(engine.info.gaps()).collect();
                let tried = engine.tried.clone();
                EngineStatus { engine: Ok(engine.info.clone()), tried, gaps, calls }
            }
            Err(none) => {
                let (tried, gaps) = (none.tried.clone(), open.into_iter().collect());
                EngineStatus { tried, engine: Err(none), gaps, calls }
            }
        }
    }
}

struct ContainerReplica {
    stop: mpsc::UnboundedSender<Duration>,
    done: watch::Receiver<()>,
    running: Arc<Mutex<Option<Running>>>,
}

impl Replica for ContainerReplica {
    fn stop(&self, grace: Duration) -> BoxFuture<'static, ()> {
        // A task that has ended has closed the channel.
        let _ = self.stop.send(grace);
        let mut done = self.done.clone();
        Box::pin(async move { while done.changed().await.is_ok() {} })
    }

    fn usage(&self) -> BoxFuture<'static, Option<ReplicaUsage>> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move { usage::of(running?).await })
    }

    fn placement(&self) -> Option<Placement> {
        Some(Placement::Container)
    }

    fn exec(&self, task: ExecTask) -> Result<ExecSession, NoExec> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let running = running.ok_or(NoExec::NotRunning)?;
        let (session, backend) = ExecSession::new();
        match task {
            ExecTask::Command { command: words, terminal, has_input } => {
                let command = exec::Command { words, terminal, has_input };
                tokio::spawn(exec::run(running, command, backend));
            }
            ExecTask::Copy { direction, path } => {
                tokio::spawn(archive::run(running, direction, path, backend));
            }
        }
        Ok(session)
    }
}

impl Runtime for ContainerRuntime {
    /// No container survives: its output and its end were an earlier emulator's to read.
    fn recover(&self) -> BoxFuture<'_, Vec<Survivor>> {
        Box::pin(async {
            self.0.link.recover().await;
            Vec::new()
        })
    }

    fn forget(&self, app: AppId) {
        let shared = Arc::clone(&self.0);
        shared.images.forget(app);
        if shared.settings.keep_failed {
            tokio::spawn(async move {
                let Some(engine) = shared.link.connected().await else { return };
                let of_app = shared.link.owner.of_app(app);
                if let Err(error) = reap::kept(&engine.docker, of_app, 0).await {
                    tracing::warn!(%app, why = text(&error), "kept containers can't be removed");
                }
                shared.networks.forget(&engine, app).await;
            });
        }
    }

    fn launch(&self, request: ReplicaRequest, reporter: ReplicaReporter) -> Box<dyn Replica> {
        let (stop, stop_requests) = mpsc::unbounded_channel();
        let (done, ended) = watch::channel(());
        let running = Arc::new(Mutex::new(None));
        let control = Control { stop: stop_requests, done, running: Arc::clone(&running) };
        tokio::spawn(replica::run(Arc::clone(&self.0), request, reporter, control));
        Box::new(ContainerReplica { stop, done: ended, running })
    }
}
