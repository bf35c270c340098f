//! `/_emulator/requests`: the last requests, and exact numbers of them, as far as the caller may see
//! them.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use hyper::StatusCode;
use ovhai_api_types::{Region, RequestList, RequestTotal, RequestTotals, Timestamp};
use ovhai_core::policy::Action;

use super::{Caller, Control};
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::telemetry::visible::{Visible, Wanted};

/// Requests of a page unless another number is asked for, and at most.
const DEFAULT_COUNT: usize = 100;
const MAX_COUNT: usize = 1000;
/// How long a client that asks for numbers waits for requests that are about to end. It may have got
/// the end of a response before the worker has recorded it.
const SETTLES: Duration = Duration::from_millis(500);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// The filters that lists and numbers have in common.
fn wanted(control: &Control, query: &Query) -> Result<Wanted, ApiError> {
    Ok(Wanted {
        app: query.parse("app", "the id of an app")?,
        token: query.parse("token", "the id of a token")?,
        region: region(control, query)?,
        denied: query.flag("denied")?,
        all: query.flag("all")?,
        ..Wanted::default()
    })
}

fn region(control: &Control, query: &Query) -> Result<Option<Region>, ApiError> {
    let Some(name) = query.one("region") else { return Ok(None) };
    let region = control.platform.region(name).cloned();
    let none = || ApiError::invalid("region", format!("the region {name:?} does not exist here"));
    region.map(Some).ok_or_else(none)
}

pub(super) async fn list(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
    query: Query,
) -> Result<Json<RequestList>, ApiError> {
    let platform = &control.platform;
    let any = platform.may_in_a_region(&caller, Action::Requests)?;
    let count = query.parse("count", "1 to 1000")?.unwrap_or(DEFAULT_COUNT);
    if count == 0 || count > MAX_COUNT {
        return Err(ApiError::invalid("count", format!("{count} is not allowed: use 1 to 1000")));
    }
    let wanted = Wanted {
        since: query.moment("since")?.map(Timestamp::as_millisecond),
        ..wanted(&control, &query)?
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

pub(super) async fn totals(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
    query: Query,
) -> Result<Json<RequestTotals>, ApiError> {
    let platform = &control.platform;
    let any = platform.may_in_a_region(&caller, Action::Requests)?;
    let wanted = wanted(&control, &query)?;
    let telemetry = &control.telemetry;
    let settled = async {
        // This request is one of them.
        while telemetry.under_way() > 1 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let _ = tokio::time::timeout(SETTLES, settled).await;
    let under_way = telemetry.under_way().saturating_sub(1);
    let (since, sums) = telemetry.totals();
    let snapshot = platform.snapshot();
    let mut visible = Visible::new(&caller, &snapshot, any, wanted);
    let (mut items, mut total, mut denied) = (Vec::<RequestTotal>::new(), 0, 0);
    for (key, count) in &sums.rows {
        let Some((item, is_denied)) = visible.show_total(key, *count) else { continue };
        total += count;
        denied += if is_denied { *count } else { 0 };
        items.push(item);
    }
    items.sort_by_cached_key(|item| {
        let texts = [&item.app_name, &item.token_name, &item.decision, &item.refused];
        (texts.map(Option::clone), item.app, item.caller.clone(), item.token, item.status)
    });
    // Callers that are withheld look the same.
    items.dedup_by(|item, kept| {
        let is_same = RequestTotal { count: kept.count, ..item.clone() } == *kept;
        kept.count += if is_same { item.count } else { 0 };
        is_same
    });
    let shows_all = visible.shows_all();
    let hidden = |number: u64| if shows_all { number } else { number.min(1) };
    let (overflow, under_way) = (hidden(sums.overflow), hidden(under_way));
    Ok(Json(RequestTotals { since, total, denied, overflow, under_way, items }))
}

pub(super) async fn reset(
    State(control): State<Arc<Control>>,
    Caller(caller): Caller,
) -> Result<StatusCode, ApiError> {
    control.platform.may_reset_counters(&caller)?;
    control.telemetry.reset_totals();
    Ok(StatusCode::NO_CONTENT)
}
