//! Commands for several objects: unambiguous ones are processed, the others reported.

use crate::error::{FAILED, Failure, INTERRUPTED, Result};

/// The results of a command for several objects.
#[derive(Debug)]
pub(super) struct Report {
    /// The kind, such as `app`.
    kind: &'static str,
    /// Number of objects requested.
    asked: usize,
    /// The failures: the object as the user named it, and why.
    failures: Vec<(String, Failure)>,
}

impl Report {
    pub(super) fn new(kind: &'static str, asked: usize, failures: Vec<(String, Failure)>) -> Self {
        Self { kind, asked, failures }
    }

    /// Whether the command was for one object only.
    pub(super) fn is_of_one(&self) -> bool {
        self.asked == 1
    }

    /// Records a failure; an interruption ends the command.
    pub(super) fn failed(&mut self, what: String, why: Failure) -> Result<()> {
        if why.code() == INTERRUPTED {
            return Err(why);
        }
        self.failures.push((what, why));
        Ok(())
    }

    /// Fails if anything failed, after the result was shown; `done` is a participle such as
    /// "deleted".
    pub(super) fn finish(mut self, done: &str) -> Result<()> {
        let (kind, asked, failed) = (self.kind, self.asked, self.failures.len());
        if failed == 0 {
            return Ok(());
        }
        if asked == 1 {
            return self.failures.pop().map_or(Ok(()), |(_, why)| Err(why));
        }
        let left: Vec<_> =
            self.failures.iter().map(|(what, why)| format!("{what}: {}", why.brief())).collect();
        Err(Failure::new(format!("{failed} of {asked} {} could not be {done}", plural(kind)))
            .because(left.join("; "))
            .hint(format!(
                "list them: ovhai {kind} list; see the requests and responses: ovhai debug"
            ))
            .exit_code(FAILED))
    }
}

fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    }
}
