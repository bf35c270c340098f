//! `/metrics`, for Prometheus. Whoever may see apps may see their numbers: the administrator and
//! users all, an operator token those that its selector matches.

use std::sync::Arc;

use axum::extract::State;
use hyper::header::CONTENT_TYPE;
use ovhai_core::Error;
use ovhai_core::platform::resource;
use ovhai_core::policy::{self, Action, Resource};

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::seen;

pub(super) async fn metrics(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
) -> Result<([(hyper::header::HeaderName, &'static str); 1], String), ApiError> {
    let platform = &control.platform;
    let mut refusal = None;
    // A token is of one region: that one is asked for, whichever it is.
    let may_see_any = platform.settings().regions.iter().any(|region| {
        let decision = policy::decide(&caller, Action::Read, &Resource::Region(region));
        let allowed = decision.is_allowed();
        if !allowed && refusal.as_ref().is_none_or(is_unauthenticated) {
            refusal = Some(decision);
        }
        allowed
    });
    if !may_see_any {
        return Err(refusal.map_or_else(ApiError::unauthenticated, |d| Error::Denied(d).into()));
    }
    let snapshot = platform.snapshot();
    control.seen.purge(|id| snapshot.app(id).is_some());
    let text = control.seen.metrics(control.started_at, |id| {
        snapshot.app(id).is_some_and(|entry| {
            policy::decide(&caller, Action::Read, &resource(&entry.record)).is_allowed()
        })
    });
    Ok(([(CONTENT_TYPE, seen::CONTENT_TYPE)], text))
}

/// The token's own region says why; the others only that it is not theirs.
fn is_unauthenticated(decision: &policy::Decision) -> bool {
    decision.effect == policy::Effect::Unauthenticated
}
