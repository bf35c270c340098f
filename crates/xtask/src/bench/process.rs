//! Child processes and scratch directories that do not outlive their guards.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A process has this long to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);
/// Names of scratch directories begin with this, followed by the pid of the run.
const SCRATCH: &str = "ovhai-bench-";

/// A running process; ended when this is dropped.
#[derive(Debug)]
pub(super) struct Guard {
    child: Child,
    name: String,
}

impl Guard {
    /// Starts it without input; its output goes to `log`, whose end is shown if it fails.
    pub(super) fn spawn(command: &mut Command, log: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let file = fs::File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{name} can't be started"))?;
        Ok(Self { child, name })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Fails if it has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} has ended: {status}", self.name),
            None => Ok(()),
        }
    }

    /// Asks it to end and waits for it; one that does not end is killed, which is an error.
    pub(super) fn stop(mut self) -> Result<()> {
        self.end(GRACE)
    }

    /// The same with another time to end.
    pub(super) fn stop_within(mut self, time: Duration) -> Result<()> {
        self.end(time)
    }

    fn end(&mut self, grace: Duration) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let since = Instant::now();
        while asked.is_ok() && since.elapsed() < grace {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.child.kill()?;
        self.child.wait()?;
        bail!("{} did not end within {} s of being asked to", self.name, grace.as_secs())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // It was asked, then killed: no more can be done.
        let _ = self.end(GRACE);
    }
}

/// Removes what runs that were broken off (Ctrl-C drops no guard) have left.
pub(super) fn sweep() -> Result<()> {
    for entry in fs::read_dir(std::env::temp_dir())? {
        let entry = entry?;
        let name = entry.file_name();
        let run = name.to_str().and_then(|name| name.strip_prefix(SCRATCH)?.split('-').next());
        if let Some(pid) = run.and_then(|pid| pid.parse::<u32>().ok())
            && !Path::new(&format!("/proc/{pid}")).exists()
        {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// A directory of its own; removed when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("{SCRATCH}{}-{number}", std::process::id()));
        fs::create_dir(&path).with_context(|| format!("{} can't be made", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is left to the system's own cleaning.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A free port. It is below those that the system gives to outgoing
/// connections: a poll of such a port can connect to itself.
pub(super) fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 8_000;
    let start = u16::try_from(std::process::id() % u32::from(COUNT))?;
    for _ in 0..COUNT {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start + offset % COUNT) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {FIRST} on is free")
}

/// Runs a command to its end and returns what it printed; its failure is an error that shows
/// its complaints.
pub(super) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{name} can't be started"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}): {}", output.status, complaint.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program and its arguments.
pub(super) fn words(command: &Command) -> Vec<String> {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().into_owned())
        .collect()
}

/// A command as one types it, with parts replaced (secrets, scratch paths) by what they stand
/// for.
pub(super) fn shell(command: &Command, stand_ins: &[(&str, &str)]) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let mut text = String::new();
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            text = format!("{text}{}={} ", key.to_string_lossy(), value.to_string_lossy());
        }
    }
    text.push_str(&name.to_string_lossy());
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,%@+".contains(c);
        let quote = if argument.chars().all(plain) { "" } else { "'" };
        text = format!("{text} {quote}{argument}{quote}");
    }
    for (what, stand_in) in stand_ins.iter().filter(|(what, _)| !what.is_empty()) {
        text = text.replace(what, stand_in);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_as_typed() {
        let mut command = Command::new("/usr/bin/curl");
        command.env("A", "1").args(["-H", "Authorization: Bearer secret", "http://127.0.0.1:80/"]);
        assert_eq!(
            shell(&command, &[("secret", "$TOKEN"), ("", "never")]),
            "A=1 curl -H 'Authorization: Bearer $TOKEN' http://127.0.0.1:80/"
        );
    }

    #[test]
    fn a_guard_ends_its_process() -> Result<()> {
        let scratch = Scratch::new()?;
        let mut guard = Guard::spawn(Command::new("sleep").arg("60"), &scratch.join("log"))?;
        guard.check()?;
        guard.stop()
    }
}
