//! The cost of one run of a command beside another: wall time, CPU time, memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::noise::{self, Tally};
use super::proc::{self, TICK_MS};
use super::process::{Scratch, output, shell};
use super::report::{Figure, Target, Unit};
use super::stats::median;
use super::tools;

/// Runs of a command in a batch: CPU time is counted in ticks of 10 ms.
pub(super) const RUNS: u32 = 200;
/// Runs whose memory is measured. It hardly varies.
pub(super) const LOOKS: usize = 5;

/// One run of a command: times in seconds, on average; memory in bytes.
struct Cost {
    wall: f64,
    cpu: f64,
    memory: f64,
}

/// A command beside another that does the same.
pub(super) struct Contest {
    /// For who watches the run.
    pub(super) name: &'static str,
    /// Names of the figures: wall time, CPU time, memory.
    pub(super) figures: [&'static str; 3],
    pub(super) subject: Command,
    pub(super) peer: (&'static str, Command),
    /// Of the wall time.
    pub(super) target: Target,
}

struct Round {
    subject: Cost,
    peer: Cost,
}

impl Contest {
    /// Measures both in turn; answers wall time, CPU time and memory.
    pub(super) fn measure(&self, rounds: usize, tally: &mut Tally) -> Result<[Figure; 3]> {
        let (subject, (name, peer)) = (&self.subject, &self.peer);
        // Once unmeasured, so that all files are in the page cache.
        batch(subject)?;
        batch(peer)?;
        let measured = noise::rounds(rounds, self.name, |number| {
            // The order changes from round to round.
            if number % 2 == 0 {
                let subject = cost(subject)?;
                Ok(Round { subject, peer: cost(peer)? })
            } else {
                let peer = cost(peer)?;
                Ok(Round { subject: cost(subject)?, peer })
            }
        })?;
        *tally += measured.tally;
        let rounds = &measured.kept;
        let figure = |what, unit, of: fn(&Cost) -> f64| {
            Figure::new(what, unit, rounds, |round| of(&round.subject)).beside(
                name,
                rounds,
                |round| of(&round.peer),
            )
        };
        let [wall, cpu, memory] = self.figures;
        Ok([
            figure(wall, Unit::Time, |cost| cost.wall).target(self.target),
            figure(cpu, Unit::Time, |cost| cost.cpu),
            figure(memory, Unit::Bytes, |cost| cost.memory),
        ])
    }
}

fn cost(command: &Command) -> Result<Cost> {
    let (wall, cpu) = batch(command)?;
    Ok(Cost { wall, cpu, memory: memory(command)? })
}

/// The same command once more.
pub(super) fn again(command: &Command) -> Command {
    onto(Command::new(command.get_program()), command)
}

/// Gives a command the arguments and the environment of another.
fn onto(mut command: Command, of: &Command) -> Command {
    command.args(of.get_args());
    for (name, value) in of.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Runs a command many times; answers the wall time and the CPU time of one run.
fn batch(command: &Command) -> Result<(f64, f64)> {
    let (cpu, since) = (proc::ended_children()?, Instant::now());
    for _ in 0..RUNS {
        let mut command = again(command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().context("the command can't be started")?;
        if !status.success() {
            bail!("{} has failed: {status}", command.get_program().display());
        }
    }
    let (wall, cpu) = (since.elapsed(), proc::ended_children()? - cpu);
    let runs = f64::from(RUNS);
    Ok((wall.as_secs_f64() / runs, cpu as f64 * TICK_MS / 1e3 / runs))
}

/// The most memory that a run of a command had resident. `time` finds it: what the kernel counts
/// for a child begins with what its parent had, and `time` has hardly any.
fn memory(command: &Command) -> Result<f64> {
    let scratch = Scratch::new()?;
    let file = scratch.join("memory");
    let mut found = Vec::with_capacity(LOOKS);
    for _ in 0..LOOKS {
        output(&mut timed(command, &file)?)?;
        let text = std::fs::read_to_string(&file).context("time has written nothing")?;
        let kibibytes: f64 =
            text.trim().parse().with_context(|| format!("time has written {text:?}"))?;
        found.push(kibibytes * 1024.0);
    }
    Ok(median(&found))
}

/// The command under `time`, which writes the largest resident set to a file, in KiB.
fn timed(command: &Command, file: &Path) -> Result<Command> {
    let mut time = Command::new(tools::program("time")?);
    time.args(["-f", "%M", "-o"]).arg(file).arg("--").arg(command.get_program());
    Ok(onto(time, command))
}

/// How the memory of a command is found, as one types it.
pub(super) fn memory_shell() -> Result<String> {
    let mut time = Command::new(tools::program("time")?);
    time.args(["-f", "%M"]);
    Ok(shell(&time, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_command_again() {
        let mut command = Command::new("sh");
        command.args(["-c", "exit $A"]).env("A", "7").env_remove("PATH");
        let copy = again(&command);
        assert_eq!(copy.get_program(), command.get_program());
        assert!(copy.get_args().eq(command.get_args()));
        assert!(copy.get_envs().eq(command.get_envs()));
    }
}
