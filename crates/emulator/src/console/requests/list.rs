//! The list of requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use askama::Template;
use axum::response::Response;
use ovhai_api_types::{AppId, Region, RequestRecord, Timestamp, TokenId};
use ovhai_core::policy::Action;

use super::capture::{Captured, captured, may_capture};
use super::look::{self, Linked};
use crate::console::live;
use crate::console::page::{Answer, Place, Refused};
use crate::console::response::render;
use crate::console::text::{self, Look};
use crate::console::visit::Visit;
use crate::telemetry::visible::{Visible, Wanted};

/// Maximum rows.
const ROWS: usize = 100;
/// Time between two looks for new requests while a page is open.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A request in the list.
struct Row {
    /// Names the element.
    key: String,
    link: String,
    time: String,
    moment: String,
    method: String,
    path: String,
    protocol: String,
    decision: Look,
    status: String,
    status_class: &'static str,
    app: Linked,
    replica: Option<u32>,
    caller: String,
    took: String,
    reason: String,
}

impl Row {
    fn new(visit: &Visit, request: &RequestRecord) -> Self {
        let time = request.time;
        Self {
            key: live::key(&format!("{} {time} {}", request.id, request.micros)),
            link: look::address(visit, request),
            time: format!("{}.{:03}", text::clock(time), time.as_millisecond().rem_euclid(1000)),
            moment: text::moment(time),
            method: request.method.clone(),
            path: request.path.clone(),
            protocol: request.protocol.clone(),
            decision: look::decision(request),
            status: look::status(request.status),
            status_class: look::status_class(request.status),
            app: look::target(visit, request),
            replica: request.replica,
            caller: look::caller(request),
            took: look::duration(request.micros),
            reason: look::reason(request),
        }
    }
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "console/requests/table.html")]
struct List {
    base: String,
    form: String,
    live: String,
    poll: String,
    /// Names the stream, which differs with the query.
    key: String,
    /// The moment of the newest request of a list that does not follow.
    paused: Option<Paused>,
    pause: String,
    resume: String,
    is_filtered: bool,
    is_cut: bool,
    captured: Vec<Captured>,
    /// The app of the filter, if it may be captured and is not.
    may_capture: Option<AppId>,
    rows: Vec<Row>,
}

struct Paused {
    at: String,
    /// Requests that came since.
    newer: usize,
}

#[derive(Template)]
#[template(path = "console/requests/list.html")]
struct Page<'a> {
    base: String,
    app: &'a str,
    caller: &'a str,
    path: &'a str,
    denied: bool,
    all: bool,
    paused: &'a str,
    regions: Vec<(Region, bool)>,
    list: &'a List,
}

/// Requests whose object has a name with this in it; an id is asked for as such.
struct Named {
    app: String,
    caller: String,
}

impl Named {
    fn fits(&self, request: &RequestRecord) -> bool {
        let has = |text: &Option<String>, part: &str| {
            text.as_ref().is_some_and(|text| text.to_lowercase().contains(part))
        };
        (self.app.is_empty() || has(&request.app_name, &self.app))
            && (self.caller.is_empty()
                || has(&request.token_name, &self.caller)
                || has(&request.user, &self.caller))
    }
}

/// Reads a filter that is an id, or a part of a name.
fn id_or_name<I: std::str::FromStr>(text: &str) -> (Option<I>, String) {
    let text = text.trim();
    match text.parse() {
        Ok(id) => (Some(id), String::new()),
        Err(_) => (None, text.to_lowercase()),
    }
}

fn list(visit: &Visit) -> Result<List, Refused> {
    let platform = &visit.console.platform;
    let any = platform.may_in_a_region(&visit.who, Action::Requests)?;
    let is_on = |name: &str| !visit.query(name).is_empty();
    let (app, app_name) = id_or_name::<AppId>(visit.query("app"));
    let (token, caller_name) = id_or_name::<TokenId>(visit.query("token"));
    let path = visit.query("path").trim();
    let region = visit.query("region");
    let wanted = Wanted {
        app,
        token,
        region: platform.region(region).cloned(),
        denied: is_on("denied"),
        all: is_on("all"),
        path: (!path.is_empty()).then(|| path.to_owned()),
        ..Wanted::default()
    };
    let is_filtered = ["app", "token", "path", "region", "denied"].into_iter().any(is_on);
    let named = Named { app: app_name, caller: caller_name };
    let until: Option<i64> = visit.query("paused").parse().ok();
    let snapshot = platform.snapshot();
    let mut visible = Visible::new(&visit.who, &snapshot, any, wanted);
    let mut newer = 0;
    let read = visit.console.telemetry.recent().read(None, ROWS, |seen| {
        let time = seen.time();
        let request = visible.show(seen).filter(|request| named.fits(request))?;
        if until.is_some_and(|until| time > until) {
            newer += 1;
            return None;
        }
        Some(request)
    });
    let newest = read.items.last().map_or(1, |request| request.time.as_millisecond());
    let to = |changes: &[(&str, &str)]| {
        format!("{}?{}", visit.link("requests"), visit.query_with(changes))
    };
    let query = visit.query_with(&[]);
    let captured = captured(visit);
    let is_captured = |id: AppId| captured.iter().any(|app| app.id == id.to_string());
    let may_capture = app.filter(|id| !is_captured(*id) && may_capture(visit, *id));
    Ok(List {
        base: visit.link(""),
        form: visit.form(),
        live: format!("{}?{query}", visit.link("requests/live")),
        poll: format!("{}?{query}", visit.link("requests")),
        key: live::key(&query),
        paused: until.map(|until| Paused {
            at: Timestamp::from_millisecond(until).map(text::clock).unwrap_or_default(),
            newer,
        }),
        pause: to(&[("paused", &newest.to_string())]),
        resume: to(&[("paused", "")]),
        is_filtered,
        captured,
        may_capture,
        is_cut: read.items.len() == ROWS,
        rows: read.items.iter().rev().map(|request| Row::new(visit, request)).collect(),
    })
}

/// `GET requests`.
pub(super) async fn page(visit: Visit) -> Response {
    let answer = list(&visit).map(|list| {
        if visit.wants_part {
            return Answer::part(&list);
        }
        let region = visit.query("region");
        let regions = &visit.console.platform.settings().regions;
        let page = Page {
            base: visit.link(""),
            app: visit.query("app"),
            caller: visit.query("token"),
            path: visit.query("path"),
            denied: !visit.query("denied").is_empty(),
            all: !visit.query("all").is_empty(),
            paused: visit.query("paused"),
            regions: regions.iter().map(|of| (of.clone(), of.as_str() == region)).collect(),
            list: &list,
        };
        Answer::view(&visit, "Requests", Place::Requests, &page)
    });
    visit.answer(Place::Requests, answer)
}

/// `GET requests/live`.
pub(super) async fn live(visit: Visit) -> Response {
    let telemetry = Arc::clone(&visit.console.telemetry);
    let seen = Arc::new(AtomicU64::new(telemetry.recorded()));
    let wake = move || {
        let (telemetry, seen) = (Arc::clone(&telemetry), Arc::clone(&seen));
        async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let now = telemetry.recorded();
                if seen.swap(now, Ordering::Relaxed) != now {
                    return;
                }
            }
        }
    };
    live::stream_woken(
        visit,
        |visit| async move { list(&visit).ok().map(|list| render(&list)) },
        wake,
    )
}
