//! A store in one SQLite file.
//!
//! One thread owns the connection. WAL with `synchronous=FULL`: a commit is on the disk before
//! it is answered. Records are kept as JSON, because they are read as a whole and only at the
//! start; what queries need is in the domain's directory.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use ovhai_core::model::{Change, Stored};
use ovhai_core::ports::{BoxFuture, Store, StoreError};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use uuid::Uuid;

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
];
const BUSY: Duration = Duration::from_secs(5);

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
    Load(oneshot::Sender<Result<Stored, StoreError>>),
    Commit(Vec<Change>, oneshot::Sender<Result<(), StoreError>>),
    SetProject(Uuid, oneshot::Sender<Result<(), StoreError>>),
}

/// See the module. Dropping it closes the file once what was asked is done.
#[derive(Debug)]
pub struct SqliteStore {
    requests: mpsc::Sender<Request>,
}

impl SqliteStore {
    /// Opens or makes the file. A file of another program, or of a newer version of this one, is
    /// refused and left as it is.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let mut connection = open(path)?;
        let (requests, queue) = mpsc::channel();
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                while let Ok(request) = queue.recv() {
                    serve(&mut connection, request);
                }
            })
            .map_err(|error| OpenError::Unusable { path: path.into(), why: error.to_string() })?;
        Ok(Self { requests })
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Request,
    ) -> Result<T, StoreError> {
        let gone = || StoreError("the store's thread is gone".into());
        let (sender, answer) = oneshot::channel();
        self.requests.send(request(sender)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Store for SqliteStore {
    fn load(&self) -> BoxFuture<'_, Result<Stored, StoreError>> {
        Box::pin(self.ask(Request::Load))
    }

    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.ask(|answer| Request::Commit(changes, answer)))
    }

    fn set_project(&self, project: Uuid) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.ask(move |answer| Request::SetProject(project, answer)))
    }
}

fn serve(connection: &mut Connection, request: Request) {
    // Whoever asked may have gone away; the work is done all the same.
    match request {
        Request::Load(answer) => drop(answer.send(load(connection))),
        Request::Commit(changes, answer) => {
            drop(answer.send(commit(connection, &changes).map_err(|error| failure(&error))));
        }
        Request::SetProject(project, answer) => {
            let set = connection.execute(
                "INSERT INTO meta (key, value) VALUES ('project', ?1)",
                [project.to_string()],
            );
            drop(answer.send(set.map(drop).map_err(|error| failure(&error))));
        }
    }
}

fn failure(error: &impl std::fmt::Display) -> StoreError {
    StoreError(error.to_string())
}

fn open(path: &Path) -> Result<Connection, OpenError> {
    let unusable = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign(path.into()),
        _ => OpenError::Unusable { path: path.into(), why: error.to_string() },
    };
    // The records have the apps' environment: whoever makes the file is who may read it.
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| OpenError::Unusable { path: path.into(), why: error.to_string() })?;
    let mut connection = Connection::open(path).map_err(unusable)?;
    connection.busy_timeout(BUSY).map_err(unusable)?;
    let pragma = |name: &str| -> Result<i64, OpenError> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map_err(unusable)
    };
    let version = usize::try_from(pragma("user_version")?).unwrap_or(usize::MAX);
    let application = pragma("application_id")?;
    // The file is looked at, not changed, until it is known to be ours or empty.
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
    // The environment of an app goes with it, and not only out of sight.
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
    Ok(connection)
}

fn load(connection: &Connection) -> Result<Stored, StoreError> {
    let project: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE key = 'project'", [], |row| row.get(0))
        .optional()
        .map_err(|error| failure(&error))?;
    Ok(Stored {
        project: project
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| StoreError("the project's id in the store is damaged".into()))?,
        apps: records(connection, "app")?,
        tokens: records(connection, "token")?,
        registries: records(connection, "registry")?,
        users: records(connection, "user")?,
        // A login that can't be read is made again; it must not cost the rest.
        sessions: records(connection, "session").unwrap_or_default(),
        mappings: records(connection, "mapping")?,
        environments: records(connection, "environment")?,
    })
}

fn records<T: DeserializeOwned>(
    connection: &Connection,
    table: &str,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection
        .prepare(&format!("SELECT id, record FROM {table}"))
        .map_err(|error| failure(&error))?;
    let mut rows = statement.query([]).map_err(|error| failure(&error))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(|error| failure(&error))? {
        let text = row.get_ref(1).and_then(|value| Ok(value.as_str()?)).map_err(|e| failure(&e))?;
        let record = serde_json::from_str(text).map_err(|error| {
            let id: String = row.get(0).unwrap_or_default();
            // What the record says is not told: it may be a secret.
            StoreError(format!("the record of {table} {id} is damaged at byte {}", error.column()))
        })?;
        records.push(record);
    }
    Ok(records)
}

fn commit(connection: &mut Connection, changes: &[Change]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for change in changes {
        match change {
            Change::PutApp(app) => put(&transaction, "app", &app.id.to_string(), &**app)?,
            Change::RemoveApp(id) => remove(&transaction, "app", &id.to_string())?,
            Change::PutToken(token) => put(&transaction, "token", &token.id.to_string(), &**token)?,
            Change::RemoveToken(id) => remove(&transaction, "token", &id.to_string())?,
            Change::PutRegistry(registry) => {
                put(&transaction, "registry", &registry.id.to_string(), &**registry)?;
            }
            Change::RemoveRegistry(id) => remove(&transaction, "registry", &id.to_string())?,
            Change::PutUser(user) => put(&transaction, "user", &user.name, &**user)?,
            Change::RemoveUser(name) => remove(&transaction, "user", name)?,
            Change::PutSession(session) => {
                put(&transaction, "session", &session.id.0.to_string(), &**session)?;
            }
            Change::RemoveSession(id) => remove(&transaction, "session", &id.0.to_string())?,
            Change::PutMapping(mapping) => {
                put(&transaction, "mapping", &mapping.image, &**mapping)?;
            }
            Change::RemoveMapping(image) => remove(&transaction, "mapping", image)?,
            Change::PutEnvironment(record) => {
                put(&transaction, "environment", &record.owner.to_string(), &**record)?;
            }
            Change::RemoveEnvironment(owner) => {
                remove(&transaction, "environment", &owner.to_string())?;
            }
        }
    }
    transaction.commit()
}

fn put(
    to: &Transaction<'_>,
    table: &str,
    id: &str,
    record: &impl serde::Serialize,
) -> rusqlite::Result<()> {
    let text = serde_json::to_string(record)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    to.prepare_cached(&format!("INSERT OR REPLACE INTO {table} (id, record) VALUES (?1, ?2)"))?
        .execute(params![id, text])?;
    Ok(())
}

fn remove(from: &Transaction<'_>, table: &str, id: &str) -> rusqlite::Result<()> {
    from.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?1"))?.execute([id])?;
    Ok(())
}
