//! The response around a page: status, headers, content security policy.

use std::sync::OnceLock;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Response, StatusCode};

/// The style and the script that a page has inline, and the policy that allows these two and
/// nothing else.
pub(crate) struct Inline {
    style: &'static str,
    script: &'static str,
    policy: OnceLock<HeaderValue>,
}

impl Inline {
    pub(crate) const fn new(style: &'static str, script: &'static str) -> Self {
        Self { style, script, policy: OnceLock::new() }
    }

    /// The content security policy.
    pub(crate) fn policy(&self) -> HeaderValue {
        let made = self.policy.get_or_init(|| {
            let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
            let (style, script) = (hash(self.style), hash(self.script));
            // No `form-action`: browsers apply it to what an app redirects to after the login, and
            // an app may redirect anywhere.
            let policy = format!(
                "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; frame-ancestors 'none'; base-uri 'none'"
            );
            // It is visible ASCII. Without the style, the page would be plain, and the policy as
            // strict.
            HeaderValue::try_from(policy).unwrap_or_else(|_| {
                HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")
            })
        });
        made.clone()
    }
}

/// A page as a response that is not stored, not shown in a frame and not taken for another type.
pub(crate) fn respond(
    status: StatusCode,
    page: &impl Template,
    policy: HeaderValue,
) -> Response<Bytes> {
    let (status, kind, text) = match page.render() {
        Ok(html) => (status, "text/html; charset=utf-8", html),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            let why = "The emulator can't show this page; its log says why.\n";
            (StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", why.to_owned())
        }
    };
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Not `no-referrer`: browsers would send forms with `Origin: null`.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// Sends the browser on with GET, after a form.
pub(crate) fn see_other(location: HeaderValue) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
