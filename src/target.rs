//! Which server a command talks to, and as whom: the emulator of the state directory, started when
//! none runs, or an endpoint of the settings.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::Region;
use ovhai_client::{Client, Endpoint, is_loopback};
use ovhai_emulator::DEFAULT_PORT;
use ovhai_emulator::state::{Running, StateDir};

use crate::config::Config;
use crate::context::Context;
use crate::credentials::Issuer;
use crate::error::{DENIED, Failure, Result};
use crate::options::Options;
use crate::session::Sessions;
use crate::settings::{readable_state_dir, state_dir};

/// How long an emulator in the background has to start.
const START_TIMEOUT: Duration = Duration::from_secs(15);
/// A log larger than this begins anew.
const LOG_MAX: u64 = 10 * 1024 * 1024;

/// A server and a region of it, and who calls.
#[derive(Debug)]
pub(crate) struct Target {
    /// Calls with the caller's credentials: its token, or else the login.
    pub(crate) client: Client,
    /// Calls with the login, also when a token is given.
    pub(crate) login: Client,
    /// The region; for an endpoint its name.
    pub(crate) region: Region,
    /// Who issues the tokens that open its apps.
    pub(crate) issuer: Issuer,
    /// Where apps are reached, whatever their host names resolve to; none: there.
    pub(crate) address: Option<SocketAddr>,
    /// Where it is.
    pub(crate) server: Server,
    /// Whether the caller is nobody but the owner of the local emulator.
    pub(crate) is_owner: bool,
}

/// A server, without anybody who calls.
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

/// Where a command wants to go, before it is known whether anything is there.
enum Choice {
    Running(Running, Option<Region>),
    Local(Option<Region>),
    Remote { name: String, url: String },
}

/// What is named on the command line or in the environment, else what the settings say, else the
/// local emulator's first region.
fn choose(context: &Context) -> Result<Choice> {
    // Before anything is started for it.
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
    /// The one that the command is for; a local one is started when none runs.
    pub(crate) async fn find(context: &mut Context) -> Result<Self> {
        let (running, wanted) = match choose(context)? {
            Choice::Remote { name, url } => return Ok(Self::Remote { name, url }),
            Choice::Running(running, wanted) => (running, wanted),
            Choice::Local(wanted) => (find_or_start(context).await?, wanted),
        };
        let region = region_of(context, &running, wanted)?;
        Ok(Self::Local(running, region))
    }

    /// The same, but nothing is started for it: none when no local emulator runs.
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

    /// Whether it is an emulator of this program's.
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

    /// What sessions and tokens are stored under: they belong to a project of the local emulator,
    /// or to an endpoint as long as its address stays the same.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Local(running, _) => local_key(running),
            Self::Remote { name, url } => endpoint_key(name, url),
        }
    }

    /// How it is called for people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Local(running, region) => format!("{region} ({})", root(running)),
            Self::Remote { name, url } => format!("{name} ({url})"),
        }
    }

    /// Says that something is changed there, unless it is this machine, and refuses it if nothing
    /// but this machine may be changed.
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

    /// Calls the region's API with this bearer.
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

/// Begins the key of every local project.
pub(crate) const LOCAL: &str = "local:";

/// See [`Server::key`].
pub(crate) fn local_key(running: &Running) -> String {
    format!("{LOCAL}{}", running.project)
}

/// See [`Server::key`].
pub(crate) fn endpoint_key(name: &str, url: &str) -> String {
    format!("endpoint:{name} {url}")
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
            // Who typed it knows.
            Err(if context.global.region.is_some() {
                failure.hint(format!("{has}; {rest}"))
            } else if context.var("OVHAI_REGION").is_some() {
                failure.because("OVHAI_REGION names it").hint(format!("{has}; {rest}"))
            } else {
                failure
                    .because("ovhai config set chose it")
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
        return Err(Failure::new(format!("nothing is changed at {server}"))
            .because("OVHAI_LOCAL_ONLY allows changes on this machine only")
            .hint("unset OVHAI_LOCAL_ONLY, or choose a local region: --region REGION")
            .exit_code(DENIED));
    }
    context.note(format!("Target: {server}"));
    Ok(())
}

/// Whether nothing is to be changed anywhere but on this machine.
fn local_only(context: &Context) -> bool {
    context.var("OVHAI_LOCAL_ONLY").is_some_and(|value| value != "0")
}

impl Target {
    /// Finds the server and who calls it.
    pub(crate) async fn find(context: &mut Context) -> Result<Self> {
        let server = Server::find(context).await?;
        let token = context.token()?.map(str::to_owned);
        let bearer = login_bearer(context, &server, token.is_some()).await?;
        let is_owner = match &server {
            Server::Local(running, _) => {
                token.as_ref().or(bearer.as_ref()) == Some(&running.administrator)
            }
            Server::Remote { .. } => false,
        };
        let login = server.client(bearer, context)?;
        let client = match token {
            Some(token) => server.client(Some(token), context)?,
            None => login.clone(),
        };
        let address = match &server {
            Server::Local(running, _) => Some(reachable(running.address)),
            Server::Remote { .. } => None,
        };
        let region = server.region()?;
        let issuer = Issuer { server: server.key(), region: region.clone() };
        Ok(Self { client, login, region, issuer, address, server, is_owner })
    }

    /// The same, to change something: says where, unless that is this machine, and refuses it
    /// there if nothing but this machine may be changed.
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
            .because("it is an extension of the emulator")
            .hint("choose a local region: --region GRA, or ovhai config set GRA"))
    }

    /// The same for a request to an app, which may be elsewhere than the API.
    pub(crate) fn announce_change_of(&self, context: &mut Context, app_url: &str) -> Result<()> {
        self.announce_change(context)?;
        if self.server.is_loopback() && !is_loopback(app_url) {
            return announce(context, app_url);
        }
        Ok(())
    }

    /// The emulator of the own state directory, when its owner calls it.
    pub(crate) fn owned(&self) -> Option<&Running> {
        match &self.server {
            Server::Local(running, _) if self.is_owner => Some(running),
            _ => None,
        }
    }

    /// Refuses what the service does not have: `what` it is, and what to do `instead`.
    pub(crate) fn needs_emulator(&self, what: &str, instead: &str) -> Result<()> {
        if self.server.is_local() {
            return Ok(());
        }
        Err(Failure::new(format!("{} has no {what}", self.server.shown()))
            .because(format!("{what} is an extension of the emulator"))
            .hint(instead))
    }

    /// Calls the emulator itself, beside the service's API, as its owner or as the caller.
    pub(crate) fn control(&self, context: &Context) -> Result<Client> {
        let Server::Local(running, _) = &self.server else {
            return Err(Failure::new(format!(
                "{} can't be asked that: it is not the local emulator",
                self.server.shown()
            ))
            .hint("choose a local region: --region GRA, or ovhai config set GRA"));
        };
        let mut endpoint = endpoint(running);
        if let Some(token) = context.token()? {
            endpoint.bearer = Some(token.to_owned());
        }
        Ok(Client::new(endpoint)?.recorded_by(Arc::clone(&context.trace) as _))
    }
}

/// Calls the local emulator itself, whatever region or login is chosen: as its owner, or with the
/// token that stands on the command line. It is started when none runs.
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

/// The bearer of who is logged in: of the session, else of the local administrator. A caller with
/// a token of its own needs none.
async fn login_bearer(
    context: &Context,
    server: &Server,
    has_token: bool,
) -> Result<Option<String>> {
    // An embedded emulator has nobody but its administrator.
    if context.embedded.is_none() {
        let anonymous = || server.client(None, context);
        let sessions = Sessions::open(context)?;
        let bearer = sessions.bearer(&server.key(), anonymous, context.now).await;
        match bearer {
            Ok(Some(bearer)) => return Ok(Some(bearer)),
            Ok(None) => {}
            Err(_) if has_token => {}
            Err(failure) => return Err(failure),
        }
    }
    match server {
        Server::Local(running, _) => Ok(Some(running.administrator.clone())),
        Server::Remote { .. } if has_token => Ok(context.token()?.map(str::to_owned)),
        Server::Remote { name, .. } => {
            Err(Failure::new(format!("nobody is logged in at {}", server.shown()))
                .hint(format!(
                    "log in: ovhai login --region {name}; or give a token: --token TOKEN"
                ))
                .exit_code(DENIED))
        }
    }
}

/// How to call an emulator as its administrator. It is called by the one name that it answers to
/// wherever it listens.
pub(crate) fn endpoint(running: &Running) -> Endpoint {
    Endpoint {
        base: format!("http://localhost:{}", running.address.port()),
        bearer: Some(running.administrator.clone()),
        connect: Some(reachable(running.address)),
    }
}

/// The address of an emulator, for people.
pub(crate) fn root(running: &Running) -> String {
    format!("http://{}", reachable(running.address))
}

/// The same with TLS, where that is served.
pub(crate) fn secure_root(running: &Running) -> Option<String> {
    running.tls.map(|address| format!("https://{}", reachable(address)))
}

/// Where to connect to reach a listener.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        (std::net::Ipv4Addr::LOCALHOST, address.port()).into()
    } else {
        address
    }
}

/// The port of an emulator that is started: `OVHAI_PORT`, or the default.
pub(crate) fn port(context: &Context) -> Result<u16> {
    context.var("OVHAI_PORT").map_or(Ok(DEFAULT_PORT), |text| {
        text.parse().map_err(|_| Failure::usage(format!("OVHAI_PORT is {text:?}: use 0 to 65535")))
    })
}

async fn find_or_start(context: &mut Context) -> Result<Running> {
    let state = StateDir::new(readable_state_dir(context)?);
    if let Some(running) = state.running() {
        context.found.tell(&running);
        return Ok(running);
    }
    if state.is_locked() {
        // It has not told yet where it is, or what it told is gone.
        return match wait_for_other(&state).await {
            Some(running) => Ok(running),
            None if !state.is_locked() => Box::pin(find_or_start(context)).await,
            None => Err(Failure::new(format!(
                "an emulator holds {} but does not tell where it is",
                state.path().display()
            ))
            .because("emulator.json is missing or damaged")
            .hint("start it again: ovhai emulator stop, and the next command starts one")),
        };
    }
    if context.var("OVHAI_AUTOSTART") == Some("0") {
        return Err(Failure::new(format!("no emulator runs in {}", state.path().display()))
            .hint("start one: ovhai emulator start --detach; or let commands do so: unset OVHAI_AUTOSTART"));
    }
    let options = Options::of(&state)?.within(context);
    let running = start_in_background(context, &state, &options).await?;
    context.note(format!(
        "Started an emulator of AI Deploy in the background: {} (pid {}); stop it: ovhai emulator stop",
        root(&running),
        running.pid
    ));
    if !options.is_empty() {
        context.note(format!(
            "It has the options of the last emulator start: {} (for others: ovhai emulator stop, then ovhai emulator start --detach)",
            options.shown()
        ));
    }
    Ok(running)
}

/// Starts an emulator in the background with these options, and waits until it runs.
pub(crate) async fn start_in_background(
    context: &Context,
    state: &StateDir,
    options: &Options,
) -> Result<Running> {
    let program = context
        .executable
        .as_ref()
        .ok_or_else(|| Failure::new("this program does not know where it lies"))?;
    state.create().and_then(|()| rotate(state)).map_err(|error| {
        Failure::new(format!("{} can't be used", state.path().display()))
            .because(error)
            .hint("use another directory: --state-dir DIR or OVHAI_STATE_DIR")
    })?;
    let log = File::options().create(true).append(true).mode(0o600).open(state.log())?;
    let log_start = log.metadata()?.len();
    let mut command = tokio::process::Command::new(program);
    command
        .args(["emulator", "start", "--background"])
        .args(options.arguments())
        .arg("--state-dir")
        .arg(state.path())
        .current_dir(&context.directory)
        // Its environment, and so that of its apps, is the command's, but for the caller's secrets.
        .env_remove("OVHAI_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::from(log.try_clone()?))
        .stderr(Stdio::from(log));
    for name in &context.secret_variables {
        command.env_remove(name);
    }
    if !options.has("port") {
        command.args(["--port", &port(context)?.to_string()]);
    }
    let mut child = command.spawn()?;
    let deadline = tokio::time::Instant::now() + START_TIMEOUT;
    loop {
        if let Some(running) = state.running() {
            if child.id() != Some(running.pid) {
                // Another command was faster. Ours must not come up after that one has stopped.
                let _ = child.kill().await;
            }
            return Ok(running);
        }
        if let Some(status) = child.try_wait()? {
            // Another command may have been faster.
            if let Some(running) = wait_for_other(state).await {
                return Ok(running);
            }
            return Err(why_not(state, log_start, &status.to_string()));
        }
        if tokio::time::Instant::now() >= deadline {
            let _ = child.start_kill();
            return Err(Failure::new("the emulator does not start")
                .hint(format!("see why: {}", state.log().display())));
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// The emulator that somebody else is starting in the directory at this moment.
async fn wait_for_other(state: &StateDir) -> Option<Running> {
    for _ in 0..200 {
        if let Some(running) = state.running() {
            return Some(running);
        }
        if !state.is_locked() {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

fn rotate(state: &StateDir) -> std::io::Result<()> {
    match std::fs::metadata(state.log()) {
        Ok(log) if log.len() > LOG_MAX => {
            std::fs::rename(state.log(), state.log().with_extension("log.1"))
        }
        _ => Ok(()),
    }
}

/// What an emulator that did not start said last.
fn why_not(state: &StateDir, from: u64, status: &str) -> Failure {
    let mut said = String::new();
    if let Ok(mut log) = File::open(state.log()) {
        let _ = log.seek(SeekFrom::Start(from)).and_then(|_| log.read_to_string(&mut said));
    }
    let field = |name: &str| {
        said.lines()
            .rev()
            .find_map(|line| line.trim().strip_prefix(name).map(|text| text.trim().to_owned()))
    };
    let failure = Failure::new("the emulator can't start")
        .because(field("cause:").or_else(|| field("error:")).unwrap_or_else(|| status.to_owned()));
    failure.hint(field("hint:").unwrap_or_else(|| format!("see {}", state.log().display())))
}
