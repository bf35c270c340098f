//! The emulator's own doors at `localhost`: `/_emulator/health`, `/_emulator/stop`, and a page
//! that says what this is.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper::{HeaderMap, StatusCode};
use ovhai_api_types::{Region, Timestamp};
use ovhai_core::Platform;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::api::error::ApiError;
use crate::bearer::bearer_token;

pub(crate) struct Control {
    pub(crate) platform: Arc<Platform>,
    pub(crate) started_at: Timestamp,
    /// Cancelled when somebody asks the emulator to stop.
    pub(crate) stop_asked: CancellationToken,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: &'static str,
    version: &'static str,
    regions: Vec<Region>,
    apps: usize,
    started_at: Timestamp,
}

pub(crate) fn router(control: Control) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/app/{id}", get(app))
        .route("/_emulator/health", get(health))
        .route("/_emulator/stop", post(stop))
        .fallback(|| async { ApiError::not_found("there is nothing at this address") })
        .with_state(Arc::new(control))
}

async fn health(State(control): State<Arc<Control>>) -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        regions: control.platform.settings().regions.clone(),
        apps: control.platform.snapshot().app_count(),
        started_at: control.started_at,
    })
}

async fn stop(
    State(control): State<Arc<Control>>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let bearer = bearer_token(&headers).ok_or_else(ApiError::unauthenticated)?;
    let caller = control
        .platform
        .authenticate(&control.platform.snapshot(), bearer)
        .ok_or_else(ApiError::unauthenticated)?;
    control.platform.may_shut_down(&caller)?;
    control.stop_asked.cancel();
    Ok(StatusCode::ACCEPTED)
}

async fn front() -> &'static str {
    concat!(
        "ovhai ",
        env!("CARGO_PKG_VERSION"),
        ": an emulator of OVHcloud AI Deploy.\n\n",
        "API:     /v1/…, /regions/<REGION>/v1/…, described at /openapi.json\n",
        "Health:  /_emulator/health\n",
        "Try:     ovhai app run --label group=A infrastructureascode/hello-world\n",
    )
}

async fn app(Path(id): Path<String>) -> String {
    // What stands in the path comes back as plain text only.
    format!("There is no console yet. In a terminal: ovhai app get {id}\n")
}
