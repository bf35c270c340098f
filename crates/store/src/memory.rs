//! A store in memory: everything is lost with the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ovhai_core::ports::{
    BoxFuture, CommitError, CommitWatch, Conflict, Loaded, Revision, Store, StoreError,
    StoredRecord, Write,
};

use crate::feed::Feed;

/// Records by kind and key.
#[derive(Debug, Default)]
struct Records {
    newest: Revision,
    records: BTreeMap<(String, String), (Revision, String)>,
}

/// See the module.
#[derive(Debug)]
pub struct MemoryStore {
    records: Mutex<Records>,
    feed: Arc<Feed>,
    /// How commits fail, if they do.
    failing: Mutex<Option<CommitError>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            records: Mutex::default(),
            feed: Arc::new(Feed::new(Revision::NONE)),
            failing: Mutex::default(),
        }
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether every commit is refused, for tests.
    pub fn set_failing(&self, failing: bool) {
        let why = || CommitError::Refused(StoreError::Failed("the store is set to fail".into()));
        self.fail_with(failing.then(why));
    }

    /// Sets how every commit fails, for tests; none: it succeeds. Nothing is kept of one that fails.
    pub fn fail_with(&self, why: Option<CommitError>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    fn conflicts(&self, writes: &[Write]) -> Vec<Conflict> {
        let conflict = |write: &Write| {
            let expected = write.expected?;
            let key = (write.kind.to_string(), write.key.clone());
            let found = self.records.get(&key).map_or(Revision::NONE, |(revision, _)| *revision);
            let (kind, key) = key;
            (found != expected).then_some(Conflict { kind, key, found })
        };
        writes.iter().filter_map(conflict).collect()
    }
}

impl Store for MemoryStore {
    fn load(&self) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        Box::pin(async {
            let all = self.lock();
            let record = |((kind, key), (revision, record)): (&(String, String), &(_, String))| {
                StoredRecord {
                    kind: kind.clone(),
                    key: key.clone(),
                    record: record.clone(),
                    revision: *revision,
                }
            };
            Ok(Loaded { revision: all.newest, records: all.records.iter().map(record).collect() })
        })
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async move {
            let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone();
            failing.map_or(Ok(()), Err)?;
            let mut all = self.lock();
            let conflicts = all.conflicts(&writes);
            if !conflicts.is_empty() {
                return Err(CommitError::Conflict(conflicts));
            }
            let revision = Revision(all.newest.0 + 1);
            all.newest = revision;
            for write in &writes {
                let key = (write.kind.to_string(), write.key.clone());
                match &write.record {
                    Some(record) => drop(all.records.insert(key, (revision, record.clone()))),
                    None => drop(all.records.remove(&key)),
                }
            }
            // Under the lock, so that watchers see the commits in their order.
            self.feed.push(revision, writes);
            Ok(revision)
        })
    }

    fn watch(&self, from: Revision) -> Box<dyn CommitWatch> {
        self.feed.watch(from)
    }
}
