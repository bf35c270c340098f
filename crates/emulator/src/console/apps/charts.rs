//! Charts of an app, as SVG made from samples: they need no script.

use std::fmt::Write;

use crate::console::series::{EVERY, SAMPLES, Sample};

/// The size of a chart's drawing, which the page stretches.
pub(super) const WIDTH: u16 = 360;
/// See [`WIDTH`].
pub(super) const HEIGHT: u16 = 80;

/// One curve of a chart.
pub(super) struct Curve {
    /// What it is, if a chart has several.
    pub(super) name: &'static str,
    /// Its style.
    pub(super) class: &'static str,
    /// The commands of an SVG path; gaps where nothing was measured.
    pub(super) path: String,
    /// Its last value.
    pub(super) now: String,
}

/// One chart.
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) curves: Vec<Curve>,
    /// The value at the upper edge.
    pub(super) top: String,
    /// The chart in a sentence, for readers of the screen.
    pub(super) summary: String,
}

type Value = fn(&Sample) -> Option<f32>;

/// A value with three digits, and its unit.
fn text(value: f32, unit: &str) -> String {
    let digits = match value {
        value if value >= 100.0 || (value - value.round()).abs() < 0.001 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    let space = if unit.is_empty() { "" } else { " " };
    format!("{value:.digits$}{space}{unit}")
}

/// The smallest of 1, 2, 5, 10, 20, 50 … that is at least as large, so that the scale seldom changes.
fn scale(largest: f32) -> f32 {
    let steps = (-2..12).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f32.powi(power)));
    steps.into_iter().find(|step| *step >= largest).unwrap_or(largest)
}

fn curve(samples: &[Sample], of: Value, top: f32) -> String {
    let (width, height) = (f32::from(WIDTH), f32::from(HEIGHT));
    let number = |index: usize| f32::from(u16::try_from(index).unwrap_or(u16::MAX));
    let step = width / number(SAMPLES - 1);
    // The newest sample is at the right edge.
    let first = number(SAMPLES - samples.len());
    let mut path = String::new();
    let mut is_drawing = false;
    for (index, sample) in samples.iter().enumerate() {
        let Some(value) = of(sample) else {
            is_drawing = false;
            continue;
        };
        let x = (first + number(index)) * step;
        let y = height - (value / top).clamp(0.0, 1.0) * height;
        // A point that stands alone is a short line.
        let command = if is_drawing { "L" } else { "M" };
        let _ = write!(path, "{command}{x:.1} {y:.1}");
        if !is_drawing {
            let _ = write!(path, "h.1");
        }
        is_drawing = true;
    }
    path
}

fn chart(
    samples: &[Sample],
    title: &'static str,
    unit: &str,
    least: f32,
    curves: &[(&'static str, &'static str, Value)],
) -> Chart {
    let values = curves.iter().flat_map(|(_, _, of)| samples.iter().filter_map(of));
    let largest = values.fold(least, f32::max);
    let top = scale(largest);
    let now = |of: &Value| match samples.last().and_then(of) {
        Some(value) => text(value, unit),
        None => "no data".to_owned(),
    };
    let minutes = SAMPLES as u64 * EVERY.as_secs() / 60;
    let mut summary = format!("{title}, the last {minutes} minutes.");
    for (name, _, of) in curves {
        let space = if name.is_empty() { "" } else { " " };
        let _ = write!(summary, " Now{space}{name}: {}.", now(of));
    }
    Chart {
        title,
        top: text(top, unit),
        summary,
        curves: curves
            .iter()
            .map(|(name, class, of)| Curve {
                name,
                class,
                path: curve(samples, *of, top),
                now: now(of),
            })
            .collect(),
    }
}

/// The charts of an app.
pub(super) fn charts(samples: &[Sample]) -> Vec<Chart> {
    let all = |of: Value| ("", "first", of);
    vec![
        chart(
            samples,
            "Requests per second",
            "",
            1.0,
            &[("all", "first", |s| Some(s.requests)), ("5xx", "bad", |s| Some(s.failed))],
        ),
        chart(
            samples,
            "Response time",
            "ms",
            1.0,
            &[("median", "first", |s| s.median), ("95th percentile", "second", |s| s.slow)],
        ),
        chart(samples, "CPU cores in use", "", 0.1, &[all(|s| s.cpu)]),
        chart(samples, "Memory in use", "MiB", 1.0, &[all(|s| s.memory)]),
        chart(samples, "Replicas that answer", "", 1.0, &[all(|s| Some(s.ready))]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round() {
        for (largest, top) in [(0.0, "0.01"), (1.0, "1"), (1.1, "2"), (21.0, "50"), (99.0, "100")] {
            assert_eq!(text(scale(largest), ""), top, "{largest}");
        }
    }

    #[test]
    fn the_newest_sample_is_at_the_right_and_gaps_stay_open() {
        let sample = |memory| Sample { memory, ..Sample::default() };
        let samples = [sample(Some(5.0)), sample(None), sample(Some(2.5)), sample(Some(0.0))];
        let path = curve(&samples, |s| s.memory, 5.0);
        assert_eq!(path, "M354.0 0.0h.1M358.0 40.0h.1L360.0 80.0");
        let chart = chart(&samples, "Memory", "MiB", 1.0, &[("", "first", |s| s.memory)]);
        assert_eq!((chart.top.as_str(), chart.curves[0].now.as_str()), ("5 MiB", "0 MiB"));
        assert_eq!(chart.summary, "Memory, the last 30 minutes. Now: 0 MiB.");
        assert!(charts(&[]).iter().all(|chart| chart.curves.iter().all(|c| c.path.is_empty())));
    }
}
