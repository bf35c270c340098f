//! The connection to the engine, which all replicas share, and what it tells of their containers.
//!
//! One stream of events serves all. When it breaks off, the engine is looked for again; then the
//! containers are listed by label: those that ended meanwhile ended by the platform's fault, and
//! those that belong to no replica any more are removed.

use std::collections::HashMap;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bollard::models::ContainerSummary;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::engine::{self, Engine, EngineAddress, EngineSettings, NoEngine, text};
use crate::labels::Owner;
use crate::{reap, watcher};

/// How long it is believed that no engine answers.
const BELIEVED: Duration = Duration::from_millis(500);
/// Between two looks for an engine.
const AGAIN: Duration = Duration::from_millis(500);
/// How far back events are requested: the engine also sends those from before the stream began.
const BACK: i64 = 10;
/// Time for the removal of what an earlier emulator left.
const RECOVERY: Duration = Duration::from_secs(10);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says that a container should be looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Look {
    count: u64,
    /// Number of the connection on which it was last known to run.
    ran_in: u64,
    /// The engine has just said that it ended.
    pub(crate) has_died: bool,
}

/// A replica's side of the hub; its container is known as long as this lives.
#[derive(Debug)]
pub(crate) struct Watched {
    link: Arc<Link>,
    name: String,
    looks: watch::Receiver<Look>,
}

impl Watched {
    /// Until there is a reason to look at the container.
    pub(crate) async fn changed(&mut self) -> Look {
        if self.looks.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        *self.looks.borrow_and_update()
    }

    /// Whether the connection broke since the container was last known to run.
    pub(crate) fn has_gap(&self) -> bool {
        self.looks.borrow().ran_in != lock(&self.link.state).connections
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&self.link.state).watched.remove(&self.name);
    }
}

#[derive(Debug, Default)]
struct State {
    watched: HashMap<String, watch::Sender<Look>>,
    /// Number of connections so far.
    connections: u64,
    /// What was tried last, if no engine answered.
    failure: Option<(Instant, NoEngine)>,
    /// By the engine's address.
    watchers: HashMap<String, Watcher>,
}

/// A process that outlives this one, and sees the socket close.
#[derive(Debug)]
pub(crate) struct Watcher {
    child: Child,
    _socket: UnixStream,
}

impl Watcher {
    /// Ends it: nothing is left to remove.
    pub(crate) async fn dismiss(mut self) {
        // It may have ended.
        let _ = self.child.kill().await;
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Link {
    settings: EngineSettings,
    pub(crate) owner: Owner,
    /// Whether containers in which an app failed are kept.
    keeps_failed: bool,
    /// The `ovhai` executable, which is the watcher too; none: there is no watcher.
    program: Option<PathBuf>,
    /// Where the addresses of used engines are noted.
    directory: PathBuf,
    current: AsyncMutex<Option<Arc<Engine>>>,
    state: Mutex<State>,
    /// Closes when the link is dropped.
    alive: watch::Sender<()>,
}

impl Link {
    pub(crate) fn new(
        settings: EngineSettings,
        owner: Owner,
        keeps_failed: bool,
        program: Option<PathBuf>,
        directory: PathBuf,
    ) -> Arc<Self> {
        Arc::new(Self {
            settings,
            owner,
            keeps_failed,
            program,
            directory,
            current: AsyncMutex::default(),
            state: Mutex::default(),
            alive: watch::Sender::new(()),
        })
    }

    /// The engine, which is looked for unless there is a connection.
    pub(crate) async fn engine(self: &Arc<Self>) -> Result<Arc<Engine>, NoEngine> {
        let mut current = self.current.lock().await;
        if let Some(engine) = &*current {
            return Ok(Arc::clone(engine));
        }
        if let Some((at, failure)) = &lock(&self.state).failure
            && at.elapsed() < BELIEVED
        {
            return Err(failure.clone());
        }
        match engine::find(&self.settings).await {
            Ok(engine) => {
                let engine = Arc::new(engine);
                *current = Some(Arc::clone(&engine));
                {
                    let mut state = lock(&self.state);
                    state.failure = None;
                    state.connections += 1;
                }
                tracing::info!(
                    engine = %engine.info.kind, version = engine.info.version,
                    address = engine.info.address, "the container engine answered"
                );
                tokio::spawn(listener(Arc::downgrade(self), Arc::clone(&engine)));
                Ok(engine)
            }
            Err(failure) => {
                lock(&self.state).failure = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// The engine to which there is a connection.
    pub(crate) async fn connected(&self) -> Option<Arc<Engine>> {
        self.current.lock().await.clone()
    }

    /// The engine did not answer on this connection.
    pub(crate) async fn lost(&self, engine: &Arc<Engine>) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|now| Arc::ptr_eq(now, engine)) {
            *current = None;
        }
    }

    /// Knows a container of this name from now on, which is about to be created.
    pub(crate) fn watch(self: &Arc<Self>, name: &str) -> Watched {
        let mut state = lock(&self.state);
        let look = Look { ran_in: state.connections, ..Look::default() };
        let (sender, looks) = watch::channel(look);
        state.watched.insert(name.to_owned(), sender);
        Watched { link: Arc::clone(self), name: name.to_owned(), looks }
    }

    fn look(&self, name: &str, change: impl FnOnce(&mut Look)) {
        if let Some(sender) = lock(&self.state).watched.get(name) {
            sender.send_modify(|look| {
                look.count += 1;
                change(look);
            });
        }
    }

    fn is_watched(&self, name: &str) -> bool {
        lock(&self.state).watched.contains_key(name)
    }

    /// Compares the engine's containers with the replicas.
    async fn compare(&self, engine: &Engine) -> Result<(), bollard::errors::Error> {
        let containers = reap::list(&engine.docker, self.owner.of_state()).await?;
        let connection = lock(&self.state).connections;
        let names: HashMap<String, bool> = containers
            .iter()
            .map(|container| (reap::name(container), reap::is_running(container)))
            .collect();
        let watched: Vec<String> = lock(&self.state).watched.keys().cloned().collect();
        for name in watched {
            match names.get(&name) {
                Some(true) => self.look(&name, |look| look.ran_in = connection),
                _ => self.look(&name, |_| {}),
            }
        }
        let is_stray = |container: &ContainerSummary| {
            let is_spared = self.keeps_failed && reap::is_kept(container);
            !is_spared && !self.is_watched(&reap::name(container))
        };
        reap::remove(&engine.docker, containers.iter().filter(|it| is_stray(it))).await;
        Ok(())
    }

    /// To be called before the first container is created: it may outlive this process.
    pub(crate) fn prepare(&self, engine: &Engine) {
        let address = &engine.info.address;
        let is_new = {
            let mut state = lock(&self.state);
            let is_alive = state
                .watchers
                .get_mut(address)
                .is_some_and(|watcher| matches!(watcher.child.try_wait(), Ok(None)));
            match (&self.program, is_alive) {
                (_, true) => return,
                (Some(program), false) => match start_watcher(program, address, &self.owner) {
                    Ok(watcher) => {
                        state.watchers.insert(address.clone(), watcher);
                    }
                    // The next emulator removes what a killed one left.
                    Err(error) => tracing::warn!(%error, "the watcher can't be started"),
                },
                (None, false) => {}
            }
            drop(state);
            !self.used_engines().contains(address)
        };
        if is_new {
            let mut all = self.used_engines();
            all.push(address.clone());
            self.note_engines(&all);
        }
    }

    fn used_engines(&self) -> Vec<String> {
        let noted = std::fs::read(self.directory.join("engines.json")).ok();
        noted.and_then(|noted| serde_json::from_slice(&noted).ok()).unwrap_or_default()
    }

    fn note_engines(&self, all: &[String]) {
        let file = self.directory.join("engines.json");
        let written = match serde_json::to_vec(all) {
            _ if all.is_empty() => std::fs::remove_file(&file),
            Ok(text) => make_directory(&self.directory).and_then(|()| std::fs::write(&file, text)),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = written {
            tracing::warn!(%error, file = %file.display(), "an engine can't be noted");
        }
    }

    /// Removes what earlier emulators of this state directory left, on each engine that they used.
    pub(crate) async fn recover(&self) {
        let used = self.used_engines();
        if used.is_empty() {
            return;
        }
        let mut left = Vec::new();
        for address in used {
            let outcome = tokio::time::timeout(RECOVERY, async {
                let docker = engine::connect(&EngineAddress::parse(&address)?)?;
                let ours = |labels: &HashMap<String, String>| self.owner.made(labels);
                let all = reap::all(&docker, self.owner.of_state(), self.keeps_failed, ours);
                all.await.map_err(|e| text(&e))
            });
            match outcome.await {
                // What is kept is for a later emulator to remove.
                Ok(Ok(())) if self.keeps_failed => left.push(address),
                Ok(Ok(())) => {}
                Ok(Err(why)) => {
                    tracing::warn!(address, why, "containers of an earlier emulator may be left");
                    left.push(address);
                }
                Err(_) => left.push(address),
            }
        }
        self.note_engines(&left);
    }
}

pub(crate) fn make_directory(directory: &std::path::Path) -> std::io::Result<()> {
    match std::fs::create_dir(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The watcher: its standard input closes when this process ends, however it ends.
pub(crate) fn start_watcher(
    program: &std::path::Path,
    address: &str,
    owner: &Owner,
) -> std::io::Result<Watcher> {
    let charge = watcher::Charge { address: address.to_owned(), owner: owner.clone() };
    let mut line = serde_json::to_vec(&charge)?;
    line.push(b'\n');
    let (mut ours, theirs) = UnixStream::pair()?;
    // It fits into the socket's buffer.
    ours.write_all(&line)?;
    let child = Command::new(program)
        .arg(watcher::SUBCOMMAND)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Watcher { child, _socket: ours })
}

/// [`listen`], which looks for the next connection, which has a listener.
fn listener(link: Weak<Link>, engine: Arc<Engine>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(listen(link, engine))
}

/// Follows the events of one connection; when it breaks off, looks for the engine again.
async fn listen(link: Weak<Link>, engine: Arc<Engine>) {
    let Some(strong) = link.upgrade() else { return };
    let mut alive = strong.alive.subscribe();
    let mut filters = strong.owner.of_own();
    filters.insert("type".into(), vec!["container".into()]);
    filters.insert("event".into(), vec!["die".into()]);
    let since = jiff::Timestamp::now().as_second() - BACK;
    let options =
        EventsOptionsBuilder::default().filters(&filters).since(&since.to_string()).build();
    let mut events = engine.docker.events(Some(options));
    // The request is sent when the stream is polled, and what was there before is listed after it.
    let compared = tokio::spawn({
        let (link, engine) = (Arc::clone(&strong), Arc::clone(&engine));
        async move {
            if let Err(error) = link.compare(&engine).await {
                tracing::warn!(why = text(&error), "the containers can't be listed");
            }
        }
    });
    drop(strong);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = alive.changed() => return,
        };
        let Some(Ok(event)) = event else { break };
        let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
        let Some(link) = link.upgrade() else { return };
        if let Some(name) = attributes.get("name") {
            link.look(name, |look| look.has_died = true);
        }
    }
    let _ = compared.await;
    if let Some(link) = link.upgrade() {
        tracing::warn!(
            address = engine.info.address,
            "the connection to the container engine broke"
        );
        link.lost(&engine).await;
    }
    loop {
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = alive.changed() => return,
        }
        let Some(link) = link.upgrade() else { return };
        // A connection has a listener of its own.
        if link.engine().await.is_ok() {
            return;
        }
    }
}
