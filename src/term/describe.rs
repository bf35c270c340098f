//! Detail views: Title Case names, two spaces a level, values aligned, `~` for absent values.
//!
//! On a terminal a long value is folded at blanks, below itself; an address, an id or a token is
//! left whole, so that it can be copied. Names and values come from elsewhere and are cleaned.

use jiff::Timestamp;

use super::table::{Head, table};
use super::terminal::{Layout, paint, state};
use super::text::{clean, clean_lines, fold, width};

/// Minimum width of a value's column.
const NARROWEST: usize = 24;

/// A detail view under construction.
#[derive(Debug, Default)]
pub(crate) struct Description {
    lines: Vec<Line>,
    level: usize,
}

#[derive(Debug)]
enum Line {
    Field { level: usize, name: String, value: String },
    Section { level: usize, name: String },
    Date { level: usize, name: String, at: Timestamp },
    Text { level: usize, text: String },
    Table { level: usize, heads: Vec<Head>, rows: Vec<Vec<String>> },
}

impl Description {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One name and value; an empty value is shown as `~`.
    pub(crate) fn field(mut self, name: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        let value = if value.is_empty() { "~".into() } else { clean(&value).into_owned() };
        let name = clean(name).into_owned();
        self.lines.push(Line::Field { level: self.level, name, value });
        self
    }

    /// The same where there may be none; one that is there and empty is shown as `""`.
    pub(crate) fn maybe(self, name: &str, value: Option<impl ToString>) -> Self {
        match value.map(|value| value.to_string()) {
            Some(empty) if empty.is_empty() => self.field(name, "\"\""),
            value => self.field(name, value.unwrap_or_default()),
        }
    }

    /// A time: its date, and its age when the view is shown.
    pub(crate) fn date(mut self, name: &str, at: impl Into<Option<Timestamp>>) -> Self {
        let Some(at) = at.into() else { return self.field(name, "") };
        self.lines.push(Line::Date { level: self.level, name: clean(name).into_owned(), at });
        self
    }

    /// A block below a name.
    pub(crate) fn section(mut self, name: &str, fill: impl FnOnce(Self) -> Self) -> Self {
        self.lines.push(Line::Section { level: self.level, name: clean(name).into_owned() });
        let begin = self.lines.len();
        self.level += 1;
        let mut filled = fill(self);
        filled.level -= 1;
        if filled.lines.len() == begin {
            // An empty block is shown as an absent value.
            filled.lines.pop();
            return filled.field(name, "");
        }
        filled
    }

    /// A small table.
    pub(crate) fn table(mut self, heads: &[&'static str], rows: Vec<Vec<String>>) -> Self {
        if !rows.is_empty() {
            let heads = heads.iter().map(|head| Head::fixed(head)).collect();
            self.lines.push(Line::Table { level: self.level, heads, rows });
        }
        self
    }

    /// Lines as they are, such as JSON.
    pub(crate) fn lines(mut self, text: &str) -> Self {
        let level = self.level;
        self.lines.extend(
            text.lines().map(|text| Line::Text { level, text: clean_lines(text).into_owned() }),
        );
        self
    }

    pub(crate) fn render(&self, layout: Layout) -> String {
        let mut out = String::new();
        for (at, line) in self.lines.iter().enumerate() {
            match line {
                Line::Field { level, name, value } => {
                    let width = self.width(at, *level);
                    out += &field(*level, name, width, value, layout);
                }
                Line::Date { level, name, at: moment } => {
                    let width = self.width(at, *level);
                    let value = format!("{} ({} ago)", date(*moment), age(*moment, layout.now));
                    out += &field(*level, name, width, &value, layout);
                }
                Line::Section { level, name } => {
                    out += &format!("{}{name}:\n", "  ".repeat(*level));
                }
                Line::Text { level, text } => {
                    out += &format!("{}{text}\n", "  ".repeat(*level));
                }
                Line::Table { level, heads, rows } => {
                    let room = layout.columns.map(|columns| columns.saturating_sub(2 * level));
                    for line in table(heads, rows, Layout { columns: room, ..layout }).lines() {
                        out += &format!("{}{line}\n", "  ".repeat(*level));
                    }
                }
            }
        }
        out
    }

    /// The widest name among the fields of the same block.
    fn width(&self, at: usize, level: usize) -> usize {
        let same_block = |line: &&Line| match line {
            Line::Field { level: l, .. }
            | Line::Date { level: l, .. }
            | Line::Section { level: l, .. }
            | Line::Text { level: l, .. }
            | Line::Table { level: l, .. } => *l >= level,
        };
        let before = self.lines[..at].iter().rev().take_while(same_block);
        let after = self.lines[at..].iter().take_while(same_block);
        before
            .chain(after)
            .filter_map(|line| match line {
                Line::Field { level: l, name, .. } | Line::Date { level: l, name, .. }
                    if *l == level =>
                {
                    Some(width(name) + 1)
                }
                _ => None,
            })
            .max()
            .unwrap_or(0)
    }
}

fn field(level: usize, name: &str, names: usize, value: &str, layout: Layout) -> String {
    let indent = "  ".repeat(level);
    let fill = " ".repeat(names.saturating_sub(width(name) + 1));
    if let Some(color) = state(value).filter(|_| name == "State") {
        return format!("{indent}{name}:{fill} {}\n", paint(color, value, layout.color));
    }
    let before = width(&indent) + names + 1;
    let lines = match layout.columns {
        Some(columns) => fold(value, columns.saturating_sub(before).max(NARROWEST)),
        None => vec![value.to_owned()],
    };
    format!("{indent}{name}:{fill} {}\n", lines.join(&format!("\n{}", " ".repeat(before))))
}

/// A date in ISO 8601 with its zone, so that the order of its parts is unambiguous.
pub(crate) fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A size, such as `24.0 GiB`.
pub(crate) fn bytes(size: i64) -> String {
    scaled(size, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

/// A rate of bits per second, such as `5.0 Gbps`.
pub(crate) fn rate(bits: i64) -> String {
    scaled(bits, 1000.0, &["bps", "kbps", "Mbps", "Gbps", "Tbps"])
}

#[allow(clippy::cast_precision_loss)] // One digit is shown.
fn scaled(amount: i64, step: f64, units: &[&str]) -> String {
    let mut amount = amount as f64;
    let mut units = units.iter();
    let mut unit = units.next();
    // As the service shows it: from half of a larger unit on, that unit is used ("0.5 Gbps").
    for next in units {
        if amount < step / 2.0 {
            break;
        }
        amount /= step;
        unit = Some(next);
    }
    format!("{amount:.1} {}", unit.copied().unwrap_or_default())
}

/// An age in one unit: `12s`, `3m`, `5h`, `8d`.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second()).max(0);
    let (number, unit) = match seconds {
        0..=119 => (seconds, "s"),
        120..=7199 => (seconds / 60, "m"),
        7200..=172_799 => (seconds / 3600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    // Without `format!`: a list may have a thousand ages.
    number.to_string() + unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view() {
        let view = Description::new()
            .field("ID", "1")
            .field("Longer", "")
            .section("Labels", |d| d.field("group", "A").field("ovh/type", "app"))
            .section("Empty", |d| d)
            .maybe("None", None::<&str>)
            .maybe("Empty Text", Some(""))
            .date("At", Timestamp::from_second(1_764_411_998).expect("in range"))
            .field("End", 3);
        let now = Timestamp::from_second(1_764_412_200).expect("in range");
        assert_eq!(
            view.render(Layout { now, ..Layout::PLAIN }),
            "ID:         1\nLonger:     ~\nLabels:\n  group:    A\n  ovh/type: app\nEmpty:      ~\n\
             None:       ~\nEmpty Text: \"\"\nAt:         2025-11-29 10:26:38 UTC (3m ago)\nEnd:        3\n"
        );
    }

    #[test]
    fn long_values_are_folded_below_themselves() {
        let address = "http://caa6077e-2b0d-4e65-8e33-423b3a9d2498.app.gra.ai.localhost:4480";
        let view = Description::new()
            .field("Info", "the image can't be pulled because the registry is down at present")
            .field("State", "FAILED")
            .field("Evil", "a\x1b[2Jb\nState: RUNNING")
            .field("URL", address);
        let narrow = view.render(Layout { columns: Some(40), color: true, ..Layout::PLAIN });
        assert_eq!(
            narrow,
            format!(
                "Info:  the image can't be pulled because\n       the registry is down at present\n\
                 State: \x1b[1;31mFAILED\x1b[0m\nEvil:  a\\u{{1b}}[2Jb\\nState: RUNNING\nURL:   {address}\n"
            )
        );
        assert_eq!(view.render(Layout::PLAIN).lines().count(), 4);
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes(24 << 30), "24.0 GiB");
        assert_eq!(bytes(3 << 40), "3.0 TiB");
        assert_eq!(bytes(796 * (1 << 30) / 10), "79.6 GiB");
        assert_eq!(bytes(100), "100.0 B");
        assert_eq!(
            (rate(500_000_000), rate(5_000_000_000)),
            ("0.5 Gbps".into(), "5.0 Gbps".into())
        );
    }

    #[test]
    fn ages() {
        let at = |seconds| Timestamp::from_second(seconds).expect("in range");
        let ages = [0, 90, 180, 10_000, 400_000].map(|now| age(at(0), at(now)));
        assert_eq!(ages, ["0s", "90s", "3m", "2h", "4d"]);
        assert_eq!(age(at(10), at(0)), "0s");
    }
}
