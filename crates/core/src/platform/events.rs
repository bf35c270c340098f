//! What happened to apps, for callers with access to them.

use std::sync::Arc;

use ovhai_api_types::{AppId, Region};
use tokio::sync::watch;

use super::{Platform, check, resource};
use crate::error::Result;
use crate::events::EventRecord;
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

/// An event, with the name of its app.
#[derive(Debug, Clone)]
pub struct NamedEvent {
    /// The event.
    pub event: Arc<EventRecord>,
    /// The name that the app has now, or had when it was deleted.
    pub name: String,
}

impl Platform {
    /// The events of apps that the caller may read, oldest first. Those of deleted apps are for
    /// callers that see the whole region: their labels are gone.
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
        let mut events = self.recorder.events.read(query.after, |event| {
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
        let name = |event: &EventRecord| match snapshot.app(event.app) {
            Some(entry) => entry.record.spec.name.clone(),
            None => event.name.clone(),
        };
        Ok(events.into_iter().map(|event| NamedEvent { name: name(&event), event }).collect())
    }

    /// Changes with every event.
    pub fn watch_events(&self) -> watch::Receiver<u64> {
        self.recorder.events.watch()
    }
}
