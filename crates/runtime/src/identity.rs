//! Processes, distinguished from others with the same number: later ones, and those of another
//! container.
//!
//! On Linux an identity is the process's number, its start time, the boot of the kernel and the
//! process namespace. Elsewhere it is the number alone, and not exact.

use std::io;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub pid: u32,
    /// Its start time, in clock ticks since boot; none where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<u64>,
    /// The boot of the kernel, and the process namespace.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    place: String,
}

impl Identity {
    /// The process that has this number now, unless it has ended.
    pub fn of(pid: u32) -> Option<Self> {
        #[cfg(target_os = "linux")]
        if let Some(stat) = Stat::of(pid) {
            let (started, place) = (Some(stat.started), place());
            return (!stat.has_ended()).then_some(Self { pid, started, place });
        }
        let exists = test_kill_process(raw(pid)?).is_ok();
        exists.then_some(Self { pid, started: None, place: String::new() })
    }

    /// This process.
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// An identity that is the number alone.
    pub fn numbered(pid: u32) -> Self {
        Self { pid, started: None, place: String::new() }
    }

    /// Whether no other process can be mistaken for it.
    pub fn is_exact(&self) -> bool {
        self.started.is_some()
    }

    /// Whether it belongs to this boot of the kernel and this namespace.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_of_here(&self) -> bool {
        self.is_exact() && self.place == place()
    }

    /// Whether another process was started after it, or in the same tick.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_before(&self, other: &Stat) -> bool {
        self.started.is_some_and(|started| started <= other.started)
    }

    /// Whether it runs, as far as the system tells.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).is_some_and(|now| now == *self || !self.is_exact())
    }

    /// Sends it a signal; says whether it was there.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        let Some(pid) = raw(self.pid) else { return Ok(false) };
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
            match pidfd_open(pid, PidfdFlags::empty()) {
                // The handle refers to the same process even when its number is reused.
                Ok(handle) => {
                    return if self.is_alive() {
                        was_there(pidfd_send_signal(handle, signal))
                    } else {
                        Ok(false)
                    };
                }
                Err(rustix::io::Errno::SRCH) => return Ok(false),
                // An old kernel.
                Err(_) => {}
            }
        }
        if self.is_alive() { was_there(kill_process(pid, signal)) } else { Ok(false) }
    }
}

fn raw(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn was_there(sent: rustix::io::Result<()>) -> io::Result<bool> {
    match sent {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::SRCH) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// See [`Identity::place`]; empty where the system does not tell.
#[cfg(target_os = "linux")]
fn place() -> String {
    let run = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{} {}", run.trim(), namespace.display())
}

/// What the kernel says of a process (`proc_pid_stat(5)`).
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stat {
    state: char,
    pub(crate) group: u32,
    pub(crate) session: u32,
    started: u64,
    /// CPU time, with that of the children it has waited for, in clock ticks.
    pub(crate) ticks: u64,
}

#[cfg(target_os = "linux")]
impl Stat {
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // After the program's name, which may have blanks and parentheses.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            state: fields.first()?.chars().next()?,
            group: fields.get(2)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            started: number(19)?,
            ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        })
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().expect("it starts")
    }

    #[test]
    fn a_process_is_signalled_and_another_with_its_number_is_not() {
        let mut child = sleeper();
        let identity = Identity::of(child.id()).expect("it runs");
        assert!(identity.is_exact() && identity.is_alive());
        for other in [
            Identity { started: Some(1), ..identity.clone() },
            Identity { place: "another run".into(), ..identity.clone() },
        ] {
            assert!(!other.is_alive(), "{other:?}");
            assert!(!other.signal(Signal::KILL).expect("asked"), "{other:?}");
        }
        assert!(child.try_wait().expect("asked").is_none(), "it was left alone");

        assert!(identity.signal(Signal::KILL).expect("sent"));
        // It stays in the table of processes until its parent looks, and has ended all the same.
        while identity.is_alive() {
            std::thread::yield_now();
        }
        child.wait().expect("ended");
        assert!(!identity.signal(Signal::KILL).expect("asked"));
    }

    #[test]
    fn an_identity_can_be_kept() {
        let own = Identity::own().expect("it runs");
        let kept = serde_json::to_string(&own).expect("JSON");
        assert_eq!(serde_json::from_str::<Identity>(&kept).expect("read"), own);
        assert!(!Identity::numbered(own.pid).is_exact());
    }
}
