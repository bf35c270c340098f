//! Operations of the tag `registry`. No response contains a password.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hyper::StatusCode;
use ovhai_api_types::{ErrorBody, Registry, RegistryId, RegistryList, RegistryUpdate};
use ovhai_core::Platform;
use ovhai_core::model::RegistryRecord;
use ovhai_core::platform::RegistryChange;

use super::ApiState;
use super::error::ApiError;
use super::extract::{Body, Caller, Id};
use super::query::Query;

type Shared = State<Arc<ApiState>>;

fn wire(platform: &Platform, record: &RegistryRecord) -> Registry {
    Registry {
        id: Some(record.id),
        url: record.url.clone(),
        username: record.username.clone(),
        password: None,
        password_state: Some(platform.password_state(record)),
        created_at: Some(record.created_at),
        updated_at: Some(record.updated_at),
        user: Some(record.user.clone()),
    }
}

/// List registries, the newest first.
#[utoipa::path(
    get, path = "/v1/registry", operation_id = "registry_get_all", tag = "registry",
    params(
        ("page" = Option<i64>, Query, description = "From 1"),
        ("size" = Option<i64>, Query, description = "Registries on a page, 1 to 1000; 100 by default"),
    ),
    responses(
        (status = 200, description = "A page of registries", body = RegistryList),
        (status = 400, description = "A parameter is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
    ),
)]
pub(super) async fn list(
    State(state): Shared,
    caller: Caller,
    query: Query,
) -> Result<Json<RegistryList>, ApiError> {
    let all = state.platform.list_registries(&caller.principal, &caller.region)?;
    let (page, metadata) = query.cut(all, query.page()?);
    let items = page.iter().map(|record| wire(&state.platform, record)).collect();
    Ok(Json(RegistryList { items, metadata }))
}

/// Add a registry.
#[utoipa::path(
    post, path = "/v1/registry", operation_id = "registry_new", tag = "registry",
    request_body = Registry,
    responses(
        (status = 200, description = "The registry, without its password", body = Registry),
        (status = 400, description = "A value is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
        (status = 409, description = "It is there, with the same user", body = ErrorBody),
    ),
)]
pub(super) async fn create(
    State(state): Shared,
    caller: Caller,
    Body(registry): Body<Registry>,
) -> Result<Json<Registry>, ApiError> {
    let record = state
        .platform
        .add_registry(
            &caller.principal,
            &caller.region,
            &registry.url,
            &registry.username,
            registry.password,
        )
        .await?;
    Ok(Json(wire(&state.platform, &record)))
}

/// Show a registry.
#[utoipa::path(
    get, path = "/v1/registry/{id}", operation_id = "registry_get", tag = "registry",
    params(("id" = String, Path, description = "Id of the registry")),
    responses(
        (status = 200, description = "The registry, without its password", body = Registry),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
        (status = 404, description = "No such registry", body = ErrorBody),
    ),
)]
pub(super) async fn get(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<RegistryId>,
) -> Result<Json<Registry>, ApiError> {
    let record = state.platform.get_registry(&caller.principal, &caller.region, id)?;
    Ok(Json(wire(&state.platform, &record)))
}

/// Change a registry.
#[utoipa::path(
    put, path = "/v1/registry/{id}", operation_id = "registry_update", tag = "registry",
    params(("id" = String, Path, description = "Id of the registry")),
    request_body = RegistryUpdate,
    responses(
        (status = 204, description = "Done"),
        (status = 400, description = "A value is not allowed", body = ErrorBody),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
        (status = 404, description = "No such registry", body = ErrorBody),
        (status = 409, description = "Another is the same, with the same user", body = ErrorBody),
    ),
)]
pub(super) async fn update(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<RegistryId>,
    Body(update): Body<RegistryUpdate>,
) -> Result<StatusCode, ApiError> {
    let RegistryUpdate { url, username, password } = update;
    let change = RegistryChange { url, username, password };
    state.platform.update_registry(&caller.principal, &caller.region, id, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a registry.
#[utoipa::path(
    delete, path = "/v1/registry/{id}", operation_id = "registry_delete", tag = "registry",
    params(("id" = String, Path, description = "Id of the registry")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, description = "Not authenticated", body = ErrorBody),
        (status = 403, description = "Only unscoped operators may", body = ErrorBody),
        (status = 404, description = "No such registry", body = ErrorBody),
    ),
)]
pub(super) async fn delete(
    State(state): Shared,
    caller: Caller,
    Id(id): Id<RegistryId>,
) -> Result<StatusCode, ApiError> {
    state.platform.delete_registry(&caller.principal, &caller.region, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
