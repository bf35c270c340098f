//! The page of a request.

use std::fmt::Write;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use ovhai_api_types::{AppId, Door, RequestRecord};
use ovhai_core::policy::Action;

use super::capture::may_capture;
use super::look::{self, Linked};
use crate::api::command_line::quote;
use crate::console::page::{Answer, Place, Refused};
use crate::console::text::{self, Look};
use crate::console::visit::Visit;
use crate::host;
use crate::telemetry::capture::{CapturedHead, REDACTED};
use crate::telemetry::visible::{Visible, Wanted};

/// Maximum requests of one id: clients choose ids.
const SAME: usize = 20;
/// Width of the picture of the times.
const WIDTH: u64 = 1000;

/// A part of the time that a request took.
struct Part {
    class: &'static str,
    name: &'static str,
    text: String,
    /// Its place in the picture.
    x: u64,
    width: u64,
}

/// Splits the time; `upstream` and `held` are parts of the total.
fn split(request: &RequestRecord) -> Vec<Part> {
    let total = request.micros;
    let upstream = request.upstream_micros.unwrap_or(0).min(total);
    let held = request.held_micros.unwrap_or(0).min(total - upstream);
    let mut x = 0;
    let mut part = |class, name, micros: u64| {
        let begin = x;
        let whole = u128::from(total.max(1));
        let width = u128::from(micros) * u128::from(WIDTH) / whole;
        let width = u64::try_from(width).unwrap_or(WIDTH);
        x += width;
        Part { class, name, text: look::duration(micros), x: begin, width }
    };
    let mut parts = Vec::new();
    if request.held_micros.is_some() {
        parts.push(part("held", "Waited for the app to wake up", held));
    }
    parts.push(part("gateway", "Gateway", total - upstream - held));
    if request.upstream_micros.is_some() {
        parts.push(part("app", "App", upstream));
    }
    parts
}

/// What the decision means.
fn meaning(request: &RequestRecord) -> &'static str {
    match (request.decision.as_deref(), request.refused.as_deref()) {
        (Some("allowed"), None) => "The caller had access to the app, and the request went there.",
        (Some("allowed"), Some(_)) => {
            "The caller had access to the app, but the gateway had to answer by itself."
        }
        (Some("public"), None) => {
            "The app is open to everybody (unsecureHttp): no credentials were asked for."
        }
        (Some("public"), Some(_)) => {
            "The app is open to everybody, but the gateway had to answer by itself."
        }
        (Some("preflight"), _) => {
            "A browser asked whether a page of another origin may call the app. That needs no credentials."
        }
        (Some("unauthenticated"), Some("no_token")) => {
            "The request had no credentials, and the app is not public."
        }
        (Some("unauthenticated"), Some("bad_token")) => {
            "The bearer is no token of this emulator, or its token was regenerated or deleted."
        }
        (Some("unauthenticated"), _) => "The caller is not known here.",
        (Some("forbidden"), _) => "The caller is known, and may not do this.",
        (Some("out_of_scope"), _) => "The app does not satisfy the token's label selector.",
        (_, Some(_)) => "The gateway answered by itself, before access was decided.",
        _ if request.door == Door::App => "Access was not decided.",
        _ => "The request did not go to an app.",
    }
}

/// Whether a field of a captured head belongs into a line that sends it again.
pub(super) fn goes_again(name: &str) -> bool {
    !matches!(
        name,
        "host"
            | "connection"
            | "content-length"
            | "transfer-encoding"
            | "keep-alive"
            | "upgrade"
            | "te"
            | "trailer"
            | "expect"
            | "x-request-id"
            | "authorization"
            | "user-agent"
            | "accept-encoding"
    )
}

/// Host and port of the request's app, as long as it exists.
pub(super) fn authority(visit: &Visit, request: &RequestRecord) -> Option<String> {
    let (id, region, port) = (request.app?, request.region.as_ref()?, visit.console.port);
    Some(match request.port {
        None => host::app_host(id, region, port),
        Some(of_app) => format!("{id}-{of_app}{}", host::app_host_end(region, port)),
    })
}

/// A line that sends the request again, without the parts that are not kept.
fn curl(visit: &Visit, request: &RequestRecord, head: Option<&CapturedHead>) -> Option<String> {
    let authority = authority(visit, request)?;
    // A path that was cut would lead elsewhere.
    if request.method.is_empty() || request.path.ends_with("...") {
        return None;
    }
    let mut line = format!("curl --resolve {authority}:127.0.0.1");
    match request.method.as_str() {
        "GET" => {}
        "HEAD" => line += " --head",
        method => {
            let _ = write!(line, " --request {}", quote(method));
        }
    }
    if request.decision.as_deref() != Some("public") {
        line += " --header \"Authorization: Bearer $TOKEN\"";
    }
    for (name, value) in head.iter().flat_map(|head| &head.fields) {
        if goes_again(name) && value != REDACTED {
            let _ = write!(line, " --header {}", quote(&format!("{name}: {value}")));
        }
    }
    let path = head.map_or(request.path.as_str(), |head| head.target.as_str());
    let path = if path.starts_with('/') { path } else { "/" };
    if path.contains(['[', ']', '{', '}']) {
        line += " --globoff";
    }
    if path.contains("/.") {
        line += " --path-as-is";
    }
    let _ = write!(line, " {}", quote(&format!("http://{authority}{path}")));
    Some(line)
}

/// A link to the page where the cause can be mended.
fn remedy(visit: &Visit, request: &RequestRecord) -> Option<(String, &'static str)> {
    let (id, region) = (request.app?, request.region.as_ref()?);
    match request.refused.as_deref()? {
        "no_token" | "bad_token" => {
            let to = format!("tokens/new?selector=ovh/id={id}&region={region}");
            Some((visit.link(&to), "Generate a token for this app"))
        }
        "forbidden" => Some((visit.link(&format!("apps/{id}")), "Who has access to this app")),
        "not_ready" | "bad_gateway" | "gateway_timeout" => {
            Some((visit.link(&format!("apps/{id}/logs")), "Logs of this app"))
        }
        _ => None,
    }
}

struct Other {
    link: String,
    time: String,
    status: String,
}

#[derive(Template)]
#[template(path = "console/requests/details.html")]
struct Details<'a> {
    base: String,
    request: &'a RequestRecord,
    time: String,
    decision: Look,
    status: String,
    status_class: &'static str,
    meaning: &'static str,
    reason: String,
    remedy: Option<(String, &'static str)>,
    app: Linked,
    caller: String,
    token: Option<String>,
    took: String,
    parts: Vec<Part>,
    width: u64,
    curl: Option<String>,
    head: Option<Arc<CapturedHead>>,
    /// The app, if the caller may capture requests to it.
    may_capture: Option<AppId>,
    /// The page that sends it again.
    replay: Option<String>,
    form: String,
    others: Vec<Other>,
}

fn find(visit: &Visit, id: &str) -> Result<Vec<RequestRecord>, Refused> {
    let platform = &visit.console.platform;
    let any = platform.may_in_a_region(&visit.who, Action::Requests)?;
    let wanted = Wanted { id: Some(id.to_owned()), all: true, ..Wanted::default() };
    let snapshot = platform.snapshot();
    let mut visible = Visible::new(&visit.who, &snapshot, any, wanted);
    let recent = visit.console.telemetry.recent();
    Ok(recent.read(None, SAME, |seen| visible.show(seen)).items)
}

/// The request with this id that the query's `at` names, else the last one; and the others.
pub(super) fn one(visit: &Visit, id: &str) -> Result<(RequestRecord, Vec<RequestRecord>), Refused> {
    let mut found = find(visit, id)?;
    let at: Option<i64> = visit.query("at").parse().ok();
    let is_asked =
        |request: &RequestRecord| at.is_none_or(|at| request.time.as_millisecond() == at);
    let position = found.iter().rposition(is_asked).ok_or_else(|| {
        let text = "This request is not kept any more: the emulator keeps the last few thousand.";
        Refused(http::StatusCode::NOT_FOUND, text.to_owned())
    })?;
    let request = found.remove(position);
    found.reverse();
    Ok((request, found))
}

/// The captured head of a request, if the caller may read it.
pub(super) fn head(visit: &Visit, request: &RequestRecord) -> Option<Arc<CapturedHead>> {
    let app = request.app.filter(|app| may_capture(visit, *app))?;
    let captures = visit.console.telemetry.captures();
    captures.find(app, &request.id, request.time.as_millisecond())
}

/// `GET requests/{id}`; `at` chooses one of several with this id.
pub(super) async fn page(visit: Visit, Path((_, id)): Path<(String, String)>) -> Response {
    let answer = one(&visit, &id).map(|(request, others)| {
        let head = head(&visit, &request);
        let may = |app: &AppId| may_capture(&visit, *app);
        let platform = &visit.console.platform;
        let replays = request.app.is_some_and(|app| platform.may_replay(&visit.who, app).is_ok());
        let request = &request;
        let view = Details {
            base: visit.link(""),
            time: text::moment(request.time),
            decision: look::decision(request),
            status: look::status(request.status),
            status_class: look::status_class(request.status),
            meaning: meaning(request),
            reason: look::reason(request),
            remedy: remedy(&visit, request),
            app: look::target(&visit, request),
            caller: look::caller(request),
            token: request.token.map(|id| id.to_string()),
            took: look::duration(request.micros),
            parts: split(request),
            width: WIDTH,
            curl: curl(&visit, request, head.as_deref()),
            may_capture: request.app.filter(may).filter(|_| head.is_none()),
            replay: replays.then(|| {
                let (id, at) = (look::segment(&request.id), request.time.as_millisecond());
                visit.link(&format!("requests/{id}/replay?at={at}"))
            }),
            head,
            form: visit.form(),
            others: others
                .iter()
                .map(|other| Other {
                    link: look::address(&visit, other),
                    time: text::moment(other.time),
                    status: look::status(other.status),
                })
                .collect(),
            request,
        };
        let title = format!("{} {}", request.method, request.path);
        Answer::view(&visit, title, Place::Requests, &view)
    });
    visit.answer(Place::Requests, answer)
}
