//! The project, and the emulator that serves it.
//!
//! A part that the caller has no access to says why. What only the emulator has is marked.

mod engine;
mod overview;
mod registries;
mod rows;
mod sessions;
mod users;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use ovhai_api_types::Timestamp;
use ovhai_containers::ContainerRuntime;

use super::Console;
use super::page::{Answer, Place, Refused};
use super::session::Flash;
use super::visit::Sent;
use crate::limits::Limits;
use crate::state::StateDir;

/// The emulator that the console belongs to.
pub(crate) struct Machine {
    pub(crate) started_at: Timestamp,
    /// The port of HTTPS, if it is served.
    pub(crate) secure_port: Option<u16>,
    /// The state directory, unless the emulator keeps nothing.
    pub(crate) state: Option<StateDir>,
    /// Runs containers; none if the emulator was given another runtime.
    pub(crate) containers: Option<ContainerRuntime>,
    pub(crate) limits: Limits,
    /// Time between two samples of an app's charts.
    pub(crate) sample_every: Duration,
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/project", get(overview::page))
        .route("/project/engine", get(engine::page))
        .route("/project/sessions/end", post(sessions::end_others))
        .route("/project/users", post(users::add))
        .route("/project/users/{name}/password", get(users::password_page).post(users::password))
        .route("/project/users/{name}/remove", get(users::remove_page).post(users::remove))
        .route("/project/registries", post(registries::add))
        .route(
            "/project/registries/{region}/{id}/delete",
            get(registries::delete_page).post(registries::delete),
        )
}

/// Leaves a message about a change, and goes back to a part of the project's page.
fn done(sent: &Sent, part: &str, changed: Result<String, Refused>) -> Response {
    sent.visit.session.leave(match changed {
        Ok(text) => Flash::Done(text),
        Err(Refused(_, text)) => Flash::Failed(text),
    });
    sent.visit.answer(Place::Project, Ok(Answer::Go(format!("project#{part}"))))
}
