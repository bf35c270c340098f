//! Decides whether a request may pass to an app, and by which route.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ovhai_api_types::AppId;
use ovhai_core::auth::{ACCESS_PREFIX, REFRESH_PREFIX};
use ovhai_core::directory::{AppEntry, Snapshot};
use ovhai_core::model::AppRecord;
use ovhai_core::platform::resource;
use ovhai_core::policy::{self, Action, Effect, Principal, Reason};
use ovhai_wire::fields::Known;
use ovhai_wire::framing::AtMostOne;
use ovhai_wire::request::RequestHead;
use ovhai_wire::stream::Peer;

use super::Gateway;
use super::access::Admission;
use super::affinity::Pin;
use super::bearer::{self, Bearer};
use super::cors::{RefusalReaders, is_preflight};
use super::hold::Hold;
use super::hops;
use super::login::{self, Login};
use super::place;
use super::refusal::Refusal;
use super::reserved::{forwarded_host, gateway_token};
use super::route::{Chosen, ReplicaPort, Route};
use crate::host;
use crate::origin::HowUsed;
use crate::signer;
use crate::telemetry::{Note, RefusalKind};

/// Prefixes of the two strings of a login.
const LOGIN: [&str; 2] = [ACCESS_PREFIX, REFRESH_PREFIX];

/// The app that a request asks for, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AppTarget<'a> {
    pub(crate) id: AppId,
    /// Another port than the app's own.
    pub(crate) port: Option<u16>,
    /// The region's part of the host's name.
    pub(crate) region: &'a str,
    /// Whether gRPC is spoken.
    pub(crate) grpc: bool,
}

/// What happens to a request to an app that is not refused.
pub(crate) enum Admitted {
    Pass(Pass),
    /// It is to the app's login page, which the emulator serves.
    LogIn(Arc<AppEntry>),
    /// Its caller has access, and the app is asleep: it is admitted again when the app answers.
    Wait(Hold),
}

/// A request that may pass.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) route: Route,
    /// The caller, whose access is watched as long as the request is under way.
    pub(crate) admission: Admission,
}

/// The facts about a request whose caller is authorized.
struct LetIn {
    admission: Admission,
    /// The `Authorization` is the app's, not ours.
    keeps_authorization: bool,
    pin: Pin,
}

impl Gateway {
    /// Decides whether a request may pass, and chooses its route.
    pub(crate) fn admit(
        &self,
        head: &RequestHead<'_>,
        asked: AppTarget<'_>,
        client: Peer,
        note: &mut Note,
    ) -> Result<Admitted, Refusal> {
        let snapshot = self.platform.snapshot();
        let entry = snapshot
            .app(asked.id)
            .filter(|entry| entry.record.region.is_host_label(asked.region))
            .ok_or_else(|| Refusal::no_app(asked.id))?;
        note.app_is_known();
        if client.is_app {
            hops::check(head)?;
        }
        let public = entry.record.spec.public;
        if !public && client.is_app && login::is_reserved(head.path()) {
            let why = "the login page is for people: an app sends a token";
            return Err(Refusal::new(RefusalKind::Misdirected, why));
        }
        if !public && login::is_reserved(head.path()) {
            return Ok(Admitted::LogIn(Arc::clone(entry)));
        }
        let LetIn { admission, keeps_authorization, pin } =
            self.let_in(&snapshot, entry, head, client, note).map_err(|refusal| {
                if !public && !client.is_app && self.is_navigation(head) {
                    self.with_page(refusal, entry, head, client)
                } else {
                    refusal
                }
            })?;
        // A preflight wakes no app: the request that follows does.
        if entry.is_asleep() && admission.action == Action::Query {
            return Ok(Admitted::Wait(Hold::new(admission)));
        }
        let place = match asked.port {
            _ if asked.grpc => ReplicaPort::Grpc,
            Some(port) if port != entry.record.spec.http_port => ReplicaPort::Port(port),
            _ => ReplicaPort::Own,
        };
        let forwarded_host =
            if client.is_app { None } else { self.forwarded_host(&snapshot, entry, head, client) };
        let Chosen { to, under_way, set_cookie } = self.choose(entry, place, pin, &[])?;
        let route = Route {
            to,
            place,
            under_way,
            keeps_authorization,
            forwarded_host,
            pin,
            set_cookie,
            failed: Vec::new(),
        };
        Ok(Admitted::Pass(Pass { route, admission }))
    }

    /// Determines the pages that may read a refusal of this request.
    pub(crate) fn readers(
        &self,
        head: &RequestHead<'_>,
        asked: AppTarget<'_>,
        client: Peer,
    ) -> RefusalReaders {
        if !head.origin.is_there() {
            return RefusalReaders::NoPage;
        }
        let snapshot = self.platform.snapshot();
        let public = snapshot.app(asked.id).is_none_or(|entry| entry.record.spec.public);
        RefusalReaders::of(head, client, public)
    }

    /// Whether this is a navigation without one of the emulator's tokens. With one, the login page
    /// would not help.
    fn is_navigation(&self, head: &RequestHead<'_>) -> bool {
        let method = head.method.as_bytes();
        login::is_navigation(method, |name| head.first(name))
            && !(head.authorization.is_there() && self.has_ours(head))
    }

    /// The host that a browser uses, as `ovhai app port-forward` tells it. Only an authenticated
    /// caller is believed, and only a name of this machine: so nothing that the app writes leads a
    /// browser to another host.
    fn forwarded_host(
        &self,
        snapshot: &Snapshot,
        entry: &AppEntry,
        head: &RequestHead<'_>,
        client: Peer,
    ) -> Option<Box<str>> {
        let AtMostOne::One(value) = forwarded_host(head) else { return None };
        let host = std::str::from_utf8(value).ok().filter(|host| host::is_this_machine(host))?;
        let token = match gateway_token(head) {
            AtMostOne::Never => match bearer::of(head.authorization) {
                Bearer::Token(token) => token,
                Bearer::None | Bearer::Other => return None,
            },
            AtMostOne::One(token) => std::str::from_utf8(token).ok()?.trim_matches([' ', '\t']),
            AtMostOne::Several => return None,
        };
        let principal = self.platform.authenticate(snapshot, token, place::of(client))?;
        let decision = policy::decide(&principal, Action::Query, &resource(&entry.record));
        decision.is_allowed().then(|| host.into())
    }

    /// Shows a page instead of JSON to a person in front of a browser.
    fn with_page(
        &self,
        refusal: Refusal,
        entry: &AppEntry,
        head: &RequestHead<'_>,
        client: Peer,
    ) -> Refusal {
        if !refusal.is_about_access() {
            return refusal;
        }
        let denied = refusal.denied.as_deref().map(|(who, why)| (who, why));
        let (target, cookies) = (head.target.as_bytes(), head.cookies());
        let page = self.logins.page(&entry.record, target, cookies, client.secure, denied);
        refusal.shown_as(page)
    }

    /// Authorizes the caller, or refuses the request.
    fn let_in(
        &self,
        snapshot: &Snapshot,
        entry: &AppEntry,
        head: &RequestHead<'_>,
        client: Peer,
        note: &mut Note,
    ) -> Result<LetIn, Refusal> {
        let target = resource(&entry.record);
        if is_preflight(head) {
            let decision = policy::decide(&Principal::Anonymous, Action::Preflight, &target);
            if decision.is_allowed() {
                note.decided(&decision, &Principal::Anonymous);
                // Browsers send no `Authorization` with a preflight; one that comes nevertheless
                // was not checked.
                let admission = Admission {
                    app: entry.record.id,
                    principal: Principal::Anonymous,
                    action: Action::Preflight,
                    login: None,
                };
                return Ok(LetIn { admission, keeps_authorization: false, pin: Pin::No });
            }
        }
        let public = entry.record.spec.public;
        let apart = if public { None } else { self.token_apart(head)? };
        // Logins are people's: an app shows a token, whatever cookies it passes on.
        let has_cookies = head.has_cookies && !client.is_app;
        let by_cookie = if has_cookies && !public && apart.is_none() {
            self.by_cookie(&entry.record, head, client)
        } else {
            None
        };
        let given = match apart {
            Some(token) => Bearer::Token(token),
            None => bearer::of(head.authorization),
        };
        // The app may have bearers of its own. The emulator's never get there, in whatever form
        // they come.
        let has_own = || head.authorization.is_there() && !self.has_ours(head);
        let is_over = || {
            has_cookies
                && !public
                && apart.is_none()
                && self.logins.came_with_one(head.cookies(), &how_used(head, client))
                && !self.has_ours(head)
        };
        let has_cookie = by_cookie.is_some();
        let (principal, login) = match (by_cookie, given) {
            (Some((principal, login)), _) => (principal, Some(login)),
            (None, Bearer::Token(token)) if !public => {
                let known = self.platform.authenticate(snapshot, token, place::of(client));
                let principal = known.ok_or_else(|| {
                    note.unauthenticated();
                    if is_over() { Refusal::login_over() } else { Refusal::bad_token() }
                })?;
                (principal, None)
            }
            _ => (Principal::Anonymous, None),
        };
        let decision = policy::decide(&principal, Action::Query, &target);
        note.decided(&decision, &principal);
        match decision.effect {
            Effect::Allow => {
                let keeps = (public || apart.is_some() || has_cookie) && has_own();
                if has_cookie
                    && keeps
                    && !self.warned_cookie_with_auth.swap(true, Ordering::Relaxed)
                {
                    tracing::warn!(
                        "a login cookie came with an app's own Authorization: whether the cloud passes both on is not documented"
                    );
                }
                let pin = self.pins.wanted(&entry.record, &principal, head, client);
                let app = entry.record.id;
                let admission = Admission { app, principal, action: Action::Query, login };
                Ok(LetIn { admission, keeps_authorization: keeps, pin })
            }
            Effect::Unauthenticated if decision.reason == Reason::Anonymous => Err(match given {
                _ if is_over() => Refusal::login_over(),
                Bearer::None => Refusal::no_token(),
                Bearer::Other | Bearer::Token(_) => Refusal::bad_token(),
            }),
            Effect::Unauthenticated => Err(Refusal::bad_token()),
            // The access log has the caller and the reason.
            Effect::Forbidden | Effect::OutOfScope => {
                Err(Refusal::denied(principal, decision.reason))
            }
        }
    }

    /// The caller that the login cookie stands for. An `Authorization` with one of the emulator's
    /// tokens takes precedence.
    fn by_cookie(
        &self,
        app: &AppRecord,
        head: &RequestHead<'_>,
        client: Peer,
    ) -> Option<(Principal, Login)> {
        let caller = self.logins.caller(head.cookies(), app, &how_used(head, client))?;
        let is_owner = matches!(caller.0, Principal::Administrator { .. });
        (!self.has_ours(head) && (client.is_here() || !is_owner)).then_some(caller)
    }

    /// The token in `X-OVHAI-Token`, which leaves `Authorization` to the app.
    fn token_apart<'b>(&self, head: &RequestHead<'b>) -> Result<Option<&'b str>, Refusal> {
        let value = match gateway_token(head) {
            AtMostOne::Never => return Ok(None),
            AtMostOne::One(value) => value,
            AtMostOne::Several => return Err(Refusal::bad_token()),
        };
        if !self.warned_token_header.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "a token came in X-OVHAI-Token: the cloud accepts Authorization only, and would refuse it"
            );
        }
        let token = std::str::from_utf8(value).map_err(|_| Refusal::bad_token())?;
        Ok(Some(token.trim_matches([' ', '\t'])))
    }

    /// Whether an `Authorization` has a token of this emulator in it, current or not.
    fn has_ours(&self, head: &RequestHead<'_>) -> bool {
        head.each().filter(|(known, _)| *known == Known::Authorization).any(|(_, field)| {
            let has = |start: &&str| memchr::memmem::find(field.value, start.as_bytes()).is_some();
            LOGIN.iter().any(has)
                || signer::mentions_token(field.value)
                || self.platform.mentions_administrator(field.value)
        })
    }
}

/// The origin of the request.
fn how_used<'b>(head: &RequestHead<'b>, client: Peer) -> HowUsed<'b> {
    let method = head.method.as_bytes();
    let is_upgrade = head.upgrade.is_some();
    let how = HowUsed::new(method, |name| head.first(name), is_upgrade, client.secure);
    HowUsed { host: Some(head.host.as_bytes()), ..how }
}
