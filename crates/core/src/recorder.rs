//! Records what happens to apps and their replicas, with the time.

use std::sync::Arc;

use ovhai_api_types::AppState;

use crate::directory::Snapshot;
use crate::events::{EventKind, EventRecord, Events};
use crate::lifecycle;
use crate::model::AppRecord;
use crate::ports::Clock;

/// See the module.
pub(crate) struct EventRecorder {
    pub(crate) events: Events,
    clock: Arc<dyn Clock>,
}

impl EventRecorder {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { events: Events::default(), clock }
    }

    /// Records an event of an app, or of one of its replicas.
    pub(crate) fn record(
        &self,
        app: &AppRecord,
        ordinal: Option<u32>,
        kind: EventKind,
        (reason, message): (&str, &str),
    ) {
        self.events.push(EventRecord {
            seq: 0,
            at: self.clock.now(),
            app: app.id,
            name: app.spec.name.clone(),
            region: app.region.clone(),
            ordinal,
            kind,
            reason: reason.to_owned(),
            message: message.to_owned(),
        });
    }

    /// Records that the app came into another state, once; called for each record in the order of
    /// their commits.
    pub(crate) fn record_state(&self, snapshot: &Snapshot, app: &AppRecord) {
        let (Some(entry), Some(last)) = (snapshot.app(app.id), app.history.last()) else { return };
        if entry.observed.is_new(last) {
            // The replicas' progress overrides the stored reason.
            let is_newest = entry.record.state == app.state;
            let message = if is_newest { entry.info().message } else { app.info.message.clone() };
            self.record(app, None, EventKind::State, (app.state.as_str(), &message));
        }
    }

    /// Records that nothing is left of the app.
    pub(crate) fn record_deletion(&self, app: &AppRecord) {
        let state = AppState::Deleted;
        self.record(app, None, EventKind::State, (state.as_str(), lifecycle::message(state)));
    }
}
