//! The container engine, for the emulator's owner.

use askama::Template;
use axum::response::Response;
use ovhai_containers::EngineStatus;
use ovhai_containers::engine::EngineInfo;

use crate::console::page::{Answer, Place, Refused};
use crate::console::visit::Visit;
use http::StatusCode;

#[derive(Template)]
#[template(path = "console/project/engine.html")]
struct Page {
    base: String,
    engine: Option<EngineInfo>,
    memory: String,
    /// Address, what named it, and what happened there.
    tried: Vec<(String, String, String)>,
    /// What the engine does not isolate.
    gaps: Vec<String>,
    /// Whether containers can call other apps.
    calls: Option<Result<String, String>>,
}

async fn show(visit: &Visit) -> Result<Answer, Refused> {
    // Paths of this machine are its owner's.
    visit.console.platform.may_shut_down(&visit.who)?;
    let Some(containers) = &visit.console.machine.containers else {
        let why = "This emulator runs no containers.".to_owned();
        return Err(Refused(StatusCode::NOT_FOUND, why));
    };
    let EngineStatus { engine, tried, gaps, calls } = containers.status().await;
    let engine = engine.ok();
    let gib = engine.as_ref().map_or(0, |engine| engine.memory * 10 / (1024 * 1024 * 1024));
    let page = Page {
        base: visit.link(""),
        engine,
        memory: format!("{}.{} GiB", gib / 10, gib % 10),
        tried: tried
            .into_iter()
            .map(|tried| (tried.candidate.address, tried.candidate.source, tried.said))
            .collect(),
        gaps,
        calls,
    };
    Ok(Answer::view(visit, "Container engine", Place::Project, &page))
}

/// `GET project/engine`: looks for the engine unless there is a connection, which takes up to the
/// time-out of a look.
pub(super) async fn page(visit: Visit) -> Response {
    let answer = show(&visit).await;
    visit.answer(Place::Project, answer)
}
