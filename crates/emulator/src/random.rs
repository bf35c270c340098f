//! Random numbers for cookies and keys.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Length of a [`secret`], in characters.
pub(crate) const SECRET_LEN: usize = 43;

/// 256 random bits; none if the system has no random numbers.
pub(crate) fn bytes() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).ok().map(|()| bytes)
}

/// 256 random bits, encoded for a cookie.
pub(crate) fn secret() -> Option<String> {
    bytes().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// 128 random bits, in hexadecimal digits, for a path.
pub(crate) fn segment() -> Option<String> {
    bytes().map(|bytes| bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect())
}
