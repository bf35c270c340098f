//! An app's change from one state to the next: the table of [`crate::lifecycle`], applied to a
//! record.

use ovhai_api_types::{AppId, AppState, AppStateHistory, Info, InfoCode, Timestamp};

use crate::ledger::Transaction;
use crate::lifecycle::{self, Event};
use crate::model::AppRecord;

/// Maximum number of states in an app's history; the oldest are dropped.
const HISTORY: usize = 100;

/// The message of an app's state, in place of the state's default one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateNote {
    pub(crate) message: String,
    /// Why the last change failed while the app goes on as before; programs find it in the info's
    /// arguments as `failedChange`.
    pub(crate) failed_change: Option<String>,
    /// In place of the code of the app's state.
    pub(crate) code: Option<InfoCode>,
}

impl StateNote {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), failed_change: None, code: None }
    }

    /// The platform interrupts the app.
    pub(crate) fn interrupted() -> Self {
        Self {
            code: Some(InfoCode::AppInterruptedByPlatform),
            ..Self::new("The platform interrupted the app, which starts again")
        }
    }
}

/// Applies one event of the life cycle to an app; says whether its state changed.
pub(crate) fn apply(
    tx: &mut Transaction,
    id: AppId,
    event: Event,
    note: Option<&StateNote>,
    now: Timestamp,
) -> bool {
    let Some(entry) = tx.app(id) else { return false };
    let Some(state) = lifecycle::next(entry.record.state, event) else { return false };
    if state == AppState::Deleted {
        tx.remove_app(id);
        return true;
    }
    let mut record = AppRecord::clone(&entry.record);
    enter(&mut record, state, note, now);
    tx.put_app(record);
    true
}

pub(crate) fn info(state: AppState, note: Option<&StateNote>) -> Info {
    let failed_change = note.and_then(|note| note.failed_change.clone());
    Info {
        code: note.and_then(|note| note.code).unwrap_or_else(|| lifecycle::code(state)),
        message: note.map_or_else(|| lifecycle::message(state).into(), |note| note.message.clone()),
        arguments: failed_change
            .into_iter()
            .map(|why| ("failedChange".into(), Some(why)))
            .collect(),
    }
}

pub(crate) fn enter(
    record: &mut AppRecord,
    state: AppState,
    note: Option<&StateNote>,
    now: Timestamp,
) {
    record.state = state;
    record.info = info(state, note);
    record.updated_at = now;
    record.history.push(AppStateHistory { date: now, state });
    if record.history.len() > HISTORY {
        record.history.remove(0);
    }
}
