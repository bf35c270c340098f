//! The clock, and interruptions by the platform, for the emulator's owner.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use hyper::StatusCode;
use ovhai_api_types::{ClockMove, ClockStatus};
use ovhai_core::platform::{self, Moved};
use ovhai_core::{Error, Result};
use serde::Deserialize;

use super::capture::parse;
use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::extract::Body;

type Shared = State<Arc<Control>>;

/// Real time that each step has to be done.
const SETTLE: Duration = Duration::from_secs(30);

fn wire(clock: platform::ClockStatus, in_hand: Vec<String>) -> Json<ClockStatus> {
    Json(ClockStatus {
        domain_time: clock.domain_time,
        real_time: clock.real_time,
        frozen: clock.is_frozen,
        moved: clock.is_moved,
        in_hand,
    })
}

pub(super) async fn show(
    State(control): Shared,
    Caller(caller): Caller,
) -> Result<Json<ClockStatus>, ApiError> {
    Ok(wire(control.platform.clock_status(&caller)?, Vec::new()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    frozen: bool,
}

pub(super) async fn change(
    State(control): Shared,
    Caller(caller): Caller,
    Body(change): Body<Change>,
) -> Result<Json<ClockStatus>, ApiError> {
    let clock = if change.frozen {
        control.platform.freeze_clock(&caller).await?
    } else {
        control.platform.resume_clock(&caller).await?
    };
    tracing::info!(frozen = clock.is_frozen, domain_time = %clock.domain_time, "the clock was changed");
    Ok(wire(clock, Vec::new()))
}

pub(super) async fn advance(
    State(control): Shared,
    Caller(caller): Caller,
    Body(wanted): Body<ClockMove>,
) -> Result<Json<ClockStatus>, ApiError> {
    let settle = wanted.settle_millis.map_or(SETTLE, Duration::from_millis);
    let platform = Arc::clone(&control.platform);
    // A task of its own: a caller that hangs up does not leave the clock half way.
    let moving = tokio::spawn(async move {
        match (wanted.by_millis, wanted.to) {
            (Some(by), None) => {
                platform.advance_clock(&caller, Duration::from_millis(by), settle).await
            }
            (None, Some(to)) => platform.set_clock(&caller, to, settle).await,
            _ => {
                platform.clock_status(&caller)?;
                Err(Error::invalid("byMillis", "give either byMillis or to"))
            }
        }
    });
    let moved: Result<Moved> =
        moving.await.unwrap_or_else(|why| Err(Error::Internal(why.to_string())));
    let Moved { clock, in_hand } = moved?;
    tracing::info!(domain_time = %clock.domain_time, ?in_hand, "the clock was moved");
    Ok(wire(clock, in_hand))
}

/// `POST /_emulator/apps/{id}/interrupt`.
pub(super) async fn interrupt(
    State(control): Shared,
    Caller(caller): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    control.platform.interrupt_app(&caller, parse(&id)?)?;
    Ok(StatusCode::ACCEPTED)
}
