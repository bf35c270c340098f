//! The form of a new token.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use ovhai_api_types::{Region, Role, TokenSpec};
use ovhai_core::Error;

use super::matches::{Matches, read_selector};
use super::{fresh, regions, role_name};
use crate::console::page::{Answer, Place, Refused};
use crate::console::text::WrongSelector;
use crate::console::visit::{Sent, Visit};

/// The roles of the form; the first is the default.
const ROLES: [Role; 2] = [Role::Read, Role::Operator];

/// What was typed.
struct Typed<'a> {
    name: &'a str,
    selector: &'a str,
    role: &'a str,
    region: &'a str,
}

/// The problems of the fields.
#[derive(Default)]
struct Problems {
    name: Option<String>,
    selector: Option<Result<WrongSelector, String>>,
    role: Option<String>,
    region: Option<String>,
}

impl Problems {
    fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.selector.is_none()
            && self.role.is_none()
            && self.region.is_none()
    }

    /// Puts the API's refusal beside its field; gives it back if it is about none.
    fn add(&mut self, error: Error) -> Result<(), Error> {
        let Error::Invalid { field, message } = error else { return Err(error) };
        match field.as_str() {
            "name" => self.name = Some(message),
            "role" => self.role = Some(message),
            "labelSelector" => self.selector = Some(Err(message)),
            _ => return Err(Error::Invalid { field, message }),
        }
        Ok(())
    }
}

#[derive(Template)]
#[template(path = "console/tokens/new.html")]
struct Page<'a> {
    base: String,
    form: String,
    name: &'a str,
    selector: &'a str,
    /// Wire name, name for people, whether it is chosen.
    roles: Vec<(&'static str, &'static str, bool)>,
    regions: Vec<(Region, bool)>,
    problems: Problems,
    matches: Matches,
}

fn show(
    visit: &Visit,
    status: StatusCode,
    typed: &Typed<'_>,
    problems: Problems,
) -> Result<Answer, Refused> {
    let regions = regions(visit)?;
    let chosen = regions.iter().find(|of| of.as_str() == typed.region);
    let chosen = chosen.or_else(|| regions.first()).cloned();
    let chosen = chosen.ok_or_else(|| Error::Internal("no region".into()))?;
    let role = typed.role.parse().unwrap_or(Role::Read);
    let page = Page {
        base: visit.link(""),
        form: visit.form(),
        name: typed.name,
        selector: typed.selector,
        roles: ROLES.map(|of| (of.short(), role_name(of), of == role)).to_vec(),
        matches: Matches::new(visit, typed.name, typed.selector, &chosen)?,
        regions: regions.into_iter().map(|of| (of.clone(), of == chosen)).collect(),
        problems,
    };
    Ok(Answer::view_with(visit, status, "New Token", Place::Tokens, &page))
}

/// `GET tokens/new`.
pub(super) async fn page(visit: Visit) -> Response {
    let typed = Typed {
        name: visit.query("name"),
        selector: visit.query("selector"),
        role: visit.query("role"),
        region: visit.query("region"),
    };
    let answer = show(&visit, StatusCode::OK, &typed, Problems::default());
    visit.answer(Place::Tokens, answer)
}

async fn make(sent: &Sent) -> Result<Answer, Refused> {
    let Sent { visit, fields } = sent;
    let typed = Typed {
        name: fields.get("name"),
        selector: fields.get("selector"),
        role: fields.get("role"),
        region: fields.get("region"),
    };
    if !fields.get("check").is_empty() {
        return show(visit, StatusCode::OK, &typed, Problems::default());
    }
    let mut problems = Problems::default();
    let (name, selector) = (typed.name.trim(), typed.selector.trim());
    if name.is_empty() {
        problems.name = Some("Enter a name.".to_owned());
    } else if let Err(error) = ovhai_core::spec::name("name", name) {
        problems.add(error)?;
    }
    if let Err(why) = read_selector(selector) {
        problems.selector = Some(why);
    }
    if !ROLES.iter().any(|role| role.short() == typed.role) {
        problems.role = Some("Choose a role.".to_owned());
    }
    let regions = regions(visit)?;
    let region = regions.iter().find(|of| of.as_str() == typed.region);
    if region.is_none() {
        problems.region = Some("Choose a region.".to_owned());
    }
    if let Some(region) = region
        && problems.is_empty()
    {
        let spec = TokenSpec {
            name: name.to_owned(),
            role: typed.role.to_owned(),
            label_selector: Some(selector.to_owned()).filter(|text| !text.is_empty()),
        };
        match visit.console.platform.create_token(&visit.who, region, &spec).await {
            Ok(issued) => return Ok(Answer::Go(fresh::keep(visit, issued)?)),
            Err(error) => problems.add(error)?,
        }
    }
    show(visit, StatusCode::UNPROCESSABLE_ENTITY, &typed, problems)
}

/// `POST tokens/new`.
pub(super) async fn generate(sent: Sent) -> Response {
    let answer = make(&sent).await;
    sent.visit.answer(Place::Tokens, answer)
}
