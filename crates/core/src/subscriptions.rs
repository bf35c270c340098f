//! Subscriptions to what an open stream's access depends on (an app's access rule, a token, a
//! session), and to what a request for an app that is asleep waits for.
//!
//! A publication wakes the subscribers of the subjects that it changed, and no others: a commit
//! costs the same with 10,000 streams open as with none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ovhai_api_types::{AppId, TokenId};
use tokio::sync::watch;

use crate::directory::{Live, Snapshot};
use crate::lifecycle::may_answer;
use crate::model::SessionId;
use crate::records::Change;

/// One thing that a request waits for, or its access depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// An app's labels, and whether it is public.
    App(AppId),
    /// A token.
    Token(TokenId),
    /// A session.
    Session(SessionId),
    /// Whether an app answers, is asleep, or can't answer.
    Live(AppId),
}

impl Subject {
    /// The subject of access that a change may alter; a user's sessions end by changes of their own.
    pub(crate) fn of(change: &Change) -> Option<Self> {
        match change {
            Change::PutApp(app) => Some(Self::App(app.id)),
            Change::RemoveApp(id) => Some(Self::App(*id)),
            Change::PutToken(token) => Some(Self::Token(token.id)),
            Change::RemoveToken(id) => Some(Self::Token(*id)),
            Change::PutSession(session) => Some(Self::Session(session.id)),
            Change::RemoveSession(id) => Some(Self::Session(*id)),
            Change::PutRegistry(_)
            | Change::RemoveRegistry(_)
            | Change::PutUser(_)
            | Change::RemoveUser(_)
            | Change::PutMapping(_)
            | Change::RemoveMapping(_)
            | Change::PutEnvironment(_)
            | Change::RemoveEnvironment(_)
            | Change::SetClock(_)
            | Change::PutDataStore(_)
            | Change::RemoveDataStore(_) => None,
        }
    }

    /// Whether the subject differs between the two states. For access, an app's state, replicas and
    /// image do not count: they change often and decide nothing.
    fn differs(self, before: &Snapshot, after: &Snapshot) -> bool {
        match self {
            Self::App(id) => {
                let rule = |snapshot| {
                    let app: Option<_> = Snapshot::app(snapshot, id);
                    app.map(|app| (&app.record.labels, app.record.spec.public))
                };
                rule(before) != rule(after)
            }
            Self::Live(id) => {
                let answers = |snapshot| {
                    let app: Option<_> = Snapshot::app(snapshot, id);
                    app.map(|app| {
                        let (Live { backends, asleep }, record) = (&*app.live, &app.record);
                        (backends.is_empty(), *asleep, record.wanted, may_answer(record.state))
                    })
                };
                answers(before) != answers(after)
            }
            Self::Token(id) => before.token(id) != after.token(id),
            Self::Session(id) => before.session(id) != after.session(id),
        }
    }
}

/// All subscriptions, by subject.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(Mutex<HashMap<Subject, watch::Sender<()>>>);

impl Subscriptions {
    fn lock(&self) -> MutexGuard<'_, HashMap<Subject, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes to a subject: the subscription sees every later change.
    pub(crate) fn subscribe(self: &Arc<Self>, subject: Subject) -> Subscription {
        let changes = self.lock().entry(subject).or_default().subscribe();
        Subscription { subject, changes: Some(changes), all: Arc::clone(self) }
    }

    /// Number of subscriptions to a subject.
    pub(crate) fn count(&self, subject: Subject) -> usize {
        self.lock().get(&subject).map_or(0, watch::Sender::receiver_count)
    }

    /// Wakes the subscribers of the subjects that differ between two publications.
    pub(crate) fn notify(&self, subjects: &[Subject], before: &Snapshot, after: &Snapshot) {
        let senders = self.lock();
        if senders.is_empty() {
            return;
        }
        for subject in subjects {
            if let Some(sender) = senders.get(subject)
                && subject.differs(before, after)
            {
                sender.send_replace(());
            }
        }
    }
}

/// A subscription, until it is dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    subject: Subject,
    /// Present until this is dropped.
    changes: Option<watch::Receiver<()>>,
    all: Arc<Subscriptions>,
}

impl Subscription {
    /// Waits until the subject has changed since this was called last, or since the subscription
    /// began.
    pub(crate) async fn changed(&mut self) {
        // The sender stays as long as it has a receiver.
        if let Some(changes) = &mut self.changes
            && changes.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut senders = self.all.lock();
        self.changes = None;
        if senders.get(&self.subject).is_some_and(|sender| sender.receiver_count() == 0) {
            senders.remove(&self.subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use ovhai_api_types::{Role, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::model::TokenRecord;

    fn token(version: u32) -> Change {
        Change::PutToken(Arc::new(TokenRecord {
            id: TokenId(Uuid::nil()),
            region: "GRA".parse().expect("a region"),
            seq: 1,
            name: "t".into(),
            role: Role::Read,
            selector: None,
            version,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }))
    }

    fn is_woken(subscription: &mut Subscription) -> bool {
        pin!(subscription.changed()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn a_publication_wakes_the_subscribers_of_what_it_changed() {
        let all = Arc::new(Subscriptions::default());
        let [this, other] = [Uuid::nil(), Uuid::max()].map(|id| Subject::Token(TokenId(id)));
        let [mut one, mut two, mut elsewhere] =
            [this, this, other].map(|subject| all.subscribe(subject));
        let before = Snapshot::default();
        let mut after = before.clone();
        let change = token(1);
        after.apply(&change);
        let subjects: Vec<Subject> = Subject::of(&change).into_iter().collect();
        all.notify(&subjects, &before, &after);
        // Seen also by a subscriber that did not wait at that moment, and once.
        assert!(is_woken(&mut one));
        assert!(!is_woken(&mut one));
        assert!(is_woken(&mut two));
        assert!(!is_woken(&mut elsewhere));
        // The same record again changes nothing.
        let mut again = after.clone();
        again.apply(&token(1));
        all.notify(&subjects, &after, &again);
        assert!(!is_woken(&mut one));
        again.apply(&token(2));
        all.notify(&subjects, &after, &again);
        assert!(is_woken(&mut one));
    }

    #[test]
    fn a_dropped_subscription_leaves_nothing() {
        let all = Arc::new(Subscriptions::default());
        let subject = Subject::Session(SessionId(Uuid::nil()));
        assert_eq!(all.count(subject), 0);
        let (one, two) = (all.subscribe(subject), all.subscribe(subject));
        assert_eq!(all.count(subject), 2);
        drop(one);
        assert_eq!(all.count(subject), 1);
        assert_eq!(all.lock().len(), 1);
        drop(two);
        assert!(all.lock().is_empty());
    }
}
