//! The process above a benchmark of containers, which adopts their processes.
//!
//! An engine detaches a container's processes from itself. `tini`, as a subreaper, keeps them in the
//! benchmark's process tree, so that their CPU time does not count as that of other programs.

use std::os::unix::process::{CommandExt, parent_id};
use std::process::Command;

use anyhow::{Context, Result};

use super::tools;

/// The number of the process that has become `tini`.
const MARK: &str = "OVHAI_BENCH_INIT";

/// Replaces this process with `tini`, which runs the benchmark; returns if that has been done.
pub(super) fn enter(args: &[String]) -> Result<()> {
    if is_inside() {
        return Ok(());
    }
    tools::install_packages(&tools::missing(&[("tini", "tini")]))?;
    let error = Command::new(tools::program("tini")?)
        .args(["-s", "--"])
        .arg(std::env::current_exe()?)
        .arg("bench")
        .args(args)
        .env(MARK, std::process::id().to_string())
        .exec();
    Err(error).context("tini can't be started")
}

fn is_inside() -> bool {
    std::env::var(MARK).is_ok_and(|pid| pid == parent_id().to_string())
}

/// The root of the benchmark's process tree.
pub(super) fn root() -> u32 {
    if is_inside() { parent_id() } else { std::process::id() }
}
