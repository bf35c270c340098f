//! `cargo xtask fuzz`: runs every fuzz target for a while, on the stable toolchain.
//!
//! cargo calls this program as the compiler of our own crates (`RUSTC_WORKSPACE_WRAPPER`), so that
//! only they are built with coverage; what they depend on is shared with the tests.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::run::{cargo, root};

/// Set in the environment of the compiler.
const VARIABLE: &str = "OVHAI_XTASK_FUZZ";
/// How long a target runs by default, in seconds.
const SECONDS: u32 = 10;
/// How libFuzzer learns which code an input reaches.
const COVERAGE: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let seconds = match arguments {
        [] => SECONDS,
        [seconds] => seconds.parse().context("how many seconds?")?,
        _ => bail!("usage: cargo xtask fuzz [SECONDS]"),
    };
    let mut targets: Vec<String> = std::fs::read_dir(root().join("fuzz/fuzz_targets"))?
        .filter_map(|entry| {
            entry.ok()?.path().file_stem()?.to_str().map(|name| name.replace('_', "-"))
        })
        .collect();
    targets.sort();
    for target in &targets {
        println!("{target}: {seconds} s");
        // Inputs that reached new code are kept, for the next run.
        let corpus = root().join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&corpus)?;
        crate::run::run(
            cargo()
                .args(["run", "--quiet", "--package", "ovhai-fuzz", "--bin", target, "--"])
                .arg(corpus)
                .args([format!("-max_total_time={seconds}"), "-verbosity=0".into()])
                .arg(format!("-artifact_prefix={}/", root().join("fuzz").display()))
                .env("RUSTC_WORKSPACE_WRAPPER", std::env::current_exe()?)
                .env(VARIABLE, "1"),
        )?;
    }
    println!("{} fuzz targets ran without a crash", targets.len());
    Ok(())
}

/// Whether cargo calls this program as the compiler.
pub(crate) fn is_compiler() -> bool {
    let compiler = std::env::args_os().nth(1);
    std::env::var_os(VARIABLE).is_some()
        && compiler
            .is_some_and(|path| Path::new(&path).file_stem().is_some_and(|name| name == "rustc"))
}

/// Compiles, with coverage.
pub(crate) fn compile() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(compiler) = arguments.next() else { return ExitCode::FAILURE };
    let arguments: Vec<_> = arguments.collect();
    // Calls that only ask for the compiler's version name no crate.
    let is_ours = arguments.windows(2).any(|pair| {
        let crate_name = pair[1].to_string_lossy();
        pair[0] == "--crate-name"
            && (crate_name.starts_with("ovhai") || crate_name.starts_with("fuzz"))
    });
    let status = Command::new(compiler)
        .args(&arguments)
        .args(is_ours.then_some(COVERAGE).into_iter().flatten())
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
