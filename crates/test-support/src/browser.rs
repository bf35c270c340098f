//! Scripts in tests/browser, which drive a real Chromium.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ovhai_emulator::state::StateDir;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{TestCli, TestEmulator, documents};

/// `cargo xtask test` makes the environment, installs the browser, and names its Python here.
const PYTHON: &str = "OVHAI_TEST_PYTHON";

/// `cargo xtask screenshots` names here where the documents' pictures go.
const SCREENSHOTS: &str = "OVHAI_TEST_SCREENSHOTS";

/// Path of axe-core's script, which `cargo xtask test` installs.
const AXE: &str = "OVHAI_TEST_AXE";

/// A watchdog: no script takes as long, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(10);

/// A directory. Dropping it kills the processes whose command lines contain it.
#[derive(Debug)]
pub struct Home(TempDir);

impl Default for Home {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Home {
    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Processes whose command lines contain its path.
    pub fn left(&self) -> Vec<Pid> {
        let directory = self.path().to_str().unwrap();
        let is_ours = |pid: &Pid| {
            let words = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
            words.is_ok_and(|words| String::from_utf8_lossy(&words).contains(directory))
        };
        let processes = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?));
        processes.filter(is_ours).collect()
    }

    /// Waits until none of its processes is left.
    pub async fn wait_until_left(&self, what: &str) {
        crate::eventually(what, || async { self.left().is_empty().then_some(()) }).await;
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A process that is being killed may still start another.
        crate::eventually_now("no process of this home is left", || {
            let left = self.left();
            for pid in &left {
                let _ = kill_process(*pid, Signal::KILL);
            }
            left.is_empty().then_some(())
        });
    }
}

/// A running script, in a home that the command lines of all its browsers contain.
#[derive(Debug)]
pub struct Script {
    child: Child,
    home: Home,
}

impl Script {
    /// Starts a script of tests/browser in a home of its own; `more` are parameters of its own.
    pub fn start(e: &TestEmulator, name: &str, more: Value) -> Self {
        Self::start_in(Home::default(), e, name, more)
    }

    /// Starts a script in this home.
    pub fn start_in(home: Home, e: &TestEmulator, name: &str, more: Value) -> Self {
        Self::start_at(home, e.address(), e.emulator.administrator(), name, more)
    }

    /// Starts a script that also runs commands, against the emulator of a command line.
    pub fn start_with(cli: &TestCli, name: &str) -> Self {
        let running = StateDir::new(cli.state_dir()).running().expect("a running emulator");
        let axe = std::env::var_os(AXE).unwrap_or_else(|| {
            panic!(
                "{AXE} is not set: run the tests with `cargo xtask test`, which installs axe-core"
            )
        });
        let home = Home::default();
        let environment: serde_json::Map<_, _> = cli
            .environment()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_str().unwrap().into()))
            .collect();
        let more = json!({
            "ovhai": cli.executable(),
            "environment": environment,
            "axe": PathBuf::from(axe),
        });
        Self::start_at(home, running.address, &running.administrator, name, more)
    }

    fn start_at(
        home: Home,
        address: SocketAddr,
        administrator: &str,
        name: &str,
        more: Value,
    ) -> Self {
        let python = std::env::var_os(PYTHON).unwrap_or_else(|| {
            panic!("{PYTHON} is not set: run the tests with `cargo xtask test`, which installs Chromium and what drives it")
        });
        let script = documents::root().join("tests/browser").join(name);
        let file = |name: &str| std::fs::File::create(home.path().join(name)).unwrap();
        let mut child = Command::new(python)
            // No bytecode is left beside the modules that it imports.
            .arg("-B")
            .arg(script)
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .stdin(Stdio::piped())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        let mut given = json!({
            "address": address.to_string(),
            "administrator": administrator,
            "directory": home.path(),
            "screenshots": std::env::var_os(SCREENSHOTS).map(PathBuf::from),
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            given[name] = value.clone();
        }
        // Not as arguments, which every user of the machine can see.
        child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
        Self { child, home }
    }

    fn said(&self, stream: &str) -> String {
        std::fs::read_to_string(self.home.path().join(stream)).unwrap_or_default()
    }

    /// Waits for its end; it has to succeed and to leave no process.
    pub async fn end(mut self) {
        let ended = crate::eventually_within(PATIENCE, || self.child.try_wait().unwrap());
        let status = ended.await;
        let (said, complained) = (self.said("stdout"), self.said("stderr"));
        eprint!("{said}");
        assert!(status.is_some_and(|status| status.success()), "{status:?}\n{said}\n{complained}");
        assert!(
            said.lines().last().is_some_and(|line| line.ends_with(" passed, 0 failed")),
            "{said}"
        );
        self.home.wait_until_left("browsers that the script left").await;
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
