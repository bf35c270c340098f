//! Events of apps and replicas: one bounded list, in memory, that can be followed.
//!
//! Nothing here decides on access: [`crate::Platform::events`] does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use ovhai_api_types::{AppId, Region, Timestamp};
use tokio::sync::watch;

/// Maximum number of events of all apps.
const CAPACITY: usize = 4096;
/// Maximum number of events of one app: one that keeps crashing leaves room for the others.
const CAPACITY_OF_APP: usize = 256;
/// Maximum length of a message, in characters; some quote an app's output.
const MESSAGE_MAX: usize = 512;

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The app came into another state.
    State,
    /// A replica was launched.
    Started,
    /// A replica answers.
    Ready,
    /// A replica stopped answering, and is still there.
    Unready,
    /// A replica ended by itself.
    Crashed,
    /// A replica ended by the platform's fault, and is started again.
    Interrupted,
    /// A replica ended, and is not started again.
    Failed,
    /// A replica was asked to stop, and has.
    Stopped,
    /// The app's files changed, so that new replicas replace the old ones.
    Reloaded,
}

impl EventKind {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Started => "started",
            Self::Ready => "ready",
            Self::Unready => "unready",
            Self::Crashed => "crashed",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Reloaded => "reloaded",
        }
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Position among all events since the emulator was started, from 1.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The app.
    pub app: AppId,
    /// The name that the app had then.
    pub name: String,
    /// The region of the app.
    pub region: Region,
    /// The ordinal of the replica; none if the event is the app's.
    pub ordinal: Option<u32>,
    /// The kind.
    pub kind: EventKind,
    /// The cause in a word or two.
    pub reason: String,
    /// For a person.
    pub message: String,
}

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<Arc<EventRecord>>,
    of_app: HashMap<AppId, usize>,
    seq: u64,
}

impl Kept {
    fn remove(&mut self, at: usize) {
        let Some(event) = self.events.remove(at) else { return };
        if let Some(count) = self.of_app.get_mut(&event.app) {
            *count -= 1;
            if *count == 0 {
                self.of_app.remove(&event.app);
            }
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Events {
    kept: Mutex<Kept>,
    written: watch::Sender<u64>,
}

impl Default for Events {
    fn default() -> Self {
        Self { kept: Mutex::default(), written: watch::Sender::new(0) }
    }
}

impl Events {
    /// Adds an event; its position is given here.
    pub(crate) fn push(&self, mut event: EventRecord) {
        if let Some((end, _)) = event.message.char_indices().nth(MESSAGE_MAX) {
            event.message.truncate(end);
            event.message.push('…');
        }
        let seq = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.seq += 1;
            event.seq = kept.seq;
            let app = event.app;
            let count = kept.of_app.entry(app).or_default();
            *count += 1;
            if *count > CAPACITY_OF_APP {
                let oldest = kept.events.iter().position(|event| event.app == app);
                if let Some(at) = oldest {
                    kept.remove(at);
                }
            } else if kept.events.len() >= CAPACITY {
                kept.remove(0);
            }
            kept.events.push_back(Arc::new(event));
            kept.seq
        };
        self.written.send_replace(seq);
    }

    /// The kept events after position `after` that fit, oldest first.
    pub(crate) fn read(
        &self,
        after: u64,
        fits: impl Fn(&EventRecord) -> bool,
    ) -> Vec<Arc<EventRecord>> {
        let later: Vec<_> = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let start = kept.events.partition_point(|event| event.seq <= after);
            kept.events.range(start..).cloned().collect()
        };
        later.into_iter().filter(|event| fits(event)).collect()
    }

    /// Changes with every event; holds the position of the last one.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(app: u128, message: &str) -> EventRecord {
        EventRecord {
            seq: 0,
            at: Timestamp::UNIX_EPOCH,
            app: AppId(uuid::Uuid::from_u128(app)),
            name: "app".into(),
            region: "GRA".parse().expect("a region"),
            ordinal: None,
            kind: EventKind::State,
            reason: "RUNNING".into(),
            message: message.into(),
        }
    }

    #[test]
    fn events_of_one_app_do_not_displace_others() {
        let events = Events::default();
        events.push(event(1, "first"));
        for _ in 0..10_000 {
            events.push(event(2, &"é".repeat(2000)));
        }
        let kept = events.read(0, |_| true);
        assert_eq!((kept.len(), kept[0].message.as_str()), (1 + CAPACITY_OF_APP, "first"));
        assert_eq!(kept[1].message.chars().count(), MESSAGE_MAX + 1);
        assert_eq!(events.read(10_000, |_| true).len(), 1, "position 10001 is the last");
        for app in 10..10_000 {
            events.push(event(app, "x"));
        }
        assert_eq!(events.read(0, |_| true).len(), CAPACITY);
        assert_eq!(events.kept.lock().expect("a lock").of_app.len(), CAPACITY);
        assert_eq!(*events.watch().borrow(), 19_991);
    }
}
