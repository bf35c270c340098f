//! What `ovhai emulator exec` costs a pipeline: before its command starts, after it has ended, and a
//! hundred of them at once.

use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::Bench;
use super::noise;
use super::process::{Scratch, free_port, output, shell};
use super::report::{Figure, Section, Target, Unit};
use super::stats::median;
use super::subject::{ovhai, start};
use super::tools;

/// Runs of a round; the round's figure is their median.
const RUNS: usize = 20;
/// Emulators that run at the same time.
const AT_ONCE: usize = 100;
/// What each of those does: all with the same names.
const SCRIPT: &str = "\"$O\" app run infrastructureascode/hello-world --name same --wait && \
    test \"$(\"$O\" app list -o name)\" = same && test \"$(\"$O\" app curl same)\" = 'Hello, World!'";
/// A page that the peer answers with 200.
const MOTO_PAGE: &str = "/moto-api/";

/// One run, in seconds.
#[derive(Clone, Copy)]
struct Run {
    /// From its start to the command's first instruction.
    before: f64,
    /// From there to its exit, with the command's own run.
    after: f64,
}

struct Round {
    exec: Run,
    /// The command alone, from its start to its exit.
    alone: f64,
    /// The peer's start to its first answer, and its stop.
    moto: f64,
    many: f64,
}

/// A command that prints the time.
fn date() -> Command {
    let mut command = Command::new("date");
    command.arg("+%s.%N");
    command
}

fn exec(bench: &Bench, scratch: &Scratch) -> Command {
    let mut command = ovhai(&bench.binary);
    command.env("TMPDIR", scratch.path()).env_remove("XDG_RUNTIME_DIR");
    command.args(["emulator", "exec", "--quota", "unlimited", "--"]);
    command
}

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let scratch = Scratch::new()?;
    let moto = tools::moto_server(bench);
    let moto_run = || -> Result<f64> {
        let port = free_port()?;
        let mut command = Command::new(&moto);
        command.args(["-p", &port.to_string()]);
        let since = Instant::now();
        let started = start(&mut command, port, MOTO_PAGE, &scratch.join("moto.log"))?;
        started.process.stop()?;
        Ok(since.elapsed().as_secs_f64())
    };
    let mut with_date = exec(bench, &scratch);
    with_date.arg("date").arg("+%s.%N");
    // Once unmeasured, so that all files are in the page cache.
    timed(&mut with_date)?;
    moto_run()?;
    let measured = noise::rounds(bench.options.rounds, "exec", |_| {
        let runs: Vec<Run> = (0..RUNS).map(|_| timed(&mut with_date)).collect::<Result<_>>()?;
        let alone: Vec<Run> = (0..RUNS).map(|_| timed(&mut date())).collect::<Result<_>>()?;
        let of = |runs: &[Run], part: fn(&Run) -> f64| {
            median(&runs.iter().map(part).collect::<Vec<_>>())
        };
        Ok(Round {
            exec: Run { before: of(&runs, |run| run.before), after: of(&runs, |run| run.after) },
            alone: of(&alone, |run| run.before + run.after),
            moto: moto_run()?,
            many: many(bench, &scratch)?,
        })
    })?;
    let rounds = &measured.kept;
    let figure = |what: &str, of: fn(&Round) -> f64| Figure::new(what, Unit::Time, rounds, of);
    let mut shown = exec(bench, &scratch);
    shown.arg("date").arg("+%s.%N");
    let directory = scratch.path().to_string_lossy().into_owned();
    Ok(Section {
        title: "Pipeline",
        intro: format!(
            "What `ovhai emulator exec` adds to a command: from its start to the command's, and from the \
             command's end to its own, compared with starting `moto_server`, waiting for its first \
             answer, and stopping it. And {AT_ONCE} of them at once, each with an app, three commands, \
             and the same names."
        ),
        figures: vec![
            figure("start to the command's first instruction", |round| round.exec.before),
            figure("the command's first instruction to the end", |round| round.exec.after),
            figure("overhead in all, without the command's own run", |round| {
                round.exec.before + round.exec.after - round.alone
            })
            .target(Target::AtMost(0.060))
            .beside("moto_server", rounds, |round| round.moto),
            figure("100 at once, until all have ended", |round| round.many),
        ],
        notes: Vec::new(),
        how: vec![
            format!("`{}`", shell(&shown, &[(&directory, "$DIR")])),
            format!(
                "The command prints the time at which it runs. A round's figure is the median of {RUNS} \
                 runs, one after the other; the run of `date` alone is measured in the same way, and \
                 subtracted from the sum."
            ),
            format!(
                "At once: {AT_ONCE} processes with `sh -c '{SCRIPT}'` as their command. Each has to see \
                 its own app only, and all directories have to be gone."
            ),
        ],
        tally: measured.tally,
    })
}

/// Runs a command that prints the time.
fn timed(command: &mut Command) -> Result<Run> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_secs_f64());
    let began = now()?;
    let said = output(command)?;
    let ended = now()?;
    let at: f64 = said.trim().parse().with_context(|| format!("{said:?} is no time"))?;
    Ok(Run { before: at - began, after: ended - at })
}

/// Runs many at once; answers the time until all have ended.
fn many(bench: &Bench, scratch: &Scratch) -> Result<f64> {
    let base = scratch.join("at-once");
    std::fs::create_dir_all(&base)?;
    let since = Instant::now();
    let mut all = Vec::new();
    for _ in 0..AT_ONCE {
        let mut command = exec(bench, scratch);
        command.args(["sh", "-c", SCRIPT]).env("TMPDIR", &base).env("O", &bench.binary);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        all.push(command.spawn().context("ovhai can't be started")?);
    }
    for child in all {
        let ended = child.wait_with_output()?;
        if !ended.status.success() {
            bail!("one of {AT_ONCE}: {}", String::from_utf8_lossy(&ended.stderr));
        }
    }
    let took = since.elapsed().as_secs_f64();
    let left = std::fs::read_dir(&base)?.count();
    if left > 0 {
        bail!("{left} directories are left");
    }
    Ok(took)
}
