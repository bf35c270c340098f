//! `ovhai emulator stop`.

use std::time::Duration;

use clap::Args;
use ovhai_client::{Client, Error as ClientError};
use ovhai_emulator::state::{Running, StateDir};
use ovhai_runtime::identity::Identity;
use rustix::process::Signal;

use crate::calls::address::endpoint;
use crate::calls::liveness;
use crate::context::Context;
use crate::error::{Failure, Result, TIMEOUT};
use crate::server::target::unknown;
use crate::settings::readable_state_dir;

/// The emulator promises two seconds; a busy machine gets a few more.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same for one that does not answer.
const PATIENCE_WITH_SILENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Stop {
    /// Kill the emulator, even if it hangs; changes that were answered are not lost
    #[arg(long)]
    force: bool,
}

impl Stop {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(readable_state_dir(context)?);
        let Some(holder) = find(&state).await? else {
            context.note(format!(
                "No emulator is running (state directory: {})",
                state.path().display()
            ));
            return Ok(());
        };
        let pid = holder.pid;
        let is_silent = if self.force {
            signal(&holder, Signal::KILL)?;
            false
        } else {
            ask(&holder, state.running()).await?
        };
        let patience = if is_silent { PATIENCE_WITH_SILENCE } else { PATIENCE };
        let deadline = tokio::time::Instant::now() + patience;
        while state.is_locked() {
            if tokio::time::Instant::now() >= deadline {
                if is_silent {
                    return Err(liveness::failure(pid));
                }
                return Err(Failure::new(format!("the emulator (pid {pid}) does not stop"))
                    .because(format!("it was asked to stop {} s ago", patience.as_secs()))
                    .hint("see why: ovhai emulator logs; kill it: ovhai emulator stop --force")
                    .exit_code(TIMEOUT));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let what = if self.force { "Killed" } else { "Stopped" };
        context.note(format!("{what} the emulator (pid {pid})."));
        Ok(())
    }
}

/// The process that holds the directory, if any. Fails if it is not proved to be the emulator,
/// because it may be any program.
async fn find(state: &StateDir) -> Result<Option<Identity>> {
    // A starting emulator holds the lock before it publishes its identity.
    for _ in 0..20 {
        if !state.is_locked() {
            return Ok(None);
        }
        if let Some(holder) = state.holder() {
            return Ok(Some(holder));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(unknown(state))
}

/// Asks it to stop over HTTP, or with a signal if it no longer listens; returns whether it is
/// silent.
async fn ask(holder: &Identity, running: Option<Running>) -> Result<bool> {
    let mut is_silent = false;
    if let Some(running) = running {
        match Client::new(endpoint(&running))?.stop_emulator().await {
            Ok(()) => return Ok(false),
            Err(error) => is_silent = matches!(error, ClientError::Timeout),
        }
    }
    signal(holder, Signal::TERM)?;
    Ok(is_silent)
}

fn signal(holder: &Identity, signal: Signal) -> Result<()> {
    // It may have exited meanwhile; no other process gets the signal.
    holder.signal(signal).map(drop).map_err(|error| {
        Failure::new(format!("the emulator (pid {}) can't be stopped", holder.pid))
            .because(error)
            .hint("only its owner may stop it")
    })
}
