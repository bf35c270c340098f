//! Commands inside a container, by the engine's own call, as the container's user.
//!
//! Engines have no call that sends a signal to such a command, and go on with one whose client is
//! gone. Here the signal goes to the command's process, where this machine has it and this user may;
//! else a second command in the container sends it, which needs a `kill` or a shell in the image.

use std::fs;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{ResizeExecOptions, StartExecOptions, StartExecResults};
use bollard::models::{ExecConfig, ExecInspectResponse};
use futures_util::StreamExt;
use ovhai_api_types::{EXEC_CHUNK_MAX, TerminalSize};
use ovhai_core::ports::{ExecBackend, ExecControl, ExecOutput, Terminal};
use ovhai_core::replica::ExitStatus;
use ovhai_runtime::identity::Identity;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};

use crate::engine::text;
use crate::usage::Running;

/// Maximum bytes of a message of the engine's.
const MESSAGE_MAX: usize = 2 * EXEC_CHUNK_MAX;
/// How often, and after which pauses, an engine is asked what it does not know at once.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(5);
/// The end of the input, for a terminal.
const END_OF_TRANSMISSION: &[u8] = b"\x04";

/// A command that is to be run.
pub(crate) struct Command {
    pub(crate) words: Vec<String>,
    pub(crate) terminal: Option<Terminal>,
    pub(crate) has_input: bool,
}

/// Runs a command to its end.
pub(crate) async fn run(running: Running, command: Command, backend: ExecBackend) {
    let output = backend.output.clone();
    let last = whole(&running, command, backend).await.unwrap_or_else(|error| {
        let info = &running.engine.info;
        ExecOutput::Failed { message: format!("{}: {}", info.kind, text(&error)), code: None }
    });
    // The session may have been dropped.
    let _ = output.send(last).await;
}

async fn whole(
    running: &Running,
    command: Command,
    backend: ExecBackend,
) -> Result<ExecOutput, bollard::errors::Error> {
    let docker = &running.engine.docker;
    let ExecBackend { input: mut bytes, mut control, output } = backend;
    let Command { words, terminal, has_input } = command;
    let size = terminal.as_ref().map(|terminal| terminal.size);
    let has_terminal = terminal.is_some();
    let config = ExecConfig {
        attach_stdin: Some(has_input),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(has_terminal),
        console_size: size.map(|size| vec![size.height.into(), size.width.into()]),
        env: terminal.map(|terminal| vec![format!("TERM={}", terminal.kind)]),
        cmd: Some(words),
        ..ExecConfig::default()
    };
    let id = docker.create_exec(&running.id, config).await?.id;
    let options =
        StartExecOptions { detach: false, tty: has_terminal, output_capacity: Some(MESSAGE_MAX) };
    let StartExecResults::Attached { output: mut said, input: keys } =
        docker.start_exec(&id, Some(options)).await?
    else {
        return Ok(ExecOutput::Failed { message: "the engine detached".into(), code: None });
    };
    // Engines before API 1.42 do not know the first size.
    let (sizes, wanted) = watch::channel(size);
    tokio::spawn(resize(running.clone(), id.clone(), wanted));
    let typing = tokio::spawn(async move {
        // An error says that the command reads no more, which is its own affair.
        let _ = feed(keys, &mut bytes, has_terminal).await;
    });
    let mut is_controlled = true;
    loop {
        tokio::select! {
            part = said.next() => {
                let said = match part {
                    Some(Ok(LogOutput::StdErr { message })) => {
                        (message, ExecOutput::Stderr as fn(_) -> _)
                    }
                    Some(Ok(
                        LogOutput::StdOut { message }
                        | LogOutput::Console { message }
                        | LogOutput::StdIn { message },
                    )) => (message, ExecOutput::Stdout as fn(_) -> _),
                    // How it ended is asked next.
                    Some(Err(_)) | None => break,
                };
                for piece in said.0.chunks(EXEC_CHUNK_MAX) {
                    if output.send(said.1(piece.to_vec())).await.is_err() {
                        break;
                    }
                }
            }
            asked = control.recv(), if is_controlled => match asked {
                Some(ExecControl::Resize(size)) => {
                    sizes.send_replace(has_terminal.then_some(size));
                }
                Some(ExecControl::Signal(number)) => {
                    if let Err(why) = signal(running, &id, number).await {
                        let why = format!("signal {number} did not reach the command: {why}");
                        let _ = output.send(ExecOutput::Notice(why)).await;
                    }
                }
                None => is_controlled = false,
            },
            () = output.closed() => {
                typing.abort();
                if let Err(why) = signal(running, &id, Signal::KILL.as_raw()).await {
                    tracing::warn!(container = running.id, why, "a command goes on after its session");
                }
                break;
            }
        }
    }
    typing.abort();
    ended(running, &id).await
}

/// How a command whose output has ended ended itself.
async fn ended(running: &Running, id: &str) -> Result<ExecOutput, bollard::errors::Error> {
    for _ in 0..LOOKS {
        let found = running.engine.docker.inspect_exec(id).await?;
        if found.running != Some(true)
            && let Some(code) = found.exit_code
        {
            return Ok(ExecOutput::Ended(ExitStatus::Code(i32::try_from(code).unwrap_or(-1))));
        }
        tokio::time::sleep(PAUSE).await;
    }
    let message = "the engine does not say how the command ended".into();
    Ok(ExecOutput::Failed { message, code: None })
}

/// Passes input on to its end.
async fn feed(
    mut to: std::pin::Pin<Box<dyn AsyncWrite + Send>>,
    bytes: &mut mpsc::Receiver<Vec<u8>>,
    has_terminal: bool,
) -> std::io::Result<()> {
    while let Some(bytes) = bytes.recv().await {
        to.write_all(&bytes).await?;
        to.flush().await?;
    }
    if has_terminal {
        to.write_all(END_OF_TRANSMISSION).await?;
        return to.flush().await;
    }
    to.shutdown().await
}

/// Gives a command's terminal the size that is wanted, one after the other, so that the last one
/// stays. An engine refuses that until the command runs.
async fn resize(running: Running, id: String, mut wanted: watch::Receiver<Option<TerminalSize>>) {
    loop {
        for _ in 0..LOOKS {
            let Some(TerminalSize { width, height }) = *wanted.borrow_and_update() else { break };
            let options = ResizeExecOptions { width, height };
            if running.engine.docker.resize_exec(&id, options).await.is_ok() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if wanted.changed().await.is_err() {
            // The command has ended.
            return;
        }
    }
}

/// Sends a signal to a command and to what it started. The error says why that can't be done.
async fn signal(running: &Running, id: &str, number: i32) -> Result<(), String> {
    let docker = &running.engine.docker;
    let mut found = ExecInspectResponse::default();
    for _ in 0..LOOKS {
        found = docker.inspect_exec(id).await.map_err(|error| text(&error))?;
        if found.pid.is_some_and(|pid| pid > 0) || found.running == Some(false) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    if found.running == Some(false) {
        return Ok(());
    }
    let pid = found.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0);
    let pid = pid.ok_or("the engine does not tell its process")?;
    if directly(&running.id, pid, number) {
        return Ok(());
    }
    let inner = inner_pid(&running.id, pid).ok_or(
        "the engine's processes are not on this machine, and the engine has no call for it",
    )?;
    let script = format!("kill -{number} -{inner} || kill -{number} {inner}");
    let kill = [format!("-{number}"), format!("-{inner}")];
    for words in
        [vec!["sh".to_owned(), "-c".into(), script], [&["kill".to_owned()], &kill[..]].concat()]
    {
        if succeeds(running, words).await {
            return Ok(());
        }
    }
    Err("this user may not signal it, and the image has neither a shell nor kill".into())
}

/// Runs a command without input and output; whether it succeeds.
async fn succeeds(running: &Running, words: Vec<String>) -> bool {
    let docker = &running.engine.docker;
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(words),
        ..ExecConfig::default()
    };
    let Ok(created) = docker.create_exec(&running.id, config).await else { return false };
    let Ok(StartExecResults::Attached { mut output, .. }) =
        docker.start_exec(&created.id, None).await
    else {
        return false;
    };
    while output.next().await.is_some() {}
    let end = ended(running, &created.id).await;
    matches!(end, Ok(ExecOutput::Ended(ExitStatus::Code(0))))
}

/// Whether a process on this machine is one of the container's.
fn is_of(container: &str, pid: u32) -> bool {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    !container.is_empty() && groups.contains(container)
}

/// Sends a signal to a process of the container, or to the group that it leads, if this user may.
fn directly(container: &str, pid: u32, number: i32) -> bool {
    let Some(signal) = Signal::from_named_raw(number) else { return false };
    // Taken first: what is checked then is what is signalled.
    let Some(process) = Identity::of(pid) else { return false };
    if !is_of(container, pid) {
        return false;
    }
    let group = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let of_group = group.is_some_and(|group| kill_process_group(group, signal).is_ok());
    of_group || process.signal(signal).unwrap_or(false)
}

/// The number that a process has inside its container.
fn inner_pid(container: &str, pid: u32) -> Option<u32> {
    if !is_of(container, pid) {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_whitespace().last()?.parse().ok()
}
