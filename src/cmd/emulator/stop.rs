//! `ovhai emulator stop`.

use std::time::Duration;

use clap::Args;
use ovhai_client::Client;
use ovhai_emulator::state::{Running, StateDir};
use rustix::process::{Pid, Signal, kill_process};

use crate::context::Context;
use crate::error::{Failure, Result, TIMEOUT};
use crate::settings::readable_state_dir;
use crate::target::endpoint;

/// It promises two seconds; a busy machine gets a few more.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct Stop {}

impl Stop {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(readable_state_dir(context)?);
        let Some(pid) = state.holder() else {
            context.note(format!("No emulator runs in {}", state.path().display()));
            return Ok(());
        };
        ask(&state, pid, state.running()).await?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while state.is_locked() {
            if tokio::time::Instant::now() >= deadline {
                return Err(Failure::new(format!("the emulator (pid {pid}) does not stop"))
                    .hint(format!("see why: {}; end it: kill -9 {}", state.log().display(), pid))
                    .exit_code(TIMEOUT));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        context.note(format!("Stopped the emulator (pid {pid})."));
        Ok(())
    }
}

/// Asks it over HTTP, and by a signal when it does not listen any more.
async fn ask(state: &StateDir, pid: u32, running: Option<Running>) -> Result<()> {
    if let Some(running) = running
        && Client::new(endpoint(&running))?.stop_emulator().await.is_ok()
    {
        return Ok(());
    }
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may have gone meanwhile, and its number may be somebody else's.
    let process = process.filter(|_| state.holder() == Some(pid));
    process.map_or(Ok(()), |process| kill_process(process, Signal::TERM)).map_err(|error| {
        Failure::new(format!("the emulator (pid {pid}) can't be stopped")).because(error)
    })
}
