//! Refusals: requests that are not passed on, and what the client receives.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use hyper::{Response, StatusCode};
use ovhai_api_types::{AppId, AppState};
use ovhai_core::directory::AppEntry;
use ovhai_core::lifecycle;
use ovhai_core::policy::{Principal, Reason};
use ovhai_wire::framing::Malformed;

use super::bearer::insufficient_scope;
use super::cors::RefusalReaders;
use crate::json;
use crate::telemetry::{Note, RefusalKind};

const ANY: HeaderValue = HeaderValue::from_static("*");
/// The challenge of a request without access.
const CHALLENGE: &str = "Bearer realm=\"AI Deploy\"";

/// A refusal of a request.
#[derive(Debug)]
pub(crate) struct Refusal {
    kind: RefusalKind,
    message: Cow<'static, str>,
    challenge: Option<HeaderValue>,
    retry_after: Option<u32>,
    /// The origin whose pages may read it; none if no page may.
    readers: Option<Box<HeaderValue>>,
    /// An authenticated caller without access, and the reason.
    pub(super) denied: Option<Box<(Principal, Reason)>>,
    /// The page that people are shown instead.
    page: Option<Box<Response<Bytes>>>,
}

impl Refusal {
    pub(crate) fn new(kind: RefusalKind, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self {
            kind,
            message,
            challenge: None,
            retry_after: None,
            readers: None,
            denied: None,
            page: None,
        }
    }

    /// The status of the response.
    pub(crate) fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// Whether the client's connection closes afterwards.
    pub(crate) fn closes(&self) -> bool {
        self.kind.closes()
    }

    /// Records it for the access log.
    pub(crate) fn record(&self, note: &mut Note) {
        note.refused(self.kind, self.message.clone());
    }

    /// Lets a page of another origin read it: without that a page has nothing to tell "try again"
    /// from "not allowed". A page that has not shown a bearer learns no more than that.
    pub(crate) fn readable_by(mut self, readers: &RefusalReaders) -> Self {
        if self.page.is_some() {
            return self;
        }
        match readers {
            RefusalReaders::NoPage => {}
            RefusalReaders::Anyone => self.readers = Some(Box::new(ANY)),
            RefusalReaders::Page(page) => {
                let is_unready = matches!(self.status().as_u16(), 502..=504);
                if let Some(granted) = page.granted().filter(|_| is_unready) {
                    return self.shown_as(granted);
                }
                if !page.has_proved_itself {
                    self.say_less();
                }
                self.readers = Some(Box::new(page.origin.clone()));
            }
        }
        self
    }

    /// Leaves out details that only an authenticated caller may see.
    fn say_less(&mut self) {
        let message = match self.status().as_u16() {
            401 => "authentication is required",
            403 => "forbidden",
            404 => "there is no such app",
            502 => "the app failed to answer",
            503 => "the app takes no requests now",
            504 => "the app did not answer in time",
            // The others are about the request alone.
            _ => return,
        };
        self.message = message.into();
        self.challenge = self.challenge.take().map(|_| HeaderValue::from_static(CHALLENGE));
    }

    pub(super) fn shown_as(self, page: Response<Bytes>) -> Self {
        Self { page: Some(Box::new(page)), ..self }
    }

    pub(super) fn is_about_access(&self) -> bool {
        matches!(self.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    pub(super) fn no_app(id: AppId) -> Self {
        Self::new(RefusalKind::NotFound, format!("there is no app {id}"))
    }

    pub(super) fn no_token() -> Self {
        Self {
            challenge: Some(HeaderValue::from_static(CHALLENGE)),
            ..Self::new(
                RefusalKind::NoToken,
                "authentication is required: send the header Authorization: Bearer <token>",
            )
        }
    }

    /// The same refusal for every kind of bad token.
    pub(super) fn bad_token() -> Self {
        const INVALID: &str = "Bearer realm=\"AI Deploy\", error=\"invalid_token\"";
        Self {
            challenge: Some(HeaderValue::from_static(INVALID)),
            ..Self::new(RefusalKind::BadToken, "the token is not valid here")
        }
    }

    /// The login of the request's cookie has ended; the app's own credentials are not at fault.
    pub(super) fn login_over() -> Self {
        let message = "the login has ended: open the app's address in the browser to log in again";
        Self { message: message.into(), ..Self::no_token() }
    }

    pub(super) fn denied(who: Principal, reason: Reason) -> Self {
        let text = reason.to_string();
        let challenge = format!("{CHALLENGE}, {}", insufficient_scope(&text));
        Self {
            denied: Some(Box::new((who, reason))),
            challenge: HeaderValue::try_from(challenge).ok(),
            ..Self::new(RefusalKind::Forbidden, format!("forbidden: {text}"))
        }
    }

    /// For a client that has too many requests under way: others would have none.
    pub(crate) fn busy() -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(
                RefusalKind::Busy,
                "too many requests are under way: try again when some have ended",
            )
        }
    }

    /// The caller's access was revoked while its request was under way.
    pub(crate) fn access_revoked() -> Self {
        Self::new(RefusalKind::AccessRevoked, "forbidden: the access has ended")
    }

    pub(super) fn not_ready(entry: &AppEntry) -> Self {
        let record = &entry.record;
        let mut why = entry.info().message;
        // Its replicas have just gone; the state's usual message would contradict the refusal.
        if record.state == AppState::Running && why == lifecycle::message(AppState::Running) {
            why = "no replica answers at the moment".into();
        }
        let soon = matches!(
            record.state,
            AppState::Queued | AppState::Initializing | AppState::Running | AppState::Scaling
        );
        Self {
            retry_after: soon.then_some(1),
            ..Self::new(
                RefusalKind::NotReady,
                format!("the app {} is {}: {}", record.id, record.state, why),
            )
        }
    }

    /// Takes the page that people are shown instead, if there is one.
    pub(crate) fn take_page(&mut self) -> Option<Response<Bytes>> {
        self.page.take().map(|page| *page)
    }

    /// Gives the header fields of the response, one after the other.
    pub(crate) fn fields(&self, mut each: impl FnMut(HeaderName, &HeaderValue)) {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        const READABLE: HeaderValue =
            HeaderValue::from_static("WWW-Authenticate, Retry-After, X-Request-Id");
        const TRUE: HeaderValue = HeaderValue::from_static("true");
        const BY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
        each(CONTENT_TYPE, &JSON);
        if let Some(challenge) = &self.challenge {
            each(WWW_AUTHENTICATE, challenge);
        }
        if let Some(origin) = &self.readers {
            each(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            each(ACCESS_CONTROL_EXPOSE_HEADERS, &READABLE);
            if **origin != ANY {
                each(ACCESS_CONTROL_ALLOW_CREDENTIALS, &TRUE);
                each(VARY, &BY_ORIGIN);
            }
        }
        if let Some(seconds) = self.retry_after {
            each(RETRY_AFTER, &HeaderValue::from(seconds));
        }
    }

    /// Writes the body of the response (an `ErrorBody`) into a buffer to use again.
    pub(crate) fn body(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"message\":");
        json::text(self.message.as_bytes(), usize::MAX, out);
        out.push(b'}');
    }

    pub(crate) fn into_response(mut self) -> Response<Bytes> {
        if let Some(page) = self.take_page() {
            return page;
        }
        let mut body = Vec::new();
        self.body(&mut body);
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status();
        self.fields(|name, value| {
            response.headers_mut().insert(name, value.clone());
        });
        response
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::new(RefusalKind::of_malformed(malformed.status), malformed.why)
    }
}
