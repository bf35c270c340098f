//! Pages of apps.

mod change;
mod charts;
mod create;
mod details;
mod fields;
mod form;
mod labels;
mod list;
mod logs;
mod pairs;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use ovhai_api_types::{AppId, AppState, Region};
use ovhai_core::Error;
use ovhai_core::directory::AppEntry;
use ovhai_core::model::Wanted;

use super::Console;
use super::page::Refused;
use super::visit::Visit;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/apps", get(list::page))
        .route("/apps/live", get(list::live))
        .route("/apps/new", get(create::page).post(create::create))
        .route("/apps/preview", post(create::preview))
        .route("/apps/{id}", get(details::page))
        .route("/apps/{id}/live", get(details::live))
        .route("/apps/{id}/logs", get(logs::page))
        .route("/apps/{id}/logs/live", get(logs::live))
        .route("/apps/{id}/start", post(change::start))
        .route("/apps/{id}/stop", post(change::stop))
        .route("/apps/{id}/restart", post(change::restart))
        .route("/apps/{id}/delete", get(change::delete_page).post(change::delete))
        .route("/apps/{id}/image", get(change::image_page).post(change::image))
        .route("/apps/{id}/scale", get(change::scale_page).post(change::scale))
        .route("/apps/{id}/labels", get(labels::page).post(labels::save))
        .route("/apps/{id}/labels/preview", post(labels::preview))
        .route("/apps/{id}/labels/remove", post(change::remove_label))
}

/// The app of an address, and its region, if the caller may see it.
fn find(visit: &Visit, id: &str) -> Result<(Arc<AppEntry>, Region), Refused> {
    let missing = || Error::NotFound { kind: "app", id: id.to_owned() };
    let id: AppId = id.parse().map_err(|_| missing())?;
    let platform = &visit.console.platform;
    let region = platform.snapshot().app(id).map(|entry| entry.record.region.clone());
    // A caller that may see no apps is refused for that reason, whether the app exists or not.
    let asked = region.as_ref().or_else(|| platform.default_region()).ok_or_else(missing)?;
    let entry = platform.get_app(&visit.who, asked, id)?;
    let region = entry.record.region.clone();
    Ok((entry, region))
}

/// Whether starting it would do something.
fn can_start(entry: &AppEntry) -> bool {
    matches!(entry.record.state, AppState::Stopped | AppState::Failed | AppState::Error)
        && entry.record.wanted != Wanted::Deleted
}

/// Whether stopping it would do something.
fn can_stop(entry: &AppEntry) -> bool {
    matches!(
        entry.record.state,
        AppState::Queued | AppState::Initializing | AppState::Running | AppState::Scaling
    )
}
