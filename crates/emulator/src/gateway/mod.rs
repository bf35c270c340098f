//! The door in front of the apps: finds the app, checks the caller, says what is passed on.
//!
//! Access is decided by the domain's policy, with the newest durable snapshot, on every request.
//! The bearer that opened the door is not passed on. Every refusal has a JSON body; all bad
//! tokens get one and the same.

pub(crate) mod access;
mod affinity;
pub(crate) mod compose;
pub(crate) mod exchange;
pub(crate) mod grpc;
mod health;
pub(crate) mod http2;
pub(crate) mod login;
mod readers;
mod refusal;
pub(crate) mod tunnel;
pub(crate) mod upstream;

use std::collections::BTreeSet;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hyper::StatusCode;
use hyper::header::HeaderValue;
use ovhai_api_types::AppId;
use ovhai_core::Platform;
use ovhai_core::auth::{ACCESS_PREFIX, REFRESH_PREFIX};
use ovhai_core::directory::{AppEntry, Backend, Snapshot};
use ovhai_core::model::{AppRecord, Wanted};
use ovhai_core::platform::resource;
use ovhai_core::policy::{self, Action, Effect, Principal, Reason};
use ovhai_core::ports::ReplicaEndpoint;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::bearer::{self, Bearer};
use crate::edge::body::Framing;
use crate::edge::note::Note;
use crate::edge::parse::{Head, Once};
use crate::host;
use crate::origin::HowUsed;
use crate::seen::Aborted;
use crate::signer;
use affinity::{Pin, Pins};
use health::Health;
use login::{Login, Logins};
pub(crate) use readers::Readers;
pub(crate) use refusal::Refusal;

/// See the module.
pub(crate) struct Gateway {
    platform: Arc<Platform>,
    health: Health,
    turn: AtomicUsize,
    pins: Pins,
    /// Whether it was said that the cloud has no `X-OVHAI-Token`.
    told_apart: AtomicBool,
    /// Whether it was said that the cloud has no login beside `Authorization`.
    told_beside: AtomicBool,
    pub(crate) logins: Logins,
    /// Cancelled when open tunnels have to end.
    stopping: CancellationToken,
}

/// Begin the two strings of a login.
const LOGIN: [&str; 2] = [ACCESS_PREFIX, REFRESH_PREFIX];

/// Who sends a request, as far as the connection tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// Whether it came over TLS.
    pub(crate) secure: bool,
}

/// Which app is asked for, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) id: AppId,
    /// Another port than its own.
    pub(crate) port: Option<u16>,
    /// The region's part of the host's name.
    pub(crate) region: &'a str,
    /// Whether gRPC is spoken.
    pub(crate) grpc: bool,
}

/// What becomes of a request to an app.
pub(crate) enum Admitted {
    Pass(Pass),
    /// It is to the app's login, which answers by itself.
    LogIn(Arc<AppEntry>),
}

/// Where at a replica a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Own,
    Port(u16),
    Grpc,
}

impl Place {
    fn at(self, endpoint: &ReplicaEndpoint) -> Option<SocketAddr> {
        match self {
            Self::Own => Some(endpoint.http),
            Self::Port(port) => endpoint.at(port),
            Self::Grpc => endpoint.grpc(),
        }
    }
}

/// A caller that was let in.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    pub(crate) app: AppId,
    pub(crate) principal: Principal,
    /// What for.
    pub(crate) action: Action,
    /// What it was known by, unless by a bearer.
    pub(crate) login: Option<Login>,
}

/// A request that may pass.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) app: AppId,
    pub(crate) place: Place,
    pub(crate) address: SocketAddr,
    /// As long as it lives, the replica there knows of a request under way.
    pub(crate) under_way: TaskTrackerToken,
    /// The `Authorization` is the app's, not ours.
    pub(crate) keeps_authorization: bool,
    /// The host that the browser uses, where that is another one than was asked.
    pub(crate) forwarded_host: Option<Box<str>>,
    /// Which replica it should go to.
    pin: Pin,
    /// Tells the client which replica it is pinned to, when it did not come with that.
    pub(crate) set_cookie: Option<HeaderValue>,
}

/// What of a request matters once its caller was let in.
struct LetIn {
    /// The `Authorization` is the app's, not ours.
    keeps_authorization: bool,
    pin: Pin,
}

/// A replica for a request.
struct Chosen {
    address: SocketAddr,
    under_way: TaskTrackerToken,
    set_cookie: Option<HeaderValue>,
}

impl Gateway {
    pub(crate) fn new(platform: Arc<Platform>, stopping: CancellationToken) -> Self {
        Self {
            logins: Logins::new(Arc::clone(&platform)),
            platform,
            health: Health::default(),
            turn: AtomicUsize::new(0),
            pins: Pins::default(),
            told_apart: AtomicBool::new(false),
            told_beside: AtomicBool::new(false),
            stopping,
        }
    }

    /// Whether a request may pass, and where to.
    pub(crate) fn admit(
        &self,
        head: &Head<'_>,
        asked: Asked<'_>,
        client: Client,
        note: &mut Note,
    ) -> Result<Admitted, Refusal> {
        let snapshot = self.platform.snapshot();
        let entry = snapshot
            .app(asked.id)
            .filter(|entry| entry.record.region.is_host_label(asked.region))
            .ok_or_else(|| Refusal::no_app(asked.id))?;
        note.app_is_known();
        let public = entry.record.spec.public;
        if !public && login::is_reserved(head.path()) {
            return Ok(Admitted::LogIn(Arc::clone(entry)));
        }
        let LetIn { keeps_authorization, pin } =
            self.let_in(&snapshot, entry, head, client, note).map_err(|refusal| {
                if !public && self.is_navigation(head) {
                    self.with_page(refusal, entry, head, client)
                } else {
                    refusal
                }
            })?;
        let place = match asked.port {
            _ if asked.grpc => Place::Grpc,
            Some(port) if port != entry.record.spec.http_port => Place::Port(port),
            _ => Place::Own,
        };
        let forwarded_host = self.forwarded_host(&snapshot, entry, head);
        let Chosen { address, under_way, set_cookie } = self.choose(entry, place, pin, None)?;
        Ok(Admitted::Pass(Pass {
            app: asked.id,
            place,
            address,
            under_way,
            keeps_authorization,
            forwarded_host,
            pin,
            set_cookie,
        }))
    }

    /// Which pages may read a refusal of this request.
    pub(crate) fn readers(&self, head: &Head<'_>, asked: Asked<'_>, client: Client) -> Readers {
        if !head.origin.is_there() {
            return Readers::NoPage;
        }
        let snapshot = self.platform.snapshot();
        let public = snapshot.app(asked.id).is_none_or(|entry| entry.record.spec.public);
        Readers::of(head, client, public)
    }

    /// Whether this is a navigation without one of the emulator's tokens; with one the login page could
    /// not help.
    fn is_navigation(&self, head: &Head<'_>) -> bool {
        let method = head.method.as_bytes();
        login::is_navigation(method, |name| head.first(name))
            && !(head.authorization.is_there() && self.has_ours(head))
    }

    /// The host that a browser uses, as `ovhai app port-forward` tells it. Only an authenticated
    /// caller is believed, and only a name of this machine: what the app writes into its answers
    /// leads a browser nowhere else.
    fn forwarded_host(
        &self,
        snapshot: &Snapshot,
        entry: &AppEntry,
        head: &Head<'_>,
    ) -> Option<Box<str>> {
        let Once::One(value) = head.forwarded_host else { return None };
        let host = std::str::from_utf8(value).ok().filter(|host| host::is_this_machine(host))?;
        let token = match head.own_token {
            Once::Never => match bearer::of(head.authorization) {
                Bearer::Token(token) => token,
                Bearer::None | Bearer::Other => return None,
            },
            Once::One(token) => std::str::from_utf8(token).ok()?.trim_matches([' ', '\t']),
            Once::Several => return None,
        };
        let principal = self.platform.authenticate(snapshot, token)?;
        let decision = policy::decide(&principal, Action::Query, &resource(&entry.record));
        decision.is_allowed().then(|| host.into())
    }

    /// A person in front of a browser is shown a page and not JSON.
    fn with_page(
        &self,
        refusal: Refusal,
        entry: &AppEntry,
        head: &Head<'_>,
        client: Client,
    ) -> Refusal {
        if !refusal.is_about_access() {
            return refusal;
        }
        let denied = refusal.denied.as_deref().map(|(who, why)| (who, why));
        let (target, cookies) = (head.target.as_bytes(), head.cookies());
        let page = self.logins.page(&entry.record, target, cookies, client.secure, denied);
        refusal.shown_as(page)
    }

    /// Turns to another replica than the one that does not answer, if there is one.
    pub(crate) fn turn_to_another(&self, pass: &mut Pass) -> bool {
        let snapshot = self.platform.snapshot();
        let entry = snapshot.app(pass.app);
        let other = entry
            .and_then(|entry| self.choose(entry, pass.place, pass.pin, Some(pass.address)).ok());
        let Some(Chosen { address, under_way, set_cookie }) = other else { return false };
        (pass.address, pass.under_way, pass.set_cookie) = (address, under_way, set_cookie);
        true
    }

    /// Lets the caller in or refuses.
    fn let_in(
        &self,
        snapshot: &Snapshot,
        entry: &AppEntry,
        head: &Head<'_>,
        client: Client,
        note: &mut Note,
    ) -> Result<LetIn, Refusal> {
        let target = resource(&entry.record);
        if is_preflight(head) {
            let decision = policy::decide(&Principal::Anonymous, Action::Preflight, &target);
            if decision.is_allowed() {
                note.decided(&decision, &Principal::Anonymous);
                // Browsers send none with it; nobody has looked at one that comes all the same.
                return Ok(LetIn { keeps_authorization: false, pin: Pin::No });
            }
        }
        let public = entry.record.spec.public;
        let apart = if public { None } else { self.token_apart(head)? };
        let by_cookie = if head.has_cookies && !public && apart.is_none() {
            self.by_cookie(&entry.record, head, client)
        } else {
            None
        };
        let given = match apart {
            Some(token) => Bearer::Token(token),
            None => bearer::of(head.authorization),
        };
        // The app may have bearers of its own. Ours are none of its business, in whatever form
        // they come.
        let has_own = || head.authorization.is_there() && !self.has_ours(head);
        let is_over = || {
            head.has_cookies
                && !public
                && apart.is_none()
                && self.logins.came_with_one(head.cookies(), &how_used(head, client))
                && !self.has_ours(head)
        };
        let has_cookie = by_cookie.is_some();
        let principal = match (by_cookie, given) {
            (Some((principal, login)), _) => {
                note.by_login(login);
                principal
            }
            (None, Bearer::Token(token)) if !public => {
                self.platform.authenticate(snapshot, token).ok_or_else(|| {
                    note.unknown();
                    if is_over() { Refusal::login_over() } else { Refusal::bad_token() }
                })?
            }
            _ => Principal::Anonymous,
        };
        let decision = policy::decide(&principal, Action::Query, &target);
        note.decided(&decision, &principal);
        match decision.effect {
            Effect::Allow => {
                let keeps = (public || apart.is_some() || has_cookie) && has_own();
                if has_cookie && keeps && !self.told_beside.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "a login cookie came beside an app's own Authorization: the cloud does not say that it lets both through"
                    );
                }
                let pin = self.pins.wanted(&entry.record, &principal, head, client);
                Ok(LetIn { keeps_authorization: keeps, pin })
            }
            Effect::Unauthenticated if decision.reason == Reason::Anonymous => Err(match given {
                _ if is_over() => Refusal::login_over(),
                Bearer::None => Refusal::no_token(),
                Bearer::Other | Bearer::Token(_) => Refusal::bad_token(),
            }),
            Effect::Unauthenticated => Err(Refusal::bad_token()),
            // Who was refused and why stands in the access log.
            Effect::Forbidden | Effect::OutOfScope => {
                Err(Refusal::denied(principal, decision.reason))
            }
        }
    }

    /// Who the login cookie stands for, unless `Authorization` has a token of ours: what is said
    /// outright counts.
    fn by_cookie(
        &self,
        app: &AppRecord,
        head: &Head<'_>,
        client: Client,
    ) -> Option<(Principal, Login)> {
        let caller = self.logins.caller(head.cookies(), app, &how_used(head, client))?;
        (!self.has_ours(head)).then_some(caller)
    }

    /// The token in `X-OVHAI-Token`, which leaves `Authorization` to the app.
    fn token_apart<'b>(&self, head: &Head<'b>) -> Result<Option<&'b str>, Refusal> {
        let value = match head.own_token {
            Once::Never => return Ok(None),
            Once::One(value) => value,
            Once::Several => return Err(Refusal::bad_token()),
        };
        if !self.told_apart.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "a token came in X-OVHAI-Token: the cloud knows Authorization only, and would refuse it"
            );
        }
        let token = std::str::from_utf8(value).map_err(|_| Refusal::bad_token())?;
        Ok(Some(token.trim_matches([' ', '\t'])))
    }

    /// Whether an `Authorization` has a token of this emulator in it, current or not.
    fn has_ours(&self, head: &Head<'_>) -> bool {
        use crate::edge::parse::Known;
        head.each().filter(|(known, _)| *known == Known::Authorization).any(|(_, field)| {
            let has = |start: &&str| memchr::memmem::find(field.value, start.as_bytes()).is_some();
            LOGIN.iter().any(has)
                || signer::mentions_token(field.value)
                || self.platform.mentions_administrator(field.value)
        })
    }

    /// Ready when a caller that was let in would not be any more.
    pub(crate) fn until_denied(
        &self,
        admission: Admission,
    ) -> impl Future<Output = ()> + Send + use<> {
        let platform = Arc::clone(&self.platform);
        let Admission { app, principal, action, login } = admission;
        let mut access = platform.watch_access(&principal, app);
        let clock = Arc::clone(&platform);
        let logged_out = async move {
            match login {
                Some(login) => login.over(|| clock.now()).await,
                None => std::future::pending().await,
            }
        };
        let denied = async move {
            loop {
                let allowed = platform.current(&principal).is_some_and(|caller| {
                    platform.snapshot().app(app).is_some_and(|entry| {
                        policy::decide(&caller, action, &resource(&entry.record)).is_allowed()
                    })
                });
                if !allowed {
                    return;
                }
                access.changed().await;
            }
        };
        async move {
            tokio::select! {
                () = denied => {}
                () = logged_out => {}
            }
        }
    }

    /// Ready when a tunnel has to end: its caller would not be let in any more, or everything
    /// stops.
    pub(crate) fn until_over(
        &self,
        admission: Admission,
    ) -> impl Future<Output = Option<Aborted>> + Send + use<> {
        let (denied, stopping) = (self.until_denied(admission), self.stopping.clone());
        async move {
            tokio::select! {
                () = denied => Some(Aborted::Access),
                () = stopping.cancelled() => None,
            }
        }
    }

    /// A replica that answers: the one that the request is pinned to, else each in its turn. Those
    /// that failed are left out until they pass their probe, unless there is no other.
    fn choose(
        &self,
        entry: &AppEntry,
        place: Place,
        pin: Pin,
        but: Option<SocketAddr>,
    ) -> Result<Chosen, Refusal> {
        // Its addresses go only when its actor has had that stored, which may take a while.
        if entry.record.wanted != Wanted::Running {
            return Err(Refusal::not_ready(entry));
        }
        let backends = &entry.live.backends;
        let id = entry.record.id;
        let found = match backends.as_slice() {
            [] => return Err(Refusal::not_ready(entry)),
            [one] if but.is_none() && place == Place::Own => Some((one.http, one)),
            _ => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                let in_turn = || {
                    (0..backends.len())
                        .map(|at| &backends[(turn + at) % backends.len()])
                        .filter_map(|backend| Some((place.at(backend)?, backend)))
                        .filter(|(address, _)| Some(*address) != but)
                };
                let answers =
                    |(address, _): &(SocketAddr, &Backend)| !self.health.is_out(id, *address);
                let mut healthy = in_turn().filter(answers);
                let pinned = match pin {
                    Pin::Hash(hash) => {
                        healthy.max_by_key(|(_, backend)| Pin::weight(hash, backend.replica))
                    }
                    Pin::Cookie { given: Some(given), .. } => {
                        healthy.find(|(_, backend)| backend.replica == given)
                    }
                    Pin::Cookie { given: None, .. } | Pin::No => healthy.next(),
                };
                pinned.or_else(|| in_turn().find(answers)).or_else(|| in_turn().next())
            }
        };
        let (address, backend) = found.ok_or_else(|| not_listening(entry, place))?;
        let set_cookie = match pin {
            Pin::Cookie { given, secure } if given != Some(backend.replica) => {
                self.pins.set_cookie(id, backend.replica, secure)
            }
            _ => None,
        };
        Ok(Chosen { address, under_way: backend.under_way.token(), set_cookie })
    }

    /// The replica has failed: it gets no requests until it passes its probe, if there are others.
    pub(crate) fn leave_out(self: &Arc<Self>, pass: &Pass, why: &'static str) {
        let snapshot = self.platform.snapshot();
        let Some(entry) = snapshot.app(pass.app).filter(|_| pass.place == Place::Own) else {
            return;
        };
        let Pass { app, address, .. } = *pass;
        if entry.live.backends.len() > 1 && self.health.leave_out(app, address) {
            let path = entry.record.spec.probe_path.clone();
            tracing::info!(%app, %address, why, "a replica has failed: it is left out until its probe passes");
            tokio::spawn(health::watch(Arc::clone(self), app, address, path));
        }
    }
}

/// Nothing of the app listens there; says what does.
fn not_listening(entry: &AppEntry, place: Place) -> Refusal {
    let id = entry.record.id;
    let port = match (place, entry.record.spec.grpc_port) {
        (Place::Port(port), _) | (Place::Grpc, Some(port)) => port,
        (Place::Grpc, None) => {
            let why = format!("the app {id} has no gRPC port: give it one with --grpc-port");
            return Refusal::new(StatusCode::NOT_FOUND, why);
        }
        (Place::Own, _) => return Refusal::not_ready(entry),
    };
    let mut given = entry.live.backends.iter().map(|backend| backend.http.port());
    if given.any(|given| given == port) {
        let own = entry.record.spec.http_port;
        let why = format!(
            "port {port} is what this machine gave the app's process in place of its own; to the outside its port is {own}"
        );
        return Refusal::new(StatusCode::BAD_GATEWAY, why);
    }
    let ports: BTreeSet<u16> =
        entry.live.backends.iter().flat_map(|backend| backend.ports()).collect();
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let listens = if ports.is_empty() { "its own port only".into() } else { ports.join(", ") };
    Refusal::new(
        StatusCode::BAD_GATEWAY,
        format!("the app {id} does not listen on port {port}; it listens on {listens}"),
    )
}

/// How the request came about.
fn how_used<'b>(head: &Head<'b>, client: Client) -> HowUsed<'b> {
    let method = head.method.as_bytes();
    let is_upgrade = head.upgrade.is_some();
    let how = HowUsed::new(method, |name| head.first(name), is_upgrade, client.secure);
    HowUsed { host: Some(head.host.as_bytes()), ..how }
}

/// Whether a browser asks what a page from elsewhere may: without credentials, and without a body
/// that would reach the app.
fn is_preflight(head: &Head<'_>) -> bool {
    head.method == "OPTIONS"
        && head.origin.is_there()
        && head.has_preflight_method
        && !head.has_upgrade
        && matches!(head.framing, Framing::None | Framing::Length(0))
}
