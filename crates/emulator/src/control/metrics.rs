//! `/metrics`, for Prometheus. A caller sees the numbers of the apps that it may see: the
//! administrator and users all, an operator token those that its selector matches.

use std::sync::Arc;

use axum::extract::State;
use hyper::header::CONTENT_TYPE;
use ovhai_core::platform::resource;
use ovhai_core::policy::{self, Action};

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::telemetry;

pub(super) async fn metrics(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
) -> Result<([(hyper::header::HeaderName, &'static str); 1], String), ApiError> {
    let platform = &control.platform;
    platform.may_in_a_region(&caller, Action::Read)?;
    let snapshot = platform.snapshot();
    control.telemetry.purge(|id| snapshot.app(id).is_some(), |id| snapshot.token(id).is_some());
    let text = control.telemetry.metrics(control.started_at, |id| {
        let app = &snapshot.app(id)?.record;
        let may = policy::decide(&caller, Action::Read, &resource(app)).is_allowed();
        may.then(|| app.spec.name.clone())
    });
    Ok(([(CONTENT_TYPE, telemetry::CONTENT_TYPE)], text))
}
