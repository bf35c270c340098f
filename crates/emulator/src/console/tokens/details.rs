//! The page of a token: what it opens, and why.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use ovhai_api_types::{Order, Selector};
use ovhai_core::platform::{AccessQuery, AccessVerdict, AppQuery, TokenQuestion};

use super::list::{Used, apps_query};
use super::{find, role_name};
use crate::console::page::{Answer, Place, Refused};
use crate::console::response::render;
use crate::console::text::{self, Label, Look};
use crate::console::visit::Visit;

/// Apps on a page.
const SIZE: usize = 25;

/// What a token may do with an app.
pub(super) struct Verdict {
    id: String,
    name: String,
    labels: Vec<Label>,
    query: Look,
    manage: Look,
    why: String,
}

impl Verdict {
    pub(super) fn new(verdict: &AccessVerdict) -> Self {
        let (read, operate) = (&verdict.read, &verdict.operate);
        let why = match (read.is_allowed(), operate.is_allowed()) {
            (true, false) => format!("{}; {}", read.reason, operate.reason),
            _ => read.reason.to_string(),
        };
        let record = &verdict.app.record;
        Self {
            id: record.id.to_string(),
            name: record.spec.name.clone(),
            labels: text::labels(&record.labels).into_iter().filter(|l| !l.is_platform).collect(),
            query: text::access(read.is_allowed()),
            manage: text::access(operate.is_allowed()),
            why,
        }
    }
}

/// The table of verdicts.
#[derive(Template)]
#[template(path = "console/tokens/verdicts.html")]
pub(super) struct Verdicts {
    pub(super) base: String,
    pub(super) region: String,
    pub(super) is_filtered: bool,
    pub(super) rows: Vec<Verdict>,
    pub(super) total: usize,
    pub(super) first: usize,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
}

impl Verdicts {
    fn last(&self) -> usize {
        self.first + self.rows.len() - 1
    }
}

/// Whether an app has a text, in lower case, in its name or id, and a decision.
pub(super) fn fits(verdict: &AccessVerdict, q: &str, decision: &str) -> bool {
    let record = &verdict.app.record;
    let named = q.is_empty()
        || record.spec.name.to_lowercase().contains(q)
        || record.id.to_string().contains(q);
    named
        && match decision {
            "allowed" => verdict.read.is_allowed(),
            "refused" => !verdict.read.is_allowed(),
            _ => true,
        }
}

#[derive(Template)]
#[template(path = "console/tokens/token.html")]
struct Page<'a> {
    base: String,
    id: String,
    name: &'a str,
    selector: Option<String>,
    role: &'static str,
    region: String,
    version: u32,
    created: String,
    updated: String,
    used: Option<Used>,
    apps_query: String,
    q: &'a str,
    decisions: Vec<(&'static str, bool)>,
    verdicts: String,
}

fn show(visit: &Visit, id: &str) -> Result<Answer, Refused> {
    let token = find(visit, id)?;
    let platform = &visit.console.platform;
    let (q, decision) = (visit.query("q").trim(), visit.query("decision"));
    let is_filtered = !q.is_empty() || !decision.is_empty();
    let lower = q.to_lowercase();
    let query = AccessQuery::Token(TokenQuestion::Id(token.id));
    let page = visit.query("page").parse::<usize>().unwrap_or(1).max(1);
    let explain = |skip, take| platform.explain(&visit.who, &token.region, &query, skip, take);
    let (total, page, found) = if is_filtered {
        let mut found = explain(0, usize::MAX)?;
        found.retain(|verdict| fits(verdict, &lower, decision));
        let (total, page) = (found.len(), page.min(found.len().div_ceil(SIZE).max(1)));
        (total, page, found.into_iter().skip((page - 1) * SIZE).take(SIZE).collect::<Vec<_>>())
    } else {
        let all =
            AppQuery { selector: Selector::default(), order: Order::Desc, ..AppQuery::default() };
        let total = platform.list_apps(&visit.who, &token.region, &all)?.len();
        let page = page.min(total.div_ceil(SIZE).max(1));
        (total, page, explain((page - 1) * SIZE, SIZE)?)
    };
    let to = |page: usize| {
        let query = visit.query_with(&[("page", &page.to_string())]);
        format!("{}?{query}", visit.link(&format!("tokens/{}", token.id)))
    };
    let verdicts = Verdicts {
        base: visit.link(""),
        region: token.region.to_string(),
        is_filtered,
        rows: found.iter().map(Verdict::new).collect(),
        total,
        first: (page - 1) * SIZE + 1,
        previous: (page > 1).then(|| to(page - 1)),
        next: (page * SIZE < total).then(|| to(page + 1)),
    };
    if visit.wants_part {
        return Ok(Answer::part(&verdicts));
    }
    let view = Page {
        base: visit.link(""),
        id: token.id.to_string(),
        name: &token.name,
        selector: token.selector.as_ref().map(ToString::to_string),
        role: role_name(token.role),
        region: token.region.to_string(),
        version: token.version,
        created: text::moment(token.created_at),
        updated: text::moment(token.updated_at),
        used: Used::of(&visit.console.telemetry.last_uses(), token.id),
        apps_query: apps_query(&token),
        q,
        decisions: ["allowed", "refused"].map(|of| (of, of == decision)).to_vec(),
        verdicts: render(&verdicts),
    };
    Ok(Answer::view(visit, Arc::clone(&token).name.clone(), Place::Tokens, &view))
}

/// `GET tokens/{id}`.
pub(super) async fn page(visit: Visit, Path((_, id)): Path<(String, String)>) -> Response {
    visit.answer(Place::Tokens, show(&visit, &id))
}
