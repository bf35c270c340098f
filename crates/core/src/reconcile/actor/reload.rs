//! Starts an app again when its files change: as `app restart` does, so that replicas that answer stay
//! until the new ones answer, and that one that fails changes nothing. That is no crash.

use ovhai_api_types::AppId;

use super::Actor;
use crate::events::EventKind;
use crate::lifecycle::{self, Event};
use crate::model::{AppRecord, Wanted};
use crate::ports::FileWatch;
use crate::reconcile::Reconcilers;
use crate::transition::enter;

/// The directories that are watched.
#[derive(Default)]
pub(super) struct Watched {
    directories: Vec<String>,
    /// None, or why there is none.
    watch: Option<Result<Box<dyn FileWatch>, String>>,
}

impl Watched {
    pub(super) fn is_on(&self) -> bool {
        matches!(self.watch, Some(Ok(_)))
    }

    /// A line for the app's log if its files are not watched.
    pub(super) fn complaint(&self) -> Option<String> {
        let Some(Err(why)) = &self.watch else { return None };
        Some(format!(
            "[ovhai] changes are not watched: {why}; restart the app by hand: ovhai app restart"
        ))
    }

    /// Waits until files have changed. Cancelling it loses nothing.
    pub(super) async fn changed(&mut self) {
        match &mut self.watch {
            Some(Ok(watch)) => watch.changed().await,
            Some(Err(_)) | None => std::future::pending().await,
        }
    }
}

impl Actor {
    /// Watches the directories that the app names, as long as it is to run.
    pub(super) async fn watch_files(&mut self, all: &Reconcilers, record: &AppRecord) {
        let wanted =
            if record.wanted == Wanted::Running { record.spec.reload.as_slice() } else { &[] };
        if self.watched.directories == wanted {
            return;
        }
        let directories = wanted.to_vec();
        let watch = match wanted {
            [] => None,
            _ => Some(all.runtime.watch(directories.clone()).await),
        };
        if let Some(Err(why)) = &watch {
            tracing::info!(app = %self.id, why, "the app's files are not watched");
        }
        self.watched = Watched { directories, watch };
    }

    /// Files have changed: new replicas are to run.
    pub(super) async fn reload(&mut self, all: &Reconcilers) {
        let (id, now): (AppId, _) = (self.id, all.clock.now());
        let reloaded = all
            .ledger
            .transact(|tx| {
                let record = tx.app(id).map(|entry| AppRecord::clone(&entry.record));
                let Some(mut record) = record.filter(|record| record.wanted == Wanted::Running)
                else {
                    return Ok(None);
                };
                record.revision += 1;
                record.updated_at = now;
                let then = [Event::StartAsked, Event::Diverged];
                let state = then.iter().find_map(|event| lifecycle::next(record.state, *event));
                if let Some(state) = state {
                    enter(&mut record, state, None, now);
                }
                tx.put_app(record.clone());
                Ok(Some(record))
            })
            .await;
        match reloaded {
            Ok(Some(record)) => {
                let message = "Files changed: new replicas take over";
                all.recorder.record(&record, None, EventKind::Reloaded, ("files", message));
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(app = %id, %error, "the app was not reloaded"),
        }
    }
}
