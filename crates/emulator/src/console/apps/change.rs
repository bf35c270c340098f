//! Forms that change an app.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use ovhai_api_types::{AppState, Deletion, FixedScalingStrategy, LabelUpdate, ScalingStrategy};
use ovhai_core::Error;

use super::find;
use crate::console::page::{Answer, Place, Refused};
use crate::console::session::Flash;
use crate::console::text;
use crate::console::visit::{Sent, Visit};

type At = Path<(String, String)>;

/// Where a form leads back to: the page that it names, else the app's.
fn back(sent: &Sent, id: &str) -> Answer {
    let to = sent.fields.get("back");
    let is_list = to == "apps" || to.starts_with("apps?");
    Answer::Go(if is_list { to.to_owned() } else { format!("apps/{id}") })
}

/// Leaves a message about a change, and goes back.
fn done(sent: &Sent, id: &str, changed: Result<String, Refused>) -> Response {
    sent.visit.session.leave(match changed {
        Ok(text) => Flash::Done(text),
        Err(Refused(_, text)) => Flash::Failed(text),
    });
    sent.visit.answer(Place::Apps, Ok(back(sent, id)))
}

/// `POST apps/{id}/start`.
pub(super) async fn start(Path((_, id)): At, sent: Sent) -> Response {
    let change = async {
        let (app, region) = find(&sent.visit, &id)?;
        let platform = &sent.visit.console.platform;
        platform.start_app(&sent.visit.who, &region, app.record.id).await?;
        Ok(format!("{} starts.", app.record.spec.name))
    };
    let changed = change.await;
    done(&sent, &id, changed)
}

/// `POST apps/{id}/stop`.
pub(super) async fn stop(Path((_, id)): At, sent: Sent) -> Response {
    let change = async {
        let (app, region) = find(&sent.visit, &id)?;
        let platform = &sent.visit.console.platform;
        platform.stop_app(&sent.visit.who, &region, app.record.id).await?;
        Ok(format!("{} stops. Its address and its labels stay.", app.record.spec.name))
    };
    let changed = change.await;
    done(&sent, &id, changed)
}

/// `POST apps/{id}/restart`.
pub(super) async fn restart(Path((_, id)): At, sent: Sent) -> Response {
    let change = async {
        let (app, region) = find(&sent.visit, &id)?;
        let platform = &sent.visit.console.platform;
        platform.restart_app(&sent.visit.who, &region, app.record.id).await?;
        Ok(format!("{} restarts with new replicas.", app.record.spec.name))
    };
    let changed = change.await;
    done(&sent, &id, changed)
}

/// `POST apps/{id}/labels/remove`.
pub(super) async fn remove_label(Path((_, id)): At, sent: Sent) -> Response {
    let change = async {
        let (app, region) = find(&sent.visit, &id)?;
        let key = sent.fields.get("key").to_owned();
        let update = LabelUpdate { name: key.clone(), value: None };
        let platform = &sent.visit.console.platform;
        platform.label_app(&sent.visit.who, &region, app.record.id, &[update]).await?;
        Ok(format!("The label {key} was removed."))
    };
    let changed = change.await;
    done(&sent, &id, changed)
}

#[derive(Template)]
#[template(path = "console/apps/delete.html")]
struct DeletePage<'a> {
    base: String,
    form: String,
    id: &'a str,
    name: &'a str,
    state: &'static str,
    /// Whether it has to be stopped first.
    runs: bool,
    problem: Option<&'a str>,
}

fn show_delete(
    visit: &Visit,
    id: &str,
    status: StatusCode,
    problem: Option<&str>,
) -> Result<Answer, Refused> {
    let (app, _) = find(visit, id)?;
    let name = &app.record.spec.name;
    let page = DeletePage {
        base: visit.link(""),
        form: visit.form(),
        id,
        name,
        state: text::state(app.record.state).word,
        runs: !matches!(app.record.state, AppState::Stopped | AppState::Failed | AppState::Error),
        problem,
    };
    Ok(Answer::view_with(visit, status, format!("Delete {name}"), Place::Apps, &page))
}

/// `GET apps/{id}/delete`.
pub(super) async fn delete_page(visit: Visit, Path((_, id)): At) -> Response {
    visit.answer(Place::Apps, show_delete(&visit, &id, StatusCode::OK, None))
}

/// `POST apps/{id}/delete`.
pub(super) async fn delete(Path((_, id)): At, sent: Sent) -> Response {
    let Sent { visit, fields } = &sent;
    let change = async {
        let (app, region) = find(visit, &id)?;
        let name = &app.record.spec.name;
        if fields.get("name").trim() != name {
            let why = format!("That is not the name. Type {name} to delete the app.");
            return show_delete(visit, &id, StatusCode::UNPROCESSABLE_ENTITY, Some(&why));
        }
        let platform = &visit.console.platform;
        platform.delete_app(&visit.who, &region, app.record.id, Deletion::StopFirst).await?;
        visit.session.leave(Flash::Done(format!("{name} is being deleted.")));
        Ok(Answer::Go("apps".to_owned()))
    };
    let answer = change.await;
    visit.answer(Place::Apps, answer)
}

/// A form with one field.
#[derive(Template)]
#[template(path = "console/apps/change.html")]
struct ChangePage<'a> {
    base: String,
    form: String,
    id: &'a str,
    name: &'a str,
    action: &'static str,
    title: &'static str,
    text: &'static str,
    field: &'static str,
    kind: &'static str,
    value: &'a str,
    problem: Option<&'a str>,
}

/// The forms with one field.
#[derive(Clone, Copy)]
enum Change {
    Image,
    Replicas,
}

fn show_change(
    visit: &Visit,
    id: &str,
    change: Change,
    sent: Option<(&str, &Refused)>,
) -> Result<Answer, Refused> {
    let (app, _) = find(visit, id)?;
    let spec = &app.record.spec;
    let (action, title, text, field, kind) = match change {
        Change::Image => (
            "image",
            "Change the image",
            "New replicas run the new image and replace the present ones step by step. If they do not get ready, the present ones stay.",
            "Image",
            "text",
        ),
        Change::Replicas => (
            "scale",
            "Scale",
            "A fixed number of replicas, 1 to 10. Automatic scaling is set with ovhai app scale.",
            "Replicas",
            "number",
        ),
    };
    let current = match change {
        Change::Image => spec.image.clone(),
        Change::Replicas => spec.scaling.replicas().to_string(),
    };
    let page = ChangePage {
        base: visit.link(""),
        form: visit.form(),
        id,
        name: &spec.name,
        action,
        title,
        text,
        field,
        kind,
        value: sent.map_or(current.as_str(), |(value, _)| value),
        problem: sent.map(|(_, Refused(_, why))| why.as_str()),
    };
    let status = sent.map_or(StatusCode::OK, |(_, Refused(status, _))| *status);
    Ok(Answer::view_with(visit, status, format!("{title}: {}", spec.name), Place::Apps, &page))
}

/// `GET apps/{id}/image`.
pub(super) async fn image_page(visit: Visit, Path((_, id)): At) -> Response {
    visit.answer(Place::Apps, show_change(&visit, &id, Change::Image, None))
}

/// `GET apps/{id}/scale`.
pub(super) async fn scale_page(visit: Visit, Path((_, id)): At) -> Response {
    visit.answer(Place::Apps, show_change(&visit, &id, Change::Replicas, None))
}

async fn change_one(sent: &Sent, id: &str, change: Change) -> Result<String, Refused> {
    let (app, region) = find(&sent.visit, id)?;
    let platform = &sent.visit.console.platform;
    let (who, app) = (&sent.visit.who, app.record.id);
    let value = sent.fields.get("value").trim();
    match change {
        Change::Image => {
            platform.set_image(who, &region, app, value).await?;
            Ok(format!("The image is {value} now."))
        }
        Change::Replicas => {
            let replicas = value.parse().map_err(|_| {
                Error::invalid("replicas", format!("{value:?} is not a number: use 1 to 10"))
            })?;
            let fixed = Some(FixedScalingStrategy { replicas });
            let strategy = ScalingStrategy { fixed, ..ScalingStrategy::default() };
            platform.scale_app(who, &region, app, &strategy).await?;
            Ok(format!("The app scales to {replicas} replicas."))
        }
    }
}

async fn change(sent: Sent, id: String, change: Change) -> Response {
    match change_one(&sent, &id, change).await {
        Ok(text) => done(&sent, &id, Ok(text)),
        Err(refused) => {
            let value = sent.fields.get("value");
            let answer = show_change(&sent.visit, &id, change, Some((value, &refused)));
            sent.visit.answer(Place::Apps, answer)
        }
    }
}

/// `POST apps/{id}/image`.
pub(super) async fn image(Path((_, id)): At, sent: Sent) -> Response {
    change(sent, id, Change::Image).await
}

/// `POST apps/{id}/scale`.
pub(super) async fn scale(Path((_, id)): At, sent: Sent) -> Response {
    change(sent, id, Change::Replicas).await
}
