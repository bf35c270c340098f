//! Forms that capture heads of requests to an app, and what is captured.

use axum::response::Response;
use ovhai_api_types::AppId;
use ovhai_core::Error;

use crate::console::page::{Answer, Place, Refused};
use crate::console::session::Flash;
use crate::console::text;
use crate::console::visit::{Sent, Visit};
use crate::telemetry::capture;

/// An app whose requests are captured.
pub(super) struct Captured {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) until: String,
    pub(super) by: String,
}

/// The apps that are captured, as far as the caller may read what is.
pub(super) fn captured(visit: &Visit) -> Vec<Captured> {
    let platform = &visit.console.platform;
    let all = visit.console.telemetry.captured_apps();
    let shown = all.into_iter().filter_map(|captured| {
        let entry = platform.may_capture(&visit.who, captured.app).ok()?;
        Some(Captured {
            id: captured.app.to_string(),
            name: entry.record.spec.name.clone(),
            until: text::moment(captured.until),
            by: captured.by,
        })
    });
    shown.collect()
}

/// Whether the caller may capture requests to this app.
pub(super) fn may_capture(visit: &Visit, app: AppId) -> bool {
    visit.console.platform.may_capture(&visit.who, app).is_ok()
}

fn app(sent: &Sent) -> Result<(AppId, String), Refused> {
    let id = sent.fields.get("app");
    let id: AppId = id.parse().map_err(|_| Error::NotFound { kind: "app", id: id.to_owned() })?;
    let entry = sent.visit.console.platform.may_capture(&sent.visit.who, id)?;
    Ok((id, entry.record.spec.name.clone()))
}

fn done(sent: &Sent, changed: Result<(AppId, String), Refused>) -> Response {
    let visit = &sent.visit;
    let to = match &changed {
        Ok((id, _)) => format!("requests?app={id}"),
        Err(_) => "requests".to_owned(),
    };
    visit.session.leave(match changed {
        Ok((_, text)) => Flash::Done(text),
        Err(Refused(_, text)) => Flash::Failed(text),
    });
    visit.answer(Place::Requests, Ok(Answer::Go(to)))
}

/// `POST requests/capture`.
pub(super) async fn start(sent: Sent) -> Response {
    let changed = app(&sent).and_then(|(id, name)| {
        let telemetry = &sent.visit.console.telemetry;
        let by = sent.visit.who.name();
        let started = telemetry.start_capture(id, by, capture::DEFAULT_TIME);
        let captured = started.ok_or_else(|| {
            let text = format!("{} apps are captured already. Stop one first.", capture::APPS);
            Refused(http::StatusCode::UNPROCESSABLE_ENTITY, text)
        })?;
        tracing::info!(app = %id, by, until = %captured.until, "requests to an app are captured");
        let until = text::clock(captured.until);
        Ok((id, format!("Heads of requests to {name} are captured until {until} UTC.")))
    });
    done(&sent, changed)
}

/// `POST requests/capture/stop`.
pub(super) async fn stop(sent: Sent) -> Response {
    let changed = app(&sent).map(|(id, name)| {
        sent.visit.console.telemetry.captures().stop(id);
        (id, format!("Requests to {name} are not captured any more. What was captured is gone."))
    });
    done(&sent, changed)
}
