//! The principal of a bearer. There is one answer to every invalid bearer, so that a caller does not
//! learn which part was right.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::directory::Snapshot;
use crate::model::{Digest, SessionId, SessionRecord};
use crate::policy::Principal;
use crate::ports::{Clock, Secrets, Signer};

/// Prefix of an access string, which calls are made with after a login.
pub const ACCESS_PREFIX: &str = "ovhs_";
/// Prefix of a refresh string, which makes new ones of both.
pub const REFRESH_PREFIX: &str = "ovhr_";

/// Searches a value for a secret in linear time. The time does not depend on how much of the secret
/// is there (Rabin and Karp, with a random base).
struct Search {
    base: u64,
    /// The base to the power of the secret's length.
    power: u64,
    sum: u64,
}

impl Search {
    fn new(secret: &[u8]) -> Self {
        // Odd: the powers of an even base are zero soon.
        let base = RandomState::new().build_hasher().finish() | 1;
        let power = secret.iter().fold(1_u64, |power, _| power.wrapping_mul(base));
        let sum = secret.iter().fold(0, |sum, byte| Self::add(base, sum, *byte));
        Self { base, power, sum }
    }

    fn add(base: u64, sum: u64, byte: u8) -> u64 {
        sum.wrapping_mul(base).wrapping_add(byte.into())
    }

    fn finds(&self, secret: &[u8], text: &[u8]) -> bool {
        let mut sum = 0;
        text.iter().enumerate().any(|(at, byte)| {
            sum = Self::add(self.base, sum, *byte);
            let Some(start) = (at + 1).checked_sub(secret.len()) else { return false };
            if let Some(left) = start.checked_sub(1).and_then(|at| text.get(at)) {
                sum = sum.wrapping_sub(self.power.wrapping_mul((*left).into()));
            }
            sum == self.sum && bool::from(text[start..=at].ct_eq(secret))
        })
    }
}

/// Where a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On this machine, as its connection shows.
    Here,
    /// Anywhere else: the local administrator's bearer does not count.
    Elsewhere,
}

/// Finds the principal of a bearer.
pub struct Authenticator {
    signer: Arc<dyn Signer>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    administrator: Box<[u8]>,
    search: Search,
    user: String,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// `administrator` is the bearer of the local administrator, whose name is `user`.
    pub fn new(
        signer: Arc<dyn Signer>,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        administrator: &str,
        user: String,
    ) -> Self {
        let administrator: Box<[u8]> = administrator.as_bytes().into();
        let search = Search::new(&administrator);
        Self { signer, secrets, clock, administrator, search, user }
    }

    /// Whether a header's value contains the administrator's bearer, in any form.
    pub fn mentions_administrator(&self, value: &[u8]) -> bool {
        self.search.finds(&self.administrator, value)
    }

    /// The principal behind a bearer; none when it is malformed, has a bad signature, belongs to a
    /// deleted token or an old version, or to a session that has ended. Version and session are
    /// looked up every time, in `snapshot`.
    pub fn authenticate(
        &self,
        snapshot: &Snapshot,
        bearer: &str,
        place: Place,
    ) -> Option<Principal> {
        if bool::from(bearer.as_bytes().ct_eq(&self.administrator)) {
            let is_here = place == Place::Here;
            return is_here.then(|| Principal::Administrator { user: self.user.clone() });
        }
        if bearer.starts_with(ACCESS_PREFIX) {
            let session =
                self.session(snapshot, bearer, ACCESS_PREFIX, |session| &session.access)?;
            return Some(Principal::User { name: session.user.clone(), session: session.id });
        }
        let claims = self.signer.verify(bearer)?;
        let token = snapshot.token(claims.id)?;
        (token.version == claims.version).then(|| Principal::Token(Arc::clone(token)))
    }

    /// The session that a string of the form `<prefix><session>_<secret>` belongs to; none when
    /// it has expired.
    pub(crate) fn session<'a>(
        &self,
        snapshot: &'a Snapshot,
        string: &str,
        prefix: &str,
        secrets: fn(&SessionRecord) -> &[Digest],
    ) -> Option<&'a Arc<SessionRecord>> {
        let (id, secret) = string.strip_prefix(prefix)?.split_once('_')?;
        let session = snapshot.session(SessionId(Uuid::try_parse(id).ok()?))?;
        let (given, now) = (self.secrets.digest(secret), self.clock.now());
        let fits = |known: &Digest| {
            bool::from(given.as_bytes().ct_eq(known.digest.as_bytes())) && known.until > now
        };
        secrets(session).iter().any(fits).then_some(session)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_secret_is_found_at_any_position(secret in "[ab]{1,5}", text in "[abc]{0,20}") {
            let search = Search::new(secret.as_bytes());
            let found = search.finds(secret.as_bytes(), text.as_bytes());
            prop_assert_eq!(found, text.contains(&secret), "{} in {}", secret, text);
        }
    }
}
