//! Requests through the gateway to a container, compared with the same program as a local process.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::super::Bench;
use super::super::gateway::config::{self, BODY};
use super::super::http::{Connection, request};
use super::super::noise::{self, Tally};
use super::super::process::{Scratch, free_port, shell, words};
use super::super::report::{Figure, Target, Unit};
use super::super::stats::Samples;
use super::super::subject::{Emulator, state_directory};
use super::super::tools;
use super::super::wrk::{self, Bearers, Wrk};
use super::engine::Engine;
use super::image::{NGINX, PORT};

/// Threads and connections of the client.
const LOADS: [(u32, u32); 3] = [(1, 64), (2, 64), (2, 8)];
/// A load of this length comes before those that are measured.
const WARM_UP: Duration = Duration::from_secs(1);

/// Requests per second, each twice: A B B A.
struct Round {
    container: [f64; 2],
    process: [f64; 2],
}

fn mean(of: [f64; 2]) -> f64 {
    f64::midpoint(of[0], of[1])
}

struct Stage {
    emulator: Emulator,
    token: String,
    /// Hosts at the gateway.
    container: String,
    process: String,
    wrk: Wrk,
    directories: (Scratch, Scratch),
}

pub(super) struct Loads {
    pub(super) figures: Vec<Figure>,
    pub(super) note: String,
    pub(super) how: String,
}

pub(super) fn measure(bench: &Bench, engine: &Engine, tally: &mut Tally) -> Result<Loads> {
    let stage = Stage::set_up(bench, engine)?;
    let name = engine.name();
    let mut loads = Loads { figures: Vec::new(), note: String::new(), how: stage.how(bench) };
    let mut ratios = Vec::new();
    for (threads, connections) in LOADS {
        let shoot = |host: &str, time| stage.shoot(threads, connections, host, time);
        shoot(&stage.process, WARM_UP)?;
        shoot(&stage.container, WARM_UP)?;
        let load = format!(
            "{threads} client thread{}, {connections} connections",
            if threads == 1 { "" } else { "s" }
        );
        let measured = noise::rounds(bench.options.rounds, &format!("{name}, {load}"), |number| {
            let time = bench.options.load;
            let (process, container) = (&*stage.process, &*stage.container);
            // What drifts during a round meets both alike.
            Ok(if number % 2 == 0 {
                let first = shoot(process, time)?;
                let container = [shoot(container, time)?, shoot(container, time)?];
                Round { container, process: [first, shoot(process, time)?] }
            } else {
                let first = shoot(container, time)?;
                let process = [shoot(process, time)?, shoot(process, time)?];
                Round { container: [first, shoot(container, time)?], process }
            })
        })?;
        *tally += measured.tally;
        let rounds = &measured.kept;
        let container = Samples::of(rounds, |round| mean(round.container));
        let ratio = container.over(&Samples::of(rounds, |round| mean(round.process)));
        let control = Samples::of(rounds, |round| round.process[0])
            .over(&Samples::of(rounds, |round| round.process[1]));
        ratios.push(format!(
            "{threads}:{connections} {:.3} ({:.3}–{:.3}; a process compared with itself {:.3}–{:.3})",
            ratio.median(),
            ratio.min(),
            ratio.max(),
            control.min(),
            control.max()
        ));
        let figure = Figure::new(
            format!("{name}: requests/s to a container, {load}"),
            Unit::PerSecond,
            rounds,
            |round| mean(round.container),
        );
        loads.figures.push(
            figure
                .beside("the same as a process", rounds, |round| mean(round.process))
                .resolution(&control)
                .target(Target::RatioAtLeast(0.9)),
        );
    }
    loads.note = format!(
        "{name}: ratios of the rounds, by client threads and connections, median (lowest–highest): {}.",
        ratios.join(", ")
    );
    stage.emulator.stop()?;
    engine.wait_for_removal()?;
    Ok(loads)
}

impl Stage {
    fn set_up(bench: &Bench, engine: &Engine) -> Result<Self> {
        let (state_guard, directory) = state_directory()?;
        let scratch = Scratch::new()?;
        let more = ["--engine", &engine.address];
        let emulator = Emulator::start_with(&bench.binary, &directory, &more)?;
        let port = free_port()?;
        let text = config::upstream(format_args!("127.0.0.1:{port}"));
        let nginx = tools::program("nginx")?;
        let nginx = config::nginx_command(&nginx, &scratch.join("process"), &text)?;
        // As much of the machine as a process has.
        let cores = std::thread::available_parallelism()?.get();
        let container = emulator.submit(&json!({
            "name": "container",
            "image": NGINX,
            "defaultHttpPort": PORT,
            "labels": { "group": "A" },
            "resources": { "cpu": cores },
        }))?;
        let process = emulator.submit(&json!({
            "name": "process",
            "image": "bench",
            "runtime": "process",
            "command": words(&nginx),
            "defaultHttpPort": port,
            "labels": { "group": "A" },
        }))?;
        for app in [&container, &process] {
            emulator.wait_for(app, "RUNNING")?;
        }
        let stage = Self {
            token: emulator.new_token()?,
            container: emulator.host(&container),
            process: emulator.host(&process),
            emulator,
            wrk: Wrk::new(&scratch)?,
            directories: (state_guard, scratch),
        };
        for host in [&stage.container, &stage.process] {
            let question = request("GET", "/", host, Some(&stage.token), None);
            let answer = Connection::open(stage.emulator.port)?.exchange(&question)?;
            if answer.status != 200 || answer.body != BODY.as_bytes() {
                bail!("not the answer that was expected: {answer:?}");
            }
        }
        Ok(stage)
    }

    fn command(&self, load: (u32, u32), host: &str, time: Duration) -> std::process::Command {
        let bearers = Bearers::One(&self.token);
        self.wrk.command(load.0, load.1, time, self.emulator.port, host, bearers)
    }

    fn shoot(&self, threads: u32, connections: u32, host: &str, time: Duration) -> Result<f64> {
        let outcome = wrk::run(&mut self.command((threads, connections), host, time))?;
        outcome.check(false).with_context(|| format!("{threads}:{connections} at {host}"))?;
        Ok(outcome.per_second())
    }

    fn how(&self, bench: &Bench) -> String {
        let directory = self.directories.1.path().display().to_string();
        let address = format!("127.0.0.1:{}", self.emulator.port);
        let stand_ins = [
            (self.token.as_str(), "$TOKEN"),
            (self.container.as_str(), "$APP_HOST"),
            (address.as_str(), "127.0.0.1:$PORT"),
            (directory.as_str(), "$DIR"),
        ];
        let command = self.command(LOADS[1], &self.container, bench.options.load);
        format!("Load: `{}`", shell(&command, &stand_ins))
    }
}
