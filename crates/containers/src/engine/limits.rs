//! Limits of containers.

/// Which limits the engine can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory.
    pub memory: bool,
    /// CPU time.
    pub cpu: bool,
    /// Number of processes.
    pub pids: bool,
}

impl Limits {
    /// Those that both can set.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            memory: self.memory && other.memory,
            cpu: self.cpu && other.cpu,
            pids: self.pids && other.pids,
        }
    }
}
