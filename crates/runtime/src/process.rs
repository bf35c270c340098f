//! An app's command as a local process.
//!
//! Every replica gets a free port as `PORT` and in place of `{port}`, and one of an app that speaks
//! gRPC another one as `GRPC_PORT` and in place of `{grpc_port}`. The ports that it listens on are
//! looked up, never guessed: those, or the app's own ones as in the cloud, and any others.
//!
//! Its environment is that of the command line that submitted it, else the variables that every app
//! inherits from the emulator ([`crate::environment`]). The ports override it, and the spec's
//! variables override both; the directories of its volumes override those ([`crate::volumes`]).

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ovhai_api_types::{Environment, Placement, Timestamp};
use ovhai_core::logs::{LINE_MAX, LogBuffer};
use ovhai_core::ports::{
    Blame, BoxFuture, ExecSession, ExecTask, NoExec, Replica, ReplicaEndpoint, ReplicaEvent,
    ReplicaReporter, ReplicaRequest, ReplicaUsage,
};
use ovhai_core::replica::{ExitStatus, ReplicaId};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::exec::{ExecBase, Execs};
use crate::identity::Identity;
use crate::launch::LaunchSpec;
use crate::listen_ports::{Port, Ports};
use crate::port_watcher::PortWatcher;
use crate::probe::{FIRST_LOOK, Finding, Prober, SLOWEST_LOOK};
use crate::remains::{Record, Register, VARIABLE};
use crate::sockets;
use crate::supervisor::SUBCOMMAND;
use crate::task::{Control, TaskReplica, replica};
use crate::volumes;

/// Time to read the output of a process that has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Time between two looks whether a replica that answers still listens there. The first come sooner:
/// its other ports open about the time that its first one does.
const RECHECK: Duration = Duration::from_secs(1);
const FIRST_RECHECK: Duration = Duration::from_millis(125);

/// Prefix of this program's own variables, which no app gets.
const PRIVATE_PREFIX: &str = "OVHAI_";

/// See the module.
#[derive(Debug, Clone)]
pub struct ProcessRuntime {
    supervisor: PathBuf,
    register: Register,
}

impl ProcessRuntime {
    /// `supervisor` is the `ovhai` executable. What runs is entered in the register.
    pub fn new(supervisor: PathBuf, register: Register) -> Self {
        Self { supervisor, register }
    }

    /// Ends the processes that a killed emulator left, which frees their ports.
    pub(crate) async fn recover(&self) {
        let register = self.register.clone();
        let ended = tokio::task::spawn_blocking(move || register.end_what_is_left()).await;
        if let Err(error) = ended {
            tracing::error!(%error, "processes of an earlier emulator were not looked for");
        }
    }

    pub(crate) fn launch(
        &self,
        request: ReplicaRequest,
        reporter: ReplicaReporter,
    ) -> Box<dyn Replica> {
        let (task, control) = replica(Placement::Process);
        let runtime = self.clone();
        let execs = Execs::default();
        let replica = ProcessReplica { task, execs: execs.clone() };
        tokio::spawn(async move {
            let hints = volumes::hints(&request);
            for hint in &hints {
                let line = format!("[ovhai] {hint}");
                request.logs.push(Timestamp::now(), request.replica, line);
            }
            if let Err(Failure { fault, status, mut message }) =
                run(&runtime, &request, &reporter, control, &execs).await
            {
                if let Some(hint) = hints.first().filter(|_| fault == Blame::User) {
                    message += &format!(". Note: {hint}");
                }
                reporter.report(ReplicaEvent::Exited { fault, status, message });
            }
        });
        Box::new(replica)
    }
}

struct ProcessReplica {
    task: TaskReplica,
    execs: Execs,
}

impl Replica for ProcessReplica {
    fn stop(&self, grace: Duration) -> BoxFuture<'static, ()> {
        self.execs.end();
        self.task.stop(grace)
    }

    fn usage(&self) -> BoxFuture<'static, Option<ReplicaUsage>> {
        self.task.usage()
    }

    fn placement(&self) -> Option<Placement> {
        self.task.placement()
    }

    fn exec(&self, task: ExecTask) -> Result<ExecSession, NoExec> {
        self.execs.exec(task)
    }
}

impl Drop for ProcessReplica {
    fn drop(&mut self) {
        self.execs.end();
    }
}

/// Why a replica ended, unless it was asked to.
struct Failure {
    fault: Blame,
    status: Option<ExitStatus>,
    message: String,
}

impl Failure {
    fn new(fault: Blame, message: impl Into<String>) -> Self {
        Self { fault, status: None, message: message.into() }
    }
}

fn platform(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(Blame::Platform, format!("{what}: {error}"))
}

fn launch_spec(request: &ReplicaRequest, ports: Ports) -> Result<LaunchSpec, Failure> {
    let spec = &request.spec;
    let Some(command) = &spec.command else {
        return Err(Failure::new(
            Blame::User,
            format!(
                "The process runtime runs the app's command, and there is none; it does not use the image {:?}. Give one: ovhai app run … --runtime process -- COMMAND",
                spec.image
            ),
        ));
    };
    let mut given = vec![("PORT", "{port}", ports.http.given.to_string())];
    if let Some(grpc) = ports.grpc {
        given.push(("GRPC_PORT", "{grpc_port}", grpc.given.to_string()));
    }
    let filled = |word: &String| {
        given.iter().fold(word.clone(), |word, (_, place, port)| word.replace(place, port))
    };
    let own = request.environment.iter().flat_map(Environment::iter);
    let mut env: Vec<(String, String)> = own
        .filter(|(name, _)| !name.starts_with(PRIVATE_PREFIX))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    env.extend(given.iter().map(|(name, _, port)| ((*name).to_owned(), port.clone())));
    env.extend(spec.env.iter().map(|env| (env.name.clone(), env.value.clone())));
    env.extend(volumes::variables(&request.volumes));
    Ok(LaunchSpec {
        command: command.iter().map(filled).collect(),
        inherits: request.environment.is_none(),
        env,
        directory: spec.working_directory.clone(),
        terminal: false,
    })
}

async fn run(
    runtime: &ProcessRuntime,
    request: &ReplicaRequest,
    reporter: &ReplicaReporter,
    mut control: Control,
    execs: &Execs,
) -> Result<(), Failure> {
    let spec = &request.spec;
    let port = || sockets::free_port().map_err(|error| platform("There is no free port", &error));
    // Reserved as long as the process runs.
    let http = port()?;
    let grpc = spec.grpc_port.map(|own| port().map(|given| (given, own))).transpose()?;
    let ports = Ports {
        http: Port { given: http.number, own: spec.http_port },
        grpc: grpc.as_ref().map(|(given, own)| Port { given: given.number, own: *own }),
        probe: spec.probe_port,
    };
    let mut launch = launch_spec(request, ports)?;
    let mark = mark(request);
    // The last one wins: no app can set it.
    launch.env.push((VARIABLE.into(), mark.clone()));
    let program = launch.command.first().cloned().unwrap_or_default();

    let supervisor = &runtime.supervisor;
    let (mut child, socket) =
        spawn_supervisor(supervisor, &request.app.to_string()).map_err(|e| {
            platform(&format!("The supervisor {} can't be started", supervisor.display()), &e)
        })?;
    // It leads a session.
    control.session.store(child.id().unwrap_or(0), Ordering::Relaxed);
    let supervisor = child.id().and_then(Identity::of);
    let mut entry = supervisor
        .map(|supervisor| runtime.register.enter(Record { mark, supervisor, group: None }));
    let mut pumps = JoinSet::new();
    for output in
        [child.stdout.take().map(reader), child.stderr.take().map(reader)].into_iter().flatten()
    {
        pumps.spawn(pump(output, request.replica, Arc::clone(&request.logs)));
    }
    let outcome = async {
        let (from, mut to) = socket.into_split();
        let mut from = BufReader::new(from).lines();
        let lost = |e: &std::io::Error| platform("The supervisor of the app's process is gone", e);
        let mut line = serde_json::to_string(&launch).map_err(|e| {
            Failure::new(Blame::Platform, format!("The command can't be passed on: {e}"))
        })?;
        line.push('\n');
        to.write_all(line.as_bytes()).await.map_err(|e| lost(&e))?;

        let first = from.next_line().await.map_err(|e| lost(&e))?.unwrap_or_default();
        match first.split_once(' ') {
            Some(("started", pid)) => {
                let group = pid.parse().unwrap_or(0);
                if let Some(entry) = &mut entry {
                    entry.started(group);
                }
                execs.begin(ExecBase {
                    supervisor: runtime.supervisor.clone(),
                    register: runtime.register.clone(),
                    app: request.app,
                    launch,
                });
                let pumps = Mutex::new(pumps);
                let watched = Watched { request, reporter, ports, group, program, pumps };
                let outcome = watched.watch(&mut from, to, &mut control).await;
                // What was said while stopping is read to its end.
                watched.pumps.into_inner().detach_all();
                outcome
            }
            Some(("failed", why)) => Err(Failure::new(
                Blame::User,
                format!("The command {program:?} can't be started: {why}"),
            )),
            _ => Err(Failure::new(
                Blame::Platform,
                "The supervisor of the app's process ended immediately",
            )),
        }
    }
    .await;
    execs.end();
    control.session.store(0, Ordering::Relaxed);
    // Reaped here, so that nothing of it is left when the replica says so.
    let ended = child.wait().await;
    if let Some(entry) = entry {
        // A supervisor succeeds when it has ended all that it supervised.
        let in_order = ended.is_ok_and(|status| status.success());
        let _ = tokio::task::spawn_blocking(move || entry.close(in_order)).await;
    }
    drop(control.done);
    outcome
}

/// Tells the processes of this launch from all others; see [`crate::remains`].
fn mark(request: &ReplicaRequest) -> String {
    let now = Timestamp::now().as_nanosecond();
    format!("{}-{}-{now:x}", request.app, request.number)
}

/// Starts a supervisor; `of` is what lists of processes show.
pub(crate) fn spawn_supervisor(program: &Path, of: &str) -> std::io::Result<(Child, UnixStream)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let child = Command::new(program)
        .arg(SUBCOMMAND)
        .arg(of)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    Ok((child, UnixStream::from_std(ours)?))
}

fn reader(output: impl AsyncRead + Send + Unpin + 'static) -> Box<dyn AsyncRead + Send + Unpin> {
    Box::new(output)
}

/// Copies output to the log, line by line; a line that never ends is cut.
async fn pump(output: Box<dyn AsyncRead + Send + Unpin>, replica: ReplicaId, logs: Arc<LogBuffer>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        let room = u64::try_from(LINE_MAX - line.len()).unwrap_or(0);
        let read = (&mut output).take(room).read_until(b'\n', &mut line).await;
        let ended = matches!(read, Err(_) | Ok(0));
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        } else if line.is_empty() || (!ended && line.len() < LINE_MAX) {
            if ended {
                return;
            }
            continue;
        }
        logs.push(Timestamp::now(), replica, String::from_utf8_lossy(&line).into_owned());
        line.clear();
        if ended {
            return;
        }
    }
}

struct Watched<'a> {
    request: &'a ReplicaRequest,
    reporter: &'a ReplicaReporter,
    ports: Ports,
    group: u32,
    program: String,
    pumps: Mutex<JoinSet<()>>,
}

impl Watched<'_> {
    /// Until the process ends: looks whether it answers, and passes on what is asked of it.
    async fn watch(
        &self,
        from: &mut tokio::io::Lines<BufReader<OwnedReadHalf>>,
        to: OwnedWriteHalf,
        control: &mut Control,
    ) -> Result<(), Failure> {
        let mut to = Some(to);
        let mut stopping = false;
        let mut ready: Option<ReplicaEndpoint> = None;
        let mut pause = FIRST_LOOK;
        let mut watcher = PortWatcher::new(self.group, self.ports);
        let mut prober = Prober::new(self.request.spec.probe_path.clone());
        loop {
            tokio::select! {
                line = from.next_line() => {
                    let line = line.ok().flatten().unwrap_or_default();
                    if line.is_empty() {
                        // The supervisor was killed; its charges are ended from here.
                        kill_group(self.group);
                    }
                    return if stopping { Ok(()) } else { Err(self.ended(&line).await) };
                }
                grace = control.stop.recv(), if to.is_some() => {
                    stopping = true;
                    let message = match grace {
                        Some(grace) if !grace.is_zero() => format!("term {}\n", grace.as_millis()),
                        Some(_) => "kill\n".into(),
                        // The replica was dropped: the supervisor sees the socket close.
                        None => { to = None; continue }
                    };
                    if let Some(socket) = &mut to {
                        // If the supervisor is gone, the next read tells.
                        let _ = socket.write_all(message.as_bytes()).await;
                    }
                }
                // Dropped when something else happens first: a look may take long.
                looked = self.look_after(pause, &mut watcher, &mut prober, ready.as_ref()), if !stopping => match (looked, &ready) {
                    (Ok(endpoint), before) => {
                        pause = match before {
                            Some(_) => (pause * 2).min(RECHECK),
                            None => FIRST_RECHECK,
                        };
                        if before.as_ref() != Some(&endpoint) {
                            ready = Some(endpoint.clone());
                            self.reporter.report(ReplicaEvent::Ready(endpoint));
                        }
                    }
                    (Err(why), None) => {
                        pause = (pause * 2).min(SLOWEST_LOOK);
                        self.reporter.report(ReplicaEvent::Waiting(why));
                    }
                    (Err(why), Some(_)) => {
                        ready = None;
                        pause = FIRST_LOOK;
                        prober.reset();
                        self.reporter.report(ReplicaEvent::Lost(why));
                    }
                },
            }
        }
    }

    /// Looks, after a pause, whether the app answers; or, once it does, whether it still has its
    /// address: another process may have the port by then, and must not get the app's requests. The
    /// address is looked at more often than the app is probed, because that costs the app nothing.
    async fn look_after(
        &self,
        pause: Duration,
        watcher: &mut PortWatcher,
        prober: &mut Prober,
        ready: Option<&ReplicaEndpoint>,
    ) -> Result<ReplicaEndpoint, String> {
        tokio::time::sleep(pause).await;
        let (now, address) = watcher.look().await?;
        if ready.is_some_and(|before| before.http != now.http) {
            return Err("it listens elsewhere now".into());
        }
        if ready.is_none() || prober.is_due() {
            match prober.look(address).await {
                Some(Finding::Waiting(why) | Finding::Lost(why)) => return Err(why),
                Some(Finding::Ready) | None => {}
            }
        }
        Ok(now)
    }

    /// Says how the command ended, and whether a taken port may be why.
    async fn ended(&self, line: &str) -> Failure {
        let status = match line.split_once(' ') {
            Some(("exited", code)) => code.parse().ok().map(ExitStatus::Code),
            Some(("signalled", number)) => number.parse().ok().map(ExitStatus::Signal),
            _ => None,
        };
        let Some(how) = status.map(ExitStatus::predicate) else {
            let why = "The supervisor of the app's process was killed";
            return Failure::new(Blame::Platform, why);
        };
        let own: Vec<u16> =
            [Some(self.ports.http), self.ports.grpc].iter().flatten().map(|p| p.own).collect();
        let group = self.group;
        let holder = tokio::task::spawn_blocking(move || {
            own.into_iter()
                .find_map(|port| Some((port, sockets::holder_but(port, |l| l.is_in_group(group))?)))
        });
        // What it said last may still be on its way.
        let mut pumps = std::mem::take(&mut *self.pumps.lock().await);
        let _ =
            tokio::time::timeout(LAST_WORDS, async { while pumps.join_next().await.is_some() {} })
                .await;
        pumps.detach_all();
        let last = self.request.logs.tail(1, |run| run == self.request.replica).pop();
        let last = last.map(|line| {
            // A full stop follows.
            format!("; its last line was: {}", line.text.trim().trim_end_matches('.'))
        });
        let mut message =
            format!("The command {:?} {how}{}", self.program, last.unwrap_or_default());
        if let Some((own, holder)) = holder.await.ok().flatten() {
            let given = if own == self.ports.http.own {
                "$PORT or {port}"
            } else {
                "$GRPC_PORT or {grpc_port}"
            };
            message += &format!(
                ". Port {own}, the app's own, is held by {holder}: have the command listen on {given}, or free that port"
            );
        }
        Failure { fault: Blame::User, status, message }
    }
}

fn kill_group(group: u32) {
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        // It may have gone by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn output_is_cut_into_lines() {
        let logs = Arc::new(LogBuffer::default());
        let long = "x".repeat(LINE_MAX + 10);
        let input = format!("one\r\n\ntwo\n{long}\nlast");
        let replica = logs.begin(1);
        pump(Box::new(std::io::Cursor::new(input.into_bytes())), replica, Arc::clone(&logs)).await;
        let lines: Vec<String> = logs.read(0, |_| true).into_iter().map(|line| line.text).collect();
        let expected =
            ["one", "", "two", &long[..LINE_MAX], &long[LINE_MAX..], "last"].map(str::to_owned);
        assert_eq!(lines, expected);
    }
}
