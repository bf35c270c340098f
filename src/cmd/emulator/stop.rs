//! `ovhai emulator stop`.

use std::time::Duration;

use clap::Args;
use ovhai_client::{Client, Error as ClientError};
use ovhai_emulator::state::{Running, StateDir};
use rustix::process::{Pid, Signal, kill_process};

use crate::context::Context;
use crate::error::{Failure, Result, TIMEOUT};
use crate::pulse;
use crate::settings::readable_state_dir;
use crate::target::endpoint;

/// It promises two seconds; a busy machine gets a few more.
const PATIENCE: Duration = Duration::from_secs(10);
/// One that did not even answer has had its time.
const PATIENCE_WITH_SILENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Stop {
    /// End it at once, also when it does not answer; what was answered is on the disk already
    #[arg(long)]
    force: bool,
}

impl Stop {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(readable_state_dir(context)?);
        let Some(pid) = state.holder() else {
            context.note(format!(
                "No emulator is running (state directory: {})",
                state.path().display()
            ));
            return Ok(());
        };
        let is_silent = if self.force {
            signal(&state, pid, Signal::KILL)?;
            false
        } else {
            ask(&state, pid, state.running()).await?
        };
        let patience = if is_silent { PATIENCE_WITH_SILENCE } else { PATIENCE };
        let deadline = tokio::time::Instant::now() + patience;
        while state.is_locked() {
            if tokio::time::Instant::now() >= deadline {
                if is_silent {
                    return Err(pulse::failure(pid));
                }
                return Err(Failure::new(format!("the emulator (pid {pid}) does not stop"))
                    .because(format!("it was asked to {} s ago", patience.as_secs()))
                    .hint("see why: ovhai emulator logs; end it: ovhai emulator stop --force")
                    .exit_code(TIMEOUT));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let what = if self.force { "Killed" } else { "Stopped" };
        context.note(format!("{what} the emulator (pid {pid})."));
        Ok(())
    }
}

/// Asks it over HTTP, and by a signal when it does not listen any more; says whether it is silent.
async fn ask(state: &StateDir, pid: u32, running: Option<Running>) -> Result<bool> {
    let mut is_silent = false;
    if let Some(running) = running {
        match Client::new(endpoint(&running))?.stop_emulator().await {
            Ok(()) => return Ok(false),
            Err(error) => is_silent = matches!(error, ClientError::Timeout),
        }
    }
    signal(state, pid, Signal::TERM)?;
    Ok(is_silent)
}

fn signal(state: &StateDir, pid: u32, signal: Signal) -> Result<()> {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may have gone meanwhile, and its number may be somebody else's.
    let process = process.filter(|_| state.holder() == Some(pid));
    process.map_or(Ok(()), |process| kill_process(process, signal)).map_err(|error| {
        Failure::new(format!("the emulator (pid {pid}) can't be stopped"))
            .because(error)
            .hint("only its owner may stop it")
    })
}
