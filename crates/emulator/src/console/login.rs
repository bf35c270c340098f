//! Into the console and out of it: by a link that `ovhai emulator open` makes, with a user's
//! password, or with a token.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use http::Extensions;
use http::header::{ACCEPT, COOKIE, HeaderValue, RETRY_AFTER, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use ovhai_api_types::ConsoleLink;
use ovhai_core::policy::Principal;
use ovhai_wire::stream::Peer;

use super::visit::{Sent, cookie_name, how_used};
use super::{Console, codes, response, session};
use crate::api::error::ApiError;
use crate::gateway::bearer::bearer_token;
use crate::gateway::place;
use crate::random;
use crate::web::cookie::{self, values};
use crate::web::credentials::LoginFailure;
use crate::web::csrf;
use crate::web::form::Fields;

/// The page after a login that asked for none.
const HOME: &str = "apps";
/// Maximum length of a form, in bytes.
const FORM_MAX: usize = 64 * 1024;
/// What the signature of a login form is for.
const PURPOSE: &str = "console login";

/// The cookie that login forms are bound to.
fn form_cookie(secure: bool) -> &'static str {
    if secure { "__Host-ovhai-console-form" } else { "ovhai-console-form" }
}

#[derive(Template)]
#[template(path = "console/login.html")]
struct LoginPage<'a> {
    /// Where the login leads.
    to: &'a str,
    form: &'a str,
    username: &'a str,
    note: Option<&'a str>,
    problem: Option<&'a str>,
    /// Whether the problem is about the token.
    about_token: bool,
}

#[derive(Template)]
#[template(path = "console/open.html")]
struct OpenPage<'a> {
    code: &'a str,
    to: &'a str,
}

/// A path below the session's that a login may lead to; the first page if it may not.
fn safe(to: &str) -> &str {
    let is_path = !to.is_empty()
        && !to.starts_with(['/', '\\'])
        && !to.contains("..")
        && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path { to } else { HOME }
}

/// The first value of a query parameter.
fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn peer(parts: &Parts) -> (IpAddr, bool) {
    let peer = parts.extensions.get::<Peer>();
    peer.map_or((IpAddr::V4(Ipv4Addr::LOCALHOST), false), |peer| (peer.address.ip(), peer.secure))
}

/// Whether the client is a browser that opens a page.
fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// `GET /`: the login for browsers, a text for programs.
pub(super) async fn front(State(console): State<Arc<Console>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if !wants_html(&parts.headers) {
        return crate::control::front().into_response();
    }
    let of = |name: &str| parameter(parts.uri.query(), name);
    let note = if of("ended").is_some() {
        Some("You are not logged in, or your session has ended.")
    } else if of("out").is_some() {
        Some("You are logged out.")
    } else {
        None
    };
    let to = of("to").unwrap_or_default();
    show(&console, &parts, StatusCode::OK, Shown { to: &to, note, ..Shown::default() })
}

/// `GET /app/{id}`: the page of an app, which `status.infoUrl` names.
pub(super) async fn app(
    State(console): State<Arc<Console>>,
    axum::extract::Path(id): axum::extract::Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    if !wants_html(&parts.headers) {
        // Text of the path comes back as plain text only.
        return format!("Open this address in a browser, or run: ovhai app get {id}\n")
            .into_response();
    }
    let to = match id.parse::<ovhai_api_types::AppId>() {
        Ok(id) => format!("apps/{id}"),
        Err(_) => HOME.to_owned(),
    };
    show(&console, &parts, StatusCode::OK, Shown { to: &to, ..Shown::default() })
}

/// What a login page shows.
#[derive(Default)]
struct Shown<'a> {
    to: &'a str,
    username: &'a str,
    note: Option<&'a str>,
    problem: Option<&'a str>,
    about_token: bool,
}

fn show(console: &Console, parts: &Parts, status: StatusCode, shown: Shown<'_>) -> Response {
    let (_, secure) = peer(parts);
    let name = form_cookie(secure);
    let cookies = parts.headers.get_all(COOKIE);
    let known = cookies
        .iter()
        .flat_map(|header| values(header.as_bytes(), name))
        .find_map(csrf::visitor)
        .map(str::to_owned);
    let is_new = known.is_none();
    let now = console.platform.now();
    let signed = known.or_else(random::secret).and_then(|visitor| {
        let form = console.forms.sign(&visitor, PURPOSE, now)?;
        Some((visitor, form))
    });
    let Some((visitor, form)) = signed else { return no_random_numbers() };
    let view = LoginPage {
        to: safe(shown.to),
        form: &form,
        username: shown.username,
        note: shown.note,
        problem: shown.problem,
        about_token: shown.about_token,
    };
    let mut response = response::outside(status, "Log in", &view);
    if is_new && let Some(set) = cookie::set(name, &visitor, None, secure) {
        response.headers_mut().append(SET_COOKIE, set);
    }
    response
}

fn no_random_numbers() -> Response {
    tracing::error!("no random numbers are available: logins fail");
    let text = "The emulator can't process logins; its log says why.";
    response::refuse(StatusCode::INTERNAL_SERVER_ERROR, text)
}

/// A form that was sent without a session.
async fn form(request: Request) -> Result<(Parts, Fields), Response> {
    let (parts, body) = request.into_parts();
    let (_, secure) = peer(&parts);
    if !how_used(&parts.method, &parts.headers, secure).may_send_hidden_form() {
        let text =
            "This form was sent by a page of another origin. Open the console's own address.";
        return Err(response::refuse(StatusCode::FORBIDDEN, text));
    }
    let body = axum::body::to_bytes(body, FORM_MAX)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
    let fields = Fields::read(&parts.headers, &body)
        .ok_or_else(|| StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response())?;
    Ok((parts, fields))
}

/// `POST /console/login`.
pub(super) async fn log_in(State(console): State<Arc<Console>>, request: Request) -> Response {
    let (parts, fields) = match form(request).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let (client, secure) = peer(&parts);
    let to = safe(fields.get("to"));
    let now = console.platform.now();
    let name = form_cookie(secure);
    let cookies = parts.headers.get_all(COOKIE);
    let is_good = cookies
        .iter()
        .flat_map(|header| values(header.as_bytes(), name))
        .filter_map(csrf::visitor)
        .any(|visitor| console.forms.is_good(fields.get("form"), visitor, PURPOSE, now));
    if !is_good {
        let why = "This page was open for too long, or your browser keeps no cookies of it. Please try again.";
        let shown = Shown { to, problem: Some(why), ..Shown::default() };
        return show(&console, &parts, StatusCode::FORBIDDEN, shown);
    }
    let (username, token) = (fields.get("username").trim(), fields.get("token"));
    let by_token = !token.trim().is_empty();
    let who = if by_token {
        console.credentials.by_token(None, token, client)
    } else if username.is_empty() {
        let why = "Enter a token, or a user and a password.";
        let shown = Shown { to, problem: Some(why), ..Shown::default() };
        return show(&console, &parts, StatusCode::UNPROCESSABLE_ENTITY, shown);
    } else {
        let password = fields.get("password");
        console.credentials.by_password(username, password, session::LASTS).await
    };
    match who {
        Ok(who) => {
            tracing::info!(who = who.name(), "a user logged in to the console");
            let_in(&console, who, secure, to).await
        }
        Err(failure) => {
            tracing::info!(%client, status = failure.status().as_u16(), "a login to the console was refused");
            refused(&console, &parts, failure, (to, username, by_token))
        }
    }
}

fn refused(
    console: &Console,
    parts: &Parts,
    failure: LoginFailure,
    (to, username, about_token): (&str, &str, bool),
) -> Response {
    let text = failure.text();
    let shown = Shown { to, username, note: None, problem: Some(&text), about_token };
    let mut response = show(console, parts, failure.status(), shown);
    if let Some(seconds) = failure.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Begins a session, and sends the browser to its first page.
async fn let_in(console: &Console, who: Principal, secure: bool, to: &str) -> Response {
    let Some(begun) = console.sessions.begin(who, console.platform.now()) else {
        return no_random_numbers();
    };
    for who in &begun.ended {
        if let Err(error) = console.platform.log_out(who).await {
            tracing::warn!(%error, "a session could not be ended");
        }
    }
    let segment = &begun.session.segment;
    // A name that begins with `__Host-` needs the path `/`; without TLS the path keeps the cookie
    // from other ports of the host.
    let path = if secure { "/".to_owned() } else { format!("/c/{segment}/") };
    let name = cookie_name(secure);
    let set = cookie::set_strict(name, &begun.cookie, Some(session::LASTS), secure, &path);
    let mut response = response::go(&format!("/c/{segment}/{to}"), false);
    if let Some(set) = set {
        response.headers_mut().append(SET_COOKIE, set);
    }
    response
}

/// `POST …/logout`.
pub(super) async fn log_out(Sent { visit, .. }: Sent) -> Response {
    visit.console.sessions.end(&visit.session);
    if let Err(error) = visit.console.platform.log_out(&visit.session.who).await {
        tracing::warn!(%error, "a session could not be ended");
    }
    response::go("/?out=1", false)
}

/// `GET /console/open`: changes nothing, so that a program that looks at links does not use the
/// code up.
pub(super) async fn open_page(RawQuery(query): RawQuery) -> Response {
    let (code, to) = (parameter(query.as_deref(), "code"), parameter(query.as_deref(), "to"));
    let view = OpenPage {
        code: code.as_deref().unwrap_or_default(),
        to: safe(to.as_deref().unwrap_or_default()),
    };
    response::outside(StatusCode::OK, "Open the console", &view)
}

/// `POST /console/open`.
pub(super) async fn open(State(console): State<Arc<Console>>, request: Request) -> Response {
    let (parts, fields) = match form(request).await {
        Ok(form) => form,
        Err(response) => return response,
    };
    let (client, secure) = peer(&parts);
    let now = console.platform.now();
    match console.codes.redeem(fields.get("code"), now) {
        Some(who) => let_in(&console, who, secure, safe(fields.get("to"))).await,
        None => {
            tracing::info!(%client, "a link to the console was refused");
            let why =
                "This link was used, or is older than a minute. Run ovhai emulator open again.";
            let shown = Shown { to: fields.get("to"), problem: Some(why), ..Shown::default() };
            show(&console, &parts, StatusCode::FORBIDDEN, shown)
        }
    }
}

/// `POST /_emulator/console-links`: makes a link that opens the console once.
pub(super) async fn link(
    State(console): State<Arc<Console>>,
    RawQuery(query): RawQuery,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Json<ConsoleLink>, ApiError> {
    let platform = &console.platform;
    let bearer = bearer_token(&headers).ok_or_else(ApiError::unauthenticated)?;
    let caller = platform
        .authenticate(&platform.snapshot(), bearer, place::of_call(&extensions))
        .ok_or_else(ApiError::unauthenticated)?;
    platform.may_open_console(&caller)?;
    let code = console
        .codes
        .issue(caller, platform.now())
        .ok_or_else(|| ApiError::internal("no random numbers"))?;
    let to = parameter(query.as_deref(), "to");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("code", &code);
    if let Some(to) = to {
        query.append_pair("to", safe(&to));
    }
    let path = format!("/console/open?{}", query.finish());
    Ok(Json(ConsoleLink { path, expires_in: codes::LASTS.as_secs() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_pages_of_the_console_only() {
        for good in ["apps", "apps/1?x=y", "tokens/new", "requests?app=1&denied=1"] {
            assert_eq!(safe(good), good);
        }
        for bad in ["", "/", "//evil.example", "/c/x", "\\x", "../x", "a/../b", "a b", "a\nb"] {
            assert_eq!(safe(bad), HOME, "{bad:?}");
        }
    }
}
