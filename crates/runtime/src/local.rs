//! Chooses the runtime of an app: the one that the app asks for, else built-in for a built-in image,
//! else the emulator's default, else a container engine.

use std::path::PathBuf;
use std::sync::Arc;

use ovhai_api_types::{AppId, Placement};
use ovhai_core::ports::{
    Blame, BoxFuture, FileWatch, Replica, ReplicaEvent, ReplicaReporter, ReplicaRequest, Runtime,
    Survivor,
};

use crate::process::ProcessRuntime;
use crate::remains::Register;
use crate::{builtin, changes};

/// See the module.
pub struct LocalRuntime {
    default: Option<Placement>,
    processes: ProcessRuntime,
    containers: Arc<dyn Runtime>,
}

impl std::fmt::Debug for LocalRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalRuntime").field("default", &self.default).finish_non_exhaustive()
    }
}

impl LocalRuntime {
    /// `default` is for apps that ask for no runtime and whose image is not built in. `supervisor` is the `ovhai`
    /// executable: see [`crate::supervisor`]. Processes are entered in the register. `containers`
    /// runs images in a container engine.
    pub fn new(
        default: Option<Placement>,
        supervisor: PathBuf,
        register: Register,
        containers: Arc<dyn Runtime>,
    ) -> Self {
        Self { default, processes: ProcessRuntime::new(supervisor, register), containers }
    }
}

/// A replica that was refused.
struct Nothing;

impl Replica for Nothing {
    fn stop(&self, _grace: std::time::Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}

fn refuse(reporter: &ReplicaReporter, message: String) -> Box<dyn Replica> {
    reporter.report(ReplicaEvent::Exited { fault: Blame::User, status: None, message });
    Box::new(Nothing)
}

impl Runtime for LocalRuntime {
    /// No process survives: the supervisors' sockets were the earlier emulator's.
    fn recover(&self) -> BoxFuture<'_, Vec<Survivor>> {
        Box::pin(async {
            let ((), survivors) = tokio::join!(self.processes.recover(), self.containers.recover());
            survivors
        })
    }

    fn watch(&self, directories: Vec<String>) -> BoxFuture<'_, Result<Box<dyn FileWatch>, String>> {
        Box::pin(changes::watch(directories))
    }

    fn forget(&self, app: AppId) {
        self.containers.forget(app);
    }

    fn launch(&self, request: ReplicaRequest, reporter: ReplicaReporter) -> Box<dyn Replica> {
        let image = builtin::find(&request.spec.image);
        let placement = request
            .spec
            .placement
            .or(image.map(|_| Placement::Builtin))
            .or(self.default)
            .unwrap_or(Placement::Container);
        match (placement, image) {
            (Placement::Builtin, Some(image)) => builtin::launch(image, request, reporter),
            (Placement::Builtin, None) => refuse(
                &reporter,
                format!(
                    "The image {:?} is not built in. Built in are: {}",
                    request.spec.image,
                    builtin::names().collect::<Vec<_>>().join(", ")
                ),
            ),
            (Placement::Process, _) => self.processes.launch(request, reporter),
            (Placement::Container, _) => self.containers.launch(request, reporter),
        }
    }
}
