//! Commands beside an app's own process, and copies of files with its rights.
//!
//! Such a command has the app's environment, working directory and user, and a supervisor and a
//! record of its own, as the app has: nothing of it is left when its session, the app or the emulator
//! ends. Files are copied by the program itself ([`crate::archive`]), run in the same way.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ovhai_api_types::{AppId, EXEC_CHUNK_MAX, Timestamp};
use ovhai_core::ports::{
    ExecBackend, ExecControl, ExecOutput, ExecSession, ExecTask, NoExec, Terminal,
};
use ovhai_core::replica::ExitStatus;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::identity::Identity;
use crate::launch::{self, LaunchSpec};
use crate::pty::Pty;
use crate::remains::{Entry, Record, Register, VARIABLE};
use crate::{archive, descriptors, supervisor};

/// Time that a command has to end when its replica is stopped, in milliseconds.
const GRACE: u32 = 500;
/// Time to read the output of a command whose supervisor was killed.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// The end of the input, for a terminal.
const END_OF_TRANSMISSION: &[u8] = b"\x04";

/// What a command beside an app is started with.
pub(crate) struct ExecBase {
    /// The `ovhai` executable.
    pub(crate) supervisor: PathBuf,
    pub(crate) register: Register,
    pub(crate) app: AppId,
    /// How the app itself was started.
    pub(crate) launch: LaunchSpec,
}

/// The commands beside one run of an app.
#[derive(Clone, Default)]
pub(crate) struct Execs(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Only while the app's own command runs.
    base: Mutex<Option<Arc<ExecBase>>>,
    /// Whether the run is over.
    over: watch::Sender<bool>,
}

impl Execs {
    /// The app's command runs: others may be run beside it.
    pub(crate) fn begin(&self, base: ExecBase) {
        if !*self.0.over.borrow() {
            *self.0.base.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(base));
        }
    }

    /// Ends all commands.
    pub(crate) fn end(&self) {
        self.0.over.send_replace(true);
        *self.0.base.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Starts a command.
    pub(crate) fn exec(&self, task: ExecTask) -> Result<ExecSession, NoExec> {
        let base = self.0.base.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let base = base.ok_or(NoExec::NotRunning)?;
        let (session, backend) = ExecSession::new();
        tokio::spawn(run(base, task, backend, self.0.over.subscribe()));
        Ok(session)
    }
}

async fn run(
    base: Arc<ExecBase>,
    task: ExecTask,
    backend: ExecBackend,
    over: watch::Receiver<bool>,
) {
    let output = backend.output.clone();
    let last = match Running::start(&base, task, backend) {
        Ok(running) => running.watch(over).await,
        Err(error) => Some(ExecOutput::Failed {
            message: format!("the command can't be started: {error}"),
            code: None,
        }),
    };
    if let Some(last) = last {
        // The session may have been dropped.
        let _ = output.send(last).await;
    }
}

/// The program, its input and its terminal.
struct Plan {
    launch: LaunchSpec,
    terminal: Option<Terminal>,
    has_input: bool,
}

fn plan(base: &ExecBase, task: ExecTask, mark: &str) -> Plan {
    let mut launch = base.launch.clone();
    let plan = match task {
        ExecTask::Command { command, terminal, has_input } => {
            launch.command = command;
            launch.terminal = terminal.is_some();
            if let Some(Terminal { kind, .. }) = &terminal {
                launch.env.push(("TERM".into(), kind.clone()));
            }
            Plan { launch, terminal, has_input }
        }
        ExecTask::Copy { direction, path } => {
            let program = base.supervisor.display().to_string();
            launch.command = [&program, archive::SUBCOMMAND, direction.as_str(), &path]
                .map(str::to_owned)
                .into();
            launch.terminal = false;
            (launch.inherits, launch.env) = (false, Vec::new());
            Plan { launch, terminal: None, has_input: true }
        }
    };
    let mut plan = plan;
    // The last one wins.
    plan.launch.env.push((VARIABLE.into(), mark.to_owned()));
    plan
}

/// What a command reads from and writes to, beside the pipes of its supervisor.
enum Streams {
    Output,
    Pipe(pipe::Sender),
    Terminal(Pty),
}

/// A command under its supervisor.
struct Running {
    child: Child,
    socket: UnixStream,
    first: Vec<u8>,
    entry: Option<Entry>,
    streams: Streams,
    backend: ExecBackend,
    program: String,
}

impl Running {
    fn start(base: &ExecBase, task: ExecTask, backend: ExecBackend) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let (count, now) = (COUNT.fetch_add(1, Ordering::Relaxed), Timestamp::now());
        let mark = format!("{}-exec-{count}-{:x}", base.app, now.as_nanosecond());
        let Plan { launch, terminal, has_input } = plan(base, task, &mark);
        let (ours, theirs) = StdUnixStream::pair()?;
        let mut command = Command::new(&base.supervisor);
        command
            .arg(supervisor::SUBCOMMAND)
            .arg(base.app.to_string())
            .stdin(Stdio::from(OwnedFd::from(theirs)));
        let (file, streams) = match &terminal {
            Some(terminal) => {
                let (pty, far) = Pty::open(terminal.size)?;
                command.stdout(Stdio::null()).stderr(Stdio::null());
                (Some(far), Streams::Terminal(pty))
            }
            None => {
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
                if has_input {
                    let (far, near) = io::pipe()?;
                    let near = pipe::Sender::from_owned_fd(near.into())?;
                    (Some(far.into()), Streams::Pipe(near))
                } else {
                    (None, Streams::Output)
                }
            }
        };
        let child = command.spawn()?;
        let line = launch::line(&launch)?;
        // Only the first byte, which there is room for: the rest may have to wait.
        descriptors::send(&ours, &line[..1], file.as_ref())?;
        drop(file);
        ours.set_nonblocking(true)?;
        let supervisor = child.id().and_then(Identity::of);
        let entry = supervisor
            .map(|supervisor| base.register.enter(Record { mark, supervisor, group: None }));
        Ok(Self {
            child,
            socket: UnixStream::from_std(ours)?,
            first: line[1..].to_vec(),
            entry,
            streams,
            backend,
            program: launch.command.first().cloned().unwrap_or_default(),
        })
    }

    /// Until the command has ended, and all its output was taken; none: its session was dropped.
    async fn watch(self, mut over: watch::Receiver<bool>) -> Option<ExecOutput> {
        let Self { mut child, socket, first, mut entry, streams, backend, program } = self;
        let ExecBackend { input: mut bytes, mut control, output } = backend;
        let mut pumps = JoinSet::new();
        if let Some(out) = child.stdout.take() {
            pumps.spawn(pump(out, output.clone(), ExecOutput::Stdout));
        }
        if let Some(out) = child.stderr.take() {
            pumps.spawn(pump(out, output.clone(), ExecOutput::Stderr));
        }
        let (window, keys, end) = match streams {
            Streams::Output => (None, None, &b""[..]),
            Streams::Pipe(pipe) => (None, Some(pipe), &b""[..]),
            Streams::Terminal(pty) => {
                let (window, screen, keys) = pty.split();
                pumps.spawn(pump(screen, output.clone(), ExecOutput::Stdout));
                (Some(window), Some(keys), END_OF_TRANSMISSION)
            }
        };
        let typing = tokio::spawn(async move {
            if let Some(keys) = keys {
                // An error says that the command reads no more, which is its own affair.
                let _ = feed(keys, &mut bytes, end).await;
            }
        });
        let (from, mut to) = socket.into_split();
        let mut from = BufReader::new(from).lines();
        let mut last_line = match to.write_all(&first).await {
            Ok(()) => None,
            Err(_) => Some(String::new()),
        };
        let mut is_dropped = false;
        let (mut is_over, mut is_controlled) = (false, true);
        while last_line.is_none() && !is_dropped {
            tokio::select! {
                line = from.next_line() => {
                    let line = line.ok().flatten().unwrap_or_default();
                    match (line.strip_prefix("started "), &mut entry) {
                        (Some(group), Some(entry)) => entry.started(group.parse().unwrap_or(0)),
                        (Some(_), None) => {}
                        (None, _) => last_line = Some(line),
                    }
                }
                asked = control.recv(), if is_controlled => match asked {
                    Some(ExecControl::Resize(size)) => {
                        if let Some(window) = &window {
                            window.resize(size);
                        }
                    }
                    Some(ExecControl::Signal(number)) => {
                        let _ = to.write_all(format!("signal {number}\n").as_bytes()).await;
                    }
                    None => is_controlled = false,
                },
                () = output.closed() => is_dropped = true,
                // The run is over, or its owner is gone.
                () = ended(&mut over), if !is_over => {
                    is_over = true;
                    let _ = to.write_all(format!("term {GRACE}\n").as_bytes()).await;
                }
            }
        }
        if is_dropped {
            // The supervisor sees the socket close and ends the command; a terminal hangs up.
            pumps.shutdown().await;
        }
        typing.abort();
        drop((from, to, window));
        let ended = child.wait().await;
        if let Some(entry) = entry {
            let in_order = ended.is_ok_and(|status| status.success());
            let _ = tokio::task::spawn_blocking(move || entry.close(in_order)).await;
        }
        let line = last_line?;
        let rest = async { while pumps.join_next().await.is_some() {} };
        if line.is_empty() {
            let _ = tokio::time::timeout(LAST_WORDS, rest).await;
        } else {
            tokio::select! {
                () = rest => {}
                () = output.closed() => {}
            }
        }
        Some(last(&line, &program))
    }
}

/// Until the run is over.
async fn ended(over: &mut watch::Receiver<bool>) {
    // An error: its owner is gone, which is an end, too.
    let _ = over.wait_for(|over| *over).await;
}

/// What the supervisor's last line says.
fn last(line: &str, program: &str) -> ExecOutput {
    let number = |text: &str| text.parse().unwrap_or(-1);
    match line.split_once(' ') {
        Some(("exited", code)) => ExecOutput::Ended(ExitStatus::Code(number(code))),
        Some(("signalled", signal)) => ExecOutput::Ended(ExitStatus::Signal(number(signal))),
        Some(("failed", why)) => ExecOutput::Failed {
            message: format!("the command {program:?} can't be started: {why}"),
            code: Some(if why.contains("(os error 2)") { 127 } else { 126 }),
        },
        _ => ExecOutput::Failed {
            message: "the supervisor of the command was killed".into(),
            code: None,
        },
    }
}

/// Passes output on, as fast as it is taken.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    to: mpsc::Sender<ExecOutput>,
    kind: fn(Vec<u8>) -> ExecOutput,
) {
    let mut room = vec![0; EXEC_CHUNK_MAX];
    while let Ok(count @ 1..) = from.read(&mut room).await {
        if to.send(kind(room[..count].to_vec())).await.is_err() {
            return;
        }
    }
}

/// Passes input on to its end.
async fn feed(
    mut to: pipe::Sender,
    bytes: &mut mpsc::Receiver<Vec<u8>>,
    end: &[u8],
) -> io::Result<()> {
    while let Some(bytes) = bytes.recv().await {
        to.write_all(&bytes).await?;
    }
    to.write_all(end).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        assert_eq!(last("exited 3", "x"), ExecOutput::Ended(ExitStatus::Code(3)));
        assert_eq!(last("signalled 15", "x"), ExecOutput::Ended(ExitStatus::Signal(15)));
        let missing = last("failed No such file or directory (os error 2)", "x");
        assert!(matches!(missing, ExecOutput::Failed { code: Some(127), .. }), "{missing:?}");
        assert!(matches!(last("", "x"), ExecOutput::Failed { code: None, .. }));
    }
}
