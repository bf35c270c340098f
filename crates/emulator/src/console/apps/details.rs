//! The page of an app.

use std::fmt::Write;
use std::time::Instant;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use ovhai_api_types::{AppId, AppState, Region, Timestamp};
use ovhai_core::directory::AppEntry;
use ovhai_core::platform::{AccessQuery, AccessVerdict};
use ovhai_core::replica::ReplicaState;

use super::charts::{Chart, HEIGHT, WIDTH, charts};
use super::{can_start, can_stop, find};
use crate::api::command_line::command_line;
use crate::console::live;
use crate::console::page::{Answer, Place, Refused};
use crate::console::response::render;
use crate::console::text::{self, Label, Look};
use crate::console::visit::Visit;
use crate::host;

/// Tokens that the page explains at most.
const TOKENS: usize = 20;
/// Lines of output that the page shows.
const LINES: usize = 10;
/// Entries of the history that the page shows.
const HISTORY: usize = 10;

struct Replica {
    ordinal: u32,
    state: Look,
    since: String,
    restarts: u32,
    last_exit: Option<String>,
}

impl Replica {
    fn new(replica: &ReplicaState, now: Timestamp) -> Self {
        Self {
            ordinal: replica.id.ordinal,
            state: text::phase(replica.phase),
            since: text::age(replica.since, now),
            restarts: replica.restarts,
            last_exit: replica.last_exit.as_ref().map(|exit| {
                format!(
                    "Last exit: {}, {} ({})",
                    exit.reason(),
                    exit.message,
                    text::moment(exit.at)
                )
            }),
        }
    }
}

struct Entry {
    state: Look,
    date: String,
}

struct Access {
    name: String,
    role: &'static str,
    read: Look,
    operate: Look,
    why: String,
}

impl Access {
    fn new(verdict: &AccessVerdict) -> Option<Self> {
        let token = verdict.token.as_ref()?;
        let (read, operate) = (&verdict.read, &verdict.operate);
        let why = match (read.is_allowed(), operate.is_allowed()) {
            (true, false) => format!("{}; {}", read.reason, operate.reason),
            _ => read.reason.to_string(),
        };
        Some(Self {
            name: token.name.clone(),
            role: token.role.short(),
            read: text::access(read.is_allowed()),
            operate: text::access(operate.is_allowed()),
            why,
        })
    }
}

struct Sample {
    title: &'static str,
    text: String,
}

/// The lines that call an app.
fn samples(url: &str, id: AppId, is_public: bool) -> Vec<Sample> {
    let authority = url.strip_prefix("http://").unwrap_or(url);
    let header = if is_public { "" } else { " -H \"Authorization: Bearer $TOKEN\"" };
    // Not every resolver knows names below localhost.
    let port = authority.rsplit_once(':').map_or("80", |(_, port)| port);
    vec![
        Sample { title: "ovhai", text: format!("ovhai app curl {id}") },
        Sample {
            title: "curl",
            text: format!("curl --resolve {authority}:127.0.0.1{header} {url}/"),
        },
        Sample {
            title: "Python",
            text: format!(
                "import os, requests\n\nanswer = requests.get(\n    \"http://127.0.0.1:{port}/\",\n    headers={{\"Host\": \"{authority}\"{}}})\nprint(answer.text)",
                if is_public {
                    ""
                } else {
                    ", \"Authorization\": \"Bearer \" + os.environ[\"TOKEN\"]"
                }
            ),
        },
    ]
}

/// The part of the page that changes.
#[derive(Template)]
#[template(path = "console/apps/details.html")]
struct Details {
    base: String,
    form: String,
    id: String,
    name: String,
    state: Look,
    is_bad: bool,
    info: String,
    url: String,
    is_public: bool,
    labels: Vec<Label>,
    image: String,
    command: Option<String>,
    region: Region,
    port: u16,
    grpc_port: Option<u16>,
    probe: String,
    resources: String,
    created: String,
    user: String,
    env: Vec<String>,
    ready: usize,
    wanted: u32,
    scaling: String,
    replicas: Vec<Replica>,
    history: Vec<Entry>,
    access: Result<Vec<Access>, String>,
    more_tokens: bool,
    samples: Vec<Sample>,
    /// The command that makes such an app.
    line: String,
    logs: Vec<String>,
    charts: Vec<Chart>,
    /// Until when its requests are captured, and for whom.
    captured: Option<String>,
    can_start: bool,
    can_stop: bool,
}

#[derive(Template)]
#[template(path = "console/apps/app.html")]
struct Page<'a> {
    base: String,
    app: &'a Details,
}

fn resources(entry: &AppEntry) -> String {
    let resources = &entry.record.spec.resources;
    let mut out = String::new();
    for (units, kind) in [(resources.gpu, "GPU"), (resources.cpu, "CPU")] {
        if let Some(units) = units.filter(|units| *units > 0) {
            let _ = write!(out, "{}{units} {kind}", if out.is_empty() { "" } else { ", " });
        }
    }
    if let Some(flavor) = &resources.flavor {
        let _ = write!(out, " ({flavor})");
    }
    out
}

fn details(visit: &Visit, id: &str) -> Result<Details, Refused> {
    let (entry, region) = find(visit, id)?;
    let platform = &visit.console.platform;
    let (record, now) = (&entry.record, platform.now());
    let spec = &record.spec;
    let url = format!("http://{}", host::app_host(record.id, &region, visit.console.port));
    let explained =
        platform.explain(&visit.who, &region, &AccessQuery::App(record.id), 0, TOKENS + 1);
    let (access, more_tokens) = match explained {
        Ok(verdicts) => {
            let more = verdicts.len() > TOKENS;
            (Ok(verdicts.iter().take(TOKENS).filter_map(Access::new).collect()), more)
        }
        Err(error) => (Err(format!("Not shown: {error}.")), false),
    };
    let scaling = spec.scaling.wire();
    let scaling = match &scaling.automatic {
        Some(automatic) => format!(
            "Automatic: {} to {}, by {}.",
            automatic.replicas_min, automatic.replicas_max, automatic.resource_type
        ),
        None => String::new(),
    };
    let captured = visit.console.telemetry.captured_apps();
    let captured = captured.into_iter().find(|captured| captured.app == record.id);
    let progress = entry.observed.now();
    // Reading output is an action of its own.
    let logs = platform.app_logs(&visit.who, &region, record.id).map_or_else(
        |_| Vec::new(),
        |entry| entry.logs.tail(LINES, |_| true).into_iter().map(|line| line.text).collect(),
    );
    Ok(Details {
        base: visit.link(""),
        form: visit.form(),
        id: record.id.to_string(),
        name: spec.name.clone(),
        state: text::state(record.state),
        is_bad: matches!(record.state, AppState::Failed | AppState::Error),
        info: entry.info().message,
        is_public: spec.public,
        labels: text::labels(&record.labels),
        image: spec.image.clone(),
        command: spec.command.as_ref().map(|words| words.join(" ")),
        port: spec.http_port,
        grpc_port: spec.grpc_port,
        probe: format!(
            "{}, port {}",
            spec.probe_path.as_deref().unwrap_or("/"),
            spec.probe_port.unwrap_or(spec.http_port)
        ),
        resources: resources(&entry),
        created: text::moment(record.created_at),
        user: record.user.clone(),
        env: spec.env.iter().map(|env| env.name.clone()).collect(),
        ready: entry.live.backends.len(),
        wanted: spec.scaling.replicas(),
        scaling,
        replicas: progress.replicas.iter().map(|replica| Replica::new(replica, now)).collect(),
        history: record
            .history
            .iter()
            .rev()
            .take(HISTORY)
            .map(|entry| Entry { state: text::state(entry.state), date: text::moment(entry.date) })
            .collect(),
        access,
        more_tokens,
        samples: samples(&url, record.id, spec.public),
        line: command_line(&spec.wire(&record.labels)),
        logs,
        charts: charts(&visit.console.series.view(record.id, Instant::now())),
        captured: captured.map(|app| format!("{}, for {}", text::moment(app.until), app.by)),
        can_start: can_start(&entry),
        can_stop: can_stop(&entry),
        region,
        url,
    })
}

/// `GET apps/{id}`.
pub(super) async fn page(visit: Visit, Path((_, id)): Path<(String, String)>) -> Response {
    let answer = details(&visit, &id).map(|app| {
        if visit.wants_part {
            return Answer::part(&app);
        }
        let page = Page { base: visit.link(""), app: &app };
        Answer::view(&visit, app.name.clone(), Place::Apps, &page)
    });
    visit.answer(Place::Apps, answer)
}

/// `GET apps/{id}/live`.
pub(super) async fn live(visit: Visit, Path((_, id)): Path<(String, String)>) -> Response {
    live::stream(visit, move |visit| {
        let id = id.clone();
        async move { details(&visit, &id).ok().map(|app| render(&app)) }
    })
}
