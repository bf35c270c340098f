//! The project's page.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use ovhai_api_types::{Fault, Region};
use ovhai_core::model::MappingRecord;
use ovhai_core::platform::AppQuery;
use ovhai_core::quota::Usage;
use std::sync::Arc;

use super::rows::{self, RegistryRow, UserRow};
use super::sessions;
use crate::console::page::{Answer, Place, Refused};
use crate::console::text;
use crate::console::visit::{Sent, Visit};
use crate::control::FEATURES;
use crate::limits::LIMITS;

/// Units in use, and how many there may be.
struct Use {
    kind: &'static str,
    used: u64,
    quota: Option<u32>,
}

struct RegionRow {
    name: Region,
    is_default: bool,
    /// Number of apps and units in use that the caller may see, or why it sees none.
    seen: Result<(usize, [Use; 2]), String>,
    tokens: Option<usize>,
}

struct Mapping {
    image: String,
    command: String,
    directory: String,
    created: String,
}

struct Limit {
    name: &'static str,
    value: String,
    meaning: &'static str,
}

struct Feature {
    name: &'static str,
    is_emulated: bool,
    description: &'static str,
}

/// The forms of this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    User,
    Registry,
}

/// A form that was not accepted, as it was sent but for its password.
#[derive(Default)]
struct Wrong {
    problem: Option<String>,
    name: String,
    url: String,
    username: String,
    region: String,
}

#[derive(Template)]
#[template(path = "console/project/page.html")]
struct Page {
    base: String,
    form: String,
    project: String,
    regions: Vec<RegionRow>,
    users: Result<Vec<UserRow>, String>,
    wrong_user: Wrong,
    registries: Result<Vec<RegistryRow>, String>,
    wrong_registry: Wrong,
    mappings: Result<Vec<Mapping>, String>,
    builtin: Vec<(&'static str, &'static str)>,
    features: Vec<Feature>,
    sessions: Vec<sessions::Row>,
    owns: bool,
    has_engine: bool,
    version: &'static str,
    is_degraded: bool,
    faults: Vec<Fault>,
    started: String,
    runs_for: String,
    address: String,
    secure: Option<String>,
    apps_at: String,
    state: Option<String>,
    runtime: &'static str,
    limits: Vec<Limit>,
}

fn regions(visit: &Visit) -> Vec<RegionRow> {
    let platform = &visit.console.platform;
    let quotas = platform.settings().quotas;
    let row = |region: &Region| {
        let apps = platform.list_apps(&visit.who, region, &AppQuery::default());
        let seen = apps.map_err(|error| format!("Not shown: {error}.")).map(|apps| {
            let mut used = Usage::default();
            for app in &apps {
                used += Usage::of(&app.record);
            }
            let rows = [
                Use { kind: "CPU", used: used.cpu, quota: quotas.cpu },
                Use { kind: "GPU", used: used.gpu, quota: quotas.gpu },
            ];
            (apps.len(), rows)
        });
        RegionRow {
            is_default: platform.default_region() == Some(region),
            seen,
            tokens: platform.list_tokens(&visit.who, region).ok().map(|tokens| tokens.len()),
            name: region.clone(),
        }
    };
    platform.settings().regions.iter().map(row).collect()
}

fn mappings(visit: &Visit) -> Result<Vec<Mapping>, String> {
    let mapping = |record: &Arc<MappingRecord>| Mapping {
        image: record.image.clone(),
        command: record.command.join(" "),
        directory: record.working_directory.clone(),
        created: text::moment(record.created_at),
    };
    let all = visit.console.platform.list_mappings(&visit.who).map_err(|e| e.to_string())?;
    Ok(all.iter().map(mapping).collect())
}

fn view(visit: &Visit, wrong: Option<(Form, Wrong)>) -> Page {
    let (platform, machine) = (&visit.console.platform, &visit.console.machine);
    let now = platform.now();
    let owns = platform.may_shut_down(&visit.who).is_ok();
    let (wrong_user, wrong_registry) = match wrong {
        Some((Form::User, wrong)) => (wrong, Wrong::default()),
        Some((Form::Registry, wrong)) => (Wrong::default(), wrong),
        None => Default::default(),
    };
    let mut faults = platform.components().faults();
    if !owns {
        // Paths of this machine are its owner's.
        for fault in &mut faults {
            fault.reason = None;
        }
    }
    let port = visit.console.port;
    let state = machine.state.as_ref().filter(|_| owns);
    Page {
        base: visit.link(""),
        form: visit.form(),
        project: platform.project().to_string(),
        regions: regions(visit),
        users: rows::users(visit),
        wrong_user,
        registries: rows::registries(visit),
        wrong_registry,
        mappings: mappings(visit),
        builtin: platform
            .builtin_images()
            .iter()
            .map(|image| (image.reference, image.description))
            .collect(),
        features: FEATURES
            .map(|(name, is_emulated, description)| Feature { name, is_emulated, description })
            .into(),
        sessions: sessions::rows(visit),
        owns,
        has_engine: machine.containers.is_some(),
        version: env!("CARGO_PKG_VERSION"),
        is_degraded: platform.components().any_failing(),
        faults,
        started: text::moment(machine.started_at),
        runs_for: text::age(machine.started_at, now),
        address: format!("http://localhost:{port}"),
        secure: machine.secure_port.map(|port| format!("https://localhost:{port}")),
        apps_at: format!("http://<id>.app.<region>.ai.localhost:{port}"),
        state: state.map(|state| state.path().display().to_string()),
        runtime: platform.settings().placement.map_or("none", ovhai_api_types::Placement::as_str),
        limits: LIMITS
            .iter()
            .map(|limit| Limit {
                name: limit.name,
                value: limit.shown(machine.limits),
                meaning: limit.meaning,
            })
            .collect(),
    }
}

/// `GET project`.
pub(super) async fn page(visit: Visit) -> Response {
    let answer = Answer::view(&visit, "Project", Place::Project, &view(&visit, None));
    visit.answer(Place::Project, Ok(answer))
}

/// The page with a form that was not accepted. A caller without access to the form gets the reason
/// alone.
pub(super) fn refused(sent: &Sent, form: Form, refused: &Refused) -> Response {
    let (visit, Refused(status, why)) = (&sent.visit, refused);
    if *status == StatusCode::FORBIDDEN {
        return visit.answer(Place::Project, Err(Refused(*status, why.clone())));
    }
    let of = |name| sent.fields.get(name).to_owned();
    let wrong = Wrong {
        problem: Some(why.clone()),
        name: of("name"),
        url: of("url"),
        username: of("username"),
        region: of("region"),
    };
    let page = view(visit, Some((form, wrong)));
    let answer = Answer::view_with(visit, *status, "Project", Place::Project, &page);
    visit.answer(Place::Project, Ok(answer))
}
