//! What a command costs that a person or a script runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::Bench;
use super::noise::{self, Tally};
use super::proc::{self, TICK_MS};
use super::process::{output, shell};
use super::report::{Figure, Section, Target, Unit};
use super::subject::{Emulator, ovhai, state_directory};
use super::tools;

/// Apps that are listed.
const APPS: usize = 20;
/// Runs of a command in a batch: CPU time is counted in ticks of 10 ms.
const RUNS: u32 = 200;

/// One run of a command, on average, in seconds.
struct Cost {
    wall: f64,
    cpu: f64,
}

struct Round {
    subject: Cost,
    peer: Cost,
}

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let curl = tools::program("curl")?;
    let (_scratch, directory) = state_directory()?;
    let emulator = Emulator::start(&bench.binary, &directory)?;
    for number in 0..APPS {
        let spec = serde_json::json!({
            "name": format!("app-{number}"),
            "image": "infrastructureascode/hello-world",
            "labels": { "group": if number % 2 == 0 { "A" } else { "B" } },
        });
        let id = emulator.submit(&spec)?;
        emulator.wait_for(&id, "RUNNING")?;
    }
    let list = || list_command(&bench.binary, &directory);
    let get = || get_command(&curl, &emulator);
    check(&mut list(), &mut get())?;

    let version = || with(ovhai(&bench.binary), "--version");
    let curl_version = || with(Command::new(&curl), "--version");
    let mut tally = Tally::default();
    let mut pair = |what: &str, subject: &dyn Fn() -> Command, peer: &dyn Fn() -> Command| {
        // Once unmeasured, so that all files are in the page cache.
        batch(subject)?;
        batch(peer)?;
        let measured = noise::rounds(bench.options.rounds, what, |number| {
            // Who comes first changes.
            if number % 2 == 0 {
                let subject = batch(subject)?;
                Ok(Round { subject, peer: batch(peer)? })
            } else {
                let peer = batch(peer)?;
                Ok(Round { subject: batch(subject)?, peer })
            }
        })?;
        tally += measured.tally;
        anyhow::Ok(measured.kept)
    };
    let versions = pair("--version", &version, &curl_version)?;
    let lists = pair("app list", &list, &get)?;

    let figure = |what, rounds: &[Round], peer, of: fn(&Cost) -> f64| {
        Figure::new(what, Unit::Time, rounds, |round| of(&round.subject)).beside(
            peer,
            rounds,
            |round| of(&round.peer),
        )
    };
    let directory = directory.to_string_lossy();
    let port = emulator.port.to_string();
    let stand_ins = [
        (emulator.administrator.as_str(), "$ADMINISTRATOR"),
        (port.as_str(), "$PORT"),
        (&*directory, "$DIR"),
    ];
    let how = [version(), curl_version(), list(), get()]
        .map(|command| format!("`{}`", shell(&command, &stand_ins)));
    Ok(Section {
        title: "Command line",
        intro: format!(
            "One run of a command, from its spawn to its end; `ovhai app list` with {APPS} apps \
             beside `curl` doing the same GET."
        ),
        figures: vec![
            figure("`ovhai --version`, wall", &versions, "curl --version", |cost| cost.wall),
            figure("`ovhai --version`, CPU", &versions, "curl --version", |cost| cost.cpu),
            figure("`ovhai app list`, wall", &lists, "curl", |cost| cost.wall)
                .target(Target::RatioAtMost(1.0)),
            figure("`ovhai app list`, CPU", &lists, "curl", |cost| cost.cpu),
        ],
        notes: Vec::new(),
        how: how
            .into_iter()
            .chain([
                format!(
                    "Batches of {RUNS} runs, one after the other, output to `/dev/null`; wall time \
                     of the batch and CPU time of ended children (`cutime` and `cstime` of \
                     `/proc/self/stat`), each divided by {RUNS}. It was checked first that each \
                     succeeds and shows all {APPS} apps."
                ),
                "CPU time is the command's own; the emulator's, which is the same for both, is in \
                 the wall time only."
                    .into(),
            ])
            .collect(),
        tally,
    })
}

fn with(mut command: Command, argument: &str) -> Command {
    command.arg(argument);
    command
}

fn list_command(binary: &Path, directory: &Path) -> Command {
    let mut command = ovhai(binary);
    command.args(["app", "list"]).env("OVHAI_AUTOSTART", "0").env("OVHAI_STATE_DIR", directory);
    command
}

fn get_command(curl: &PathBuf, emulator: &Emulator) -> Command {
    let mut command = Command::new(curl);
    command
        .args(["-s", "-H", &format!("Authorization: Bearer {}", emulator.administrator)])
        .arg(format!("http://127.0.0.1:{}/v1/app", emulator.port));
    command
}

/// Both must show all apps.
fn check(list: &mut Command, get: &mut Command) -> Result<()> {
    let shown = output(list)?;
    let got: serde_json::Value = serde_json::from_str(&output(get)?)?;
    let items = got.get("items").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    let rows = (0..APPS)
        .filter(|number| {
            let name = format!("app-{number}");
            shown
                .split(|c: char| c.is_whitespace() || c == '│' || c == '|')
                .any(|word| word == name)
        })
        .count();
    if rows != APPS || items != APPS {
        bail!("{APPS} apps should be listed; ovhai shows {rows}, curl {items}:\n{shown}");
    }
    Ok(())
}

/// Runs a command many times.
fn batch(command: &dyn Fn() -> Command) -> Result<Cost> {
    let (cpu, since) = (proc::ended_children()?, Instant::now());
    for _ in 0..RUNS {
        let mut command = command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().context("the command can't be started")?;
        if !status.success() {
            bail!("{} has failed: {status}", shell(&command, &[]));
        }
    }
    let (wall, cpu) = (since.elapsed(), proc::ended_children()? - cpu);
    let runs = f64::from(RUNS);
    Ok(Cost { wall: wall.as_secs_f64() / runs, cpu: cpu as f64 * TICK_MS / 1e3 / runs })
}
