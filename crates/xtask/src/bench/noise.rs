//! Rounds, and whether the machine was left alone in them.
//!
//! CPU time of the machine that was not ours is found in two ways, and the larger counts: the
//! machine's busy time less that of our process tree and of the kernel's threads (in a container
//! other processes can't be seen), and the time of the other processes that can be seen (the
//! machine's busy time has no interrupts in it, ours has some). Time that the host took from
//! this guest is added.

use std::time::Instant;

use anyhow::Result;

use super::init;
use super::proc::{Machine, Processes, TICK_MS};

/// A larger share of the machine's CPU time than this in other hands spoils a round.
pub(super) const LIMIT: f64 = 0.05;
/// Less than this is within the clock's grain, in ticks.
const GRAIN: u64 = 4;
/// Maximum rounds to try per requested round.
const TRIES: usize = 3;

struct Watch {
    at: Instant,
    machine: Machine,
    processes: Processes,
}

impl Watch {
    fn start() -> Result<Self> {
        Ok(Self { at: Instant::now(), machine: Machine::now()?, processes: Processes::now()? })
    }

    /// The share of the machine's CPU time that others had since the start.
    fn share(&self) -> Result<f64> {
        let (machine, processes) = (Machine::now()?, Processes::now()?);
        let own = init::root();
        let busy = machine.busy.saturating_sub(self.machine.busy);
        let since =
            |of: &dyn Fn(&Processes) -> u64| of(&processes).saturating_sub(of(&self.processes));
        let ours = since(&|all| all.of_tree(own)) + since(&Processes::of_kernel);
        let others = since(&|all| all.of_others(own)).max(busy.saturating_sub(ours));
        let foreign = others + machine.stolen.saturating_sub(self.machine.stolen);
        if foreign <= GRAIN {
            return Ok(0.0);
        }
        let cores = std::thread::available_parallelism()?.get() as f64;
        let all = self.at.elapsed().as_secs_f64() * 1000.0 / TICK_MS * cores;
        Ok(foreign as f64 / all)
    }
}

/// The rounds of one measurement.
#[derive(Debug)]
pub(super) struct Rounds<T> {
    /// Those that count.
    pub(super) kept: Vec<T>,
    pub(super) tally: Tally,
}

/// How quiet it was.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub(super) struct Tally {
    /// Rounds that count.
    pub(super) kept: usize,
    /// Rounds that were measured and don't count.
    pub(super) discarded: usize,
    /// Rounds that count although the machine was busy, as there were not enough others.
    pub(super) disturbed: usize,
    /// The largest share of CPU time in other hands in a round that counts.
    pub(super) worst: f64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.kept += other.kept;
        self.discarded += other.discarded;
        self.disturbed += other.disturbed;
        self.worst = self.worst.max(other.worst);
    }
}

/// Measures until `wanted` rounds were undisturbed; gives up at three times as many and takes
/// the quietest. `round` gets the number of the round, from 0, by which it changes the order of
/// what it runs.
pub(super) fn rounds<T>(
    wanted: usize,
    what: &str,
    mut round: impl FnMut(usize) -> Result<T>,
) -> Result<Rounds<T>> {
    let mut measured = Vec::new();
    for number in 0..wanted * TRIES {
        let watch = Watch::start()?;
        let outcome = round(number)?;
        let share = watch.share()?;
        measured.push((share, number, outcome));
        let quiet = measured.iter().filter(|(share, ..)| *share <= LIMIT).count();
        let verdict = if share > LIMIT { ", discarded" } else { "" };
        println!(
            "  {what}: round {} (others had {:.1} % of the machine{verdict})",
            number + 1,
            share * 100.0
        );
        if quiet == wanted {
            break;
        }
    }
    Ok(choose(measured, wanted))
}

fn choose<T>(mut measured: Vec<(f64, usize, T)>, wanted: usize) -> Rounds<T> {
    let all = measured.len();
    measured.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The quietest rounds count.
    measured.truncate(wanted);
    measured.sort_by_key(|(_, number, _)| *number);
    let shares = measured.iter().map(|(share, ..)| *share);
    let tally = Tally {
        kept: measured.len(),
        discarded: all - measured.len(),
        disturbed: shares.clone().filter(|share| *share > LIMIT).count(),
        worst: shares.fold(0.0, f64::max),
    };
    Rounds { kept: measured.into_iter().map(|(.., outcome)| outcome).collect(), tally }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_rounds_count_only_in_need() {
        let busy = 4.0 * LIMIT;
        let rounds = choose(vec![(0.0, 0, 'a'), (busy, 1, 'b'), (0.01, 2, 'c')], 2);
        assert_eq!(rounds.kept, ['a', 'c']);
        assert_eq!((rounds.tally.discarded, rounds.tally.disturbed), (1, 0));
        let rounds = choose(vec![(busy, 0, 'a'), (0.0, 1, 'b'), (2.0 * busy, 2, 'c')], 2);
        assert_eq!(rounds.kept, ['a', 'b']);
        assert_eq!((rounds.tally.discarded, rounds.tally.disturbed), (1, 1));
    }
}
