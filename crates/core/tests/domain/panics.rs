//! A defect in one part costs what that part was doing, and the part begins anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ovhai_api_types::AppState;
use ovhai_core::Error;
use ovhai_core::ports::{
    BoxFuture, CommitError, CommitWatch, Loaded, Replica, ReplicaReporter, ReplicaRequest,
    Revision, Runtime, Store, StoreError, Write,
};
use ovhai_runtime::SimRuntime;
use ovhai_store::MemoryStore;

use crate::harness::World;

/// A store that panics at every commit of a token whose name says so.
struct PanickingStore(MemoryStore);

impl Store for PanickingStore {
    fn load(&self) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        self.0.load()
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<Revision, CommitError>> {
        let is_it = |write: &Write| {
            let record = write.record.as_deref().unwrap_or_default();
            write.kind == "token" && record.contains(r#""name":"panic""#)
        };
        Box::pin(async move {
            assert!(!writes.iter().any(is_it), "as the test asked");
            self.0.commit(writes).await
        })
    }

    fn watch(&self, from: Revision) -> Box<dyn CommitWatch> {
        self.0.watch(from)
    }
}

#[tokio::test(start_paused = true)]
async fn a_committer_that_panics_is_restarted() {
    let w = {
        let store = Arc::new(PanickingStore(MemoryStore::new()));
        World::made_of(SimRuntime::step_by_step(), None, Some(store)).await
    };
    let components = Arc::clone(w.platform.components());
    let create = async |name: &str| {
        let spec = serde_json::json!({"name": name, "role": "read"});
        let spec = serde_json::from_value(spec).unwrap();
        w.platform.create_token(&w.admin, &w.gra, &spec).await
    };
    create("a").await.unwrap();
    for restarts in 1..3 {
        let error = create("panic").await.unwrap_err();
        assert!(matches!(error, Error::Unknown(_)), "{error}");
        let fault = components.faults().remove(0);
        assert_eq!((fault.component.as_str(), fault.failing), ("committer", true));
        assert_eq!(fault.restarts, restarts);
        create("b").await.unwrap();
        assert!(!components.any_failing());
    }
    let names = w.platform.list_tokens(&w.admin, &w.gra).unwrap();
    let names: Vec<_> = names.iter().map(|token| token.name.as_str()).collect();
    assert_eq!(names, ["b", "b", "a"]);
}

/// A runtime that panics at its first launch.
struct PanickingRuntime(SimRuntime, AtomicBool);

impl Runtime for PanickingRuntime {
    fn launch(&self, request: ReplicaRequest, reporter: ReplicaReporter) -> Box<dyn Replica> {
        assert!(self.1.swap(true, Ordering::SeqCst), "as the test asked");
        self.0.launch(request, reporter)
    }
}

#[tokio::test(start_paused = true)]
async fn a_reconciler_that_panics_is_restarted() {
    let sim = SimRuntime::automatic(([127, 0, 0, 1], 9).into());
    let runtime = Arc::new(PanickingRuntime(sim.clone(), AtomicBool::new(false)));
    let w = World::made_of(sim, Some(runtime), None).await;
    let id = w.submit(r#"{"image":"a"}"#).await;
    let components = w.platform.components();
    while !components.any_failing() {
        tokio::task::yield_now().await;
    }
    let fault = components.faults().remove(0);
    assert_eq!((fault.component.as_str(), fault.restarts), ("reconciler", 1));
    w.pass(Duration::from_secs(2)).await;
    w.becomes(id, AppState::Running).await;
    assert!(!components.any_failing());
}
