//! Stores that a test controls.

use ovhai_core::ports::{
    BoxFuture, Commit, CommitError, CommitWatch, Loaded, Revision, Store, StoreError, StoredRecord,
    WatchError, Write,
};
use tokio::sync::watch;
use uuid::Uuid;

/// The records of a store that was used before. An emulator that starts on it commits nothing.
pub fn used_store() -> Loaded {
    let project = StoredRecord {
        kind: "project".into(),
        key: String::new(),
        record: format!("\"{}\"", Uuid::nil()),
        revision: Revision(1),
    };
    Loaded { revision: Revision(1), records: vec![project] }
}

/// A watch that never reports a commit.
#[derive(Debug)]
pub struct SilentWatch;

impl CommitWatch for SilentWatch {
    fn next(&mut self) -> BoxFuture<'_, Result<Commit, WatchError>> {
        Box::pin(std::future::pending())
    }
}

/// A store whose commits wait until the gate opens.
#[derive(Debug)]
pub struct GatedStore(pub watch::Receiver<bool>);

impl Store for GatedStore {
    fn load(&self) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        Box::pin(async { Ok(used_store()) })
    }

    fn commit(&self, _: Vec<Write>) -> BoxFuture<'_, Result<Revision, CommitError>> {
        let mut gate = self.0.clone();
        Box::pin(async move {
            let open = gate.wait_for(|open| *open).await;
            let never = StoreError::Failed("the gate never opens".into());
            open.map(|_| Revision(2)).map_err(|_| CommitError::Refused(never))
        })
    }

    fn watch(&self, _: Revision) -> Box<dyn CommitWatch> {
        Box::new(SilentWatch)
    }
}
