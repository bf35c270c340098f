//! What is left of an app's process when its supervisor was killed.
//!
//! Every process of an app has [`VARIABLE`] in its environment, with a value that is the replica's
//! alone: by it those are found that left the process group and the session. Processes that have
//! cleared their environment are found by session and group. The register, a directory with a
//! record for each replica that runs, tells the next emulator what to look for when this one was
//! killed, too.
//!
//! Only processes that were started after the supervisor are looked at, and each is ended through a
//! handle that stays its own. Linux only: elsewhere nothing is known of other processes, and the
//! register is not kept.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::identity::Identity;
#[cfg(target_os = "linux")]
use crate::identity::Stat;

/// A variable in the environment of every process of an app.
pub const VARIABLE: &str = "OVHAI_REPLICA";

/// How long a supervisor whose emulator is gone has to end what it supervises.
const SUPERVISORS_TURN: Duration = Duration::from_secs(3);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// Number of looks before processes that keep starting others are given up.
const LOOKS: u32 = 200;

/// A replica that runs as a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The value of [`VARIABLE`].
    pub mark: String,
    /// Its supervisor, which leads a session.
    pub supervisor: Identity,
    /// The process group of the command, once it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
}

impl Record {
    /// Ends what is left, and says whether nothing is. Blocks for some milliseconds.
    pub fn end(&self) -> bool {
        for _ in 0..LOOKS {
            let left = self.processes();
            if left.is_empty() {
                return true;
            }
            for process in left {
                // It may have gone by itself.
                let _ = process.signal(rustix::process::Signal::KILL);
            }
            std::thread::sleep(PAUSE);
        }
        false
    }

    #[cfg(not(target_os = "linux"))]
    fn processes(&self) -> Vec<Identity> {
        Vec::new()
    }

    /// The processes of the app; the supervisor is none of them.
    #[cfg(target_os = "linux")]
    fn processes(&self) -> Vec<Identity> {
        if !self.supervisor.is_of_here() {
            return Vec::new();
        }
        let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
        processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| *pid != self.supervisor.pid && *pid != std::process::id())
            .filter(|pid| self.has(*pid))
            .filter_map(Identity::of)
            .collect()
    }

    #[cfg(target_os = "linux")]
    fn has(&self, pid: u32) -> bool {
        let Some(stat) = Stat::of(pid) else { return false };
        if stat.has_ended() || !self.supervisor.is_before(&stat) {
            return false;
        }
        if Some(stat.group) == self.group && stat.session == self.supervisor.pid {
            return true;
        }
        has_variable(pid, VARIABLE, &self.mark)
    }
}

/// Whether a process has this variable with this value. The environment of another user's process
/// can't be read.
#[cfg(target_os = "linux")]
fn has_variable(pid: u32, name: &str, value: &str) -> bool {
    let is_it = |variable: &[u8]| {
        let rest = variable.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        rest == Some(value.as_bytes())
    };
    let environment = std::fs::read(format!("/proc/{pid}/environ"));
    environment.is_ok_and(|all| all.split(|byte| *byte == 0).any(is_it))
}

/// Ends all processes, but this one, that have this variable with this value, and says whether none
/// is left. Blocks for some milliseconds. Elsewhere than on Linux no process is found.
pub fn end_marked(name: &str, value: &str) -> bool {
    for _ in 0..LOOKS {
        let left = marked(name, value);
        if left.is_empty() {
            return true;
        }
        for process in left {
            // It may have gone by itself.
            let _ = process.signal(rustix::process::Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
    false
}

#[cfg(not(target_os = "linux"))]
fn marked(_: &str, _: &str) -> Vec<Identity> {
    Vec::new()
}

#[cfg(target_os = "linux")]
fn marked(name: &str, value: &str) -> Vec<Identity> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != std::process::id())
        // Before the look at its environment: a number may be reused after it.
        .filter_map(Identity::of)
        .filter(|process| has_variable(process.pid, name, value))
        .collect()
}

/// The replicas that run, in a directory; or nowhere, for an emulator without one.
#[derive(Debug, Clone, Default)]
pub struct Register(Option<Arc<PathBuf>>);

/// A replica's entry in a register.
#[derive(Debug)]
pub(crate) struct Entry {
    register: Register,
    record: Record,
}

impl Register {
    /// The register in this directory, which is made when there is something to enter.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self(cfg!(target_os = "linux").then(|| Arc::new(directory.into())))
    }

    /// Enters a replica, before its command is started.
    pub(crate) fn enter(&self, record: Record) -> Entry {
        let entry = Entry { register: self.clone(), record };
        entry.write();
        entry
    }

    fn file(&self, mark: &str) -> Option<PathBuf> {
        self.0.as_ref().map(|directory| directory.join(format!("{mark}.json")))
    }

    /// What an emulator before this one has left there.
    fn records(&self) -> Vec<Record> {
        let files = self.0.as_ref().and_then(|directory| std::fs::read_dir(&**directory).ok());
        files
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|file| serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok())
            .collect()
    }

    fn strike(&self, record: &Record) {
        if let Some(file) = self.file(&record.mark) {
            // It may be gone with the directory, which is as well.
            let _ = std::fs::remove_file(file);
        }
    }

    /// Ends what is left of the processes of an emulator that was killed. To be called before
    /// anything is entered, by the emulator that holds the state directory. Those whose supervisor is still
    /// there are left to it, which gives them a moment to end in order; what it does not manage is
    /// ended in the background.
    pub fn end_what_is_left(&self) {
        let (supervised, orphaned): (Vec<_>, Vec<_>) =
            self.records().into_iter().partition(|record| record.supervisor.is_alive());
        for record in orphaned {
            self.end(&record);
        }
        if supervised.is_empty() {
            return;
        }
        let register = self.clone();
        std::thread::spawn(move || {
            let begun = std::time::Instant::now();
            for record in supervised {
                while record.supervisor.is_alive() && begun.elapsed() < SUPERVISORS_TURN {
                    std::thread::sleep(PAUSE);
                }
                register.end(&record);
            }
        });
    }

    fn end(&self, record: &Record) {
        if record.end() {
            self.strike(record);
        } else {
            tracing::warn!(mark = record.mark, "processes of an app can't be ended");
        }
    }
}

impl Entry {
    fn write(&self) {
        let Some(file) = self.register.file(&self.record.mark) else { return };
        if let Err(error) = write(&file, &self.record) {
            // The app is started all the same: the record is for the case that everything is
            // killed at once.
            tracing::warn!(%error, file = %file.display(), "a process can't be recorded");
        }
    }

    /// The command was started, in this group.
    pub(crate) fn started(&mut self, group: u32) {
        self.record.group = Some(group);
        self.write();
    }

    /// The supervisor has ended: in order, with all that it supervised, or not. Blocks for some
    /// milliseconds.
    pub(crate) fn close(self, in_order: bool) {
        if in_order {
            self.register.strike(&self.record);
        } else {
            self.register.end(&self.record);
        }
    }
}

fn write(file: &Path, record: &Record) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(directory) = file.parent() {
        // Not its parents: a state directory that was removed does not come back.
        let made = std::fs::DirBuilder::new().mode(0o700).create(directory);
        made.or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(()),
            _ => Err(error),
        })?;
    }
    let to =
        std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    Ok(serde_json::to_writer(to, record)?)
}
