//! Labels of what is ours: containers and networks.

use std::collections::HashMap;

use ovhai_api_types::AppId;
use ovhai_runtime::identity::Identity;
use serde::{Deserialize, Serialize};

use crate::engine::sha256;

/// The id of the state directory.
pub const STATE: &str = "ovh.emulator";
/// Whether an app failed in it, and it is kept for its owner to look at, stands in a name.
pub const KEPT: &str = "ovhai-failed-";
pub(crate) const APP: &str = "ovh.emulator.app";
pub(crate) const REPLICA: &str = "ovh.emulator.replica";
pub(crate) const REVISION: &str = "ovh.emulator.revision";
const PID: &str = "ovh.emulator.pid";
const STARTED: &str = "ovh.emulator.pid-start";

/// An emulator: its state directory, and its process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The id of the state directory.
    pub state: String,
    /// The number of its process.
    pub pid: u32,
    /// What distinguishes the process from others with that number.
    pub started: String,
}

impl Owner {
    /// This process, for that state directory.
    pub fn own(state: impl Into<String>) -> Self {
        let identity = Identity::own();
        // The identity's text is the same as long as the process lives, and no other's.
        let text = identity.and_then(|it| serde_json::to_string(&it).ok()).unwrap_or_default();
        let started = sha256(text.as_bytes(), 8);
        Self { state: state.into(), pid: std::process::id(), started }
    }

    /// A word for names, which no other emulator has.
    pub(crate) fn word(&self) -> String {
        let text = format!("{}/{}/{}", self.state, self.pid, self.started);
        sha256(text.as_bytes(), 5)
    }

    /// The labels of what it owns.
    pub(crate) fn labels(&self) -> HashMap<String, String> {
        [(STATE, self.state.clone()), (PID, self.pid.to_string()), (STARTED, self.started.clone())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// A filter for what belongs to its state directory, whichever emulator made it.
    pub(crate) fn of_state(&self) -> HashMap<String, Vec<String>> {
        [("label".to_owned(), vec![format!("{STATE}={}", self.state)])].into()
    }

    /// A filter for the containers of an app, whichever emulator of the state directory made them.
    pub(crate) fn of_app(&self, app: AppId) -> HashMap<String, Vec<String>> {
        let state = format!("{STATE}={}", self.state);
        [("label".to_owned(), vec![state, format!("{APP}={app}")])].into()
    }

    /// A filter for what this emulator made.
    pub(crate) fn of_own(&self) -> HashMap<String, Vec<String>> {
        let labels = self.labels().into_iter().map(|(name, value)| format!("{name}={value}"));
        [("label".to_owned(), labels.collect())].into()
    }

    /// Whether these are the labels of what this emulator made.
    pub(crate) fn made(&self, labels: &HashMap<String, String>) -> bool {
        self.labels().iter().all(|(name, value)| labels.get(name) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_knows_its_own() {
        let own = Owner::own("s1");
        assert_eq!(own, Owner::own("s1"), "as long as the process lives");
        assert!(own.made(&own.labels()));
        let later = Owner { started: "other".into(), ..own.clone() };
        assert!(!own.made(&later.labels()), "a reused number");
        assert!(!own.made(&Owner::own("s2").labels()), "another state directory");
        assert_eq!(own.of_state()["label"], ["ovh.emulator=s1"]);
        assert_eq!(own.of_own()["label"].len(), 3);
    }
}
