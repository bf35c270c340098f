//! Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write};

use super::count::{Bounds, Summed};

/// The format's `Content-Type`.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The type of a metric.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// It only rises.
    Counter,
    /// It rises and falls.
    Gauge,
    /// Durations in buckets.
    Histogram,
}

/// Escapes text as the value of a label.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Writes a page of metrics. Values of labels must not hold `"`, `\` or line feeds, unless they are
/// [`escaped`].
#[derive(Debug, Default)]
pub(crate) struct MetricsPage {
    text: String,
}

impl MetricsPage {
    /// Begins a metric: all of its samples have to come next.
    pub(crate) fn metric<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Metric<'a> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // Writing to a string can't fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Metric { text: &mut self.text, name }
    }

    /// The page.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// A metric whose samples are being written.
pub(crate) struct Metric<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Metric<'_> {
    /// Writes a number; `labels` is empty or like `app="…",code="200"`.
    pub(crate) fn sample(&mut self, labels: impl Display, value: impl Display) {
        self.write("", &labels.to_string(), value);
    }

    /// Writes a histogram: its buckets become cumulative.
    pub(crate) fn histogram(&mut self, labels: impl Display, times: &Summed, bounds: &Bounds) {
        let labels = labels.to_string();
        let comma = if labels.is_empty() { "" } else { "," };
        let mut count = 0;
        for (bound, bucket) in bounds.iter().map(Some).chain([None]).zip(times.buckets) {
            count += bucket;
            let bound = bound.map_or_else(|| "+Inf".to_owned(), |micros| seconds(*micros));
            self.write("_bucket", &format!("{labels}{comma}le=\"{bound}\""), count);
        }
        let sum = format!("{}.{:09}", times.nanos / 1_000_000_000, times.nanos % 1_000_000_000);
        self.write("_sum", &labels, sum);
        self.write("_count", &labels, count);
    }

    fn write(&mut self, suffix: &str, labels: &str, value: impl Display) {
        let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
        let _ = writeln!(self.text, "{}{suffix}{open}{labels}{close} {value}", self.name);
    }
}

/// Microseconds as seconds, without trailing zeros.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::count::ANSWERS;
    use super::*;

    #[test]
    fn seconds_are_written_plainly() {
        for (micros, text) in
            [(250, "0.00025"), (1_000, "0.001"), (2_500_000, "2.5"), (600_000_000, "600"), (0, "0")]
        {
            assert_eq!(seconds(micros), text);
        }
    }

    #[test]
    fn names_are_escaped() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }

    #[test]
    fn a_page() {
        let mut page = MetricsPage::default();
        page.metric("a_total", Kind::Counter, "A.").sample("", 1);
        let mut times = Summed { nanos: 1_500_000_001, ..Summed::default() };
        times.buckets[0] = 2;
        times.buckets[3] = 1;
        page.metric("b_seconds", Kind::Histogram, "B.").histogram("app=\"x\"", &times, &ANSWERS);
        let text = page.finish();
        let samples = checked(&text);
        let is = |series: &str, value: f64| (samples[series] - value).abs() < 1e-9;
        assert!(is("a_total", 1.0));
        assert!(is("b_seconds_bucket{app=\"x\",le=\"0.00025\"}", 2.0));
        assert!(is("b_seconds_bucket{app=\"x\",le=\"600\"}", 3.0));
        assert!(text.contains("b_seconds_sum{app=\"x\"} 1.500000001\n"), "{text}");
    }

    /// Reads a page as strictly as `promtool check metrics` does, and says what is in it: each
    /// metric once, with HELP and TYPE before its samples and nothing between them, no sample
    /// twice, names as they ought to be, buckets rising up to `+Inf`, which is the count.
    pub(crate) fn checked(text: &str) -> BTreeMap<String, f64> {
        assert!(text.ends_with('\n'), "{text}");
        let mut samples = BTreeMap::new();
        let (mut families, mut family, mut kind) = (BTreeSet::new(), String::new(), String::new());
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect("a help text");
                assert!(help.ends_with('.'), "{line}");
                assert!(families.insert(name.to_owned()), "{name} comes twice");
                let of_type = lines.next().and_then(|line| line.strip_prefix("# TYPE "));
                let (typed, what) = of_type.and_then(|t| t.split_once(' ')).expect("a type");
                assert_eq!(typed, name);
                (family, kind) = (name.to_owned(), what.to_owned());
                if kind == "counter" {
                    assert!(name.ends_with("_total"), "{name}");
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
            let name = series.split('{').next().expect("a name");
            let is_part = |suffix| name.strip_suffix(suffix) == Some(&family);
            let fits = match kind.as_str() {
                "histogram" => ["_bucket", "_sum", "_count"].into_iter().any(is_part),
                _ => name == family,
            };
            assert!(fits, "{line} among {family}");
            if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                let inner = labels.strip_prefix('{').and_then(|l| l.strip_suffix('}'));
                for label in inner.expect("braces").split(',') {
                    let (key, value) = label.split_once('=').expect("a label");
                    assert!(key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
                    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                    assert!(value.is_some_and(|v| !v.contains(['"', '\\'])), "{line}");
                }
            }
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(samples.insert(series.to_owned(), value).is_none(), "{series} comes twice");
        }
        check_histograms(&samples, text);
        samples
    }

    fn check_histograms(samples: &BTreeMap<String, f64>, text: &str) {
        let mut last: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for line in text.lines().filter(|line| line.contains("le=\"")) {
            let (series, count) = line.rsplit_once(' ').expect("a value");
            let (of, bound) = series.split_once("le=\"").expect("a bound");
            let bound = bound.trim_end_matches("\"}").replace("+Inf", "inf");
            let now: (f64, f64) = (bound.parse().expect("a bound"), count.parse().expect("n"));
            let before = last.insert(of.to_owned(), now).unwrap_or((-1.0, 0.0));
            assert!(before.0 < now.0 && before.1 <= now.1, "{line}: {before:?}");
        }
        for (of, (bound, count)) in last {
            assert!(bound.is_infinite(), "{of} has no +Inf");
            let of = of.replacen("_bucket", "_count", 1);
            let of = of.trim_end_matches(['{', ',']);
            let of = if of.contains('{') { format!("{of}}}") } else { of.to_owned() };
            assert!((samples[&of] - count).abs() < 0.5, "{of}");
            assert!(samples.contains_key(&of.replacen("_count", "_sum", 1)), "{of}");
        }
    }
}
