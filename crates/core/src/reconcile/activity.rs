//! What the actors have in hand: domain time is not moved past it.

use std::time::Duration;

use ovhai_api_types::{AppId, Timestamp};
use tokio::time::Instant;

use super::Reconcilers;

/// What is under way with a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    /// It was launched at this real time, and does not answer yet. It may never do.
    Start(Instant),
    /// Its image is being pulled, or its engine is away.
    Pull(String),
    /// It was asked to stop.
    Stop,
}

/// What an actor does.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Whether it is at rest: everything that it was woken for is done.
    pub(super) rests: bool,
    /// What it waits for in domain time; once that is reached, it does not rest.
    pub(super) due: Option<Timestamp>,
    /// Whether a change could not be stored, and is retried.
    pub(super) retries: bool,
    /// What is done with the app's volumes.
    pub(super) volumes: Option<&'static str>,
    /// By ordinal.
    pub(super) work: Vec<(u32, Work)>,
}

impl Activity {
    /// What it has in hand, for a person.
    fn in_hand(&self, now: Timestamp, patience: Duration, out: &mut Vec<String>) {
        if self.retries {
            out.push("a change is stored".to_owned());
        } else if !self.rests || self.due.is_some_and(|due| due <= now) {
            out.push("the app is being brought to its wanted state".to_owned());
        }
        out.extend(self.volumes.map(str::to_owned));
        for (ordinal, work) in &self.work {
            match work {
                // One that does not answer for so long may never do.
                Work::Start(at) if at.elapsed() >= patience => {}
                Work::Start(_) => out.push(format!("replica {ordinal} starts")),
                Work::Pull(why) => out.push(format!("replica {ordinal} starts: {why}")),
                Work::Stop => out.push(format!("replica {ordinal} stops")),
            }
        }
    }
}

impl Reconcilers {
    /// What is in hand, by app; none for what concerns no app alone. A start is in hand for
    /// `patience`, in real time.
    pub(crate) fn in_hand(&self, patience: Duration) -> Vec<(Option<AppId>, Vec<String>)> {
        let mut all = Vec::new();
        let now = self.clock.now();
        if !self.ledger.is_idle() || self.has_unseen_changes() {
            all.push((None, vec!["changes are stored".to_owned()]));
        }
        for (app, signal) in self.actors().iter() {
            let mut works = Vec::new();
            let activity = signal.activity();
            activity.in_hand(now, patience, &mut works);
            if works.is_empty() && signal.is_woken() {
                works.push("the app is being brought to its wanted state".to_owned());
            }
            if !works.is_empty() {
                all.push((Some(*app), works));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_start_that_never_ends_is_not_waited_for_for_ever() {
        let now = Instant::now();
        let work = vec![(1, Work::Start(now)), (2, Work::Stop), (3, Work::Pull("40 %".into()))];
        let activity = Activity { rests: true, work, ..Activity::default() };
        let in_hand = || {
            let mut out = Vec::new();
            activity.in_hand(Timestamp::UNIX_EPOCH, Duration::from_secs(30), &mut out);
            out
        };
        assert_eq!(in_hand(), ["replica 1 starts", "replica 2 stops", "replica 3 starts: 40 %"]);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(in_hand(), ["replica 2 stops", "replica 3 starts: 40 %"]);
    }
}
