//! Phrases that findings share.

use super::UID;

/// How many names are shown.
const SHOWN: usize = 3;

/// The first of many names, and how many more there are.
pub(super) fn some(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A line that gives a directory to the app's user.
pub(super) fn give(path: &str) -> String {
    format!("RUN mkdir -p {path} && chown -R {UID}:{UID} {path}")
}
