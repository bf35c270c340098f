//! Whether a caller that was let in some time ago still would be: principals end, and open streams
//! learn when to ask again.

use std::sync::Arc;

use ovhai_api_types::AppId;

use super::Platform;
use crate::directory::Snapshot;
use crate::error::{Error, Result};
use crate::ledger::{Ledger, Transaction};
use crate::model::SessionId;
use crate::policy::{Decision, Effect, Principal, Reason};
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

/// Refuses a caller who is no principal any more: it may have been authenticated long before its
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
