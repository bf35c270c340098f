//! Small requests over many connections, as many as go through.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::super::Bench;
use super::super::noise::{self, Tally};
use super::super::proc::{Processes, TICK_MS};
use super::super::report::{Figure, Target, Unit};
use super::super::stats::Samples;
use super::super::wrk::{self, Bearers, Outcome, Wrk};
use super::stage::{App, Door, Stage};

/// Connections of every load.
const CONNECTIONS: u32 = 64;
/// Factor of rounds for loads of small requests, because response times vary most.
pub(super) const PASSED_TIMES: usize = 3;
/// A load of this length comes before those that are measured.
const WARM_UP: Duration = Duration::from_secs(1);

/// The load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    name: &'static str,
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

pub(super) const ONE: Load =
    Load { name: "64 connections, one token", bearer: Bearer::One, doors: &Door::ALL };
pub(super) const ALL: Load = Load {
    name: "64 connections, 1,000 tokens in turn",
    bearer: Bearer::All,
    doors: &Door::PROXIES,
};
pub(super) const ANONYMOUS: Load =
    Load { name: "64 connections, no token", bearer: Bearer::None, ..ALL };
pub(super) const FORGED: Load =
    Load { name: "64 connections, bad signature", bearer: Bearer::Bad, ..ALL };

/// One load on one door.
struct Shot {
    outcome: Outcome,
    /// Seconds of CPU a request, of the proxy's processes and of the upstreams'.
    proxy: f64,
    upstream: f64,
}

/// One load on each of its doors; in the order of [`Load::doors`].
type Round = Vec<Shot>;

/// The rounds of every load.
pub(super) struct Loads {
    one: Vec<Round>,
    all: Vec<Round>,
    anonymous: Vec<Round>,
    forged: Vec<Round>,
}

pub(super) fn measure(bench: &Bench, stage: &Stage, wrk: &Wrk, tally: &mut Tally) -> Result<Loads> {
    for door in ONE.doors {
        shoot(stage, wrk, ONE, *door, WARM_UP)?;
    }
    let mut rounds = |load: Load| -> Result<Vec<Round>> {
        let is_refused = matches!(load.bearer, Bearer::None | Bearer::Bad);
        let times = if is_refused { 1 } else { PASSED_TIMES };
        let measured = noise::rounds(bench.options.rounds * times, load.name, |number| {
            in_turn(load.doors, number, |door| shoot(stage, wrk, load, door, bench.options.load))
        })?;
        *tally += measured.tally;
        Ok(measured.kept)
    };
    Ok(Loads {
        one: rounds(ONE)?,
        all: rounds(ALL)?,
        anonymous: rounds(ANONYMOUS)?,
        forged: rounds(FORGED)?,
    })
}

/// Does something at every door; each is first, second, third in its turn. The outcomes are in the
/// order of the doors.
pub(super) fn in_turn<T>(
    doors: &[Door],
    round: usize,
    mut measure: impl FnMut(Door) -> Result<T>,
) -> Result<Vec<T>> {
    let mut outcomes = Vec::new();
    for turn in 0..doors.len() {
        let at = (round + turn) % doors.len();
        outcomes.push((at, measure(doors[at])?));
    }
    outcomes.sort_by_key(|(at, _)| *at);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// A figure of what was measured at these doors, the first of which is the subject.
pub(super) fn figure<T>(
    what: &'static str,
    unit: Unit,
    doors: &[Door],
    rounds: &[Vec<T>],
    of: impl Fn(&T) -> f64,
) -> Figure {
    // Every round has been at every door.
    let at = |round: &Vec<T>, at: usize| round.get(at).map_or(f64::NAN, &of);
    let mut figure = Figure::new(what, unit, rounds, |round| at(round, 0));
    for (index, door) in doors.iter().enumerate().skip(1) {
        figure = figure.beside(door.name(), rounds, |round| at(round, index));
    }
    figure
}

pub(super) fn command(stage: &Stage, wrk: &Wrk, load: Load, door: Door, time: Duration) -> Command {
    let bearers = match load.bearer {
        Bearer::One => Bearers::One(&stage.token),
        Bearer::All => Bearers::All(&stage.tokens),
        Bearer::None => Bearers::None,
        Bearer::Bad => Bearers::One(&stage.bad),
    };
    let port = stage.port(door, App::Small);
    wrk.command(1, CONNECTIONS, time, port, stage.host(App::Small), bearers)
}

fn shoot(stage: &Stage, wrk: &Wrk, load: Load, door: Door, time: Duration) -> Result<Shot> {
    // CPU time of the proxy and of the upstreams so far, in ticks.
    let cpu = || -> Result<(u64, u64)> {
        let now = Processes::now()?;
        Ok((now.own(&stage.proxy(&now, door)), now.own(&stage.upstreams(&now))))
    };
    stage.empty_logs()?;
    let before = cpu()?;
    let outcome = wrk::run(&mut command(stage, wrk, load, door, time))?;
    let after = cpu()?;
    outcome
        .check(matches!(load.bearer, Bearer::None | Bearer::Bad))
        .with_context(|| format!("{}, {}", door.name(), load.name))?;
    let each = |ticks: u64| ticks as f64 * TICK_MS / 1e3 / outcome.requests;
    let (proxy, upstream) = (each(after.0 - before.0), each(after.1 - before.1));
    Ok(Shot { outcome, proxy, upstream })
}

impl Loads {
    pub(super) fn figures(&self) -> Vec<Figure> {
        let rate = |shot: &Shot| shot.outcome.per_second();
        let p99 = |shot: &Shot| shot.outcome.p99 / 1e6;
        let of = |what, unit, load: Load, rounds: &[Round], of: fn(&Shot) -> f64| {
            figure(what, unit, load.doors, rounds, of)
        };
        let (per_second, time) = (Unit::PerSecond, Unit::Time);
        let (no_less, no_more) = (Target::RatioAtLeast(1.0), Target::RatioAtMost(1.0));
        vec![
            of("requests/s, 64 connections, one token", per_second, ONE, &self.one, rate)
                .target(no_less),
            of(
                "requests/s, 64 connections, 1,000 tokens in turn",
                per_second,
                ALL,
                &self.all,
                rate,
            )
            .target(no_less),
            of("p99, 64 connections, one token", time, ONE, &self.one, p99).target(no_more),
            of("p99, 64 connections, 1,000 tokens in turn", time, ALL, &self.all, p99)
                .target(no_more),
            // The upstream alone has no proxy.
            of(
                "proxy CPU time per request, 64 connections, one token",
                time,
                Load { doors: ALL.doors, ..ONE },
                &self.one,
                |shot| shot.proxy,
            )
            .target(Target::RatioAtMost(1.1)),
            of(
                "proxy CPU time per request, 64 connections, 1,000 tokens in turn",
                time,
                ALL,
                &self.all,
                |shot| shot.proxy,
            )
            .target(Target::RatioAtMost(1.1)),
            of("upstream CPU time per request, 64 connections", time, ONE, &self.one, |shot| {
                shot.upstream
            }),
            of("refusals/s (401), no token", per_second, ANONYMOUS, &self.anonymous, rate)
                .target(no_less),
            of("refusals/s (401), bad signature", per_second, FORGED, &self.forged, rate)
                .target(no_less),
        ]
    }

    /// How the machine was shared.
    pub(super) fn note(&self) -> String {
        let cores = |door: usize| {
            let busy = |round: &Round| {
                round.get(door).map_or(f64::NAN, |shot| shot.proxy * shot.outcome.per_second())
            };
            Samples::of(&self.one, busy).median()
        };
        format!(
            "Loads of accepted requests have {PASSED_TIMES} times as many rounds, because their figures vary \
             more. The load generator, the proxy and the upstream share the machine's cores: at 64 \
             connections with one token `ovhai` used {:.2} of a core, nginx {:.2} and HAProxy {:.2}.",
            cores(0),
            cores(1),
            cores(2)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_first_in_turn() -> Result<()> {
        for (round, first) in [(0, Door::Ovhai), (1, Door::Nginx), (2, Door::Haproxy)] {
            let mut order = Vec::new();
            let outcomes = in_turn(&Door::PROXIES, round, |door| {
                order.push(door);
                Ok(door)
            })?;
            assert_eq!((order[0], outcomes.as_slice()), (first, &Door::PROXIES[..]));
        }
        Ok(())
    }
}
