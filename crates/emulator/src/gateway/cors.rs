//! The pages of other origins that may read the gateway's own refusals (CORS, in the Fetch
//! standard). Responses of apps are never touched: an app decides itself which pages may read them.

use bytes::Bytes;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, HeaderValue, VARY,
};
use hyper::{Response, StatusCode};
use ovhai_wire::framing::{AtMostOne, Framing};
use ovhai_wire::request::RequestHead;
use ovhai_wire::stream::Peer;

use super::reserved::gateway_token;
use crate::origin::HowUsed;

/// The pages that may read a refusal.
#[derive(Debug, Default)]
pub(crate) enum RefusalReaders {
    /// Any page: the head is malformed, so that the origin is not known, and the refusal is only
    /// about the request.
    #[default]
    Anyone,
    /// No page of another origin.
    NoPage,
    /// The page that sent the request.
    Page(Box<ForeignPage>),
}

/// A page of another origin than the app's.
#[derive(Debug)]
pub(crate) struct ForeignPage {
    pub(super) origin: HeaderValue,
    /// Whether it wrote a bearer, and the browser added no cookies: then the refusal tells it
    /// nothing new of app and caller.
    pub(super) has_proved_itself: bool,
    /// What its preflight asks for, if the gateway may answer that for the app.
    preflight: Option<Preflight>,
}

#[derive(Debug)]
struct Preflight {
    method: HeaderValue,
    headers: Option<HeaderValue>,
}

impl RefusalReaders {
    /// Those of a request to an app; `is_public` says whether the app needs no bearer.
    pub(crate) fn of(head: &RequestHead<'_>, client: Peer, is_public: bool) -> Self {
        let AtMostOne::One(origin) = head.origin else { return Self::NoPage };
        let method = head.method.as_bytes();
        let how = HowUsed::new(method, |name| head.first(name), head.has_upgrade, client.secure);
        let how = HowUsed { host: Some(head.host.as_bytes()), ..how };
        let Some(origin) = HeaderValue::from_bytes(origin).ok().filter(|_| how.is_from_elsewhere())
        else {
            return Self::NoPage;
        };
        let value = |name| head.first(name).and_then(|value| HeaderValue::from_bytes(value).ok());
        // An app without a bearer may rely on refusing preflights: it may begin to run before the
        // request that follows.
        let preflight = (is_preflight(head) && !is_public)
            .then(|| value("access-control-request-method"))
            .flatten()
            .map(|method| Preflight { method, headers: value("access-control-request-headers") });
        let has_bearer = head.authorization.is_there() || gateway_token(head).is_there();
        let has_proved_itself = has_bearer && !head.has_cookies;
        Self::Page(Box::new(ForeignPage { origin, has_proved_itself, preflight }))
    }
}

impl ForeignPage {
    /// The response to a preflight of an app that can't be asked: the request that follows gets the
    /// refusal, which the page can read. It holds for that one request.
    pub(super) fn granted(&self) -> Option<Response<Bytes>> {
        const TRUE: HeaderValue = HeaderValue::from_static("true");
        const AT_ONCE: HeaderValue = HeaderValue::from_static("0");
        const BY: HeaderValue = HeaderValue::from_static(
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
        );
        let Preflight { method, headers } = self.preflight.as_ref()?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let fields = response.headers_mut();
        fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        fields.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        fields.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        if let Some(headers) = headers {
            fields.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
        }
        fields.insert(ACCESS_CONTROL_MAX_AGE, AT_ONCE);
        fields.insert(VARY, BY);
        Some(response)
    }
}

/// Whether it is a preflight of a browser: without credentials, and without a body that would reach
/// the app.
pub(super) fn is_preflight(head: &RequestHead<'_>) -> bool {
    head.method == "OPTIONS"
        && head.origin.is_there()
        && head.has_preflight_method
        && !head.has_upgrade
        && matches!(head.framing, Framing::None | Framing::Length(0))
}
