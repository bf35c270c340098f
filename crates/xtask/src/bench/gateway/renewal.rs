//! The time that a token's old string stays valid after its renewal was answered.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::super::Bench;
use super::super::http::{Connection, request};
use super::super::noise::{self, Tally};
use super::super::report::{Figure, Unit};
use super::super::stats::median;
use super::stage::{App, Stage, token_spec};

/// Renewals in a round.
pub(super) const TRIALS: usize = 200;
/// Requests after which an old string counts as still valid.
const REQUESTS_MAX: usize = 10_000;

/// One round.
struct Round {
    /// From the renewal's answer to the first refusal, in seconds.
    median: f64,
    longest: f64,
    /// Total requests that were accepted after the answer.
    let_in: usize,
}

pub(super) struct Renewals(Vec<Round>);

pub(super) fn measure(bench: &Bench, stage: &Stage, tally: &mut Tally) -> Result<Renewals> {
    let mut control = Connection::open(stage.emulator.port)?;
    let created = stage.emulator.request("POST", "/v1/token", Some(&token_spec("-renewed")));
    let (id, mut token) = id_and_value(&control.exchange(&created)?.json()?)?;
    let renew = stage.emulator.request("POST", &format!("/v1/token/{id}/renew"), None);
    let mut trial = || -> Result<(f64, usize)> {
        let mut app = Connection::open(stage.emulator.port)?;
        let old = request("GET", "/", stage.host(App::Small), Some(&token), None);
        let good = app.exchange(&old)?;
        if good.status != 200 {
            bail!("a good token is answered {}", good.status);
        }
        let answer = control.exchange(&renew)?;
        let since = Instant::now();
        for let_in in 0..REQUESTS_MAX {
            match app.exchange(&old)?.status {
                401 => {
                    let took = since.elapsed().as_secs_f64();
                    token = id_and_value(&answer.json()?)?.1;
                    return Ok((took, let_in));
                }
                200 => {}
                other => bail!("an old string is answered {other}"),
            }
        }
        bail!("an old string was still good after {REQUESTS_MAX} requests")
    };
    let measured = noise::rounds(bench.options.rounds, "renewal to refusal", |_| {
        let trials = (0..TRIALS).map(|_| trial()).collect::<Result<Vec<_>>>()?;
        let times: Vec<f64> = trials.iter().map(|(took, _)| *took).collect();
        Ok(Round {
            median: median(&times),
            longest: times.iter().copied().fold(0.0, f64::max),
            let_in: trials.iter().map(|(_, let_in)| let_in).sum(),
        })
    })?;
    *tally += measured.tally;
    Ok(Renewals(measured.kept))
}

fn id_and_value(token: &Value) -> Result<(String, String)> {
    let text = |pointer: &str| token.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Ok((text("/id").context("a token has no id")?, text("/status/value").context("nor a value")?))
}

impl Renewals {
    pub(super) fn figures(&self) -> [Figure; 2] {
        let of = |what, of: fn(&Round) -> f64| Figure::new(what, Unit::Time, &self.0, of);
        [
            of("renewal answered to first refusal, median", |round| round.median),
            of("renewal answered to first refusal, longest", |round| round.longest),
        ]
    }

    pub(super) fn note(&self) -> String {
        let let_in: usize = self.0.iter().map(|round| round.let_in).sum();
        format!(
            "Requests with the old string that were accepted after the renewal was answered, in {} \
             renewals: {let_in}. If it is 0, the time is that of the refused request alone.",
            self.0.len() * TRIALS
        )
    }
}
