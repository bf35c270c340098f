//! The emulator's own endpoints at `localhost`: `/_emulator/…` and `/metrics`. Access is decided by the domain, as everywhere.

mod access;
mod apps;
mod capture;
mod clock;
mod data;
mod engine;
mod events;
mod images;
mod metrics;
mod requests;
mod users;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use hyper::http::Extensions;
use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode};
use ovhai_api_types::{CapturedApp, Fault, Feature, Region, Timestamp};
use ovhai_containers::ContainerRuntime;
use ovhai_core::Platform;
use ovhai_core::auth::Place;
use ovhai_core::policy::Principal;
use ovhai_data::StoreRoots;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::api::error::ApiError;
use crate::gateway::bearer::bearer_token;
use crate::gateway::place;
use crate::state::StateDir;
use crate::telemetry::Telemetry;

pub(crate) struct Control {
    pub(crate) platform: Arc<Platform>,
    pub(crate) started_at: Timestamp,
    /// The emulator's own address, whose port stands in the addresses of apps.
    pub(crate) address: SocketAddr,
    /// Cancelled when a request asks the emulator to stop.
    pub(crate) stop_asked: CancellationToken,
    /// The state directory, which has the first user's password until it is changed.
    pub(crate) state: Option<StateDir>,
    /// The certificate of the authority for HTTPS.
    pub(crate) authority: Option<Arc<str>>,
    /// The source of the metrics.
    pub(crate) telemetry: Arc<Telemetry>,
    /// Runs containers; none where the emulator was given another runtime.
    pub(crate) containers: Option<ContainerRuntime>,
    /// The directories of data stores.
    pub(crate) stores: StoreRoots,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    /// `ok`, or `degraded` while a component fails.
    status: &'static str,
    version: &'static str,
    regions: Vec<Region>,
    apps: usize,
    started_at: Timestamp,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<Fault>,
    /// The apps of which requests are captured, for the owner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    captured: Vec<CapturedApp>,
    /// The time of apps, while it differs from real time.
    #[serde(skip_serializing_if = "Option::is_none")]
    domain_time: Option<Timestamp>,
}

pub(crate) fn router(control: Control) -> Router {
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .route("/_emulator/health", get(health))
        .route("/_emulator/features", get(features))
        .route("/_emulator/stop", post(stop))
        .route("/_emulator/ca.pem", get(authority))
        .route("/_emulator/apps", post(apps::create))
        .route("/_emulator/apps/{id}/capture", put(capture::start).delete(capture::stop))
        .route("/_emulator/apps/{id}/interrupt", post(clock::interrupt))
        .route("/_emulator/clock", get(clock::show).put(clock::change))
        .route("/_emulator/clock/advance", post(clock::advance))
        .route("/_emulator/access", post(access::explain))
        .route("/_emulator/engine", get(engine::status))
        .route("/_emulator/events", get(events::list))
        .route("/_emulator/requests", get(requests::list))
        .route("/_emulator/requests/totals", get(requests::totals).delete(requests::reset))
        .route("/_emulator/users", get(users::list).post(users::add))
        .route("/_emulator/users/{name}", delete(users::remove))
        .route("/_emulator/users/{name}/password", put(users::set_password))
        .route("/_emulator/images", get(images::list).put(images::map))
        .route("/_emulator/images/unmap", post(images::unmap))
        .route("/_emulator/data", get(data::stores))
        .route(
            "/_emulator/data/{store}",
            get(data::buckets).put(data::add_store).delete(data::remove_store),
        )
        .route(
            "/_emulator/data/{store}/{bucket}",
            get(data::list).put(data::create_bucket).delete(data::delete_bucket),
        )
        .route("/_emulator/data/{store}/{bucket}/upload", post(data::upload))
        .route("/_emulator/data/{store}/{bucket}/import", post(data::import))
        .route("/_emulator/data/{store}/{bucket}/download", post(data::download))
        .route("/_emulator/data/{store}/{bucket}/delete", post(data::delete))
        .route("/_emulator/data/{store}/{bucket}/transfer", post(data::transfer))
        .route(
            "/_emulator/objects/{store}/{bucket}/{*name}",
            get(data::get_object).put(data::put_object).delete(data::delete_object),
        )
        .fallback(|| async { ApiError::not_found("there is nothing at this address") })
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
        .with_state(Arc::new(control))
}

/// The caller.
struct Caller(Principal);

impl FromRequestParts<Arc<Control>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        control: &Arc<Control>,
    ) -> Result<Self, ApiError> {
        let bearer = bearer_token(&parts.headers).ok_or_else(ApiError::unauthenticated)?;
        let snapshot = control.platform.snapshot();
        let caller =
            control.platform.authenticate(&snapshot, bearer, place::of_call(&parts.extensions));
        caller.map(Self).ok_or_else(ApiError::unauthenticated)
    }
}

async fn health(
    State(control): State<Arc<Control>>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Json<Health> {
    let components = control.platform.components();
    let mut faults = components.faults();
    let mut captured = Vec::new();
    if is_administrator(&control.platform, &headers, place::of_call(&extensions)) {
        captured = control.telemetry.captured_apps();
        let snapshot = control.platform.snapshot();
        for app in &mut captured {
            app.name = snapshot.app(app.app).map(|entry| entry.record.spec.name.clone());
        }
    } else {
        // Paths of this machine are shown to its owner only.
        for fault in &mut faults {
            fault.reason = None;
        }
    }
    Json(Health {
        status: if components.any_failing() { "degraded" } else { "ok" },
        version: env!("CARGO_PKG_VERSION"),
        regions: control.platform.settings().regions.clone(),
        apps: control.platform.snapshot().app_count(),
        started_at: control.started_at,
        faults,
        captured,
        domain_time: control.platform.clock().moved(),
    })
}

fn is_administrator(platform: &Platform, headers: &HeaderMap, place: Place) -> bool {
    bearer_token(headers)
        .and_then(|bearer| platform.authenticate(&platform.snapshot(), bearer, place))
        .is_some_and(|caller| matches!(caller, Principal::Administrator { .. }))
}

/// The features: name, whether it is emulated, description.
pub(crate) const FEATURES: [(&str, bool, &str); 19] = [
    ("apps", true, "Submit, start, stop, scale, update, delete; rolling updates"),
    (
        "tokens",
        true,
        "Scoped by label selector, role and region; a regenerated string takes effect immediately",
    ),
    ("labels", true, "Kubernetes selectors on lists and tokens"),
    ("gateway", true, "HTTP/1.1 and HTTP/2, streaming, WebSocket and other upgrades"),
    ("login", true, "OAuth 2.0 password grant, at /oauth2/token"),
    ("quotas", true, "402 over quota"),
    ("builtin-runtime", true, "Images that live in the emulator"),
    ("process-runtime", true, "An app's command as a local process"),
    ("container-runtime", true, "Images, in containers of Docker or Podman"),
    ("clock", true, "Domain time stands still or moves on demand: ovhai emulator clock"),
    ("exec", true, "Commands in apps and copies of their files: an extension, not in the cloud"),
    ("autoscaling", false, "The smallest number of replicas is kept"),
    (
        "volumes",
        true,
        "Copies of containers of data stores and of Git repositories; written back on request",
    ),
    (
        "data-stores",
        true,
        "Buckets in the emulator's own storage, below its state directory: ovhai bucket",
    ),
    ("grpc", true, "HTTP/2 to the app's gRPC port, trailers included"),
    ("login-page", true, "On the app's own address, with a cookie for that app"),
    ("console", true, "The control panel in a browser: ovhai emulator open"),
    ("tls", true, "HTTPS beside HTTP with --tls; a certificate authority of this machine"),
    ("jobs-and-notebooks", false, "501"),
];

async fn features() -> Json<Vec<Feature>> {
    let feature = |(name, available, description): (&str, bool, &str)| Feature {
        name: name.to_owned(),
        available,
        description: description.to_owned(),
    };
    Json(FEATURES.map(feature).into())
}

async fn stop(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
) -> Result<StatusCode, ApiError> {
    control.platform.may_shut_down(&caller)?;
    control.stop_asked.cancel();
    Ok(StatusCode::ACCEPTED)
}

/// The certificate to trust; the only way to get it when the emulator keeps nothing.
async fn authority(State(control): State<Arc<Control>>) -> Result<String, ApiError> {
    let none = || ApiError::not_found("HTTPS is not served: start with --tls");
    control.authority.as_deref().map(str::to_owned).ok_or_else(none)
}

/// What this is, for programs.
pub(crate) fn front() -> &'static str {
    concat!(
        "ovhai ",
        env!("CARGO_PKG_VERSION"),
        ": an emulator of OVHcloud AI Deploy.\n\n",
        "Console: open this address in a browser, or run: ovhai emulator open\n",
        "API:     /v1/…, /regions/<REGION>/v1/…, described at /openapi.json\n",
        "Login:   /oauth2/token\n",
        "Health:  /_emulator/health\n",
        "Metrics: /metrics (with a bearer)\n",
        "Try:     ovhai app run --label group=A infrastructureascode/hello-world\n",
    )
}
