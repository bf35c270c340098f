//! One connection: one request after the other, at each proxy in short turns.
//!
//! Most of such a request's time is spent waking one process after the other, and the load of the
//! machine and its host changes within seconds. Loads of several seconds at one proxy and then at the
//! next compare two moments: nginx compared with itself had p99 ratios of 0.7 to 1.2, as medians of 40
//! to 60 such loads. In turns of a fifth of a second all proxies meet the same moments. nginx is loaded
//! twice, which shows how far apart equal subjects come out.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::super::Bench;
use super::super::http::{Connection, request};
use super::super::noise::{self, Tally};
use super::super::proc::{Processes, TICK_MS};
use super::super::report::{Figure, Target, Unit};
use super::super::stats::{Samples, quantile};
use super::config::BODY;
use super::loads::PASSED_TIMES;
use super::stage::{App, Door, Stage};

/// Length of one turn at a door.
const TURN: Duration = Duration::from_millis(200);

/// Who is asked; the last is the control, and no figure of its own.
const DOORS: [Door; 5] = [Door::Ovhai, Door::Nginx, Door::Haproxy, Door::Upstream, Door::Nginx];
const NGINX: usize = 1;
const CONTROL: usize = 4;

/// What came of all turns of one round at one door.
#[derive(Debug, Default)]
struct Shot {
    /// Seconds to each answer.
    times: Vec<f64>,
    seconds: f64,
    /// CPU time of the proxy, in ticks.
    ticks: u64,
}

impl Shot {
    fn rate(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }

    fn p50(&self) -> f64 {
        quantile(&self.times, 0.5)
    }

    fn p99(&self) -> f64 {
        quantile(&self.times, 0.99)
    }

    fn cpu(&self) -> f64 {
        self.ticks as f64 * TICK_MS / 1e3 / self.times.len() as f64
    }
}

/// In the order of [`DOORS`].
type Round = [Shot; DOORS.len()];

/// The rounds, with one token and with all of them in turn.
pub(super) struct Singles {
    one: Vec<Round>,
    all: Vec<Round>,
}

pub(super) fn measure(bench: &Bench, stage: &Stage, tally: &mut Tally) -> Result<Singles> {
    let host = stage.host(App::Small);
    let question = |token: &str| request("GET", "/", host, Some(token), None);
    let all: Vec<_> = stage.all_tokens()?.iter().map(|token| question(token)).collect();
    let one = [question(&stage.token)];
    let mut rounds = |name, questions: &[Vec<u8>]| -> Result<Vec<Round>> {
        let wanted = bench.options.rounds * PASSED_TIMES;
        let measured =
            noise::rounds(wanted, name, |_| round(stage, questions, bench.options.load))?;
        *tally += measured.tally;
        Ok(measured.kept)
    };
    Ok(Singles {
        one: rounds("1 connection, one token", &one)?,
        all: rounds("1 connection, 1,000 tokens in turn", &all)?,
    })
}

/// Every door has `time` in all.
fn round(stage: &Stage, questions: &[Vec<u8>], time: Duration) -> Result<Round> {
    let mut round = Round::default();
    let cycles = (time.as_secs_f64() / TURN.as_secs_f64()).ceil() as usize;
    for cycle in 0..cycles {
        stage.empty_logs()?;
        for at in order(DOORS.len(), cycle) {
            turn(stage, questions, DOORS[at], &mut round[at])
                .with_context(|| format!("{}, 1 connection", DOORS[at].name()))?;
        }
    }
    Ok(round)
}

/// A new connection each time: which of a proxy's workers has it, and where, is up to chance.
fn turn(stage: &Stage, questions: &[Vec<u8>], door: Door, shot: &mut Shot) -> Result<()> {
    let cpu = || -> Result<u64> {
        let now = Processes::now()?;
        Ok(now.own(&stage.proxy(&now, door)))
    };
    let mut connection = Connection::open(stage.port(door, App::Small))?;
    let before = cpu()?;
    let begin = Instant::now();
    let mut now = begin;
    while now - begin < TURN {
        let question = questions.get(shot.times.len() % questions.len()).context("no tokens")?;
        let answer = connection.exchange(question)?;
        let then = now;
        now = Instant::now();
        if answer.status != 200 || answer.body != BODY.as_bytes() {
            bail!("not the answer that was expected: {answer:?}");
        }
        shot.times.push((now - then).as_secs_f64());
    }
    shot.seconds += (now - begin).as_secs_f64();
    shot.ticks += cpu()? - before;
    Ok(())
}

/// Whose turn it is, one after the other: within `count` cycles (twice as many if `count` is odd)
/// each comes as often directly after any other (a Williams design). What one does to the next,
/// such as a log that is still being written, is so shared by all.
fn order(count: usize, cycle: usize) -> impl Iterator<Item = usize> {
    let mirrored = count % 2 == 1 && (cycle / count) % 2 == 1;
    (0..count).map(move |place| {
        let place = if mirrored { count - 1 - place } else { place };
        // 0, 1, n - 1, 2, n - 2, …
        let first = if place % 2 == 1 { place.div_ceil(2) } else { count - place / 2 };
        (first + cycle) % count
    })
}

/// nginx compared with itself.
fn control(rounds: &[Round], of: fn(&Shot) -> f64) -> Samples {
    let at = |door: usize| Samples::of(rounds, |round| of(&round[door]));
    at(CONTROL).over(&at(NGINX))
}

impl Singles {
    pub(super) fn figures(&self) -> Vec<Figure> {
        let of = |what, unit, rounds: &[Round], peers: &[usize], of: fn(&Shot) -> f64| {
            let mut figure = Figure::new(what, unit, rounds, |round| of(&round[0]));
            for at in peers {
                figure = figure.beside(DOORS[*at].name(), rounds, |round| of(&round[*at]));
            }
            figure.resolution(&control(rounds, of))
        };
        let (all, proxies) = (&[1, 2, 3], &[1, 2]);
        let (per_second, time) = (Unit::PerSecond, Unit::Time);
        let (no_less, no_more) = (Target::RatioAtLeast(1.0), Target::RatioAtMost(1.0));
        vec![
            of("requests/s, 1 connection, one token", per_second, &self.one, all, Shot::rate)
                .target(no_less),
            of(
                "requests/s, 1 connection, 1,000 tokens in turn",
                per_second,
                &self.all,
                all,
                Shot::rate,
            )
            .target(no_less),
            of("median latency, 1 connection, one token", time, &self.one, all, Shot::p50),
            of("p99, 1 connection, one token", time, &self.one, all, Shot::p99).target(no_more),
            of("p99, 1 connection, 1,000 tokens in turn", time, &self.all, all, Shot::p99)
                .target(no_more),
            of(
                "proxy CPU time per request, 1 connection, one token",
                time,
                &self.one,
                proxies,
                Shot::cpu,
            ),
        ]
    }

    /// How much the figures can tell apart.
    pub(super) fn note(&self) -> String {
        let of = |rounds, of| {
            let control = control(rounds, of);
            format!("{:.2} ± {:.2}", control.median(), control.error())
        };
        format!(
            "One connection: the benchmark's own client loads each proxy in turns of {} ms, over a new \
             connection each time, and each proxy follows every other equally often. A round's figure \
             covers all its turns, and there are {PASSED_TIMES} times as many rounds. The control, \
             nginx compared with itself, has a ratio of {} in requests and {} in p99 with one token, \
             {} and {} with 1,000 (median ± twice its standard error). A ratio that misses its target \
             by less than that error counts as level.",
            TURN.as_millis(),
            of(&self.one, Shot::rate),
            of(&self.one, Shot::p99),
            of(&self.all, Shot::rate),
            of(&self.all, Shot::p99),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn each_server_follows_every_other_equally_often() {
        for (count, cycles) in [(4, 4), (5, 10)] {
            let mut pairs = HashMap::new();
            for cycle in 0..cycles {
                let order: Vec<_> = order(count, cycle).collect();
                let mut sorted = order.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..count).collect::<Vec<_>>());
                for pair in order.windows(2) {
                    *pairs.entry((pair[0], pair[1])).or_insert(0) += 1;
                }
            }
            assert_eq!(pairs.len(), count * (count - 1), "{pairs:?}");
            assert!(pairs.values().all(|times| *times == cycles / count), "{pairs:?}");
        }
    }
}
