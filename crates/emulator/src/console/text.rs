//! Words and marks for states, times and labels.

use std::time::Duration;

use ovhai_api_types::{AppState, Labels, Timestamp};
use ovhai_core::replica::ReplicaPhase;

/// A state as a word, an icon and a colour: no one of them alone tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) word: &'static str,
    pub(super) icon: &'static str,
    pub(super) class: &'static str,
}

const fn look(word: &'static str, icon: &'static str, class: &'static str) -> Look {
    Look { word, icon, class }
}

/// The look of an app's state.
pub(super) fn state(state: AppState) -> Look {
    match state {
        AppState::Queued => look("QUEUED", "clock", "busy"),
        AppState::Initializing => look("INITIALIZING", "loader-circle", "busy"),
        AppState::Running => look("RUNNING", "circle-check", "good"),
        AppState::Scaling => look("SCALING", "loader-circle", "busy"),
        AppState::Stopping => look("STOPPING", "loader-circle", "busy"),
        // Nothing is wrong with it.
        AppState::Stopped => look("STOPPED", "circle-pause", "off"),
        AppState::Failed => look("FAILED", "circle-x", "bad"),
        AppState::Error => look("ERROR", "triangle-alert", "bad"),
        AppState::Deleting => look("DELETING", "loader-circle", "busy"),
        AppState::Deleted => look("DELETED", "trash-2", "off"),
    }
}

/// The look of a replica's phase.
pub(super) fn phase(phase: ReplicaPhase) -> Look {
    match phase {
        ReplicaPhase::Starting => look("STARTING", "loader-circle", "busy"),
        ReplicaPhase::Ready => look("READY", "circle-check", "good"),
        ReplicaPhase::Stopping => look("STOPPING", "loader-circle", "busy"),
        ReplicaPhase::BackOff => look("BACK_OFF", "clock", "bad"),
        ReplicaPhase::Failed => look("FAILED", "circle-x", "bad"),
    }
}

/// The look of a decision.
pub(super) fn access(is_allowed: bool) -> Look {
    if is_allowed {
        look("allowed", "shield-check", "good")
    } else {
        look("refused", "shield-x", "off")
    }
}

/// The time since a moment, in its largest unit.
pub(super) fn age(since: Timestamp, now: Timestamp) -> String {
    let age = Duration::try_from(now.duration_since(since)).unwrap_or_default().as_secs();
    match age {
        0..60 => format!("{age} s"),
        60..3600 => format!("{} min", age / 60),
        3600..86_400 => format!("{} h", age / 3600),
        _ => format!("{} d", age / 86_400),
    }
}

/// A moment for people, in UTC.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The time of a moment, in UTC.
pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// A label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) key: String,
    pub(super) value: String,
    /// Whether the platform set it, so that it can't be changed.
    pub(super) is_platform: bool,
}

/// Labels, the platform's last.
pub(super) fn labels(labels: &Labels) -> Vec<Label> {
    let mut labels: Vec<_> = labels
        .iter()
        .map(|(key, value)| Label {
            key: key.to_string(),
            value: value.to_string(),
            is_platform: key.as_str().starts_with("ovh/"),
        })
        .collect();
    labels.sort_by_key(|label| label.is_platform);
    labels
}

/// A label selector that is not valid, with the place of the fault.
#[derive(Debug)]
pub(super) struct WrongSelector {
    pub(super) message: String,
    pub(super) before: String,
    pub(super) at: String,
    pub(super) after: String,
}

/// Reads a label selector.
pub(super) fn selector(text: &str) -> Result<ovhai_api_types::Selector, WrongSelector> {
    text.parse().map_err(|fault: ovhai_api_types::InvalidSelector| {
        let at =
            (0..=fault.at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (before, rest) = text.split_at(at);
        let end = rest.chars().next().map_or(0, char::len_utf8);
        let (at, after) = rest.split_at(end);
        // The end of the text is a place, too.
        let at = if at.is_empty() { "\u{2423}" } else { at };
        WrongSelector {
            message: fault.why,
            before: before.to_owned(),
            at: at.to_owned(),
            after: after.to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_in_their_largest_unit() {
        let since = Timestamp::UNIX_EPOCH;
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (90_000, "1 d"),
        ] {
            assert_eq!(age(since, since + Duration::from_secs(seconds)), expected);
        }
        assert_eq!(age(since + Duration::from_secs(5), since), "0 s", "a clock that was moved");
    }

    #[test]
    fn a_fault_of_a_selector_is_marked() {
        let wrong = selector("a=b, c in (x").expect_err("a fault");
        assert!(format!("{}{}{}", wrong.before, wrong.at, wrong.after).len() >= 12);
        let wrong = selector("a=b,é!").expect_err("a fault");
        assert!(!wrong.message.is_empty());
        assert!(selector("group=A, env!=prod").is_ok() && selector("").is_ok());
    }
}
