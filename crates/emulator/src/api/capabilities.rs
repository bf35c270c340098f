//! Operations of the tag `capabilities`: what the region offers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use ovhai_api_types::{
    AppImage, ErrorBody, Flavor, GpuInformation, JobImage, NotebookEditor, NotebookFramework,
    Preset, PresetCapabilities, PresetResources, PresetType, ProjectQuotas, ResourcesPerUnit,
};
use ovhai_core::catalog::{self, BuiltinImage};

use super::ApiState;
use super::error::ApiError;
use super::extract::Viewer;
use super::query::Query;

type Shared = State<Arc<ApiState>>;

fn missing(kind: &str, id: &str) -> ApiError {
    let id: String = id.chars().take(80).collect();
    ApiError::not_found(format!("there is no {kind} {id:?}"))
}

/// List the images that are built in or mapped to a command.
#[utoipa::path(
    get, path = "/v1/capabilities/app/image", operation_id = "get_v1_capabilities_app_image",
    tag = "capabilities",
    responses(
        (status = 200, description = "The images", body = Vec<AppImage>),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
    ),
)]
pub(super) async fn app_images(State(state): Shared, _caller: Viewer) -> Json<Vec<AppImage>> {
    let builtin = state.platform.builtin_images().iter().map(|image| AppImage {
        id: image.reference.to_owned(),
        name: short_name(image.reference).to_owned(),
        description: image.description.to_owned(),
        versions: vec!["latest".into()],
        ..AppImage::default()
    });
    let snapshot = state.platform.snapshot();
    let mapped = snapshot.mappings().map(|mapping| {
        let (id, tag) = split_tag(&mapping.image);
        AppImage {
            id: id.to_owned(),
            name: short_name(id).to_owned(),
            description: "Runs a command of this machine in its place".into(),
            versions: vec![tag.unwrap_or("latest").to_owned()],
            ..AppImage::default()
        }
    });
    Json(builtin.chain(mapped).collect())
}

fn short_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// Reference and tag; a registry's port is none.
fn split_tag(image: &str) -> (&str, Option<&str>) {
    match image.rsplit_once(':') {
        Some((reference, tag)) if !tag.contains('/') => (reference, Some(tag)),
        _ => (image, None),
    }
}

fn wire(flavor: &catalog::Flavor) -> Flavor {
    Flavor {
        id: flavor.id.to_owned(),
        kind: flavor.kind.as_str().to_owned(),
        description: flavor.description.to_owned(),
        default: flavor.default,
        max: flavor.max.into(),
        resources_per_unit: ResourcesPerUnit {
            cpu: flavor.cpu,
            ephemeral_storage: flavor.ephemeral_storage,
            memory: flavor.memory,
            private_network: None,
            public_network: flavor.public_network,
        },
        gpu_information: flavor.gpu.map(|gpu| GpuInformation {
            gpu_brand: Some(gpu.brand.to_owned()),
            gpu_memory: gpu.memory,
            gpu_model: Some(gpu.model.to_owned()),
        }),
    }
}

/// List the flavors. Here they are numbers only: nothing is reserved.
#[utoipa::path(
    get, path = "/v1/capabilities/flavor", operation_id = "get_v1_capabilities_flavor",
    tag = "capabilities",
    responses(
        (status = 200, description = "The flavors, by id", body = Vec<Flavor>),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
    ),
)]
pub(super) async fn flavors(_caller: Viewer) -> Json<Vec<Flavor>> {
    Json(catalog::FLAVORS.iter().map(wire).collect())
}

/// Show a flavor.
#[utoipa::path(
    get, path = "/v1/capabilities/flavor/{id}", operation_id = "get_v1_capabilities_flavor_id",
    tag = "capabilities",
    params(("id" = String, Path, description = "Id of the flavor")),
    responses(
        (status = 200, description = "The flavor", body = Flavor),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such flavor", body = ErrorBody),
    ),
)]
pub(super) async fn flavor(
    _caller: Viewer,
    Path(id): Path<String>,
) -> Result<Json<Flavor>, ApiError> {
    catalog::flavor(&id).map(|flavor| Json(wire(flavor))).ok_or_else(|| missing("flavor", &id))
}

/// List the images of jobs: there are none, as jobs are not emulated.
#[utoipa::path(
    get, path = "/v1/capabilities/job/image", operation_id = "get_v1_capabilities_job_image",
    tag = "capabilities",
    responses(
        (status = 200, description = "None", body = Vec<JobImage>),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
    ),
)]
pub(super) async fn job_images(_caller: Viewer) -> Json<Vec<JobImage>> {
    Json(Vec::new())
}

/// List the editors of notebooks: there are none, as notebooks are not emulated.
#[utoipa::path(
    get, path = "/v1/capabilities/notebook/editor",
    operation_id = "get_v1_capabilities_notebook_editor", tag = "capabilities",
    params(("compatibleWithFramework" = Option<String>, Query, description = "Id of a framework")),
    responses(
        (status = 200, description = "None", body = Vec<NotebookEditor>),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
    ),
)]
pub(super) async fn notebook_editors(_caller: Viewer) -> Json<Vec<NotebookEditor>> {
    Json(Vec::new())
}

/// Show an editor of notebooks: there are none.
#[utoipa::path(
    get, path = "/v1/capabilities/notebook/editor/{id}",
    operation_id = "get_v1_capabilities_notebook_editor_id", tag = "capabilities",
    params(("id" = String, Path, description = "Id of the editor")),
    responses(
        (status = 200, description = "The editor", body = NotebookEditor),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such editor", body = ErrorBody),
    ),
)]
pub(super) async fn notebook_editor(_caller: Viewer, Path(id): Path<String>) -> ApiError {
    missing("editor", &id)
}

/// List the frameworks of notebooks: there are none, as notebooks are not emulated.
#[utoipa::path(
    get, path = "/v1/capabilities/notebook/framework",
    operation_id = "get_v1_capabilities_notebook_framework", tag = "capabilities",
    params(("compatibleWithEditor" = Option<String>, Query, description = "Id of an editor")),
    responses(
        (status = 200, description = "None", body = Vec<NotebookFramework>),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
    ),
)]
pub(super) async fn notebook_frameworks(_caller: Viewer) -> Json<Vec<NotebookFramework>> {
    Json(Vec::new())
}

/// Show a framework of notebooks: there are none.
#[utoipa::path(
    get, path = "/v1/capabilities/notebook/framework/{id}",
    operation_id = "get_v1_capabilities_notebook_framework_id", tag = "capabilities",
    params(("id" = String, Path, description = "Id of the framework")),
    responses(
        (status = 200, description = "The framework", body = NotebookFramework),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such framework", body = ErrorBody),
    ),
)]
pub(super) async fn notebook_framework(_caller: Viewer, Path(id): Path<String>) -> ApiError {
    missing("framework", &id)
}

fn preset_of(image: &BuiltinImage) -> Preset {
    Preset {
        id: short_name(image.reference).to_owned(),
        name: image.reference.to_owned(),
        kind: PresetType::App,
        descriptions: vec![image.description.to_owned()],
        doc_url: Vec::new(),
        logo_url: None,
        partner: None,
        snippet: format!("ovhai app run {}", image.reference),
        capabilities: PresetCapabilities {
            exec: false,
            flavor_types: vec!["cpu".into(), "gpu".into()],
            log: true,
            resources: PresetResources {
                max_gpu: catalog::default_flavor(catalog::Kind::Gpu).max.into(),
            },
            ssh: false,
            volume: false,
        },
    }
}

/// List presets: one for every built-in image.
#[utoipa::path(
    get, path = "/v1/capabilities/preset", operation_id = "get_v1_capabilities_preset",
    tag = "capabilities",
    params(("type" = Option<String>, Query, description = "app, job or notebook")),
    responses(
        (status = 200, description = "The presets", body = Vec<Preset>),
        (status = 400, description = "A parameter is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
    ),
)]
pub(super) async fn presets(
    State(state): Shared,
    _caller: Viewer,
    query: Query,
) -> Result<Json<Vec<Preset>>, ApiError> {
    let all = || state.platform.builtin_images().iter().map(preset_of).collect();
    match query.one("type") {
        None | Some("app") => Ok(Json(all())),
        Some("job" | "notebook") => Ok(Json(Vec::new())),
        Some(other) => Err(ApiError::invalid(
            "type",
            format!("{other:?} is not allowed: use app, job or notebook"),
        )),
    }
}

/// Show a preset.
#[utoipa::path(
    get, path = "/v1/capabilities/preset/{id}", operation_id = "get_v1_capabilities_preset_id",
    tag = "capabilities",
    params(("id" = String, Path, description = "Id of the preset")),
    responses(
        (status = 200, description = "The preset", body = Preset),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
        (status = 404, description = "No such preset", body = ErrorBody),
    ),
)]
pub(super) async fn preset(
    State(state): Shared,
    _caller: Viewer,
    Path(id): Path<String>,
) -> Result<Json<Preset>, ApiError> {
    let found = state.platform.builtin_images().iter().map(preset_of).find(|p| p.id == id);
    found.map(Json).ok_or_else(|| missing("preset", &id))
}

/// Show what the apps of the region may use at once.
#[utoipa::path(
    get, path = "/v1/capabilities/quota", operation_id = "get_v1_capabilities_quota",
    tag = "capabilities",
    responses(
        (status = 200, description = "One: units by kind, null for as many as they like", body = Vec<ProjectQuotas>),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "The role does not allow it", body = ErrorBody),
    ),
)]
pub(super) async fn quota(State(state): Shared, _caller: Viewer) -> Json<Vec<ProjectQuotas>> {
    // A list, because the official SDK reads one.
    Json(vec![quotas(&state)])
}

/// What the apps of a region may use at once.
pub(super) fn quotas(state: &ApiState) -> ProjectQuotas {
    let quotas = state.platform.settings().quotas;
    let of = |kind: &str, units: Option<u32>| (kind.to_owned(), units.map(i64::from));
    ProjectQuotas {
        resources: [of("CPU", quotas.cpu), of("GPU", quotas.gpu)].into(),
        storage: None,
    }
}

#[cfg(test)]
mod tests {
    use super::split_tag;

    #[test]
    fn tags() {
        assert_eq!(split_tag("a/b:1"), ("a/b", Some("1")));
        assert_eq!(split_tag("host:5000/b"), ("host:5000/b", None));
    }
}
