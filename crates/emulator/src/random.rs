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
    bytes().map(|bytes| hex(&bytes[..16]))
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        for digit in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(digit.into(), 16));
        }
        out
    })
}
