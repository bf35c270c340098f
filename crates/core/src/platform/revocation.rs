//! Whether an earlier admission still holds: principals end, and open streams
//! learn when to ask again. Requests for an app that is asleep wake it, and learn when it answers.

use std::sync::Arc;

use ovhai_api_types::AppId;

use super::{Platform, check, resource};
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::ledger::{Ledger, Transaction};
use crate::model::SessionId;
use crate::policy::{self, Action, Decision, Effect, Principal, Reason};
use crate::ports::Clock;
use crate::subscriptions::{Subject, Subscription};

impl Platform {
    /// The principal as it is stored now; none once its token was regenerated or deleted, or its
    /// session is over.
    pub fn current(&self, principal: &Principal) -> Option<Principal> {
        self.current_in(&self.snapshot(), principal)
    }

    fn current_in(&self, snapshot: &Snapshot, principal: &Principal) -> Option<Principal> {
        match principal {
            Principal::Token(token) => {
                let stored = snapshot.token(token.id)?;
                (stored.version == token.version).then(|| Principal::Token(Arc::clone(stored)))
            }
            // A session that is refreshed goes on.
            Principal::User { session, .. } => {
                let until = snapshot.session(*session)?.refresh.until;
                (until > self.clock.now()).then(|| principal.clone())
            }
            Principal::Administrator { .. } | Principal::Anonymous => Some(principal.clone()),
        }
    }

    /// Watches whether an app answers, is asleep, or can't answer. Subscribe first, then look: no
    /// change is missed.
    pub fn watch_live(&self, app: AppId) -> LiveWatch {
        LiveWatch(self.ledger.subscribe(Subject::Live(app)))
    }

    /// Wakes an app that is asleep, for a caller that has access to it.
    pub fn wake(&self, caller: &Principal, app: AppId) -> Result<()> {
        let snapshot = self.snapshot();
        let missing = || Error::NotFound { kind: "app", id: app.to_string() };
        let entry = snapshot.app(app).ok_or_else(missing)?;
        check(policy::decide(caller, Action::Query, &resource(&entry.record)))?;
        self.reconcilers.demand(app);
        Ok(())
    }

    /// Watches what the access of `principal` to `app` depends on. Subscribe first, then decide:
    /// no change is missed.
    pub fn watch_access(&self, principal: &Principal, app: AppId) -> AccessWatch {
        let (caller, session) = match principal {
            Principal::Token(token) => (Some(Subject::Token(token.id)), None),
            Principal::User { session, .. } => (Some(Subject::Session(*session)), Some(*session)),
            Principal::Administrator { .. } | Principal::Anonymous => (None, None),
        };
        AccessWatch {
            app: self.ledger.subscribe(Subject::App(app)),
            caller: caller.map(|subject| self.ledger.subscribe(subject)),
            expiry: session.map(|session| Expiry {
                session,
                ledger: Arc::clone(&self.ledger),
                clock: Arc::clone(&self.clock),
            }),
        }
    }
}

/// Tells an open stream when to decide again whether its caller has access.
#[derive(Debug)]
pub struct AccessWatch {
    app: Subscription,
    caller: Option<Subscription>,
    expiry: Option<Expiry>,
}

impl AccessWatch {
    /// Waits until the app's labels or its `public`, or the caller's token or session have
    /// changed, or the session has expired.
    pub async fn changed(&mut self) {
        let Self { app, caller, expiry } = self;
        let caller = async {
            match caller {
                Some(caller) => caller.changed().await,
                None => std::future::pending().await,
            }
        };
        let expired = async {
            match expiry {
                // Apart: most streams have none, and each takes memory.
                Some(expiry) => Box::pin(expiry.reached()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = app.changed() => {}
            () = caller => {}
            () = expired => {}
        }
    }
}

/// Tells a request that waits for an app when to look again.
#[derive(Debug)]
pub struct LiveWatch(Subscription);

impl LiveWatch {
    /// Waits until the app answers, falls asleep, or comes into a state in which it can't answer.
    pub async fn changed(&mut self) {
        self.0.changed().await;
    }
}

/// When a session expires.
struct Expiry {
    session: SessionId,
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Expiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Expiry").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Expiry {
    /// Waits until the session has expired, or does not exist.
    async fn reached(&self) {
        loop {
            // As it is stored now: it may have been refreshed.
            let Some(until) = self.ledger.read().session(self.session).map(|s| s.refresh.until)
            else {
                return;
            };
            if until <= self.clock.now() {
                return;
            }
            self.clock.sleep_until(until).await;
        }
    }
}

/// Refuses a caller whose access was revoked: it may have been authenticated long before its
/// change is made, while the body was still coming.
pub(super) fn still_current(
    platform: &Platform,
    tx: &Transaction,
    caller: &Principal,
) -> Result<()> {
    if platform.current_in(tx.state(), caller).is_some() {
        return Ok(());
    }
    Err(Error::Denied(Decision { effect: Effect::Unauthenticated, reason: Reason::Anonymous }))
}
