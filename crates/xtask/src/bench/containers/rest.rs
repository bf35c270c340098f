//! What many container apps at rest cost: memory and CPU time of the emulator, CPU time of the engine.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::super::Bench;
use super::super::noise::{self, Tally};
use super::super::proc::{Memory, Processes, TICK_MS};
use super::super::process::output;
use super::super::report::{Figure, Target, Unit};
use super::super::subject::{Emulator, here, state_directory};
use super::engine::Engine;
use super::image::HTTPD;

/// Apps of one container each.
pub(super) const APPS: usize = 100;
/// Apps that are started at the same time.
const BATCH: usize = 10;
/// Time after which an emulator is at rest.
const SETTLED: Duration = Duration::from_secs(5);
/// Time over which CPU time is counted.
pub(super) const WINDOW: Duration = Duration::from_secs(20);
/// Time for an emulator to remove its containers.
const STOP: Duration = Duration::from_mins(3);

/// Shares of a core.
struct Round {
    emulator: f64,
    engine: f64,
}

pub(super) fn measure(bench: &Bench, engine: &Engine, tally: &mut Tally) -> Result<Vec<Figure>> {
    let (_scratch, directory) = state_directory()?;
    let emulator = Emulator::start_with(&bench.binary, &directory, &["--engine", &engine.address])?;
    let memory = || -> Result<Memory> {
        std::thread::sleep(SETTLED);
        Memory::of_tree(emulator.pid())
    };
    let run = |number: usize| {
        emulator.submit(&json!({
            "name": format!("rest-{number}"),
            "image": HTTPD,
            "labels": { "group": "A" },
            "resources": { "cpu": 1 },
        }))
    };
    let none = memory()?;
    // What the first app costs once is not the cost of every app.
    emulator.wait_for(&run(0)?, "RUNNING")?;
    let mut delete = here(&bench.binary, &directory);
    output(delete.args(["app", "delete", "rest-0", "--now", "--wait"]))?;
    engine.wait_for_removal()?;
    let first = memory()?;
    for started in (0..APPS).step_by(BATCH) {
        let apps = (1..=BATCH).map(|more| run(started + more)).collect::<Result<Vec<_>>>()?;
        for app in &apps {
            emulator.wait_for(app, "RUNNING")?;
        }
        println!("  {}: {} containers run", engine.name(), started + BATCH);
    }
    let all = memory()?;
    let name = engine.name();
    let measured = noise::rounds(bench.options.rounds, &format!("{name}, at rest"), |_| {
        let (before, since) = (Processes::now()?, Instant::now());
        std::thread::sleep(WINDOW);
        let (after, seconds) = (Processes::now()?, since.elapsed().as_secs_f64());
        let share = |root| {
            let ticks = after.of_tree(root).saturating_sub(before.of_tree(root));
            ticks as f64 * TICK_MS / 1e3 / seconds
        };
        Ok(Round { emulator: share(emulator.pid()), engine: share(engine.pid) })
    })?;
    *tally += measured.tally;
    let later = Memory::of_tree(emulator.pid())?;
    emulator.stop_within(STOP)?;
    engine.wait_for_removal()?;

    let (rounds, once) = (&measured.kept, [()]);
    let memory = |what: &str, bytes: f64| {
        Figure::new(format!("{name}: emulator memory {what}"), Unit::Bytes, &once, move |()| bytes)
    };
    let per_app = |bytes: f64| bytes / APPS as f64;
    let limit = Target::AtMost(64.0 * 1024.0);
    Ok(vec![
        memory("per container app (PSS)", per_app(all.pss - first.pss)).target(limit),
        memory("per container app (RSS)", per_app(all.rss - first.rss)).target(limit),
        memory("per container app (PSS), after the rounds", per_app(later.pss - first.pss)),
        memory("per container app (RSS), after the rounds", per_app(later.rss - first.rss)),
        memory("for the first container app, once (PSS)", first.pss - none.pss),
        Figure::new(
            format!("{name}: emulator CPU, {APPS} container apps at rest"),
            Unit::Cores,
            rounds,
            |round| round.emulator,
        )
        .beside(engine.daemon(), rounds, |round| round.engine)
        .target(Target::AtMost(0.01)),
    ])
}
