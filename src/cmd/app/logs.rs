//! `ovhai app logs`.

use std::io::Write;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use ovhai_api_types::AppId;
use ovhai_client::{Client, LogFilter};
use regex_lite::{Regex, RegexBuilder};

use super::resolve;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::server::target::Target;
use crate::ui::endless::while_read;

#[derive(Debug, Args)]
pub(super) struct Logs {
    /// Id, name, or beginning of an id
    app: String,
    /// Follow the log
    #[arg(short, long)]
    follow: bool,
    /// Number of lines to show from the end, before --grep
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<u32>,
    /// Only of the replica with this number, from 1; a restart keeps the number
    #[arg(long, value_name = "NUMBER")]
    replica: Option<u32>,
    /// Only the last ended run of each replica, such as one that crashed
    #[arg(long, conflicts_with = "follow")]
    previous: bool,
    /// Only lines since this time, such as 10m ago (10m) or 2026-01-31T08:00:00Z
    #[arg(long, value_name = "DURATION|MOMENT", value_parser = since)]
    since: Option<Since>,
    /// Prefix every line with its time
    #[arg(short, long)]
    timestamps: bool,
    /// Only lines that match this regular expression
    #[arg(long, value_name = "REGEX")]
    grep: Option<String>,
    /// Ignore case in --grep
    #[arg(short, long, requires = "grep")]
    ignore_case: bool,
}

/// The earliest time to show.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Since {
    Ago(SignedDuration),
    At(Timestamp),
}

/// A duration before now (seconds without a unit), or a time.
pub(crate) fn since(text: &str) -> Result<Since, String> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Since::Ago(SignedDuration::from_secs(seconds.into())));
    }
    let ago = text.parse::<SignedDuration>().ok().filter(|ago| !ago.is_negative());
    ago.map(Since::Ago)
        .or_else(|| text.parse().ok().map(Since::At))
        .ok_or_else(|| "use a duration such as 10m, or a time such as 2026-01-31T08:00:00Z".into())
}

impl Since {
    /// In milliseconds of Unix time.
    pub(crate) fn millis(self, now: Timestamp) -> i64 {
        match self {
            Self::At(moment) => moment.as_millisecond(),
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN).as_millisecond(),
        }
    }
}

impl Logs {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if context.format().is_some() {
            return Err(Failure::usage(
                "app logs does not support --output: it prints the app's own output",
            )
            .hint("omit --output; --timestamps and --replica tell lines apart"));
        }
        let pattern = self.pattern()?;
        let target = Target::find(context).await?;
        let app = resolve(&target.client, &self.app).await?;
        let filter = LogFilter {
            follow: self.follow,
            tail: self.tail,
            replica: self.replica.map(|replica| replica.to_string()),
            previous: self.previous,
            since: self.since.map(|since| since.millis((context.now)())),
            timestamps: self.timestamps,
        };
        let lines = pattern.map(|pattern| Matching::new(pattern, self.timestamps));
        let reading = pass(context, &target.client, app.id, &filter, lines);
        if self.follow { while_read(reading).await } else { reading.await }
    }

    fn pattern(&self) -> Result<Option<Regex>> {
        let Some(grep) = &self.grep else { return Ok(None) };
        let built = RegexBuilder::new(grep).case_insensitive(self.ignore_case).build();
        built.map(Some).map_err(|error| {
            Failure::usage(format!("{grep:?} is not a regular expression"))
                .because(error)
                .hint("escape special characters with \\, such as \\[")
        })
    }
}

/// Shows the server's log to its end.
async fn pass(
    context: &mut Context,
    client: &Client,
    app: AppId,
    filter: &LogFilter,
    mut lines: Option<Matching>,
) -> Result<()> {
    let mut logs = client.app_logs(app, filter).await?;
    while let Some(piece) = logs.next().await? {
        match &mut lines {
            None => context.out.write_all(&piece)?,
            Some(lines) => lines.write(&piece, &mut context.out)?,
        }
        context.out.flush()?;
    }
    if let Some(lines) = lines {
        lines.finish(&mut context.out)?;
    }
    Ok(())
}

/// Passes on matching lines; pieces may end anywhere.
struct Matching {
    pattern: Regex,
    timestamps: bool,
    begun: Vec<u8>,
}

impl Matching {
    fn new(pattern: Regex, timestamps: bool) -> Self {
        Self { pattern, timestamps, begun: Vec::new() }
    }

    fn write(&mut self, piece: &[u8], out: &mut dyn Write) -> Result<()> {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.begun);
                self.pass(&line, out)?;
            }
        }
        Ok(())
    }

    /// The last line may lack its line end.
    fn finish(self, out: &mut dyn Write) -> Result<()> {
        self.pass(&self.begun, out)
    }

    fn pass(&self, line: &[u8], out: &mut dyn Write) -> Result<()> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        // The timestamp is not part of the app's output.
        let said = if self.timestamps { without_times(text) } else { text };
        if !line.is_empty() && self.pattern.is_match(said) {
            out.write_all(line)?;
        }
        Ok(())
    }
}

/// A line of output without its time, and domain time where that was moved.
fn without_times(line: &str) -> &str {
    let Some((_, text)) = line.split_once(' ') else { return line };
    match text.split_once(' ') {
        Some((first, text)) if first.starts_with("domainTime=") => text,
        _ => text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_matched_in_any_pieces() {
        let text = "2026-01-01T00:00:00.000Z GET /a\n2026-01-01T00:00:00.000Z 2026 x\nlast GET";
        let grep = |pattern: &str, timestamps, size| {
            let mut out = Vec::new();
            let mut lines = Matching::new(Regex::new(pattern).unwrap(), timestamps);
            for piece in text.as_bytes().chunks(size) {
                lines.write(piece, &mut out).unwrap();
            }
            lines.finish(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            without_times("2026-01-01T00:00:00.000Z domainTime=2027-01-01T00:00:00.000Z GET"),
            "GET"
        );
        for size in [1, 5, 1000] {
            assert_eq!(grep("^GET", true, size).lines().count(), 2);
            assert_eq!(grep("2026", true, size), "2026-01-01T00:00:00.000Z 2026 x\n");
            assert_eq!(grep("2026", false, size).lines().count(), 2);
            assert_eq!(grep("nothing", true, size), "");
        }
    }

    #[test]
    fn moments() {
        let now: Timestamp = "2026-01-01T01:00:00Z".parse().unwrap();
        let millis = |text: &str| since(text).map(|since| now.as_millisecond() - since.millis(now));
        assert_eq!(millis("10m"), Ok(600_000));
        assert_eq!(millis("90"), Ok(90_000));
        assert_eq!(millis("2026-01-01T00:59:59+00:00"), Ok(1000));
        for bad in ["x", "-5m", "yesterday", "2026"] {
            // A bare number is seconds.
            assert_eq!(since(bad).is_ok(), bad == "2026", "{bad}");
        }
    }
}
