//! The frame around the console's views, and the responses that carry them.
//!
//! A view is a template of its own. A script that follows or filters it gets the view alone; a
//! browser that opens its address gets it inside the frame.

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use ovhai_core::Error;
use ovhai_core::policy::{Effect, Principal};

use super::assets::{ASSETS, Assets, gzip};
use super::session::Flash;
use super::visit::Visit;

/// Only files of this origin, no inline script or style, no frames.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The address that a script goes to instead of showing a part.
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// Bodies below this many bytes are sent as they are.
const COMPRESS_FROM: usize = 1024;

/// The main places of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Apps,
    Tokens,
    Requests,
    Project,
}

/// A page: the frame with a view in it.
#[derive(Template)]
#[template(path = "console/frame.html")]
struct Frame<'a> {
    title: &'a str,
    place: Option<Place>,
    /// The address that links begin with; empty without a session.
    base: String,
    who: Option<Who<'a>>,
    form: String,
    flash: Option<Flash>,
    body: &'a str,
    assets: &'static Assets,
}

impl Frame<'_> {
    fn is_at(&self, place: Place) -> bool {
        self.place == Some(place)
    }
}

/// The caller, for people.
pub(super) struct Who<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'static str,
}

pub(super) fn who(principal: &Principal) -> Who<'_> {
    let kind = match principal {
        Principal::Administrator { .. } => "owner",
        Principal::User { .. } => "user",
        Principal::Token(_) => "token",
        Principal::Anonymous => "anonymous",
    };
    Who { name: principal.name(), kind }
}

/// Renders a template; a text for people if that fails.
pub(super) fn render(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page of the console could not be rendered");
        "The emulator can't show this page; its log says why.".to_owned()
    })
}

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

/// A page without a session.
pub(super) fn outside(status: StatusCode, title: &str, view: &impl Template) -> Response {
    let body = render(view);
    let frame = Frame {
        title,
        place: None,
        base: String::new(),
        who: None,
        form: String::new(),
        flash: None,
        body: &body,
        assets: &ASSETS,
    };
    html(status, render(&frame), false)
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
}

/// A page that says why a request is refused.
pub(super) fn refuse(status: StatusCode, text: &str) -> Response {
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "No access",
        _ => "This did not work",
    };
    outside(status, title, &Message { title, text })
}

/// Sends a browser without a session to the login, from where it comes back.
pub(super) fn session_ended(here: &str, wants_part: bool) -> Response {
    let to = form_urlencoded::Serializer::new(String::new())
        .append_pair("ended", "1")
        .append_pair("to", here)
        .finish();
    go(&format!("/?{to}"), wants_part)
}

/// Sends a browser on.
pub(super) fn go(to: &str, wants_part: bool) -> Response {
    let Ok(location) = HeaderValue::try_from(to) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if wants_part {
        headers.insert(HX_REDIRECT, location);
    } else {
        headers.insert(LOCATION, location);
        *response.status_mut() = StatusCode::SEE_OTHER;
    }
    response
}

/// HTML, with the headers of every page.
fn html(status: StatusCode, text: String, compress: bool) -> Response {
    let is_compressed = compress && text.len() >= COMPRESS_FROM;
    let body =
        if is_compressed { gzip(text.as_bytes(), Compression::fast()) } else { Bytes::from(text) };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The path has half of the session's secret.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
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
            Error::Outdated { .. } => StatusCode::CONFLICT,
            Error::OverQuota { .. } => StatusCode::PAYMENT_REQUIRED,
            Error::BadCredentials => StatusCode::UNAUTHORIZED,
            Error::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::Unsupported { .. } => StatusCode::NOT_IMPLEMENTED,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_the_exact_policy_and_is_not_stored() {
        let response = refuse(StatusCode::NOT_FOUND, "<script>alert(1)</script>");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let header = |name: HeaderName| response.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(
            header(CONTENT_SECURITY_POLICY),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(header(CACHE_CONTROL), "no-store");
        assert_eq!(header(REFERRER_POLICY), "no-referrer");
        assert_eq!(header(X_FRAME_OPTIONS), "DENY");
        assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff");
    }
}
