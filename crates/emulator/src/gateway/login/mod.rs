//! The login page of apps. A browser that opens an app without access gets a page on the app's own
//! address, logs in there with a password or a token, and goes on to what it asked for.
//!
//! All of it is below `/.ovhai/` of an app that is not public. A login is a random cookie for one
//! app. The caller that it stands for is kept in memory (`sessions`), and becomes a [`Principal`]
//! that the policy decides on like any other, at every request. It stands for no caller once its
//! token is regenerated or deleted, or its user's session ends.
//!
//! Nothing here knows how requests come in or go on to apps.

pub(super) mod cookie;
mod page;
mod request;
mod sessions;
mod target;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderValue, RETRY_AFTER, SET_COOKIE,
    WWW_AUTHENTICATE,
};
use http::{Method, Request, Response, StatusCode};
use ovhai_api_types::ErrorBody;
use ovhai_core::Platform;
use ovhai_core::model::{AppRecord, TokenRecord};
use ovhai_core::platform::resource;
use ovhai_core::policy::{self, Action, Effect, Principal, Reason};
use ovhai_core::ports::Clock;

use page::{AccountPage, Field, LoginPage, Notice, Problem};
pub(crate) use request::is_navigation;
use sessions::{Session, Sessions};

use crate::origin::HowUsed;
use crate::random::secret;
use crate::web::cookie::{set as set_cookie, values};
use crate::web::credentials::{Credentials, LoginFailure};
use crate::web::csrf;
use crate::web::form::{FORM_TYPE, Fields};
use crate::web::page::see_other;

/// Maximum length of a body, in bytes: a form with a target of 64 KiB, encoded.
pub(crate) const BODY_MAX: usize = 256 * 1024;
/// Maximum cookies of one name that are read: as many as browsers send, since another app's page
/// may have set all but one of them.
const LOOKED_AT: usize = 200;
const CHALLENGE: &str = "Bearer realm=\"AI Deploy\"";

/// Whether a path is the gateway's and not the app's.
pub(crate) fn is_reserved(path: &str) -> bool {
    path.strip_prefix("/.ovhai").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A `Cookie` header's value without the gateway's cookies; none if nothing is left.
pub(crate) fn without_ours(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    cookie::without_ours(value)
}

/// Whether a `Set-Cookie` of an app would set a cookie of the gateway's.
pub(crate) fn sets_ours(set_cookie: &[u8]) -> bool {
    cookie::sets_ours(set_cookie)
}

/// Describes a caller, to stand after "You are".
fn described(who: &Principal) -> String {
    match who {
        Principal::Token(token) => format!("here with the token {}", token.name),
        Principal::User { name, .. } => format!("logged in as {name}"),
        Principal::Administrator { .. } => "logged in as the administrator".to_owned(),
        Principal::Anonymous => "not known here".to_owned(),
    }
}

/// The logins of browsers.
pub(crate) struct Logins {
    platform: Arc<Platform>,
    sessions: Sessions,
    forms: csrf::Forms,
    credentials: Credentials,
}

/// The login that a request came with.
#[derive(Debug, Clone)]
pub(crate) struct Login(Session);

impl Login {
    /// Waits until it has ended: by logging out, or because it has lasted long enough.
    pub(crate) async fn over(self, clock: &dyn Clock) {
        self.0.over(clock).await;
    }
}

/// A request of a browser for one of the pages.
struct Visit<'a> {
    app: &'a AppRecord,
    cookies: Vec<&'a [u8]>,
    secure: bool,
    /// Whether the client wants HTML.
    speaks_html: bool,
}

impl Visit<'_> {
    fn cookies(&self, name: &'static str) -> impl Iterator<Item = &[u8]> {
        self.cookies.iter().flat_map(move |header| values(header, name)).take(LOOKED_AT)
    }

    /// The visitors that the cookies name: of several, one is the genuine one.
    fn visitors(&self) -> impl Iterator<Item = &str> {
        self.cookies(cookie::form(self.secure)).filter_map(csrf::visitor)
    }
}

/// What a page shows beside its fields.
#[derive(Default)]
struct Said<'a> {
    known: Option<&'a str>,
    problem: Option<Problem>,
    note: Option<&'a str>,
    username: &'a str,
}

impl Said<'_> {
    fn problem(text: impl Into<String>, of: Option<Field>) -> Self {
        Self { problem: Some(Problem::new(text, of)), ..Self::default() }
    }
}

/// Why a login failed.
struct Failed<'a> {
    status: StatusCode,
    said: Said<'a>,
    retry_after: Option<u64>,
}

impl Failed<'_> {
    fn new(status: StatusCode, text: impl Into<String>, of: Option<Field>) -> Self {
        Self { status, said: Said::problem(text, of), retry_after: None }
    }

    fn login(failure: LoginFailure, field: Field) -> Self {
        let failed = Self::new(failure.status(), failure.text(), Some(field));
        Self { retry_after: failure.retry_after(), ..failed }
    }
}

impl Logins {
    pub(crate) fn new(platform: Arc<Platform>) -> Self {
        Self {
            credentials: Credentials::new(Arc::clone(&platform)),
            platform,
            sessions: Sessions::default(),
            forms: csrf::Forms::default(),
        }
    }

    /// Number of logins with the current string of a token.
    pub(crate) fn count_of(&self, token: &TokenRecord) -> usize {
        self.sessions.count_of(token, self.platform.now())
    }

    /// The caller that a request's cookies stand for at this app; `cookies` are its `Cookie`
    /// headers.
    pub(crate) fn caller<'c>(
        &self,
        cookies: impl Iterator<Item = &'c [u8]>,
        app: &AppRecord,
        how: &HowUsed<'_>,
    ) -> Option<(Principal, Login)> {
        let name = cookie::login(how.secure);
        let mut values = cookies.flat_map(|header| values(header, name)).take(LOOKED_AT).peekable();
        values.peek()?;
        if !how.is_from_here() {
            return None;
        }
        self.session(values, app).map(|(who, session)| (who, Login(session)))
    }

    /// Whether one of the host's own pages sent a login cookie along, valid or not.
    pub(crate) fn came_with_one<'c>(
        &self,
        cookies: impl Iterator<Item = &'c [u8]>,
        how: &HowUsed<'_>,
    ) -> bool {
        let name = cookie::login(how.secure);
        how.is_from_here() && cookies.flat_map(|header| values(header, name)).next().is_some()
    }

    /// The first login among these cookies that grants access to the app, else the first valid one,
    /// with its current principal: a cookie that another page has planted must not stand in the way
    /// of the genuine one.
    fn session<'c>(
        &self,
        cookies: impl Iterator<Item = &'c [u8]>,
        app: &AppRecord,
    ) -> Option<(Principal, Session)> {
        let now = self.platform.now();
        let mut current = cookies.filter_map(|cookie| {
            let session = self.sessions.find(cookie, app.id, now)?;
            let who = self.platform.current(&session.who)?;
            Some((who, session))
        });
        let may = |(who, _): &(Principal, Session)| {
            policy::decide(who, Action::Query, &resource(app)).is_allowed()
        };
        let first = current.next()?;
        if may(&first) { Some(first) } else { Some(current.find(may).unwrap_or(first)) }
    }

    /// The response to a browser that opened a page of the app without access: 401, or 403 with the
    /// reason if the caller is known. `target` is the path and query that were asked for.
    pub(crate) fn page<'c>(
        &self,
        app: &AppRecord,
        target: &[u8],
        cookies: impl Iterator<Item = &'c [u8]>,
        secure: bool,
        denied: Option<(&Principal, &Reason)>,
    ) -> Response<Bytes> {
        let visit = Visit { app, cookies: cookies.collect(), secure, speaks_html: true };
        match denied {
            None => self.show(&visit, StatusCode::UNAUTHORIZED, target, Said::default()),
            Some((who, reason)) => self.show_denied(&visit, who, reason, target),
        }
    }

    /// Shows that the caller has no access, and how to log in as another one.
    fn show_denied(
        &self,
        visit: &Visit<'_>,
        who: &Principal,
        reason: &Reason,
        target: &[u8],
    ) -> Response<Bytes> {
        let known = described(who);
        let said = Said { known: Some(&known), ..Said::problem(no_access(reason), None) };
        self.show(visit, StatusCode::FORBIDDEN, target, said)
    }

    /// Answers every request below `/.ovhai/` of an app that is not public; the body is no longer
    /// than [`BODY_MAX`].
    pub(crate) async fn answer(
        &self,
        request: Request<Bytes>,
        app: &AppRecord,
        secure: bool,
        client: IpAddr,
    ) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let header = |name: &'static str| head.headers.get(name).map(HeaderValue::as_bytes);
        let mut how = HowUsed::new(head.method.as_str().as_bytes(), header, false, secure);
        if let Some(authority) = head.uri.authority() {
            // The target names the host, whatever the header says.
            how.host = Some(authority.as_str().as_bytes());
        }
        let accept = head.headers.get(ACCEPT).map(HeaderValue::as_bytes);
        let cookies = head.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
        let visit = Visit {
            app,
            cookies: cookies.collect(),
            secure,
            speaks_html: accept.is_some_and(request::names_html),
        };
        let is_read = matches!(head.method, Method::GET | Method::HEAD);
        let is_post = head.method == Method::POST;
        let path = head.uri.path();
        match path {
            "/.ovhai" | "/.ovhai/" if is_read => {
                let is_page = is_navigation(how.method, header);
                self.account(&visit, &how, head.uri.query(), is_page)
            }
            "/.ovhai/login" if is_read && visit.speaks_html => {
                self.show(&visit, StatusCode::OK, target::HOME.as_bytes(), Said::default())
            }
            "/.ovhai/login" | "/.ovhai/logout" if is_post => {
                if !how.may_send_form() {
                    let why = "this form was sent by a page of another origin; open the app's own address and log in there";
                    return message(StatusCode::FORBIDDEN, why);
                }
                let Some(fields) = Fields::read(&head.headers, &body) else {
                    let why = format!("send the fields as {FORM_TYPE}");
                    return message(StatusCode::UNSUPPORTED_MEDIA_TYPE, &why);
                };
                if path == "/.ovhai/login" {
                    self.log_in(&visit, &fields, client).await
                } else {
                    self.log_out(&visit, &fields).await
                }
            }
            "/.ovhai" | "/.ovhai/" => not_allowed("GET, HEAD"),
            "/.ovhai/login" if !is_read => not_allowed("GET, HEAD, POST"),
            "/.ovhai/logout" => not_allowed("POST"),
            _ if visit.speaks_html && path != "/.ovhai/login" => {
                let (app, text) = (app.spec.name.as_str(), "This page does not exist.");
                page::answer(StatusCode::NOT_FOUND, &Notice { app, text })
            }
            _ => message(
                StatusCode::NOT_FOUND,
                "paths below /.ovhai/ are not the app's; open /.ovhai/ in a browser",
            ),
        }
    }

    /// Shows who is logged in, or the login form.
    fn account(
        &self,
        visit: &Visit<'_>,
        how: &HowUsed<'_>,
        query: Option<&str>,
        is_page: bool,
    ) -> Response<Bytes> {
        if !is_page {
            return challenge(message(
                StatusCode::UNAUTHORIZED,
                "authentication is required: send the header Authorization: Bearer <token>",
            ));
        }
        let found = Some(how)
            .filter(|how| how.is_from_here())
            .and_then(|_| self.session(visit.cookies(cookie::login(visit.secure)), visit.app));
        let Some((who, session)) = found else {
            let said = Said {
                note: (query == Some("logged-out")).then_some("You are logged out."),
                ..Said::default()
            };
            return self.show(visit, StatusCode::UNAUTHORIZED, target::HOME.as_bytes(), said);
        };
        let decision = policy::decide(&who, Action::Query, &resource(visit.app));
        if !decision.is_allowed() {
            return self.show_denied(visit, &who, &decision.reason, target::HOME.as_bytes());
        }
        self.with_form(visit, |form| {
            let until = session.until.strftime("%-d %B, %H:%M UTC").to_string();
            let (app, who) = (visit.app.spec.name.as_str(), described(&who));
            let page = AccountPage { app, who: &who, until: &until, form };
            page::answer(StatusCode::OK, &page)
        })
    }

    async fn log_in(&self, visit: &Visit<'_>, fields: &Fields, client: IpAddr) -> Response<Bytes> {
        let wanted = fields.get("to").as_bytes();
        match self.who_logs_in(visit, fields, client).await {
            Ok(who) => {
                tracing::info!(app = %visit.app.id, who = who.name(), "a user logged in with a browser");
                self.let_in(visit, who, target::safe(wanted)).await
            }
            Err(Failed { status, said, retry_after }) => {
                tracing::info!(app = %visit.app.id, %client, status = status.as_u16(), "a login with a browser was refused");
                let mut response = self.show(visit, status, wanted, said);
                if let Some(seconds) = retry_after {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                }
                response
            }
        }
    }

    async fn who_logs_in<'f>(
        &self,
        visit: &Visit<'_>,
        fields: &'f Fields,
        client: IpAddr,
    ) -> Result<Principal, Failed<'f>> {
        if !self.is_good(visit, fields) {
            let why = "This page was open for too long, or your browser keeps no cookies of it. Please try again.";
            return Err(Failed::new(StatusCode::FORBIDDEN, why, None));
        }
        let who = match fields.get("with") {
            "token" => self
                .credentials
                .by_token(Some(visit.app.id), fields.get("token"), client)
                .map_err(|failure| Failed::login(failure, Field::Token))?,
            "password" => {
                let (name, password) = (fields.get("username"), fields.get("password"));
                let lasts = sessions::LASTS;
                self.credentials.by_password(name.trim(), password, lasts).await.map_err(
                    |failure| {
                        let failed = Failed::login(failure, Field::Password);
                        Failed { said: Said { username: name, ..failed.said }, ..failed }
                    },
                )?
            }
            _ => {
                let why = "The form was not complete. Please try again.";
                return Err(Failed::new(StatusCode::BAD_REQUEST, why, None));
            }
        };
        let decision = policy::decide(&who, Action::Query, &resource(visit.app));
        match decision.effect {
            Effect::Allow => Ok(who),
            Effect::Unauthenticated => Err(Failed::login(LoginFailure::BadToken, Field::Token)),
            Effect::Forbidden | Effect::OutOfScope => {
                let why = no_access(&decision.reason);
                Err(Failed::new(StatusCode::FORBIDDEN, why, Some(Field::Token)))
            }
        }
    }

    /// Creates the login, in place of one that the browser may have had.
    async fn let_in(&self, visit: &Visit<'_>, who: Principal, to: &str) -> Response<Bytes> {
        let now = self.platform.now();
        let name = cookie::login(visit.secure);
        let made = secret().and_then(|secret| {
            let set = set_cookie(name, &secret, Some(sessions::LASTS), visit.secure)?;
            Some((secret, set))
        });
        let (Some((secret, set)), Ok(location)) = (made, HeaderValue::try_from(to)) else {
            return no_random_numbers();
        };
        self.forget(visit).await;
        let app = visit.app.id;
        for gone in self.sessions.add(&secret, Session::new(app, who, now), now) {
            self.end(&gone).await;
        }
        let mut response = see_other(location);
        response.headers_mut().append(SET_COOKIE, set);
        response
    }

    async fn log_out(&self, visit: &Visit<'_>, fields: &Fields) -> Response<Bytes> {
        if !self.is_good(visit, fields) {
            let said = Said::problem(
                "You are not logged out: the page was open for too long. Open /.ovhai/ and try again.",
                None,
            );
            return self.show(visit, StatusCode::FORBIDDEN, target::HOME.as_bytes(), said);
        }
        self.forget(visit).await;
        let mut response = see_other(HeaderValue::from_static("/.ovhai/?logged-out"));
        let name = cookie::login(visit.secure);
        if let Some(set) = set_cookie(name, "", Some(std::time::Duration::ZERO), visit.secure) {
            response.headers_mut().append(SET_COOKIE, set);
        }
        response
    }

    /// Ends every login of this app that the browser has.
    async fn forget(&self, visit: &Visit<'_>) {
        let cookies = visit.cookies(cookie::login(visit.secure));
        let ended: Vec<_> =
            cookies.filter_map(|cookie| self.sessions.remove(cookie, visit.app.id)).collect();
        for session in ended {
            self.end(&session.who).await;
        }
    }

    /// Ends the session of a user whose login has ended.
    async fn end(&self, who: &Principal) {
        if let Err(error) = self.platform.log_out(who).await {
            // No browser has its cookie any more; it ends by itself.
            tracing::warn!(%error, "a session could not be ended");
        }
    }

    /// Whether the visitor was shown the form that was sent.
    fn is_good(&self, visit: &Visit<'_>, fields: &Fields) -> bool {
        let now = self.platform.now();
        let (form, purpose) = (fields.get("form"), visit.app.id.to_string());
        visit.visitors().any(|visitor| self.forms.is_good(form, visitor, &purpose, now))
    }

    /// The login page; for programs, the problem alone.
    fn show(
        &self,
        visit: &Visit<'_>,
        status: StatusCode,
        to: &[u8],
        said: Said<'_>,
    ) -> Response<Bytes> {
        let response = if visit.speaks_html {
            self.with_form(visit, |form| {
                let Said { known, problem, note, username } = said;
                let (app, to) = (visit.app.spec.name.as_str(), target::safe(to));
                let page = LoginPage { app, known, problem, note, username, to, form };
                page::answer(status, &page)
            })
        } else {
            message(status, said.problem.as_ref().map_or("", |problem| problem.text.as_str()))
        };
        if response.status() == StatusCode::UNAUTHORIZED { challenge(response) } else { response }
    }

    /// A page with a form, for a visitor that is known or gets a cookie.
    fn with_form(
        &self,
        visit: &Visit<'_>,
        page: impl FnOnce(&str) -> Response<Bytes>,
    ) -> Response<Bytes> {
        let known = visit.visitors().next().map(str::to_owned);
        let is_new = known.is_none();
        let signed = known.or_else(secret).and_then(|visitor| {
            let form = self.forms.sign(&visitor, &visit.app.id.to_string(), self.platform.now())?;
            Some((visitor, form))
        });
        let Some((visitor, form)) = signed else { return no_random_numbers() };
        let mut response = page(&form);
        let name = cookie::form(visit.secure);
        if is_new && let Some(set) = set_cookie(name, &visitor, None, visit.secure) {
            response.headers_mut().append(SET_COOKIE, set);
        }
        response
    }
}

fn no_access(reason: &Reason) -> String {
    format!("No access to this app: {reason}.")
}

fn no_random_numbers() -> Response<Bytes> {
    tracing::error!("no random numbers are available: logins fail");
    message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the emulator can't process logins; its log says why",
    )
}

fn message(status: StatusCode, text: &str) -> Response<Bytes> {
    let body = serde_json::to_vec(&ErrorBody { message: text.to_owned() }).unwrap_or_default();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn challenge(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    response
}

fn not_allowed(allowed: &'static str) -> Response<Bytes> {
    let mut response =
        message(StatusCode::METHOD_NOT_ALLOWED, &format!("this takes {allowed} only"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
