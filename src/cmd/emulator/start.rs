//! `ovhai emulator start`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use ovhai_api_types::{Placement, Region};
use ovhai_containers::ContainerSettings;
use ovhai_containers::credentials::CredentialFiles;
use ovhai_containers::engine::{EngineAddress, EngineSettings};
use ovhai_emulator::state::{Running, StateDir};
use ovhai_emulator::{
    AccessLog, Components, DEFAULT_REGIONS, DEFAULT_TLS_PORT, Emulator, Limits, Quotas, StopReason,
};
use ovhai_runtime::descriptors;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use super::rendezvous::Rendezvous;
use crate::calls::address::{root, secure_root};
use crate::calls::liveness;
use crate::context::{Context, interrupted};
use crate::error::{Failure, Result};
use crate::log_writer::{LossyLog, is_writable};
use crate::server::background;
use crate::server::options::Options;
use crate::settings::{config_dir, port};
use crate::settings::{readable_state_dir, state_dir};
use crate::term::text;

#[derive(Debug, Args)]
pub(super) struct Start {
    /// Run in the background
    #[arg(short, long)]
    detach: bool,
    /// Keep the state in memory only, and ignore the state directory. Prints how other terminals
    /// reach it; with --detach, as lines for eval on standard output
    #[arg(long)]
    ephemeral: bool,
    /// Port; 0 lets the system choose [env: OVHAI_PORT] [default: 4480]
    #[arg(short, long)]
    port: Option<u16>,
    /// Also serve HTTPS, on port 4443 or this one; 0 lets the system choose. To trust its
    /// certificates: ovhai emulator ca install [env: OVHAI_TLS]
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = DEFAULT_TLS)]
    tls: Option<u16>,
    /// Address to listen on; any but a loopback address admits other machines
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Regions, with commas between them; the first is the default
    #[arg(long, value_name = "REGION", value_delimiter = ',', default_values_t = DEFAULT_REGIONS.map(str::to_owned))]
    regions: Vec<String>,
    /// Default runtime of apps whose image is not built in: process or container [default:
    /// container]
    #[arg(long)]
    runtime: Option<Placement>,
    /// Quotas of each region, such as CPU=24,GPU=8, or unlimited [env: OVHAI_QUOTA] [default:
    /// CPU=12,GPU=4, as a project in the cloud]
    #[arg(long, value_name = "KIND=UNITS", value_parser = quotas)]
    quota: Option<Quotas>,
    /// File for one line of JSON per request, or off; without tokens and queries, at most 32 MiB
    /// [env: OVHAI_ACCESS_LOG] [default: access.log in the state directory; off with --ephemeral]
    #[arg(long, value_name = "FILE")]
    access_log: Option<AccessLog>,
    /// Limits of the gateway, such as headers=128KiB,body-time=5m; see ovhai help limits [env:
    /// OVHAI_LIMITS] [default: see the topic]
    #[arg(long, value_name = "NAME=VALUE")]
    limit: Option<Limits>,
    /// Delay before a replica that crashed twice starts again; doubles with every further crash, up to
    /// 30 times this. Kubernetes has 10s [default: 500ms]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    restart_delay: Option<Duration>,
    // Help, not documentation: the variable would need backticks.
    #[arg(long, help = ENGINE_HELP, value_name = "ENGINE")]
    engine: Option<String>,
    /// Label of every container, for tools of your own; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', value_parser = container_label)]
    container_label: Vec<(String, String)>,
    /// Keep the containers of failed replicas, for a look with docker or podman: the newest 3 of an
    /// app, until it is deleted or an emulator starts without this option
    // Takes a value, too: the saved options give it.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true)]
    keep_failed: bool,
    #[arg(long, help = FROM_APPS_HELP, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    from_apps: Option<bool>,
    /// Interrupt each app a week after its start, as the cloud may do; see emulator clock
    // Takes a value, too: the saved options give it.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true)]
    weekly_restarts: bool,
    #[arg(long, help = TOKEN_EXEC_HELP, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    token_exec: Option<bool>,
    /// Stop automatically after this time, such as 90s, 30m or 1h; not saved for the next start
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    stop_after: Option<Duration>,
    /// This is the process in the background.
    #[arg(long, hide = true, conflicts_with = "detach")]
    background: bool,
}

const ENGINE_HELP: &str = "Container engine: docker, podman, or an address such as \
    unix:///run/docker.sock [env: OVHAI_ENGINE] [default: see ovhai emulator engine --help]";

const FROM_APPS_HELP: &str = "Let containers call other apps through the gateway, with a token as any \
    client. The gateway's address is in OVHAI_GATEWAY there [env: OVHAI_FROM_APPS]";

const TOKEN_EXEC_HELP: &str = "Let operator tokens run commands in the containers of their apps, and copy \
    files: ovhai app exec, ovhai app cp [env: OVHAI_TOKEN_EXEC]";

const DEFAULT_TLS: &str = "4443";
const _: () = assert!(DEFAULT_TLS_PORT == 4443, "what help says is what holds");

fn container_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("use KEY=VALUE".into()),
    }
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let parsed = match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => text.parse::<jiff::SignedDuration>().ok().and_then(|time| time.try_into().ok()),
    };
    parsed.filter(|time| !time.is_zero()).ok_or_else(|| "use a time such as 90s, 30m or 1h".into())
}

fn quotas(text: &str) -> Result<Quotas, String> {
    const FORM: &str = "use CPU=24,GPU=8, one of the two, or unlimited";
    if text.eq_ignore_ascii_case("unlimited") {
        return Ok(Quotas::UNLIMITED);
    }
    text.split(',').try_fold(Quotas::default(), |mut quotas, part| {
        let (kind, units) = part.split_once('=').ok_or(FORM)?;
        let units = match units.trim() {
            "unlimited" => None,
            units => Some(units.parse().map_err(|_| FORM)?),
        };
        match kind.trim().to_ascii_uppercase().as_str() {
            "CPU" => quotas.cpu = units,
            "GPU" => quotas.gpu = units,
            _ => return Err(FORM.to_owned()),
        }
        Ok(quotas)
    })
}

impl Start {
    fn quotas(&self, context: &Context) -> Result<Quotas> {
        match (self.quota, context.var("OVHAI_QUOTA")) {
            (Some(quotas), _) => Ok(quotas),
            (None, Some(text)) => quotas(text)
                .map_err(|why| Failure::usage(format!("OVHAI_QUOTA is {text:?}")).hint(why)),
            (None, None) => Ok(Quotas::default()),
        }
    }

    fn limits(&self, context: &Context) -> Result<Limits> {
        match (self.limit, context.var("OVHAI_LIMITS")) {
            (Some(limits), _) => Ok(limits),
            (None, Some(text)) => text.parse().map_err(|why: String| {
                Failure::usage(format!("OVHAI_LIMITS is {text:?}"))
                    .because(why)
                    .hint("ovhai help limits")
            }),
            (None, None) => Ok(Limits::default()),
        }
    }

    /// The port for HTTPS, if requested.
    fn tls(&self, context: &Context) -> Result<Option<u16>> {
        match (self.tls, context.var("OVHAI_TLS")) {
            (Some(port), _) => Ok(Some(port)),
            (None, Some(text)) => text.parse().map(Some).map_err(|_| {
                Failure::usage(format!("OVHAI_TLS is {text:?}: use a port, 0 to 65535"))
            }),
            (None, None) => Ok(None),
        }
    }

    /// How containers are run, resolved from the command line and this environment.
    fn containers(&self, context: &Context) -> Result<ContainerSettings> {
        let given = self.engine.as_deref().or_else(|| context.var("OVHAI_ENGINE"));
        if let Some(address) = given.filter(|given| !["docker", "podman"].contains(given)) {
            EngineAddress::parse(address).map_err(|why| {
                Failure::usage(format!("{address:?} is no container engine"))
                    .because(why)
                    .hint("use docker, podman, or an address such as unix:///run/docker.sock")
            })?;
        }
        let read = |name: &str| context.var(name).map(str::to_owned);
        Ok(ContainerSettings {
            engine: EngineSettings::resolve(given, &read),
            credentials: CredentialFiles::resolve(&read),
            keep_failed: self.keep_failed,
            is_published: false,
            labels: self.container_label.clone(),
        })
    }

    /// Whether containers may call other apps.
    fn calls_from_apps(&self, context: &Context) -> Result<bool> {
        let allowed = match (self.from_apps, context.var("OVHAI_FROM_APPS")) {
            (Some(allowed), _) => allowed,
            (None, Some("1" | "true")) => true,
            (None, Some("0" | "false") | None) => false,
            (None, Some(text)) => {
                return Err(Failure::usage(format!("OVHAI_FROM_APPS is {text:?}: use 1 or 0")));
            }
        };
        if allowed && !self.host.is_loopback() {
            return Err(Failure::usage("--from-apps and --host exclude each other")
                .because("at any other address than loopback, containers reach the API")
                .hint("leave out one of them"));
        }
        Ok(allowed)
    }

    /// Whether operator tokens may run commands in apps.
    fn exec_by_tokens(&self, context: &Context) -> Result<bool> {
        match (self.token_exec, context.var("OVHAI_TOKEN_EXEC")) {
            (Some(allowed), _) => Ok(allowed),
            (None, Some("1" | "true")) => Ok(true),
            (None, Some("0" | "false") | None) => Ok(false),
            (None, Some(text)) => {
                Err(Failure::usage(format!("OVHAI_TOKEN_EXEC is {text:?}: use 1 or 0")))
            }
        }
    }

    /// The access log, if given.
    fn access_log(&self, context: &Context) -> Result<Option<AccessLog>> {
        let log = match (&self.access_log, context.var("OVHAI_ACCESS_LOG")) {
            (Some(log), _) => Some(log.clone()),
            (None, Some(text)) => Some(text.parse().map_err(|why: &str| {
                Failure::usage(format!("OVHAI_ACCESS_LOG is {text:?}")).hint(why)
            })?),
            (None, None) => None,
        };
        Ok(log.map(|log| match log {
            AccessLog::Off => AccessLog::Off,
            AccessLog::Path(path) => AccessLog::Path(context.directory.join(path)),
        }))
    }

    /// The options of the command line or the environment, for the process in the background and
    /// for the next start.
    fn options(&self, context: &Context) -> Result<Options> {
        let mut options = Options::default();
        if self.port.is_some() || context.var("OVHAI_PORT").is_some() {
            options.set("port", self.port.map_or_else(|| port(context), Ok)?);
        }
        if let Some(port) = self.tls(context)? {
            options.set("tls", port);
        }
        if self.host != Ipv4Addr::LOCALHOST {
            options.set("host", self.host);
        }
        if self.regions != DEFAULT_REGIONS {
            options.set("regions", self.regions.join(","));
        }
        if let Some(runtime) = self.runtime {
            options.set("runtime", runtime);
        }
        if self.quota.is_some() || context.var("OVHAI_QUOTA").is_some() {
            let Quotas { cpu, gpu } = self.quotas(context)?;
            let units = |units: Option<u32>| units.map_or("unlimited".into(), |n| n.to_string());
            options.set("quota", format!("CPU={},GPU={}", units(cpu), units(gpu)));
        }
        match self.access_log(context)? {
            Some(AccessLog::Off) => options.set("access-log", "off"),
            Some(AccessLog::Path(path)) => {
                let path = path.to_str().ok_or_else(|| {
                    Failure::usage("the access log's path is not UTF-8")
                        .hint("choose another: --access-log FILE")
                })?;
                options.set("access-log", path);
            }
            None => {}
        }
        if self.limit.is_some() || context.var("OVHAI_LIMITS").is_some() {
            options.set("limit", self.limits(context)?);
        }
        if let Some(delay) = self.restart_delay {
            options.set("restart-delay", format!("{}ms", delay.as_millis()));
        }
        // A later start may have another environment. Without a named engine it looks again. An engine
        // that can't be used, such as one at ssh://, fails apps that need it, and not the start.
        let given = self.engine.as_deref().or_else(|| context.var("OVHAI_ENGINE"));
        match (given, self.containers(context)?.engine.candidates.as_slice()) {
            (Some(given), _) => options.set("engine", given),
            (None, [named]) if EngineAddress::parse(&named.address).is_ok() => {
                options.set("engine", &named.address);
            }
            (None, _) => {}
        }
        if !self.container_label.is_empty() {
            let labels = self.container_label.iter().map(|(key, value)| format!("{key}={value}"));
            options.set("container-label", labels.collect::<Vec<_>>().join(","));
        }
        if self.keep_failed {
            options.set("keep-failed", true);
        }
        if self.weekly_restarts {
            options.set("weekly-restarts", true);
        }
        let allowed = self.calls_from_apps(context)?;
        if self.from_apps.is_some() || context.var("OVHAI_FROM_APPS").is_some() {
            options.set("from-apps", allowed);
        }
        let allowed = self.exec_by_tokens(context)?;
        if self.token_exec.is_some() || context.var("OVHAI_TOKEN_EXEC").is_some() {
            options.set("token-exec", allowed);
        }
        if let Some(time) = self.stop_after {
            options.set("stop-after", format!("{}ms", time.as_millis()));
        }
        Ok(options)
    }

    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        for region in &self.regions {
            region.parse::<Region>().map_err(|error| Failure::usage(error.to_string()))?;
            let same = |other: &&String| other.eq_ignore_ascii_case(region);
            if self.regions.iter().filter(same).count() > 1 {
                return Err(Failure::usage(format!("the region {region} is given twice")));
            }
        }
        if self.detach && self.ephemeral {
            return self.start_for_eval(context).await;
        }
        if self.detach {
            return self.start_detached(context).await;
        }
        let outcome = self.serve(context).await;
        if self.background
            && let Err(failure) = &outcome
        {
            background::say_failed(failure);
        }
        outcome
    }

    /// Runs the emulator until it stops.
    async fn serve(&self, context: &mut Context) -> Result<()> {
        if self.background {
            // Leaves the terminal's session, so that closing the terminal does not end it. Fails
            // only if it already leads a session.
            let _ = rustix::process::setsid();
        }
        let options = self.options(context)?;
        descriptors::keep_from_children();
        open_more();
        // All its files are private: the database contains the apps' environment.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let components = Arc::<Components>::default();
        start_logging(context, self.background, &components);
        let mut builder = Emulator::builder()
            .components(components)
            .address((self.host, self.port.map_or_else(|| port(context), Ok)?).into())
            .regions(self.regions.clone())
            .quotas(self.quotas(context)?)
            .limits(self.limits(context)?)
            .placement(self.runtime)
            .interrupts_weekly(self.weekly_restarts)
            .calls_from_apps(self.calls_from_apps(context)?)
            .private(config_dir(context))
            .containers(self.containers(context)?);
        if let Some(port) = self.tls(context)? {
            builder = builder.tls((self.host, port).into());
        }
        if let Some(user) = context.var("USER").or_else(|| context.var("LOGNAME")) {
            builder = builder.user(user);
        }
        if let Some(log) = self.access_log(context)? {
            builder = builder.access_log(log);
        }
        builder = builder.token_exec(self.exec_by_tokens(context)?);
        if let Some(delay) = self.restart_delay {
            builder = builder.restart_delay(delay);
        }
        if let Some(time) = self.stop_after {
            builder = builder.stop_after(time);
        }
        let mut rendezvous = None;
        if self.ephemeral {
            let directory = if self.background {
                Rendezvous::adopt(state_dir(context)?)?
            } else {
                Rendezvous::create(context)?
            };
            directory.sweep();
            builder = builder.processes(directory.state().processes());
            rendezvous = Some(directory);
        } else {
            builder = builder.state_dir(state_dir(context)?);
        }
        // Before other processes can find the emulator and signal it.
        let asked_to_end = interrupted();
        let emulator = builder.start().await?;
        tracing::info!(address = %emulator.address(), pid = std::process::id(), "the emulator runs");
        if let Some(rendezvous) = &mut rendezvous {
            rendezvous.announce(emulator.running())?;
        }
        if self.background {
            background::say_started();
        } else {
            // Blocking on a pipe that is not read would keep it from handling signals.
            if is_writable(&std::io::stderr(), Duration::ZERO) {
                self.greet(context, &emulator, rendezvous.as_ref());
            }
            if !self.ephemeral {
                let state = StateDir::new(state_dir(context)?);
                // Other commands may use the emulator already, so this is not fatal.
                if let Err(failure) = keep(context, &state, &options) {
                    tracing::warn!(
                        why = failure.brief(),
                        "the options of this start could not be saved"
                    );
                }
            }
        }
        let lost = async {
            match &rendezvous {
                Some(rendezvous) => rendezvous.lost().await,
                None => std::future::pending().await,
            }
        };
        let reason = tokio::select! {
            () = asked_to_end => StopReason::Asked,
            reason = emulator.stop_asked() => reason,
            () = lost => StopReason::StateDirectoryLost,
        };
        tracing::info!(?reason, "the emulator stops");
        emulator.shutdown().await;
        tracing::info!("the emulator has stopped");
        match reason {
            StopReason::Asked => Ok(()),
            StopReason::TimeIsUp => {
                context.note("The emulator has stopped, as --stop-after asked.");
                Ok(())
            }
            StopReason::StateDirectoryLost => {
                let directory = match &rendezvous {
                    Some(rendezvous) => rendezvous.path().to_owned(),
                    None => state_dir(context)?,
                };
                Err(Failure::new("the emulator has stopped")
                    .because(format!(
                        "its state directory {} was removed or replaced",
                        directory.display()
                    ))
                    .hint("start a new one: ovhai emulator start"))
            }
        }
    }

    fn greet(&self, context: &mut Context, emulator: &Emulator, shared: Option<&Rendezvous>) {
        let running = emulator.running();
        let regions: Vec<_> = running.regions.iter().map(Region::as_str).collect();
        context.note(format!(
            "An emulator of AI Deploy is running: {} (regions {}; press Ctrl-C to stop)",
            root(running),
            regions.join(", ")
        ));
        context.note(console_hint(running));
        if let Some(secure) = secure_root(running) {
            context
                .note(format!("HTTPS: {secure} (trust its certificates: {})", self.trust(running)));
        }
        if let Some(shared) = shared {
            let directory = text::quoted(&shared.path().to_string_lossy()).into_owned();
            context.note(format!(
                "Its state is in memory only. To use it from another terminal: export OVHAI_STATE_DIR={directory} OVHAI_AUTOSTART=0"
            ));
            context.note(format!(
                "Other programs find their bearer in {directory}/emulator.json, field administrator. The directory is removed when the emulator stops."
            ));
        }
        self.warn_of_others(context);
    }

    fn warn_of_others(&self, context: &mut Context) {
        if !self.host.is_loopback() {
            context.note("It listens beyond this machine: every client that can reach it and has a token has access. Requests for other host names are refused.");
        }
    }

    /// The hint about trusting its certificates.
    fn trust(&self, running: &Running) -> String {
        if self.ephemeral {
            format!("curl {}/_emulator/ca.pem", root(running))
        } else {
            "ovhai emulator ca install".into()
        }
    }

    /// Whether the running emulator is known to have other options than requested.
    fn differs_from(&self, context: &Context, running: &Running) -> Result<bool> {
        let is_other = |asked: Option<u16>, port: Option<u16>| {
            asked.is_some_and(|asked| port.is_none_or(|port| asked != 0 && asked != port))
        };
        let has_region = |name: &String| running.region(name).is_some();
        let log = self.access_log.as_ref().map(|_| self.access_log(context)).transpose()?.flatten();
        Ok(is_other(self.port, Some(running.address.port()))
            || is_other(self.tls, running.tls.map(|tls| tls.port()))
            || (self.regions != DEFAULT_REGIONS && !self.regions.iter().all(has_region))
            || log.is_some_and(|log| match log {
                AccessLog::Off => running.access_log.is_some(),
                AccessLog::Path(path) => running.access_log.as_ref() != Some(&path),
            }))
    }

    /// Starts an ephemeral emulator, and prints the lines that make a shell's commands use it.
    async fn start_for_eval(&self, context: &mut Context) -> Result<()> {
        let options = self.options(context)?;
        let rendezvous = Rendezvous::create(context)?;
        let running = background::start(context, rendezvous.state(), &options, true).await?;
        let state = rendezvous.hand_over();
        let directory = state.path().to_string_lossy();
        let lines = format!(
            "export OVHAI_STATE_DIR={}\nexport OVHAI_AUTOSTART=0",
            text::quoted(&directory)
        );
        let told = context.line(lines).and_then(|()| Ok(context.out.flush()?));
        if told.is_err() {
            // No command could find it.
            let _ = state.holder().map(|holder| holder.signal(Signal::TERM));
            return told;
        }
        context.note(format!(
            "An emulator of AI Deploy is running, with its state in memory only: {} (pid {}); stop it: ovhai emulator stop",
            root(&running),
            running.pid
        ));
        self.warn_of_others(context);
        Ok(())
    }

    async fn start_detached(&self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(readable_state_dir(context)?);
        if let Some(running) = state.running() {
            if liveness::ask(&running).is_err_and(|error| liveness::is_silence(&error)) {
                return Err(liveness::failure(running.pid));
            }
            context.note(format!(
                "An emulator is already running: {} (pid {})",
                root(&running),
                running.pid
            ));
            const STOP: &str = "stop it first: ovhai emulator stop";
            if self.differs_from(context, &running)? {
                return Err(
                    Failure::new("the running emulator was started with other options").hint(STOP)
                );
            }
            // The saved options of its start.
            let has = Options::of(&state).unwrap_or_default();
            if !self.options(context)?.is_within(&has) {
                context.note(format!(
                    "hint: it keeps the options that it was started with; to change them, {STOP}"
                ));
            }
            return Ok(());
        }
        let options = self.options(context)?;
        let running = background::start(context, &state, &options, false).await?;
        // Another command may have started another one first.
        if !self.differs_from(context, &running)? {
            keep(context, &state, &options)?;
        }
        context.line(format!(
            "An emulator of AI Deploy is running: {} (pid {})",
            root(&running),
            running.pid
        ))?;
        context.note(console_hint(&running));
        self.warn_of_others(context);
        if let Some(secure) = secure_root(&running) {
            context.line(format!(
                "HTTPS: {secure} (trust its certificates: {})",
                self.trust(&running)
            ))?;
        }
        Ok(())
    }
}

/// Where the console is.
fn console_hint(running: &Running) -> String {
    format!("Console: {}/ (open it without a password: ovhai emulator open)", root(running))
}

/// Saves the options of a start, and names the dropped ones.
fn keep(context: &mut Context, state: &StateDir, options: &Options) -> Result<()> {
    // A damaged file is replaced.
    let before = Options::of(state).unwrap_or_default();
    options.clone().keep(state)?;
    let gone = before.without(options);
    if !gone.is_empty() {
        context.note(format!(
            "hint: this start replaces the saved options, and drops {}",
            gone.shown()
        ));
    }
    Ok(())
}

/// A gateway needs two connections per client, and shells usually allow 1,024 open files by
/// default. Not raised to the maximum: old programs close every possible descriptor.
fn open_more() {
    const ENOUGH: u64 = 65_536;
    let now = getrlimit(Resource::Nofile);
    let wanted = now.maximum.map_or(ENOUGH, |most| most.min(ENOUGH));
    if now.current.is_some_and(|current| current < wanted) {
        // If this fails, the emulator admits fewer clients.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..now });
    }
}

/// Logs to stderr, which is a file in the background. `OVHAI_LOG` sets the level; by default the
/// foreground shows warnings only.
fn start_logging(context: &Context, background: bool, components: &Arc<Components>) {
    let default = if background { "info" } else { "warn" };
    let level = context.var("OVHAI_LOG").unwrap_or(default);
    let filter = level.parse::<Targets>().or_else(|_| default.parse()).unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(LossyLog::new(std::io::stderr(), Arc::clone(components)))
        .with_ansi(false)
        // Lost lines are counted; printing an error here would panic.
        .log_internal_errors(false);
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    // Already set if several emulators start in one process.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
