//! Commands inside a container, by the engine's own call, as the container's user.
//!
//! Engines have no call that sends a signal to such a command, and go on with one whose client is
//! gone. Here the signal goes to the command's process, where this machine has it and this user may;
//! else a second command in the container sends it, which needs a `kill` or a shell in the image.

use std::fs;
use std::pin::{Pin, pin};
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{ResizeExecOptions, StartExecOptions, StartExecResults};
use bollard::models::{ExecConfig, ExecInspectResponse};
use futures_util::{Stream, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use ovhai_api_types::{EXEC_CHUNK_MAX, TerminalSize};
use ovhai_core::ports::{ExecBackend, ExecControl, ExecOutput, Terminal};
use ovhai_core::replica::ExitStatus;
use ovhai_runtime::identity::Identity;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf};
use tokio::sync::{mpsc, watch};

use crate::engine::{start_terminal, text};
use crate::usage::Running;

/// Maximum bytes of a message of the engine's.
const MESSAGE_MAX: usize = 2 * EXEC_CHUNK_MAX;
/// How often, and after which pauses, an engine is asked what it does not know at once.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(5);
/// The pause before a command that goes on without output is looked at again.
const LONG_PAUSE: Duration = Duration::from_millis(100);
/// Time that a second command, which sends a signal, has.
const KILLING: Duration = Duration::from_secs(5);
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
) -> Result<ExecOutput, Error> {
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
    let Some((said, keys)) = start(running, &id, has_terminal).await? else {
        return Ok(ExecOutput::Failed { message: "the engine detached".into(), code: None });
    };
    // Engines before API 1.42 do not know the first size.
    let (sizes, wanted) = watch::channel(size);
    tokio::spawn(resize(running.clone(), id.clone(), wanted));
    let typing = tokio::spawn(async move {
        // An error says that the command reads no more, which is its own affair.
        let _ = feed(keys, &mut bytes, has_terminal).await;
    });
    // Apart, so that signals do not wait for the reader of the output.
    let mut sending = tokio::spawn(said.pass_on(output.clone()));
    let given_up = sending.abort_handle();
    let mut end = pin!(async {
        let _ = (&mut sending).await;
        ended(running, &id).await
    });
    let mut is_controlled = true;
    let end = loop {
        tokio::select! {
            end = &mut end => break end,
            asked = control.recv(), if is_controlled => match asked {
                Some(ExecControl::Resize(size)) => {
                    sizes.send_replace(has_terminal.then_some(size));
                }
                Some(ExecControl::Signal(number)) => {
                    if let Err(why) = signal(running, &id, number).await {
                        let why = format!("signal {number} did not reach the command: {why}");
                        let output = output.clone();
                        tokio::spawn(async move { output.send(ExecOutput::Notice(why)).await });
                    }
                }
                None => is_controlled = false,
            },
            () = output.closed() => {
                if let Err(why) = signal(running, &id, Signal::KILL.as_raw()).await {
                    tracing::warn!(container = running.id, why, "a command goes on after its session");
                }
                break Ok(ExecOutput::Ended(ExitStatus::Signal(Signal::KILL.as_raw())));
            }
        }
    };
    given_up.abort();
    typing.abort();
    end
}

/// What the engine sends of a command's output.
enum Said {
    Frames(Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>),
    Terminal(ReadHalf<TokioIo<Upgraded>>),
}

type Keys = Pin<Box<dyn AsyncWrite + Send>>;

/// Starts a command that was created; none: the engine does not pass its output on.
async fn start(
    running: &Running,
    id: &str,
    has_terminal: bool,
) -> Result<Option<(Said, Keys)>, Error> {
    if has_terminal {
        let (said, keys) = tokio::io::split(start_terminal(&running.engine, id).await?);
        return Ok(Some((Said::Terminal(said), Box::pin(keys))));
    }
    let options =
        StartExecOptions { detach: false, tty: false, output_capacity: Some(MESSAGE_MAX) };
    Ok(match running.engine.docker.start_exec(id, Some(options)).await? {
        StartExecResults::Attached { output, input } => Some((Said::Frames(output), input)),
        StartExecResults::Detached => None,
    })
}

impl Said {
    /// Passes the output on to its end, as fast as it is taken. How the command ended is asked then.
    async fn pass_on(self, to: mpsc::Sender<ExecOutput>) {
        match self {
            Self::Terminal(mut from) => {
                let mut room = vec![0; EXEC_CHUNK_MAX];
                while let Ok(count @ 1..) = from.read(&mut room).await {
                    if to.send(ExecOutput::Stdout(room[..count].to_vec())).await.is_err() {
                        return;
                    }
                }
            }
            Self::Frames(mut from) => {
                while let Some(Ok(part)) = from.next().await {
                    let (message, kind) = match part {
                        LogOutput::StdErr { message } => {
                            (message, ExecOutput::Stderr as fn(_) -> _)
                        }
                        LogOutput::StdOut { message }
                        | LogOutput::Console { message }
                        | LogOutput::StdIn { message } => {
                            (message, ExecOutput::Stdout as fn(_) -> _)
                        }
                    };
                    for piece in message.chunks(EXEC_CHUNK_MAX) {
                        if to.send(kind(piece.to_vec())).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }
}

/// How a command whose output has ended ends itself: it may go on without output.
async fn ended(running: &Running, id: &str) -> Result<ExecOutput, Error> {
    let (mut asked, mut unknown) = (0, 0);
    while unknown < LOOKS {
        let found = running.engine.docker.inspect_exec(id).await?;
        if found.running != Some(true) {
            if let Some(code) = found.exit_code {
                let code = i32::try_from(code).unwrap_or(-1);
                return Ok(ExecOutput::Ended(ExitStatus::Code(code)));
            }
            unknown += 1;
        }
        asked += 1;
        tokio::time::sleep(if asked < LOOKS { PAUSE } else { LONG_PAUSE }).await;
    }
    let message = "the engine does not say how the command ended".into();
    Ok(ExecOutput::Failed { message, code: None })
}

/// Passes input on to its end.
async fn feed(
    mut to: Keys,
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
        if tokio::time::timeout(KILLING, succeeds(running, words)).await == Ok(true) {
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Child;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use ovhai_core::ports::ExecSession;
    use tokio::net::{UnixListener, UnixStream};

    use super::*;
    use crate::engine::{EngineSettings, find};

    /// An engine with one command.
    struct Fake {
        pid: u32,
        /// How often it says that the command runs.
        looks: AtomicU32,
        /// What the command writes.
        output: Vec<u8>,
        is_endless: bool,
    }

    impl Fake {
        fn of(output: &[u8]) -> Self {
            let looks = AtomicU32::new(0);
            Self { pid: 0, looks, output: output.to_vec(), is_endless: false }
        }

        /// Answers the requests on a connection.
        async fn serve(&self, mut stream: UnixStream) -> std::io::Result<()> {
            loop {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let head = String::from_utf8_lossy(&head).to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
                let mut body = vec![0; length];
                stream.read_exact(&mut body).await?;
                let path = head.split(' ').nth(1).unwrap_or_default();
                if path.ends_with("/start") {
                    let upgraded =
                        "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
                    stream.write_all(upgraded.as_bytes()).await?;
                    stream.write_all(&self.output).await?;
                    if self.is_endless {
                        loop {
                            stream.write_all(&self.output).await?;
                        }
                    }
                    return stream.shutdown().await;
                }
                let (status, answer) = match path {
                    _ if path.ends_with("/version") => {
                        (200, r#"{"Version":"29.0.1","ApiVersion":"1.52"}"#.to_owned())
                    }
                    _ if path.ends_with("/info") => (200, "{}".into()),
                    _ if path.ends_with("/exec/e/json") => {
                        let less = |looks: u32| looks.checked_sub(1);
                        let order = Ordering::SeqCst;
                        let runs = self.looks.fetch_update(order, order, less).is_ok();
                        let code = if runs { "null" } else { "4" };
                        (
                            200,
                            format!(r#"{{"Running":{runs},"ExitCode":{code},"Pid":{}}}"#, self.pid),
                        )
                    }
                    _ if path.ends_with("/exec") => (201, r#"{"Id":"e"}"#.into()),
                    _ => (200, "OK".into()),
                };
                let length = answer.len();
                let answer =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{answer}");
                stream.write_all(answer.as_bytes()).await?;
            }
        }

        /// Runs the command in it.
        async fn run(self, home: &Path, terminal: Option<Terminal>) -> ExecSession {
            let socket = home.join("engine");
            let listener = UnixListener::bind(&socket).expect("a socket");
            let fake = Arc::new(self);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let fake = Arc::clone(&fake);
                    tokio::spawn(async move { fake.serve(stream).await });
                }
            });
            let settings = EngineSettings::only("test", socket.display().to_string());
            let engine = Arc::new(find(&settings).await.expect("an engine"));
            // Every control group has it in its name.
            let running = Running { engine, id: ":".into(), pid: 0 };
            let (session, backend) = ExecSession::new();
            let command = Command { words: vec!["x".into()], terminal, has_input: false };
            tokio::spawn(run(running, command, backend));
            session
        }
    }

    fn terminal() -> Terminal {
        Terminal { size: TerminalSize { width: 80, height: 24 }, kind: "xterm".into() }
    }

    /// All that it says, and its end.
    async fn all(session: &mut ExecSession) -> (Vec<u8>, ExecOutput) {
        let mut said = Vec::new();
        loop {
            match session.output.recv().await.expect("an end") {
                ExecOutput::Stdout(bytes) => said.extend(bytes),
                other => return (said, other),
            }
        }
    }

    fn sleeper() -> Child {
        std::process::Command::new("sleep").arg("4741").spawn().expect("started")
    }

    async fn is_killed(mut sleeper: Child) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;

        let ended = tokio::task::spawn_blocking(move || {
            for _ in 0..1000 {
                if let Some(ended) = sleeper.try_wait().expect("a child") {
                    return ended.signal();
                }
                std::thread::sleep(PAUSE);
            }
            sleeper.kill().expect("killed");
            None
        });
        ended.await.expect("waited")
    }

    #[tokio::test]
    async fn a_terminal_shows_all_bytes() {
        let home = tempfile::tempdir().expect("a directory");
        // As the head of a frame of 4 GiB, and that of one of two bytes.
        let bytes =
            [&b"\x01\0\0\0\xff\xff\xff\xff"[..], b"\x02\0\0\0\0\0\0\x02hi", &[0; 99]].concat();
        let mut session = Fake::of(&bytes).run(home.path(), Some(terminal())).await;
        let (said, end) = all(&mut session).await;
        assert_eq!(said, bytes);
        assert_eq!(end, ExecOutput::Ended(ExitStatus::Code(4)));
        // Without one there are frames.
        let home = tempfile::tempdir().expect("a directory");
        let mut session = Fake::of(b"\x01\0\0\0\0\0\0\x02hi").run(home.path(), None).await;
        assert_eq!(all(&mut session).await, (b"hi".to_vec(), end));
    }

    #[tokio::test]
    async fn a_command_goes_on_without_output() {
        let home = tempfile::tempdir().expect("a directory");
        let fake = Fake { looks: AtomicU32::new(LOOKS + 2), ..Fake::of(b"") };
        let mut session = fake.run(home.path(), None).await;
        assert_eq!(all(&mut session).await.1, ExecOutput::Ended(ExitStatus::Code(4)));
        // It ends with its session.
        let home = tempfile::tempdir().expect("a directory");
        let sleeper = sleeper();
        let looks = AtomicU32::new(u32::MAX);
        let fake = Fake { pid: sleeper.id(), looks, ..Fake::of(b"bye") };
        let mut session = fake.run(home.path(), Some(terminal())).await;
        assert_eq!(session.output.recv().await, Some(ExecOutput::Stdout(b"bye".to_vec())));
        // The end of the output was seen, and is not the command's.
        let soon = tokio::time::timeout(10 * PAUSE, session.output.recv()).await;
        assert!(soon.is_err(), "{soon:?}");
        drop(session);
        assert_eq!(is_killed(sleeper).await, Some(9));
    }

    #[tokio::test]
    async fn signals_wait_behind_no_output() {
        let home = tempfile::tempdir().expect("a directory");
        let sleeper = sleeper();
        let looks = AtomicU32::new(u32::MAX);
        let output = vec![b'x'; EXEC_CHUNK_MAX];
        let fake = Fake { pid: sleeper.id(), looks, output, is_endless: true };
        let session = fake.run(home.path(), Some(terminal())).await;
        // Nothing of the output is read, and there is no more room.
        while session.output.len() < session.output.max_capacity() {
            tokio::time::sleep(PAUSE).await;
        }
        tokio::time::sleep(10 * PAUSE).await;
        session.control.send(ExecControl::Signal(15)).await.expect("sent");
        assert_eq!(is_killed(sleeper).await, Some(15));
    }
}
