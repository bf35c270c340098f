//! What the benchmarks need to be there, and its versions.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Bench;
use super::process::output;
use crate::engines;

/// The emulator's peer, at a fixed version so that runs can be compared.
const MOTO: &str = "moto[server]==5.2.5";
/// Program and the Debian package that has it.
const PACKAGES: &[(&str, &str)] = &[
    ("nginx", "nginx"),
    ("haproxy", "haproxy"),
    ("wrk", "wrk"),
    ("curl", "curl"),
    ("python3", "python3"),
    ("time", "time"),
];

/// The directory of the workspace that the caller is in.
pub(super) fn workspace_root() -> Result<PathBuf> {
    let arguments = ["locate-project", "--workspace", "--message-format", "plain"];
    let manifest = output(cargo().args(arguments))?;
    let root = Path::new(manifest.trim()).parent().context("the workspace has no directory")?;
    Ok(root.to_owned())
}

/// Where cargo puts what it builds.
pub(super) fn target_dir(root: &Path) -> PathBuf {
    root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The cargo that runs this task.
pub(super) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds `ovhai` as it is shipped and returns the executable.
pub(super) fn build_dist(root: &Path) -> Result<PathBuf> {
    println!("building: cargo build --profile dist -p ovhai");
    let build = cargo()
        .current_dir(root)
        .args(["build", "--profile", "dist", "-p", "ovhai", "--bin", "ovhai"])
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo can't be started")?;
    if !build.status.success() {
        bail!("ovhai can't be built");
    }
    String::from_utf8_lossy(&build.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .next_back()
        .context("cargo does not say where the executable is")
}

/// Brings the peers and the load generator here.
pub(super) fn install(bench: &Bench) -> Result<()> {
    let mut missing = missing(PACKAGES);
    if bench.options.has_containers() {
        missing.extend(engines::missing());
    }
    install_packages(&missing)?;
    if moto_version(bench).is_err() {
        println!("installing: {MOTO}");
        let venv = bench.out.join("venv");
        output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))
            .context("on Debian this needs the package python3-venv")?;
        output(Command::new(venv.join("bin/pip")).args(["install", "--quiet", MOTO]))?;
    }
    Ok(())
}

/// The Debian packages of the programs that are missing.
pub(super) fn missing(programs: &[(&str, &'static str)]) -> Vec<&'static str> {
    let missing = programs.iter().filter(|(program, _)| which(program).is_none());
    missing.map(|(_, package)| *package).collect()
}

pub(super) fn install_packages(missing: &[&str]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    if output(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("missing; install with: sudo apt-get install {}", missing.join(" "));
    }
    println!("installing: {}", missing.join(" "));
    output(Command::new("apt-get").args(["-qq", "update"]))?;
    // In run level 1 a package's service is not started.
    output(
        Command::new("apt-get")
            .args(["-qq", "install", "-y", "--no-install-recommends"])
            .args(missing)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("RUNLEVEL", "1"),
    )?;
    Ok(())
}

/// The executable of a name, as the shell would find it.
pub(super) fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Services are often outside a user's PATH.
    let more = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    std::env::split_paths(&path).chain(more).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// The executable of a name; its absence is an error.
pub(super) fn program(name: &str) -> Result<PathBuf> {
    which(name).with_context(|| format!("{name} is missing"))
}

/// The emulator's peer.
pub(super) fn moto_server(bench: &Bench) -> PathBuf {
    bench.out.join("venv/bin/moto_server")
}

fn moto_version(bench: &Bench) -> Result<String> {
    let python = bench.out.join("venv/bin/python");
    let code = "import moto, moto.server; print(moto.__version__)";
    Ok(output(Command::new(python).args(["-c", code]))?.trim().to_owned())
}

/// What was measured, each with its version.
pub(super) fn versions(bench: &Bench) -> Result<Vec<String>> {
    let words = |text: &str, count: usize| {
        text.split_whitespace().take(count).collect::<Vec<_>>().join(" ")
    };
    let nginx = Command::new(program("nginx")?).arg("-v").output()?;
    let nginx = String::from_utf8_lossy(&nginx.stderr).into_owned();
    let haproxy = output(Command::new(program("haproxy")?).arg("-v"))?;
    // Says its version as part of its usage, and exits with 1.
    let wrk = Command::new(program("wrk")?).arg("-v").output()?;
    let curl = output(Command::new(program("curl")?).arg("--version"))?;
    let python =
        "import sqlite3, sys; print(sys.version.split()[0], 'with SQLite', sqlite3.sqlite_version)";
    let python = output(Command::new("python3").args(["-c", python]))?;
    Ok(vec![
        words(&output(Command::new(&bench.binary).arg("--version"))?, 2),
        words(nginx.trim_start_matches("nginx version: "), 1),
        words(&haproxy.replacen(" version ", " ", 1), 2),
        format!("moto {}", moto_version(bench)?),
        words(&curl, 2),
        words(&String::from_utf8_lossy(&wrk.stdout), 2),
        format!("Python {}", python.trim()),
    ])
}
