//! What the console's pages answer.
//!
//! A view is a template of its own. A script that follows or filters it gets the view alone; a
//! browser that opens its address gets it inside the frame.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use ovhai_core::Error;
use ovhai_core::policy::Effect;

use super::assets::ASSETS;
use super::response::{Frame, Message, go, html, render, who};
use super::visit::Visit;

pub(super) use super::response::Place;

/// What a handler of the console answers.
pub(super) enum Answer {
    /// A view in its place.
    View { status: StatusCode, title: String, place: Place, body: String },
    /// A part of a page, for a script.
    Part { status: StatusCode, body: String },
    /// Another page, after a form.
    Go(String),
}

impl Answer {
    /// A view; alone if a script asked for it.
    pub(super) fn view(
        visit: &Visit,
        title: impl Into<String>,
        place: Place,
        view: &impl Template,
    ) -> Self {
        Self::view_with(visit, StatusCode::OK, title, place, view)
    }

    /// A view with a status.
    pub(super) fn view_with(
        visit: &Visit,
        status: StatusCode,
        title: impl Into<String>,
        place: Place,
        view: &impl Template,
    ) -> Self {
        let body = render(view);
        if visit.wants_part {
            Self::Part { status, body }
        } else {
            Self::View { status, title: title.into(), place, body }
        }
    }

    /// A part of a page.
    pub(super) fn part(view: &impl Template) -> Self {
        Self::Part { status: StatusCode::OK, body: render(view) }
    }

    /// Completes it for the browser that asked.
    fn finish(self, visit: &Visit) -> Response {
        match self {
            Self::View { status, title, place, body } => {
                let frame = Frame {
                    title: &title,
                    place: Some(place),
                    base: visit.link(""),
                    who: Some(who(&visit.who)),
                    form: visit.form(),
                    flash: visit.session.take_flash(),
                    body: &body,
                    assets: &ASSETS,
                };
                html(status, render(&frame), visit.takes_gzip)
            }
            Self::Part { status, body } => html(status, body, visit.takes_gzip),
            Self::Go(to) => go(&visit.link(&to), visit.wants_part),
        }
    }
}

/// Why a page can't be shown, or a form is not accepted.
pub(super) struct Refused(pub(super) StatusCode, pub(super) String);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Denied(decision) => match decision.effect {
                Effect::OutOfScope => StatusCode::NOT_FOUND,
                _ => StatusCode::FORBIDDEN,
            },
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            Error::Invalid { .. } | Error::Exists { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Outdated { .. } | Error::NotNow(_) => StatusCode::CONFLICT,
            Error::OverQuota { .. } => StatusCode::PAYMENT_REQUIRED,
            Error::BadCredentials => StatusCode::UNAUTHORIZED,
            Error::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::Unsupported { .. } | Error::NotSupported(_) => StatusCode::NOT_IMPLEMENTED,
            Error::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            Error::Storage(_) | Error::Unknown(_) | Error::Load(_) | Error::Internal(_) => {
                tracing::error!(%error, "a request of the console failed");
                let text = "The emulator failed; its log says why (ovhai emulator logs).";
                return Self(StatusCode::INTERNAL_SERVER_ERROR, text.to_owned());
            }
        };
        let text = match &error {
            Error::Denied(decision) if decision.effect == Effect::OutOfScope => {
                "there is no such app".to_owned()
            }
            _ => error.to_string(),
        };
        Self(status, text)
    }
}

impl Refused {
    /// The page that says so, in the frame of the session.
    fn finish(self, visit: &Visit, place: Place) -> Response {
        let Self(status, text) = self;
        let title = match status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::FORBIDDEN => "No access",
            _ => "This did not work",
        };
        let view = Message { title, text: &text };
        Answer::view_with(visit, status, title, place, &view).finish(visit)
    }
}

impl Visit {
    /// The response with an answer, or with the page that says why there is none.
    pub(super) fn answer(&self, place: Place, answer: Result<Answer, Refused>) -> Response {
        match answer {
            Ok(answer) => answer.finish(self),
            Err(refused) => refused.finish(self, place),
        }
    }
}
