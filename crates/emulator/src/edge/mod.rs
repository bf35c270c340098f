//! The edge: accepts connections, parses HTTP/1.1 strictly, and finds the door of every request.
//!
//! Every connection is served by one of a few workers, each of which is a thread with a runtime of
//! its own: a request to an app and its response pass through one task on one core. Calls of the
//! API that may wait for the disk, or have many records to look through, run on other threads. The
//! framing of HTTP/2 is the h2 crate's.

mod connection;
mod doors;
mod frames;
mod http2;
mod idle;
mod listening;
mod outgoing;
mod plan;
mod readers;
mod respond;
mod share;
mod streamed;
mod watched;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use ovhai_containers::AppListener;
use ovhai_core::Platform;
use ovhai_core::components::{self, Component, Components};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::gateway::Gateway;
use crate::gateway::relay::Relay;
use crate::gateway::upstream::Pool;
use crate::host::Domains;
use crate::limits::Limits;
use crate::telemetry::{Aborted, Note, Protocol, Recorder, RequestId, Telemetry};
use crate::tls::Tls;

use idle::IdleRegistry;
use listening::{Admitted, AppConnections, Audience};
use ovhai_wire::buffer::Buffer;
use ovhai_wire::request::RequestHead;
use ovhai_wire::stream::Peer;
pub(crate) use readers::ReaderThreads;

/// Maximum workers: more do not help on one machine that runs the apps, too.
const WORKERS: usize = 8;
/// Time between closing idle connections to apps.
const PURGE_EVERY: Duration = Duration::from_secs(15);

/// When full, close 1/64 of the connections, at least one,
const MAKES_ROOM: usize = 64;
/// and check again after this time whether there is room.
const FULL: Duration = Duration::from_millis(5);
/// Time before another attempt to accept a connection, after one failed,
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// and time before that is logged again.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

/// Shared by all workers.
pub(crate) struct Shared {
    pub(crate) platform: Arc<Platform>,
    pub(crate) gateway: Arc<Gateway>,
    /// The API of all regions; the region comes in the request's extensions.
    pub(crate) api: Router,
    /// The control endpoints, at `localhost`.
    pub(crate) local: Router,
    pub(crate) limits: Limits,
    /// Further names of this emulator.
    pub(crate) domains: Domains,
    /// The emulator's own runtime.
    pub(crate) main: tokio::runtime::Handle,
    /// Threads for calls that read much.
    pub(crate) readers: ReaderThreads,
    pub(crate) stopping: CancellationToken,
    pub(crate) telemetry: Arc<Telemetry>,
}

/// Shared by the connections of one worker.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    /// The way to the apps.
    relay: Arc<Relay>,
    recorder: Mutex<Recorder>,
    open: AtomicUsize,
    idle: Arc<IdleRegistry>,
}

impl Worker {
    /// Begins the record of a request of which nothing is known yet; `text` is a buffer to use
    /// again.
    fn note(&self, protocol: Protocol, text: Vec<u8>) -> Note {
        Note::new(self.id(None), protocol, text)
    }

    /// Begins the record of a request whose head was understood.
    fn note_of(&self, head: &RequestHead<'_>, text: Vec<u8>) -> Note {
        let id = self.id(head.request_id.one());
        Note::of(id, Protocol::of(head.version), head.method, head.path(), text)
    }

    /// Records a request that has ended. Returns its buffer.
    fn record(&self, note: Note, client: Peer, aborted: Option<Aborted>) -> Vec<u8> {
        note.record(&self.recorder, client, aborted)
    }

    /// The id of a request: the client's, or a new one.
    fn id(&self, given: Option<&[u8]>) -> RequestId {
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        recorder.begin(given)
    }
}

/// An accepted connection, with what a handshake needs.
struct Accepted {
    stream: std::net::TcpStream,
    client: SocketAddr,
    admitted: Admitted,
}

/// A worker, and where its connections are sent.
struct WorkerHandle {
    worker: Arc<Worker>,
    sender: mpsc::UnboundedSender<Accepted>,
}

/// The running edge.
#[derive(Debug)]
pub(crate) struct Edge {
    threads: Vec<JoinHandle<()>>,
}

impl Edge {
    /// Starts the workers and accepts connections until `stopping`; `abandon` ends what does not
    /// finish by itself. `from_apps` gives listeners for the containers of apps.
    pub(crate) fn start(
        plain: Vec<TcpListener>,
        secure: Option<(Vec<TcpListener>, Tls)>,
        from_apps: Option<mpsc::UnboundedReceiver<AppListener>>,
        shared: Arc<Shared>,
        tasks: &TaskTracker,
        abandon: &CancellationToken,
    ) -> io::Result<Self> {
        let count = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS);
        let (mut handles, mut receivers) = (Vec::new(), Vec::new());
        let since = std::time::Instant::now();
        let streams_left = Arc::new(AtomicUsize::new(shared.limits.streams));
        for _ in 0..count {
            let (sender, receiver) = mpsc::unbounded_channel();
            let recorder = shared.telemetry.recorder();
            let worker = Arc::new(Worker {
                relay: Arc::new(Relay {
                    gateway: Arc::clone(&shared.gateway),
                    pool: Pool::default(),
                    limits: shared.limits,
                    stopping: shared.stopping.clone(),
                    streams_left: Arc::clone(&streams_left),
                    failovers: recorder.failovers(),
                }),
                shared: Arc::clone(&shared),
                recorder: Mutex::new(recorder),
                open: AtomicUsize::new(0),
                idle: Arc::new(IdleRegistry::new(since)),
            });
            handles.push(WorkerHandle { worker, sender });
            receivers.push(receiver);
        }
        let handles = Arc::new(handles);
        let secure = secure.map(|(listeners, tls)| (listeners, Some(tls)));
        let mut doors = Vec::new();
        for (listeners, tls) in std::iter::once((plain, None)).chain(secure) {
            for listener in listeners {
                // The first worker's runtime watches it.
                doors.push((listener.into_std()?, Audience::Anyone(tls.clone())));
            }
        }
        let mut from_apps = from_apps;
        let mut threads = Vec::new();
        for (number, receiver) in receivers.into_iter().enumerate() {
            let worker = Arc::clone(&handles[number].worker);
            let doors = std::mem::take(&mut doors);
            let from_apps = from_apps.take();
            let handles = Arc::clone(&handles);
            let runtime = runtime(Arc::clone(&worker))?;
            let abandon = abandon.clone();
            // The shutdown waits for the thread as for a task.
            let running = tasks.token();
            let thread =
                std::thread::Builder::new().name(format!("edge-{number}")).spawn(move || {
                    runtime.block_on(async {
                        // The worker that accepts a connection serves it too, as long as there are
                        // few.
                        for (listener, audience) in doors {
                            tokio::spawn(accept_always(listener, audience, Arc::clone(&handles)));
                        }
                        if let Some(listeners) = from_apps {
                            tokio::spawn(accept_from_apps(listeners, Arc::clone(&handles)));
                        }
                        drop(handles);
                        work(worker, receiver, abandon).await;
                    });
                    // Dropping the runtime closes the connections that did not finish.
                    drop(runtime);
                    drop(running);
                })?;
            threads.push(thread);
        }
        Ok(Self { threads })
    }

    /// Waits for the threads, which have been told to end.
    pub(crate) fn join(self) {
        for thread in self.threads {
            // A thread that panicked has logged it.
            let _ = thread.join();
        }
    }
}

/// Builds a worker's runtime. Before it sleeps it yields the core: clients may be waiting for one
/// to send what comes next, and a wake-up costs several times what a request does.
fn runtime(worker: Arc<Worker>) -> io::Result<Runtime> {
    let let_others_run = move || {
        // A single client sends nothing before it is answered.
        if worker.open.load(Ordering::Relaxed) > 1 {
            std::thread::yield_now();
        }
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().on_thread_park(let_others_run).build()
}

/// Accepts connections at listeners for the containers of apps, which come and go.
async fn accept_from_apps(
    mut listeners: mpsc::UnboundedReceiver<AppListener>,
    handles: Arc<Vec<WorkerHandle>>,
) {
    let Some(shared) = handles.first().map(|handle| Arc::clone(&handle.worker.shared)) else {
        return;
    };
    let connections = AppConnections::new(shared.limits.connections);
    loop {
        let listener = tokio::select! {
            () = shared.stopping.cancelled() => return,
            listener = listeners.recv() => listener,
        };
        let Some(listener) = listener else { return };
        let (listener, peers) = listener.into_parts();
        let audience = Audience::Apps(peers, Arc::clone(&connections));
        tokio::spawn(accept_always(listener, audience, Arc::clone(&handles)));
    }
}

/// Accepts connections until everything stops; restarts after a panic.
async fn accept_always(
    listener: std::net::TcpListener,
    audience: Audience,
    handles: Arc<Vec<WorkerHandle>>,
) {
    let Some(shared) = handles.first().map(|handle| Arc::clone(&handle.worker.shared)) else {
        return;
    };
    let components = shared.platform.components();
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            components.fails(Component::Listener, &error);
            return tracing::error!(%error, "no connections can be accepted");
        }
    };
    let accepts = || accept(&listener, &audience, &handles, &shared);
    always(components, Component::Listener, &shared.stopping, accepts).await;
}

/// Runs a task until it ends by itself or `stopping`; restarts it after a panic.
async fn always<F: Future<Output = ()>>(
    components: &Components,
    component: Component,
    stopping: &CancellationToken,
    mut task: impl FnMut() -> F,
) {
    while let Err(panicked) = components::catch_future(task()).await {
        tracing::error!(component = component.as_str(), %panicked, "a component failed; it was restarted");
        components.begins_anew(component, &panicked);
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
    }
}

/// Gives each connection to the worker that has fewest.
async fn accept(
    listener: &TcpListener,
    audience: &Audience,
    handles: &[WorkerHandle],
    shared: &Shared,
) {
    let components = shared.platform.components();
    let most = shared.limits.connections;
    let complain =
        |error: &io::Error| tracing::warn!(%error, "connections can't be accepted: they wait");
    let close_resting = || handles.iter().for_each(|handle| handle.worker.relay.pool.clear());
    let mut told = None;
    loop {
        let open: usize =
            handles.iter().map(|handle| handle.worker.open.load(Ordering::Relaxed)).sum();
        if open >= most {
            let registries = handles.iter().map(|handle| &*handle.worker.idle);
            idle::evict(registries, 1 + most / MAKES_ROOM);
            tokio::select! {
                () = shared.stopping.cancelled() => return,
                () = tokio::time::sleep(FULL) => continue,
            }
        }
        let next = || async {
            let (stream, client) = listener.accept().await?;
            stream.set_nodelay(true)?;
            // The worker's runtime watches it, not this one.
            Ok((stream.into_std()?, client))
        };
        let (stream, client) = tokio::select! {
            biased;
            () = shared.stopping.cancelled() => return,
            () = audience.closed() => return,
            connection = accept_with_retry(next, close_resting, &mut told, complain) => connection,
        };
        components.works(Component::Listener);
        let Some(admitted) = audience.admit(client) else { continue };
        let connection = Accepted { stream, client, admitted };
        // The first among equals: it is awake already.
        let least = handles.iter().min_by_key(|handle| handle.worker.open.load(Ordering::Relaxed));
        if let Some(handle) = least {
            handle.worker.open.fetch_add(1, Ordering::Relaxed);
            // A worker ends only when everything stops.
            let _ = handle.sender.send(connection);
        }
    }
}

/// Accepts the next connection. When that fails, the process is most likely out of file
/// descriptors: open connections go on, new ones wait. Each time, `wanted` is to free some; `told`
/// is when the failure was logged last.
async fn accept_with_retry<T, F: Future<Output = io::Result<T>>>(
    mut next: impl FnMut() -> F,
    wanted: impl Fn(),
    told: &mut Option<Instant>,
    complain: impl Fn(&io::Error),
) -> T {
    loop {
        match next().await {
            Ok(connection) => return connection,
            Err(error) => {
                wanted();
                if told.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
                    *told = Some(Instant::now());
                    complain(&error);
                }
                tokio::time::sleep(TRY_AGAIN).await;
            }
        }
    }
}

/// Counts an open connection of a worker.
struct Open(Arc<Worker>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs a worker: serves connections until there are no more, or `abandon`.
async fn work(
    worker: Arc<Worker>,
    receiver: mpsc::UnboundedReceiver<Accepted>,
    abandon: CancellationToken,
) {
    let connections = TaskTracker::new();
    let receiver = tokio::sync::Mutex::new(receiver);
    let components = Arc::clone(worker.shared.platform.components());
    let serves = || serve_all(&worker, &receiver, &connections, &abandon);
    always(&components, Component::Worker, &abandon, serves).await;
    connections.close();
    tokio::select! {
        () = abandon.cancelled() => {}
        () = connections.wait() => {}
    }
}

/// Serves connections until there are no more, or `abandon`.
async fn serve_all(
    worker: &Arc<Worker>,
    receiver: &tokio::sync::Mutex<mpsc::UnboundedReceiver<Accepted>>,
    connections: &TaskTracker,
    abandon: &CancellationToken,
) {
    let mut receiver = receiver.lock().await;
    worker.shared.platform.components().works(Component::Worker);
    let mut purge = tokio::time::interval(PURGE_EVERY);
    purge.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            biased;
            () = abandon.cancelled() => return,
            accepted = receiver.recv() => accepted,
            _ = purge.tick() => {
                worker.relay.pool.purge();
                let snapshot = worker.shared.platform.snapshot();
                worker.shared.telemetry.purge(
                    |id| snapshot.app(id).is_some(),
                    |id| snapshot.token(id).is_some(),
                );
                continue;
            }
        };
        let Some(accepted) = accepted else { break };
        let open = Open(Arc::clone(worker));
        let worker = Arc::clone(worker);
        connections.spawn(async move {
            serve(accepted, worker).await;
            drop(open);
        });
    }
}

/// Serves a connection until it ends.
async fn serve(accepted: Accepted, worker: Arc<Worker>) {
    let Accepted { stream, client: address, admitted } = accepted;
    let Admitted { tls, from_app } = admitted;
    let client = Peer { address, secure: tls.is_some(), is_app: from_app.is_some() };
    let _open = worker.shared.telemetry.connection_opened();
    let stream = match TcpStream::from_std(stream) {
        Ok(stream) => stream,
        Err(error) => return tracing::warn!(%error, "a connection could not be served"),
    };
    let guard = worker.idle.enter();
    let Some(tls) = tls else { return connection::serve(stream, client, guard, worker).await };
    guard.set_waiting(std::time::Instant::now());
    let accepted = {
        let handshake = pin!(tls.accept(stream));
        guard.unless_evicted(handshake).await
    };
    match accepted {
        Some(Ok((stream, true))) => {
            http2::serve(stream, Buffer::default(), client, guard, worker).await;
        }
        Some(Ok((stream, false))) => connection::serve(stream, client, guard, worker).await,
        Some(Err(error)) => tracing::debug!(%error, client = %address, "a handshake failed"),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_restarted() {
        let (components, stopping) = (Components::default(), CancellationToken::new());
        let runs = Cell::new(0);
        let task = || {
            runs.set(runs.get() + 1);
            let run = runs.get();
            async move { assert!(run == 3, "as the test asked") }
        };
        always(&components, Component::Listener, &stopping, task).await;
        let fault = components.faults().remove(0);
        assert_eq!((fault.component.as_str(), fault.restarts), ("listener", 2));
        stopping.cancel();
        always(&components, Component::Listener, &stopping, async || panic!("at the end")).await;
        assert_eq!(components.faults()[0].restarts, 3);
    }

    /// Out of file descriptors for hours, tens of times a second.
    #[tokio::test(start_paused = true)]
    async fn accept_errors_are_logged_once_a_minute() {
        let (began, tries) = (Instant::now(), Cell::new(0));
        let said = RefCell::new(Vec::new());
        let complain = |error: &io::Error| {
            said.borrow_mut().push((began.elapsed().as_secs(), error.raw_os_error()));
        };
        let no_more = || io::Error::from(rustix::io::Errno::MFILE);
        let mut told = None;
        for until in [150, 151, 185] {
            let next = || {
                tries.set(tries.get() + 1);
                let over = began.elapsed().as_secs() >= until;
                std::future::ready(over.then_some(until).ok_or_else(no_more))
            };
            assert_eq!(accept_with_retry(next, || {}, &mut told, complain).await, until);
        }
        let expected = [0, 60, 120, 180].map(|at| (at, no_more().raw_os_error()));
        assert_eq!(*said.borrow(), expected, "one that could be accepted is no news");
        // It does not retry in a tight loop either.
        assert_eq!(tries.get(), 185 * 20 + 3);
    }
}
