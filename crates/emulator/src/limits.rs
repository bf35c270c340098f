//! Limits on what clients send and apps answer. The defaults let through what Streamlit, single
//! sign-on and large models need.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use rustix::process::{Resource, getrlimit};

/// Limits of a connection. [`LIMITS`] says what each does; the defaults are in
/// [`Limits::default`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table has them")]
pub struct Limits {
    pub line_max: usize,
    pub head_max: usize,
    pub head_timeout: Duration,
    pub body_timeout: Duration,
    pub idle_timeout: Duration,
    pub answer_timeout: Duration,
    pub answer_head_max: usize,
    pub answer_fields_max: usize,
    pub connections: usize,
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_max: 62 * 1024,
            head_max: 64 * 1024,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_secs(75),
            answer_timeout: Duration::from_mins(10),
            answer_head_max: 256 * 1024,
            answer_fields_max: 1024,
            connections: 10_000,
            streams: 10_000,
        }
    }
}

/// Number of descriptors for the process's own files and for apps that start.
const RESERVED: u64 = 64;

impl Limits {
    /// Limits the connections to those that the process may open, with one to an app for each, and
    /// the streams to the remainder.
    pub(crate) fn within_descriptors(self) -> Self {
        let Some(most) = getrlimit(Resource::Nofile).current else { return self };
        let most = usize::try_from(most.saturating_sub(RESERVED)).unwrap_or(usize::MAX);
        let connections = self.connections.min((most / 16 * 7).max(1));
        let streams = self.streams.min(most.saturating_sub(2 * connections));
        Self { connections, streams, ..self }
    }
}

/// A limit as people name it.
#[derive(Debug, Clone)]
pub struct Limit {
    /// Its name.
    pub name: &'static str,
    /// What it limits, and what happens beyond it.
    pub meaning: &'static str,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// A size; a connection may hold that much in memory.
    Bytes(fn(&mut Limits) -> &mut usize),
    Time(fn(&mut Limits) -> &mut Duration),
    Count(std::ops::RangeInclusive<usize>, fn(&mut Limits) -> &mut usize),
}

/// Every limit.
pub const LIMITS: [Limit; 10] = [
    Limit {
        name: "line",
        meaning: "bytes of a request line; more: 414",
        place: Place::Bytes(|limits| &mut limits.line_max),
    },
    Limit {
        name: "headers",
        meaning: "bytes of a request's header lines together; more, or over 256 lines: 431",
        place: Place::Bytes(|limits| &mut limits.head_max),
    },
    Limit {
        name: "head-time",
        meaning: "time from the first byte of a head to its last (a TLS handshake has 10 s); longer: 408",
        place: Place::Time(|limits| &mut limits.head_timeout),
    },
    Limit {
        name: "body-time",
        meaning: "pause of a client in sending or taking a body; longer: 408, or the connection is closed",
        place: Place::Time(|limits| &mut limits.body_timeout),
    },
    Limit {
        name: "idle-time",
        meaning: "time of a connection without a request; longer: it is closed",
        place: Place::Time(|limits| &mut limits.idle_timeout),
    },
    Limit {
        name: "answer-time",
        meaning: "time of an app before the head of its response, enough for a large model that responds in one piece; each interim response (1xx) resets it; longer: 504",
        place: Place::Time(|limits| &mut limits.answer_timeout),
    },
    Limit {
        name: "answer-headers",
        meaning: "bytes of the head of an app's response; more: 502",
        place: Place::Bytes(|limits| &mut limits.answer_head_max),
    },
    Limit {
        name: "answer-lines",
        meaning: "header lines of an app's response, 4096 at most; more: 502",
        place: Place::Count(FIELDS, |limits| &mut limits.answer_fields_max),
    },
    Limit {
        name: "connections",
        meaning: "clients connected at once, and no more than 7/16 of what the process may open; further ones wait until the longest idle ones are closed to make room",
        place: Place::Count(COUNT, |limits| &mut limits.connections),
    },
    Limit {
        name: "streams",
        meaning: "requests over HTTP/2 to apps at once, besides one for each client, and no more than the process may open files for; a client may take half of the remainder; further ones: 503",
        place: Place::Count(COUNT, |limits| &mut limits.streams),
    },
];

const BYTES: std::ops::RangeInclusive<usize> = 1024..=1024 * 1024;
const TIME: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_hours(24);
const COUNT: std::ops::RangeInclusive<usize> = 1..=1_000_000;
/// A header map of HTTP/2 takes some 24,000.
const FIELDS: std::ops::RangeInclusive<usize> = 1..=4096;

impl Limit {
    fn set(&self, limits: &mut Limits, value: &str) -> Result<(), String> {
        let Self { name, .. } = self;
        match &self.place {
            Place::Bytes(place) => {
                let bytes = bytes(value).filter(|bytes| BYTES.contains(bytes));
                *place(limits) = bytes
                    .ok_or_else(|| format!("{name} is in bytes, 1KiB to 1MiB, such as 64KiB"))?;
            }
            Place::Time(place) => {
                let time = time(value).filter(|time| TIME.contains(time));
                *place(limits) =
                    time.ok_or_else(|| format!("{name} is a time, 1ms to 24h, such as 30s"))?;
            }
            Place::Count(range, place) => {
                let count = value.parse().ok().filter(|count| range.contains(count));
                *place(limits) =
                    count.ok_or_else(|| format!("{name} is a number, 1 to {}", range.end()))?;
            }
        }
        Ok(())
    }

    /// Its value, in the form that is parsed.
    pub fn shown(&self, mut limits: Limits) -> String {
        match &self.place {
            Place::Bytes(place) => match *place(&mut limits) {
                bytes if bytes % 1024 == 0 => format!("{}KiB", bytes / 1024),
                bytes => bytes.to_string(),
            },
            Place::Time(place) => match *place(&mut limits) {
                time if time.subsec_nanos() == 0 => format!("{}s", time.as_secs()),
                time => format!("{}ms", time.as_millis()),
            },
            Place::Count(_, place) => place(&mut limits).to_string(),
        }
    }
}

fn bytes(text: &str) -> Option<usize> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let unit = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}

fn time(text: &str) -> Option<Duration> {
    match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => text.parse::<SignedDuration>().ok()?.try_into().ok(),
    }
}

impl FromStr for Limits {
    type Err = String;

    /// Parses limits such as `headers=128KiB,body-time=5m`; the others keep their defaults.
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').try_fold(Self::default(), |mut limits, part| {
            let (name, value) =
                part.split_once('=').ok_or("use NAME=VALUE, such as headers=128KiB")?;
            let limit = LIMITS.iter().find(|limit| limit.name == name.trim()).ok_or_else(|| {
                let names = LIMITS.map(|limit| limit.name).join(", ");
                format!("unknown limit {:?}: use one of {names}", name.trim())
            })?;
            limit.set(&mut limits, value.trim())?;
            Ok(limits)
        })
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = LIMITS.map(|limit| format!("{}={}", limit.name, limit.shown(*self)));
        f.write_str(&each.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displayed_limits_can_be_parsed() {
        let all = "line=62KiB,headers=64KiB,head-time=30s,body-time=60s,idle-time=75s,\
                   answer-time=600s,answer-headers=256KiB,answer-lines=1024,connections=10000,streams=10000";
        assert_eq!(Limits::default().to_string(), all);
        assert_eq!(all.parse(), Ok(Limits::default()));
        let given: Limits =
            "headers=1MiB, body-time=5m,idle-time=1ms,connections=1".parse().unwrap();
        let expected = Limits {
            head_max: 1024 * 1024,
            body_timeout: Duration::from_mins(5),
            idle_timeout: Duration::from_millis(1),
            connections: 1,
            ..Limits::default()
        };
        assert_eq!(given, expected);
        assert_eq!(given.to_string().parse(), Ok(expected));
    }

    #[test]
    fn malformed_limits_are_refused() {
        for (bad, said) in [
            ("", "NAME=VALUE"),
            ("headers", "NAME=VALUE"),
            ("header=1KiB", "unknown limit \"header\": use one of line, headers,"),
            ("headers=1", "1KiB to 1MiB"),
            ("headers=2MiB", "1KiB to 1MiB"),
            ("headers=64kb", "1KiB to 1MiB"),
            ("headers=99999999999999999999MiB", "1KiB to 1MiB"),
            ("body-time=0", "1ms to 24h"),
            ("body-time=-5s", "1ms to 24h"),
            ("body-time=2d", "1ms to 24h"),
            ("connections=0", "1 to 1000000"),
            ("connections=many", "1 to 1000000"),
            ("answer-lines=4097", "1 to 4096"),
        ] {
            let error = bad.parse::<Limits>().expect_err(bad);
            assert!(error.contains(said), "{bad}: {error}");
        }
    }
}
