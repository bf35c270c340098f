//! What a change costs while many WebSockets are open: a commit must not wake them.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::super::Bench;
use super::super::http::Connection;
use super::super::noise;
use super::super::proc::{self, Processes, TICK_MS};
use super::super::process::{Scratch, free_port};
use super::super::report::{Figure, Section, Target, Unit};
use super::super::subject::{Emulator, state_directory};
use super::sockets::Socket;
use super::stage::{app_spec, token_spec};

/// Idle WebSockets.
const SOCKETS: u32 = 5000;
/// Open files that the emulator needs for them, two for each; a bit more than half of its limit is
/// for clients.
const OPEN_FILES: u64 = 12_000;
/// Changes of a batch.
const CHANGES: u32 = 1000;
/// Batches for each round that the caller asks for: 10 for the published figures.
const BATCHES: usize = 2;
/// Time after which an emulator is idle.
const SETTLED: Duration = Duration::from_secs(1);

/// CPU time of a change, in seconds.
struct Round {
    with: f64,
    without: f64,
}

pub(in crate::bench) fn measure(bench: &Bench) -> Result<Section> {
    let open_files = proc::open_files();
    if open_files < OPEN_FILES {
        bail!(
            "{OPEN_FILES} open files are needed, {open_files} are allowed: ulimit -n {OPEN_FILES}"
        );
    }
    let (mut without, mut with) = (Side::set_up(bench)?, Side::set_up(bench)?);
    let mut sockets = (0..SOCKETS)
        .map(|number| Socket::open(with.emulator.port, &with.host, &with.token, number))
        .collect::<Result<Vec<_>>>()?;
    // Once unmeasured: the write-ahead log has its full length after that.
    without.batch()?;
    with.batch()?;
    std::thread::sleep(SETTLED);
    let name = "changes beside idle WebSockets";
    let measured = noise::rounds(bench.options.rounds * BATCHES, name, |number| {
        // The order changes from round to round.
        if number % 2 == 0 {
            let with = with.batch()?;
            Ok(Round { with, without: without.batch()? })
        } else {
            let without = without.batch()?;
            Ok(Round { with: with.batch()?, without })
        }
    })?;
    for (number, socket) in (0..).zip(&mut sockets) {
        socket.say(number)?;
    }
    drop(sockets);
    with.end()?;
    without.end()?;
    let rounds = &measured.kept;
    Ok(Section {
        title: "Changes while streams are open",
        intro: format!(
            "The emulator's CPU time for one change of an app while {SOCKETS} WebSockets to another app \
             are open and idle, compared with no WebSocket."
        ),
        figures: vec![
            Figure::new(
                "CPU time of a change, 5,000 idle WebSockets",
                Unit::Time,
                rounds,
                |round| round.with,
            )
            .beside("no WebSocket", rounds, |round| round.without)
            .target(Target::RatioAtMost(1.2)),
        ],
        notes: vec![
            "A change is durable before it is answered, so most of its CPU time is the store's. After \
             the changes every WebSocket echoes one more message."
                .into(),
        ],
        how: vec![
            "Two emulators, `ovhai emulator start --state-dir $STATE --port $PORT --quota \
             unlimited`, each with an app that answers WebSockets and a token of the role read \
             and the scope `group=A`, which opens them"
                .into(),
            format!(
                "A batch is {CHANGES} calls `PUT /v1/app/$ID/label` `{}` for another app, each with a new \
                 number, one after the other on one connection. Its figure is the growth of `utime` and \
                 `stime` (`/proc/<pid>/stat` of the emulator), divided by {CHANGES}. Batches of both \
                 emulators alternate, {BATCHES} per round.",
                label(&json!("$NUMBER"))
            ),
        ],
        tally: measured.tally,
    })
}

fn label(value: &Value) -> Value {
    json!({ "name": "number", "value": value })
}

/// An emulator with an app for sockets, and one that is changed.
struct Side {
    emulator: Emulator,
    host: String,
    token: String,
    changed: String,
    /// Changes so far.
    count: u32,
    _directory: Scratch,
}

impl Side {
    fn set_up(bench: &Bench) -> Result<Self> {
        let (scratch, directory) = state_directory()?;
        let emulator = Emulator::start(&bench.binary, &directory)?;
        let port = free_port()?;
        let upstream = std::env::current_exe()?.to_string_lossy().into_owned();
        let command = json!([upstream, "bench", "upstream", port.to_string()]);
        let sockets = emulator.submit(&app_spec(&command, &json!(port)))?;
        let spec = json!({ "name": "changed", "image": "infrastructureascode/hello-world" });
        let changed = emulator.submit(&spec)?;
        let token = emulator.call("POST", "/v1/token", Some(&token_spec("-sockets")))?;
        let Some(token) = token.pointer("/status/value").and_then(Value::as_str) else {
            bail!("a token has no value: {token}");
        };
        for app in [&sockets, &changed] {
            emulator.wait_for(app, "RUNNING")?;
        }
        let host = format!("{sockets}.app.gra.ai.localhost:{}", emulator.port);
        let token = token.to_owned();
        Ok(Self { emulator, host, token, changed, count: 0, _directory: scratch })
    }

    /// The CPU time of one of many changes, in seconds.
    fn batch(&mut self) -> Result<f64> {
        let mut connection = Connection::open(self.emulator.port)?;
        let path = format!("/v1/app/{}/label", self.changed);
        let used = || Ok::<_, anyhow::Error>(Processes::now()?.own(&[self.emulator.pid()].into()));
        let before = used()?;
        for number in self.count..self.count + CHANGES {
            let body = label(&json!(number.to_string())).to_string();
            let answer = connection.exchange(&self.emulator.request("PUT", &path, Some(&body)))?;
            if answer.status != 204 {
                bail!("a change is answered with {}", answer.status);
            }
        }
        let ticks = used()?.saturating_sub(before);
        self.count += CHANGES;
        Ok(ticks as f64 * TICK_MS / 1e3 / f64::from(CHANGES))
    }

    fn end(self) -> Result<()> {
        self.emulator.stop()
    }
}
