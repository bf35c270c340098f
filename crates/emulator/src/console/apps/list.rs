//! The list of apps.

use askama::Template;
use axum::response::Response;
use ovhai_api_types::{AppState, Order, Region, Timestamp};
use ovhai_core::directory::AppEntry;
use ovhai_core::platform::AppQuery;
use std::sync::Arc;

use super::{can_start, can_stop};
use crate::console::live;
use crate::console::page::{Answer, Place, Refused};
use crate::console::response::render;
use crate::console::text::{self, Label, Look, WrongSelector};
use crate::console::visit::Visit;
use crate::host;

/// Apps on a page.
const SIZE: usize = 25;

/// An app in the list.
struct Row {
    id: String,
    name: String,
    state: Look,
    image: String,
    ready: usize,
    wanted: u32,
    labels: Vec<Label>,
    region: Region,
    created: String,
    age: String,
    url: String,
    can_start: bool,
    can_stop: bool,
}

impl Row {
    fn new(entry: &AppEntry, now: Timestamp, port: u16) -> Self {
        let record = &entry.record;
        Self {
            id: record.id.to_string(),
            name: record.spec.name.clone(),
            state: text::state(record.state),
            image: record.spec.image.clone(),
            ready: entry.live.backends.len(),
            wanted: record.spec.scaling.replicas(),
            labels: text::labels(&record.labels).into_iter().filter(|l| !l.is_platform).collect(),
            region: record.region.clone(),
            created: text::moment(record.created_at),
            age: text::age(record.created_at, now),
            url: format!("http://{}", host::app_host(record.id, &record.region, port)),
            can_start: can_start(entry),
            can_stop: can_stop(entry),
        }
    }
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "console/apps/table.html")]
struct List {
    base: String,
    form: String,
    here: String,
    live: String,
    poll: String,
    /// Names the stream, which differs with the query.
    key: String,
    q: String,
    selector: String,
    states: Vec<(&'static str, bool)>,
    regions: Vec<(Region, bool)>,
    wrong: Option<WrongSelector>,
    is_filtered: bool,
    rows: Vec<Row>,
    total: usize,
    first: usize,
    last: usize,
    previous: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "console/apps/list.html")]
struct Page<'a> {
    base: String,
    list: &'a List,
}

/// Apps of several regions as one list, newest first; `skip` of them left out, `take` kept.
fn merge(regions: Vec<Vec<Arc<AppEntry>>>, skip: usize, take: usize) -> Vec<Arc<AppEntry>> {
    let mut ahead: Vec<_> = regions.into_iter().map(Vec::into_iter).collect();
    let mut newest = || {
        let seq = |apps: &&mut std::vec::IntoIter<Arc<AppEntry>>| {
            apps.as_slice().first().map(|app| app.record.seq)
        };
        ahead.iter_mut().max_by_key(seq)?.next()
    };
    for _ in 0..skip {
        newest();
    }
    (0..take).map_while(|_| newest()).collect()
}

fn list(visit: &Visit) -> Result<List, Refused> {
    let platform = &visit.console.platform;
    let (q, selector) = (visit.query("q").trim(), visit.query("selector").trim());
    let (state, region) = (visit.query("state"), visit.query("region"));
    let (parsed, wrong) = match text::selector(selector) {
        Ok(selector) => (selector, None),
        Err(wrong) => (ovhai_api_types::Selector::default(), Some(wrong)),
    };
    let states = AppState::ALL.into_iter().filter(|s| *s != AppState::Deleted);
    let query = AppQuery {
        selector: parsed,
        states: states.clone().filter(|s| s.as_str() == state).collect(),
        contains: Some(q.to_owned()).filter(|q| !q.is_empty()),
        order: Order::Desc,
        ..AppQuery::default()
    };
    let all = &platform.settings().regions;
    let mut found = Vec::new();
    let mut refused = None;
    for of in all.iter().filter(|of| region.is_empty() || of.as_str() == region) {
        match platform.list_apps(&visit.who, of, &query) {
            Ok(apps) if wrong.is_none() => found.push(apps),
            Ok(_) => found.push(Vec::new()),
            // The caller may see other regions.
            Err(error) => {
                // A token's own region says why; the others only that it is not theirs.
                if refused.is_none() || visit.region().is_some_and(|own| own == of) {
                    refused = Some(error);
                }
            }
        }
    }
    if found.is_empty()
        && let Some(error) = refused
    {
        return Err(error.into());
    }
    let total: usize = found.iter().map(Vec::len).sum();
    let pages = total.div_ceil(SIZE).max(1);
    let page = visit.query("page").parse::<usize>().unwrap_or(1).clamp(1, pages);
    let now = platform.now();
    let rows: Vec<Row> = merge(found, (page - 1) * SIZE, SIZE)
        .iter()
        .map(|entry| Row::new(entry, now, visit.console.port))
        .collect();
    let to = |page: usize| {
        let query = visit.query_with(&[("page", &page.to_string())]);
        format!("{}?{query}", visit.link("apps"))
    };
    let query = visit.query_with(&[]);
    Ok(List {
        base: visit.link(""),
        form: visit.form(),
        here: format!("apps?{query}"),
        live: format!("{}?{query}", visit.link("apps/live")),
        poll: format!("{}?{query}", visit.link("apps")),
        key: live::key(&query),
        q: q.to_owned(),
        selector: selector.to_owned(),
        states: states.map(|s| (s.as_str(), s.as_str() == state)).collect(),
        regions: all.iter().map(|of| (of.clone(), of.as_str() == region)).collect(),
        is_filtered: [q, selector, state, region].iter().any(|filter| !filter.is_empty()),
        wrong,
        total,
        first: (page - 1) * SIZE + 1,
        last: (page - 1) * SIZE + rows.len(),
        previous: (page > 1).then(|| to(page - 1)),
        next: (page < pages).then(|| to(page + 1)),
        rows,
    })
}

/// `GET apps`.
pub(super) async fn page(visit: Visit) -> Response {
    let answer = list(&visit).map(|list| {
        if visit.wants_part {
            return Answer::part(&list);
        }
        let page = Page { base: visit.link(""), list: &list };
        Answer::view(&visit, "AI Apps", Place::Apps, &page)
    });
    visit.answer(Place::Apps, answer)
}

/// `GET apps/live`.
pub(super) async fn live(visit: Visit) -> Response {
    live::stream(visit, |visit| async move { list(&visit).ok().map(|list| render(&list)) })
}
