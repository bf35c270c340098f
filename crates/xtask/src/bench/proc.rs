//! Facts about processes and the machine from `/proc`.

use std::collections::{HashMap, HashSet};
use std::fs;

use anyhow::{Context, Result};

/// CPU time in `/proc` is counted in ticks of this length: `USER_HZ` is 100 on every Linux.
pub(super) const TICK_MS: f64 = 10.0;

/// The process that all kernel threads are children of.
const KTHREADD: u32 = 2;

/// CPU time of one process, in ticks.
#[derive(Debug, Clone, Copy)]
struct Used {
    parent: u32,
    /// Of all its threads.
    own: u64,
    /// Of all its children that have ended and were waited for.
    ended: u64,
}

/// All processes at one moment.
#[derive(Debug)]
pub(super) struct Processes(HashMap<u32, Used>);

impl Processes {
    pub(super) fn now() -> Result<Self> {
        let entries = fs::read_dir("/proc").context("/proc can't be read: this needs Linux")?;
        let mut all = HashMap::new();
        for entry in entries {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // It may have ended meanwhile.
            if let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat"))
                && let Some(used) = parse_stat(&text)
            {
                all.insert(pid, used);
            }
        }
        Ok(Self(all))
    }

    /// A process and all that descend from it.
    pub(super) fn tree(&self, root: u32) -> HashSet<u32> {
        let mut tree = HashSet::from([root]);
        loop {
            let before = tree.len();
            for (pid, used) in &self.0 {
                if tree.contains(&used.parent) {
                    tree.insert(*pid);
                }
            }
            if tree.len() == before {
                return tree;
            }
        }
    }

    /// CPU time of living processes themselves, in ticks.
    pub(super) fn own(&self, pids: &HashSet<u32>) -> u64 {
        pids.iter().filter_map(|pid| self.0.get(pid)).map(|used| used.own).sum()
    }

    /// CPU time of a tree, with that of what has ended in it.
    pub(super) fn of_tree(&self, root: u32) -> u64 {
        self.total(&self.tree(root))
    }

    /// CPU time of the kernel's own threads.
    pub(super) fn of_kernel(&self) -> u64 {
        self.total(&self.tree(KTHREADD))
    }

    /// CPU time of everything that can be seen but the kernel and one tree.
    pub(super) fn of_others(&self, root: u32) -> u64 {
        let (tree, kernel) = (self.tree(root), self.tree(KTHREADD));
        let others = self.0.keys().filter(|pid| !tree.contains(pid) && !kernel.contains(pid));
        self.total(&others.copied().collect())
    }

    fn total(&self, pids: &HashSet<u32>) -> u64 {
        pids.iter().filter_map(|pid| self.0.get(pid)).map(|used| used.own + used.ended).sum()
    }
}

/// `/proc/<pid>/stat`; see `proc_pid_stat(5)`. The name in parentheses may hold anything.
fn parse_stat(text: &str) -> Option<Used> {
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Used {
        parent: u32::try_from(number(1)?).ok()?,
        own: number(11)? + number(12)?,
        ended: number(13)? + number(14)?,
    })
}

/// CPU time of children of this process that have ended, in ticks.
pub(super) fn ended_children() -> Result<u64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    Ok(parse_stat(&text).context("/proc/self/stat has an unknown form")?.ended)
}

/// CPU time of the whole machine since it was started, in ticks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine {
    /// In programs and in the kernel on their behalf, without interrupts.
    pub(super) busy: u64,
    /// Taken by other guests of the host.
    pub(super) stolen: u64,
}

impl Machine {
    pub(super) fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("/proc/stat can't be read")?;
        parse_machine(&text).context("/proc/stat has an unknown form")
    }
}

fn parse_machine(text: &str) -> Option<Machine> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<u64> =
        line.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [user, nice, system, _idle, _wait, _irq, _softirq, stolen] = *fields.first_chunk::<8>()?;
    Some(Machine { busy: user + nice + system, stolen })
}

/// Memory of a process and its descendants, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Memory {
    /// Resident set size.
    pub(super) rss: f64,
    /// Proportional set size: a page that n processes share counts 1/n.
    pub(super) pss: f64,
}

impl Memory {
    /// Of a process and all that descend from it.
    pub(super) fn of_tree(root: u32) -> Result<Self> {
        Self::of(&Processes::now()?.tree(root))
    }

    /// Of these processes.
    pub(super) fn of(pids: &HashSet<u32>) -> Result<Self> {
        Ok(Self { rss: resident(pids)?, pss: sum(pids, "smaps_rollup", "Pss:")? })
    }
}

/// Resident set size of these processes, in bytes.
pub(super) fn resident(pids: &HashSet<u32>) -> Result<f64> {
    sum(pids, "status", "VmRSS:")
}

/// The largest that they ever had, or since [`forget_peak`].
pub(super) fn peak(pids: &HashSet<u32>) -> Result<f64> {
    sum(pids, "status", "VmHWM:")
}

/// Sets back the largest resident set size to what it is now.
pub(super) fn forget_peak(pids: &HashSet<u32>) -> Result<()> {
    for pid in pids {
        fs::write(format!("/proc/{pid}/clear_refs"), "5")?;
    }
    Ok(())
}

/// A field of a file that each of them has in `/proc`, in bytes.
fn sum(pids: &HashSet<u32>, file: &str, name: &str) -> Result<f64> {
    let of = |pid: &u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}"))?;
        Ok(kibibytes(&text, name).with_context(|| format!("no {name}"))? * 1024.0)
    };
    pids.iter().map(of).sum()
}

fn kibibytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Number of threads of a process.
pub(super) fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// Number of files that this process and its children may open.
pub(super) fn open_files() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    soft.and_then(|soft| soft.parse().ok()).unwrap_or(u64::MAX)
}

/// The model of the processor.
pub(super) fn cpu_model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']))
        .to_owned()
}

/// Memory of the machine, in GiB.
pub(super) fn machine_memory() -> f64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    kibibytes(&text, "MemTotal:").unwrap_or(f64::NAN) / 1024.0 / 1024.0
}

/// The kernel's release.
pub(super) fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

/// The kind of the file system that a path lies on.
pub(super) fn file_system(path: &std::path::Path) -> String {
    let text = fs::read_to_string("/proc/mounts").unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let (_, at, kind) = (fields.next()?, fields.next()?, fields.next()?);
            path.starts_with(at).then_some((at.len(), kind))
        })
        .max_by_key(|(length, _)| *length)
        .map_or("unknown", |(_, kind)| kind)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_with_a_strange_name() {
        let line = "7 (a) b (c) S 5 7 7 0 -1 4194560 1 2 0 3 170 751 50 11 10 -10 13 0 25 4 5";
        let used = parse_stat(line).map(|used| (used.parent, used.own, used.ended));
        assert_eq!(used, Some((5, 921, 61)));
    }

    #[test]
    fn the_machine() {
        let machine = parse_machine("cpu  100 1 20 500 8 0 26 51 0 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n");
        assert_eq!(machine.map(|m| (m.busy, m.stolen)), Some((121, 51)));
    }

    #[test]
    fn a_tree_has_grandchildren() {
        let used = |parent| Used { parent, own: 1, ended: 0 };
        let all =
            HashMap::from([(1, used(0)), (5, used(1)), (6, used(5)), (7, used(6)), (8, used(1))]);
        let processes = Processes(all);
        assert_eq!(processes.tree(5), HashSet::from([5, 6, 7]));
        assert_eq!(processes.of_others(5), 2);
    }
}
