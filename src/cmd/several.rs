//! Verbs over several things: what is clear is done, and the rest is reported.

use crate::error::{FAILED, Failure, INTERRUPTED, Result};

/// What became of the things that one command was for.
#[derive(Debug)]
pub(super) struct Report {
    /// What they are, such as `app`.
    kind: &'static str,
    /// How many were asked for.
    asked: usize,
    /// What could not be done: the thing as people know it, and why.
    failures: Vec<(String, Failure)>,
}

impl Report {
    pub(super) fn new(kind: &'static str, asked: usize, failures: Vec<(String, Failure)>) -> Self {
        Self { kind, asked, failures }
    }

    /// Whether the command was for one thing only.
    pub(super) fn is_of_one(&self) -> bool {
        self.asked == 1
    }

    /// Remembers why one was not done; an interruption ends the command.
    pub(super) fn failed(&mut self, what: String, why: Failure) -> Result<()> {
        if why.code() == INTERRUPTED {
            return Err(why);
        }
        self.failures.push((what, why));
        Ok(())
    }

    /// Fails with what could not be done, if anything, after the result was shown; `done` is such as
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
                "see what there is: ovhai {kind} list; the requests and answers: ovhai debug"
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
