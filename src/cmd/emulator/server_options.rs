//! The options of an emulator that is started: by `emulator start`, and by `emulator exec`. Each has
//! a variable, which counts if the option is not given (`reference::environment`).

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use clap::Args;
use ovhai_api_types::{Placement, Region};
use ovhai_containers::ContainerSettings;
use ovhai_containers::credentials::CredentialFiles;
use ovhai_containers::engine::{EngineAddress, EngineSettings};
use ovhai_emulator::host::Domains;
use ovhai_emulator::input::PASSWORD_LENGTH;
use ovhai_emulator::state::Running;
use ovhai_emulator::{
    AccessLog, Builder, DEFAULT_REGIONS, DEFAULT_TLS_PORT, Emulator, Limits, Quotas,
};

use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::options::Options;
use crate::settings::{config_dir, port};

/// The options, as they are given.
#[derive(Debug, Args)]
pub(super) struct ServerOptions {
    #[arg(short, long, help = PORT_HELP)]
    port: Option<u16>,
    /// Also serve HTTPS, on port 4443 or this one; 0 lets the system choose. To trust its
    /// certificates: ovhai emulator ca install [env: OVHAI_TLS]
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = DEFAULT_TLS)]
    tls: Option<u16>,
    /// Address to listen on; any but a loopback address admits other machines [env: OVHAI_HOST]
    /// [default: 127.0.0.1]
    #[arg(long, value_name = "IP")]
    host: Option<IpAddr>,
    /// Further host name that the emulator answers under, such as the alias of a service container;
    /// may be repeated. Regions are at REGION.NAME, apps at ID.app.REGION.NAME, without HTTPS [env:
    /// OVHAI_DOMAINS, with commas between them]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    domain: Vec<String>,
    /// Regions, with commas between them; the first is the default [env: OVHAI_REGIONS] [default:
    /// GRA,BHS]
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    regions: Vec<String>,
    /// Default runtime of apps whose image is not built in: process or container [env:
    /// OVHAI_RUNTIME] [default: container]
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
    /// 30 times this. Kubernetes has 10s [env: OVHAI_RESTART_DELAY] [default: 500ms]
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    restart_delay: Option<Duration>,
    // Help, not documentation: the variable would need backticks.
    #[arg(long, help = ENGINE_HELP, value_name = "ENGINE")]
    engine: Option<String>,
    /// Label of every container, for tools of your own; may be repeated [env:
    /// OVHAI_CONTAINER_LABELS, with commas between them]
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', value_parser = container_label)]
    container_label: Vec<(String, String)>,
    /// Keep the containers of failed replicas, for a look with docker or podman: the newest 3 of an
    /// app, until it is deleted or an emulator starts without this option [env: OVHAI_KEEP_FAILED]
    // Takes a value, too: the saved options give it.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    keep_failed: Option<bool>,
    #[arg(long, help = FROM_APPS_HELP, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    from_apps: Option<bool>,
    #[arg(long, help = TOKEN_EXEC_HELP, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    token_exec: Option<bool>,
    /// Interrupt each app a week after its start, as the cloud may do; see ovhai emulator clock [env:
    /// OVHAI_WEEKLY_RESTARTS]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    weekly_restarts: Option<bool>,
}

const PORT_HELP: &str = "Port; 0 lets the system choose [env: OVHAI_PORT, but not of emulator exec] \
    [default: 4480; of emulator exec 0]";

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

/// A duration above zero; a number alone is seconds.
pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
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

fn from_str<T: std::str::FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|why: T::Err| why.to_string())
}

fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err("use 1 or 0".into()),
    }
}

/// The value of a variable, if it is set.
pub(super) fn variable<T>(
    context: &Context,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>> {
    let Some(text) = context.var(name) else { return Ok(None) };
    let wrong = |why: String| Failure::usage(format!("{name} is {text:?}")).hint(why);
    parse(text).map(Some).map_err(wrong)
}

/// Whether a switch is on, by its option or its variable.
pub(super) fn switch(context: &Context, given: Option<bool>, name: &str) -> Result<Option<bool>> {
    given.map_or_else(|| variable(context, name, boolean), |on| Ok(Some(on)))
}

impl ServerOptions {
    fn host(&self, context: &Context) -> Result<IpAddr> {
        let host = match self.host {
            Some(host) => Some(host),
            None => variable(context, "OVHAI_HOST", from_str)?,
        };
        Ok(host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)))
    }

    fn domains(&self, context: &Context) -> Result<Vec<String>> {
        let mut names = self.domain.clone();
        if names.is_empty()
            && let Some(given) = context.var("OVHAI_DOMAINS")
        {
            names = given.split(',').map(str::to_owned).collect();
        }
        Domains::new(&names).map_err(Failure::usage)?;
        Ok(names)
    }

    fn regions(&self, context: &Context) -> Result<Vec<String>> {
        let mut regions = self.regions.clone();
        if regions.is_empty()
            && let Some(names) = context.var("OVHAI_REGIONS")
        {
            regions = names.split(',').map(str::to_owned).collect();
        }
        if regions.is_empty() {
            return Ok(DEFAULT_REGIONS.map(str::to_owned).into());
        }
        for region in &regions {
            region.parse::<Region>().map_err(|error| Failure::usage(error.to_string()))?;
            let same = |other: &&String| other.eq_ignore_ascii_case(region);
            if regions.iter().filter(same).count() > 1 {
                return Err(Failure::usage(format!("the region {region} is given twice")));
            }
        }
        Ok(regions)
    }

    fn runtime(&self, context: &Context) -> Result<Option<Placement>> {
        match self.runtime {
            Some(runtime) => Ok(Some(runtime)),
            None => variable(context, "OVHAI_RUNTIME", from_str),
        }
    }

    fn quota(&self, context: &Context) -> Result<Option<Quotas>> {
        match self.quota {
            Some(quotas) => Ok(Some(quotas)),
            None => variable(context, "OVHAI_QUOTA", quotas),
        }
    }

    fn limits(&self, context: &Context) -> Result<Option<Limits>> {
        match (self.limit, context.var("OVHAI_LIMITS")) {
            (Some(limits), _) => Ok(Some(limits)),
            (None, Some(text)) => text.parse().map(Some).map_err(|why: String| {
                Failure::usage(format!("OVHAI_LIMITS is {text:?}"))
                    .because(why)
                    .hint("ovhai help limits")
            }),
            (None, None) => Ok(None),
        }
    }

    fn restart_delay(&self, context: &Context) -> Result<Option<Duration>> {
        match self.restart_delay {
            Some(delay) => Ok(Some(delay)),
            None => variable(context, "OVHAI_RESTART_DELAY", lifetime),
        }
    }

    /// The port for HTTPS, if requested.
    fn tls(&self, context: &Context) -> Result<Option<u16>> {
        match self.tls {
            Some(port) => Ok(Some(port)),
            None => variable(context, "OVHAI_TLS", |text| {
                text.parse().map_err(|_| "use a port, 0 to 65535".into())
            }),
        }
    }

    fn container_labels(&self, context: &Context) -> Result<Vec<(String, String)>> {
        if !self.container_label.is_empty() {
            return Ok(self.container_label.clone());
        }
        let labels = variable(context, "OVHAI_CONTAINER_LABELS", |text| {
            text.split(',').map(container_label).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(labels.unwrap_or_default())
    }

    fn keeps_failed(&self, context: &Context) -> Result<bool> {
        Ok(switch(context, self.keep_failed, "OVHAI_KEEP_FAILED")?.unwrap_or_default())
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
            keep_failed: self.keeps_failed(context)?,
            is_published: false,
            labels: self.container_labels(context)?,
        })
    }

    /// Whether containers may call other apps, if given.
    fn calls_from_apps(&self, context: &Context) -> Result<Option<bool>> {
        let allowed = switch(context, self.from_apps, "OVHAI_FROM_APPS")?;
        if allowed == Some(true) && !self.host(context)?.is_loopback() {
            return Err(Failure::usage("--from-apps and --host exclude each other")
                .because("at any other address than loopback, containers reach the API")
                .hint("leave out one of them"));
        }
        Ok(allowed)
    }

    fn token_exec(&self, context: &Context) -> Result<Option<bool>> {
        switch(context, self.token_exec, "OVHAI_TOKEN_EXEC")
    }

    fn weekly_restarts(&self, context: &Context) -> Result<Option<bool>> {
        switch(context, self.weekly_restarts, "OVHAI_WEEKLY_RESTARTS")
    }

    /// The access log, if given.
    fn access_log(&self, context: &Context) -> Result<Option<AccessLog>> {
        let log = match &self.access_log {
            Some(log) => Some(log.clone()),
            None => variable(context, "OVHAI_ACCESS_LOG", from_str)?,
        };
        Ok(log.map(|log| match log {
            AccessLog::Off => AccessLog::Off,
            AccessLog::Path(path) => AccessLog::Path(context.directory.join(path)),
        }))
    }

    /// Whether clients of other machines can connect.
    pub(super) fn is_open(&self, context: &Context) -> Result<bool> {
        Ok(!self.host(context)?.is_loopback())
    }

    /// The options of the command line or the environment, for the process in the background and
    /// for the next start.
    pub(super) fn options(&self, context: &Context) -> Result<Options> {
        let mut options = Options::default();
        if self.port.is_some() || context.var("OVHAI_PORT").is_some() {
            options.set("port", self.port.map_or_else(|| port(context), Ok)?);
        }
        if let Some(port) = self.tls(context)? {
            options.set("tls", port);
        }
        let host = self.host(context)?;
        if host != Ipv4Addr::LOCALHOST {
            options.set("host", host);
        }
        let domains = self.domains(context)?;
        if !domains.is_empty() {
            options.set("domain", domains.join(","));
        }
        let regions = self.regions(context)?;
        if regions != DEFAULT_REGIONS {
            options.set("regions", regions.join(","));
        }
        if let Some(runtime) = self.runtime(context)? {
            options.set("runtime", runtime);
        }
        if let Some(Quotas { cpu, gpu }) = self.quota(context)? {
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
        if let Some(limits) = self.limits(context)? {
            options.set("limit", limits);
        }
        if let Some(delay) = self.restart_delay(context)? {
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
        let labels = self.container_labels(context)?;
        if !labels.is_empty() {
            let labels = labels.iter().map(|(key, value)| format!("{key}={value}"));
            options.set("container-label", labels.collect::<Vec<_>>().join(","));
        }
        if self.keeps_failed(context)? {
            options.set("keep-failed", true);
        }
        if let Some(allowed) = self.calls_from_apps(context)? {
            options.set("from-apps", allowed);
        }
        for (name, on) in [
            ("token-exec", self.token_exec(context)?),
            ("weekly-restarts", self.weekly_restarts(context)?),
        ] {
            if let Some(on) = on {
                options.set(name, on);
            }
        }
        Ok(options)
    }

    /// An emulator with these options, which listens on the default port unless another is given.
    pub(super) fn builder(&self, context: &Context) -> Result<Builder> {
        let port = self.port.map_or_else(|| port(context), Ok)?;
        self.builder_at(context, port, self.tls(context)?)
    }

    /// An emulator with these options on ports that the system chooses, unless the command line
    /// names them: variables are for the one emulator that a user has.
    pub(super) fn builder_on_free_ports(&self, context: &Context) -> Result<Builder> {
        let tls = self.tls.or(self.tls(context)?.map(|_| 0));
        self.builder_at(context, self.port.unwrap_or(0), tls)
    }

    fn builder_at(&self, context: &Context, port: u16, tls: Option<u16>) -> Result<Builder> {
        let host = self.host(context)?;
        let mut builder = Emulator::builder()
            .address((host, port).into())
            .regions(self.regions(context)?)
            .domains(Domains::new(self.domains(context)?).map_err(Failure::usage)?)
            .quotas(self.quota(context)?.unwrap_or_default())
            .limits(self.limits(context)?.unwrap_or_default())
            .placement(self.runtime(context)?)
            .calls_from_apps(self.calls_from_apps(context)?.unwrap_or_default())
            .token_exec(self.token_exec(context)?.unwrap_or_default())
            .interrupts_weekly(self.weekly_restarts(context)?.unwrap_or_default())
            .private(config_dir(context))
            .containers(self.containers(context)?);
        if let Some(port) = tls {
            builder = builder.tls((host, port).into());
        }
        if let Some(user) = context.var("USER").or_else(|| context.var("LOGNAME")) {
            builder = builder.user(user);
        }
        if let Some(password) = context.var("OVHAI_PASSWORD") {
            if !PASSWORD_LENGTH.contains(&password.chars().count()) {
                let (shortest, longest) = (PASSWORD_LENGTH.start(), PASSWORD_LENGTH.end());
                return Err(Failure::usage("OVHAI_PASSWORD can't be a password")
                    .hint(format!("use {shortest} to {longest} characters")));
            }
            builder = builder.first_password(password);
        } else if !host.is_loopback() && context.var("OVHAI_CI").is_some_and(|ci| ci != "0") {
            return Err(Failure::usage("OVHAI_PASSWORD is missing")
                .because("OVHAI_CI is set, and the emulator listens beyond this machine")
                .hint("set it: clients log in with it at /oauth2/token, or with ovhai login"));
        }
        if let Some(log) = self.access_log(context)? {
            builder = builder.access_log(log);
        }
        if let Some(delay) = self.restart_delay(context)? {
            builder = builder.restart_delay(delay);
        }
        Ok(builder)
    }

    /// Whether the running emulator is known to have other options than requested.
    pub(super) fn differs_from(&self, context: &Context, running: &Running) -> Result<bool> {
        let is_other = |asked: Option<u16>, port: Option<u16>| {
            asked.is_some_and(|asked| port.is_none_or(|port| asked != 0 && asked != port))
        };
        let has_region = |name: &String| running.region(name).is_some();
        let log = self.access_log.as_ref().map(|_| self.access_log(context)).transpose()?.flatten();
        Ok(is_other(self.port, Some(running.address.port()))
            || is_other(self.tls, running.tls.map(|tls| tls.port()))
            || !self.regions.iter().all(has_region)
            || log.is_some_and(|log| match log {
                AccessLog::Off => running.access_log.is_some(),
                AccessLog::Path(path) => running.access_log.as_ref() != Some(&path),
            }))
    }
}
