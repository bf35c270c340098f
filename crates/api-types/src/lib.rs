//! Wire types of the OVHcloud AI API as its official SDK speaks it (version `v1`).
//!
//! Every type serialises to the field names of the service, tolerates unknown fields, and omits
//! absent values instead of sending `null` where clients do not expect one. Label keys, label
//! values and selectors are parsed once, here, so that a value of these types is always valid.
//!
//! What must not be here: I/O, an async runtime, access rules.

mod app;
mod capabilities;
mod clock;
mod data_sync;
mod emulator;
mod environment;
mod error;
mod exec;
mod id;
mod image;
mod label;
mod me;
mod object;
mod page;
mod registry;
mod replica;
mod requests;
mod scaling;
mod selector;
mod token;
mod volume;

pub use app::{
    App, AppDeploymentStrategy, AppList, AppSpec, AppState, AppStateHistory, AppStatus, AppUpdate,
    AppUpdateImage, AppUpdateRequest, CliCommand, DataStoreVolumeSource, Deletion, Env, Info,
    InfoCode, LabelUpdate, LabelsUpdate, Placement, PrivateSwiftVolumeSource, Probe,
    PublicGitVolumeSource, PublicSwiftVolumeSource, PullPolicy, Resources, StandaloneVolumeSource,
    Volume,
};
pub use capabilities::{
    AppImage, DocUrl, Flavor, GpuInformation, JobImage, LicensingType, NotebookEditor,
    NotebookFramework, Preset, PresetCapabilities, PresetPartner, PresetResources, PresetType,
    ResourcesPerUnit,
};
pub use clock::{ClockMove, ClockStatus};
pub use data_sync::{
    DataSync, DataSyncDirection, DataSyncProgress, DataSyncSpec, DataSyncStatus, VolumeStatus,
};
pub use emulator::{
    ACCESS_PAGE, Access, AccessApp, AccessQuestion, AccessToken, CallsFromApps, ConsoleLink,
    EngineDescription, EngineReport, EngineTried, Fault, Feature, ImageMapping, NewApp,
    NewImageMapping, NewUser, OauthError, OauthTokens, User, Verdict,
};
pub use environment::{Environment, InvalidEnvironment};
pub use error::ErrorBody;
pub use exec::{
    CopyDirection, EXEC_CHUNK_MAX, EXEC_INPUT_WINDOW, ExecChannel, ExecStatus, PathStatus,
    TerminalSize,
};
pub use id::{AppId, InvalidId, InvalidRegion, Region, RegistryId, TokenId};
pub use image::ImageName;
pub use label::{
    InvalidLabel, LabelKey, LabelValue, Labels, PLATFORM_ID, PLATFORM_PREFIX, PLATFORM_TYPE,
};
pub use me::{Me, ProjectQuotas, TokenKind};
pub use object::{
    Bucket, BucketAddress, DataStore, ImportStep, InvalidObject, NewDataStore, ObjectImport,
    ObjectName, ObjectNames, ObjectPage, ObjectTransfer, ObjectsDone, Renaming, StoredObject,
    UNFINISHED, check_bucket,
};
pub use page::{Links, Metadata, Order};
pub use registry::{
    PasswordState, Registry, RegistryList, RegistryUpdate, is_same_address, registry_covers,
    registry_host,
};
pub use replica::{AppEvent, ReplicaExit, ReplicaStatus, SessionAffinity};
pub use requests::{
    CapturedApp, Door, RequestFilter, RequestList, RequestRecord, RequestTotal, RequestTotals,
};
pub use scaling::{
    AutomaticScalingStrategy, CustomMetricAggregationType, CustomMetricFormat, CustomMetrics,
    FixedScalingStrategy, ScalingResourceType, ScalingStrategy,
};
pub use selector::{InvalidSelector, Selector, Term, UnmetTerm};
pub use token::{Role, Token, TokenList, TokenSpec, TokenStatus};
pub use volume::InvalidVolume;

/// A time, RFC 3339 on the wire.
pub type Timestamp = jiff::Timestamp;

/// The header field of responses of the API that has domain time, while that differs from real time.
pub const DOMAIN_TIME: &str = "x-ovhai-domain-time";
