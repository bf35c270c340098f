//! Chooses the runtime of an app: the one that the app asks for, else built-in for a built-in image,
//! else the emulator's default, else a container engine.

use std::path::PathBuf;

use ovhai_api_types::Placement;
use ovhai_core::ports::{
    Blame, BoxFuture, FileWatch, Replica, ReplicaEvent, ReplicaReporter, ReplicaRequest, Runtime,
    Survivor,
};

use crate::process::ProcessRuntime;
use crate::remains::Register;
use crate::{builtin, changes};

/// See the module.
#[derive(Debug)]
pub struct LocalRuntime {
    default: Option<Placement>,
    processes: ProcessRuntime,
}

impl LocalRuntime {
    /// `default` is for apps that ask for no runtime and whose image is not built in. `supervisor` is the `ovhai`
    /// executable: see [`crate::supervisor`]. Processes are entered in the register.
    pub fn new(default: Option<Placement>, supervisor: PathBuf, register: Register) -> Self {
        Self { default, processes: ProcessRuntime::new(supervisor, register) }
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
            self.processes.recover().await;
            Vec::new()
        })
    }

    fn watch(&self, directories: Vec<String>) -> BoxFuture<'_, Result<Box<dyn FileWatch>, String>> {
        Box::pin(changes::watch(directories))
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
            (Placement::Container, _) => refuse(
                &reporter,
                format!(
                    "The image {:?} needs a container engine, and running containers is not supported yet. Run the app's command as a local process: ovhai app run … --runtime process -- COMMAND, or use a built-in image ({})",
                    request.spec.image,
                    builtin::names().collect::<Vec<_>>().join(", ")
                ),
            ),
        }
    }
}
