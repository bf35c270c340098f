//! `/_emulator/requests`: the last requests, as far as the caller may see them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ovhai_api_types::{RequestList, Timestamp};
use ovhai_core::policy::Action;

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::telemetry::visible::{Visible, Wanted};

/// Requests of a page unless another number is asked for, and at most.
const DEFAULT_COUNT: usize = 100;
const MAX_COUNT: usize = 1000;

pub(super) async fn list(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
    query: Query,
) -> Result<Json<RequestList>, ApiError> {
    let platform = &control.platform;
    let any = platform.may_in_a_region(&caller, Action::Requests)?;
    let region = match query.one("region") {
        None => None,
        Some(name) => Some(platform.region(name).cloned().ok_or_else(|| {
            ApiError::invalid("region", format!("the region {name:?} does not exist here"))
        })?),
    };
    let count = query.parse("count", "1 to 1000")?.unwrap_or(DEFAULT_COUNT);
    if count == 0 || count > MAX_COUNT {
        return Err(ApiError::invalid("count", format!("{count} is not allowed: use 1 to 1000")));
    }
    let wanted = Wanted {
        app: query.parse("app", "the id of an app")?,
        token: query.parse("token", "the id of a token")?,
        region,
        denied: query.flag("denied")?,
        all: query.flag("all")?,
        since: query.moment("since")?.map(Timestamp::as_millisecond),
        ..Wanted::default()
    };
    let recent = control.telemetry.recent();
    let after = match query.one("after") {
        None => None,
        Some(text) => Some(recent.open(text).ok_or_else(|| {
            ApiError::invalid(
                "after",
                format!("{text:?} is not allowed: use the next of an answer"),
            )
        })?),
    };
    let snapshot = platform.snapshot();
    let mut visible = Visible::new(&caller, &snapshot, any, wanted);
    let page = recent.read(after.as_ref(), count, |seen| visible.show(seen));
    let next = recent.seal(&page.next).ok_or_else(|| ApiError::internal("no random numbers"))?;
    // How many there were would tell of the requests of others.
    let lost = if visible.shows_all() { page.lost } else { page.lost.min(1) };
    Ok(Json(RequestList { items: page.items, next, lost }))
}
