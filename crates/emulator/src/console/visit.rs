//! A request for a page of the console, with the session that it belongs to.
//!
//! Every page asks the domain as the session's caller: the console has no rights of its own.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{COOKIE, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use ovhai_api_types::Region;
use ovhai_core::auth::Place;
use ovhai_core::policy::Principal;
use ovhai_wire::stream::Peer;

use super::assets::takes_gzip;
use super::session::Session;
use super::{Console, response};
use crate::gateway::place;
use crate::origin::HowUsed;
use crate::web::cookie::values;
use crate::web::form::Fields;

/// Maximum cookies of one name that are read.
const LOOKED_AT: usize = 50;
/// Maximum length of a form, in bytes.
const FORM_MAX: usize = 1024 * 1024;

/// The name of the cookie of a session.
pub(super) fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-ovhai-console" } else { "ovhai-console" }
}

/// Tells where a request comes from.
pub(super) fn how_used<'a>(
    method: &'a http::Method,
    headers: &'a HeaderMap,
    secure: bool,
) -> HowUsed<'a> {
    let header = |name: &'static str| headers.get(name).map(HeaderValue::as_bytes);
    HowUsed::new(method.as_str().as_bytes(), header, false, secure)
}

/// A request with a session.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) console: Arc<Console>,
    pub(super) session: Arc<Session>,
    /// The caller, as it is now.
    pub(super) who: Principal,
    /// Whether a script asked, which wants a part of the page.
    pub(super) wants_part: bool,
    /// Whether the browser takes compressed bodies.
    pub(super) takes_gzip: bool,
    query: Arc<[(String, String)]>,
}

impl Visit {
    /// The address of a page.
    pub(super) fn link(&self, to: &str) -> String {
        format!("/c/{}/{to}", self.session.segment)
    }

    /// The region that the caller is limited to; none: all regions.
    pub(super) fn region(&self) -> Option<&Region> {
        match &self.who {
            Principal::Token(token) => Some(&token.region),
            _ => None,
        }
    }

    /// The value of a query parameter; empty if it is missing.
    pub(super) fn query(&self, name: &str) -> &str {
        let mut named = self.query.iter().filter(|(key, _)| key == name);
        named.next().map_or("", |(_, value)| value.as_str())
    }

    /// The query of another page of the same list: these parameters replaced, the others kept.
    pub(super) fn query_with(&self, changes: &[(&str, &str)]) -> String {
        let mut out = form_urlencoded::Serializer::new(String::new());
        let is_changed = |key: &str| changes.iter().any(|(name, _)| *name == key);
        for (key, value) in self.query.iter().filter(|(key, _)| !is_changed(key)) {
            out.append_pair(key, value);
        }
        for (key, value) in changes.iter().filter(|(_, value)| !value.is_empty()) {
            out.append_pair(key, value);
        }
        out.finish()
    }

    /// The signature of the session's forms. It is the same for all, so that views that follow
    /// changes do not differ in it.
    pub(super) fn form(&self) -> String {
        let sign = || {
            let now = self.console.platform.now();
            let signed = self.console.forms.sign(&self.session.segment, "console", now);
            // Without random numbers there would be no session either.
            signed.unwrap_or_default()
        };
        self.session.form.get_or_init(sign).clone()
    }

    /// The same visit with the caller of now; none if the session or the caller's access ended.
    pub(super) fn again(&self) -> Option<Self> {
        let platform = &self.console.platform;
        if self.session.ended.is_cancelled() || self.session.until <= platform.now() {
            return None;
        }
        Some(Self { who: platform.current(&self.session.who)?, ..self.clone() })
    }
}

impl FromRequestParts<Arc<Console>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Response> {
        let wants_part = parts.headers.contains_key("hx-request");
        // The router has cut the part of the session off.
        let original = parts.extensions.get::<OriginalUri>();
        let path = original.map_or(&parts.uri, |OriginalUri(uri)| uri).path();
        let (segment, here) =
            path.strip_prefix("/c/").and_then(|rest| rest.split_once('/')).unwrap_or_default();
        let here = match parts.uri.query() {
            Some(query) => format!("{here}?{query}"),
            None => here.to_owned(),
        };
        let gone = || response::session_ended(&here, wants_part);
        let secure = parts.extensions.get::<Peer>().is_some_and(|peer| peer.secure);
        let how = how_used(&parts.method, &parts.headers, secure);
        let is_frame = matches!(how.dest, Some(b"iframe" | b"frame" | b"object" | b"embed"));
        if !how.is_from_here() || is_frame {
            return Err(response::refuse(
                StatusCode::FORBIDDEN,
                "Pages of other origins can't open the console. Open its own address.",
            ));
        }
        let name = cookie_name(secure);
        let cookies = parts.headers.get_all(COOKIE);
        let cookies =
            cookies.iter().flat_map(|header| values(header.as_bytes(), name)).take(LOOKED_AT);
        let platform = &console.platform;
        let session = console.sessions.find(segment, cookies, platform.now()).ok_or_else(gone)?;
        let Some(who) = platform.current(&session.who) else {
            console.sessions.end(&session);
            return Err(gone());
        };
        let is_owner = matches!(who, Principal::Administrator { .. });
        if is_owner && place::of_call(&parts.extensions) == Place::Elsewhere {
            return Err(response::refuse(
                StatusCode::FORBIDDEN,
                "The owner's session counts on the emulator's own machine only. Log in as a user.",
            ));
        }
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let query = form_urlencoded::parse(query).into_owned().collect();
        let takes_gzip = takes_gzip(&parts.headers);
        let console = Arc::clone(console);
        Ok(Self { console, session, who, wants_part, takes_gzip, query })
    }
}

/// A form that a page of this session sent. Requests that change something are forms, and are
/// accepted from here only.
pub(super) struct Sent {
    pub(super) visit: Visit,
    pub(super) fields: Fields,
}

impl FromRequest<Arc<Console>> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, console).await?;
        let secure = parts.extensions.get::<Peer>().is_some_and(|peer| peer.secure);
        let how = how_used(&parts.method, &parts.headers, secure);
        let body: Bytes = axum::body::to_bytes(body, FORM_MAX)
            .await
            .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
        let fields = Fields::read(&parts.headers, &body);
        let now = console.platform.now();
        let is_good = |fields: &Fields| {
            console.forms.is_good(fields.get("form"), &visit.session.segment, "console", now)
        };
        match fields {
            Some(fields) if how.may_send_hidden_form() && is_good(&fields) => {
                Ok(Self { visit, fields })
            }
            _ => Err(response::refuse(
                StatusCode::FORBIDDEN,
                "This form was not sent by a page of this session, or the page was open for too long. Go back, reload the page and try again.",
            )),
        }
    }
}
