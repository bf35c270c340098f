//! From a command to the first answer of a new container.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::super::Bench;
use super::super::http::{Answer, Connection, request};
use super::super::noise::{self, Tally};
use super::super::process::{Scratch, output, shell};
use super::super::report::{Figure, Target, Unit};
use super::super::stats::median;
use super::super::subject::{Emulator, POLL, here, state_directory};
use super::engine::Engine;
use super::image::{HTTPD, PAGE};

/// Launches of a round; the round's figure is their median.
pub(super) const LAUNCHES: usize = 5;
/// Longest time to an answer.
const ANSWER_MAX: Duration = Duration::from_mins(1);
/// Time for one connection: an address without a container refuses none.
const CONNECT: Duration = Duration::from_millis(250);
/// Pause after a container's removal: the engine still cleans up.
const SETTLED: Duration = Duration::from_millis(300);

struct Round {
    /// Until `ovhai app run` has ended.
    waited: f64,
    ours: f64,
    by_hand: f64,
    /// The median of the differences of neighbours.
    more: f64,
}

struct Stage<'a> {
    bench: &'a Bench,
    engine: &'a Engine,
    emulator: Emulator,
    directory: PathBuf,
    token: String,
    _scratch: Scratch,
}

pub(super) fn measure(bench: &Bench, engine: &Engine, tally: &mut Tally) -> Result<Vec<Figure>> {
    let (scratch, directory) = state_directory()?;
    let emulator = Emulator::start_with(&bench.binary, &directory, &["--engine", &engine.address])?;
    let token = emulator.new_token()?;
    let stage = Stage { bench, engine, emulator, directory, token, _scratch: scratch };
    // Once unmeasured: files are in the page cache, and the emulator has connected to the engine.
    stage.ours(0)?;
    stage.by_hand()?;
    let name = format!("launch, {}", engine.name());
    let mut number = 0;
    let measured = noise::rounds(bench.options.rounds, &name, |_| {
        let mut pairs = Vec::with_capacity(LAUNCHES);
        for _ in 0..LAUNCHES {
            number += 1;
            // The order changes from pair to pair.
            let before = if number % 2 == 0 { Some(stage.by_hand()?) } else { None };
            let (waited, ours) = stage.ours(number)?;
            let by_hand = match before {
                Some(took) => took,
                None => stage.by_hand()?,
            };
            pairs.push((waited, ours, by_hand));
        }
        let of =
            |of: fn(&(f64, f64, f64)) -> f64| median(&pairs.iter().map(of).collect::<Vec<_>>());
        Ok(Round {
            waited: of(|pair| pair.0),
            ours: of(|pair| pair.1),
            by_hand: of(|pair| pair.2),
            more: of(|pair| pair.1 - pair.2),
        })
    })?;
    *tally += measured.tally;
    stage.emulator.stop()?;
    let (rounds, name) = (&measured.kept, engine.name());
    Ok(vec![
        Figure::new(format!("{name}: launch to the first answer"), Unit::Time, rounds, |it| {
            it.ours
        })
        .beside(engine.by_hand(), rounds, |it| it.by_hand),
        Figure::new(format!("{name}: of which `app run --wait`"), Unit::Time, rounds, |it| {
            it.waited
        }),
        Figure::new(
            format!("{name}: launch to the first answer, more than `{}`", engine.by_hand()),
            Unit::Time,
            rounds,
            |it| it.more,
        )
        .target(Target::AtMost(0.150)),
    ])
}

fn run_command(bench: &Bench, directory: &Path, name: &str) -> Command {
    let mut command = here(&bench.binary, directory);
    command.args(["app", "run", HTTPD, "--name", name, "--label", "group=A", "--cpu", "1"]);
    command.args(["--wait", "--output", "json"]);
    command
}

impl Stage<'_> {
    /// Seconds until `app run` has ended, and until the app has answered through the gateway.
    fn ours(&self, number: usize) -> Result<(f64, f64)> {
        let name = format!("launch-{number}");
        let mut command = run_command(self.bench, &self.directory, &name);
        let since = Instant::now();
        let app = output(&mut command)?;
        let waited = since.elapsed().as_secs_f64();
        let app: Value = serde_json::from_str(&app).context("app run prints no JSON")?;
        let id = app.get("id").and_then(Value::as_str).context("the new app has no id")?;
        let question = request("GET", "/", &self.emulator.host(id), Some(&self.token), None);
        let gateway = SocketAddr::from(([127, 0, 0, 1], self.emulator.port));
        let took = first_answer(gateway, &question, since)?;
        let mut delete = here(&self.bench.binary, &self.directory);
        output(delete.args(["app", "delete", &name, "--now", "--wait"]))?;
        self.engine.wait_for_removal()?;
        std::thread::sleep(SETTLED);
        Ok((waited, took))
    }

    /// Seconds until a container that was started by hand has answered.
    fn by_hand(&self) -> Result<f64> {
        let (mut command, address) = self.engine.run_command(HTTPD)?;
        let question = request("GET", "/", &address.to_string(), None, None);
        let since = Instant::now();
        let id = output(&mut command)?;
        let took = first_answer(address, &question, since);
        self.engine.remove(id.trim())?;
        std::thread::sleep(SETTLED);
        took
    }
}

/// Seconds from `since` to the page.
fn first_answer(address: SocketAddr, question: &[u8], since: Instant) -> Result<f64> {
    let ask =
        || -> Result<Answer> { Connection::open_within(CONNECT, address)?.exchange(question) };
    loop {
        let answer = ask();
        if let Ok(answer) = &answer
            && answer.status == 200
        {
            if answer.body != PAGE.as_bytes() {
                bail!("not the answer that was expected: {answer:?}");
            }
            return Ok(since.elapsed().as_secs_f64());
        }
        if since.elapsed() > ANSWER_MAX {
            bail!("{address} does not answer: {answer:?}");
        }
        std::thread::sleep(POLL);
    }
}

/// What is measured, as one types it.
pub(super) fn how(bench: &Bench) -> String {
    format!("`{}`", shell(&run_command(bench, Path::new("$DIR"), "launch-$N"), &[]))
}
