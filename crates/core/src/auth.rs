//! Who a bearer is. One answer for everything that is wrong with one, so that nobody learns
//! from it which part was right.

use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::directory::Snapshot;
use crate::policy::Principal;
use crate::ports::Signer;

/// Tells who a bearer is.
pub struct Authenticator {
    signer: Arc<dyn Signer>,
    administrator: Box<[u8]>,
    user: String,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// `administrator` is the bearer of the local administrator, whose name is `user`.
    pub fn new(signer: Arc<dyn Signer>, administrator: &str, user: String) -> Self {
        Self { signer, administrator: administrator.as_bytes().into(), user }
    }

    /// Whether a header's value has the administrator's bearer in it, in whatever form.
    pub fn mentions_administrator(&self, value: &[u8]) -> bool {
        value
            .windows(self.administrator.len())
            .any(|part| bool::from(part.ct_eq(&self.administrator)))
    }

    /// The principal behind a bearer; none when it is malformed, has a bad signature, or is of
    /// a deleted token or an old version. The version is looked up every time, in `snapshot`.
    pub fn authenticate(&self, snapshot: &Snapshot, bearer: &str) -> Option<Principal> {
        if bool::from(bearer.as_bytes().ct_eq(&self.administrator)) {
            return Some(Principal::Administrator { user: self.user.clone() });
        }
        let claims = self.signer.verify(bearer)?;
        let token = snapshot.token(claims.id)?;
        (token.version == claims.version).then(|| Principal::Token(Arc::clone(token)))
    }
}
