//! The console: the control panel of AI Deploy as pages of the emulator, at `localhost`.
//!
//! | address | what |
//! | --- | --- |
//! | `/`, `/app/{id}` | the login |
//! | `/console/…` | style, script, icons; logging in |
//! | `/c/{session}/…` | the pages of a session |
//!
//! Pages work without scripts: links and forms. With them, views follow what happens ([`live`]).
//! Every page asks the domain as the session's caller, so that it shows what the API would.
//!
//! | room | pages |
//! | --- | --- |
//! | [`apps`] | list, details, changes |
//! | [`project`] | regions, quotas, users, registries, and the emulator itself |
//! | [`tokens`] | list, form, details, changes, explanation of a string |
//! | [`requests`] | the last requests: list, details, captured heads, sending again |
//!
//! Views are templates in `templates/console`.

mod apps;
mod assets;
mod codes;
mod live;
mod login;
mod page;
mod project;
mod requests;
mod response;
mod series;
mod session;
mod streams;
mod text;
mod tokens;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use ovhai_core::Platform;
use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;
use crate::telemetry::Telemetry;
use crate::web::credentials::Credentials;
use crate::web::csrf;
pub(crate) use project::Machine;
pub(crate) use series::EVERY as SAMPLE_EVERY;
use visit::Visit;

/// What all pages share.
pub(crate) struct Console {
    platform: Arc<Platform>,
    telemetry: Arc<Telemetry>,
    gateway: Arc<Gateway>,
    /// The emulator's own port, which stands in the addresses of apps.
    port: u16,
    /// Cancelled when endless responses have to end.
    stopping: CancellationToken,
    sessions: session::Sessions,
    codes: codes::Codes,
    forms: csrf::Forms,
    credentials: Credentials,
    series: Arc<series::Series>,
    machine: Machine,
}

impl Console {
    pub(crate) fn new(
        platform: Arc<Platform>,
        telemetry: Arc<Telemetry>,
        gateway: Arc<Gateway>,
        port: u16,
        stopping: CancellationToken,
        machine: Machine,
    ) -> Self {
        let series = Arc::<series::Series>::default();
        let sampling = series::sample(
            Arc::clone(&series),
            Arc::clone(&platform),
            Arc::clone(&telemetry),
            machine.sample_every,
        );
        tokio::spawn(stopping.clone().run_until_cancelled_owned(sampling));
        Self {
            credentials: Credentials::new(Arc::clone(&platform)),
            platform,
            telemetry,
            gateway,
            port,
            stopping,
            sessions: session::Sessions::default(),
            codes: codes::Codes::default(),
            forms: csrf::Forms::default(),
            series,
            machine,
        }
    }
}

pub(crate) fn router(console: Console) -> Router {
    let pages = Router::new()
        .merge(apps::routes())
        .merge(project::routes())
        .merge(tokens::routes())
        .merge(requests::routes())
        .route("/logout", post(login::log_out))
        .fallback(nothing);
    Router::new()
        .route("/", get(login::front))
        .route("/app/{id}", get(login::app))
        .route("/console/login", post(login::log_in))
        .route("/console/open", get(login::open_page).post(login::open))
        .route("/console/{name}", get(assets::file))
        .route("/_emulator/console-links", post(login::link))
        .route("/c/{session}/", get(home))
        .nest("/c/{session}", pages)
        .with_state(Arc::new(console))
}

/// The address of the icons, for templates.
pub(crate) fn icons() -> String {
    assets::ASSETS.icons.address()
}

async fn home(visit: Visit) -> Response {
    response::go(&visit.link("apps"), visit.wants_part)
}

async fn nothing(visit: Visit) -> Response {
    let text = "This page does not exist.".to_owned();
    visit.answer(page::Place::Apps, Err(page::Refused(StatusCode::NOT_FOUND, text)))
}
