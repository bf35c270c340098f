//! What was found, for the terminal and for `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde::Serialize;

use super::noise::{LIMIT, Tally};
use super::options::Benchmark;
use super::process::output;
use super::stats::Samples;
use super::{Bench, proc, tools};

/// What a figure counts.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) enum Unit {
    /// Given in seconds.
    Time,
    /// Given in bytes.
    Bytes,
    PerSecond,
    BytesPerSecond,
    /// CPU time per time: 1 is a whole core.
    Cores,
}

impl Unit {
    /// What a value of about this size is divided by, and the name of that.
    fn scale(self, value: f64) -> (f64, &'static str) {
        const MIB: f64 = 1024.0 * 1024.0;
        let value = value.abs();
        match self {
            Self::Time if value >= 1.0 => (1.0, " s"),
            Self::Time if value >= 1e-3 => (1e-3, " ms"),
            Self::Time => (1e-6, " µs"),
            Self::Bytes if value >= MIB => (MIB, " MiB"),
            Self::Bytes if value >= 1024.0 => (1024.0, " KiB"),
            Self::Bytes => (1.0, " bytes"),
            Self::PerSecond => (1.0, "/s"),
            Self::BytesPerSecond => (MIB, " MiB/s"),
            Self::Cores => (0.01, " % of a core"),
        }
    }

    fn show(self, value: f64) -> String {
        let (divisor, name) = self.scale(value);
        format!("{}{name}", digits(value / divisor))
    }
}

/// Three digits that mean something; thousands are set apart.
fn digits(value: f64) -> String {
    let whole = |value: f64| {
        let text = format!("{:.0}", value.abs());
        let mut out = String::from(if value < 0.0 { "-" } else { "" });
        for (at, digit) in text.chars().enumerate() {
            if at > 0 && (text.len() - at) % 3 == 0 {
                out.push(',');
            }
            out.push(digit);
        }
        out
    };
    match value.abs() {
        // Such as a ratio to nothing at all.
        _ if !value.is_finite() => "–".into(),
        small if small < 9.995 => format!("{value:.2}"),
        small if small < 99.95 => format!("{value:.1}"),
        _ => whole(value),
    }
}

/// What the issue asks of a figure.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) enum Target {
    /// The subject's own figure, in its unit.
    AtMost(f64),
    /// Its ratio to the first peer.
    RatioAtLeast(f64),
    RatioAtMost(f64),
}

/// One line of a section: the subject beside its peers.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    pub(super) what: String,
    pub(super) unit: Unit,
    pub(super) subject: Samples,
    pub(super) peers: Vec<(&'static str, Samples)>,
    pub(super) target: Option<Target>,
    /// A ratio nearer to the target than this can't be distinguished from it: so far apart equal
    /// things may come out.
    pub(super) resolution: Option<f64>,
}

impl Figure {
    pub(super) fn new<T>(
        what: impl Into<String>,
        unit: Unit,
        rounds: &[T],
        subject: impl Fn(&T) -> f64,
    ) -> Self {
        let subject = Samples::of(rounds, subject);
        Self { what: what.into(), unit, subject, peers: Vec::new(), target: None, resolution: None }
    }

    /// Beside it, in the same rounds.
    pub(super) fn beside<T>(
        mut self,
        name: &'static str,
        rounds: &[T],
        peer: impl Fn(&T) -> f64,
    ) -> Self {
        self.peers.push((name, Samples::of(rounds, peer)));
        self
    }

    pub(super) fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// The control: a subject compared with itself in the same rounds.
    pub(super) fn resolution(mut self, control: &Samples) -> Self {
        self.resolution = Some(control.error());
        self
    }

    /// The median, and the lowest and the highest in brackets.
    fn range(&self, samples: &Samples) -> String {
        let (divisor, _) = self.unit.scale(samples.median());
        let part = |value: f64| digits(value / divisor);
        let median = self.unit.show(samples.median());
        format!("{median} ({}–{})", part(samples.min()), part(samples.max()))
    }

    fn verdict(&self) -> (String, String) {
        let ratio =
            self.peers.first().map_or(f64::NAN, |(_, peer)| self.subject.over(peer).median());
        let name = self.peers.first().map_or("", |(name, _)| name);
        let (text, reached) = match self.target {
            None => return (String::new(), String::new()),
            Some(Target::AtMost(most)) => {
                (format!("≤ {}", self.unit.show(most)), self.subject.median() <= most)
            }
            Some(Target::RatioAtLeast(least)) => (format!("≥ {least:?} × {name}"), ratio >= least),
            Some(Target::RatioAtMost(most)) => (format!("≤ {most:?} × {name}"), ratio <= most),
        };
        let limit = match self.target {
            Some(Target::RatioAtLeast(limit) | Target::RatioAtMost(limit)) => limit,
            _ => f64::NAN,
        };
        let said = match self.resolution {
            _ if reached => "yes".into(),
            Some(resolution) if (ratio - limit).abs() <= resolution => {
                format!("level (± {resolution:.2})")
            }
            _ => "**no**".into(),
        };
        (text, said)
    }

    /// Cells of the lines of a table, one a peer.
    fn lines(&self) -> Vec<[String; 6]> {
        let (target, reached) = self.verdict();
        let subject = self.range(&self.subject);
        let first = [self.what.clone(), subject, String::new(), String::new(), target, reached];
        let mut lines = vec![first];
        for (at, (name, peer)) in self.peers.iter().enumerate() {
            if at > 0 {
                lines.push(std::array::from_fn(|_| String::new()));
            }
            lines[at][2] = format!("{name}: {}", self.range(peer));
            lines[at][3] = digits(self.subject.over(peer).median());
        }
        lines
    }
}

/// One benchmark.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    pub(super) title: &'static str,
    /// The two sides of a comparison.
    pub(super) intro: String,
    pub(super) figures: Vec<Figure>,
    /// What one must know to read the figures.
    pub(super) notes: Vec<String>,
    /// How they were got: commands, and what was done with them.
    pub(super) how: Vec<String>,
    pub(super) tally: Tally,
}

impl Section {
    pub(super) fn print(&self) {
        println!();
        for figure in &self.figures {
            let (target, reached) = figure.verdict();
            println!("{}: {}", figure.what, figure.range(&figure.subject));
            for (name, peer) in &figure.peers {
                let ratio = figure.subject.over(peer);
                println!(
                    "    {name}: {}; ratio {} ({}–{})",
                    figure.range(peer),
                    digits(ratio.median()),
                    digits(ratio.min()),
                    digits(ratio.max()),
                );
            }
            if !target.is_empty() {
                println!("    target {target}: {}", reached.trim_matches('*'));
            }
        }
        for note in &self.notes {
            println!("  - {note}");
        }
        println!("{}", self.rounds());
    }

    fn rounds(&self) -> String {
        let Tally { kept, discarded, disturbed, worst } = self.tally;
        let mut text = format!(
            "Rounds: {kept} kept, {discarded} discarded. Other processes used at most {:.1} % of the machine in a kept round.",
            worst * 100.0
        );
        if disturbed > 0 {
            let _ = write!(
                text,
                " **{disturbed} of the kept rounds were disturbed: the machine was never quiet long enough.**"
            );
        }
        text
    }

    fn markdown(&self, out: &mut String) {
        let _ = writeln!(out, "\n## {}\n\n{}\n", self.title, self.intro);
        table(
            out,
            ["", "`ovhai`", "compared with", "ratio", "target", "reached"],
            self.figures.iter(),
        );
        let _ = writeln!(out, "\n{}", self.rounds());
        if !self.notes.is_empty() {
            out.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(out, "- {note}");
        }
        out.push_str("\nHow:\n\n");
        for step in &self.how {
            let _ = writeln!(out, "- {step}");
        }
    }
}

fn table<'a>(out: &mut String, head: [&str; 6], figures: impl Iterator<Item = &'a Figure>) {
    let _ = writeln!(out, "| {} |\n| --- | --- | --- | ---: | --- | --- |", head.join(" | "));
    for figure in figures {
        for line in figure.lines() {
            let _ = writeln!(out, "| {} |", line.join(" | "));
        }
    }
}

/// A run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    date: String,
    /// What `ovhai` was built from.
    commit: String,
    machine: String,
    versions: Vec<String>,
    rounds: usize,
    command: String,
    pub(super) sections: Vec<Section>,
}

impl Report {
    pub(super) fn begin(bench: &Bench, root: &Path) -> Result<Self> {
        let date = output(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]))?;
        let git =
            |arguments: &[&str]| output(Command::new("git").arg("-C").arg(root).args(arguments));
        // Outside a repository there is no commit to name.
        let commit = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|_| "unknown".into());
        let changed = git(&["status", "--porcelain", "--untracked-files=no"]).unwrap_or_default();
        let changed = if changed.trim().is_empty() { "" } else { " with uncommitted changes" };
        let machine = format!(
            "{} cores of {}, {:.0} GiB of memory, Linux {}, scratch files on {}",
            std::thread::available_parallelism()?,
            proc::cpu_model(),
            proc::machine_memory(),
            proc::kernel(),
            proc::file_system(&std::env::temp_dir()),
        );
        let options = &bench.options;
        let by_name = |it: &&Benchmark| !(options.all && Benchmark::ALL.contains(it));
        let named = options.benchmarks.iter().filter(by_name).map(|it| it.name());
        let which: Vec<&str> = options.all.then_some("all").into_iter().chain(named).collect();
        let which = which.join(" ");
        let command = format!(
            "cargo xtask bench {which} --rounds {} --seconds {}{}",
            options.rounds,
            options.load.as_secs(),
            if options.access_log { "" } else { " --no-access-log" }
        );
        let commit = match &options.binary {
            Some(_) => "an executable given with --binary".into(),
            None => format!("commit {}{changed}", commit.trim()),
        };
        Ok(Self {
            date: date.trim().into(),
            commit,
            machine,
            versions: tools::versions(bench)?,
            rounds: options.rounds,
            command,
            sections: Vec::new(),
        })
    }

    pub(super) fn markdown(&self) -> String {
        let mut out = String::from(
            "# Benchmarks\n\n<!-- Written by `cargo xtask bench`; do not edit. -->\n\n",
        );
        let _ = writeln!(
            out,
            "`ovhai` compared with programs for the same purpose, on one machine in one run (`{}`), {}, \
             {}. Loads, servers and peers share the machine's cores.\n",
            self.command, self.date, self.commit
        );
        let _ = writeln!(out, "- Machine: {}.", self.machine);
        let _ = writeln!(out, "- Versions: {}.", self.versions.join(", "));
        let _ = writeln!(
            out,
            "- A figure is the median of {} rounds, with the lowest and the highest in brackets. `ovhai` and \
             its peers take turns within each round. A ratio is the median of the rounds' ratios, \
             `ovhai` divided by the peer.",
            self.rounds
        );
        let _ = writeln!(
            out,
            "- A round is discarded and repeated if other processes or other guests of the host used more \
             than {:.0} % of the machine's CPU time (`/proc/stat` minus the benchmark's process tree).",
            LIMIT * 100.0
        );
        let _ = writeln!(out, "\n## Targets\n");
        let figures = self.sections.iter().flat_map(|section| &section.figures);
        let aimed = figures.filter(|figure| figure.target.is_some());
        table(&mut out, ["", "`ovhai`", "compared with", "ratio", "target", "reached"], aimed);
        for section in &self.sections {
            section.markdown(&mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_for_people() {
        for (unit, value, expected) in [
            (Unit::Time, 0.012_345, "12.3 ms"),
            (Unit::Time, 0.000_042, "42.0 µs"),
            (Unit::Time, 1.5, "1.50 s"),
            (Unit::Bytes, 20.0 * 1024.0 * 1024.0, "20.0 MiB"),
            (Unit::Bytes, 1536.0, "1.50 KiB"),
            (Unit::Bytes, 12.0, "12.0 bytes"),
            (Unit::PerSecond, 1_234_567.0, "1,234,567/s"),
            (Unit::PerSecond, 123.4, "123/s"),
            (Unit::BytesPerSecond, 1536.0 * 1024.0 * 1024.0, "1,536 MiB/s"),
            (Unit::Bytes, f64::NAN, "– bytes"),
            (Unit::Time, -0.012, "-12.0 ms"),
            (Unit::Time, -1234.0, "-1,234 s"),
            (Unit::Cores, 0.004, "0.40 % of a core"),
        ] {
            assert_eq!(unit.show(value), expected);
        }
    }

    #[test]
    fn targets_are_judged_by_the_first_peer() {
        let rounds = [(6.0, 10.0, 1.0)];
        let figure = |target| {
            Figure::new("x", Unit::PerSecond, &rounds, |r| r.0)
                .beside("a", &rounds, |r| r.1)
                .beside("b", &rounds, |r| r.2)
                .target(target)
        };
        let reached = |target| figure(target).verdict().1;
        assert_eq!(reached(Target::RatioAtLeast(0.6)), "yes");
        assert_eq!(reached(Target::RatioAtLeast(0.7)), "**no**");
        assert_eq!(reached(Target::RatioAtMost(0.5)), "**no**");
        assert_eq!(reached(Target::AtMost(6.0)), "yes");
        assert_eq!(figure(Target::AtMost(6.0)).lines().len(), 2);
        // What can't be distinguished is neither.
        let blurred = |limit, control: [f64; 3]| {
            let control = Samples::of(&control, |value| *value);
            figure(Target::RatioAtLeast(limit)).resolution(&control).verdict().1
        };
        assert_eq!(blurred(0.6, [0.9, 1.0, 1.1]), "yes");
        assert_eq!(blurred(0.7, [0.9, 1.0, 1.1]), "level (± 0.14)");
        assert_eq!(blurred(0.7, [0.99, 1.0, 1.01]), "**no**");
    }
}
