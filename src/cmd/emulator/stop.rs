//! `ovhai emulator stop`.

use std::time::Duration;

use clap::Args;
use ovhai_client::{Client, Endpoint};
use ovhai_emulator::state::{Running, StateDir};
use rustix::process::{Pid, Signal, kill_process};

use crate::context::Context;
use crate::error::{Failure, Result, TIMEOUT};
use crate::settings::state_dir;
use crate::target::root;

/// It promises two seconds; a busy machine gets a few more.
const PATIENCE: Duration = Duration::from_secs(10);

/// See the command.
#[derive(Debug, Args)]
pub(super) struct Stop {}

impl Stop {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let state = StateDir::new(state_dir(context)?);
        let Some(pid) = state.holder() else {
            context.note(format!("No emulator runs in {}", state.path().display()));
            return Ok(());
        };
        ask(pid, state.running()).await?;
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
async fn ask(pid: u32, running: Option<Running>) -> Result<()> {
    if let Some(running) = running {
        let endpoint = Endpoint { base: root(&running), bearer: running.administrator.clone() };
        if Client::new(endpoint)?.stop_emulator(&root(&running)).await.is_ok() {
            return Ok(());
        }
    }
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // The lock is held, so that the process is the one that holds it.
    process.map_or(Ok(()), |process| kill_process(process, Signal::TERM)).map_err(|error| {
        Failure::new(format!("the emulator (pid {pid}) can't be stopped")).because(error)
    })
}
