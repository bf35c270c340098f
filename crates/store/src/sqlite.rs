//! A store in one SQLite file.
//!
//! One thread owns the connection. WAL with `synchronous=FULL`: a commit is on the disk before
//! it is answered. When syncing a commit fails, its frames are in the log, and a recovery would take
//! them: the store overwrites them with another commit before it answers.
//!
//! All records are rows of one table, as JSON: they are read as a whole and only at the start;
//! what queries need is in the domain's directory. The newest revision is that of the newest row;
//! a commit that may remove that row notes its own in `meta`.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use ovhai_core::components;
use ovhai_core::ports::{
    BoxFuture, CommitError, CommitWatch, Conflict, Loaded, Revision, Store, StoreError,
    StoredRecord, Write,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, params};
use tokio::sync::oneshot;

use crate::feed::Feed;
use crate::wal;

/// "OVHA": tells this program's files from other SQLite files.
const APPLICATION_ID: i32 = 0x4f56_4841;
/// Each step brings a file from the version of its index to the next.
const MIGRATIONS: &[&str] = &[
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE app (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE token (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    "CREATE TABLE registry (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE user (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE session (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE mapping (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    "CREATE TABLE environment (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;",
    "CREATE TABLE record (
       kind TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, record TEXT NOT NULL,
       PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;
     INSERT INTO record SELECT 'app', id, 1, record FROM app;
     INSERT INTO record SELECT 'environment', id, 1, record FROM environment;
     INSERT INTO record SELECT 'mapping', id, 1, record FROM mapping;
     INSERT INTO record
       SELECT 'project', '', 1, json_quote(value) FROM meta WHERE key = 'project';
     INSERT INTO record SELECT 'registry', id, 1, record FROM registry;
     INSERT INTO record SELECT 'session', id, 1, record FROM session;
     INSERT INTO record SELECT 'token', id, 1, record FROM token;
     INSERT INTO record SELECT 'user', id, 1, record FROM user;
     DELETE FROM meta;
     DROP TABLE app; DROP TABLE environment; DROP TABLE mapping; DROP TABLE registry;
     DROP TABLE session; DROP TABLE token; DROP TABLE user;",
];
const BUSY: Duration = Duration::from_secs(5);
/// With fewer free bytes than this the disk counts as full.
const NO_ROOM: u64 = 64 * 1024;

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is something else.
    #[error("{} is not a database of ovhai", .0.display())]
    Foreign(PathBuf),
    /// It was written by a newer version.
    #[error("{} was written by a newer ovhai (format {found}, this one knows up to {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: usize,
        /// The newest format that this program knows.
        known: usize,
    },
    /// It is missing or empty, but its write-ahead log holds changes.
    #[error("{} is {}, but its write-ahead log {} holds changes", path.display(), if *missing { "missing" } else { "empty" }, log.display())]
    LogAlone {
        /// The file.
        path: PathBuf,
        /// Its log.
        log: PathBuf,
        /// Whether it is missing.
        missing: bool,
    },
    /// The disk is full.
    #[error("{} can't be written: no space is left in {} ({why})", path.display(), directory_of(path).display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite says.
        why: String,
    },
    /// It can't be opened, read or written.
    #[error("{} can't be used: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite says.
        why: String,
    },
}

enum Request {
    Load(oneshot::Sender<Result<Loaded, StoreError>>),
    Commit(Vec<Write>, oneshot::Sender<Result<Revision, CommitError>>),
}

/// See the module. Dropping it closes the file once all requests are done.
#[derive(Debug)]
pub struct SqliteStore {
    requests: mpsc::Sender<Request>,
    feed: Arc<Feed>,
}

impl SqliteStore {
    /// Opens or makes the file. A file of another program, or of a newer version of this one, is
    /// refused and left as it is.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = open(path)?;
        let newest = newest(&connection)
            .map_err(|error| OpenError::Unusable { path: path.into(), why: error.to_string() })?;
        let feed = Arc::new(Feed::new(newest));
        let to = Arc::downgrade(&feed);
        let mut database =
            Database { connection, path: path.into(), is_unsettled: false, newest, feed: to };
        let (requests, queue) = mpsc::channel();
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                while let Ok(request) = queue.recv() {
                    database.serve(request);
                }
            })
            .map_err(|error| unusable(path, &error))?;
        Ok(Self { requests, feed })
    }

    async fn ask<T, E>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, E>>) -> Request,
        unanswered: impl FnOnce(StoreError) -> E,
    ) -> Result<T, E> {
        let (sender, answer) = oneshot::channel();
        // A thread that panicked has logged it, and goes on with the next request.
        let unasked = self.requests.send(request(sender)).is_err();
        match answer.await {
            Ok(answer) => answer,
            Err(_) if unasked => {
                Err(unanswered(StoreError::Failed("the store's thread is gone".into())))
            }
            Err(_) => Err(unanswered(StoreError::Failed("the store's thread failed".into()))),
        }
    }
}

impl Store for SqliteStore {
    fn load(&self) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        Box::pin(self.ask(Request::Load, |why| why))
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(self.ask(|answer| Request::Commit(writes, answer), CommitError::Unknown))
    }

    fn watch(&self, from: Revision) -> Box<dyn CommitWatch> {
        self.feed.watch(from)
    }
}

/// The open file.
struct Database {
    connection: Connection,
    path: PathBuf,
    /// Whether the log may hold a commit that failed.
    is_unsettled: bool,
    /// The newest commit.
    newest: Revision,
    feed: Weak<Feed>,
}

impl Database {
    fn serve(&mut self, request: Request) {
        // The caller may have gone away; the work is done nevertheless. A panic drops `answer`,
        // which tells the caller.
        let served = components::catch(|| match request {
            Request::Load(answer) => drop(answer.send(load(&self.connection, self.newest))),
            Request::Commit(writes, answer) => drop(answer.send(self.commit(writes))),
        });
        if let Err(panicked) = served {
            tracing::error!(%panicked, "a request to the store panicked; the store goes on");
            self.is_unsettled = true;
        }
    }

    fn commit(&mut self, writes: Vec<Write>) -> Result<Revision, CommitError> {
        if self.is_unsettled {
            self.settle().map_err(|error| CommitError::Refused(self.failure(&error)))?;
        }
        let refused = |error: &rusqlite::Error| CommitError::Refused(self.failure(error));
        let transaction = self.connection.unchecked_transaction().map_err(|e| refused(&e))?;
        let conflicts = conflicts(&transaction, &writes).map_err(|e| refused(&e))?;
        if !conflicts.is_empty() {
            return Err(CommitError::Conflict(conflicts));
        }
        let revision = Revision(self.newest.0 + 1);
        write(&transaction, &writes, revision).map_err(|e| refused(&e))?;
        let Err(error) = transaction.commit() else {
            self.newest = revision;
            if writes.iter().any(|write| write.erases) {
                empty_log(&self.connection);
            }
            if let Some(feed) = self.feed.upgrade() {
                feed.push(revision, writes);
            }
            return Ok(revision);
        };
        let why = self.failure(&error);
        // The last frame of a commit completes it. When the disk is full the frame was not written;
        // in every other case it may have been.
        if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
            return Err(CommitError::Refused(why));
        }
        self.is_unsettled = true;
        match self.settle() {
            Ok(()) => Err(CommitError::Refused(why)),
            Err(_) => Err(CommitError::Unknown(why)),
        }
    }

    /// Overwrites a commit that failed with one that changes nothing.
    fn settle(&mut self) -> rusqlite::Result<()> {
        self.connection.execute(
            "INSERT INTO meta (key, value) VALUES ('settled', '1')
             ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1",
            [],
        )?;
        self.is_unsettled = false;
        Ok(())
    }

    fn failure(&self, error: &rusqlite::Error) -> StoreError {
        let directory = directory_of(&self.path);
        // SQLite reports a failed sync and a file that can't grow as an I/O error, whatever the cause.
        let is_full = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => true,
            Some(ErrorCode::SystemIoFailure) => has_no_room(directory),
            _ => false,
        };
        if is_full {
            let directory = directory.display().to_string();
            return StoreError::Full { directory, why: error.to_string() };
        }
        failure(error)
    }
}

/// The directory of a file.
fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Whether a directory's file system has no space for even a few pages.
fn has_no_room(directory: &Path) -> bool {
    rustix::fs::statvfs(directory)
        .is_ok_and(|free| free.f_bavail.saturating_mul(free.f_frsize) < NO_ROOM)
}

fn unusable(path: &Path, error: &io::Error) -> OpenError {
    let why = error.to_string();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            OpenError::Full { path: path.into(), why }
        }
        _ => OpenError::Unusable { path: path.into(), why },
    }
}

fn failure(error: &impl std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn open(path: &Path) -> Result<Connection, OpenError> {
    look_at_log(path)?;
    let is_new = !path.exists();
    let unusable_io = |error: io::Error| unusable(path, &error);
    let unusable = |error: rusqlite::Error| {
        let why = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => OpenError::Foreign(path.into()),
            Some(ErrorCode::DiskFull) => OpenError::Full { path: path.into(), why },
            Some(ErrorCode::SystemIoFailure) if has_no_room(directory_of(path)) => {
                OpenError::Full { path: path.into(), why }
            }
            _ => OpenError::Unusable { path: path.into(), why },
        }
    };
    // The records have the apps' environment: only the owner of the file can read it.
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path).map_err(unusable_io)?;
    if is_new {
        // The name of a new file has to survive a power cut, as its content does.
        let directory = std::fs::File::open(directory_of(path)).map_err(unusable_io)?;
        directory.sync_all().map_err(unusable_io)?;
    }
    let mut connection = Connection::open(path).map_err(unusable)?;
    connection.busy_timeout(BUSY).map_err(unusable)?;
    let pragma = |name: &str| -> Result<i64, OpenError> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map_err(unusable)
    };
    let version = usize::try_from(pragma("user_version")?).unwrap_or(usize::MAX);
    let application = pragma("application_id")?;
    // The file is not changed until it is known to be ours or empty.
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(unusable)?;
    let empty = tables == 0 && version == 0 && application == 0;
    if !empty && application != i64::from(APPLICATION_ID) {
        return Err(OpenError::Foreign(path.into()));
    }
    if version > MIGRATIONS.len() {
        return Err(OpenError::Newer {
            path: path.into(),
            found: version,
            known: MIGRATIONS.len(),
        });
    }
    connection.pragma_update(None, "journal_mode", "WAL").map_err(unusable)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(unusable)?;
    // Deleted records, such as the environment of an app, are overwritten.
    connection.pragma_update(None, "secure_delete", "ON").map_err(unusable)?;
    if version < MIGRATIONS.len() {
        let transaction = connection.transaction().map_err(unusable)?;
        for step in &MIGRATIONS[version..] {
            transaction.execute_batch(step).map_err(unusable)?;
        }
        let format = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        transaction.pragma_update(None, "user_version", format).map_err(unusable)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(unusable)?;
        transaction.commit().map_err(unusable)?;
    }
    empty_log(&connection);
    Ok(connection)
}

/// Moves the log into the file, where `secure_delete` overwrites what was removed, and empties it.
fn empty_log(connection: &Connection) {
    let busy =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
    match busy {
        Ok(false) => {}
        Ok(true) => tracing::warn!("the write-ahead log is in use; the next change empties it"),
        // The commit stands, and the next one tries again.
        Err(error) => tracing::warn!(%error, "the write-ahead log could not be emptied"),
    }
}

/// Refuses a file that is missing or empty beside a log with something in it: SQLite would
/// start an empty database and delete the log, which may hold every record. Logs which part of the log
/// can't be read.
fn look_at_log(path: &Path) -> Result<(), OpenError> {
    let log = wal::path_of(path);
    if std::fs::metadata(&log).map_or(0, |found| found.len()) == 0 {
        return Ok(());
    }
    let size = std::fs::metadata(path).map(|found| found.len());
    let missing = matches!(&size, Err(error) if error.kind() == io::ErrorKind::NotFound);
    if missing || matches!(size, Ok(0)) {
        return Err(OpenError::LogAlone { path: path.into(), log, missing });
    }
    match wal::frames(&log) {
        Ok(wal::Frames { left: 0, .. }) => {}
        Ok(wal::Frames { taken, left, commits_left: 0 }) => {
            tracing::info!(log = %log.display(), taken, left, "a change was being written when the emulator ended; it is left out");
        }
        Ok(wal::Frames { taken, left, commits_left }) => {
            tracing::warn!(log = %log.display(), taken, left, commits_left, "the end of the write-ahead log can't be read: changes in it that were not refused are lost, such as newer versions of tokens; compare with a copy if you have one");
        }
        Err(error) => tracing::warn!(log = %log.display(), %error, "the log can't be read"),
    }
    Ok(())
}

/// The newest commit in the file.
fn newest(connection: &Connection) -> rusqlite::Result<Revision> {
    let noted: Option<u64> = connection
        .query_row("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision'", [], number)
        .optional()?;
    let written: Option<u64> = connection
        .query_row("SELECT max(revision) FROM record HAVING count(*) > 0", [], number)
        .optional()?;
    Ok(Revision(noted.max(written).unwrap_or(0)))
}

fn number(row: &Row<'_>) -> rusqlite::Result<u64> {
    let number: i64 = row.get(0)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

fn load(connection: &Connection, newest: Revision) -> Result<Loaded, StoreError> {
    let records = || -> rusqlite::Result<Vec<StoredRecord>> {
        let mut statement = connection.prepare("SELECT revision, kind, key, record FROM record")?;
        let record = |row: &Row<'_>| {
            let revision = Revision(number(row)?);
            Ok(StoredRecord { revision, kind: row.get(1)?, key: row.get(2)?, record: row.get(3)? })
        };
        statement.query_map([], record)?.collect()
    };
    let records = records().map_err(|error| failure(&error))?;
    Ok(Loaded { revision: newest, records })
}

fn conflicts(to: &Transaction<'_>, writes: &[Write]) -> rusqlite::Result<Vec<Conflict>> {
    let mut conflicts = Vec::new();
    for write in writes {
        let Some(expected) = write.expected else { continue };
        let found = to
            .prepare_cached("SELECT revision FROM record WHERE kind = ?1 AND key = ?2")?
            .query_row(params![write.kind, write.key], number)
            .optional()?;
        let found = found.map_or(Revision::NONE, Revision);
        if found != expected {
            let (kind, key) = (write.kind.to_string(), write.key.clone());
            conflicts.push(Conflict { kind, key, found });
        }
    }
    Ok(conflicts)
}

fn write(to: &Transaction<'_>, writes: &[Write], revision: Revision) -> rusqlite::Result<()> {
    let number = i64::try_from(revision.0).unwrap_or(i64::MAX);
    for write in writes {
        let Write { kind, key, .. } = write;
        match &write.record {
            Some(record) => to
                .prepare_cached(
                    "INSERT OR REPLACE INTO record (kind, key, revision, record)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![kind, key, number, record])?,
            None => to
                .prepare_cached("DELETE FROM record WHERE kind = ?1 AND key = ?2")?
                .execute(params![kind, key])?,
        };
    }
    // A row with this revision stays, unless the last write of a record removes it.
    if writes.iter().any(|write| write.record.is_none()) || writes.is_empty() {
        to.prepare_cached(
            "INSERT INTO meta (key, value) VALUES ('revision', ?1)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )?
        .execute([number.to_string()])?;
    }
    Ok(())
}
