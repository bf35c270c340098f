use std::collections::BTreeSet;
use std::sync::Arc;

use ovhai_api_types::{AppState, Deletion, Selector};
use ovhai_core::Error;
use ovhai_core::model::{AppRecord, TokenRecord};
use ovhai_core::platform::AppQuery;
use ovhai_core::ports::{CommitError, Conflict, Revision, StoreError};
use ovhai_runtime::SimRuntime;
use proptest::prelude::*;
use serde_json::json;

use crate::harness::{World, stored};

#[tokio::test(start_paused = true)]
async fn a_change_that_can_not_be_stored_has_no_effect() {
    let w = World::automatic().await;
    let id = w.submit(r#"{"image":"a","labels":{"group":"A"}}"#).await;
    w.becomes(id, AppState::Running).await;
    w.store.set_failing(true);
    let spec = serde_json::from_str(r#"{"image":"b"}"#).unwrap();
    assert!(w.platform.create_app(&w.admin, &w.gra, &spec).await.is_err());
    let label = serde_json::from_str(r#"{"name":"group","value":"B"}"#).unwrap();
    assert!(
        w.platform.label_app(&w.admin, &w.gra, id, std::slice::from_ref(&label)).await.is_err()
    );
    assert!(w.platform.stop_app(&w.admin, &w.gra, id).await.is_err());
    w.becomes(id, AppState::Running).await;
    assert_eq!(w.platform.snapshot().app_count(), 1);
    // What the app itself does meanwhile is not lost either: it is tried again.
    w.sim.exit(1, ovhai_core::ports::Blame::User, "crashed");
    w.pass(std::time::Duration::from_secs(5)).await;
    w.store.set_failing(false);
    w.pass(std::time::Duration::from_secs(5)).await;
    w.becomes(id, AppState::Running).await;
    assert_eq!((w.endpoints(id), w.sim.alive()), (1, vec![2]));
    w.platform.label_app(&w.admin, &w.gra, id, std::slice::from_ref(&label)).await.unwrap();
    let record = w.platform.snapshot().app(id).unwrap().record.clone();
    assert_eq!(record.labels.get("group").map(ovhai_api_types::LabelValue::as_str), Some("B"));
    assert_eq!(stored::<AppRecord>(&*w.store, "app").await, [(*record).clone()]);
}

/// An unknown outcome is reported as unknown, and the change does not count.
#[tokio::test(start_paused = true)]
async fn a_change_of_unknown_outcome_is_reported_and_does_not_count() {
    let w = World::automatic().await;
    let why = StoreError::Full { directory: "/d".into(), why: "a sync failed".into() };
    w.store.fail_with(Some(CommitError::Unknown(why.clone())));
    let spec = serde_json::from_str(r#"{"image":"b"}"#).unwrap();
    let error = w.platform.create_app(&w.admin, &w.gra, &spec).await.unwrap_err();
    assert!(matches!(&error, Error::Unknown(cause) if *cause == why), "{error}");
    assert!(error.to_string().contains("not known"), "{error}");
    assert_eq!(w.platform.snapshot().app_count(), 0);
    let faults = w.platform.components().faults();
    assert_eq!((faults[0].component.as_str(), faults[0].failing), ("storage", true));
    w.store.fail_with(None);
    w.platform.create_app(&w.admin, &w.gra, &spec).await.unwrap();
    assert_eq!(stored::<AppRecord>(&*w.store, "app").await.len(), 1);
    assert!(w.platform.components().faults().is_empty());
}

/// Another emulator on the same store was first.
#[tokio::test(start_paused = true)]
async fn a_change_that_conflicts_is_refused_and_does_not_count() {
    let w = World::automatic().await;
    let found = Revision(7);
    let conflict = Conflict { kind: "app".into(), key: "x".into(), found };
    w.store.fail_with(Some(CommitError::Conflict(vec![conflict])));
    let spec = serde_json::from_str(r#"{"image":"b"}"#).unwrap();
    let error = w.platform.create_app(&w.admin, &w.gra, &spec).await.unwrap_err();
    assert!(matches!(&error, Error::Storage(_)), "{error}");
    assert!(error.to_string().contains("the app x was changed by another commit (7)"), "{error}");
    assert_eq!(w.platform.snapshot().app_count(), 0);
}

/// A number is never given twice, also where the record that had the last one is gone.
#[tokio::test(start_paused = true)]
async fn the_last_number_in_the_order_of_creation_is_stored() {
    let w = World::automatic().await;
    let spec = |name: &str| serde_json::from_value(json!({"name": name, "role": "read"})).unwrap();
    let mut seqs = Vec::new();
    for name in ["a", "b", "c"] {
        let token = w.platform.create_token(&w.admin, &w.gra, &spec(name)).await.unwrap();
        seqs.push((token.record.seq, token.record.id));
    }
    for (_, id) in &seqs[1..] {
        w.platform.delete_token(&w.admin, &w.gra, *id).await.unwrap();
    }
    for expected in [4, 5] {
        let again = World::on(SimRuntime::step_by_step(), Arc::clone(&w.store)).await;
        // The harness gives ids by the number of apps.
        again.submit(r#"{"image":"a"}"#).await;
        let seq = again.platform.snapshot().apps().map(|app| app.record.seq).max();
        assert_eq!(seq, Some(expected));
    }
    assert_eq!(seqs.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn concurrent_changes_are_all_kept_in_order() {
    let w = Arc::new(World::automatic().await);
    let spec: ovhai_api_types::TokenSpec =
        serde_json::from_str(r#"{"name":"t","role":"read"}"#).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let (w, spec) = (Arc::clone(&w), spec.clone());
        tasks.spawn(async move {
            let token = w.platform.create_token(&w.admin, &w.gra, &spec).await.unwrap();
            assert!(
                w.platform.snapshot().token(token.record.id).is_some(),
                "visible once answered"
            );
            token.record.seq
        });
    }
    let seqs: BTreeSet<u64> = tasks.join_all().await.into_iter().collect();
    assert_eq!(seqs.len(), 500);
    let listed = w.platform.list_tokens(&w.admin, &w.gra).unwrap();
    assert!(listed.is_sorted_by_key(|token| std::cmp::Reverse(token.seq)), "newest first");
    assert_eq!(stored::<TokenRecord>(&*w.store, "token").await.len(), 500);
}

#[derive(Debug, Clone)]
enum Step {
    Add(Vec<(String, String)>),
    Label(usize, String, Option<String>),
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || "[abc]".prop_map(String::from);
    let value = || "[xyz]?".prop_map(String::from);
    prop_oneof![
        3 => prop::collection::vec((key(), value()), 0..4).prop_map(Step::Add),
        2 => (0usize..40, key(), prop::option::of(value())).prop_map(|(i, k, v)| Step::Label(i, k, v)),
        1 => (0usize..40).prop_map(Step::Remove),
    ]
}

fn selector() -> impl Strategy<Value = Selector> {
    let term = "([abc]|![abc]|[abc]=[xyz]?|[abc]!=[xyz]|[abc] in \\([xyz](,[xyz])?\\)|[abc] notin \\([xyz]\\)|ovh/type=app|ovh/type!=app)";
    prop::collection::vec(term, 0..3).prop_map(|terms| terms.join(",").parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happened to the index, a query finds what a scan finds.
    #[test]
    fn the_index_agrees_with_a_scan(
        steps in prop::collection::vec(step(), 1..60),
        selectors in prop::collection::vec(selector(), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let w = World::automatic().await;
            let mut ids = Vec::new();
            for step in steps {
                match step {
                    Step::Add(labels) => {
                        let labels: std::collections::BTreeMap<_, _> = labels.into_iter().collect();
                        let spec = serde_json::json!({"image": "a", "labels": labels}).to_string();
                        ids.push(w.submit(&spec).await);
                    }
                    Step::Label(i, name, value) if !ids.is_empty() => {
                        let id = ids[i % ids.len()];
                        let update = ovhai_api_types::LabelUpdate { name, value };
                        w.platform.label_app(&w.admin, &w.gra, id, std::slice::from_ref(&update)).await.unwrap();
                    }
                    Step::Remove(i) if !ids.is_empty() => {
                        let id = ids.remove(i % ids.len());
                        w.platform.delete_app(&w.admin, &w.gra, id, Deletion::Now).await.unwrap();
                        w.settle().await;
                    }
                    _ => {}
                }
            }
            w.settle().await;
            for selector in selectors {
                let query = AppQuery { selector: selector.clone(), ..AppQuery::default() };
                let found = w.platform.list_apps(&w.admin, &w.gra, &query).unwrap();
                let found: Vec<_> = found.iter().map(|app| app.record.id).collect();
                let snapshot = w.platform.snapshot();
                let mut scanned: Vec<_> =
                    snapshot.apps().filter(|app| selector.matches(&app.record.labels)).collect();
                scanned.sort_by_key(|app| app.record.seq);
                let scanned: Vec<_> = scanned.iter().map(|app| app.record.id).collect();
                prop_assert_eq!(&found, &scanned, "{}", selector);
            }
            Ok(())
        })?;
    }
}
