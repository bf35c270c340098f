//! CPU time and memory of a replica's processes, as the kernel counts them.
//!
//! The processes are those of the supervisor's session. The CPU time of one that has ended counts in
//! its parent, once that has waited for it; the supervisor adopts orphans. Linux only.

use ovhai_core::ports::ReplicaUsage;

/// What the processes of a session use; none if there are none. Blocks for some milliseconds.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of_session(_session: u32) -> Option<ReplicaUsage> {
    None
}

/// What the processes of a session use; none if there are none. Blocks for some milliseconds.
#[cfg(target_os = "linux")]
pub(crate) fn of_session(session: u32) -> Option<ReplicaUsage> {
    use std::time::Duration;

    use crate::identity::Stat;

    /// Clock ticks a second that the kernel shows to programs (`time(7)`, `USER_HZ`).
    const TICKS: u32 = 100;

    let members: Vec<(u32, Stat)> = std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| Some((pid, Stat::of(pid)?)))
        .filter(|(_, stat)| stat.session == session)
        .collect();
    if members.is_empty() {
        return None;
    }
    let ticks: u64 = members.iter().map(|(_, stat)| stat.ticks).sum();
    let cpu = Duration::from_millis(ticks * u64::from(1000 / TICKS));
    Some(ReplicaUsage { cpu, memory: members.iter().map(|(pid, _)| memory(*pid)).sum() })
}

/// Memory of a process, in bytes; 0 if it has ended.
#[cfg(target_os = "linux")]
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes =
        line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Read;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    #[test]
    fn usage_includes_processes_that_have_ended() {
        // The shell waits for what it starts, and is the session's only process then.
        let burn = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let script = format!("sh -c '{burn}'; echo done; exec sleep 600");
        let mut child = Command::new("setsid")
            .args(["sh", "-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = [0; 5];
        child.stdout.as_mut().expect("piped").read_exact(&mut said).expect("it says so");
        let used = of_session(child.id()).expect("it runs");
        assert!(used.cpu >= Duration::from_millis(20), "{used:?}");
        assert!(used.memory > 0, "{used:?}");
        let again = of_session(child.id()).expect("it runs");
        assert!(again.cpu >= used.cpu, "it is a counter: {used:?}, then {again:?}");
        child.kill().and_then(|()| child.wait()).expect("ended");
        assert_eq!(of_session(child.id()), None);
    }
}
