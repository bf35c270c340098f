//! Loads of other shapes: more client threads, fewer and more connections, a busy machine. A gateway
//! that is measured under one load gets tuned to it.

use std::process::Command;

use anyhow::{Context, Result};

use super::super::Bench;
use super::super::noise;
use super::super::proc::{Processes, TICK_MS};
use super::super::process::Guard;
use super::super::report::{Figure, Section, Target, Unit};
use super::super::stats::Samples;
use super::super::wrk::{self, Bearers, Outcome, Wrk};
use super::loads::in_turn;
use super::stage::{App, Door, Stage};

/// Tokens that open the apps; all are used in turn.
const TOKENS: usize = 1000;
/// The last is the control: nginx compared with itself.
const DOORS: [Door; 4] = [Door::Ovhai, Door::Nginx, Door::Haproxy, Door::Nginx];
const NGINX: usize = 1;
const HAPROXY: usize = 2;
const CONTROL: usize = 3;
/// Factor of rounds, because response times vary most.
const TIMES: usize = 2;
/// Whether the scheduler gives each session, not each process, a fair share of the CPU.
const AUTOGROUP: &str = "/proc/sys/kernel/sched_autogroup_enabled";

/// A load, and the names of its figures.
struct Shape {
    name: &'static str,
    threads: u32,
    connections: u32,
    /// Processes beside it that never wait.
    busy_loops: u32,
    rate: &'static str,
    p99: &'static str,
    cpu: &'static str,
}

/// `$name` is the load's name.
macro_rules! shape {
    ($name:literal, $threads:literal, $connections:literal, $busy_loops:literal) => {
        Shape {
            name: $name,
            threads: $threads,
            connections: $connections,
            busy_loops: $busy_loops,
            rate: concat!("requests/s, ", $name),
            p99: concat!("p99, ", $name),
            cpu: concat!("proxy CPU time per request, ", $name),
        }
    };
}

const SHAPES: [Shape; 5] = [
    shape!("1 client thread, 64 connections", 1, 64, 0),
    shape!("2 client threads, 64 connections", 2, 64, 0),
    shape!("2 client threads, 256 connections", 2, 256, 0),
    shape!("2 client threads, 8 connections", 2, 8, 0),
    shape!("2 client threads, 64 connections, 2 busy loops beside", 2, 64, 2),
];

/// One load on one door.
struct Shot {
    outcome: Outcome,
    /// Seconds of the proxy's CPU time per request.
    cpu: f64,
}

/// In the order of [`DOORS`].
type Round = Vec<Shot>;

pub(in crate::bench) fn measure(bench: &Bench) -> Result<Section> {
    let stage = Stage::set_up(bench, TOKENS)?;
    let wrk = Wrk::new(stage.scratch())?;
    let mut tally = noise::Tally::default();
    let mut figures = Vec::new();
    for shape in &SHAPES {
        let busy_loops = (0..shape.busy_loops)
            .map(|_| {
                // In a session of its own, as another user's program is.
                let mut command = Command::new("setsid");
                command.args(["sh", "-c", "while :; do :; done"]);
                Guard::spawn(&mut command, &stage.scratch().join("busy.log"))
            })
            .collect::<Result<Vec<Guard>>>()?;
        let rounds = noise::rounds(bench.options.rounds * TIMES, shape.name, |number| {
            in_turn(&DOORS, number, |door| shoot(bench, &stage, &wrk, shape, door))
        })?;
        drop(busy_loops);
        tally += rounds.tally;
        figures.extend(shape.figures(&rounds.kept));
    }
    let how = how(bench, &stage, &wrk);
    stage.end()?;
    Ok(Section {
        title: "Gateway under loads of several shapes",
        intro: "Requests with 1,000 tokens in turn, compared with nginx and HAProxy as in the section on the \
                gateway. nginx compared with itself is the control: a ratio that misses its target by \
                less than the control's error counts as level."
            .into(),
        figures,
        notes: vec![
            "Client, proxy and upstream share the machine's cores.".into(),
        ],
        how,
        tally,
    })
}

fn command(bench: &Bench, stage: &Stage, wrk: &Wrk, shape: &Shape, door: Door) -> Command {
    let (port, host) = (stage.port(door, App::Small), stage.host(App::Small));
    let bearers = Bearers::All(&stage.tokens);
    wrk.command(shape.threads, shape.connections, bench.options.load, port, host, bearers)
}

fn shoot(bench: &Bench, stage: &Stage, wrk: &Wrk, shape: &Shape, door: Door) -> Result<Shot> {
    let ticks = || -> Result<u64> {
        let now = Processes::now()?;
        Ok(now.own(&stage.proxy(&now, door)))
    };
    stage.empty_logs()?;
    let before = ticks()?;
    let outcome = wrk::run(&mut command(bench, stage, wrk, shape, door))?;
    let used = ticks()?.saturating_sub(before);
    outcome.check(false).with_context(|| format!("{}, {}", door.name(), shape.name))?;
    let cpu = used as f64 * TICK_MS / 1e3 / outcome.requests;
    Ok(Shot { outcome, cpu })
}

impl Shape {
    fn figures(&self, rounds: &[Round]) -> [Figure; 3] {
        let of = |what, unit, of: fn(&Shot) -> f64| {
            let at = |door: usize| move |round: &Round| round.get(door).map_or(f64::NAN, of);
            let control = Samples::of(rounds, at(CONTROL)).over(&Samples::of(rounds, at(NGINX)));
            Figure::new(what, unit, rounds, at(0))
                .beside(DOORS[NGINX].name(), rounds, at(NGINX))
                .beside(DOORS[HAPROXY].name(), rounds, at(HAPROXY))
                .resolution(&control)
        };
        [
            of(self.rate, Unit::PerSecond, |shot| shot.outcome.per_second())
                .target(Target::RatioAtLeast(0.97)),
            of(self.p99, Unit::Time, |shot| shot.outcome.p99 / 1e6)
                .target(Target::RatioAtMost(1.1)),
            of(self.cpu, Unit::Time, |shot| shot.cpu).target(Target::RatioAtMost(1.0)),
        ]
    }
}

fn how(bench: &Bench, stage: &Stage, wrk: &Wrk) -> Vec<String> {
    let command = command(bench, stage, wrk, &SHAPES[1], Door::Ovhai);
    let directory = stage.scratch().path().to_string_lossy().into_owned();
    let address = format!("127.0.0.1:{}", stage.port(Door::Ovhai, App::Small));
    let stand_ins = [
        (stage.host(App::Small), "$APP_HOST"),
        (&address, "127.0.0.1:$OVHAI"),
        (&directory, "$DIR"),
    ];
    let autogroup = std::fs::read_to_string(AUTOGROUP).unwrap_or_else(|_| "unknown".into());
    vec![
        format!("Load: `{}`", super::super::process::shell(&command, &stand_ins)),
        "Busy loop: `setsid sh -c 'while :; do :; done'`.".into(),
        format!(
            "`kernel.sched_autogroup_enabled` was {}: with 1 the scheduler shares the CPU between \
             sessions, with 0 between threads.",
            autogroup.trim()
        ),
    ]
}
