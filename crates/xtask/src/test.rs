//! `cargo xtask test`: installs what the tests need, and runs every one of them.
//!
//! What is installed stays in `target/test-env`: the official Python SDK, and what drives a
//! browser, in an environment of its own. Programs of the system (python3 with venv, curl, openssl,
//! certutil, Chromium) are installed with apt-get where they are missing and that is possible;
//! where it is not, this says what to install.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, is_installed, output, root};

/// The Python packages of tests: the SDK that the emulator is held to, and what drives a browser.
const PACKAGES: [&str; 3] = ["ovhai==0.1a4", "selenium==4.51.0", "grpcio==1.85.1"];
/// Programs that tests start, and the Debian packages that have them.
const PROGRAMS: [(&str, &str); 8] = [
    ("python3", "python3-venv"),
    ("curl", "curl"),
    ("setsid", "util-linux"),
    ("ps", "procps"),
    ("openssl", "openssl"),
    ("certutil", "libnss3-tools"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let python = install()?;
    crate::run::run(
        cargo()
            .args(["test", "--workspace", "--all-features", "--no-fail-fast"])
            .args(arguments)
            .env("OVHAI_TEST_PYTHON", &python),
    )
}

/// `cargo xtask screenshots`: takes the pictures that the documents show, anew.
pub(crate) fn screenshots() -> Result<()> {
    let python = install()?;
    crate::run::run(
        cargo()
            .args(["test", "--test", "it", "browser::the_login_page"])
            .env("OVHAI_TEST_PYTHON", &python)
            .env("OVHAI_TEST_SCREENSHOTS", root().join("docs/images")),
    )
}

/// Everything that tests need; the Python that has the packages.
fn install() -> Result<PathBuf> {
    install_programs()?;
    install_packages()
}

fn install_programs() -> Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !is_installed(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_installed("apt-get") {
        bail!(
            "the tests need what these Debian packages have; please install it: {}",
            missing.join(" ")
        );
    }
    println!("installing {}", missing.join(" "));
    crate::run::run(Command::new("apt-get").args(["update", "-qq"]))?;
    crate::run::run(
        Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
    .context("run it as root, or install these packages yourself")
}

/// The Python that has the packages.
fn install_packages() -> Result<PathBuf> {
    let environment = root().join("target/test-env/venv");
    let python = environment.join("bin/python");
    if has_packages(&python) {
        return Ok(python);
    }
    println!("installing {} into {}", PACKAGES.join(", "), environment.display());
    // What an interrupted run left is of no use.
    if environment.exists() {
        std::fs::remove_dir_all(&environment)?;
    }
    crate::run::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))
        .context("python3 with its venv module is needed (Debian: python3-venv)")?;
    crate::run::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(PACKAGES),
    )?;
    Ok(python)
}

fn has_packages(python: &Path) -> bool {
    let code = "import importlib.metadata as m, sys; print(*[p + '==' + m.version(p) for p in sys.argv[1:]])";
    let names = PACKAGES.iter().filter_map(|package| package.split("==").next());
    output(Command::new(python).args(["-c", code]).args(names))
        .is_ok_and(|said| String::from_utf8_lossy(&said).trim() == PACKAGES.join(" "))
}
