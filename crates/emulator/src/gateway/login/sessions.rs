//! The logins of browsers at apps. They are kept in memory, under the digests of the cookies: a
//! cookie can't be read from there.
//!
//! A session names the caller that a cookie stands for. Its access is decided at every request.

use std::collections::{HashMap, VecDeque};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use ovhai_api_types::{AppId, Timestamp};
use ovhai_core::model::TokenRecord;
use ovhai_core::policy::Principal;
use ovhai_core::ports::Clock;
use tokio_util::sync::CancellationToken;

/// How long a login lasts.
pub(super) const LASTS: Duration = Duration::from_hours(12);
/// Maximum logins; the oldest end first.
const MOST: usize = 1024;
/// Maximum logins of one token or user at one app.
const MOST_OF_ONE: usize = 64;

type Key = [u8; 32];

/// A login.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) app: AppId,
    pub(super) who: Principal,
    pub(super) until: Timestamp,
    /// Cancelled when it has ended before its time.
    ended: CancellationToken,
}

impl Session {
    pub(super) fn new(app: AppId, who: Principal, now: Timestamp) -> Self {
        let until = now.checked_add(LASTS).unwrap_or(now);
        Self { app, who, until, ended: CancellationToken::new() }
    }

    /// Waits until it has ended.
    pub(super) async fn over(self, clock: &dyn Clock) {
        tokio::select! {
            () = self.ended.cancelled() => {}
            () = clock.sleep_until(self.until) => {}
        }
    }
}

/// A stored login. Dropping it ends what was opened with it.
struct Kept(Session);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.ended.cancel();
    }
}

#[derive(Default)]
pub(super) struct Sessions(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    by_key: HashMap<Key, Kept>,
    /// Oldest first; may name some that have ended.
    order: VecDeque<Key>,
}

fn key(cookie: &[u8]) -> Option<Key> {
    digest(&SHA256, cookie).as_ref().try_into().ok()
}

/// Whether two are the same token, the same user or the same owner.
fn are_one(one: &Principal, other: &Principal) -> bool {
    match (one, other) {
        (Principal::Token(one), Principal::Token(other)) => one.id == other.id,
        (Principal::User { name: one, .. }, Principal::User { name: other, .. }) => one == other,
        (Principal::Administrator { .. }, Principal::Administrator { .. }) => true,
        _ => false,
    }
}

impl Inner {
    /// Removes the oldest that fits. Returns its principal.
    fn evict(&mut self, fits: impl Fn(&Session) -> bool) -> Option<Principal> {
        let found = |key: &&Key| self.by_key.get(*key).is_some_and(|kept| fits(&kept.0));
        let oldest = *self.order.iter().find(found)?;
        self.by_key.remove(&oldest).map(|kept| kept.0.who.clone())
    }
}

impl Sessions {
    /// Stores a login under its cookie. Returns the principals whose logins had to end for it.
    pub(super) fn add(&self, cookie: &str, new: Session, now: Timestamp) -> Vec<Principal> {
        let Some(key) = key(cookie.as_bytes()) else { return Vec::new() };
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        inner.by_key.retain(|_, kept| kept.0.until > now);
        let mut gone = Vec::new();
        let is_same = |old: &Session| old.app == new.app && are_one(&old.who, &new.who);
        if inner.by_key.values().filter(|old| is_same(&old.0)).count() >= MOST_OF_ONE {
            gone.extend(inner.evict(is_same));
        }
        if inner.by_key.len() >= MOST {
            gone.extend(inner.evict(|_| true));
        }
        inner.by_key.insert(key, Kept(new));
        let Inner { by_key, order } = &mut *inner;
        order.retain(|key| by_key.contains_key(key));
        order.push_back(key);
        gone
    }

    /// Finds the login of a cookie, if it is of this app and has not ended.
    pub(super) fn find(&self, cookie: &[u8], app: AppId, now: Timestamp) -> Option<Session> {
        let key = key(cookie)?;
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let session = &inner.by_key.get(&key)?.0;
        (session.app == app && session.until > now).then(|| session.clone())
    }

    /// Number of logins with the current string of a token.
    pub(super) fn count_of(&self, token: &TokenRecord, now: Timestamp) -> usize {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_its = |session: &Session| session.until > now && session.who.holds(token);
        inner.by_key.values().filter(|kept| is_its(&kept.0)).count()
    }

    /// Removes the login of a cookie of this app.
    pub(super) fn remove(&self, cookie: &[u8], app: AppId) -> Option<Session> {
        let key = key(cookie)?;
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        inner.by_key.get(&key).filter(|kept| kept.0.app == app)?;
        inner.by_key.remove(&key).map(|kept| kept.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use ovhai_core::model::SessionId;
    use uuid::Uuid;

    use super::*;

    fn user(name: &str, session: u128) -> Principal {
        Principal::User { name: name.into(), session: SessionId(Uuid::from_u128(session)) }
    }

    fn login(app: u128, who: Principal, now: Timestamp) -> Session {
        Session::new(AppId(Uuid::from_u128(app)), who, now)
    }

    #[test]
    fn a_login_is_for_one_app_and_expires() {
        let sessions = Sessions::default();
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let (one, two) = (AppId(Uuid::from_u128(1)), AppId(Uuid::from_u128(2)));
        assert!(sessions.add("a", login(1, user("ann", 1), now), now).is_empty());
        let found = |cookie: &[u8], app, now| {
            sessions.find(cookie, app, now).map(|of| of.who.name().to_owned())
        };
        assert_eq!(found(b"a", one, now).as_deref(), Some("ann"));
        assert_eq!(found(b"a", two, now), None);
        assert_eq!(found(b"b", one, now), None);
        assert_eq!(found(b"a", one, now + LASTS), None);
        assert!(sessions.remove(b"a", two).is_none());
        assert!(sessions.remove(b"a", one).is_some());
        assert_eq!(found(b"a", one, now), None);
        let kept = sessions.0.read().expect("not poisoned").by_key.len();
        assert_eq!(kept, 0);
    }

    /// A clock that a test reads for it.
    struct At<F>(F);

    impl<F: Fn() -> Timestamp + Send + Sync + 'static> Clock for At<F> {
        fn now(&self) -> Timestamp {
            self.0()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn streams_end_with_their_login() {
        let began = tokio::time::Instant::now();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let open = || login(1, user("ann", 1), start);
        let lasted = |since: tokio::time::Instant| since.elapsed().as_secs();
        open().over(&At(move || start + began.elapsed())).await;
        assert_eq!(lasted(began), LASTS.as_secs());

        // The machine slept for ten hours of them.
        let (again, slept) = (tokio::time::Instant::now(), Duration::from_hours(10));
        let now = move || {
            let awake = again.elapsed();
            start + if awake > Duration::from_hours(1) { awake + slept } else { awake }
        };
        open().over(&At(now)).await;
        let awake = LASTS.as_secs() - slept.as_secs();
        assert!(lasted(again).abs_diff(awake) <= 60);

        // Of one that was over already, or is ended before.
        let late = tokio::time::Instant::now();
        open().over(&At(move || start + LASTS)).await;
        open().over(&At(move || start + 2 * LASTS)).await;
        let (session, sessions) = (open(), Sessions::default());
        sessions.add("a", session.clone(), start);
        sessions.remove(b"a", session.app);
        session.over(&At(move || start)).await;
        assert_eq!(lasted(late), 0);
    }

    #[test]
    fn the_oldest_logins_are_removed_at_the_limit() {
        let sessions = Sessions::default();
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let app = AppId(Uuid::from_u128(1));
        let most = MOST_OF_ONE as u128;
        for n in 0..most {
            let gone = sessions.add(&format!("ann {n}"), login(1, user("ann", n), now), now);
            assert!(gone.is_empty());
        }
        assert!(sessions.add("bob", login(1, user("bob", 1000), now), now).is_empty());
        let gone = sessions.add("one more", login(1, user("ann", most), now), now);
        assert!(
            matches!(gone.as_slice(), [Principal::User { session, .. }] if session.0.as_u128() == 0)
        );
        assert!(sessions.find(b"ann 0", app, now).is_none());
        assert!(sessions.find(b"ann 1", app, now).is_some());
        for n in 0..MOST as u128 {
            let who = user(&format!("u{n}"), n);
            sessions.add(&format!("u{n}"), login(2, who, now), now);
        }
        let inner = sessions.0.read().expect("not poisoned");
        assert_eq!((inner.by_key.len(), inner.order.len()), (MOST, MOST));
        drop(inner);
        assert!(sessions.find(b"bob", app, now).is_none());
        // Logins that have ended are removed by themselves.
        let later = now + LASTS;
        sessions.add("new", login(1, user("ann", 1), later), later);
        let inner = sessions.0.read().expect("not poisoned");
        assert_eq!((inner.by_key.len(), inner.order.len()), (1, 1));
    }
}
