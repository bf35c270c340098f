//! Which server a command talks to: the emulator of the state directory, started when none runs.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::time::Duration;

use ovhai_api_types::Region;
use ovhai_client::{Client, Endpoint};
use ovhai_emulator::DEFAULT_PORT;
use ovhai_emulator::state::{Running, StateDir};

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::settings::state_dir;

/// How long an emulator in the background has to start.
const START_TIMEOUT: Duration = Duration::from_secs(15);
/// A log larger than this begins anew.
const LOG_MAX: u64 = 10 * 1024 * 1024;

/// A server and a region of it.
#[derive(Debug)]
pub(crate) struct Target {
    /// Calls with the caller's credentials: its token, or else the login.
    pub(crate) client: Client,
    /// Calls with the login, also when a token is given.
    pub(crate) login: Client,
    /// The region.
    pub(crate) region: Region,
    /// Where apps are reached, whatever their host names resolve to.
    pub(crate) address: SocketAddr,
}

impl Target {
    /// Finds the server, and starts it when that is a local one that does not run.
    pub(crate) async fn find(context: &mut Context) -> Result<Self> {
        // Before anything is started for it.
        context.token()?;
        let running = match context.embedded.clone() {
            Some(running) => running,
            None => find_or_start(context).await?,
        };
        let region = match context.region()? {
            Some(region) if running.regions.contains(&region) => region,
            Some(region) => {
                let all: Vec<_> = running.regions.iter().map(Region::as_str).collect();
                return Err(Failure::not_found(format!("there is no region {region} here")).hint(
                    format!(
                        "the emulator has {}; to choose others: ovhai emulator start --regions …",
                        all.join(", ")
                    ),
                ));
            }
            None => running
                .regions
                .first()
                .cloned()
                .ok_or_else(|| Failure::new("the emulator has no region"))?,
        };
        let endpoint = |bearer: &str| {
            let Endpoint { base, connect, .. } = endpoint(&running);
            let base = format!("{base}/regions/{region}");
            Endpoint { base, bearer: bearer.to_owned(), connect }
        };
        let login = Client::new(endpoint(&running.administrator))?;
        let client = match context.token()? {
            Some(token) => Client::new(endpoint(token))?,
            None => login.clone(),
        };
        Ok(Self { client, login, region, address: reachable(running.address) })
    }
}

/// How to call an emulator as its administrator. It is called by the one name that it answers to
/// wherever it listens.
pub(crate) fn endpoint(running: &Running) -> Endpoint {
    Endpoint {
        base: format!("http://localhost:{}", running.address.port()),
        bearer: running.administrator.clone(),
        connect: Some(reachable(running.address)),
    }
}

/// The address of an emulator, for people.
pub(crate) fn root(running: &Running) -> String {
    format!("http://{}", reachable(running.address))
}

/// Where to connect to reach a listener.
fn reachable(address: SocketAddr) -> SocketAddr {
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
    let state = StateDir::new(state_dir(context)?);
    if let Some(running) = state.running() {
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
    let running = start_in_background(context, &state, &[]).await?;
    context.note(format!(
        "Started an emulator of AI Deploy in the background: {} (pid {}); stop it: ovhai emulator stop",
        root(&running),
        running.pid
    ));
    Ok(running)
}

/// Starts an emulator in the background with these further arguments, and waits until it runs.
pub(crate) async fn start_in_background(
    context: &Context,
    state: &StateDir,
    arguments: &[String],
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
        .args(arguments)
        .arg("--state-dir")
        .arg(state.path())
        .current_dir(&context.directory)
        // Its environment is the command's, but for the caller's secret.
        .env_remove("OVHAI_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::from(log.try_clone()?))
        .stderr(Stdio::from(log));
    if !arguments.iter().any(|argument| argument == "--port") {
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
