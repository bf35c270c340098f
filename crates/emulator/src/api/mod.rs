//! The regional API, `/v1/…`. The router and the OpenAPI document come from the same
//! annotations, so that no route can be undocumented.
//!
//! What must not be here: decisions; every handler asks the domain.

mod apps;
mod capabilities;
pub mod command_line;
pub(crate) mod error;
pub(crate) mod extract;
mod later;
mod oauth;
mod query;
mod registries;
mod rows;
mod tokens;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use ovhai_core::Platform;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use error::ApiError;

/// What handlers share.
pub(crate) struct ApiState {
    platform: Arc<Platform>,
    /// The emulator's own port, which stands in the addresses of apps.
    port: u16,
    /// Cancelled when answers that never end have to.
    stopping: CancellationToken,
    /// Cancelled when the first user can log in.
    users_ready: CancellationToken,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "OVHcloud AI API, as ovhai emulates it",
        description = "The regional API of AI Deploy. Fields and values marked as the emulator's are extensions."
    ),
    tags(
        (name = "app", description = "Apps"),
        (name = "token", description = "Application tokens"),
        (name = "me", description = "The caller"),
        (name = "capabilities", description = "What the region offers"),
        (name = "registry", description = "Registries of images"),
        (name = "oauth2", description = "Logging in; the emulator's place for it"),
    ),
    components(schemas(ovhai_api_types::Order)),
    security(("bearer" = [])),
)]
struct Document;

fn routes() -> OpenApiRouter<Arc<ApiState>> {
    let mut document = Document::openapi();
    document.components.get_or_insert_default().add_security_scheme(
        "bearer",
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
    );
    OpenApiRouter::with_openapi(document)
        .routes(routes!(apps::list, apps::create))
        .routes(routes!(apps::command))
        .routes(routes!(apps::get, apps::update, apps::delete))
        .routes(routes!(apps::start))
        .routes(routes!(apps::stop))
        .routes(routes!(apps::label))
        .routes(routes!(apps::image))
        .routes(routes!(apps::scale))
        .routes(routes!(apps::log))
        .routes(routes!(apps::datasync))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::get, tokens::delete))
        .routes(routes!(tokens::renew))
        .routes(routes!(tokens::me))
        .routes(routes!(capabilities::app_images))
        .routes(routes!(capabilities::flavors))
        .routes(routes!(capabilities::flavor))
        .routes(routes!(capabilities::job_images))
        .routes(routes!(capabilities::notebook_editors))
        .routes(routes!(capabilities::notebook_editor))
        .routes(routes!(capabilities::notebook_frameworks))
        .routes(routes!(capabilities::notebook_framework))
        .routes(routes!(capabilities::presets))
        .routes(routes!(capabilities::preset))
        .routes(routes!(capabilities::quota))
        .routes(routes!(registries::list, registries::create))
        .routes(routes!(registries::get, registries::update, registries::delete))
        .routes(routes!(oauth::token))
        .routes(routes!(oauth::revoke))
}

/// The OpenAPI document, as JSON.
pub fn openapi() -> String {
    // It is made of strings and numbers only.
    routes().into_openapi().to_pretty_json().unwrap_or_default()
}

/// The router; requests bring their region in their extensions.
pub(crate) fn router(
    platform: Arc<Platform>,
    port: u16,
    stopping: CancellationToken,
    users_ready: CancellationToken,
) -> Router {
    let state = Arc::new(ApiState { platform, port, stopping, users_ready });
    let (router, document) = routes().with_state(Arc::clone(&state)).split_for_parts();
    let document = document.to_json().unwrap_or_default();
    let serve_document = move || async move {
        let mut response = document.into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    };
    router
        .route("/openapi.json", get(serve_document))
        .fallback_service(Router::new().fallback(fallback).with_state(state))
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
}

/// An operation that the real API has and this one has not yet is named; anything else is not
/// there.
async fn fallback(
    caller: Result<extract::Caller, ApiError>,
    request: Request,
) -> Result<Response, ApiError> {
    let path = request.uri().path();
    let Some(id) = later::operation(request.method(), path) else {
        return Err(ApiError::not_found(format!("there is nothing at {path}")));
    };
    caller?;
    Err(ApiError::not_emulated(&format!("{id} ({} {path})", request.method())))
}
