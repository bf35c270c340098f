//! The directories behind data stores, and the copies of them that apps get as volumes.

use std::sync::Arc;

use ovhai_api_types::{AppId, DataSyncDirection};

use super::blame::Blame;
use super::future::BoxFuture;

use crate::model::data_store::DataStoreRecord;
use crate::sync::SyncCounts;
use crate::volume::{Permission, VolumeSpec};

/// A volume that is asked for.
#[derive(Debug, Clone)]
pub struct VolumeRequest {
    /// Its number in the app, from 1 on.
    pub number: usize,
    /// The volume.
    pub spec: VolumeSpec,
    /// The data store that its source names, if it names one.
    pub store: Option<Arc<DataStoreRecord>>,
    /// Whether the emulator's owner asked for it: the source may be private.
    pub is_owners: bool,
    /// Whether it is for a container, whose user is another one.
    pub for_container: bool,
}

/// A volume's directory on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedVolume {
    /// Its number in the app, from 1 on.
    pub number: usize,
    /// Where a container has it.
    pub mount_path: String,
    /// Its absolute path on this machine.
    pub directory: String,
    /// What the app may do with it.
    pub permission: Permission,
}

/// Why volumes can't be had, or were not written back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeFailure {
    /// Whose fault it is.
    pub fault: Blame,
    /// What happened and what to do, for people.
    pub message: String,
}

/// Receives the progress: the volume's number, and the counts. Cheap to clone, and may be called often.
pub type SyncReport = Arc<dyn Fn(usize, SyncCounts) + Send + Sync>;

/// What becomes of the files of an app's volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// The app stops: what is its own is kept, copies go.
    Stopped,
    /// The app goes, and everything with it.
    Deleted,
}

/// Keeps the files of data stores and of volumes. A future that is dropped ends its work and leaves no
/// half of a copy that counts as one.
pub trait Volumes: Send + Sync + 'static {
    /// The real path of a directory that may be a data store; the error says why it may not, such as
    /// that it has the emulator's own files in it.
    fn accept_directory(&self, directory: String) -> BoxFuture<'_, Result<String, String>>;

    /// Removes what an earlier emulator left, but of these apps, and halves of copies. Called once,
    /// before any other.
    fn recover(&self, _keep: Vec<AppId>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Makes an app's copies. Those that are there are used, unless it starts anew.
    fn mount(
        &self,
        app: AppId,
        volumes: Vec<VolumeRequest>,
        anew: bool,
        report: SyncReport,
    ) -> BoxFuture<'static, Result<Vec<MountedVolume>, VolumeFailure>>;

    /// Brings a copy and its source together: new and changed files are copied in this direction, under
    /// the rules of the volume's permission. Says what is worth knowing of files that were left out.
    fn sync(
        &self,
        app: AppId,
        volume: VolumeRequest,
        direction: DataSyncDirection,
        report: SyncReport,
    ) -> BoxFuture<'static, Result<String, VolumeFailure>>;

    /// Removes an app's copies; those that are shared stay as long as another app has them.
    fn unmount(&self, app: AppId, leaving: Leaving) -> BoxFuture<'static, ()>;
}

/// No data stores and no volumes: an emulator without files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoVolumes;

fn none() -> VolumeFailure {
    VolumeFailure { fault: Blame::User, message: "This emulator has no volumes".into() }
}

impl Volumes for NoVolumes {
    fn accept_directory(&self, _directory: String) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Err("this emulator has no data stores".into()) })
    }

    fn mount(
        &self,
        _app: AppId,
        _volumes: Vec<VolumeRequest>,
        _anew: bool,
        _report: SyncReport,
    ) -> BoxFuture<'static, Result<Vec<MountedVolume>, VolumeFailure>> {
        Box::pin(async { Err(none()) })
    }

    fn sync(
        &self,
        _app: AppId,
        _volume: VolumeRequest,
        _direction: DataSyncDirection,
        _report: SyncReport,
    ) -> BoxFuture<'static, Result<String, VolumeFailure>> {
        Box::pin(async { Err(none()) })
    }

    fn unmount(&self, _app: AppId, _leaving: Leaving) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
