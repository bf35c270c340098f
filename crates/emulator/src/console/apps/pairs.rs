//! Rows of a name and a value in forms: labels and environment variables.

use std::collections::{BTreeMap, HashMap};

use ovhai_api_types::{LabelKey, LabelValue};

use super::fields::Problems;
use crate::web::form::Fields;

/// Empty rows below the filled ones.
const EMPTY: usize = 2;
/// Maximum characters of a label's key and value in OVHcloud's control panel.
const PANEL_CHARACTERS: usize = 15;
/// Maximum labels of an app in OVHcloud's control panel.
const PANEL_LABELS: usize = 10;

/// A row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
}

impl Pair {
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.name.trim().is_empty() && self.value.is_empty()
    }
}

/// Reads the rows of a form.
pub(super) fn read(fields: &Fields, names: &str, values: &str) -> Vec<Pair> {
    let rows = fields.all(names).zip(fields.all(values));
    // Browsers send the lines of a text with CR and LF.
    rows.map(|(name, value)| Pair::new(name, value.replace("\r\n", "\n"))).collect()
}

/// Rows with some empty ones at the end.
pub(super) fn with_empty(mut rows: Vec<Pair>) -> Vec<Pair> {
    let empty = rows.iter().rev().take_while(|pair| pair.is_empty()).count();
    rows.resize_with(rows.len() + EMPTY.saturating_sub(empty), Pair::default);
    rows
}

/// The labels of the rows that have no fault.
pub(super) fn labels(rows: &[Pair], problems: &mut Problems) -> BTreeMap<LabelKey, LabelValue> {
    let mut labels = BTreeMap::new();
    for (row, pair) in rows.iter().enumerate().filter(|(_, pair)| !pair.is_empty()) {
        let at_key = format!("label-key-{row}");
        let key = match pair.name.trim().parse::<LabelKey>() {
            Ok(key) if key.is_platform() => {
                problems.add(at_key, "labels that begin with ovh/ are the platform's");
                continue;
            }
            Ok(key) => key,
            Err(error) => {
                problems.add(at_key, error.to_string());
                continue;
            }
        };
        match pair.value.trim().parse::<LabelValue>() {
            Err(error) => problems.add(format!("label-value-{row}"), error.to_string()),
            Ok(_) if labels.contains_key(&key) => {
                problems.add(at_key, format!("the key {key} is there twice"));
            }
            Ok(value) => {
                labels.insert(key, value);
            }
        }
    }
    labels
}

/// Where OVHcloud's control panel is stricter about labels than the API, or where they are easily
/// taken for each other.
pub(super) fn notes(labels: &BTreeMap<LabelKey, LabelValue>) -> Vec<String> {
    let mut notes = Vec::new();
    let is_long = |text: &str| text.chars().count() > PANEL_CHARACTERS;
    for (key, value) in labels {
        if is_long(key.as_str()) || is_long(value.as_str()) {
            notes.push(format!(
                "OVHcloud's control panel refuses {key}={value}: it takes {PANEL_CHARACTERS} characters at most, the API more."
            ));
        }
    }
    if labels.len() > PANEL_LABELS {
        notes.push(format!(
            "OVHcloud's control panel takes {PANEL_LABELS} labels at most, the API more."
        ));
    }
    let mut seen: HashMap<String, &LabelKey> = HashMap::new();
    for key in labels.keys() {
        if let Some(other) = seen.insert(key.as_str().to_lowercase(), key) {
            notes.push(format!(
                "{other} and {key} are two labels: case counts. OVHcloud's control panel refuses the second."
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(pairs: &[(&str, &str)]) -> Vec<Pair> {
        pairs.iter().map(|(name, value)| Pair::new(*name, *value)).collect()
    }

    #[test]
    fn faults_are_at_their_row() {
        let mut problems = Problems::default();
        let rows = rows(&[
            ("", ""),
            (" group ", " A "),
            ("ovh/id", "x"),
            ("a b", "1"),
            ("group", "B"),
            ("ok", "-"),
            ("", "1"),
        ]);
        let labels = labels(&rows, &mut problems);
        assert_eq!(labels.len(), 1, "{labels:?}");
        let at: Vec<_> = problems.all().iter().map(|problem| problem.id.clone()).collect();
        let expected =
            ["label-key-2", "label-key-3", "label-key-4", "label-key-6", "label-value-5"];
        assert_eq!(at, expected);
    }

    #[test]
    fn notes_say_what_the_panel_refuses() {
        let of = |pairs: &[(&str, &str)]| {
            let mut problems = Problems::default();
            let labels = labels(&rows(pairs), &mut problems);
            assert!(problems.is_empty());
            notes(&labels)
        };
        assert!(of(&[("fifteen-letters", "fifteen-letters")]).is_empty());
        assert!(of(&[("sixteen--letters", "x")])[0].contains("15 characters"));
        assert!(of(&[("Env", "x"), ("env", "x")])[0].contains("case counts"));
        let many: Vec<_> = (0..11).map(|number| format!("l{number}")).collect();
        let many: Vec<_> = many.iter().map(|key| (key.as_str(), "x")).collect();
        assert!(of(&many[..10]).is_empty());
        assert!(of(&many)[0].contains("10 labels"));
    }

    #[test]
    fn there_are_always_empty_rows() {
        let of = |pairs: &[(&str, &str)]| with_empty(rows(pairs)).len();
        assert_eq!((of(&[]), of(&[("a", "b")])), (2, 3));
        assert_eq!((of(&[("", ""), ("a", "b"), ("", "")]), of(&[("", ""); 5])), (4, 5));
    }
}
