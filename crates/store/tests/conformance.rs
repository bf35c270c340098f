//! One suite for every implementation of the Store port.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use ovhai_api_types::{
    AppId, AppSpec, AppState, Environment, Info, InfoCode, Labels, RegistryId, Role, Timestamp,
    TokenId,
};
use ovhai_core::model::{
    AppRecord, Change, Digest, EnvironmentOwner, EnvironmentRecord, MappingRecord, RegistryRecord,
    SessionId, SessionRecord, TokenRecord, UserRecord, Wanted,
};
use ovhai_core::ports::Store;
use ovhai_core::spec::Spec;
use ovhai_store::{MemoryStore, OpenError, SqliteStore};
use uuid::Uuid;

fn app(n: u128) -> AppRecord {
    let wire = AppSpec { image: "a/b".into(), ..AppSpec::default() };
    AppRecord {
        id: AppId(Uuid::from_u128(n)),
        region: "GRA".parse().unwrap(),
        seq: n.try_into().unwrap(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
        user: "me".into(),
        spec: Spec::check(&wire, |_| "name".into()).unwrap(),
        trusted_environment: true,
        labels: [("group".parse().unwrap(), "A".parse().unwrap())].into_iter().collect::<Labels>(),
        wanted: Wanted::Running,
        revision: 1,
        state: AppState::Queued,
        info: Info { code: InfoCode::AppQueued, message: "é \"".into(), arguments: [].into() },
        history: vec![],
    }
}

fn token(n: u128) -> TokenRecord {
    TokenRecord {
        id: TokenId(Uuid::from_u128(n)),
        region: "GRA".parse().unwrap(),
        seq: 1,
        name: "t".into(),
        role: Role::Read,
        selector: Some("group in (A,B),!x".parse().unwrap()),
        version: 3,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

async fn suite(store: &dyn Store) {
    let empty = store.load().await.unwrap();
    assert!(empty.project.is_none() && empty.apps.is_empty() && empty.tokens.is_empty());

    let project = Uuid::from_u128(9);
    store.set_project(project).await.unwrap();
    assert!(store.set_project(Uuid::nil()).await.is_err(), "set once");

    let put = |n| Change::PutApp(Arc::new(app(n)));
    store.commit(vec![put(1), put(2), Change::PutToken(Arc::new(token(1)))]).await.unwrap();
    let changed = AppRecord { wanted: Wanted::Stopped, ..app(1) };
    store
        .commit(vec![
            Change::PutApp(Arc::new(changed.clone())),
            Change::RemoveApp(app(2).id),
            Change::RemoveApp(app(77).id),
            put(3),
            Change::RemoveApp(app(3).id),
            put(3),
        ])
        .await
        .unwrap();
    let mut all = store.load().await.unwrap();
    all.apps.sort_by_key(|app| app.seq);
    assert_eq!(all.project, Some(project));
    assert_eq!(all.apps, [changed, app(3)]);
    assert_eq!(all.tokens, [token(1)]);
    store.commit(vec![Change::RemoveToken(token(1).id)]).await.unwrap();
    assert!(store.load().await.unwrap().tokens.is_empty());
    store.commit(vec![]).await.unwrap();
    others(store).await;
    environments(store).await;
}

async fn environments(store: &dyn Store) {
    let variables = |value: &str| -> Environment {
        [("A".to_owned(), value.to_owned()), ("LONG".to_owned(), "é\n".repeat(9000))]
            .into_iter()
            .collect()
    };
    let of_app = EnvironmentOwner::App(app(1).id);
    let of_image = EnvironmentOwner::Image("a/b:1".into());
    let record = |owner: &EnvironmentOwner, value: &str| EnvironmentRecord {
        owner: owner.clone(),
        variables: variables(value),
    };
    let put = |record: &EnvironmentRecord| Change::PutEnvironment(Arc::new(record.clone()));
    let (first, second) = (record(&of_app, "1"), record(&of_image, "2"));
    store.commit(vec![put(&record(&of_app, "0")), put(&second), put(&first)]).await.unwrap();
    let mut all = store.load().await.unwrap().environments;
    all.sort_by(|a, b| a.owner.cmp(&b.owner));
    assert_eq!(all, [first, second]);
    let remove = [of_app, of_image].map(Change::RemoveEnvironment);
    store.commit(remove.into()).await.unwrap();
    assert!(store.load().await.unwrap().environments.is_empty());
}

async fn others(store: &dyn Store) {
    let now = Timestamp::UNIX_EPOCH;
    let registry = RegistryRecord {
        id: RegistryId(Uuid::from_u128(1)),
        region: "GRA".parse().unwrap(),
        seq: 4,
        url: "r.example.com".into(),
        username: "u".into(),
        user: "me".into(),
        created_at: now,
        updated_at: now,
    };
    let user = |name: &str| UserRecord {
        name: name.into(),
        password: "$argon2id$…".into(),
        created_at: now,
        updated_at: now,
    };
    let session = SessionRecord {
        id: SessionId(Uuid::from_u128(2)),
        user: "ann".into(),
        access: vec![Digest { digest: "a".into(), until: now }],
        refresh: Digest { digest: "b".into(), until: now },
        created_at: now,
    };
    let mapping = MappingRecord {
        image: "a/b:1".into(),
        command: vec!["sh".into(), "-c".into(), "echo \"é\"".into()],
        working_directory: "/srv".into(),
        created_at: now,
    };
    store
        .commit(vec![
            Change::PutRegistry(Arc::new(registry.clone())),
            Change::PutUser(Arc::new(user("ann"))),
            Change::PutUser(Arc::new(user("bob"))),
            Change::PutSession(Arc::new(session.clone())),
            Change::PutMapping(Arc::new(mapping.clone())),
            Change::RemoveUser("bob".into()),
        ])
        .await
        .unwrap();
    let all = store.load().await.unwrap();
    assert_eq!((all.registries, all.users), (vec![registry.clone()], vec![user("ann")]));
    assert_eq!((all.sessions, all.mappings), (vec![session.clone()], vec![mapping.clone()]));
    store
        .commit(vec![
            Change::RemoveRegistry(registry.id),
            Change::RemoveUser("ann".into()),
            Change::RemoveSession(session.id),
            Change::RemoveMapping(mapping.image),
        ])
        .await
        .unwrap();
    let all = store.load().await.unwrap();
    assert!(all.registries.is_empty() && all.users.is_empty());
    assert!(all.sessions.is_empty() && all.mappings.is_empty());
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
    let before = store.load().await.unwrap();
    drop(store);
    let after = SqliteStore::open(&path).unwrap().load().await.unwrap();
    assert_eq!((before.project, before.apps), (after.project, after.apps));
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
    store.commit(vec![Change::PutApp(Arc::new(app(5)))]).await.unwrap();
    let with = |path: &std::path::Path, end: &str| format!("{}{end}", path.display());
    for end in ["", "-wal"] {
        std::fs::copy(with(&whole, end), with(path, end)).unwrap();
    }
}

/// SQLite would begin anew, and delete the log.
#[tokio::test]
async fn a_file_that_is_gone_beside_its_log_is_not_begun_anew() {
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
    assert_eq!(store.load().await.unwrap().apps, [app(5)]);
}

#[tokio::test]
async fn a_damaged_record_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    store.commit(vec![Change::PutApp(Arc::new(app(5)))]).await.unwrap();
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute("UPDATE app SET record = '{}'", []).unwrap();
    let error = store.load().await.expect_err("damaged");
    assert!(error.to_string().contains(&app(5).id.to_string()), "{error}");
}

/// A file of the version before environments were kept.
#[tokio::test]
async fn an_older_file_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    store.commit(vec![Change::PutApp(Arc::new(app(5)))]).await.unwrap();
    drop(store);
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    raw.execute_batch("DROP TABLE environment; PRAGMA user_version = 2").unwrap();
    drop(raw);
    let store = SqliteStore::open(&path).unwrap();
    let all = store.load().await.unwrap();
    assert_eq!((all.apps, all.environments), (vec![app(5)], vec![]));
}

/// What was removed is not in the file any more, and a damaged record does not show what it has.
#[tokio::test]
async fn an_environment_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    let owner = EnvironmentOwner::App(app(1).id);
    for value in ["hush-short".to_owned(), "hush-long".repeat(2000)] {
        let variables = [("A".to_owned(), value)].into_iter().collect();
        let record = EnvironmentRecord { owner: owner.clone(), variables };
        store.commit(vec![Change::PutEnvironment(Arc::new(record))]).await.unwrap();
    }
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    raw.pragma_update(None, "secure_delete", "ON").unwrap();
    raw.execute("INSERT INTO environment (id, record) VALUES ('x', '\"hush-damaged\"')", [])
        .unwrap();
    let error = store.load().await.expect_err("damaged").to_string();
    assert!(error.contains("environment x") && !error.contains("hush"), "{error}");
    raw.execute("DELETE FROM environment WHERE id = 'x'", []).unwrap();

    store.commit(vec![Change::RemoveEnvironment(owner)]).await.unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let file = entry.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        let left = bytes.windows(5).any(|window| window == b"hush-");
        assert!(!left, "{} still has it", file.display());
    }
}

/// A login that can't be read is made again; it costs nothing else.
#[tokio::test]
async fn a_session_of_another_shape_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let store = SqliteStore::open(&path).unwrap();
    store.commit(vec![Change::PutApp(Arc::new(app(5)))]).await.unwrap();
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute("INSERT INTO session (id, record) VALUES ('x', '{}')", []).unwrap();
    let all = store.load().await.unwrap();
    assert_eq!((all.apps.len(), all.sessions.len()), (1, 0));
}
