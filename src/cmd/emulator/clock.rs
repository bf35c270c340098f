//! `ovhai emulator clock …`: the time of apps, deadlines and logins.

use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use ovhai_api_types::{ClockMove, ClockStatus};

use crate::cmd::app::wait::duration;
use crate::context::Context;
use crate::error::{Failure, Result, TIMEOUT};
use crate::server::target::owner;
use crate::term::describe::Description;
use crate::ui::output::Show;

#[derive(Debug, Args)]
#[command(
    after_help = "Deadlines, restarts after crashes, ends of logins, ages and histories follow the emulator's clock. Everything on the wire and in logs follows real time.

Example: ovhai emulator clock freeze && ovhai emulator clock advance 10m && ovhai emulator clock resume"
)]
pub(super) struct ClockCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the clock
    Show,
    /// Stop the clock
    Freeze,
    /// Move the clock forward by a duration, through everything that is due on the way
    Advance(Advance),
    /// Move the clock forward to a moment
    Set(Set),
    /// Let a stopped clock go on from where it stands
    Resume,
}

#[derive(Debug, Args)]
struct Settle {
    /// Real time that apps have to follow each step; exit status 5 if they need longer
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    settle: Duration,
}

#[derive(Debug, Args)]
struct Advance {
    /// Duration such as 90s, 10m, 36h or 7d
    #[arg(value_name = "DURATION", value_parser = long_duration)]
    by: Duration,
    #[command(flatten)]
    settle: Settle,
}

#[derive(Debug, Args)]
struct Set {
    /// Moment such as 2030-01-31T12:00:00Z
    #[arg(value_name = "TIME")]
    to: Timestamp,
    #[command(flatten)]
    settle: Settle,
}

/// Days and weeks count 24 hours a day here.
fn long_duration(text: &str) -> Result<Duration, String> {
    let units = [("d", 1), ("w", 7)];
    let days = units.into_iter().find_map(|(unit, days)| {
        text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(24 * 60 * 60 * days)
    });
    match days {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => duration(text).map_err(|_| "use a duration such as 90s, 10m, 36h or 7d".into()),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl ClockCommand {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let client = owner(context).await?;
        let clock = match self.verb {
            Verb::Show => client.clock().await?,
            Verb::Freeze => client.freeze_clock(true).await?,
            Verb::Resume => client.freeze_clock(false).await?,
            Verb::Advance(Advance { by, settle }) => {
                let by_millis = Some(millis(by));
                let settle_millis = Some(millis(settle.settle));
                client.advance_clock(&ClockMove { by_millis, to: None, settle_millis }).await?
            }
            Verb::Set(Set { to, settle }) => {
                let settle_millis = Some(millis(settle.settle));
                client
                    .advance_clock(&ClockMove { by_millis: None, to: Some(to), settle_millis })
                    .await?
            }
        };
        context.show(&clock)?;
        if clock.in_hand.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!("the clock stopped at {:.0}", clock.domain_time))
            .because(format!("not done in time: {}", clock.in_hand.join("; ")))
            .hint("give the apps more real time: --settle 2m; or see what they do: ovhai app list")
            .exit_code(TIMEOUT))
    }
}

impl Show for ClockStatus {
    const COLUMNS: &'static [&'static str] = &["DOMAIN-TIME", "CLOCK", "AHEAD-BY"];

    fn row(&self, _now: Timestamp) -> Vec<String> {
        vec![format!("{:.0}", self.domain_time), condition(self).to_owned(), ahead(self)]
    }

    fn describe(&self) -> Description {
        Description::new()
            .date("Domain Time", self.domain_time)
            .date("Real Time", self.real_time)
            .field("Clock", condition(self))
            .field("Ahead By", ahead(self))
    }

    fn name(&self) -> String {
        self.domain_time.to_string()
    }
}

fn condition(clock: &ClockStatus) -> &'static str {
    match (clock.frozen, clock.moved) {
        (true, _) => "frozen",
        (false, true) => "goes on, moved",
        (false, false) => "shows real time",
    }
}

fn ahead(clock: &ClockStatus) -> String {
    // The two times are read one after the other.
    let millis = clock.domain_time.duration_since(clock.real_time).as_millis();
    let seconds = i64::try_from((millis + 500).div_euclid(1000)).unwrap_or(i64::MAX);
    format!("{:#}", SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_days_and_weeks() {
        let hours = |text| long_duration(text).map(|time| time.as_secs() / 3600);
        assert_eq!((hours("7d"), hours("2w"), hours("36h")), (Ok(168), Ok(336), Ok(36)));
        for wrong in ["", "d", "-1d", "x", "99999999999999999999d"] {
            assert!(long_duration(wrong).is_err(), "{wrong}");
        }
    }
}
