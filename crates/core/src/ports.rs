//! What the domain needs from outside. Implementations live in `store`, `runtime` and `emulator`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ovhai_api_types::{AppId, Environment, Timestamp, TokenId};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::logs::LogBuffer;
use crate::model::TokenClaims;
use crate::replica::{ExitStatus, ReplicaId};
use crate::spec::Spec;

/// A future behind a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

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
    /// The store does not keep the next commits any more: load everything, and watch from there.
    #[error("the store does not keep the commits after revision {}", .0.0)]
    Behind(Revision),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

/// A watch of a store's commits.
pub trait Watch: Send {
    /// Waits for the next commit. Cancelling it loses none.
    fn next(&mut self) -> BoxFuture<'_, Result<Commit, WatchError>>;
}

/// Keeps records of whatever kinds.
pub trait Store: Send + Sync + 'static {
    /// All records that were committed so far.
    fn load(&self) -> BoxFuture<'_, Result<Loaded, StoreError>>;

    /// Makes all writes durable, in their order, or none of them; answers with the commit's
    /// revision when they are. Expectations are about the records before this commit.
    ///
    /// After [`CommitError::Unknown`], or a panic, the next commit first makes sure that none of
    /// those writes is stored, and is refused if it can't.
    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<Revision, CommitError>>;

    /// Watches the commits after revision `from`, in their order, whoever makes them.
    fn watch(&self, from: Revision) -> Box<dyn Watch>;
}

/// Tells the time of day. Waiting is tokio's, which tests pause.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Makes ids and other unguessable numbers.
pub trait Ids: Send + Sync + 'static {
    /// A new random UUID.
    fn uuid(&self) -> Uuid;

    /// A new app id.
    fn app(&self) -> AppId {
        AppId(self.uuid())
    }

    /// A new token id.
    fn token(&self) -> TokenId {
        TokenId(self.uuid())
    }
}

/// Why a token could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SignError(pub String);

/// Makes and checks the strings of tokens. Must not keep or log one.
pub trait Signer: Send + Sync + 'static {
    /// The string that carries these claims.
    fn sign(&self, claims: &TokenClaims) -> Result<String, SignError>;

    /// The claims of a string with a good signature; `None` whatever else it is.
    fn verify(&self, token: &str) -> Option<TokenClaims>;
}

/// Why the system gives no random numbers, or a password can't be hashed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(pub String);

/// Makes secrets and keeps them unreadable. Must not keep or log one.
pub trait Secrets: Send + Sync + 'static {
    /// A new secret of at least 128 bits, in letters and digits.
    fn random(&self) -> Result<String, SecretError>;

    /// The digest of such a secret, in hexadecimal digits.
    fn digest(&self, secret: &str) -> String;

    /// The hash of a password, as a PHC string; slow on purpose.
    fn hash_password(&self, password: String) -> BoxFuture<'_, Result<String, SecretError>>;

    /// Whether a password is the one of a hash; as slow.
    fn verify_password(&self, password: String, hash: String) -> BoxFuture<'_, bool>;
}

/// Where a replica answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The app's own HTTP port.
    pub http: SocketAddr,
    /// The process behind it, when there is one.
    pub pid: Option<u32>,
    grpc: Option<SocketAddr>,
    /// By the port's number as the app has it, which may be another here; sorted.
    ports: Arc<[(u16, SocketAddr)]>,
}

impl Endpoint {
    /// One that answers on its HTTP port only.
    pub fn new(http: SocketAddr, pid: Option<u32>) -> Self {
        Self { http, pid, grpc: None, ports: Arc::default() }
    }

    /// Answers on these ports too: the number as the app has it, and where that is.
    #[must_use]
    pub fn with_ports(mut self, ports: impl IntoIterator<Item = (u16, SocketAddr)>) -> Self {
        let ports: BTreeMap<u16, SocketAddr> = ports.into_iter().collect();
        self.ports = ports.into_iter().collect();
        self
    }

    /// Speaks gRPC there.
    #[must_use]
    pub fn with_grpc(mut self, grpc: Option<SocketAddr>) -> Self {
        self.grpc = grpc;
        self
    }

    /// Where a port of the app is; none if nothing of the app listens there.
    pub fn at(&self, port: u16) -> Option<SocketAddr> {
        let at = self.ports.binary_search_by_key(&port, |(number, _)| *number).ok()?;
        self.ports.get(at).map(|(_, address)| *address)
    }

    /// Where it speaks gRPC.
    pub fn grpc(&self) -> Option<SocketAddr> {
        self.grpc
    }

    /// The numbers of the ports that it answers on, in order.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        self.ports.iter().map(|(number, _)| *number)
    }
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The image, the command or the program: the app is FAILED.
    User,
    /// The emulator or the machine: the app is in ERROR.
    Platform,
}

/// What a replica tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaEvent {
    /// It does not answer yet, and this is what was seen last.
    Waiting(String),
    /// It answers; or, said again, on other ports than before.
    Ready(Endpoint),
    /// It does not answer any more, though it is still there.
    Lost(String),
    /// It is gone, or never came; nothing of it is left.
    Exited {
        /// Whose fault it is.
        fault: Fault,
        /// How its process ended, if it had one.
        status: Option<ExitStatus>,
        /// What happened, and what to do, for a person.
        message: String,
    },
}

/// How a replica's runtime reports. Reports after the actor is gone are dropped.
#[derive(Debug, Clone)]
pub struct ReplicaReporter {
    number: u64,
    sender: mpsc::UnboundedSender<(u64, ReplicaEvent)>,
}

impl ReplicaReporter {
    /// A reporter for replica `number`.
    pub fn new(number: u64, sender: mpsc::UnboundedSender<(u64, ReplicaEvent)>) -> Self {
        Self { number, sender }
    }

    /// Reports one event.
    pub fn report(&self, event: ReplicaEvent) {
        // The actor may be gone already; then nobody wants to know.
        let _ = self.sender.send((self.number, event));
    }
}

/// What a runtime is asked to run.
#[derive(Debug, Clone)]
pub struct ReplicaRequest {
    /// The app.
    pub app: AppId,
    /// Number of the run, unique in the app's activation.
    pub number: u64,
    /// What people call it, and its output.
    pub replica: ReplicaId,
    /// What to run.
    pub spec: Spec,
    /// All variables of a process but those of the spec and the ports; none: those that every
    /// process gets.
    pub environment: Option<Environment>,
    /// Where its output goes.
    pub logs: Arc<LogBuffer>,
}

/// A launched replica. Dropping it must not leave anything running.
pub trait Replica: Send + Sync {
    /// Asks it to stop, ends it by force after `grace`, and is ready when nothing is left.
    fn stop(&self, grace: Duration) -> BoxFuture<'static, ()>;
}

/// Runs replicas.
pub trait Runtime: Send + Sync + 'static {
    /// Launches one replica, which reports on `reporter` from now on.
    fn launch(&self, request: ReplicaRequest, reporter: ReplicaReporter) -> Box<dyn Replica>;
}
