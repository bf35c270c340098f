//! What the domain needs from outside. Implementations live in `store`, `runtime` and `emulator`.

pub(crate) mod blame;
pub(crate) mod clock;
pub(crate) mod exec;
pub(crate) mod future;
pub(crate) mod images;
pub(crate) mod runtime;
pub(crate) mod secrets;
pub(crate) mod store;
pub(crate) mod volumes;

pub use blame::Blame;
pub use clock::{Clock, ClockControl};
pub use exec::{ExecBackend, ExecControl, ExecOutput, ExecSession, ExecTask, Terminal};
pub use future::BoxFuture;
pub use images::{ImageAccess, RegistryLogin};
pub use runtime::{
    FileWatch, NoExec, Replica, ReplicaEndpoint, ReplicaEvent, ReplicaReporter, ReplicaRequest,
    ReplicaUsage, Runtime, STOP_GRACE, Survivor,
};
pub use secrets::{Ids, SecretError, Secrets, SignError, Signer, Vault};
pub use store::{
    Commit, CommitError, CommitWatch, Conflict, Loaded, Revision, Store, StoreError, StoredRecord,
    WatchError, Write,
};
pub use volumes::{
    Leaving, MountedVolume, NoVolumes, SyncReport, VolumeFailure, VolumeRequest, Volumes,
};
