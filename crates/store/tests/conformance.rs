//! One suite for every implementation of the Store port.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use ovhai_core::ports::{
    CommitError, Conflict, Loaded, Revision, Store, StoredRecord, WatchError, Write,
};
use ovhai_store::{MemoryStore, OpenError, SqliteStore};

const ODD: &str = "{\"text\":\"é \\\" \\u0000\"}";

fn put(kind: &'static str, key: &str, record: &str) -> Write {
    Write::put(kind, key, record.to_owned())
}

fn record(kind: &str, key: &str, record: &str, revision: Revision) -> StoredRecord {
    StoredRecord { kind: kind.into(), key: key.into(), record: record.into(), revision }
}

async fn load(store: &dyn Store) -> Loaded {
    let mut loaded = store.load().await.unwrap();
    loaded.records.sort_by(|a, b| (&a.kind, &a.key).cmp(&(&b.kind, &b.key)));
    loaded
}

async fn suite(store: &dyn Store) {
    assert_eq!(load(store).await, Loaded::default());
    let mut watch = store.watch(Revision::NONE);

    let first = vec![put("app", "1", "{}"), put("app", "2", ODD), put("token", "1", "3")];
    let one = store.commit(first.clone()).await.unwrap();
    assert!(one > Revision::NONE);
    // Writes apply in order: the last write of a record counts. Unknown kinds are kept like all
    // others.
    let second = vec![
        put("app", "1", "{\"a\":1}"),
        Write::remove("app", "2"),
        Write::remove("app", "77"),
        put("app", "3", "0"),
        Write::remove("app", "3"),
        put("app", "3", "1"),
        put("volume", "a b/é", "[]"),
        Write::remove("token", "2"),
    ];
    let two = store.commit(second.clone()).await.unwrap();
    assert!(two > one);
    let all = load(store).await;
    assert_eq!(all.revision, two);
    assert_eq!(
        all.records,
        [
            record("app", "1", "{\"a\":1}", two),
            record("app", "3", "1", two),
            record("token", "1", "3", one),
            record("volume", "a b/é", "[]", two),
        ]
    );

    // The newest row goes, and a commit without writes: the revision goes on all the same.
    let gone = ["app 1", "app 3", "volume a b/é"].map(|of| of.split_once(' ').unwrap());
    let third: Vec<Write> = gone
        .into_iter()
        .map(|(kind, key)| Write::remove(if kind == "app" { "app" } else { "volume" }, key))
        .collect();
    let three = store.commit(third.clone()).await.unwrap();
    let four = store.commit(vec![]).await.unwrap();
    assert!(two < three && three < four);
    let all = load(store).await;
    assert_eq!((all.revision, all.records), (four, vec![record("token", "1", "3", one)]));

    for (revision, writes) in [(one, first), (two, second), (three, third), (four, vec![])] {
        let seen = watch.next().await.unwrap();
        assert_eq!((seen.revision, &*seen.writes), (revision, &*writes));
    }
    // One that begins later sees what follows.
    let mut late = store.watch(three);
    assert_eq!(late.next().await.unwrap().revision, four);
    let ((), seen) = tokio::join!(expectations(store), late.next());
    assert!(seen.unwrap().revision > four);
    let mut behind = store.watch(Revision(u64::MAX));
    assert!(matches!(behind.next().await, Err(WatchError::Behind(_))));
    large_and_erased(store).await;
}

/// A commit is refused as a whole when one of its expectations does not hold.
async fn expectations(store: &dyn Store) {
    let new = || put("user", "ann", "1").expects(Revision::NONE);
    let one = store.commit(vec![new()]).await.unwrap();
    let two = store.commit(vec![put("user", "ann", "2").expects(one)]).await.unwrap();
    let before = load(store).await;
    let other = || put("user", "bob", "1");
    let conflict = |key: &str, found| Conflict { kind: "user".into(), key: key.into(), found };
    for (writes, conflicts) in [
        (vec![other(), new()], vec![conflict("ann", two)]),
        (vec![put("user", "ann", "3").expects(one), other()], vec![conflict("ann", two)]),
        (vec![Write::remove("user", "ann").expects(one)], vec![conflict("ann", two)]),
        (
            vec![other().expects(two), new(), Write::remove("user", "ann").expects(two)],
            vec![conflict("bob", Revision::NONE), conflict("ann", two)],
        ),
    ] {
        assert_eq!(store.commit(writes).await, Err(CommitError::Conflict(conflicts)));
        assert_eq!(load(store).await, before);
    }
    store.commit(vec![Write::remove("user", "ann").expects(two), new_of("bob")]).await.unwrap();
    store.commit(vec![Write::remove("user", "bob")]).await.unwrap();
}

fn new_of(user: &str) -> Write {
    put("user", user, "1").expects(Revision::NONE)
}

async fn large_and_erased(store: &dyn Store) {
    let large = format!("\"{}\"", "é\n".repeat(90_000));
    let before = load(store).await.records;
    store.commit(vec![put("environment", "app 1", &large)]).await.unwrap();
    assert!(load(store).await.records.iter().any(|one| one.record == large));
    store.commit(vec![Write::remove("environment", "app 1").erasing()]).await.unwrap();
    assert_eq!(load(store).await.records, before);
}

#[tokio::test]
async fn memory() {
    suite(&MemoryStore::new()).await;
}

#[tokio::test]
async fn sqlite_and_again_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    suite(&store).await;
    let before = load(&store).await;
    let mut watch = store.watch(before.revision);
    drop(store);
    assert_eq!(watch.next().await, Err(WatchError::Closed));
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(load(&store).await, before);
    assert_eq!(store.commit(vec![]).await, Ok(Revision(before.revision.0 + 1)));
}

#[tokio::test]
async fn foreign_and_newer_files_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |name: &str| {
        let path = dir.path().join(name);
        let before = std::fs::read(&path).unwrap();
        let error = SqliteStore::open(&path).expect_err(name);
        assert_eq!(std::fs::read(&path).unwrap(), before, "{name} was changed");
        error
    };
    std::fs::write(dir.path().join("text"), "this is not a database, it is a letter\n".repeat(200))
        .unwrap();
    assert!(matches!(refused("text"), OpenError::Foreign(_)));

    let other = rusqlite::Connection::open(dir.path().join("other")).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(other);
    assert!(matches!(refused("other"), OpenError::Foreign(_)));

    drop(SqliteStore::open(&dir.path().join("newer")).unwrap());
    // The store's thread closes the file when it has seen that nobody is left.
    let newer = rusqlite::Connection::open(dir.path().join("newer")).unwrap();
    newer.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    newer.pragma_update(None, "user_version", 999).unwrap();
    newer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(newer);
    let error = refused("newer");
    assert!(matches!(error, OpenError::Newer { found: 999, .. }), "{error}");
    assert!(error.to_string().contains("newer"), "{error}");

    let error = SqliteStore::open(&dir.path().join("no/such/dir")).expect_err("no directory");
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
}

/// As a killed emulator leaves it: the file, and a log that holds what is not in the file yet.
async fn killed(path: &std::path::Path) {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("db");
    let store = SqliteStore::open(&whole).unwrap();
    store.commit(vec![put("app", "5", ODD)]).await.unwrap();
    let with = |path: &std::path::Path, end: &str| format!("{}{end}", path.display());
    for end in ["", "-wal"] {
        std::fs::copy(with(&whole, end), with(path, end)).unwrap();
    }
}

/// SQLite would begin anew, and delete the log.
#[tokio::test]
async fn a_missing_file_beside_its_log_is_not_recreated() {
    let dir = tempfile::tempdir().unwrap();
    let (path, log) = (dir.path().join("db"), dir.path().join("db-wal"));
    for missing in [true, false] {
        killed(&path).await;
        let before = std::fs::read(&log).unwrap();
        let _ = std::fs::remove_file(&path);
        if !missing {
            std::fs::write(&path, "").unwrap();
        }
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(
            matches!(&error, OpenError::LogAlone { missing: is, .. } if *is == missing),
            "{error}"
        );
        assert!(error.to_string().contains("db-wal holds changes"), "{error}");
        assert!(std::fs::read(&log).unwrap() == before, "the log was changed");
        assert_eq!(path.exists(), !missing, "it was begun anew");
    }
    killed(&path).await;
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(load(&store).await.records, [record("app", "5", ODD, Revision(1))]);
}

/// What was replaced or removed as a secret is in no file any more.
#[tokio::test]
async fn a_secret_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("db")).unwrap();
    let is_left = || {
        std::fs::read_dir(dir.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(5).any(|window| window == b"hush-")
        })
    };
    let secret = |value: &str| put("environment", "app 1", &format!("\"{value}\""));
    for value in ["hush-short".to_owned(), "hush-long".repeat(2000)] {
        store.commit(vec![secret(&value)]).await.unwrap();
    }
    assert!(is_left());
    store.commit(vec![secret("said").erasing()]).await.unwrap();
    assert!(!is_left(), "it was replaced");
    store.commit(vec![secret("hush-again")]).await.unwrap();
    assert!(is_left());
    store.commit(vec![Write::remove("environment", "app 1").erasing()]).await.unwrap();
    assert!(!is_left(), "it was removed");
}
