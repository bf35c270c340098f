//! The first build of a new clone.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Bench;
use super::noise;
use super::proc::{self, TICK_MS};
use super::process::{Scratch, output};
use super::report::{Figure, Section, Unit};
use super::tools;

/// The build that the documents name.
const BUILD: [&str; 5] = ["build", "--release", "--locked", "--offline", "--timings"];
/// Units that are listed.
const SLOWEST: usize = 10;

/// One unit of cargo's timings.
#[derive(Debug, Clone, Deserialize)]
struct Piece {
    name: String,
    #[serde(default)]
    target: String,
    duration: f64,
}

struct Round {
    wall: f64,
    cpu: f64,
    pieces: Vec<Piece>,
}

pub(super) fn measure(bench: &Bench) -> Result<Section> {
    let scratch = Scratch::new()?;
    let clone = scratch.join("clone");
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--shared"]).arg(tools::workspace_root()?).arg(&clone);
    output(&mut git)?;
    // The network is not measured.
    output(tools::cargo().current_dir(&clone).args(["fetch", "--locked"]))?;
    let measured = noise::rounds(bench.options.rounds, "first build", |_| build(&clone))?;
    let rounds = &measured.kept;
    let notes = rounds.last().map(|round| {
        let slowest = slowest(&round.pieces);
        format!("The slowest units of the last round: {}.", slowest.join(", "))
    });
    Ok(Section {
        title: "First build",
        intro: "`cargo build --release` in a new clone, with an empty target directory and all dependencies \
                downloaded."
            .into(),
        figures: vec![
            Figure::new("first build, wall", Unit::Time, rounds, |round| round.wall),
            Figure::new("first build, CPU", Unit::Time, rounds, |round| round.cpu),
        ],
        notes: notes.into_iter().collect(),
        how: vec![
            "`git clone --shared . $DIR`, `cargo fetch --locked`; then in each round `rm -r $DIR/target` and"
                .to_owned()
                + &format!(" `cargo {}`.", BUILD.join(" ")),
            "CPU time: `cutime` and `cstime` of `/proc/self/stat`. Units: `UNIT_DATA` of \
             `target/cargo-timings/cargo-timing.html`."
                .into(),
        ],
        tally: measured.tally,
    })
}

fn build(clone: &Path) -> Result<Round> {
    let target = clone.join("target");
    if target.exists() {
        std::fs::remove_dir_all(&target)?;
    }
    let (cpu, since) = (proc::ended_children()?, Instant::now());
    let status = tools::cargo()
        .current_dir(clone)
        .args(BUILD)
        .env("CARGO_TARGET_DIR", &target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cargo can't be started")?;
    if !status.success() {
        bail!("the build has failed; see `cargo {}` in a new clone", BUILD.join(" "));
    }
    let (wall, cpu) = (since.elapsed().as_secs_f64(), proc::ended_children()? - cpu);
    let html = std::fs::read_to_string(target.join("cargo-timings/cargo-timing.html"))?;
    Ok(Round { wall, cpu: cpu as f64 * TICK_MS / 1e3, pieces: pieces(&html)? })
}

/// The units in cargo's page of timings.
fn pieces(html: &str) -> Result<Vec<Piece>> {
    let (_, rest) = html.split_once("const UNIT_DATA = ").context("the timings have no units")?;
    // More script follows the array.
    let mut values = serde_json::Deserializer::from_str(rest).into_iter();
    values.next().context("the timings end early")?.context("the timings have an unknown form")
}

/// The slowest units, as `name 1.5 s`.
fn slowest(pieces: &[Piece]) -> Vec<String> {
    let mut sorted = pieces.to_vec();
    sorted.sort_by(|a, b| b.duration.total_cmp(&a.duration));
    let show = |it: &Piece| format!("`{}{}` {:.1} s", it.name, it.target, it.duration);
    sorted.iter().take(SLOWEST).map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_timings() -> Result<()> {
        let html = r#"DURATION = 3;
const UNIT_DATA = [{"i": 1, "name": "a", "target": "", "duration": 0.5, "features": []},
{"name": "b", "target": " build-script", "duration": 2}];
const CONCURRENCY_DATA = [];"#;
        assert_eq!(slowest(&pieces(html)?), ["`b build-script` 2.0 s", "`a` 0.5 s"]);
        assert!(pieces("").is_err());
        Ok(())
    }
}
