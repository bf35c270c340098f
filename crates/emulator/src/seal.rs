//! Values that a client keeps for the emulator, and can neither read nor make: encrypted and
//! authenticated with a key that lives as long as the emulator.

use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::random;

/// Bytes that sealing adds.
pub(crate) const SEAL_LEN: usize = NONCE_LEN + 16;

/// Seals values and opens them again.
#[derive(Default)]
pub(crate) struct Seal {
    /// Made with the first value.
    key: OnceLock<RandomizedNonceKey>,
}

impl Seal {
    fn key(&self) -> Option<&RandomizedNonceKey> {
        if self.key.get().is_none() {
            let key = key_of(&random::bytes()?)?;
            // If another thread was faster, its key counts.
            let _ = self.key.set(key);
        }
        self.key.get()
    }

    /// Seals a value; none when there are no random numbers. It counts for this purpose only.
    pub(crate) fn seal(&self, purpose: &[u8], value: Vec<u8>) -> Option<String> {
        seal_with(self.key()?, purpose, value)
    }

    /// Opens a sealed value; none if it was not sealed here, or for another purpose.
    pub(crate) fn open(&self, purpose: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        open_with(self.key()?, purpose, value)
    }
}

/// The key of 256 bits; none for another length.
pub(crate) fn key_of(bytes: &[u8]) -> Option<RandomizedNonceKey> {
    RandomizedNonceKey::new(&AES_256_GCM, bytes).ok()
}

/// Seals a value for a purpose, with a random nonce, which comes first.
pub(crate) fn seal_with(
    key: &RandomizedNonceKey,
    purpose: &[u8],
    mut value: Vec<u8>,
) -> Option<String> {
    let nonce = key.seal_in_place_append_tag(Aad::from(purpose), &mut value).ok()?;
    let mut sealed = nonce.as_ref().to_vec();
    sealed.append(&mut value);
    Some(URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens what [`seal_with`] sealed with this key and for this purpose.
pub(crate) fn open_with(key: &RandomizedNonceKey, purpose: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let mut sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
    let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let opened = key.open_in_place(nonce, Aad::from(purpose), sealed).ok()?;
    Some(opened.to_vec())
}
