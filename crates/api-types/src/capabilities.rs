//! What a region offers: flavors, images, presets.

use serde::{Deserialize, Serialize};

/// What one unit of a flavor has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ResourcesPerUnit {
    /// CPU cores.
    #[serde(default)]
    pub cpu: i64,
    /// Bytes; absent where the service's guides do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<i64>,
    /// Bytes.
    #[serde(default)]
    pub memory: i64,
    /// Bits per second; absent where the service's guides do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_network: Option<i64>,
    /// Bits per second; absent where the service's guides do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network: Option<i64>,
}

/// The GPU of a flavor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GpuInformation {
    /// Who makes it.
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
    /// Whether it is taken when only a number of units is given.
    #[serde(default)]
    pub default: bool,
    /// The most units of one app.
    #[serde(default)]
    pub max: i64,
    /// What one unit has.
    #[serde(default)]
    pub resources_per_unit: ResourcesPerUnit,
    /// Its GPU; absent for CPU flavors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_information: Option<GpuInformation>,
}

/// How a partner's image is paid for.
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
    /// By begun number of seconds.
    PerSecondBracket,
}

/// An image that apps can be made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppImage {
    /// Its reference, without a tag.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: String,
    /// Where it is described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_url: Option<String>,
    /// How it is paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licensing: Option<LicensingType>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_id: Option<String>,
    /// Whose it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_name: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// An image of jobs, an editor or a framework of notebooks: none of them are here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct JobImage {
    /// The id.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// Where it is described.
    #[serde(default)]
    pub doc_url: String,
    /// A picture.
    #[serde(default)]
    pub logo_url: String,
    /// Its versions.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// An editor of notebooks: none are here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotebookEditor {
    /// The id.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// Where it is described.
    #[serde(default)]
    pub doc_url: String,
    /// A picture.
    #[serde(default)]
    pub logo_url: String,
    /// Its versions.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// A framework of notebooks: none are here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotebookFramework {
    /// The id.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// Where it is described.
    #[serde(default)]
    pub doc_url: String,
    /// A picture.
    #[serde(default)]
    pub logo_url: String,
    /// Directories that are kept.
    #[serde(default)]
    pub saved_paths: Vec<String>,
    /// Its versions.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// What a preset is for.
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

/// What a preset may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetResources {
    /// The most GPUs.
    #[serde(default)]
    pub max_gpu: i64,
}

/// What can be done with what a preset makes.
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

/// Whose a preset is.
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
    /// How it is paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licensing: Option<LicensingType>,
    /// For people.
    #[serde(default)]
    pub name: String,
}

/// Something to begin with.
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
    /// What it does.
    #[serde(default)]
    pub descriptions: Vec<String>,
    /// Where it is described.
    #[serde(default)]
    pub doc_url: Vec<DocUrl>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_url: Option<String>,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<PresetPartner>,
    /// The command line that begins it.
    #[serde(default)]
    pub snippet: String,
    /// What can be done with it.
    #[serde(default)]
    pub capabilities: PresetCapabilities,
}
