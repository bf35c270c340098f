//! What a region offers: flavors, images, presets.

use serde::{Deserialize, Serialize};

/// Resources of one unit of a flavor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ResourcesPerUnit {
    /// CPU cores.
    #[serde(default)]
    pub cpu: i64,
    /// Bytes; absent if the service's guides do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<i64>,
    /// Bytes.
    #[serde(default)]
    pub memory: i64,
    /// Bits per second; absent if the service's guides do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_network: Option<i64>,
    /// Bits per second; absent if the service's guides do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network: Option<i64>,
}

/// The GPU of a flavor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GpuInformation {
    /// The manufacturer.
    #[serde(default)]
    pub gpu_brand: Option<String>,
    /// Bytes of its memory.
    #[serde(default)]
    pub gpu_memory: Option<i64>,
    /// Its model.
    #[serde(default)]
    pub gpu_model: Option<String>,
}

/// A flavor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Flavor {
    /// The id, such as `ai1-1-cpu`.
    pub id: String,
    /// `cpu` or `gpu`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Whether it is the default of its type.
    #[serde(default)]
    pub default: bool,
    /// Maximum units of one app.
    #[serde(default)]
    pub max: i64,
    /// Resources of one unit.
    #[serde(default)]
    pub resources_per_unit: ResourcesPerUnit,
    /// Its GPU; absent for CPU flavors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_information: Option<GpuInformation>,
}

/// Pricing of a partner's image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum LicensingType {
    /// By app.
    PerApp,
    /// By replica.
    PerReplica,
    /// By resource.
    PerResource,
    /// By the number of seconds, rounded up.
    PerSecondBracket,
}

/// An image for apps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppImage {
    /// Its reference, without a tag.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// A description.
    #[serde(default)]
    pub description: String,
    /// URL of its documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<String>,
    /// The pricing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licensing: Option<LicensingType>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// Its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_id: Option<String>,
    /// Name of its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_name: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// An image of jobs, or an editor or framework of notebooks; the emulator has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct JobImage {
    /// The id.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// The observed state.
    #[serde(default)]
    pub description: String,
    /// URL of its documentation.
    #[serde(default)]
    pub doc_url: String,
    /// A picture.
    #[serde(default)]
    pub logo_url: String,
    /// Its versions.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// An editor of notebooks; the emulator has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotebookEditor {
    /// The id.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// The observed state.
    #[serde(default)]
    pub description: String,
    /// URL of its documentation.
    #[serde(default)]
    pub doc_url: String,
    /// A picture.
    #[serde(default)]
    pub logo_url: String,
    /// Its versions.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// A framework of notebooks; the emulator has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotebookFramework {
    /// The id.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// The observed state.
    #[serde(default)]
    pub description: String,
    /// URL of its documentation.
    #[serde(default)]
    pub doc_url: String,
    /// A picture.
    #[serde(default)]
    pub logo_url: String,
    /// Persistent directories.
    #[serde(default)]
    pub saved_paths: Vec<String>,
    /// Its versions.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// The workload of a preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum PresetType {
    /// Apps.
    App,
    /// Jobs.
    Job,
    /// Notebooks.
    Notebook,
}

/// A page about something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = DocURL))]
pub struct DocUrl {
    /// Its title.
    #[serde(default)]
    pub name: String,
    /// Its address.
    #[serde(default)]
    pub url: String,
}

/// Resources of a preset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetResources {
    /// Maximum number of GPUs.
    #[serde(default)]
    pub max_gpu: i64,
}

/// Features of a preset's workload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetCapabilities {
    /// Run commands in it.
    #[serde(default)]
    pub exec: bool,
    /// Kinds of flavors.
    #[serde(default)]
    pub flavor_types: Vec<String>,
    /// Read its output.
    #[serde(default)]
    pub log: bool,
    /// What it may use.
    #[serde(default)]
    pub resources: PresetResources,
    /// Log in to it.
    #[serde(default)]
    pub ssh: bool,
    /// Have volumes.
    #[serde(default)]
    pub volume: bool,
}

/// The partner of a preset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetPartner {
    /// The flavor of the partner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor: Option<String>,
    /// The id.
    #[serde(default)]
    pub id: String,
    /// The pricing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licensing: Option<LicensingType>,
    /// For people.
    #[serde(default)]
    pub name: String,
}

/// A preset: example settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Preset {
    /// The id.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// What it is for.
    #[serde(rename = "type")]
    pub kind: PresetType,
    /// A description.
    #[serde(default)]
    pub descriptions: Vec<String>,
    /// URL of its documentation.
    #[serde(default)]
    pub doc_url: Vec<DocUrl>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// Its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<PresetPartner>,
    /// The command line that runs it.
    #[serde(default)]
    pub snippet: String,
    /// Its features.
    #[serde(default)]
    pub capabilities: PresetCapabilities,
}
