//! Volumes of which no file exists: tests say when they are filled.

use std::sync::{Arc, Mutex};

use ovhai_api_types::{AppId, DataSyncDirection};
use ovhai_core::ports::{
    Blame, BoxFuture, Leaving, MountedVolume, SyncReport, VolumeFailure, VolumeRequest, Volumes,
};
use ovhai_core::sync::SyncCounts;
use tokio::sync::watch;

/// See the module. Every directory may be a data store but `/refused`.
#[derive(Clone)]
pub(crate) struct SimVolumes {
    done: Arc<Mutex<Vec<String>>>,
    /// Whether work ends, and how.
    outcome: watch::Sender<Option<Result<(), String>>>,
}

impl Default for SimVolumes {
    fn default() -> Self {
        Self { done: Arc::default(), outcome: watch::Sender::new(Some(Ok(()))) }
    }
}

impl SimVolumes {
    /// Work begun from now on does not end before [`Self::end`].
    pub(crate) fn hold(&self) {
        self.outcome.send_replace(None);
    }

    /// Ends work like this.
    pub(crate) fn end(&self, outcome: Result<(), &str>) {
        self.outcome.send_replace(Some(outcome.map_err(str::to_owned)));
    }

    /// What was asked for since the last call.
    pub(crate) fn done(&self) -> Vec<String> {
        std::mem::take(&mut self.done.lock().unwrap())
    }

    fn note(&self, what: String) {
        self.done.lock().unwrap().push(what);
    }

    async fn outcome(&self) -> Result<(), VolumeFailure> {
        let mut outcome = self.outcome.subscribe();
        let ended = outcome.wait_for(Option::is_some).await.unwrap().clone().unwrap();
        ended.map_err(|message| VolumeFailure { fault: Blame::User, message })
    }
}

impl Volumes for SimVolumes {
    fn accept_directory(&self, directory: String) -> BoxFuture<'_, Result<String, String>> {
        let is_refused = directory == "/refused";
        Box::pin(async move { if is_refused { Err("refused".into()) } else { Ok(directory) } })
    }

    fn mount(
        &self,
        _app: AppId,
        volumes: Vec<VolumeRequest>,
        anew: bool,
        report: SyncReport,
    ) -> BoxFuture<'static, Result<Vec<MountedVolume>, VolumeFailure>> {
        let all = self.clone();
        all.note(format!("mount {} {anew}", volumes.len()));
        Box::pin(async move {
            report(1, SyncCounts { total: 4, completed: 1, ..SyncCounts::default() });
            all.outcome().await?;
            let mounted = volumes.into_iter().map(|volume| MountedVolume {
                number: volume.number,
                directory: format!("/copies/{}", volume.number),
                mount_path: volume.spec.mount_path,
                permission: volume.spec.permission,
            });
            Ok(mounted.collect())
        })
    }

    fn sync(
        &self,
        _app: AppId,
        volume: VolumeRequest,
        direction: DataSyncDirection,
        _report: SyncReport,
    ) -> BoxFuture<'static, Result<String, VolumeFailure>> {
        let all = self.clone();
        all.note(format!("{direction:?} {}", volume.number));
        Box::pin(async move { all.outcome().await.map(|()| String::new()) })
    }

    fn unmount(&self, _app: AppId, leaving: Leaving) -> BoxFuture<'static, ()> {
        self.note(format!("unmount {leaving:?}"));
        Box::pin(async {})
    }
}
