//! What happened to apps, for those who may see them.

use std::sync::Arc;

use ovhai_api_types::{AppId, AppState, Region};
use tokio::sync::watch;

use super::{Platform, check, resource};
use crate::error::Result;
use crate::events::{EventKind, EventRecord};
use crate::lifecycle;
use crate::model::AppRecord;
use crate::policy::{self, Action, Principal, Resource};

/// Which events to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventQuery {
    /// Only of this app.
    pub app: Option<AppId>,
    /// Only those after this position.
    pub after: u64,
    /// Maximum number of events, the newest; none: all that are kept.
    pub count: Option<usize>,
}

/// An event, with the name that its app has now.
#[derive(Debug, Clone)]
pub struct NamedEvent {
    /// The event.
    pub event: Arc<EventRecord>,
    /// The app's name; none: it was deleted.
    pub name: Option<String>,
}

impl Platform {
    /// The events of apps that the caller may read, oldest first. Those of deleted apps are for
    /// callers that see the whole region: what labels they had is not known any more.
    pub fn events(
        &self,
        caller: &Principal,
        region: &Region,
        query: EventQuery,
    ) -> Result<Vec<NamedEvent>> {
        let snapshot = self.snapshot();
        let of_region = policy::decide(caller, Action::Read, &Resource::Region(region));
        match query.app {
            Some(id) => drop(Self::permit(&snapshot, caller, region, Action::Read, id)?),
            None => check(of_region)?,
        }
        let mut events = self.events.read(query.after, |event| {
            if event.region != *region || query.app.is_some_and(|app| app != event.app) {
                return false;
            }
            match snapshot.app(event.app) {
                Some(entry) => {
                    policy::decide(caller, Action::Read, &resource(&entry.record)).is_allowed()
                }
                None => caller.scope().is_none(),
            }
        });
        if let Some(count) = query.count {
            events.drain(..events.len().saturating_sub(count));
        }
        let name = |id| snapshot.app(id).map(|entry| entry.record.spec.name.clone());
        Ok(events.into_iter().map(|event| NamedEvent { name: name(event.app), event }).collect())
    }

    /// Changes with every event.
    pub fn watch_events(&self) -> watch::Receiver<u64> {
        self.events.watch()
    }

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
            region: app.region.clone(),
            ordinal,
            kind,
            reason: reason.to_owned(),
            message: message.to_owned(),
        });
    }

    /// Records that the app came into another state, once; called for each record in the order of
    /// their commits.
    pub(super) fn record_state(&self, app: &AppRecord) {
        let snapshot = self.snapshot();
        let (Some(entry), Some(last)) = (snapshot.app(app.id), app.history.last()) else { return };
        if entry.observed.is_new(last.date) {
            // What happens to its replicas goes before what is stored.
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
