//! Replicas as people see them: by ordinal, with the ends of their earlier runs.
//!
//! None of this is stored. It is read beside a snapshot and changes without one, so that progress
//! costs no commit and wakes nothing that watches the directory.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ovhai_api_types::{AppId, AppStateHistory, Timestamp};

use crate::sync::{SyncRun, Syncs};

/// One run of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId {
    /// The replica's number, from 1 to as many as are wanted.
    pub ordinal: u32,
    /// Counts the runs of this ordinal, from 1.
    pub attempt: u32,
}

/// One run of a replica of an app. No other run in the life of an emulator has the same, unlike its
/// address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaKey {
    /// The app.
    pub app: AppId,
    /// The run.
    pub replica: ReplicaId,
}

/// The container that a replica runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaContainer {
    /// The engine's name and version, such as `Docker 29.1.3`.
    pub engine: String,
    /// The id of the image that it runs.
    pub image_id: String,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// The name of a signal that ends apps.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

impl ExitStatus {
    /// As a predicate: `exited with status 3`.
    pub fn predicate(self) -> String {
        match self {
            Self::Code(code) => format!("exited with status {code}"),
            Self::Signal(_) => format!("was ended by {self}"),
        }
    }
}

impl fmt::Display for ExitStatus {
    /// As a noun: `exit status 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit status {code}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "signal {signal} ({name})"),
                None => write!(f, "signal {signal}"),
            },
        }
    }
}

/// The end of a run that nothing asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// When.
    pub at: Timestamp,
    /// How, where there is a process.
    pub status: Option<ExitStatus>,
    /// Whether it had answered before.
    pub has_answered: bool,
    /// What happened, for a person.
    pub message: String,
}

impl Exit {
    /// How, in a word or two.
    pub fn reason(&self) -> String {
        match self.status {
            Some(status) => status.to_string(),
            None if self.has_answered => "ended".to_owned(),
            None => "not started".to_owned(),
        }
    }
}

/// The phase of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplicaPhase {
    /// It does not answer yet.
    Starting,
    /// It answers.
    Ready,
    /// It was asked to stop.
    Stopping,
    /// It crashed, and starts again after a delay.
    BackOff,
    /// It crashed, and does not start again by itself.
    Failed,
}

impl ReplicaPhase {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Ready => "READY",
            Self::Stopping => "STOPPING",
            Self::BackOff => "BACK_OFF",
            Self::Failed => "FAILED",
        }
    }
}

/// One replica at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaState {
    /// Which run it is in, or was in last.
    pub id: ReplicaId,
    /// Its phase.
    pub phase: ReplicaPhase,
    /// Since when.
    pub since: Timestamp,
    /// How often it was started again after a crash, since the app was started.
    pub restarts: u32,
    /// How often it ended by the platform's fault, since the app was started. That is no crash.
    pub interruptions: u32,
    /// How it ended last.
    pub last_exit: Option<Arc<Exit>>,
    /// The container of that run, if it has one.
    pub container: Option<Arc<ReplicaContainer>>,
}

/// An app's replicas at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// By ordinal; an old run of one that is being replaced stands before the new one.
    pub replicas: Vec<ReplicaState>,
    /// The current activity, in place of the default message of the app's state.
    pub says: Option<String>,
}

impl Progress {
    /// Restarts of all replicas.
    pub fn restarts(&self) -> u32 {
        // Two runs of one ordinal have the same count.
        let mut restarts = 0;
        let mut before = None;
        for replica in &self.replicas {
            if before != Some(replica.id.ordinal) {
                restarts += replica.restarts;
            }
            before = Some(replica.id.ordinal);
        }
        restarts
    }

    /// The newest exit of all replicas.
    pub fn last_exit(&self) -> Option<&Arc<Exit>> {
        self.replicas.iter().filter_map(|replica| replica.last_exit.as_ref()).max_by_key(|e| e.at)
    }
}

/// The progress of one app, shared by all snapshots that have the app.
#[derive(Debug, Default)]
pub struct Observed(Mutex<ObservedState>);

#[derive(Debug, Default)]
struct ObservedState {
    progress: Arc<Progress>,
    syncs: Syncs,
    /// The state that was recorded last. Its date alone does not tell: time may stand still.
    recorded: Option<AppStateHistory>,
}

impl Observed {
    fn lock(&self) -> MutexGuard<'_, ObservedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is now.
    pub fn now(&self) -> Arc<Progress> {
        Arc::clone(&self.lock().progress)
    }

    /// The synchronisations of its volumes, oldest first.
    pub fn syncs(&self) -> Syncs {
        self.lock().syncs.clone()
    }

    pub(crate) fn put_sync(&self, run: SyncRun) {
        self.lock().syncs.put(run);
    }

    pub(crate) fn set(&self, progress: Progress) {
        self.lock().progress = Arc::new(progress);
    }

    /// Whether the app came into this state since the last call.
    pub(crate) fn is_new(&self, entered: &AppStateHistory) -> bool {
        self.lock().recorded.replace(entered.clone()).as_ref() != Some(entered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exits_in_words() {
        assert_eq!(ExitStatus::Code(3).to_string(), "exit status 3");
        assert_eq!(ExitStatus::Code(3).predicate(), "exited with status 3");
        assert_eq!(ExitStatus::Signal(9).to_string(), "signal 9 (SIGKILL)");
        assert_eq!(ExitStatus::Signal(9).predicate(), "was ended by signal 9 (SIGKILL)");
        assert_eq!(ExitStatus::Signal(40).predicate(), "was ended by signal 40");
    }

    #[test]
    fn two_attempts_of_one_ordinal_count_once() {
        let state = |ordinal, attempt, restarts| ReplicaState {
            id: ReplicaId { ordinal, attempt },
            phase: ReplicaPhase::Ready,
            since: Timestamp::UNIX_EPOCH,
            restarts,
            interruptions: 0,
            last_exit: None,
            container: None,
        };
        let replicas = vec![state(1, 1, 2), state(1, 2, 2), state(2, 1, 1)];
        assert_eq!(Progress { replicas, says: None }.restarts(), 3);
    }
}
