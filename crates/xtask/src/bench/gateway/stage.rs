//! Everything that runs: the emulator with its apps, nginx and HAProxy before the same two
//! upstreams, and the tokens that open all three.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::super::Bench;
use super::super::http::{Answer, Connection, request};
use super::super::proc::Processes;
use super::super::process::{Guard, Scratch, free_port, words};
use super::super::subject::{Emulator, start, state_directory};
use super::super::tools;
use super::config::{self, BODY, OWN, Ports};

/// Where the output of HAProxy goes.
const HAPROXY_LOG: &str = "haproxy.log";

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Ovhai,
    Nginx,
    Haproxy,
    Upstream,
}

impl Door {
    /// Those that accept only clients with a token.
    pub(super) const PROXIES: [Self; 3] = [Self::Ovhai, Self::Nginx, Self::Haproxy];
    pub(super) const ALL: [Self; 4] = [Self::Ovhai, Self::Nginx, Self::Haproxy, Self::Upstream];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ovhai => "ovhai",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Upstream => "upstream alone",
        }
    }
}

/// Whose answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum App {
    /// nginx with a small answer.
    Small,
    /// Our own upstream of streams and sockets.
    Large,
}

/// See the module.
pub(super) struct Stage {
    pub(super) emulator: Emulator,
    nginx: Guard,
    haproxy: Guard,
    nginx_port: u16,
    haproxy_port: u16,
    /// Of [`App::Small`] and [`App::Large`].
    upstream_ports: [u16; 2],
    /// The apps' hosts at the gateway; the others get the same header.
    hosts: [String; 2],
    pub(super) access_log: bool,
    /// One that opens the apps.
    pub(super) token: String,
    /// Well-formed, but its signature is wrong.
    pub(super) bad: String,
    /// One token a line.
    pub(super) tokens: PathBuf,
    /// The commands that were started: both upstreams, nginx, HAProxy.
    pub(super) commands: [Command; 4],
    /// Removed when all that writes there has ended: it is the last field.
    directories: (Scratch, Scratch),
}

impl Stage {
    /// With this many tokens that open everything.
    pub(super) fn set_up(bench: &Bench, tokens: usize) -> Result<Self> {
        let (state, directory) = state_directory()?;
        let scratch = Scratch::new()?;
        let access_log = bench.options.access_log;
        let nginx = tools::program("nginx")?;
        let upstream_ports = [free_port()?, free_port()?];
        let [small_port, large_port] = upstream_ports;
        let small = config::nginx_command(
            &nginx,
            &scratch.join("upstream"),
            &config::upstream(format_args!("127.0.0.1:{small_port}")),
        )?;
        let mut large = Command::new(std::env::current_exe()?);
        large.args(["bench", "upstream", &large_port.to_string()]);

        let arguments = config::ovhai_arguments(access_log);
        let emulator = Emulator::start_with(&bench.binary, &directory, arguments)?;
        let submit = |command: &Command, port: u16| {
            emulator.submit(&app_spec(&json!(words(command)), &json!(port)))
        };
        let apps = [submit(&small, small_port)?, submit(&large, large_port)?];
        let tokens = make_tokens(&emulator, tokens)?;
        for app in &apps {
            emulator.wait_for(app, "RUNNING").context("an upstream does not run")?;
        }
        let hosts = apps.map(|app| format!("{app}.app.gra.ai.localhost:{}", emulator.port));

        let path = scratch.join("tokens");
        fs::write(&path, tokens.join("\n"))?;
        let map = scratch.join("map");
        fs::write(&map, config::haproxy_map(&tokens))?;
        let ports = |own| Ports { own, small: small_port, large: large_port };
        let (nginx_port, haproxy_port) = (free_port()?, free_port()?);
        let text = config::nginx_proxy(ports(nginx_port), access_log, &tokens);
        let mut nginx_command = config::nginx_command(&nginx, &scratch.join("nginx"), &text)?;
        let text = config::haproxy_proxy(ports(haproxy_port), access_log, map.display());
        let program = tools::program("haproxy")?;
        let mut haproxy_command = config::haproxy_command(&program, scratch.path(), &text)?;
        let ready = |command: &mut Command, port, log: &str| {
            Ok::<_, anyhow::Error>(start(command, port, "/ready", &scratch.join(log))?.process)
        };
        let token = tokens.get(tokens.len() / 2).context("no tokens")?.clone();
        let all = Self {
            nginx: ready(&mut nginx_command, nginx_port, "nginx.log")?,
            haproxy: ready(&mut haproxy_command, haproxy_port, HAPROXY_LOG)?,
            emulator,
            nginx_port,
            haproxy_port,
            upstream_ports,
            hosts,
            access_log,
            bad: forge(&token)?,
            token,
            tokens: path,
            commands: [small, large, nginx_command, haproxy_command],
            directories: (state, scratch),
        };
        all.check()?;
        Ok(all)
    }

    /// Every door must answer as it should before anything is measured.
    fn check(&self) -> Result<()> {
        let large = format!("{OWN}bytes/5");
        for door in Door::PROXIES {
            let name = door.name();
            for (app, path, body) in [(App::Small, "/", BODY), (App::Large, &*large, "\0\0\0\0\0")]
            {
                let allowed = self.ask(door, app, path, Some(&self.token))?;
                if allowed.status != 200 || allowed.body != body.as_bytes() {
                    bail!("{name} answers {allowed:?} to a good token");
                }
                for bearer in [None, Some(self.bad.as_str())] {
                    let refused = self.ask(door, app, path, bearer)?;
                    if refused.status != 401 {
                        let what = bearer.map_or("no token", |_| "a bad token");
                        bail!("{name} answers {refused:?} to {what}");
                    }
                }
            }
        }
        let direct = self.ask(Door::Upstream, App::Small, "/", None)?;
        if direct.status != 200 || direct.body != BODY.as_bytes() {
            bail!("the upstream answers {direct:?}");
        }
        Ok(())
    }

    fn ask(&self, door: Door, app: App, path: &str, bearer: Option<&str>) -> Result<Answer> {
        let question = request("GET", path, self.host(app), bearer, None);
        Connection::open(self.port(door, app))?.exchange(&question)
    }

    pub(super) fn host(&self, app: App) -> &str {
        let [small, large] = &self.hosts;
        if app == App::Small { small } else { large }
    }

    pub(super) fn port(&self, door: Door, app: App) -> u16 {
        let [small, large] = self.upstream_ports;
        match (door, app) {
            (Door::Ovhai, _) => self.emulator.port,
            (Door::Nginx, _) => self.nginx_port,
            (Door::Haproxy, _) => self.haproxy_port,
            (Door::Upstream, App::Small) => small,
            (Door::Upstream, App::Large) => large,
        }
    }

    /// The processes of a proxy, without those of an upstream.
    pub(super) fn proxy(&self, processes: &Processes, door: Door) -> HashSet<u32> {
        match door {
            // What descends from the emulator are the apps, that is, the upstreams.
            Door::Ovhai => [self.emulator.pid()].into(),
            Door::Nginx => processes.tree(self.nginx.pid()),
            Door::Haproxy => processes.tree(self.haproxy.pid()),
            Door::Upstream => HashSet::new(),
        }
    }

    /// The processes of both upstreams.
    pub(super) fn upstreams(&self, processes: &Processes) -> HashSet<u32> {
        let mut tree = processes.tree(self.emulator.pid());
        tree.remove(&self.emulator.pid());
        tree
    }

    /// All that open the apps.
    pub(super) fn all_tokens(&self) -> Result<Vec<String>> {
        Ok(fs::read_to_string(&self.tokens)?.lines().map(str::to_owned).collect())
    }

    /// Makes the logs of nginx and HAProxy empty: a run would fill the disk.
    pub(super) fn empty_logs(&self) -> Result<()> {
        for log in [self.scratch().join("nginx/access.log"), self.scratch().join(HAPROXY_LOG)] {
            if log.exists() {
                File::options().write(true).open(log)?.set_len(0)?;
            }
        }
        Ok(())
    }

    pub(super) fn scratch(&self) -> &Scratch {
        &self.directories.1
    }

    /// Ends what runs; an error if something has ended before.
    pub(super) fn end(mut self) -> Result<()> {
        self.nginx.check()?;
        self.haproxy.check()?;
        self.haproxy.stop()?;
        self.nginx.stop()?;
        self.emulator.stop()
    }
}

pub(super) fn app_spec(command: &Value, port: &Value) -> Value {
    json!({
        "name": "bench",
        "image": "bench",
        "runtime": "process",
        "command": command,
        "defaultHttpPort": port,
        "labels": { "group": "A" },
    })
}

pub(super) fn token_spec(number: impl Display) -> String {
    json!({
        "name": format!("t{number}"),
        "role": "ai_training_read",
        "labelSelector": "group=A",
    })
    .to_string()
}

fn make_tokens(emulator: &Emulator, count: usize) -> Result<Vec<String>> {
    let mut connection = Connection::open(emulator.port)?;
    (0..count)
        .map(|number| {
            let question = emulator.request("POST", "/v1/token", Some(&token_spec(number)));
            let answer = connection.exchange(&question)?.json()?;
            let value = answer.pointer("/status/value").and_then(Value::as_str);
            Ok(value.context("a new token has no value")?.to_owned())
        })
        .collect()
}

/// The same token with one character of its signature changed, and not only its case: nginx's map
/// ignores that.
fn forge(token: &str) -> Result<String> {
    let (head, signature) = token.rsplit_once('.').context("a token is no JWT")?;
    let changed = if signature.starts_with(['A', 'a']) { 'B' } else { 'A' };
    let rest = signature.get(1..).context("a token has no signature")?;
    Ok(format!("{head}.{changed}{rest}"))
}
