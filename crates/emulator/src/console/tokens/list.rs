//! The list of tokens.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use ovhai_api_types::{Region, Timestamp, TokenId};
use ovhai_core::Error;
use ovhai_core::model::TokenRecord;
use ovhai_core::platform::AppQuery;

use super::fresh::{self, Fresh};
use super::{regions, role_name};
use crate::console::live;
use crate::console::page::{Answer, Place, Refused};
use crate::console::response::render;
use crate::console::text;
use crate::console::visit::Visit;

/// Tokens on a page.
const SIZE: usize = 25;

/// A token in the list.
struct Row {
    id: String,
    name: String,
    /// None: it opens every app of its region.
    selector: Option<String>,
    role: &'static str,
    region: Region,
    version: u32,
    created: String,
    age: String,
    /// When it was used last.
    used: Option<Used>,
    /// Number of apps that it opens now.
    apps: usize,
    /// The query of the list of these apps.
    apps_query: String,
}

/// The time of a token's last request to an app.
pub(super) struct Used {
    pub(super) at: String,
    pub(super) age: String,
}

impl Used {
    /// Of a token; none since the emulator started.
    pub(super) fn of(uses: &HashMap<TokenId, Timestamp>, id: TokenId) -> Option<Self> {
        let at = *uses.get(&id)?;
        Some(Self { at: text::moment(at), age: text::age(at, Timestamp::now()) })
    }
}

/// The number of apps that a token opens now.
pub(super) fn count_apps(visit: &Visit, token: &TokenRecord) -> Result<usize, Error> {
    let selector = token.selector.clone().unwrap_or_default();
    let query = AppQuery { selector, ..AppQuery::default() };
    Ok(visit.console.platform.list_apps(&visit.who, &token.region, &query)?.len())
}

/// The query of the list of the apps that a token opens.
pub(super) fn apps_query(token: &TokenRecord) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(selector) = &token.selector {
        query.append_pair("selector", &selector.to_string());
    }
    query.append_pair("region", token.region.as_str()).finish()
}

impl Row {
    fn new(
        visit: &Visit,
        token: &TokenRecord,
        uses: &HashMap<TokenId, Timestamp>,
    ) -> Result<Self, Error> {
        let now = visit.console.platform.now();
        Ok(Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            selector: token.selector.as_ref().map(ToString::to_string),
            role: role_name(token.role),
            region: token.region.clone(),
            version: token.version,
            created: text::moment(token.created_at),
            age: text::age(token.created_at, now),
            used: Used::of(uses, token.id),
            apps: count_apps(visit, token)?,
            apps_query: apps_query(token),
        })
    }
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "console/tokens/table.html")]
struct List {
    base: String,
    live: String,
    poll: String,
    /// Names the stream, which differs with the query.
    key: String,
    q: String,
    regions: Vec<(Region, bool)>,
    is_filtered: bool,
    rows: Vec<Row>,
    total: usize,
    first: usize,
    last: usize,
    previous: Option<String>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "console/tokens/list.html")]
struct Page<'a> {
    base: String,
    fresh: Option<Fresh>,
    list: &'a List,
}

/// Whether a token has a text, in lower case, in its name, id or selector.
fn fits(token: &TokenRecord, q: &str) -> bool {
    let selector = || token.selector.as_ref().map(ToString::to_string).unwrap_or_default();
    token.name.to_lowercase().contains(q)
        || token.id.to_string().contains(q)
        || selector().to_lowercase().contains(q)
}

fn list(visit: &Visit) -> Result<List, Refused> {
    let platform = &visit.console.platform;
    let (q, region) = (visit.query("q").trim(), visit.query("region"));
    let regions = regions(visit)?;
    let mut found: Vec<Arc<TokenRecord>> = Vec::new();
    for of in regions.iter().filter(|of| region.is_empty() || of.as_str() == region) {
        found.extend(platform.list_tokens(&visit.who, of)?);
    }
    let lower = q.to_lowercase();
    found.retain(|token| lower.is_empty() || fits(token, &lower));
    found.sort_by_key(|token| std::cmp::Reverse(token.seq));
    let total = found.len();
    let pages = total.div_ceil(SIZE).max(1);
    let page = visit.query("page").parse::<usize>().unwrap_or(1).clamp(1, pages);
    let uses = visit.console.telemetry.last_uses();
    let shown = found.iter().skip((page - 1) * SIZE).take(SIZE);
    let rows = shown.map(|token| Row::new(visit, token, &uses)).collect::<Result<Vec<_>, _>>()?;
    // The page of a new string is not the page of its list.
    let to = |page: usize| {
        let query = visit.query_with(&[("page", &page.to_string()), (fresh::KEY, "")]);
        format!("{}?{query}", visit.link("tokens"))
    };
    let query = visit.query_with(&[(fresh::KEY, "")]);
    Ok(List {
        base: visit.link(""),
        live: format!("{}?{query}", visit.link("tokens/live")),
        poll: format!("{}?{query}", visit.link("tokens")),
        key: live::key(&query),
        q: q.to_owned(),
        is_filtered: !q.is_empty() || !region.is_empty(),
        regions: regions.into_iter().map(|of| (of.clone(), of.as_str() == region)).collect(),
        total,
        first: (page - 1) * SIZE + 1,
        last: (page - 1) * SIZE + rows.len(),
        previous: (page > 1).then(|| to(page - 1)),
        next: (page < pages).then(|| to(page + 1)),
        rows,
    })
}

/// `GET tokens`.
pub(super) async fn page(visit: Visit) -> Response {
    let answer = list(&visit).map(|list| {
        if visit.wants_part {
            return Answer::part(&list);
        }
        let page = Page { base: visit.link(""), fresh: Fresh::take(&visit), list: &list };
        Answer::view(&visit, "Tokens", Place::Tokens, &page)
    });
    visit.answer(Place::Tokens, answer)
}

/// `GET tokens/live`.
pub(super) async fn live(visit: Visit) -> Response {
    live::stream(visit, |visit| async move { list(&visit).ok().map(|list| render(&list)) })
}
