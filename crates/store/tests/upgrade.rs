//! Files that older versions wrote: `tests/fixtures` has what their programs really left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ovhai_core::ports::{Loaded, Revision, Store, StoredRecord, Write};
use ovhai_core::records::Stored;
use ovhai_store::SqliteStore;
use rusqlite::Connection;

/// Format 2.
const BY_88F3CAA: &[u8] = include_bytes!("../../../tests/fixtures/written-by-88f3caa.db");
/// Format 3, with environments.
const BY_4CD2BC3: &[u8] = include_bytes!("../../../tests/fixtures/written-by-4cd2bc3.db");
const FORMAT: i64 = 4;
/// The file that a child process upgrades.
const CHILD: &str = "OVHAI_TEST_UPGRADE";

fn format_of(raw: &Connection) -> i64 {
    raw.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

fn tables(raw: &Connection) -> Vec<String> {
    let mut all = raw.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names = all.query_map([], |row| row.get(0)).unwrap();
    let mut names: Vec<String> = names.collect::<Result<_, _>>().unwrap();
    names.sort();
    names
}

/// The records of an older file, as the new one should have them.
fn expected(path: &Path) -> Loaded {
    let raw = Connection::open(path).unwrap();
    let mut records = Vec::new();
    for table in tables(&raw) {
        let column = if table == "meta" { "key, value" } else { "id, record" };
        let mut all = raw.prepare(&format!("SELECT {column} FROM {table}")).unwrap();
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        for row in rows {
            let (key, record): (String, String) = row.unwrap();
            let (kind, key, record) = match table.as_str() {
                "meta" => (key, String::new(), format!("\"{record}\"")),
                kind => (kind.to_owned(), key, record),
            };
            records.push(StoredRecord { kind, key, record, revision: Revision(1) });
        }
    }
    sorted(Loaded { revision: Revision(1), records })
}

fn sorted(mut loaded: Loaded) -> Loaded {
    loaded.records.sort_by(|a, b| (&a.kind, &a.key).cmp(&(&b.kind, &b.key)));
    loaded
}

#[tokio::test]
async fn files_of_older_versions_are_upgraded() {
    for (fixture, format, kinds) in [(BY_88F3CAA, 2, 7), (BY_4CD2BC3, 3, 8)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        std::fs::write(&path, fixture).unwrap();
        assert_eq!(format_of(&Connection::open(&path).unwrap()), format);
        let expected = expected(&path);
        let mut of: Vec<&str> = expected.records.iter().map(|one| one.kind.as_str()).collect();
        of.dedup();
        assert_eq!(of.len(), kinds, "the fixture has records of every kind: {of:?}");

        let store = SqliteStore::open(&path).unwrap();
        let loaded = sorted(store.load().await.unwrap());
        assert!(loaded == expected, "{loaded:?}");
        // The domain reads all of them; the project's id is none of its changes.
        let count = loaded.records.len();
        let stored = Stored::read(loaded).unwrap();
        assert_eq!(stored.changes.len(), count - 1);
        assert!(stored.project.is_some());
        assert_eq!(store.commit(vec![]).await, Ok(Revision(2)));
        drop(store);
        let raw = Connection::open(&path).unwrap();
        assert_eq!((format_of(&raw), tables(&raw)), (FORMAT, vec!["meta".into(), "record".into()]));
    }
}

/// An environment leaves nothing behind, in the tables that it was in before either.
#[tokio::test]
async fn records_erased_after_an_upgrade_are_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    std::fs::write(&path, BY_4CD2BC3).unwrap();
    let is_left = || {
        std::fs::read_dir(dir.path()).unwrap().any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(8).any(|window| window == b"\"MARKER\"")
        })
    };
    assert!(is_left());
    let store = SqliteStore::open(&path).unwrap();
    let all = store.load().await.unwrap().records;
    let environments = all.iter().filter(|one| one.kind == "environment");
    let erase = environments.map(|one| Write::remove("environment", &one.key).erasing());
    store.commit(erase.collect()).await.unwrap();
    assert!(!is_left());
}

/// The child of the test below; there is nothing to do otherwise.
#[tokio::test]
async fn child() {
    if let Some(path) = std::env::var_os(CHILD) {
        SqliteStore::open(Path::new(&path)).unwrap().load().await.unwrap();
    }
}

fn upgrade(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child"])
        .env(CHILD, path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until the upgrade writes, or has ended.
fn until_it_writes(child: &mut Child, path: &Path) -> Instant {
    let log = path.with_extension("db-wal");
    while std::fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    Instant::now()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_upgrade_is_complete_or_absent() {
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("old.db");
    std::fs::write(&old, BY_88F3CAA).unwrap();
    // More than SQLite keeps in memory: it writes from the beginning to the end.
    Connection::open(&old)
        .unwrap()
        .execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             INSERT INTO token SELECT printf('%08d', i),
               (SELECT record FROM token LIMIT 1) FROM n;
             PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .unwrap();
    let expected = expected(&old);
    assert!(expected.records.len() > 20_000);
    let path = dir.path().join("ovhai.db");
    let begin_anew = || {
        for end in ["db", "db-wal", "db-shm"] {
            let _ = std::fs::remove_file(path.with_extension(end));
        }
        std::fs::copy(&old, &path).unwrap();
    };

    begin_anew();
    let mut child = upgrade(&path);
    let begun = until_it_writes(&mut child, &path);
    assert!(child.wait().unwrap().success());
    let takes = begun.elapsed();

    let (mut killed, mut undone) = (0, 0);
    for time in 0..20 {
        begin_anew();
        let mut child = upgrade(&path);
        until_it_writes(&mut child, &path);
        std::thread::sleep(takes * time / 20);
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let format = format_of(&Connection::open(&path).unwrap());
        assert!([2, FORMAT].contains(&format), "format {format}");
        undone += u32::from(format == 2);
        let store = SqliteStore::open(&path).unwrap();
        let loaded = sorted(store.load().await.unwrap());
        assert!(loaded == expected, "killed the {time}th time: {} records", loaded.records.len());
    }
    assert!(killed >= 10, "it was killed while it ran: {killed} times");
    assert!(undone >= 1, "it was killed before it was done");
}
