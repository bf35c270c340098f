//! `cargo xtask test`: installs what the tests need, and runs every one of them.
//!
//! What is installed stays in `target/test-env`: the official Python SDK and what drives a browser
//! in one environment, the frameworks of the apps in tests/apps in another, what the wheel is built and
//! tested with in a third, and axe-core. Programs of
//! the system (python3 with venv, curl, openssl, certutil, Chromium, Java, npm) are installed with apt-get where
//! they are missing and that is possible; where it is not, this says what to install. Container
//! engines and registries run while the tests do ([`crate::engines`]).

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::engines::{self, Engines};
use crate::run::{cargo, is_installed, output, root};

/// The Python packages of tests: the SDK that the emulator is held to, and what drives a browser.
const PACKAGES: [&str; 3] = ["ovhai==0.1a4", "selenium==4.51.0", "grpcio==1.85.1"];
/// Finds what makes pages hard to use; one script, which has no dependencies.
const AXE: &str = "axe-core";
const AXE_VERSION: &str = "4.14.1";
/// Programs that tests start, and the Debian packages that have them.
const PROGRAMS: [(&str, &str); 16] = [
    ("python3", "python3-venv"),
    ("curl", "curl"),
    ("setsid", "util-linux"),
    ("ps", "procps"),
    ("strace", "strace"),
    ("ip", "iproute2"),
    ("openssl", "openssl"),
    ("dbus-run-session", "dbus-daemon"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("secret-tool", "libsecret-tools"),
    ("certutil", "libnss3-tools"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("javac", JAVA),
    ("keytool", JAVA),
    ("npm", "npm"),
];

/// Where both of Java's programs are: the machine's store of certificates, and a compiler.
const JAVA: &str = "default-jdk-headless";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let python = install()?;
    let axe = install_axe()?;
    let apps = install_frameworks()?;
    let wheel = install_wheel_tools()?;
    {
        let engines = Engines::start()?;
        crate::run::run(
            cargo()
                .args(["test", "--workspace", "--all-features", "--no-fail-fast"])
                .args(arguments)
                .env("OVHAI_TEST_PYTHON", &python)
                .env("OVHAI_TEST_AXE", &axe)
                .env("OVHAI_TEST_APPS_PYTHON", &apps)
                .env("OVHAI_TEST_WHEEL_PYTHON", &wheel)
                .env("OVHAI_TEST_PASSWORD", engines::PASSWORD)
                .envs(engines.environment()),
        )?;
        let has_all = arguments.is_empty() || arguments.iter().any(|word| word == "engines");
        if has_all && engines.has_own_docker() {
            println!("an engine that is killed");
            crate::run::run(
                cargo()
                    .args(["test", "--workspace", "--all-features", "--test", "engines"])
                    .args(["--", "--ignored", "docker_is_killed_and_started_again"])
                    .envs(engines.environment()),
            )?;
        }
    }
    if arguments.is_empty() { without_logs(&python, &axe, &apps, &wheel) } else { Ok(()) }
}

/// Runs the tests of the executable again, with emulators that can't write their log.
fn without_logs(python: &Path, axe: &Path, apps: &Path, wheel: &Path) -> Result<()> {
    for stderr in ["full", "closed"] {
        println!("emulators whose standard error is {stderr}");
        crate::run::run(
            // The features of the first run: others would compile everything again.
            cargo()
                .args(["test", "--workspace", "--all-features", "--no-fail-fast", "--test", "it"])
                .env("OVHAI_TEST_PYTHON", python)
                .env("OVHAI_TEST_AXE", axe)
                .env("OVHAI_TEST_APPS_PYTHON", apps)
                .env("OVHAI_TEST_WHEEL_PYTHON", wheel)
                .env("OVHAI_TEST_STDERR", stderr)
                // Minutes in a browser, which shows no log.
                .args(["--", "--skip", "console_browser::"]),
        )?;
    }
    Ok(())
}

/// `cargo xtask screenshots`: takes pictures of all pages of the console; with `--docs` also those of
/// the documents.
pub(crate) fn screenshots(arguments: &[String]) -> Result<()> {
    let takes_documents = match arguments {
        [] => false,
        [word] if word == "--docs" => true,
        other => bail!("unknown arguments {other:?}; use none or --docs"),
    };
    let python = install()?;
    let axe = install_axe()?;
    let pictures = root().join("target/screenshots");
    let take = |test: &str, directory: &Path| {
        crate::run::run(
            cargo()
                .args(["test", "--workspace", "--all-features", "--test", "it", test])
                .env("OVHAI_TEST_PYTHON", &python)
                .env("OVHAI_TEST_AXE", &axe)
                .env("OVHAI_TEST_SCREENSHOTS", directory),
        )
    };
    take("console_browser::every_page", &pictures)?;
    println!("the pictures are in {}", pictures.display());
    if takes_documents {
        let documents = root().join("docs/images");
        take("browser::the_login_page", &documents)?;
        for scheme in ["light", "dark"] {
            let name = format!("console-{scheme}.png");
            std::fs::copy(pictures.join(&name), documents.join(&name))?;
        }
    }
    Ok(())
}

/// Everything that tests need; the Python that has the packages.
fn install() -> Result<PathBuf> {
    install_programs()?;
    install_packages()
}

fn install_programs() -> Result<()> {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !is_installed(program))
        .map(|(_, package)| *package)
        .collect();
    missing.extend(engines::missing());
    missing.dedup();
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
    let packages: Vec<String> = PACKAGES.map(str::to_owned).into();
    install_into("venv", &packages, &[])
}

/// The Python that has the frameworks, which are many and large.
fn install_frameworks() -> Result<PathBuf> {
    let packages = requirements("tests/apps/requirements.txt")?;
    // The list is complete; and nothing is built from sources, which would need compilers.
    install_into("apps-venv", &packages, &["--no-deps", "--only-binary=:all:"])
}

/// The Python that has what the wheel is built and tested with.
fn install_wheel_tools() -> Result<PathBuf> {
    let packages = requirements("tests/wheel/requirements.txt")?;
    // The SDK is published as sources only, all of them Python.
    let options = ["--no-deps", "--only-binary=:all:", "--no-binary=ovhai"];
    install_into("wheel-venv", &packages, &options)
}

/// The packages that a file lists.
fn requirements(file: &str) -> Result<Vec<String>> {
    let list = root().join(file);
    let text = std::fs::read_to_string(&list)
        .with_context(|| format!("{} can't be read", list.display()))?;
    let lines = text.lines().map(str::trim);
    Ok(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
}

/// Fetches axe-core, unless it is there; its script.
fn install_axe() -> Result<PathBuf> {
    let directory = root().join("target/test-env").join(format!("{AXE}-{AXE_VERSION}"));
    let script = directory.join("package/axe.min.js");
    if script.is_file() {
        return Ok(script);
    }
    println!("installing {AXE} {AXE_VERSION} into {}", directory.display());
    std::fs::create_dir_all(&directory)?;
    let package = format!("{AXE}@{AXE_VERSION}");
    crate::run::run(
        Command::new("npm").args(["pack", "--silent", &package]).current_dir(&directory),
    )?;
    let archive = format!("{AXE}-{AXE_VERSION}.tgz");
    crate::run::run(Command::new("tar").args(["-xzf", &archive]).current_dir(&directory))?;
    std::fs::remove_file(directory.join(archive))?;
    Ok(script)
}

/// Makes an environment with just these packages, unless it is there; its Python.
pub(crate) fn install_into(name: &str, packages: &[String], options: &[&str]) -> Result<PathBuf> {
    let environment = root().join("target/test-env").join(name);
    let python = environment.join("bin/python");
    if has_packages(&python, packages) {
        return Ok(python);
    }
    println!("installing {} Python packages into {}", packages.len(), environment.display());
    // What an interrupted run left is of no use.
    if environment.exists() {
        std::fs::remove_dir_all(&environment)?;
    }
    crate::run::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))
        .context("python3 with its venv module is needed (Debian: python3-venv)")?;
    crate::run::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(options)
            .args(packages),
    )?;
    Ok(python)
}

fn has_packages(python: &Path, packages: &[String]) -> bool {
    let code = "import importlib.metadata as m, sys; print(*[p + '==' + m.version(p) for p in sys.argv[1:]])";
    let names = packages.iter().filter_map(|package| package.split("==").next());
    output(Command::new(python).args(["-c", code]).args(names))
        .is_ok_and(|said| String::from_utf8_lossy(&said).trim() == packages.join(" "))
}
