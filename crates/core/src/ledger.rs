//! The one way to change anything: durable first, visible after.
//!
//! Writers compute against the *head*, which holds everything that was accepted; readers read
//! the *published* snapshot, which holds everything that is durable. Between the two runs one
//! committer, which gathers what is waiting into one commit of the store. If a commit fails, all
//! that was accepted since the published snapshot is refused and the head goes back to it.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};
use ovhai_api_types::{AppId, Environment};
use tokio::sync::{mpsc, oneshot};

use crate::directory::{AppEntry, Live, Snapshot};
use crate::error::{Error, Result};
use crate::model::{AppRecord, Change, EnvironmentOwner, EnvironmentRecord, TokenRecord};
use crate::ports::{Store, StoreError};
use crate::subscriptions::{Subject, Subscription, Subscriptions};

/// How many waiting transactions go into one commit.
const BATCH: usize = 512;

struct Job {
    changes: Vec<Change>,
    after: Snapshot,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// Changes under way against the newest accepted state.
#[derive(Debug)]
pub struct Transaction {
    state: Snapshot,
    changes: Vec<Change>,
}

impl Transaction {
    /// Everything as of this transaction.
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

    /// Sets what is observed of an app; this is not stored.
    pub fn set_live(&mut self, id: AppId, live: Live) {
        self.state.set_live(id, live);
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
    subscriptions: Arc<Subscriptions>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("changes", &self.changes.len()).finish_non_exhaustive()
    }
}

impl Ledger {
    /// A ledger that begins at `snapshot`, and starts its committer on the current runtime. The
    /// committer calls `on_app` for every app that was added or replaced, once that is visible;
    /// whoever asked for the change may have gone away by then. It ends when the ledger is
    /// dropped.
    pub fn start(
        snapshot: Snapshot,
        store: Arc<dyn Store>,
        on_app: impl Fn(&AppRecord) + Send + 'static,
    ) -> Arc<Self> {
        let (queue, jobs) = mpsc::unbounded_channel();
        let ledger = Arc::new(Self {
            published: ArcSwap::from_pointee(snapshot.clone()),
            head: Mutex::new(snapshot),
            queue,
            subscriptions: Arc::default(),
        });
        tokio::spawn(commit_all(Arc::downgrade(&ledger), jobs, store, on_app));
        ledger
    }

    /// The newest durable state; takes no lock.
    pub fn read(&self) -> Guard<Arc<Snapshot>> {
        self.published.load()
    }

    /// Subscribes to the publications that change `subject`.
    pub(crate) fn subscribe(&self, subject: Subject) -> Subscription {
        self.subscriptions.subscribe(subject)
    }

    /// Makes a durable state visible, and wakes the subscribers of what it changed.
    fn publish(&self, after: &Snapshot, changed: &[Subject]) {
        let before = self.published.swap(Arc::new(after.clone()));
        self.subscriptions.notify(changed, &before, after);
    }

    /// Runs `work` on the newest accepted state. When this is ready with `Ok`, the changes are
    /// durable and visible; with `Err`, none of them happened. `work` must not block.
    pub async fn transact<T>(&self, work: impl FnOnce(&mut Transaction) -> Result<T>) -> Result<T> {
        let (out, done) = {
            let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
            let mut transaction = Transaction { state: head.clone(), changes: Vec::new() };
            let out = work(&mut transaction)?;
            *head = transaction.state.clone();
            let (answer, done) = oneshot::channel();
            // Sent under the lock, so that the queue is in the order of the heads; sent also when
            // nothing changes, because what was seen may not be durable yet.
            self.queue
                .send(Job { changes: transaction.changes, after: transaction.state, done: answer })
                .map_err(|_| Error::ShuttingDown)?;
            (out, done)
        };
        done.await
            .map_err(|_| Error::ShuttingDown)?
            .map_err(|StoreError(why)| Error::Storage(why))?;
        Ok(out)
    }
}

async fn commit_all(
    ledger: std::sync::Weak<Ledger>,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    store: Arc<dyn Store>,
    on_app: impl Fn(&AppRecord) + Send + 'static,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        let changes: Vec<Change> =
            batch.iter_mut().flat_map(|job| std::mem::take(&mut job.changes)).collect();
        let changed: Vec<Subject> = changes.iter().filter_map(Subject::of).collect();
        let apps: Vec<Arc<AppRecord>> = changes
            .iter()
            .filter_map(|change| match change {
                Change::PutApp(app) => Some(Arc::clone(app)),
                _ => None,
            })
            .collect();
        let outcome = if changes.is_empty() { Ok(()) } else { store.commit(changes).await };
        let Some(ledger) = ledger.upgrade() else { return };
        match outcome {
            Ok(()) => {
                if let Some(last) = batch.last() {
                    ledger.publish(&last.after, &changed);
                }
                for app in &apps {
                    on_app(app);
                }
                for job in batch.drain(..) {
                    // Whoever asked may have gone away; the change stands.
                    let _ = job.done.send(Ok(()));
                }
            }
            Err(error) => {
                tracing::error!(%error, "a commit failed; its changes are refused");
                let mut head = ledger.head.lock().unwrap_or_else(PoisonError::into_inner);
                // What was accepted meanwhile was computed on the refused changes.
                while let Ok(job) = jobs.try_recv() {
                    batch.push(job);
                }
                *head = Snapshot::clone(&ledger.published.load());
                drop(head);
                for job in batch.drain(..) {
                    let _ = job.done.send(Err(error.clone()));
                }
            }
        }
    }
}
