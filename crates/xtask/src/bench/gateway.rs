//! The gateway beside nginx as an allow-list proxy, with one and the same upstream process.

use std::fmt::{Display, Write as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Bench;
use super::http::{Connection, request};
use super::noise::{self, Tally};
use super::proc::{Processes, TICK_MS};
use super::process::{Guard, Scratch, free_port, output, shell};
use super::report::{Figure, Section, Target, Unit};
use super::stats::Samples;
use super::subject::{Emulator, start, state_directory};
use super::tools;
use super::wrk::{self, Bearers, Outcome, Wrk};

/// Tokens that open the app.
const TOKENS: usize = 1000;
/// Connections of the loads that ask for throughput.
const CONNECTIONS: u32 = 64;
/// What the upstream answers: 13 bytes.
const BODY: &str = "Hello, World!";
/// A load of this length comes before those that are measured.
const WARM_UP: Duration = Duration::from_secs(1);

/// Everything that runs.
struct Stage {
    emulator: Emulator,
    nginx: Guard,
    nginx_port: u16,
    upstream_port: u16,
    /// The app's host at the gateway; nginx and the upstream get the same header.
    host: String,
    token: String,
    /// Well-formed, but its signature is wrong.
    bad: String,
    /// One token a line.
    tokens: PathBuf,
    wrk: Wrk,
    upstream: Command,
    proxy: Command,
    /// Removed when all that writes there has ended: it is the last field.
    directories: (Scratch, Scratch),
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Ovhai,
    Nginx,
    Upstream,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
struct Load {
    name: &'static str,
    connections: u32,
    bearer: Bearer,
    doors: &'static [Door],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bearer {
    One,
    All,
    None,
    Bad,
}

const ONE: Load = Load {
    name: "64 connections, one token",
    connections: CONNECTIONS,
    bearer: Bearer::One,
    doors: &[Door::Ovhai, Door::Nginx, Door::Upstream],
};
const ALL: Load = Load {
    name: "64 connections, 1,000 tokens in turn",
    bearer: Bearer::All,
    doors: &[Door::Ovhai, Door::Nginx],
    ..ONE
};
const SINGLE: Load = Load { name: "1 connection, one token", connections: 1, ..ONE };
const ANONYMOUS: Load = Load { name: "64 connections, no token", bearer: Bearer::None, ..ALL };
const FORGED: Load = Load { name: "64 connections, bad signature", bearer: Bearer::Bad, ..ALL };

/// One load on one door.
struct Shot {
    outcome: Outcome,
    /// Seconds of CPU a request, of the proxy's processes and of the upstream's.
    proxy: f64,
    upstream: f64,
}

/// One load on each of its doors; in the order of [`Load::doors`].
type Round = Vec<Shot>;

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let mut stage = Stage::set_up(bench)?;
    stage.check()?;
    for door in ONE.doors {
        stage.shoot(ONE, *door, WARM_UP)?;
    }
    let mut tally = Tally::default();
    let mut loads = |load: Load| -> Result<Vec<Round>> {
        let measured = noise::rounds(bench.options.rounds, load.name, |number| {
            let count = load.doors.len();
            let mut shots: Vec<(usize, Shot)> = Vec::new();
            for turn in 0..count {
                // Each is first, second, third in its turn.
                let at = (number + turn) % count;
                shots.push((at, stage.shoot(load, load.doors[at], bench.options.load)?));
            }
            shots.sort_by_key(|(at, _)| *at);
            Ok(shots.into_iter().map(|(_, shot)| shot).collect::<Round>())
        })?;
        tally += measured.tally;
        Ok(measured.kept)
    };
    let one = loads(ONE)?;
    let all = loads(ALL)?;
    let single = loads(SINGLE)?;
    let anonymous = loads(ANONYMOUS)?;
    let forged = loads(FORGED)?;
    stage.nginx.check()?;

    let rate = |shot: &Shot| shot.outcome.per_second();
    let figures = vec![
        figure("requests/s, 64 connections, one token", Unit::PerSecond, ONE, &one, rate)
            .target(Target::RatioAtLeast(0.6)),
        figure(
            "requests/s, 64 connections, 1,000 tokens in turn",
            Unit::PerSecond,
            ALL,
            &all,
            rate,
        )
        .target(Target::RatioAtLeast(0.6)),
        figure("p99, 64 connections, one token", Unit::Time, ONE, &one, |s| s.outcome.p99 / 1e6),
        figure("median latency, 1 connection", Unit::Time, SINGLE, &single, |s| {
            s.outcome.p50 / 1e6
        }),
        figure("p99, 1 connection", Unit::Time, SINGLE, &single, |s| s.outcome.p99 / 1e6),
        // The upstream alone has no proxy.
        figure(
            "the proxy's CPU time a request, 64 connections",
            Unit::Time,
            Load { doors: ALL.doors, ..ONE },
            &one,
            |shot| shot.proxy,
        ),
        figure("the upstream's CPU time a request, 64 connections", Unit::Time, ONE, &one, |s| {
            s.upstream
        }),
        figure("refusals/s (401), no token", Unit::PerSecond, ANONYMOUS, &anonymous, rate),
        figure("refusals/s (401), bad signature", Unit::PerSecond, FORGED, &forged, rate),
    ];
    let section = Section {
        title: "Gateway",
        intro: format!(
            "Requests through the gateway with application tokens of the role read and the scope \
             `group=A`, of which there are 1,000, beside nginx with a `map $http_authorization` \
             of the same 1,000 strings; both pass on to the same process, which is the app \
             (`--runtime process`) and answers `{BODY}`. The upstream alone is the ceiling."
        ),
        figures,
        notes: notes(&one),
        how: stage.how(bench),
        tally,
    };
    stage.end()?;
    Ok(section)
}

fn figure(
    what: &'static str,
    unit: Unit,
    load: Load,
    rounds: &[Round],
    of: impl Fn(&Shot) -> f64,
) -> Figure {
    // Every round has a shot at every door.
    let at = |round: &Round, at: usize| round.get(at).map_or(f64::NAN, &of);
    let mut figure = Figure::new(what, unit, rounds, |round| at(round, 0));
    for (index, door) in load.doors.iter().enumerate().skip(1) {
        let name = if *door == Door::Nginx { "nginx" } else { "upstream alone" };
        figure = figure.beside(name, rounds, |round| at(round, index));
    }
    figure
}

fn notes(one: &[Round]) -> Vec<String> {
    let cores = |door: usize| {
        let busy = |round: &Round| {
            round.get(door).map_or(f64::NAN, |shot| shot.proxy * shot.outcome.per_second())
        };
        Samples::of(one, busy).median()
    };
    vec![
        format!(
            "The load generator, the proxy and the upstream share the machine's cores: at 64 \
             connections with one token `ovhai` got {:.2} of a core and nginx {:.2}.",
            cores(0),
            cores(1)
        ),
        "wrk is a closed loop: each connection sends its next request when it has the answer; \
         p99 has no waiting before that in it."
            .into(),
        "nginx looks up a string (and ignores its case); `ovhai` checks a signed token's region, \
         version and scope, and a new string's signature."
            .into(),
    ]
}

impl Stage {
    fn set_up(bench: &Bench) -> Result<Self> {
        let (state, directory) = state_directory()?;
        let scratch = Scratch::new()?;
        let nginx = tools::program("nginx")?;
        let upstream_port = free_port()?;
        let upstream_dir = scratch.join("upstream");
        let upstream = nginx_command(&nginx, &upstream_dir, &upstream_config(upstream_port))?;

        let emulator = Emulator::start(&bench.binary, &directory)?;
        let command: Vec<String> = std::iter::once(upstream.get_program())
            .chain(upstream.get_args())
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        let app = emulator.submit(&app_spec(&json!(command), &json!(upstream_port)))?;
        let tokens = make_tokens(&emulator)?;
        emulator.wait_for(&app, "RUNNING").context("the upstream does not run")?;
        let host = format!("{app}.app.gra.ai.localhost:{}", emulator.port);

        let nginx_port = free_port()?;
        let proxy_dir = scratch.join("proxy");
        let config = proxy_config(nginx_port, upstream_port, &tokens);
        let mut proxy = nginx_command(&nginx, &proxy_dir, &config)?;
        let path = scratch.join("tokens");
        fs::write(&path, tokens.join("\n"))?;
        let token = tokens.get(TOKENS / 2).context("no tokens")?.clone();
        let nginx = start(&mut proxy, nginx_port, "/ready", &scratch.join("proxy.log"))?.process;
        Ok(Self {
            emulator,
            nginx,
            nginx_port,
            upstream_port,
            host,
            bad: forge(&token)?,
            token,
            tokens: path,
            wrk: Wrk::new(&scratch)?,
            upstream,
            proxy,
            directories: (state, scratch),
        })
    }

    /// Every door must answer as it should before anything is measured.
    fn check(&self) -> Result<()> {
        let ask = |port: u16, bearer: Option<&str>| {
            Connection::open(port)?.exchange(&request("GET", "/", &self.host, bearer, None))
        };
        for (name, port) in [("ovhai", self.emulator.port), ("nginx", self.nginx_port)] {
            let allowed = ask(port, Some(&self.token))?;
            if allowed.status != 200 || allowed.body != BODY.as_bytes() {
                bail!("{name} answers {allowed:?} to a good token");
            }
            for (what, bearer) in [("no token", None), ("a bad token", Some(self.bad.as_str()))] {
                let refused = ask(port, bearer)?;
                if refused.status != 401 {
                    bail!("{name} answers {refused:?} to {what}");
                }
            }
        }
        let direct = ask(self.upstream_port, None)?;
        if direct.status != 200 || direct.body != BODY.as_bytes() {
            bail!("the upstream answers {direct:?}");
        }
        Ok(())
    }

    fn port(&self, door: Door) -> u16 {
        match door {
            Door::Ovhai => self.emulator.port,
            Door::Nginx => self.nginx_port,
            Door::Upstream => self.upstream_port,
        }
    }

    fn load_command(&self, load: Load, door: Door, time: Duration) -> Command {
        let bearers = match load.bearer {
            Bearer::One => Bearers::One(&self.token),
            Bearer::All => Bearers::All(&self.tokens),
            Bearer::None => Bearers::None,
            Bearer::Bad => Bearers::One(&self.bad),
        };
        self.wrk.command(load.connections, time, self.port(door), &self.host, bearers)
    }

    fn shoot(&self, load: Load, door: Door, time: Duration) -> Result<Shot> {
        let before = self.cpu(door)?;
        let outcome = wrk::run(&mut self.load_command(load, door, time))?;
        let after = self.cpu(door)?;
        outcome
            .check(matches!(load.bearer, Bearer::None | Bearer::Bad))
            .with_context(|| format!("{door:?}, {}", load.name))?;
        let each = |ticks: u64| ticks as f64 * TICK_MS / 1e3 / outcome.requests;
        let (proxy, upstream) = (each(after.0 - before.0), each(after.1 - before.1));
        Ok(Shot { outcome, proxy, upstream })
    }

    /// CPU time of the proxy and of the upstream so far, in ticks.
    fn cpu(&self, door: Door) -> Result<(u64, u64)> {
        let processes = Processes::now()?;
        // What descends from the emulator is the app, that is, the upstream.
        let mut upstream = processes.tree(self.emulator.pid());
        upstream.remove(&self.emulator.pid());
        let proxy = match door {
            Door::Ovhai => [self.emulator.pid()].into(),
            Door::Nginx => processes.tree(self.nginx.pid()),
            Door::Upstream => [].into(),
        };
        Ok((processes.own(&proxy), processes.own(&upstream)))
    }

    fn how(&self, bench: &Bench) -> Vec<String> {
        let directory = self.directories.1.path().to_string_lossy().into_owned();
        let address = |port: u16| format!("127.0.0.1:{port}");
        let addresses = [self.emulator.port, self.nginx_port, self.upstream_port].map(address);
        let [ovhai, nginx, upstream] = &addresses;
        let stand_ins = [
            (self.token.as_str(), "$TOKEN"),
            (&self.bad, "$FORGED"),
            (&self.host, "$APP_HOST"),
            (ovhai, "127.0.0.1:$OVHAI"),
            (nginx, "127.0.0.1:$NGINX"),
            (upstream, "127.0.0.1:$UPSTREAM"),
            (&directory, "$DIR"),
        ];
        let said = |command: &Command| format!("`{}`", shell(command, &stand_ins));
        let load = |load, door| said(&self.load_command(load, door, bench.options.load));
        let spec = app_spec(&json!(["nginx", "…"]), &json!("$UPSTREAM"));
        vec![
            "`ovhai emulator start --state-dir $STATE --port $OVHAI --quota unlimited`".into(),
            format!("Tokens: {TOKENS} times `POST /v1/token` `{}`", token_spec("$N")),
            format!(
                "The app: `POST /v1/app` `{spec}`, its command being {} with\n{}",
                said(&self.upstream),
                block(&upstream_config("$UPSTREAM"))
            ),
            format!(
                "nginx: {} with (one of {TOKENS} lines of the map shown)\n{}",
                said(&self.proxy),
                block(&proxy_config("$NGINX", "$UPSTREAM", &["$TOKEN".into()]))
            ),
            format!("Load: {}", load(ONE, Door::Ovhai)),
            format!("at nginx: {}", load(ONE, Door::Nginx)),
            format!("at the upstream: {}", load(ONE, Door::Upstream)),
            format!(
                "{TOKENS} tokens in turn: {}, whose script sends the next line of the file with \
                 every request",
                load(ALL, Door::Ovhai)
            ),
            format!("one connection: {}", load(SINGLE, Door::Ovhai)),
            format!("no token: {}", load(ANONYMOUS, Door::Ovhai)),
            format!(
                "bad signature (one character of a token's last part changed): {}",
                load(FORGED, Door::Ovhai)
            ),
            "`report.lua` prints wrk's counts, p50 and p99 unrounded. It was checked first that \
             each door gives the right status and body; a load with any other answer than the \
             expected one, or with a broken connection, ends the run."
                .into(),
            "CPU time a request: `utime` and `stime` of `/proc/<pid>/stat` of the proxy's \
             processes (nginx: master and workers) before and after the load, divided by its \
             requests; in the same way for the upstream's processes."
                .into(),
        ]
    }

    fn end(self) -> Result<()> {
        self.nginx.stop()?;
        self.emulator.stop()
    }
}

fn block(config: &str) -> String {
    let mut text = String::from("\n  ```nginx\n");
    for line in config.lines() {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str("  ```");
    text
}

fn app_spec(command: &Value, port: &Value) -> Value {
    json!({
        "name": "bench",
        "image": "bench",
        "runtime": "process",
        "command": command,
        "defaultHttpPort": port,
        "labels": { "group": "A" },
    })
}

fn token_spec(number: impl Display) -> String {
    json!({
        "name": format!("t{number}"),
        "role": "ai_training_read",
        "labelSelector": "group=A",
    })
    .to_string()
}

fn make_tokens(emulator: &Emulator) -> Result<Vec<String>> {
    let mut connection = Connection::open(emulator.port)?;
    (0..TOKENS)
        .map(|number| {
            let question = emulator.request("POST", "/v1/token", Some(&token_spec(number)));
            let answer = connection.exchange(&question)?.json()?;
            let value = answer.pointer("/status/value").and_then(Value::as_str);
            Ok(value.context("a new token has no value")?.to_owned())
        })
        .collect()
}

/// The same token with one character of its signature changed.
fn forge(token: &str) -> Result<String> {
    let (head, signature) = token.rsplit_once('.').context("a token is no JWT")?;
    let changed = if signature.starts_with('A') { 'B' } else { 'A' };
    let rest = signature.get(1..).context("a token has no signature")?;
    Ok(format!("{head}.{changed}{rest}"))
}

/// nginx in the foreground, with everything it writes in a directory of its own.
fn nginx_command(program: &Path, directory: &Path, config: &str) -> Result<Command> {
    fs::create_dir(directory)?;
    let file = directory.join("nginx.conf");
    fs::write(&file, config)?;
    let mut command = Command::new(program);
    command.arg("-p").arg(directory).arg("-e").arg("stderr").arg("-c").arg(&file);
    let mut check = Command::new(program);
    check.args(command.get_args()).arg("-t");
    output(&mut check).context("nginx does not take its configuration")?;
    Ok(command)
}

/// What both nginx have.
fn common(workers: &str, http: &str) -> String {
    format!(
        "daemon off;
pid nginx.pid;
worker_processes {workers};
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
{http}}}
"
    )
}

fn upstream_config(port: impl Display) -> String {
    common(
        "1",
        &format!(
            "    server {{
        listen 127.0.0.1:{port};
        default_type text/plain;
        location / {{ return 200 \"{BODY}\"; }}
    }}
"
        ),
    )
}

fn proxy_config(port: impl Display, upstream: impl Display, tokens: &[String]) -> String {
    let mut map = String::new();
    for token in tokens {
        let _ = writeln!(map, "        \"Bearer {token}\" 1;");
    }
    common(
        "auto",
        &format!(
            "    map_hash_bucket_size 2048;
    map_hash_max_size 8192;
    map $http_authorization $allowed {{
        default 0;
{map}    }}
    upstream app {{
        server 127.0.0.1:{upstream};
        keepalive 128;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port};
        location = /ready {{ return 200; }}
        location / {{
            if ($allowed = 0) {{ return 401; }}
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
    }}
"
        ),
    )
}
