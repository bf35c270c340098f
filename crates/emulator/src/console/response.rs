//! The frame around the console's views, and the headers of every response.

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
use ovhai_core::policy::Principal;

use super::assets::{ASSETS, Assets, gzip};
use super::session::Flash;

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
pub(super) struct Frame<'a> {
    pub(super) title: &'a str,
    pub(super) place: Option<Place>,
    /// The address that links begin with; empty without a session.
    pub(super) base: String,
    pub(super) who: Option<Who<'a>>,
    pub(super) form: String,
    pub(super) flash: Option<Flash>,
    pub(super) body: &'a str,
    pub(super) assets: &'static Assets,
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
pub(super) struct Message<'a> {
    pub(super) title: &'a str,
    pub(super) text: &'a str,
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
pub(super) fn html(status: StatusCode, text: String, compress: bool) -> Response {
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
