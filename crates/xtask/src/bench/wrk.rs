//! Load from `wrk`: closed loop, every connection sends its next request when it has its answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::process::{Scratch, output};
use super::tools;

/// Prints what was measured as JSON: wrk's own text rounds.
const REPORT: &str = r#"
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%.0f,"micros":%.0f,"refused":%.0f,"broken":%.0f,"p99":%.0f}\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(99)))
end
"#;

/// Sends a bearer after the other, from the file that is the script's argument.
const CYCLE: &str = r#"
local requests, turn = {}, 0
init = function(args)
  for token in io.lines(args[1]) do
    wrk.headers["Authorization"] = "Bearer " .. token
    requests[#requests + 1] = wrk.format("GET", "/")
  end
end
request = function()
  turn = turn % #requests + 1
  return requests[turn]
end
"#;

/// What a load of wrk came to.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome {
    pub(super) requests: f64,
    micros: f64,
    /// Answers with a status above 399.
    refused: f64,
    /// Connections that failed, or requests without an answer.
    broken: f64,
    /// Of the times to the answer, in microseconds.
    pub(super) p99: f64,
}

impl Outcome {
    pub(super) fn per_second(&self) -> f64 {
        self.requests / self.micros * 1e6
    }

    /// Fails unless all requests were answered, and all with success or all with a refusal.
    pub(super) fn check(&self, refused: bool) -> Result<()> {
        let expected = if refused { self.requests } else { 0.0 };
        if self.requests < 1.0 || self.broken > 0.0 || (self.refused - expected).abs() > 0.5 {
            bail!("not the answers that were expected: {self:?}");
        }
        Ok(())
    }
}

/// Which bearer requests carry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bearers<'a> {
    None,
    One(&'a str),
    /// One after the other.
    All(&'a Path),
}

/// wrk with its scripts.
pub(super) struct Wrk {
    program: PathBuf,
    report: PathBuf,
    cycle: PathBuf,
}

impl Wrk {
    pub(super) fn new(scratch: &Scratch) -> Result<Self> {
        let (report, cycle) = (scratch.join("report.lua"), scratch.join("cycle.lua"));
        fs::write(&report, REPORT)?;
        fs::write(&cycle, format!("{CYCLE}{REPORT}"))?;
        Ok(Self { program: tools::program("wrk")?, report, cycle })
    }

    /// The command for a load on a port of this machine.
    pub(super) fn command(
        &self,
        threads: u32,
        connections: u32,
        time: Duration,
        port: u16,
        host: &str,
        bearers: Bearers<'_>,
    ) -> Command {
        let mut command = Command::new(&self.program);
        command.args([format!("-t{threads}"), format!("-c{connections}")]);
        command.arg(format!("-d{}s", time.as_secs()));
        command.args(["-H", &format!("Host: {host}")]);
        if let Bearers::One(token) = bearers {
            command.args(["-H", &format!("Authorization: Bearer {token}")]);
        }
        let script = if let Bearers::All(_) = bearers { &self.cycle } else { &self.report };
        command.arg("-s").arg(script).arg(format!("http://127.0.0.1:{port}/"));
        if let Bearers::All(file) = bearers {
            command.arg("--").arg(file);
        }
        command
    }
}

/// Runs a load.
pub(super) fn run(command: &mut Command) -> Result<Outcome> {
    let text = output(command)?;
    let line = text.lines().find_map(|line| line.strip_prefix("RESULT "));
    let line = line.with_context(|| format!("wrk says no result: {text}"))?;
    Ok(serde_json::from_str(line)?)
}
