//! `/_emulator/apps/{id}/capture`: heads of requests to an app are captured for some time.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use hyper::StatusCode;
use ovhai_api_types::{AppId, CapturedApp};
use ovhai_core::Error;

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::telemetry::capture;

/// Maximum time, in seconds.
const MAX_SECONDS: u64 = 24 * 60 * 60;

pub(super) fn parse(id: &str) -> Result<AppId, ApiError> {
    id.parse().map_err(|_| Error::NotFound { kind: "app", id: id.to_owned() }.into())
}

pub(super) async fn start(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<CapturedApp>, ApiError> {
    let entry = control.platform.may_capture(&caller, parse(&id)?)?;
    let time = match query.parse::<u64>("seconds", "1 to 86400")? {
        None => capture::DEFAULT_TIME,
        Some(seconds @ 1..=MAX_SECONDS) => Duration::from_secs(seconds),
        Some(other) => {
            let why = format!("{other} is not allowed: use 1 to {MAX_SECONDS}");
            return Err(ApiError::invalid("seconds", why));
        }
    };
    let id = entry.record.id;
    let captured = control.telemetry.start_capture(id, caller.name(), time);
    let captured = captured.ok_or_else(|| {
        let why = format!("{} apps are captured already: stop one", capture::APPS);
        ApiError::invalid("app", why)
    })?;
    tracing::info!(app = %id, by = caller.name(), until = %captured.until, "requests to an app are captured");
    Ok(Json(CapturedApp { name: Some(entry.record.spec.name.clone()), ..captured }))
}

pub(super) async fn stop(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let entry = control.platform.may_capture(&caller, parse(&id)?)?;
    control.telemetry.captures().stop(entry.record.id);
    Ok(StatusCode::NO_CONTENT)
}
