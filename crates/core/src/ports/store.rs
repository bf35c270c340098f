//! What keeps the records: writes, revisions, commits, and a watch of them.
//!
//! A shared store needs no more than this: a writer may expect revisions, and sees what others
//! commit.

use std::borrow::Cow;
use std::sync::Arc;

use super::future::BoxFuture;

/// Why the store failed; for people and logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No space is left.
    #[error("no space is left in {directory} ({why})")]
    Full {
        /// Where room is needed.
        directory: String,
        /// What the store says.
        why: String,
    },
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// A position in the order of a store's commits: each commit has a larger one than the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// Before the first commit; as an expectation: the record does not exist.
    pub const NONE: Self = Self(0);
}

/// Adds, replaces or removes one record.
#[derive(Clone, PartialEq, Eq)]
pub struct Write {
    /// The kind of the record, such as `app`.
    pub kind: Cow<'static, str>,
    /// The key, unique in its kind.
    pub key: String,
    /// The new record, as JSON; none removes the one that there is.
    pub record: Option<String>,
    /// The commit is refused unless the record has this revision, [`Revision::NONE`] if it is to
    /// be new; none: whatever it has.
    pub expected: Option<Revision>,
    /// What this replaces or removes is a secret: after the commit no file holds any of it.
    pub erases: bool,
}

impl std::fmt::Debug for Write {
    /// Without the record: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Write")
            .field("kind", &self.kind)
            .field("key", &self.key)
            .field("removes", &self.record.is_none())
            .finish_non_exhaustive()
    }
}

impl Write {
    /// Adds or replaces a record, whatever there was.
    pub fn put(kind: &'static str, key: impl ToString, record: String) -> Self {
        Self { record: Some(record), ..Self::remove(kind, key) }
    }

    /// Removes a record, if it exists.
    pub fn remove(kind: &'static str, key: impl ToString) -> Self {
        Self {
            kind: Cow::Borrowed(kind),
            key: key.to_string(),
            record: None,
            expected: None,
            erases: false,
        }
    }

    /// The same, refused unless the record has this revision.
    #[must_use]
    pub fn expects(self, revision: Revision) -> Self {
        Self { expected: Some(revision), ..self }
    }

    /// The same, leaving nothing of an earlier record in any file.
    #[must_use]
    pub fn erasing(self) -> Self {
        Self { erases: true, ..self }
    }
}

/// A record, as the store has it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The kind.
    pub kind: String,
    /// The key, unique in its kind.
    pub key: String,
    /// The record, as JSON.
    pub record: String,
    /// The commit that wrote it.
    pub revision: Revision,
}

impl std::fmt::Debug for StoredRecord {
    /// Without the record: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredRecord")
            .field("kind", &self.kind)
            .field("key", &self.key)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// All records of a store at one revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The newest commit; [`Revision::NONE`] in a new store.
    pub revision: Revision,
    /// All records, in any order.
    pub records: Vec<StoredRecord>,
}

/// A write that was refused because the record has another revision than was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The record's kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// The revision that it has; [`Revision::NONE`]: it does not exist.
    pub found: Revision,
}

/// Why a commit is not known to have happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// None of its writes is stored, and none will be found after a crash.
    #[error("{0}")]
    Refused(StoreError),
    /// None of its writes is stored: other commits changed these records.
    #[error("{}", .0.iter().map(conflict).collect::<Vec<_>>().join(", "))]
    Conflict(Vec<Conflict>),
    /// Its writes may be found after a crash, all of them or none.
    #[error("{0}")]
    Unknown(StoreError),
}

fn conflict(Conflict { kind, key, found }: &Conflict) -> String {
    match found.0 {
        0 => format!("the {kind} {key} does not exist in the store"),
        found => format!("the {kind} {key} was changed by another commit ({found})"),
    }
}

impl CommitError {
    /// The failure of the store.
    pub fn cause(&self) -> StoreError {
        match self {
            Self::Refused(cause) | Self::Unknown(cause) => cause.clone(),
            Self::Conflict(_) => StoreError::Failed(self.to_string()),
        }
    }
}

/// One commit, as a watcher sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its revision.
    pub revision: Revision,
    /// Its writes, in their order.
    pub writes: Arc<[Write]>,
}

/// Why a watch ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// The store has dropped the next commits: load everything, and watch from there.
    #[error("the store does not keep the commits after revision {}", .0.0)]
    Behind(Revision),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

/// A watch of a store's commits.
pub trait CommitWatch: Send {
    /// Waits for the next commit. Cancelling it loses none.
    fn next(&mut self) -> BoxFuture<'_, Result<Commit, WatchError>>;
}

/// Keeps records of any kind.
pub trait Store: Send + Sync + 'static {
    /// All records that were committed so far.
    fn load(&self) -> BoxFuture<'_, Result<Loaded, StoreError>>;

    /// Makes all writes durable, in their order, or none of them; answers with the commit's
    /// revision when they are. Expectations are about the records before this commit.
    ///
    /// After [`CommitError::Unknown`], or a panic, the next commit first makes sure that none of
    /// those writes is stored, and is refused if it can't.
    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<Revision, CommitError>>;

    /// Watches the commits after revision `from`, in their order, also those of other processes.
    fn watch(&self, from: Revision) -> Box<dyn CommitWatch>;
}
