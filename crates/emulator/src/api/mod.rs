//! The regional API, `/v1/…`. The router and the OpenAPI document come from the same annotations,
//! so that every route is documented.
//!
//! What must not be here: access decisions; every handler asks the domain.

mod apps;
mod capabilities;
pub mod command_line;
pub(crate) mod error;
mod exec;
mod exec_socket;
pub(crate) mod extract;
mod later;
mod oauth;
mod pieces;
pub(crate) mod query;
mod registries;
mod rows;
mod socket;
mod tokens;
pub(crate) mod view;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get, on};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use ovhai_core::Platform;
use ovhai_data::StoreRoots;
use tokio_util::sync::CancellationToken;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::{PathItemExt, routes};

use error::ApiError;
pub use extract::BODY_MAX;

/// Shared by all handlers.
pub(crate) struct ApiState {
    platform: Arc<Platform>,
    /// The directories of data stores.
    #[expect(dead_code, reason = "the operations on data stores read it")]
    stores: StoreRoots,
    /// The emulator's own port, which stands in the addresses of apps.
    port: u16,
    /// Cancelled when endless responses have to end.
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

/// The served and the documented operations are the same, named once; to serve them the
/// document need not be made, which would be half of the emulator's start.
macro_rules! operations {
    ($($module:ident :: $handler:ident),+ $(,)?) => { pastey::paste! {
        fn served() -> Router<Arc<ApiState>> {
            let mut router = Router::new();
            $(
                let (path, methods) = where_at::<$module::[<__path_ $handler>]>();
                router = router.route(&path, on(methods, $module::$handler));
            )+
            router
        }

        fn documented(mut router: OpenApiRouter<Arc<ApiState>>) -> OpenApiRouter<Arc<ApiState>> {
            $( router = router.routes(routes!($module::$handler)); )+
            router
        }
    } };
}

operations! {
    apps::list,
    apps::create,
    apps::command,
    apps::get,
    apps::update,
    apps::delete,
    apps::start,
    apps::stop,
    apps::restart,
    apps::label,
    apps::labels,
    apps::image,
    apps::scale,
    apps::log,
    apps::datasync,
    exec::exec,
    exec::archive,
    tokens::list,
    tokens::create,
    tokens::get,
    tokens::delete,
    tokens::renew,
    tokens::me,
    capabilities::app_images,
    capabilities::flavors,
    capabilities::flavor,
    capabilities::job_images,
    capabilities::notebook_editors,
    capabilities::notebook_editor,
    capabilities::notebook_frameworks,
    capabilities::notebook_framework,
    capabilities::presets,
    capabilities::preset,
    capabilities::quota,
    registries::list,
    registries::create,
    registries::get,
    registries::update,
    registries::delete,
    oauth::token,
    oauth::revoke,
}

/// The place of an operation by its annotation, which names one method.
fn where_at<P: utoipa::Path>() -> (String, MethodFilter) {
    let methods = P::methods();
    let filters = methods.iter().map(PathItemExt::to_method_filter);
    (P::path(), filters.reduce(MethodFilter::or).unwrap_or(MethodFilter::GET))
}

/// The OpenAPI document, as JSON.
pub fn openapi() -> String {
    let mut document = Document::openapi();
    document.components.get_or_insert_default().add_security_scheme(
        "bearer",
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
    );
    let document = documented(OpenApiRouter::with_openapi(document)).into_openapi();
    // It is made of strings and numbers only.
    document.to_pretty_json().unwrap_or_default()
}

/// The router; requests bring their region in their extensions.
pub(crate) fn router(
    platform: Arc<Platform>,
    stores: StoreRoots,
    port: u16,
    stopping: CancellationToken,
    users_ready: CancellationToken,
) -> Router {
    let state = Arc::new(ApiState { platform, stores, port, stopping, users_ready });
    let serve_document = || async {
        static DOCUMENT: OnceLock<String> = OnceLock::new();
        let mut response = DOCUMENT.get_or_init(openapi).as_str().into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    };
    served()
        .with_state(Arc::clone(&state))
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
