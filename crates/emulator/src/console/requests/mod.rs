//! Pages of the last requests, from the records of `ovhai emulator requests`.

mod capture;
mod details;
mod list;
mod look;
mod replay;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::Console;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/requests", get(list::page))
        .route("/requests/live", get(list::live))
        .route("/requests/capture", post(capture::start))
        .route("/requests/capture/stop", post(capture::stop))
        .route("/requests/{id}", get(details::page))
        .route("/requests/{id}/replay", get(replay::page).post(replay::send))
}
