//! Explains a token's string. It comes in a form, never in an address, and is not shown again.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use ovhai_api_types::Region;
use ovhai_core::Error;
use ovhai_core::platform::{AccessQuery, TokenQuestion};

use super::details::{Verdict, Verdicts, fits};
use super::{regions, role_name};
use crate::console::page::{Answer, Place, Refused};
use crate::console::response::render;
use crate::console::visit::{Sent, Visit};

/// Maximum apps that are shown.
const SHOWN: usize = 100;

/// The token of a string.
struct Known {
    id: String,
    name: String,
    selector: Option<String>,
    role: &'static str,
    region: String,
    version: u32,
}

/// What is known of a string.
struct Explained {
    token: Option<Known>,
    /// Why the string is not valid here.
    void: Option<String>,
    verdicts: String,
}

#[derive(Template)]
#[template(path = "console/tokens/explain.html")]
struct Page<'a> {
    base: String,
    form: String,
    regions: Vec<(Region, bool)>,
    q: &'a str,
    problem: Option<&'a str>,
    explained: Option<Explained>,
}

fn show(
    visit: &Visit,
    status: StatusCode,
    (region, q): (&str, &str),
    problem: Option<&str>,
    explained: Option<Explained>,
) -> Result<Answer, Refused> {
    let regions = regions(visit)?;
    let page = Page {
        base: visit.link(""),
        form: visit.form(),
        regions: regions.into_iter().map(|of| (of.clone(), of.as_str() == region)).collect(),
        q,
        problem,
        explained,
    };
    Ok(Answer::view_with(visit, status, "Explain a token", Place::Tokens, &page))
}

/// `GET tokens/explain`.
pub(super) async fn page(visit: Visit) -> Response {
    visit.answer(Place::Tokens, show(&visit, StatusCode::OK, ("", ""), None, None))
}

fn answer(sent: &Sent) -> Result<Answer, Refused> {
    let Sent { visit, fields } = sent;
    let asked = (fields.get("region"), fields.get("q").trim());
    let value = fields.get("token").trim();
    // It may have been copied from a header.
    let value = value.strip_prefix("Bearer ").map_or(value, str::trim_start);
    if value.is_empty() {
        let why = Some("Paste a token's string.");
        return show(visit, StatusCode::UNPROCESSABLE_ENTITY, asked, why, None);
    }
    let platform = &visit.console.platform;
    let regions = regions(visit)?;
    let first = regions.first().ok_or_else(|| Error::Internal("no region".into()))?;
    let (token, void) = platform.look_up_string(&visit.who, first, value.to_owned())?;
    // Without another wish, its own region is meant.
    let chosen = regions.iter().find(|of| of.as_str() == asked.0);
    let region = chosen.or(token.as_ref().map(|token| &token.region)).unwrap_or(first);
    let query = AccessQuery::Token(TokenQuestion::Value(value.to_owned()));
    let mut found = platform.explain(&visit.who, region, &query, 0, usize::MAX)?;
    let lower = asked.1.to_lowercase();
    found.retain(|verdict| fits(verdict, &lower, ""));
    let verdicts = Verdicts {
        base: visit.link(""),
        region: region.to_string(),
        is_filtered: !lower.is_empty(),
        rows: found.iter().take(SHOWN).map(Verdict::new).collect(),
        total: found.len(),
        first: 1,
        previous: None,
        next: None,
    };
    let explained = Explained {
        token: token.map(|token| Known {
            id: token.id.to_string(),
            name: token.name.clone(),
            selector: token.selector.as_ref().map(ToString::to_string),
            role: role_name(token.role),
            region: token.region.to_string(),
            version: token.version,
        }),
        void: void.map(|why| why.to_string()),
        verdicts: render(&verdicts),
    };
    show(visit, StatusCode::OK, asked, None, Some(explained))
}

/// `POST tokens/explain`.
pub(super) async fn explain(sent: Sent) -> Response {
    let answer = answer(&sent);
    sent.visit.answer(Place::Tokens, answer)
}
