//! `ovhai emulator ca …`: the local certificate authority, and the stores that trust it.
//!
//! Nothing here uses more rights than the caller has; otherwise the command to run by hand is
//! shown.

mod java;
mod machine;
mod nss;
mod system;

use std::path::Path;

use clap::{Args, Subcommand};
use ovhai_emulator::state::StateDir;
use ovhai_emulator::tls::{Authority, TlsError};
use serde::Serialize;

use crate::calls::address::root;
use crate::context::Context;
use crate::error::{FAILED, Failure, Result};
use crate::settings::state_dir;
use crate::term::describe::Description;
use crate::term::table::Fit;
use crate::ui::output::Show;
use machine::Machine;

#[derive(Debug, Args)]
pub(super) struct CaCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the path of the authority's certificate; create it if it is missing
    #[command(
        after_help = "Example: curl --cacert \"$(ovhai emulator ca path)\" https://localhost:4443/"
    )]
    Path,
    /// Add the authority to the trust stores of this machine
    #[command(
        after_help = "The authority can sign certificates for localhost, names below it, 127.0.0.1 and ::1 only."
    )]
    Install(Stores),
    /// Remove the authority from the trust stores of this machine; its files stay
    #[command(visible_alias = "rm")]
    Remove(Stores),
}

#[derive(Debug, Clone, Copy, Args)]
struct Stores {
    /// The system's store, which curl and most programs use [default: every store found]
    #[arg(long)]
    system: bool,
    /// The NSS databases of Chromium and Firefox
    #[arg(long)]
    nss: bool,
    /// The store of the Java in JAVA_HOME, or on the PATH
    #[arg(long)]
    java: bool,
}

/// The operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Install,
    Remove,
}

/// The result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Became {
    Installed,
    AlreadyThere,
    Removed,
    NotThere,
    Skipped,
    Failed,
}

impl Became {
    fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::AlreadyThere => "already there",
            Self::Removed => "removed",
            Self::NotThere => "not there",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// A store, and the result there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    store: &'static str,
    place: String,
    result: Became,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// To run by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

impl Outcome {
    fn new(store: &'static str, place: impl Into<String>, result: Became) -> Self {
        Self { store, place: place.into(), result, reason: None, command: None }
    }

    /// The required program is missing.
    fn skipped(store: &'static str, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new(store, "", Became::Skipped) }
    }

    fn failed(
        store: &'static str,
        place: impl Into<String>,
        reason: impl Into<String>,
        command: Option<String>,
    ) -> Self {
        Self { reason: Some(reason.into()), command, ..Self::new(store, place, Became::Failed) }
    }
}

impl Show for Outcome {
    const COLUMNS: &'static [&'static str] = &["STORE", "RESULT", "PLACE"];

    const FIT: &'static [Fit] = &[Fit::Fixed, Fit::Fixed, Fit::Shrink(10)];

    fn row(&self, _now: jiff::Timestamp) -> Vec<String> {
        vec![self.store.into(), self.result.as_str().into(), self.place.clone()]
    }

    fn describe(&self) -> Description {
        Description::new()
            .field("Store", self.store)
            .field("Place", &self.place)
            .field("Result", self.result.as_str())
            .maybe("Reason", self.reason.as_ref())
            .maybe("By Hand", self.command.as_ref())
    }

    fn name(&self) -> String {
        self.place.clone()
    }
}

/// The authority's certificate for stores.
#[derive(Debug, Clone, Copy)]
struct Certificate<'a> {
    /// The file, as PEM.
    path: &'a Path,
    pem: &'a str,
    /// Its unique name in the stores.
    name: &'a str,
    /// SHA-256, hexadecimal.
    fingerprint: &'a str,
}

impl CaCommand {
    pub(super) fn run(self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(state_dir(context)?);
        match self.verb {
            Verb::Path => {
                let authority = load_or_create(&state)?;
                context.line(path(&authority)?.to_string_lossy())
            }
            Verb::Install(stores) => {
                let authority = load_or_create(&state)?;
                stores.each(context, Task::Install, &authority)
            }
            Verb::Remove(stores) => match Authority::load(state.path()).map_err(failure)? {
                Some(authority) => stores.each(context, Task::Remove, &authority),
                None => {
                    context.note(format!(
                        "There is no certificate authority in {}, so there is nothing to remove.",
                        state.path().display()
                    ));
                    if context.format().is_some() {
                        context.show_all::<Outcome>(&[])?;
                    }
                    Ok(())
                }
            },
        }
    }
}

fn load_or_create(state: &StateDir) -> Result<Authority> {
    if let Some(running) = state.running().filter(|_| !state.database().exists()) {
        // A new authority would be trusted without signing anything.
        return Err(Failure::new("an --ephemeral emulator does not keep its certificate authority")
            .because("it was started with --ephemeral")
            .hint(format!(
                "while it runs, download the certificate: curl {}/_emulator/ca.pem; for a permanent one: ovhai emulator start --tls",
                root(&running)
            )));
    }
    state.create().map_err(|error| {
        Failure::new(format!("{} can't be used", state.path().display()))
            .because(error)
            .hint("use another directory: --state-dir DIR or OVHAI_STATE_DIR")
    })?;
    Authority::load_or_create(state.path()).map_err(failure)
}

fn failure(error: TlsError) -> Failure {
    Failure::new("the certificate authority can't be used")
        .because(error)
        .hint("use another directory: --state-dir DIR or OVHAI_STATE_DIR")
}

fn path(authority: &Authority) -> Result<&Path> {
    authority.path().ok_or_else(|| Failure::new("the certificate authority's file is missing"))
}

impl Stores {
    fn each(self, context: &mut Context, task: Task, authority: &Authority) -> Result<()> {
        let machine = Machine::of(context);
        let fingerprint = authority.fingerprint();
        let certificate = Certificate {
            path: path(authority)?,
            pem: authority.pem(),
            name: authority.name(),
            fingerprint: &fingerprint,
        };
        let named = self.system || self.nss || self.java;
        let mut outcomes = Vec::new();
        if self.system || !named {
            outcomes.push(system::run(&machine, task, certificate));
        }
        if self.nss || !named {
            outcomes.extend(nss::run(&machine, task, certificate, self.nss));
        }
        if self.java || !named {
            outcomes.push(java::run(&machine, task, certificate));
        }
        context.show_all(&outcomes)?;
        for outcome in &outcomes {
            if let Some(reason) = &outcome.reason {
                let (store, what) = (outcome.store, outcome.result.as_str());
                context.note(format!("{store} {what}: {reason}"));
            }
            if let Some(command) = &outcome.command {
                context.note(format!("hint: run it by hand: {command}"));
            }
        }
        let bad = |outcome: &Outcome| match outcome.result {
            Became::Failed => true,
            // An explicitly chosen store must not be skipped.
            Became::Skipped => named && task == Task::Install,
            _ => false,
        };
        if outcomes.iter().any(bad) { Err(Failure::silent(FAILED)) } else { Ok(()) }
    }
}
