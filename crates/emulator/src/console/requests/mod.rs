//! Pages of the last requests, from the records of `ovhai emulator requests`.

mod details;
mod list;
mod look;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::Console;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/requests", get(list::page))
        .route("/requests/live", get(list::live))
        .route("/requests/{id}", get(details::page))
}
