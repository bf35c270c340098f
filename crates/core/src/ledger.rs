//! The one way to change anything: durable first, visible after.
//!
//! Writers compute against the *head*, which holds everything that was accepted; readers read
//! the *published* snapshot, which holds everything that is durable. Between the two runs one
//! committer, which gathers the waiting changes into one commit of the store. If a commit fails, all
//! that was accepted since the published snapshot is refused and the head goes back to it; where
//! the store can't tell whether the commit happened, callers get an unknown outcome, and the store makes
//! sure that it did not before it takes another. A committer that panics is restarted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::{ArcSwap, Guard};
use ovhai_api_types::{AppId, Environment};
use tokio::sync::{mpsc, oneshot, watch};

use crate::components::{self, Component, Components};
use crate::directory::{AppEntry, Live, Snapshot};
use crate::error::{Error, Result};
use crate::model::{AppRecord, EnvironmentOwner, EnvironmentRecord, TokenRecord};
use crate::ports::{CommitError, Store, StoreError, Write};
use crate::records::{self, Change};
use crate::subscriptions::{Subject, Subscription, Subscriptions};

/// Maximum number of transactions in one commit.
const BATCH: usize = 512;

struct Job {
    changes: Vec<Change>,
    /// Apps whose observed state changed.
    observed: Vec<AppId>,
    after: Snapshot,
    done: oneshot::Sender<Result<(), CommitError>>,
}

/// Changes in progress against the newest accepted state.
#[derive(Debug)]
pub struct Transaction {
    state: Snapshot,
    changes: Vec<Change>,
    observed: Vec<AppId>,
}

impl Transaction {
    /// All records as of this transaction.
    pub fn state(&self) -> &Snapshot {
        &self.state
    }

    /// One app as of this transaction.
    pub fn app(&self, id: AppId) -> Option<&Arc<AppEntry>> {
        self.state.app(id)
    }

    /// The next number in the order of creation.
    pub fn next_seq(&mut self) -> u64 {
        self.state.next_seq()
    }

    /// Makes one change.
    pub fn apply(&mut self, change: Change) {
        self.state.apply(&change);
        self.changes.push(change);
    }

    /// Adds or replaces an app.
    pub fn put_app(&mut self, record: AppRecord) {
        self.apply(Change::PutApp(Arc::new(record)));
    }

    /// Removes an app, and the environment that it was made with.
    pub fn remove_app(&mut self, id: AppId) {
        self.apply(Change::RemoveApp(id));
        self.set_environment(EnvironmentOwner::App(id), None);
    }

    /// Sets the environment of an app or a mapping, or removes the one that there is.
    pub fn set_environment(&mut self, owner: EnvironmentOwner, variables: Option<Environment>) {
        match variables {
            Some(variables) => {
                let record = Arc::new(EnvironmentRecord { owner, variables });
                self.apply(Change::PutEnvironment(record));
            }
            None if self.state.environment(&owner).is_some() => {
                self.apply(Change::RemoveEnvironment(owner));
            }
            None => {}
        }
    }

    /// Sets the observed state of an app, which is not stored.
    pub fn set_live(&mut self, id: AppId, live: Live) {
        self.state.set_live(id, live);
        self.observed.push(id);
    }

    /// Adds or replaces a token.
    pub fn put_token(&mut self, record: TokenRecord) -> Arc<TokenRecord> {
        let record = Arc::new(record);
        self.apply(Change::PutToken(Arc::clone(&record)));
        record
    }
}

/// See the module.
#[derive(Debug)]
pub struct Ledger {
    published: ArcSwap<Snapshot>,
    head: Mutex<Snapshot>,
    queue: mpsc::UnboundedSender<Job>,
    /// Transactions that were accepted and not answered yet.
    waiting: AtomicUsize,
    subscriptions: Arc<Subscriptions>,
    /// Changes with every publication.
    changes: watch::Sender<()>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("changes", &self.changes.len()).finish_non_exhaustive()
    }
}

impl Ledger {
    /// A ledger that begins at `snapshot`, of which the store knows `stored_seq` as the last number
    /// in the order of creation, and starts its committer on the current runtime. The
    /// committer calls `on_app` for every app that was added or replaced, once that is visible;
    /// the caller that asked for the change may have gone away by then. It ends when the ledger is
    /// dropped.
    pub fn start(
        snapshot: Snapshot,
        stored_seq: u64,
        store: Arc<dyn Store>,
        components: Arc<Components>,
        on_app: impl Fn(&Snapshot, &AppRecord) + Send + 'static,
    ) -> Arc<Self> {
        let (queue, jobs) = mpsc::unbounded_channel();
        let ledger = Arc::new(Self {
            published: ArcSwap::from_pointee(snapshot.clone()),
            head: Mutex::new(snapshot),
            queue,
            waiting: AtomicUsize::new(0),
            subscriptions: Arc::default(),
            changes: watch::Sender::new(()),
        });
        let batch = Vec::with_capacity(BATCH);
        let at = Arc::downgrade(&ledger);
        let committer =
            Committer { ledger: at, jobs, batch, stored_seq, store, components, on_app };
        tokio::spawn(committer.run());
        ledger
    }

    /// Whether every accepted change was committed or refused.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    /// The newest durable state; takes no lock.
    pub fn read(&self) -> Guard<Arc<Snapshot>> {
        self.published.load()
    }

    /// Subscribes to the publications that change `subject`.
    pub(crate) fn subscribe(&self, subject: Subject) -> Subscription {
        self.subscriptions.subscribe(subject)
    }

    /// Number of subscriptions to `subject`.
    pub(crate) fn subscribers(&self, subject: Subject) -> usize {
        self.subscriptions.count(subject)
    }

    /// Changes with every publication.
    pub(crate) fn watch_changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Makes a durable state visible, and wakes the subscribers of what it changed.
    fn publish(&self, after: &Snapshot, changed: &[Subject]) {
        let before = self.published.swap(Arc::new(after.clone()));
        self.subscriptions.notify(changed, &before, after);
        self.changes.send_replace(());
    }

    /// Runs `work` on the newest accepted state. When this is ready with `Ok`, the changes are
    /// durable and visible; with `Err`, none of them happened, unless it is [`Error::Unknown`].
    /// `work` must not block.
    pub async fn transact<T>(&self, work: impl FnOnce(&mut Transaction) -> Result<T>) -> Result<T> {
        let (out, done) = {
            let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
            let mut transaction =
                Transaction { state: head.clone(), changes: Vec::new(), observed: Vec::new() };
            let out = work(&mut transaction)?;
            *head = transaction.state.clone();
            let (answer, done) = oneshot::channel();
            self.waiting.fetch_add(1, Ordering::AcqRel);
            // Sent under the lock, so that the queue is in the order of the heads; sent also when
            // nothing changes, because the state that it saw is perhaps not durable yet.
            self.queue
                .send(Job {
                    changes: transaction.changes,
                    observed: transaction.observed,
                    after: transaction.state,
                    done: answer,
                })
                .map_err(|_| Error::ShuttingDown)?;
            (out, done)
        };
        done.await.map_err(|_| Error::ShuttingDown)??;
        Ok(out)
    }
}

/// The one task that commits.
struct Committer<F> {
    ledger: Weak<Ledger>,
    jobs: mpsc::UnboundedReceiver<Job>,
    /// The jobs of the current commit.
    batch: Vec<Job>,
    /// The last number in the order of creation, as it is stored.
    stored_seq: u64,
    store: Arc<dyn Store>,
    components: Arc<Components>,
    on_app: F,
}

impl<F: Fn(&Snapshot, &AppRecord) + Send + 'static> Committer<F> {
    /// Ends when the ledger is dropped.
    async fn run(mut self) {
        while let Err(panicked) = components::catch_future(self.commit_all()).await {
            tracing::error!(%panicked, "the committer panicked and was restarted");
            self.components.begins_anew(Component::Committer, &panicked);
            // The store may have kept the changes before the panic.
            self.refuse(&CommitError::Unknown(StoreError::Failed(panicked.to_string())));
        }
    }

    async fn commit_all(&mut self) {
        while self.jobs.recv_many(&mut self.batch, BATCH).await > 0 {
            let changes: Vec<Change> =
                self.batch.iter_mut().flat_map(|job| std::mem::take(&mut job.changes)).collect();
            let mut subjects: Vec<Subject> = changes.iter().filter_map(Subject::of).collect();
            let states = changes.iter().filter_map(|change| match change {
                Change::PutApp(app) => Some(app.id),
                Change::RemoveApp(id) => Some(*id),
                _ => None,
            });
            let observed = self.batch.iter_mut().flat_map(|job| std::mem::take(&mut job.observed));
            subjects.extend(states.chain(observed).map(Subject::Live));
            let apps: Vec<Arc<AppRecord>> = changes
                .iter()
                .filter_map(|change| match change {
                    Change::PutApp(app) => Some(Arc::clone(app)),
                    _ => None,
                })
                .collect();
            let stores = !changes.is_empty();
            let outcome = if stores { self.store(&changes).await } else { Ok(()) };
            if let Err(error) = outcome {
                tracing::error!(%error, "a commit failed; its changes were refused");
                self.components.fails(Component::Storage, &error);
                self.refuse(&error);
                continue;
            }
            let Some(ledger) = self.ledger.upgrade() else { return };
            if let Some(last) = self.batch.last() {
                ledger.publish(&last.after, &subjects);
            }
            let state = ledger.published.load_full();
            self.components.works(Component::Committer);
            if stores {
                self.components.works(Component::Storage);
            }
            for app in &apps {
                // The change stands even if this fails.
                if let Err(panicked) = components::catch(|| (self.on_app)(&state, app)) {
                    tracing::error!(app = %app.id, %panicked, "the reconciler of an app was not told of a change");
                }
            }
            // Before the answers: what the changes cause counts already.
            ledger.waiting.fetch_sub(self.batch.len(), Ordering::AcqRel);
            drop(ledger);
            for job in self.batch.drain(..) {
                // The caller may have gone away; the change stands.
                let _ = job.done.send(Ok(()));
            }
        }
    }

    /// Has the store keep changes. The last number in the order of creation is stored as soon as
    /// the record that has it may go: no number is given twice.
    async fn store(&mut self, changes: &[Change]) -> Result<(), CommitError> {
        let writes: Result<Vec<Write>, StoreError> = changes.iter().map(Change::write).collect();
        let mut writes = writes.map_err(CommitError::Refused)?;
        let last_seq = self.batch.last().map_or(0, |job| job.after.last_seq());
        let stores_seq = last_seq > self.stored_seq && changes.iter().any(Change::frees_number);
        if stores_seq {
            writes.push(records::sequence(last_seq));
        }
        self.store.commit(writes).await?;
        if stores_seq {
            self.stored_seq = last_seq;
        }
        Ok(())
    }

    /// Refuses all that was accepted since the published snapshot, and has the head go back to it.
    fn refuse(&mut self, why: &CommitError) {
        let Some(ledger) = self.ledger.upgrade() else { return };
        let mut head = ledger.head.lock().unwrap_or_else(PoisonError::into_inner);
        // What was accepted meanwhile was computed on the refused changes; none of it was tried.
        let tried = self.batch.len();
        while let Ok(job) = self.jobs.try_recv() {
            self.batch.push(job);
        }
        *head = Snapshot::clone(&ledger.published.load());
        drop(head);
        ledger.waiting.fetch_sub(self.batch.len(), Ordering::AcqRel);
        for (at, job) in self.batch.drain(..).enumerate() {
            let why = if at < tried { why.clone() } else { CommitError::Refused(why.cause()) };
            let _ = job.done.send(Err(why));
        }
    }
}
