//! The regional API, `/v1/…`. The router and the OpenAPI document come from the same
//! annotations, so that no route can be undocumented.
//!
//! What must not be here: decisions; every handler asks the domain.

mod apps;
pub mod command_line;
pub(crate) mod error;
mod extract;
mod query;
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
}

/// The OpenAPI document, as JSON.
pub fn openapi() -> String {
    // It is made of strings and numbers only.
    routes().into_openapi().to_pretty_json().unwrap_or_default()
}

/// The router; requests bring their region in their extensions.
pub(crate) fn router(platform: Arc<Platform>, port: u16, stopping: CancellationToken) -> Router {
    let state = Arc::new(ApiState { platform, port, stopping });
    let (router, document) = routes().with_state(state).split_for_parts();
    let document = document.to_json().unwrap_or_default();
    let serve_document = move || async move {
        let mut response = document.into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    };
    router
        .route("/openapi.json", get(serve_document))
        .fallback(fallback)
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
}

/// Parts of the real API that are not here yet.
const LATER: [&str; 7] =
    ["capabilities", "registry", "job", "notebook", "volume", "image", "framework"];

async fn fallback(request: Request) -> Response {
    let path = request.uri().path();
    let part = path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next());
    if part.is_some_and(|part| LATER.contains(&part)) {
        return ApiError::not_emulated(&format!("{} {path}", request.method())).into_response();
    }
    ApiError::not_found(format!("there is nothing at {path}")).into_response()
}
