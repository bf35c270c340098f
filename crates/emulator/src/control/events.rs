//! What happened to apps and their replicas, as far as the caller may read the apps.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ovhai_api_types::{AppEvent, AppId, Region};
use ovhai_core::platform::{EventQuery, NamedEvent};

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::query::Query;

fn wire(named: NamedEvent) -> AppEvent {
    let NamedEvent { event, name } = named;
    AppEvent {
        seq: event.seq,
        at: event.at,
        app: event.app,
        name: Some(name),
        ordinal: event.ordinal,
        kind: event.kind.as_str().to_owned(),
        reason: event.reason.clone(),
        message: event.message.clone(),
    }
}

pub(super) async fn list(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
    query: Query,
) -> Result<Json<Vec<AppEvent>>, ApiError> {
    let platform = &control.platform;
    let named: Option<Region> = query.parse("region", "the name of a region")?;
    let region = match &named {
        Some(named) => platform.region(named.as_str()),
        None => platform.default_region(),
    };
    let region = region.ok_or_else(|| ApiError::not_found("the region does not exist here"))?;
    let app: Option<AppId> = query.parse("app", "the id of an app")?;
    let after = query.parse("after", "the position of an event")?.unwrap_or(0);
    let count = query.parse("count", "a number of events, 0 or more")?;
    let events = platform.events(&caller, region, EventQuery { app, after, count })?;
    Ok(Json(events.into_iter().map(wire).collect()))
}
