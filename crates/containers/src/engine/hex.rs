//! SHA-256 as text.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};

/// The first bytes of the SHA-256 of this, in hexadecimal digits.
pub(crate) fn sha256(of: &[u8], bytes: usize) -> String {
    digest(&SHA256, of).as_ref().iter().take(bytes).fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
