//! CPU time and memory of a container.
//!
//! Where the engine is this machine's, the kernel's counters of the container's control group are
//! read: the same on both engines, without a call. Elsewhere the engine is asked. Memory is the
//! working set: without the file cache that the kernel may drop.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::models::ContainerStatsResponse;
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt;
use ovhai_core::ports::ReplicaUsage;

use crate::engine::Engine;

/// A container that runs.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) engine: std::sync::Arc<Engine>,
    pub(crate) id: String,
    pub(crate) pid: i64,
}

/// What it has used; none if nothing tells.
pub(crate) async fn of(running: Running) -> Option<ReplicaUsage> {
    let Running { engine, id, pid } = running;
    let own = {
        let id = id.clone();
        tokio::task::spawn_blocking(move || of_group(Path::new("/"), pid, &id)).await
    };
    if let Ok(Some(usage)) = own {
        return Some(usage);
    }
    let options = StatsOptionsBuilder::default().stream(false).build();
    let stats = engine.docker.stats(&id, Some(options)).next().await?.ok()?;
    of_stats(&stats)
}

fn of_stats(stats: &ContainerStatsResponse) -> Option<ReplicaUsage> {
    let cpu = stats.cpu_stats.as_ref()?.cpu_usage.as_ref()?.total_usage?;
    let memory = stats.memory_stats.as_ref()?;
    let cache = memory.stats.as_ref().and_then(|stats| {
        stats.get("total_inactive_file").or_else(|| stats.get("inactive_file")).copied()
    });
    Some(ReplicaUsage {
        cpu: Duration::from_nanos(cpu),
        memory: memory.usage?.saturating_sub(cache.unwrap_or(0)),
    })
}

/// The counters of a process's control group, which has to be the container's. `root` is `/` but in
/// tests.
fn of_group(root: &Path, pid: i64, id: &str) -> Option<ReplicaUsage> {
    if pid <= 0 || id.is_empty() {
        return None;
    }
    let groups = std::fs::read_to_string(root.join(format!("proc/{pid}/cgroup"))).ok()?;
    let mounts = root.join("sys/fs/cgroup");
    let of = |controller: &str| {
        groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            controllers.split(',').any(|it| it == controller).then_some(path)
        })
    };
    let at = |controller: &str, path: &str| -> Option<PathBuf> {
        // The number may be another process's by now, or one of another machine.
        let path = path.contains(id).then(|| path.trim_start_matches('/'))?;
        Some(mounts.join(controller).join(path))
    };
    let number = |file: PathBuf| std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let field = |file: PathBuf, name: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok())
    };
    if let (Some(cpu), Some(memory)) = (of("cpuacct"), of("memory")) {
        let memory = at("memory", memory)?;
        let usage = number(memory.join("memory.usage_in_bytes"))?;
        let cache = field(memory.join("memory.stat"), "total_inactive_file ").unwrap_or(0);
        let cpu = number(at("cpuacct", cpu)?.join("cpuacct.usage"))?;
        return Some(ReplicaUsage {
            cpu: Duration::from_nanos(cpu),
            memory: usage.saturating_sub(cache),
        });
    }
    let group = at("", of("")?)?;
    let usage = number(group.join("memory.current"))?;
    let cache = field(group.join("memory.stat"), "inactive_file ").unwrap_or(0);
    let cpu = field(group.join("cpu.stat"), "usage_usec ")?;
    Some(ReplicaUsage { cpu: Duration::from_micros(cpu), memory: usage.saturating_sub(cache) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        for (path, text) in all {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("inside")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        root
    }

    #[test]
    fn control_groups_of_both_versions() {
        let first = files(&[
            ("proc/7/cgroup", "9:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/docker/abc\n"),
            ("sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", "32900000\n"),
            (
                "sys/fs/cgroup/memory/docker/abc/memory.stat",
                "inactive_file 5\ntotal_inactive_file 31500000\n",
            ),
            ("sys/fs/cgroup/cpuacct/docker/abc/cpuacct.usage", "1500000000\n"),
        ]);
        let used = of_group(first.path(), 7, "abc").expect("it is readable");
        assert_eq!((used.cpu, used.memory), (Duration::from_millis(1500), 1_400_000));
        assert_eq!(of_group(first.path(), 7, "other"), None, "another container's process");
        assert_eq!(of_group(first.path(), 8, "abc"), None);

        let second = files(&[
            ("proc/7/cgroup", "0::/system.slice/docker-abc.scope\n"),
            ("sys/fs/cgroup/system.slice/docker-abc.scope/memory.current", "1000\n"),
            (
                "sys/fs/cgroup/system.slice/docker-abc.scope/memory.stat",
                "anon 1\ninactive_file 1200\n",
            ),
            (
                "sys/fs/cgroup/system.slice/docker-abc.scope/cpu.stat",
                "usage_usec 2500\nuser_usec 1\n",
            ),
        ]);
        let used = of_group(second.path(), 7, "abc").expect("it is readable");
        assert_eq!((used.cpu, used.memory), (Duration::from_micros(2500), 0), "never below 0");
    }

    #[test]
    fn statistics_of_both_engines() {
        let of = |json: &str| of_stats(&serde_json::from_str(json).expect("statistics"));
        let docker = r#"{"id":"1","cpu_stats":{"cpu_usage":{"total_usage":5}},
            "memory_stats":{"usage":100,"stats":{"inactive_file":40}}}"#;
        let used = of(docker).expect("numbers");
        assert_eq!((used.cpu, used.memory), (Duration::from_nanos(5), 60));
        let podman =
            r#"{"cpu_stats":{"cpu_usage":{"total_usage":7}},"memory_stats":{"usage":100}}"#;
        assert_eq!(of(podman).map(|used| used.memory), Some(100));
        assert_eq!(of(r#"{"read":"0001-01-01T00:00:00Z"}"#), None, "one that has ended");
    }
}
