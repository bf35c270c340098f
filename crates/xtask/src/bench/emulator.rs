//! An emulator's time to the first answer, and its idle memory.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::noise;
use super::proc::{self, Memory};
use super::process::{Scratch, free_port, shell};
use super::report::{Figure, Section, Target, Unit};
use super::stats::median;
use super::subject::{HEALTH, State, start, start_command, state_directory};
use super::tools;

/// Starts a round; the round's figure is their median.
const STARTS: usize = 10;
/// Time after which a server is idle.
const SETTLED: Duration = Duration::from_secs(1);
/// A page that the peer answers with 200.
const MOTO_PAGE: &str = "/moto-api/";

struct Server {
    took: f64,
    memory: Memory,
    threads: usize,
}

struct Round {
    ephemeral: Server,
    directory: Server,
    moto: Server,
}

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let moto = tools::moto_server(bench);
    let ephemeral = || -> Result<Server> {
        let scratch = Scratch::new()?;
        let command = |port| start_command(&bench.binary, State::Ephemeral, port);
        serve(STARTS, HEALTH, &scratch.join("log"), command)
    };
    let directory = || -> Result<Server> {
        let (scratch, path) = state_directory()?;
        let command = |port| start_command(&bench.binary, State::Directory(&path), port);
        serve(STARTS, HEALTH, &scratch.join("log"), command)
    };
    let peer = || -> Result<Server> {
        let scratch = Scratch::new()?;
        serve(1, MOTO_PAGE, &scratch.join("log"), |port| moto_command(&moto, port))
    };
    // Once unmeasured, so that all files are in the page cache.
    ephemeral()?;
    directory()?;
    peer()?;
    let measured = noise::rounds(bench.options.rounds, "start and idle memory", |number| {
        // The order changes from round to round.
        let before = if number % 2 == 0 { Some(peer()?) } else { None };
        let (ephemeral, directory) = (ephemeral()?, directory()?);
        let moto = match before {
            Some(server) => server,
            None => peer()?,
        };
        Ok(Round { ephemeral, directory, moto })
    })?;
    let rounds = &measured.kept;
    let figure = |what, unit, of: fn(&Server) -> f64, directory: bool| {
        Figure::new(what, unit, rounds, |round| {
            of(if directory { &round.directory } else { &round.ephemeral })
        })
        .beside("moto_server", rounds, |round| of(&round.moto))
    };
    let memory = Target::AtMost(20.0 * 1024.0 * 1024.0);
    let time = Target::AtMost(0.050);
    let threads = rounds.first().map_or(0, |round| round.ephemeral.threads);
    let (port, path) = (free_port()?, Path::new("/tmp/x"));
    let port_text = port.to_string();
    let stand_ins = [(port_text.as_str(), "$PORT"), ("/tmp/x", "$DIR")];
    let said = |command: &Command| shell(command, &stand_ins);
    Ok(Section {
        title: "Emulator: start and idle memory",
        intro: "Time from the start of the process to the first response with status 200, and the memory of \
                the idle process one second later, without apps; compared with `moto_server`, an \
                emulator of another cloud that is started in the same way."
            .into(),
        figures: vec![
            figure("first 200, `--ephemeral`", Unit::Time, |s| s.took, false).target(time),
            figure("first 200, with a state directory", Unit::Time, |s| s.took, true)
                .target(time),
            figure("idle memory (RSS), `--ephemeral`", Unit::Bytes, |s| s.memory.rss, false)
                .target(memory),
            figure(
                "idle memory (RSS), with a state directory",
                Unit::Bytes,
                |s| s.memory.rss,
                true,
            )
            .target(memory),
            figure("idle memory (PSS), `--ephemeral`", Unit::Bytes, |s| s.memory.pss, false),
            figure(
                "idle memory (PSS), with a state directory",
                Unit::Bytes,
                |s| s.memory.pss,
                true,
            ),
        ],
        notes: vec![format!("The idle emulator has {threads} threads.")],
        how: vec![
            format!("`{}`", said(&start_command(&bench.binary, State::Ephemeral, port))),
            format!("`{}`", said(&start_command(&bench.binary, State::Directory(path), port))),
            format!("`{}`", said(&moto_command(&moto, port))),
            format!(
                "The time ends when `GET {HEALTH}` (`GET {MOTO_PAGE}`) is answered with 200; a new \
                 connection is tried every 0.5 ms. Every program has been started once before, so that \
                 its files are in the page cache. A round's figure is the median of {STARTS} starts of \
                 `ovhai` (one start of `moto_server`). The first start creates the state directory, and \
                 the others reuse it."
            ),
            "Memory: `VmRSS` (`/proc/<pid>/status`) and `Pss` (`/proc/<pid>/smaps_rollup`) of the process \
             and its children, 1 s after the first 200 of the last start."
                .into(),
        ],
        tally: measured.tally,
    })
}

fn moto_command(moto: &Path, port: u16) -> Command {
    let mut command = Command::new(moto);
    command.args(["-p", &port.to_string()]);
    command
}

/// Starts a server repeatedly; the last one is measured when it is idle.
fn serve(
    starts: usize,
    page: &str,
    log: &Path,
    command: impl Fn(u16) -> Command,
) -> Result<Server> {
    let mut times = Vec::new();
    for _ in 1..starts {
        let port = free_port()?;
        let started = start(&mut command(port), port, page, log)?;
        times.push(started.took.as_secs_f64());
        started.process.stop()?;
    }
    let port = free_port()?;
    let started = start(&mut command(port), port, page, log)?;
    times.push(started.took.as_secs_f64());
    std::thread::sleep(SETTLED);
    let pid = started.process.pid();
    let (memory, threads) = (Memory::of_tree(pid)?, proc::threads(pid));
    started.process.stop()?;
    Ok(Server { took: median(&times), memory, threads })
}
