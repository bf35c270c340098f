//! `cargo xtask bench`: measures `ovhai` beside comparable programs.
//!
//! Subject and peer take turns on the same machine in every round; a figure is the median over the
//! rounds, a ratio the median of the rounds' own ratios. A round in which the machine was busy with
//! something else is discarded and measured again. A full run of at least five rounds writes
//! `docs/benchmarks.md`; any other writes to `target/bench/`.
//!
//! Everything that is started here is stopped when its guard is dropped, also on an error. All
//! traffic stays on the loopback interface.
#![allow(
    clippy::print_stdout,
    reason = "what a person who measures wants to see is printed as it is found"
)]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures are for people: counts become floating-point numbers"
)]

mod cli;
mod containers;
mod cost;
mod emulator;
mod first_build;
mod gateway;
mod http;
mod init;
mod labels;
mod noise;
mod options;
mod pipeline;
mod proc;
mod process;
mod report;
mod stats;
mod store;
mod subject;
mod tools;
mod wrk;

use std::path::PathBuf;

use anyhow::{Context, Result};

use options::{Benchmark, Options};
use report::{Report, Section};

/// Fewest rounds of a run whose figures are published.
const PUBLISHED_ROUNDS: usize = 5;

/// What every benchmark gets.
struct Bench {
    options: Options,
    /// The `ovhai` executable.
    binary: PathBuf,
    /// `target/bench` of the workspace: the peers' environment, and reports of partial runs.
    out: PathBuf,
}

/// Runs what the arguments after `bench` ask for.
pub(crate) fn run(args: &[String]) -> Result<()> {
    // What the benchmark of the gateway runs as an app.
    if let [task, port] = args
        && task == "upstream"
    {
        return gateway::upstream::serve(port);
    }
    let Some(options) = options::parse(args)? else {
        println!("{}", options::USAGE);
        return Ok(());
    };
    if options.has_containers() {
        init::enter(args)?;
    }
    let root = tools::workspace_root()?;
    let binary = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => tools::build_dist(&root)?,
    };
    let out = tools::target_dir(&root).join("bench");
    std::fs::create_dir_all(&out).with_context(|| format!("{} can't be made", out.display()))?;
    let bench = Bench { options, binary, out };

    process::sweep()?;
    tools::install(&bench)?;
    let mut report = Report::begin(&bench, &root)?;
    for benchmark in &bench.options.benchmarks {
        println!("\n== {} ==", benchmark.name());
        let section = one(&bench, *benchmark)
            .with_context(|| format!("the benchmark {} failed", benchmark.name()))?;
        section.print();
        report.sections.push(section);
    }

    let published = bench.options.all && bench.options.rounds >= PUBLISHED_ROUNDS;
    let path = match (&bench.options.out, published) {
        (Some(path), _) => path.clone(),
        (None, true) => root.join("docs/benchmarks.md"),
        (None, false) => bench.out.join("benchmarks.md"),
    };
    std::fs::write(&path, report.markdown())
        .with_context(|| format!("{} can't be written", path.display()))?;
    let raw = bench.out.join("benchmarks.json");
    std::fs::write(&raw, serde_json::to_vec_pretty(&report)?)
        .with_context(|| format!("{} can't be written", raw.display()))?;
    println!("\nwritten: {} (every round: {})", path.display(), raw.display());
    if !published && bench.options.out.is_none() {
        println!(
            "docs/benchmarks.md is written by a run of all benchmarks with {PUBLISHED_ROUNDS} rounds or more"
        );
    }
    Ok(())
}

fn one(bench: &Bench, benchmark: Benchmark) -> Result<Section> {
    match benchmark {
        Benchmark::Emulator => emulator::measure(bench),
        Benchmark::Gateway => gateway::measure(bench),
        Benchmark::Shapes => gateway::shapes::measure(bench),
        Benchmark::Changes => gateway::changes::measure(bench),
        Benchmark::Cli => cli::measure(bench),
        Benchmark::Labels => labels::measure(bench),
        Benchmark::Store => store::measure(bench),
        Benchmark::Pipeline => pipeline::measure(bench),
        Benchmark::Containers => containers::measure(bench),
        Benchmark::FirstBuild => first_build::measure(bench),
    }
}
