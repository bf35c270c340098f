//! Arguments of `cargo xtask bench`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub(super) const USAGE: &str = "\
usage: cargo xtask bench [emulator|gateway|shapes|changes|cli|labels|store|pipeline|containers|all|first-build]... [options]

  --rounds N       rounds that are kept of every measurement (5)
  --seconds S      length of one load (5)
  --binary PATH    measure this executable instead of building one
  --out PATH       write the report there
  --no-access-log  gateway: no proxy writes one, instead of all";

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Benchmark {
    Emulator,
    Gateway,
    Shapes,
    Changes,
    Cli,
    Labels,
    Store,
    Pipeline,
    Containers,
    FirstBuild,
}

impl Benchmark {
    /// Those of `all`. The first build takes minutes per round and is measured only by name.
    pub(super) const ALL: [Self; 9] = [
        Self::Emulator,
        Self::Gateway,
        Self::Shapes,
        Self::Changes,
        Self::Cli,
        Self::Labels,
        Self::Store,
        Self::Pipeline,
        Self::Containers,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Emulator => "emulator",
            Self::Gateway => "gateway",
            Self::Shapes => "shapes",
            Self::Changes => "changes",
            Self::Cli => "cli",
            Self::Labels => "labels",
            Self::Store => "store",
            Self::Pipeline => "pipeline",
            Self::Containers => "containers",
            Self::FirstBuild => "first-build",
        }
    }
}

/// See [`USAGE`].
#[derive(Debug)]
pub(super) struct Options {
    pub(super) benchmarks: Vec<Benchmark>,
    pub(super) all: bool,
    pub(super) rounds: usize,
    pub(super) load: Duration,
    pub(super) binary: Option<PathBuf>,
    pub(super) out: Option<PathBuf>,
    /// Whether proxies write an access log.
    pub(super) access_log: bool,
}

impl Options {
    /// Whether container engines are needed.
    pub(super) fn has_containers(&self) -> bool {
        self.benchmarks.contains(&Benchmark::Containers)
    }
}

/// The options, or none if help was asked for.
pub(super) fn parse(args: &[String]) -> Result<Option<Options>> {
    let mut options = Options {
        benchmarks: Vec::new(),
        all: false,
        rounds: super::PUBLISHED_ROUNDS,
        load: Duration::from_secs(5),
        binary: None,
        out: None,
        access_log: true,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value\n{USAGE}"));
        match arg.as_str() {
            "-h" | "--help" => return Ok(None),
            "--rounds" => options.rounds = positive(arg, value()?)?,
            "--seconds" => options.load = Duration::from_secs(positive(arg, value()?)? as u64),
            "--binary" => options.binary = Some(value()?.into()),
            "--out" => options.out = Some(value()?.into()),
            "--no-access-log" => options.access_log = false,
            "all" => options.all = true,
            name => match Benchmark::ALL
                .into_iter()
                .chain([Benchmark::FirstBuild])
                .find(|benchmark| benchmark.name() == name)
            {
                Some(benchmark) if options.benchmarks.contains(&benchmark) => {}
                Some(benchmark) => options.benchmarks.push(benchmark),
                None => bail!("{name:?} is no benchmark and no option\n{USAGE}"),
            },
        }
    }
    options.all |= options.benchmarks.is_empty();
    if options.all {
        let more = options.benchmarks.into_iter().filter(|it| !Benchmark::ALL.contains(it));
        options.benchmarks = Benchmark::ALL.into_iter().chain(more).collect();
    }
    Ok(Some(options))
}

fn positive(name: &str, text: &str) -> Result<usize> {
    text.parse()
        .ok()
        .filter(|number| (1..=1000).contains(number))
        .with_context(|| format!("{name} is a number from 1 to 1000, not {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_build_is_measured_by_name_only() -> Result<()> {
        let has = |words: &[&str]| -> Result<(bool, bool)> {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let options = parse(&words)?.context("help")?;
            let has_first = options.benchmarks.contains(&Benchmark::FirstBuild);
            Ok((options.has_containers(), has_first))
        };
        assert_eq!(has(&[])?, (true, false));
        assert_eq!(has(&["all", "first-build"])?, (true, true));
        assert_eq!(has(&["first-build", "--rounds", "1"])?, (false, true));
        Ok(())
    }
}
