//! Apps: the desired state (`AppSpec`) and the observed one (`AppStatus`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::data_sync::{DataSync, VolumeStatus};
use crate::id::AppId;
use crate::page::Metadata;
use crate::replica::{ReplicaExit, ReplicaStatus, SessionAffinity};
use crate::scaling::ScalingStrategy;

/// The state of an app, in the usual order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AppState {
    /// Accepted, waiting to be scheduled.
    Queued,
    /// The image is pulled, and the first replicas start.
    Initializing,
    /// All replicas are ready.
    Running,
    /// Replicas are added, removed or replaced; the existing ones continue to serve.
    Scaling,
    /// Replicas are being stopped.
    Stopping,
    /// Stopped; can be started again at the same address.
    Stopped,
    /// Failed because of the app.
    Failed,
    /// Failed because of the platform.
    Error,
    /// Being deleted.
    Deleting,
    /// Gone.
    Deleted,
}

impl AppState {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::Initializing,
        Self::Running,
        Self::Scaling,
        Self::Stopping,
        Self::Stopped,
        Self::Failed,
        Self::Error,
        Self::Deleting,
        Self::Deleted,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Initializing => "INITIALIZING",
            Self::Running => "RUNNING",
            Self::Scaling => "SCALING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
            Self::Error => "ERROR",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
        }
    }
}

impl AppState {
    /// Whether an app in this state is queued, starting or running, so that it must be stopped
    /// before it is deleted.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Initializing | Self::Running | Self::Scaling)
    }
}

/// What happens to the replicas of an app that is deleted while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The deletion is rejected unless the app is stopped, stopping, failed or in error.
    OnlyStopped,
    /// They are stopped as by a stop: in-flight requests finish, then they get SIGTERM.
    StopFirst,
    /// They are killed immediately. An extension of the emulator.
    Now,
}

impl fmt::Display for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AppState {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(s)).ok_or_else(
            || {
                format!(
                    "{:?} is not a state: use {}",
                    s.chars().take(40).collect::<String>(),
                    Self::ALL.map(Self::as_str).join(", ")
                )
            },
        )
    }
}

/// Why an app is in its state, as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum InfoCode {
    /// It is waiting to be scheduled.
    AppQueued,
    /// Starts.
    AppInitializing,
    /// Answers.
    AppRunning,
    /// Changes its replicas.
    AppScaling,
    /// Stops.
    AppStopping,
    /// Stopped.
    AppStopped,
    /// Failed because of the app.
    AppFailed,
    /// Failed because of the platform.
    AppError,
    /// It could not be created.
    AppCreateError,
    /// Interrupted by the platform.
    AppInterruptedByPlatform,
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Env {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// The readiness probe of an app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Probe {
    /// Path of the request; `/` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Port of the request; the app's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<i64>,
}

/// Resources of one replica. In the emulator these are numbers only; nothing is reserved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Resources {
    /// CPU cores, or CPU units when a spec asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<i64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<i64>,
    /// Id of a flavor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor: Option<String>,
    /// GPU units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<i64>,
    /// Brand of the GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_brand: Option<String>,
    /// Bytes of memory of one GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_memory: Option<i64>,
    /// Model of the GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_model: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<i64>,
    /// Bits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_network: Option<i64>,
    /// Bits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network: Option<i64>,
}

/// How an update replaces replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppDeploymentStrategy {
    /// Maximum replicas above the desired number: a count or a percentage; `25%` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_surge: Option<String>,
    /// Maximum replicas below the desired number: a count or a percentage; `25%` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<String>,
    /// Seconds within which a new replica must become ready; 600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_deadline_seconds: Option<i64>,
}

/// A container of a data store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DataStoreVolumeSource {
    /// Alias of the data store.
    pub alias: String,
    /// Name of the container.
    pub container: String,
    /// Archive to unpack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// Whether the platform owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal: Option<bool>,
    /// Only objects below this prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// A Swift container of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PrivateSwiftVolumeSource {
    /// Name of the container.
    pub container: String,
    /// Region of the container.
    pub region: String,
    /// Archive to unpack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// Whether the platform owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal: Option<bool>,
    /// Only objects below this prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// A public Git repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PublicGitVolumeSource {
    /// Its address.
    pub url: String,
}

/// A public Swift container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PublicSwiftVolumeSource {
    /// Its address.
    pub url: String,
}

/// An empty volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StandaloneVolumeSource {}

/// A volume of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Volume {
    /// Where it is mounted.
    pub mount_path: String,
    /// `RO`, `RW` or `RWD`.
    pub permission: String,
    /// Whether its content is shared between workloads.
    #[serde(default)]
    pub cache: bool,
    /// From a data store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_store: Option<DataStoreVolumeSource>,
    /// From a Swift container of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_swift: Option<PrivateSwiftVolumeSource>,
    /// From a public Git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_git: Option<PublicGitVolumeSource>,
    /// From a public Swift container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_swift: Option<PublicSwiftVolumeSource>,
    /// Empty at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standalone: Option<StandaloneVolumeSource>,
    /// The destination to which it is written back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_data_store: Option<DataStoreVolumeSource>,
    /// The destination to which it is written back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_private_swift: Option<PrivateSwiftVolumeSource>,
}

/// The emulator's runtime of an app. An extension: the service has containers only, and ignores the
/// field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Placement {
    /// Inside the emulator: the built-in images.
    Builtin,
    /// The app's command as a local process.
    Process,
    /// The image in a local container engine.
    Container,
}

impl Placement {
    /// The name on the command line and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Process => "process",
            Self::Container => "container",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Placement {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        [Self::Builtin, Self::Process, Self::Container]
            .into_iter()
            .find(|placement| placement.as_str() == s)
            .ok_or_else(|| {
                format!(
                    "{:?} is not a runtime: use builtin, process or container",
                    s.chars().take(40).collect::<String>()
                )
            })
    }
}

/// When a container engine pulls an image. An extension: the service always pulls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum PullPolicy {
    /// If the engine does not have it.
    #[default]
    Missing,
    /// For each revision of the app.
    Always,
    /// Never: the engine must have it.
    Never,
}

impl PullPolicy {
    /// The name on the command line and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl fmt::Display for PullPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PullPolicy {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        [Self::Missing, Self::Always, Self::Never]
            .into_iter()
            .find(|policy| policy.as_str() == s)
            .ok_or_else(|| {
                format!(
                    "{:?} is not a pull policy: use missing, always or never",
                    s.chars().take(40).collect::<String>()
                )
            })
    }
}

/// The desired state of an app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppSpec {
    /// The image.
    pub image: String,
    /// The command; the image's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Port the app listens on, 1 to 65535; 8080 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_http_port: Option<i64>,
    /// How an update replaces replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_strategy: Option<AppDeploymentStrategy>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_vars: Option<Vec<Env>>,
    /// Port that speaks gRPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_port: Option<i64>,
    /// Labels; those that begin with `ovh/` belong to the platform and are overridden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, Option<String>>>,
    /// Display name; generated when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The readiness probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    /// Resources of one replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The number of replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling_strategy: Option<ScalingStrategy>,
    /// Emulator only: session affinity; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_affinity: Option<SessionAffinity>,
    /// Whether the app is public: no token is required.
    #[serde(default)]
    pub unsecure_http: bool,
    /// Volumes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<Volume>>,
    /// Emulator only: whether volumes with the permission `RW` or `RWD` are written back to their data
    /// stores when the app stops. In the service, what an app writes is lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub volume_writeback: bool,
    /// Emulator only: the runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Placement>,
    /// Emulator only: working directory of a local process; the emulator's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Emulator only: directories of a local process, which is started again when files in them
    /// change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<Vec<String>>,
    /// Emulator only: when a container engine pulls the image; `missing` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<PullPolicy>,
    /// Emulator only: additional ports of a container that the gateway reaches. Only needed where
    /// containers have no address of their own, such as Docker Desktop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Vec<i64>>,
}

/// Why an app is in its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Info {
    /// Values in the message, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, Option<String>>,
    /// The code.
    pub code: InfoCode,
    /// The message, for people.
    pub message: String,
}

/// A state in an app's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppStateHistory {
    /// When.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub date: Timestamp,
    /// Which state.
    pub state: AppState,
}

/// What an app is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppStatus {
    /// Number of ready replicas.
    #[serde(default)]
    pub available_replicas: i64,
    /// Data synchronisations, oldest first.
    #[serde(default)]
    pub data_sync: Vec<DataSync>,
    /// Host and port for gRPC, if the app has a gRPC port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_address: Option<String>,
    /// Its states, oldest first.
    #[serde(default)]
    pub history: Vec<AppStateHistory>,
    /// Why it is in its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<Info>,
    /// Page about the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info_url: Option<String>,
    /// Address inside the platform; none here.
    #[serde(default)]
    pub internal_service_ip: Option<String>,
    /// When the state last changed.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub last_transition_date: Option<Timestamp>,
    /// Emulator only: the last crash of a replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<ReplicaExit>,
    /// Page with the app's metrics; none here.
    #[serde(default)]
    pub monitoring_url: Option<String>,
    /// Emulator only: the state of each replica.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<ReplicaStatus>,
    /// Emulator only: restarts after crashes, of all replicas, since the app was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<u32>,
    /// The state.
    pub state: AppState,
    /// The app's address.
    #[serde(default)]
    pub url: String,
    /// The state of its volumes.
    #[serde(default)]
    pub volumes: Vec<VolumeStatus>,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct App {
    /// The id.
    pub id: AppId,
    /// When it was submitted.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it last changed.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub updated_at: Timestamp,
    /// The desired state, with defaults and all labels.
    pub spec: AppSpec,
    /// The observed state.
    pub status: AppStatus,
    /// Who submitted it.
    #[serde(default)]
    pub user: String,
}

/// One page of apps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppList {
    /// The apps.
    #[serde(default)]
    pub items: Vec<App>,
    /// Position of the page.
    #[serde(default)]
    pub metadata: Metadata,
}

/// Body of `PUT /v1/app/{id}/label`: a null value removes the label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LabelUpdate {
    /// The label's key.
    pub name: String,
    /// Its new value.
    #[serde(default)]
    pub value: Option<String>,
}

/// Body of `PUT /v1/app/{id}/labels`, an extension: several labels in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LabelsUpdate {
    /// New values by key; a null value removes the label.
    pub labels: BTreeMap<String, Option<String>>,
}

/// Body of `PUT /v1/app/{id}/image`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppUpdateImage {
    /// The new image.
    pub url: String,
}

/// The changes of an update; absent and null fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppUpdate {
    /// Port the app listens on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_http_port: Option<i64>,
    /// How an update replaces replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_strategy: Option<AppDeploymentStrategy>,
    /// Port that speaks gRPC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_port: Option<i64>,
    /// The image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Environment variables to set; the others stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_vars: Option<Vec<Env>>,
    /// Emulator only: names of environment variables to remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unset_env_vars: Option<Vec<String>>,
    /// Emulator only: CPU or GPU units and flavor of a replica; other fields are ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Emulator only: session affinity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_affinity: Option<SessionAffinity>,
}

/// Body of `PUT /v1/app/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppUpdateRequest {
    /// The changes.
    #[serde(default)]
    pub app_update: AppUpdate,
    /// The app's id; ignored in favour of the path's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The `ovhai app run …` line that creates an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = CLICommand))]
pub struct CliCommand {
    /// The line.
    pub command: String,
}
