//! The process that removes the containers of an emulator that is gone.
//!
//! The emulator starts `ovhai __reap` with a socket as its standard input, which has one line: a
//! [`Charge`] as JSON. The socket closes when the emulator ends, however it ends; then the watcher
//! removes what that emulator made and left, and nothing else. If the watcher is killed, too, the
//! next emulator of the state directory does it.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::engine::{self, EngineAddress};
use crate::labels::Owner;
use crate::reap;

/// The hidden subcommand of `ovhai`.
pub const SUBCOMMAND: &str = "__reap";
/// How long an engine is waited for that does not answer.
const PATIENCE: Duration = Duration::from_mins(1);
const AGAIN: Duration = Duration::from_millis(500);

/// What a watcher is responsible for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Charge {
    /// The engine's address.
    pub address: String,
    /// The emulator.
    pub owner: Owner,
}

/// Runs the watcher; `main` calls this before anything else when the subcommand is given.
pub fn main() -> ExitCode {
    match watch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn watch() -> io::Result<()> {
    // Ctrl-C at the emulator's terminal is the emulator's.
    rustix::process::setsid()?;
    let mut input = BufReader::new(io::stdin().lock());
    let mut line = String::new();
    input.read_line(&mut line)?;
    let charge: Charge = serde_json::from_str(&line)?;
    // Until the emulator is gone.
    let _ = input.read_to_end(&mut Vec::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(reap(&charge))
}

async fn reap(charge: &Charge) -> io::Result<()> {
    let address = EngineAddress::parse(&charge.address).map_err(io::Error::other)?;
    let docker = engine::connect(&address).map_err(io::Error::other)?;
    let begun = Instant::now();
    loop {
        let none = |_: &HashMap<String, String>| false;
        let removed = reap::all(&docker, charge.owner.of_own(), true, none).await;
        // What was being created when the emulator ended comes a moment later.
        let left = reap::list(&docker, charge.owner.of_own()).await;
        match (removed, left) {
            (Ok(()), Ok(left)) if left.iter().all(reap::is_kept) && begun.elapsed() > AGAIN => {
                return Ok(());
            }
            _ if begun.elapsed() > PATIENCE => return Err(io::ErrorKind::TimedOut.into()),
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}
