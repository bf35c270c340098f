//! The server of a command, and the caller: the emulator of the state directory, started if none
//! runs, or an endpoint of the settings.

use std::net::SocketAddr;
use std::sync::Arc;

use ovhai_api_types::Region;
use ovhai_client::{Client, Endpoint, is_loopback};
use ovhai_emulator::state::{Running, StateDir};

use super::background;
use crate::calls::address::{endpoint, endpoint_key, local_key, near, root};
use crate::context::Context;
use crate::error::{DENIED, Failure, Result};
use crate::server::config::Config;
use crate::server::credentials::Issuer;
use crate::server::options::Options;
use crate::server::session::{Session, Sessions};
use crate::settings::{readable_state_dir, state_dir};

/// A server, a region and the caller's credentials.
pub(crate) struct Target {
    /// Client with the caller's credentials: the token, or else the login.
    pub(crate) client: Client,
    /// Client with the login, even if a token is given.
    pub(crate) login: Client,
    /// The region; for an endpoint its name.
    pub(crate) region: Region,
    /// Who issues the tokens that open its apps.
    pub(crate) issuer: Issuer,
    /// Address to connect to for apps; without one, their host names are resolved.
    pub(crate) address: Option<SocketAddr>,
    /// The server.
    pub(crate) server: Server,
    /// Whether the caller is the owner of the local emulator.
    pub(crate) is_owner: bool,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("server", &self.server).finish_non_exhaustive()
    }
}

/// The caller's own access to the local emulator, without a token.
pub(crate) struct Own {
    /// The bearer's string.
    pub(crate) bearer: String,
    /// The bearer's owner, for messages.
    pub(crate) who: String,
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Own").field("who", &self.who).finish_non_exhaustive()
    }
}

/// A server, without a caller.
#[derive(Debug, Clone)]
pub(crate) enum Server {
    /// An emulator on this machine.
    Local(Running, Region),
    /// An endpoint of the settings.
    Remote {
        /// Its name.
        name: String,
        /// Base of its API.
        url: String,
    },
}

/// The requested server, before it is known whether it exists.
enum Choice {
    Running(Running, Option<Region>),
    Local(Option<Region>),
    Remote { name: String, url: String },
}

/// The one of the command line or the environment, else of the settings, else the local emulator's
/// first region.
fn choose(context: &Context) -> Result<Choice> {
    // Checked before an emulator is started.
    context.token()?;
    let named = context.region()?;
    if let Some(running) = context.embedded.clone() {
        return Ok(Choice::Running(running, named));
    }
    let config = Config::open(context)?;
    let wanted = named.as_ref().map(Region::as_str).or_else(|| config.current());
    if let Some((name, endpoint)) = wanted.and_then(|wanted| config.endpoint(wanted)) {
        return Ok(Choice::Remote { name: name.to_owned(), url: endpoint.url.clone() });
    }
    let wanted = wanted
        .map(str::parse)
        .transpose()
        .map_err(|error: ovhai_api_types::InvalidRegion| Failure::usage(error.to_string()))?;
    Ok(Choice::Local(wanted))
}

impl Server {
    /// The command's server; a local emulator is started if none runs.
    pub(crate) async fn find(context: &mut Context) -> Result<Self> {
        let (running, wanted) = match choose(context)? {
            Choice::Remote { name, url } => return Ok(Self::Remote { name, url }),
            Choice::Running(running, wanted) => (running, wanted),
            Choice::Local(wanted) => (find_or_start(context).await?, wanted),
        };
        let region = region_of(context, &running, wanted)?;
        Ok(Self::Local(running, region))
    }

    /// The same without starting an emulator: none if no local emulator runs.
    pub(crate) fn find_running(context: &Context) -> Result<Option<Self>> {
        let (running, wanted) = match choose(context)? {
            Choice::Remote { name, url } => return Ok(Some(Self::Remote { name, url })),
            Choice::Running(running, wanted) => (Some(running), wanted),
            Choice::Local(wanted) => {
                let running = StateDir::new(state_dir(context)?).running();
                if let Some(running) = &running {
                    context.found.tell(running);
                }
                (running, wanted)
            }
        };
        let Some(running) = running else { return Ok(None) };
        let region = region_of(context, &running, wanted)?;
        Ok(Some(Self::Local(running, region)))
    }

    /// The running emulator of the state directory, whatever endpoint is chosen; none is started.
    pub(crate) fn find_local(context: &Context) -> Result<Self> {
        let (running, wanted) = match choose(context)? {
            Choice::Running(running, wanted) => (running, wanted),
            choice => {
                let state = StateDir::new(readable_state_dir(context)?);
                let none = || {
                    Failure::not_found(format!(
                        "no emulator is running (state directory: {})",
                        state.path().display()
                    ))
                    .hint("start one: ovhai emulator start --detach")
                };
                let running = state.running().ok_or_else(none)?;
                context.found.tell(&running);
                (
                    running,
                    if let Choice::Local(wanted) = choice { wanted } else { context.region()? },
                )
            }
        };
        let region = region_of(context, &running, wanted)?;
        Ok(Self::Local(running, region))
    }

    /// Client of the local emulator's API, as the caller, else as the owner.
    pub(crate) fn local_client(&self, context: &Context) -> Result<Client> {
        let bearer = match (self, context.token()?) {
            (_, Some(token)) => Some(token.to_owned()),
            (Self::Local(running, _), None) => Some(running.administrator.clone()),
            (Self::Remote { .. }, None) => None,
        };
        self.client(bearer, context)
    }

    /// Client of the local emulator's own API, as the caller, else as the owner.
    pub(crate) fn control(&self, context: &Context) -> Result<Client> {
        let Self::Local(running, _) = self else {
            return Err(Failure::new(format!(
                "{} does not support this: it is not the local emulator",
                self.shown()
            ))
            .hint("choose a local region: --region GRA, or ovhai config set GRA"));
        };
        let mut endpoint = endpoint(running);
        if let Some(token) = context.token()? {
            endpoint.bearer = Some(token.to_owned());
        }
        Ok(Client::new(endpoint)?.recorded_by(Arc::clone(&context.trace) as _))
    }

    /// Whether it is the local emulator.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::Local(..))
    }

    /// Whether it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Local(..) => true,
            Self::Remote { url, .. } => is_loopback(url),
        }
    }

    /// The key of stored sessions and tokens: a project of the local emulator, or an endpoint with
    /// its address.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Local(running, _) => local_key(running),
            Self::Remote { name, url } => endpoint_key(name, url),
        }
    }

    /// Name and address, for messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Local(running, region) => format!("{region} ({})", root(running)),
            Self::Remote { name, url } => format!("{name} ({url})"),
        }
    }

    /// Announces a change at a server that is not on this machine, or refuses it with
    /// `OVHAI_LOCAL_ONLY`.
    pub(crate) fn announce_change(&self, context: &mut Context) -> Result<()> {
        if self.is_loopback() { Ok(()) } else { announce(context, &self.shown()) }
    }

    pub(crate) fn region(&self) -> Result<Region> {
        match self {
            Self::Local(_, region) => Ok(region.clone()),
            Self::Remote { name, .. } => {
                name.parse().map_err(|error| Failure::usage(format!("{error}")))
            }
        }
    }

    /// Client of the region's API with this bearer.
    pub(crate) fn client(&self, bearer: Option<String>, context: &Context) -> Result<Client> {
        let endpoint = match self {
            Self::Local(running, region) => {
                let Endpoint { base, connect, .. } = endpoint(running);
                Endpoint { base: format!("{base}/regions/{region}"), bearer, connect }
            }
            Self::Remote { url, .. } => Endpoint { base: url.clone(), bearer, connect: None },
        };
        let client = Client::new(endpoint)?.recorded_by(Arc::clone(&context.trace) as _);
        let read_only = local_only(context) && !self.is_loopback();
        Ok(if read_only { client.read_only() } else { client })
    }
}

fn region_of(context: &Context, running: &Running, wanted: Option<Region>) -> Result<Region> {
    match wanted {
        Some(region) if running.regions.contains(&region) => Ok(region),
        Some(region) => {
            let all: Vec<_> = running.regions.iter().map(Region::as_str).collect();
            let failure =
                Failure::not_found(format!("there is no region or endpoint {region} here"));
            let rest =
                "for other regions: ovhai emulator start --regions …; endpoints: ovhai config list";
            let has = format!("the emulator has {}", all.join(", "));
            // A typed region needs no explanation.
            Err(if context.global.region.is_some() {
                failure.hint(format!("{has}; {rest}"))
            } else if context.var("OVHAI_REGION").is_some() {
                failure.because("OVHAI_REGION is set to it").hint(format!("{has}; {rest}"))
            } else {
                failure
                    .because("ovhai config set saved it")
                    .hint(format!("{has}; choose one: ovhai config set REGION; {rest}"))
            })
        }
        None => running
            .regions
            .first()
            .cloned()
            .ok_or_else(|| Failure::new("the emulator has no region")),
    }
}

fn announce(context: &mut Context, server: &str) -> Result<()> {
    if local_only(context) {
        return Err(Failure::new(format!("refusing to change anything at {server}"))
            .because("OVHAI_LOCAL_ONLY allows changes on this machine only")
            .hint("unset OVHAI_LOCAL_ONLY, or choose a local region: --region REGION")
            .exit_code(DENIED));
    }
    context.note(format!("Target: {server}"));
    Ok(())
}

/// Whether changes are allowed on this machine only.
fn local_only(context: &Context) -> bool {
    context.var("OVHAI_LOCAL_ONLY").is_some_and(|value| value != "0")
}

impl Target {
    /// Finds server and caller.
    pub(crate) async fn find(context: &mut Context) -> Result<Self> {
        let server = Server::find(context).await?;
        let token = context.token()?.map(str::to_owned);
        let (bearer, session) = login_bearer(context, &server, token.is_some()).await?;
        let is_owner = match &server {
            Server::Local(running, _) => {
                token.as_ref().or(bearer.as_ref()) == Some(&running.administrator)
            }
            Server::Remote { .. } => false,
        };
        let mut login = server.client(bearer, context)?;
        if let Some(sessions) = session {
            login = login.renewed_by(sessions.renewing(server.key(), context.now));
        }
        let client = match token {
            Some(token) => server.client(Some(token), context)?,
            None => login.clone(),
        };
        let address = match &server {
            Server::Local(running, _) => Some(near(running.address)),
            Server::Remote { .. } => None,
        };
        let region = server.region()?;
        let issuer = Issuer { server: server.key(), region: region.clone() };
        Ok(Self { client, login, region, issuer, address, server, is_owner })
    }

    /// The same for a command that changes something; see [`Server::announce_change`].
    pub(crate) async fn find_to_change(context: &mut Context) -> Result<Self> {
        let target = Self::find(context).await?;
        target.announce_change(context)?;
        Ok(target)
    }

    /// See [`Target::find_to_change`].
    pub(crate) fn announce_change(&self, context: &mut Context) -> Result<()> {
        self.server.announce_change(context)
    }

    /// Fails at an endpoint: `what` is an extension that the service does not have.
    pub(crate) fn requires_emulator(&self, what: &str) -> Result<()> {
        if self.server.is_local() {
            return Ok(());
        }
        Err(Failure::usage(format!("{what} is not available at {}", self.server.shown()))
            .because("this is an extension of the local emulator")
            .hint("choose a local region: --region GRA, or ovhai config set GRA"))
    }

    /// The same for a request to an app, whose host may differ from the API's.
    pub(crate) fn announce_change_of(&self, context: &mut Context, app_url: &str) -> Result<()> {
        self.announce_change(context)?;
        if self.server.is_loopback() && !is_loopback(app_url) {
            return announce(context, app_url);
        }
        Ok(())
    }

    /// The emulator of the own state directory, if its owner is the caller.
    pub(crate) fn owned(&self) -> Option<&Running> {
        match &self.server {
            Server::Local(running, _) if self.is_owner => Some(running),
            _ => None,
        }
    }

    /// The caller's own access: the login's, else the current owner's. None at an endpoint, to
    /// which it must not be sent.
    pub(crate) async fn own(&self, context: &Context) -> Result<Option<Own>> {
        let Server::Local(running, _) = &self.server else { return Ok(None) };
        if context.embedded.is_some() {
            return Ok(Some(owner_of(running)));
        }
        let (sessions, key) = (Sessions::open(context)?, self.server.key());
        let anonymous = || self.server.client(None, context);
        if let Some(bearer) = sessions.bearer(&key, anonymous, context.now).await? {
            let who = match sessions.get(&key)? {
                Some(Session::User { username, .. }) => format!("the user {username}"),
                _ => "the token of the login".to_owned(),
            };
            return Ok(Some(Own { bearer, who }));
        }
        // The emulator may have been restarted, with a new bearer.
        let now = StateDir::new(state_dir(context)?).running();
        let now = now.filter(|now| local_key(now) == key);
        Ok(Some(owner_of(now.as_ref().unwrap_or(running))))
    }

    /// Client of the emulator's own API, as the owner or as the caller.
    pub(crate) fn control(&self, context: &Context) -> Result<Client> {
        self.server.control(context)
    }
}

fn owner_of(running: &Running) -> Own {
    Own { bearer: running.administrator.clone(), who: "the emulator's owner".into() }
}

/// Client of the local emulator's own API, whatever region or login is chosen: as the owner, or
/// with the token of the command line. Starts an emulator if none runs.
pub(crate) async fn owner(context: &mut Context) -> Result<Client> {
    let running = match context.embedded.clone() {
        Some(running) => running,
        None => find_or_start(context).await?,
    };
    let mut endpoint = endpoint(&running);
    if context.global.token.is_some() {
        endpoint.bearer = context.token()?.map(str::to_owned);
    }
    Ok(Client::new(endpoint)?.recorded_by(Arc::clone(&context.trace) as _))
}

/// The bearer of the login: the session's, which is returned too, else the local administrator's. A
/// caller with a token needs none.
async fn login_bearer(
    context: &Context,
    server: &Server,
    has_token: bool,
) -> Result<(Option<String>, Option<Sessions>)> {
    // An embedded emulator has only its administrator.
    if context.embedded.is_none() {
        let anonymous = || server.client(None, context);
        let sessions = Sessions::open(context)?;
        let bearer = sessions.bearer(&server.key(), anonymous, context.now).await;
        match bearer {
            Ok(Some(bearer)) => return Ok((Some(bearer), Some(sessions))),
            Ok(None) => {}
            Err(_) if has_token => {}
            Err(failure) => return Err(failure),
        }
    }
    match server {
        Server::Local(running, _) => Ok((Some(running.administrator.clone()), None)),
        Server::Remote { .. } if has_token => Ok((context.token()?.map(str::to_owned), None)),
        Server::Remote { name, .. } => {
            Err(Failure::new(format!("not logged in at {}", server.shown()))
                .hint(format!("log in: ovhai login --region {name}"))
                .hint("or use a token: --token TOKEN")
                .exit_code(DENIED))
        }
    }
}

/// Finds the local emulator, or starts one.
pub(crate) async fn find_or_start(context: &mut Context) -> Result<Running> {
    let state = StateDir::new(readable_state_dir(context)?);
    if let Some(running) = state.running() {
        context.found.tell(&running);
        return Ok(running);
    }
    if state.is_locked() {
        // It has not published its address yet, or the file is gone.
        return match background::wait_for_other(&state).await {
            Some(running) => Ok(running),
            None if !state.is_locked() => Box::pin(find_or_start(context)).await,
            None => Err(unknown(&state)),
        };
    }
    if context.var("OVHAI_AUTOSTART") == Some("0") {
        return Err(Failure::new(format!(
            "no emulator is running (state directory: {})",
            state.path().display()
        ))
        .hint("start one: ovhai emulator start --detach")
        .hint("or let commands start one: unset OVHAI_AUTOSTART"));
    }
    let options = Options::of(&state)?.within(context);
    let running = background::start(context, &state, &options, false).await?;
    context.note(format!(
        "Started an emulator of AI Deploy in the background: {} (pid {}); stop it: ovhai emulator stop",
        root(&running),
        running.pid
    ));
    if !options.is_empty() {
        context.note(format!(
            "It uses the saved options of the last emulator start: {} (to change them: ovhai emulator stop, then ovhai emulator start --detach)",
            options.shown()
        ));
    }
    Ok(running)
}

/// The failure for an emulator that holds the lock, but whose address is unknown.
pub(crate) fn unknown(state: &StateDir) -> Failure {
    let path = state.path().display();
    match state.holder() {
        Some(holder) => Failure::new(format!(
            "the address of the emulator (pid {}) of {path} is unknown",
            holder.pid
        ))
        .because("emulator.json is missing or damaged")
        .hint("start it again: ovhai emulator stop; ovhai emulator start --detach"),
        None => Failure::new(format!("can't tell which process is the emulator of {path}"))
            .because("it runs in another container or on another machine, or another program holds the lock file")
            .hint("stop it where it was started: ovhai emulator stop")
            .hint("or use another directory: --state-dir DIR or OVHAI_STATE_DIR"),
    }
}
