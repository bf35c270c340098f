//! The apps that a token with a given selector would open, and the apps that it would nearly open.

use std::cmp::Reverse;
use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use ovhai_api_types::{Order, Region, Selector, UnmetTerm};
use ovhai_core::directory::AppEntry;
use ovhai_core::input;
use ovhai_core::platform::AppQuery;

use super::regions;
use crate::console::live;
use crate::console::page::{Answer, Place, Refused};
use crate::console::response::render;
use crate::console::text::{self, Label, Look, WrongSelector};
use crate::console::visit::Visit;

/// Matching apps that are shown.
const SHOWN: usize = 10;
/// Near misses that are shown,
const NEAR: usize = 5;
/// and apps that are examined for them, the newest.
const EXAMINED: usize = 5000;
/// Maximum length of a selector in OVHcloud's control panel.
const PANEL_MAX: usize = 100;

struct Match {
    id: String,
    name: String,
    state: Look,
    labels: Vec<Label>,
}

struct NearMiss {
    id: String,
    name: String,
    /// The term that does not match, and why.
    why: String,
}

/// The apps that a selector opens.
enum Found {
    Wrong(WrongSelector),
    /// A selector that exceeds a limit.
    Refused(String),
    Apps {
        count: usize,
        /// Number of apps of the region.
        of: usize,
        /// Whether the selector is empty.
        every: bool,
        shown: Vec<Match>,
        near: Vec<NearMiss>,
    },
}

#[derive(Template)]
#[template(path = "console/tokens/matches.html")]
pub(super) struct Matches {
    base: String,
    live: String,
    poll: String,
    /// Names the stream, which differs with the query.
    key: String,
    region: Region,
    found: Found,
    /// The names and selectors that OVHcloud's control panel refuses.
    notes: Vec<&'static str>,
}

/// A selector that a form has.
pub(super) fn read_selector(text: &str) -> Result<Selector, Result<WrongSelector, String>> {
    let selector = text::selector(text).map_err(Ok)?;
    match input::selector("labelSelector", text) {
        Ok(_) => Ok(selector),
        Err(ovhai_core::Error::Invalid { message, .. }) => Err(Err(message)),
        Err(error) => Err(Err(error.to_string())),
    }
}

/// What OVHcloud's control panel would refuse of a name and a selector.
fn panel_notes(name: &str, selector: &str) -> Vec<&'static str> {
    let is_word = |text: &str, more: &[char]| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || more.contains(&c);
        !text.is_empty() && text.chars().all(allowed)
    };
    let mut notes = Vec::new();
    if !name.is_empty() && (!is_word(name, &['_', '-']) || name.starts_with('-')) {
        notes.push(
            "OVHcloud's control panel takes letters, digits, _ and - in a name. Its API and its CLI take this one.",
        );
    }
    let is_pair = selector
        .split_once('=')
        .is_some_and(|(key, value)| is_word(key, &['_']) && is_word(value, &['_', '-']));
    if !selector.is_empty() && !is_pair {
        notes.push(
            "OVHcloud's control panel takes one name=value without a /. Its API and its CLI take this selector.",
        );
    } else if selector.len() > PANEL_MAX {
        notes.push(
            "OVHcloud's control panel takes 100 characters of a selector. Its API and its CLI take this one.",
        );
    }
    notes
}

/// The apps that fail the fewest terms, first those that have the failing label with another value.
fn near_misses(apps: &[Arc<AppEntry>], selector: &Selector) -> Vec<NearMiss> {
    let mut near: Vec<(usize, bool, UnmetTerm, &Arc<AppEntry>)> = apps
        .iter()
        .take(EXAMINED)
        .filter_map(|app| {
            let labels = &app.record.labels;
            let unmet = selector.first_unmet(labels)?;
            let failing = selector.terms().iter().filter(|term| !term.matches(labels)).count();
            Some((failing, unmet.found.is_none(), unmet, app))
        })
        .collect();
    near.sort_by_key(|(failing, has_none, _, app)| (*failing, *has_none, Reverse(app.record.seq)));
    near.into_iter()
        .take(NEAR)
        .map(|(_, _, unmet, app)| NearMiss {
            id: app.record.id.to_string(),
            name: app.record.spec.name.clone(),
            why: unmet.to_string(),
        })
        .collect()
}

impl Matches {
    pub(super) fn new(
        visit: &Visit,
        name: &str,
        selector: &str,
        region: &Region,
    ) -> Result<Self, Refused> {
        let platform = &visit.console.platform;
        let (name, selector) = (name.trim(), selector.trim());
        let found = match read_selector(selector) {
            Err(Ok(wrong)) => Found::Wrong(wrong),
            Err(Err(why)) => Found::Refused(why),
            Ok(parsed) => {
                let list = |selector: Selector| {
                    let query = AppQuery { selector, order: Order::Desc, ..AppQuery::default() };
                    platform.list_apps(&visit.who, region, &query)
                };
                let (matching, all) = (list(parsed.clone())?, list(Selector::default())?);
                let shown = matching.iter().take(SHOWN).map(|app| Match {
                    id: app.record.id.to_string(),
                    name: app.record.spec.name.clone(),
                    state: text::state(app.record.state),
                    labels: text::labels(&app.record.labels)
                        .into_iter()
                        .filter(|label| !label.is_platform)
                        .collect(),
                });
                Found::Apps {
                    count: matching.len(),
                    of: all.len(),
                    every: parsed.is_empty(),
                    shown: shown.collect(),
                    near: near_misses(&all, &parsed),
                }
            }
        };
        let is_valid = matches!(found, Found::Apps { .. });
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("name", name)
            .append_pair("selector", selector)
            .append_pair("region", region.as_str())
            .finish();
        Ok(Self {
            base: visit.link(""),
            live: format!("{}?{query}", visit.link("tokens/matches/live")),
            poll: format!("{}?{query}", visit.link("tokens/matches")),
            key: live::key(&query),
            region: region.clone(),
            // The API refuses a selector that is not valid, too.
            notes: panel_notes(name, if is_valid { selector } else { "" }),
            found,
        })
    }

    /// Of the query of a request.
    fn of_query(visit: &Visit) -> Result<Self, Refused> {
        let regions = regions(visit)?;
        let asked = visit.query("region");
        let region = regions.iter().find(|of| of.as_str() == asked).or_else(|| regions.first());
        let region = region.ok_or_else(|| ovhai_core::Error::Internal("no region".into()))?;
        Self::new(visit, visit.query("name"), visit.query("selector"), region)
    }
}

/// `GET tokens/matches`.
pub(super) async fn part(visit: Visit) -> Response {
    let answer = Matches::of_query(&visit).map(|matches| Answer::part(&matches));
    visit.answer(Place::Tokens, answer)
}

/// `GET tokens/matches/live`.
pub(super) async fn live(visit: Visit) -> Response {
    live::stream(visit, |visit| async move {
        Matches::of_query(&visit).ok().map(|matches| render(&matches))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panel_takes_less() {
        let count = |name: &str, selector: &str| panel_notes(name, selector).len();
        assert_eq!(count("reader_1-a", "group=A"), 0);
        assert_eq!(count("", ""), 0, "nothing was typed yet");
        assert_eq!(count("my reader", "group=A"), 1);
        assert_eq!(count("-reader", ""), 1);
        for selector in ["ovh/id=1", "a=b,c=d", "a", "!a", "a!=b", "a in (b)", "a-b=c"] {
            assert_eq!(count("", selector), 1, "{selector}");
        }
        assert_eq!(count("a b", "c"), 2);
        assert_eq!(count("", &format!("a={}", "b".repeat(99))), 1);
        assert_eq!(count("", &format!("a={}", "b".repeat(98))), 0);
    }

    #[test]
    fn selectors_are_read_with_the_limits_of_the_api() {
        assert!(read_selector("group=A, env!=prod").is_ok());
        assert!(matches!(read_selector("group=A,,"), Err(Ok(_))));
        let long = format!("a in ({})", ["b"; 10].join(","));
        assert!(read_selector(&long).is_ok());
        let terms: Vec<String> = (0..70).map(|n| format!("a{n}")).collect();
        assert!(matches!(read_selector(&terms.join(",")), Err(Err(_))));
    }
}
