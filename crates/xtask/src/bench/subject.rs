//! `ovhai emulator start` as the benchmarks start it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::http::{Connection, request};
use super::process::{Guard, Scratch, free_port};

/// Interval of polling for an answer.
pub(super) const POLL: Duration = Duration::from_micros(500);
/// Time-out for an answer.
const START_MAX: Duration = Duration::from_mins(2);
/// An app has this long to come to a state.
const STATE_MAX: Duration = Duration::from_secs(30);
/// Where the emulator says that it is there.
pub(super) const HEALTH: &str = "/_emulator/health";

/// Where the emulator's state is kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum State<'a> {
    Ephemeral,
    Directory(&'a Path),
}

/// The command that runs an emulator in the foreground.
pub(super) fn start_command(binary: &Path, state: State<'_>, port: u16) -> Command {
    let mut command = ovhai(binary);
    command.args(["emulator", "start"]);
    match state {
        State::Ephemeral => command.arg("--ephemeral"),
        State::Directory(path) => command.arg("--state-dir").arg(path),
    };
    // The loads make more apps than a project of the cloud may have.
    command.arg("--port").arg(port.to_string()).args(["--quota", "unlimited"]);
    command
}

/// `ovhai` without what the caller's environment says about it.
pub(super) fn ovhai(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OVHAI_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

/// `ovhai` with a state directory; a missing emulator is an error and not started again.
pub(super) fn here(binary: &Path, directory: &Path) -> Command {
    let mut command = ovhai(binary);
    command.env("OVHAI_AUTOSTART", "0").env("OVHAI_KEYRING", "0").env("OVHAI_STATE_DIR", directory);
    command
}

/// A process that answered, and the time it took from before it was spawned.
pub(super) struct Started {
    pub(super) process: Guard,
    pub(super) took: Duration,
}

/// Spawns a server and waits for its first 200.
pub(super) fn start(command: &mut Command, port: u16, path: &str, log: &Path) -> Result<Started> {
    let since = Instant::now();
    let mut process = Guard::spawn(command, log)?;
    match first_200(&mut process, port, path, since) {
        Ok(took) => Ok(Started { process, took }),
        Err(error) => Err(error.context(format!("its output: {}", tail(log)))),
    }
}

fn first_200(process: &mut Guard, port: u16, path: &str, since: Instant) -> Result<Duration> {
    let question = request("GET", path, &format!("127.0.0.1:{port}"), None, None);
    while since.elapsed() < START_MAX {
        if let Ok(mut connection) = Connection::open(port)
            && let Ok(answer) = connection.exchange(&question)
            && answer.status == 200
        {
            return Ok(since.elapsed());
        }
        process.check()?;
        std::thread::sleep(POLL);
    }
    bail!("no 200 from {path} within {} s", START_MAX.as_secs())
}

/// The last lines that a process wrote.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// What the emulator tells in its state directory.
#[derive(Deserialize)]
struct Running {
    administrator: String,
}

/// An emulator with a state directory.
pub(super) struct Emulator {
    process: Guard,
    pub(super) port: u16,
    pub(super) administrator: String,
    /// From before it was spawned to its first 200.
    pub(super) took: Duration,
}

impl Emulator {
    pub(super) fn start(binary: &Path, directory: &Path) -> Result<Self> {
        Self::start_with(binary, directory, &[])
    }

    /// The same with more arguments.
    pub(super) fn start_with(binary: &Path, directory: &Path, more: &[&str]) -> Result<Self> {
        let port = free_port()?;
        let mut command = start_command(binary, State::Directory(directory), port);
        command.args(more);
        // Beside the directory, not in it: the emulator owns that.
        let log = directory.with_extension("log");
        let Started { process, took } = start(&mut command, port, HEALTH, &log)?;
        let file = directory.join("emulator.json");
        let text = fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
        let Running { administrator } = serde_json::from_slice(&text)?;
        Ok(Self { process, port, administrator, took })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// A request of the administrator.
    pub(super) fn request(&self, method: &str, path: &str, body: Option<&str>) -> Vec<u8> {
        let host = format!("127.0.0.1:{}", self.port);
        request(method, path, &host, Some(&self.administrator), body)
    }

    /// A call of the administrator on a connection of its own; anything but success is an error.
    pub(super) fn call(&self, method: &str, path: &str, body: Option<&str>) -> Result<Value> {
        Connection::open(self.port)?
            .exchange(&self.request(method, path, body))
            .and_then(|answer| answer.json())
            .with_context(|| format!("{method} {path}"))
    }

    /// Submits an app and returns its id.
    pub(super) fn submit(&self, spec: &Value) -> Result<String> {
        let app = self.call("POST", "/v1/app", Some(&spec.to_string()))?;
        let id = app.get("id").and_then(Value::as_str).context("the new app has no id")?;
        Ok(id.to_owned())
    }

    /// Waits until an app is in a state.
    pub(super) fn wait_for(&self, id: &str, state: &str) -> Result<()> {
        let since = Instant::now();
        loop {
            let app = self.call("GET", &format!("/v1/app/{id}"), None)?;
            let status = app.get("status").unwrap_or(&Value::Null);
            let now = status.get("state").and_then(Value::as_str).unwrap_or_default();
            if now == state {
                return Ok(());
            }
            if since.elapsed() > STATE_MAX || matches!(now, "FAILED" | "ERROR") {
                bail!("the app {id} should be {state}: {status}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Creates a token that opens the apps of the group A; its string.
    pub(super) fn new_token(&self) -> Result<String> {
        let spec = r#"{"name":"bench","role":"ai_training_read","labelSelector":"group=A"}"#;
        let token = self.call("POST", "/v1/token", Some(spec))?;
        let value = token.pointer("/status/value").and_then(Value::as_str);
        Ok(value.context("a new token has no value")?.to_owned())
    }

    /// Host of an app at the gateway.
    pub(super) fn host(&self, id: &str) -> String {
        format!("{id}.app.gra.ai.localhost:{}", self.port)
    }

    /// Stops it and waits until it has ended.
    pub(super) fn stop(self) -> Result<()> {
        self.process.stop()
    }

    /// The same of one with much to end.
    pub(super) fn stop_within(self, time: Duration) -> Result<()> {
        self.process.stop_within(time)
    }
}

/// An empty place for an emulator's state; removed with the returned guard.
pub(super) fn state_directory() -> Result<(Scratch, PathBuf)> {
    let scratch = Scratch::new()?;
    let directory = scratch.join("state");
    Ok((scratch, directory))
}
