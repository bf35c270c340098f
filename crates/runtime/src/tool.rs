//! A program of this machine that the emulator needs for a moment, such as git.
//!
//! It runs under a supervisor, as an app's command does: it ends with the emulator, however that ends,
//! and with all that it has started. It gets no variables but those that it is given.

use std::path::PathBuf;
use std::time::Duration;

use ovhai_api_types::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::identity::Identity;
use crate::launch::LaunchSpec;
use crate::process::spawn_supervisor;
use crate::remains::{Record, Register, VARIABLE};

/// Time between two looks whether it may go on.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How much of its output is kept, from the end.
const OUTPUT: usize = 4096;
/// Time to read the output of one that has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Why a program did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolError {
    /// It can't be started.
    NotStarted(String),
    /// It was ended: it took too long, or the caller's check refused.
    Ended(String),
    /// It failed: the end of its output.
    Failed(String),
}

/// Starts programs.
#[derive(Debug, Clone)]
pub struct Tools {
    supervisor: PathBuf,
    register: Register,
}

impl Tools {
    /// `supervisor` is the `ovhai` executable; what runs is entered in the register.
    pub fn new(supervisor: PathBuf, register: Register) -> Self {
        Self { supervisor, register }
    }

    /// Runs a program until it ends, for at most `limit`. `check` is asked now and then whether it may go
    /// on, and may block for some milliseconds. When this future is dropped, the program is killed.
    pub async fn run(
        &self,
        launch: LaunchSpec,
        limit: Duration,
        check: impl FnMut() -> Result<(), String> + Send + 'static,
    ) -> Result<(), ToolError> {
        // Dropped with this future; the task goes on until nothing is left.
        let (alive, gone) = oneshot::channel::<()>();
        let task = tokio::spawn(supervised(self.clone(), launch, limit, check, gone));
        let outcome = task.await;
        drop(alive);
        outcome.unwrap_or_else(|error| Err(ToolError::NotStarted(error.to_string())))
    }
}

fn failed(error: impl std::fmt::Display) -> ToolError {
    ToolError::NotStarted(error.to_string())
}

async fn supervised(
    tools: Tools,
    mut launch: LaunchSpec,
    limit: Duration,
    mut check: impl FnMut() -> Result<(), String> + Send + 'static,
    mut gone: oneshot::Receiver<()>,
) -> Result<(), ToolError> {
    let name = launch.command.first().cloned().unwrap_or_default();
    let mark = format!("tool-{}-{:x}", std::process::id(), Timestamp::now().as_nanosecond());
    launch.env.push((VARIABLE.into(), mark.clone()));
    let (mut child, socket) = spawn_supervisor(&tools.supervisor, &name).map_err(failed)?;
    let supervisor = child.id().and_then(Identity::of);
    let mut entry =
        supervisor.map(|supervisor| tools.register.enter(Record { mark, supervisor, group: None }));
    let output = tokio::spawn(last_words(child.stderr.take()));
    let ignored = tokio::spawn(last_words(child.stdout.take()));
    let outcome = async {
        let (from, mut to) = socket.into_split();
        let mut from = BufReader::new(from).lines();
        let mut line = serde_json::to_string(&launch).map_err(failed)?;
        line.push('\n');
        to.write_all(line.as_bytes()).await.map_err(failed)?;
        let first = from.next_line().await.map_err(failed)?.unwrap_or_default();
        match first.split_once(' ') {
            Some(("started", pid)) => {
                if let Some(entry) = &mut entry {
                    entry.started(pid.parse().unwrap_or(0));
                }
            }
            Some(("failed", why)) => return Err(ToolError::NotStarted(why.to_owned())),
            _ => return Err(failed("its supervisor ended immediately")),
        }
        let until = Instant::now() + limit;
        let mut ended: Option<String> = None;
        loop {
            let why = tokio::select! {
                line = from.next_line() => {
                    let line = line.ok().flatten().unwrap_or_default();
                    return match ended {
                        Some(why) => Err(ToolError::Ended(why)),
                        None if line == "exited 0" => Ok(()),
                        None => Err(ToolError::Failed(line)),
                    };
                }
                _ = &mut gone, if ended.is_none() => "it is not needed any more".to_owned(),
                () = tokio::time::sleep_until(until), if ended.is_none() => {
                    format!("it took longer than {} s", limit.as_secs())
                }
                () = tokio::time::sleep(LOOK_EVERY), if ended.is_none() => match check() {
                    Ok(()) => continue,
                    Err(why) => why,
                },
            };
            // If the supervisor is gone, the next read tells.
            let _ = to.write_all(b"kill\n").await;
            ended = Some(why);
        }
    }
    .await;
    let in_order = child.wait().await.is_ok_and(|status| status.success());
    if let Some(entry) = entry {
        let _ = tokio::task::spawn_blocking(move || entry.close(in_order)).await;
    }
    ignored.abort();
    match outcome {
        Err(ToolError::Failed(line)) => {
            let said = tokio::time::timeout(LAST_WORDS, output).await;
            let said = said.ok().and_then(Result::ok).unwrap_or_default();
            let said = said.trim();
            Err(ToolError::Failed(if said.is_empty() { line } else { said.to_owned() }))
        }
        other => other,
    }
}

/// Reads output to its end, and returns the last of it.
async fn last_words(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut from) = from else { return String::new() };
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..count]);
        if kept.len() > 2 * OUTPUT {
            kept.drain(..kept.len() - OUTPUT);
        }
    }
    let start = kept.len().saturating_sub(OUTPUT);
    String::from_utf8_lossy(&kept[start..]).into_owned()
}
