//! Session affinity: keeps a client's requests at one replica, where an app asks for it.
//!
//! By cookie: the gateway gives each client a cookie that names the run of a replica, encrypted and
//! authenticated for the app with a key that lives as long as the emulator. So it can't be made,
//! moved to another app, or read: it tells neither which replicas there are nor how many. It never
//! reaches the app (`login::cookie`). By token: a rendezvous hash of token and ordinal, so that a
//! replica that goes or comes moves only the tokens that were or will be its own.
//!
//! In both ways another replica takes over when the pinned one takes no requests.

use std::hash::{DefaultHasher, Hash, Hasher};

use hyper::header::HeaderValue;
use ovhai_api_types::{AppId, SessionAffinity};
use ovhai_core::model::AppRecord;
use ovhai_core::policy::Principal;
use ovhai_core::replica::ReplicaId;
use ovhai_wire::request::RequestHead;
use ovhai_wire::stream::Peer;

use super::login::cookie::affinity;
use crate::seal::{SEAL_LEN, Seal};
use crate::web::cookie;

/// Maximum cookies of one client that are read; a page of another app can set some.
const LOOKED_AT: usize = 8;
/// Ordinal and attempt.
const PIN_LEN: usize = 8;
/// Length of a cookie's value.
const VALUE_LEN: usize = (PIN_LEN + SEAL_LEN) * 4 / 3;

/// The replica that a request should go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pin {
    /// Any replica.
    No,
    /// This replica, or another one if it takes no requests; a cookie tells the client which.
    Cookie {
        /// The replica that the client's cookie names.
        given: Option<ReplicaId>,
        /// Whether the cookie is for TLS.
        secure: bool,
    },
    /// The replica with the largest weight for this hash.
    Hash(u64),
}

impl Pin {
    /// The weight of a replica. All runs of an ordinal have the same; the newest wins among them.
    pub(super) fn weight(hash: u64, replica: ReplicaId) -> (u64, u32) {
        let mut hasher = DefaultHasher::new();
        (hash, replica.ordinal).hash(&mut hasher);
        (hasher.finish(), replica.attempt)
    }

    /// The pin of a caller, for an app that pins by token.
    fn of(principal: &Principal) -> Self {
        let mut hasher = DefaultHasher::new();
        match principal {
            Principal::Token(token) => (0, token.id).hash(&mut hasher),
            Principal::User { name, .. } => (1, name).hash(&mut hasher),
            Principal::Administrator { user } => (2, user).hash(&mut hasher),
            Principal::Anonymous => return Self::No,
        }
        Self::Hash(hasher.finish())
    }
}

/// Makes and reads the affinity cookies.
#[derive(Default)]
pub(super) struct Pins(Seal);

impl Pins {
    /// The pin of an authorized request.
    pub(super) fn wanted(
        &self,
        app: &AppRecord,
        principal: &Principal,
        head: &RequestHead<'_>,
        client: Peer,
    ) -> Pin {
        match app.spec.affinity {
            None | Some(SessionAffinity::None) => Pin::No,
            Some(SessionAffinity::Token) => Pin::of(principal),
            Some(SessionAffinity::Cookie) => {
                let name = affinity(client.secure, app.id);
                let values = head.cookies().flat_map(|header| cookie::values(header, &name));
                let given = values.take(LOOKED_AT).find_map(|value| self.open(value, app.id));
                Pin::Cookie { given, secure: client.secure }
            }
        }
    }

    /// The `Set-Cookie` that pins a client to a replica; none when there are no random numbers.
    pub(super) fn set_cookie(
        &self,
        app: AppId,
        replica: ReplicaId,
        secure: bool,
    ) -> Option<HeaderValue> {
        let value = self.seal(app, replica)?;
        cookie::set(&affinity(secure, app), &value, None, secure)
    }

    fn seal(&self, app: AppId, replica: ReplicaId) -> Option<String> {
        let mut pin = replica.ordinal.to_be_bytes().to_vec();
        pin.extend_from_slice(&replica.attempt.to_be_bytes());
        self.0.seal(app.0.as_bytes(), pin)
    }

    fn open(&self, value: &[u8], app: AppId) -> Option<ReplicaId> {
        if value.len() != VALUE_LEN {
            return None;
        }
        let pin = self.0.open(app.0.as_bytes(), value)?;
        let (ordinal, attempt) = pin.split_first_chunk::<4>()?;
        let ordinal = u32::from_be_bytes(*ordinal);
        Some(ReplicaId { ordinal, attempt: u32::from_be_bytes(attempt.try_into().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const fn id(ordinal: u32, attempt: u32) -> ReplicaId {
        ReplicaId { ordinal, attempt }
    }

    #[test]
    fn a_cookie_is_for_one_app_and_can_not_be_forged_or_read() {
        let pins = Pins::default();
        let (app, other) = (AppId(uuid::Uuid::from_u128(1)), AppId(uuid::Uuid::from_u128(2)));
        let value = pins.seal(app, id(3, 7)).expect("random numbers");
        assert_eq!(value.len(), VALUE_LEN);
        assert_eq!(pins.open(value.as_bytes(), app), Some(id(3, 7)));
        assert_eq!(pins.open(value.as_bytes(), other), None);
        assert_eq!(Pins::default().open(value.as_bytes(), app), None, "another emulator's");
        for at in 0..value.len() {
            let mut forged = value.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(pins.open(&forged, app), None, "{at}");
        }
        for bad in ["", "3", &value[1..], &"A".repeat(VALUE_LEN), &"=".repeat(VALUE_LEN)] {
            assert_eq!(pins.open(bad.as_bytes(), app), None, "{bad}");
        }
        // The same replica has another value each time, so that replicas can't be counted.
        let values: HashSet<String> = (0..100).filter_map(|_| pins.seal(app, id(1, 1))).collect();
        assert_eq!(values.len(), 100);
    }

    #[test]
    fn a_stopped_replica_moves_only_its_own_tokens() {
        let heaviest = |hash, ordinals: &[u32]| {
            let all = ordinals.iter().map(|ordinal| id(*ordinal, 1));
            all.max_by_key(|replica| Pin::weight(hash, *replica)).map(|replica| replica.ordinal)
        };
        let mut moved = 0;
        for hash in 0..1000 {
            let before = heaviest(hash, &[1, 2, 3]);
            let after = heaviest(hash, &[1, 3]);
            assert!(before == after || before == Some(2));
            moved += usize::from(before != after);
            assert_eq!(heaviest(hash, &[1, 2, 3]), before, "it comes back");
        }
        assert!((250..420).contains(&moved), "{moved} of 1000 were at replica 2");
    }
}
