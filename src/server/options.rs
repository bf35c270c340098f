//! What the emulator of a state directory was last started with on purpose (`options.json`, mode
//! 0600). A command that starts one by itself gives it the same: whoever has an emulator with
//! HTTPS, say, has it still after a crash, a restart of the machine, or `emulator stop`.

use std::collections::BTreeMap;

use ovhai_emulator::state::StateDir;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::Result;
use crate::private_file;

/// The options of `emulator start` that are kept, and the variables that go before what is kept.
const KEPT: [(&str, Option<&str>); 9] = [
    ("port", Some("OVHAI_PORT")),
    ("tls", Some("OVHAI_TLS")),
    ("host", None),
    ("regions", None),
    ("runtime", None),
    ("quota", Some("OVHAI_QUOTA")),
    ("access-log", Some("OVHAI_ACCESS_LOG")),
    ("limit", Some("OVHAI_LIMITS")),
    ("stop-after", None),
];

const IF_DAMAGED: &str =
    "delete it, or start the emulator with the options that it is to have: ovhai emulator start";

/// Options and their values; none that is not given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Options(BTreeMap<String, String>);

impl Options {
    /// Those that are kept for a directory.
    pub(crate) fn of(state: &StateDir) -> Result<Self> {
        private_file::read(&state.options(), IF_DAMAGED)
    }

    /// Keeps them for the next time; but beyond this machine an emulator listens only when it is
    /// told to, each time, and one that a command starts does not end in the midst of its use.
    pub(crate) fn keep(mut self, state: &StateDir) -> Result<()> {
        self.0.remove("host");
        self.0.remove("stop-after");
        if self.is_empty() {
            // It need not be there, and then is not.
            let _ = std::fs::remove_file(state.options());
            return Ok(());
        }
        private_file::write(&state.options(), &self)
    }

    pub(crate) fn set(&mut self, name: &str, value: impl ToString) {
        debug_assert!(KEPT.iter().any(|(known, _)| *known == name), "{name} would be lost");
        self.0.insert(name.to_owned(), value.to_string());
    }

    /// Those that no variable of the environment goes before.
    pub(crate) fn within(mut self, context: &Context) -> Self {
        for (name, variable) in KEPT {
            if variable.is_some_and(|variable| context.var(variable).is_some()) {
                self.0.remove(name);
            }
        }
        self
    }

    /// Those that the others have not.
    pub(crate) fn without(mut self, others: &Self) -> Self {
        self.0.retain(|name, _| !others.has(name));
        self
    }

    /// Whether the others have all of these, with the same values.
    pub(crate) fn is_within(&self, others: &Self) -> bool {
        self.0.iter().all(|(name, value)| others.0.get(name) == Some(value))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// As they stand on a command line.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let given = |(name, _): (&str, _)| Some(format!("--{name}={}", self.0.get(name)?));
        KEPT.into_iter().filter_map(given).collect()
    }

    /// The same for people.
    pub(crate) fn shown(&self) -> String {
        self.arguments().join(" ")
    }
}
