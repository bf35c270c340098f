//! The logins of browsers at the console, in memory.
//!
//! Browsers send a cookie to every port of its host. A session therefore needs its cookie and its
//! path segment: the cookie counts below `/c/<segment>/` only, and no other server learns the
//! segment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use ovhai_api_types::Timestamp;
use ovhai_core::model::TokenRecord;
use ovhai_core::policy::Principal;
use tokio_util::sync::CancellationToken;

use super::streams::Streams;
use crate::random;

/// How long a session lasts.
pub(super) const LASTS: Duration = Duration::from_hours(12);
/// Maximum sessions; the oldest end first.
const MOST: usize = 256;

/// A message for the next page of a session, shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flash {
    /// What was done.
    Done(String),
    /// Why something was not done.
    Failed(String),
}

/// The string of a token, shown once.
pub(super) struct FreshToken {
    /// The query parameter of the page that shows it.
    pub(super) key: String,
    pub(super) region: String,
    pub(super) token: ovhai_api_types::TokenId,
    pub(super) value: String,
}

/// A login.
pub(super) struct Session {
    /// The segment of its paths.
    pub(super) segment: String,
    cookie: [u8; 32],
    pub(super) who: Principal,
    pub(super) until: Timestamp,
    /// Cancelled when the session ends before its time.
    pub(super) ended: CancellationToken,
    flash: Mutex<Option<Flash>>,
    fresh: Mutex<Option<FreshToken>>,
    pub(super) streams: Streams,
    /// The signature of its forms.
    pub(super) form: OnceLock<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hash(cookie: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, cookie).as_ref());
    hash
}

impl Session {
    /// Leaves a message for the next page.
    pub(super) fn leave(&self, flash: Flash) {
        *lock(&self.flash) = Some(flash);
    }

    /// Takes the message of the page before.
    pub(super) fn take_flash(&self) -> Option<Flash> {
        lock(&self.flash).take()
    }

    /// Keeps a token's string for the page that is named by the returned key.
    pub(super) fn keep_fresh(
        &self,
        region: String,
        token: ovhai_api_types::TokenId,
        value: String,
    ) -> Option<String> {
        let key = random::segment()?;
        *lock(&self.fresh) = Some(FreshToken { key: key.clone(), region, token, value });
        Some(key)
    }

    /// Takes the token's string that was kept under this key.
    pub(super) fn take_fresh(&self, key: &str) -> Option<FreshToken> {
        let mut fresh = lock(&self.fresh);
        if fresh.as_ref().is_some_and(|fresh| fresh.key == key) { fresh.take() } else { None }
    }
}

/// All sessions, by segment.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// A new session, and the cookie's value, which is known to the browser only.
pub(super) struct Begun {
    pub(super) session: Arc<Session>,
    pub(super) cookie: String,
    /// The callers whose sessions had to end for it.
    pub(super) ended: Vec<Principal>,
}

impl Sessions {
    /// Begins a session; none if there are no random numbers.
    pub(super) fn begin(&self, who: Principal, now: Timestamp) -> Option<Begun> {
        let (segment, cookie) = (random::segment()?, random::secret()?);
        let session = Arc::new(Session {
            segment: segment.clone(),
            cookie: hash(cookie.as_bytes()),
            who,
            until: now.checked_add(LASTS).unwrap_or(now),
            ended: CancellationToken::new(),
            flash: Mutex::default(),
            fresh: Mutex::default(),
            streams: Streams::default(),
            form: OnceLock::new(),
        });
        let mut all = lock(&self.0);
        all.retain(|_, session| session.until > now);
        let mut ended = Vec::new();
        while all.len() >= MOST {
            let oldest = all.values().min_by_key(|session| session.until).cloned();
            let Some(oldest) = oldest else { break };
            oldest.ended.cancel();
            all.remove(&oldest.segment);
            ended.push(oldest.who.clone());
        }
        all.insert(segment, Arc::clone(&session));
        Some(Begun { session, cookie, ended })
    }

    /// Finds the session of a segment and one of these cookies.
    pub(super) fn find<'c>(
        &self,
        segment: &str,
        mut cookies: impl Iterator<Item = &'c [u8]>,
        now: Timestamp,
    ) -> Option<Arc<Session>> {
        let session = lock(&self.0).get(segment).cloned()?;
        let is_its = |cookie| verify_slices_are_equal(&hash(cookie), &session.cookie).is_ok();
        (session.until > now && cookies.any(is_its)).then_some(session)
    }

    /// The sessions that last, the newest first.
    pub(super) fn all(&self, now: Timestamp) -> Vec<Arc<Session>> {
        let mut all: Vec<_> =
            lock(&self.0).values().filter(|session| session.until > now).cloned().collect();
        all.sort_by_key(|session| std::cmp::Reverse(session.until));
        all
    }

    /// Number of sessions with the current string of a token.
    pub(super) fn count_of(&self, token: &TokenRecord, now: Timestamp) -> usize {
        let all = lock(&self.0);
        all.values().filter(|session| session.until > now && session.who.holds(token)).count()
    }

    /// Ends a session.
    pub(super) fn end(&self, session: &Session) {
        session.ended.cancel();
        lock(&self.0).remove(&session.segment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Principal {
        Principal::Administrator { user: "local".into() }
    }

    #[test]
    fn a_session_needs_its_segment_and_its_cookie_and_expires() {
        let (sessions, now) = (Sessions::default(), Timestamp::UNIX_EPOCH);
        let one = sessions.begin(owner(), now).expect("random numbers");
        let two = sessions.begin(owner(), now).expect("random numbers");
        let find = |begun: &Begun, cookies: &[&str], now| {
            let cookies = cookies.iter().map(|cookie| cookie.as_bytes());
            sessions.find(&begun.session.segment, cookies, now).is_some()
        };
        assert!(find(&one, &[&one.cookie], now));
        assert!(find(&one, &["planted", &one.cookie], now));
        assert!(!find(&one, &[&two.cookie], now), "the cookie of another session");
        assert!(!find(&one, &[], now) && !find(&one, &[""], now));
        assert!(!find(&one, &[&one.cookie], now + LASTS));
        sessions.end(&one.session);
        assert!(!find(&one, &[&one.cookie], now) && one.session.ended.is_cancelled());
        assert!(find(&two, &[&two.cookie], now));
    }

    #[test]
    fn the_oldest_of_too_many_sessions_ends() {
        let (sessions, now) = (Sessions::default(), Timestamp::UNIX_EPOCH);
        let first = sessions.begin(owner(), now).expect("random numbers");
        for n in 1..=MOST {
            let later = now + Duration::from_secs(n as u64);
            let begun = sessions.begin(owner(), later).expect("random numbers");
            assert_eq!(begun.ended.len(), usize::from(n == MOST));
        }
        assert!(first.session.ended.is_cancelled());
    }

    #[test]
    fn messages_and_token_strings_are_shown_once() {
        let sessions = Sessions::default();
        let begun = sessions.begin(owner(), Timestamp::UNIX_EPOCH).expect("random numbers");
        let session = &begun.session;
        session.leave(Flash::Done("done".into()));
        assert_eq!(session.take_flash(), Some(Flash::Done("done".into())));
        assert_eq!(session.take_flash(), None);
        let id = ovhai_api_types::TokenId(uuid::Uuid::nil());
        let key = session.keep_fresh("GRA".into(), id, "secret".into()).expect("random numbers");
        assert!(session.take_fresh("other").is_none());
        assert_eq!(session.take_fresh(&key).expect("kept").value, "secret");
        assert!(session.take_fresh(&key).is_none());
    }
}
