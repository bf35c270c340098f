//! The id of every request, in `X-Request-Id`: the client's own if it can be shown and logged, else
//! a new one.
//!
//! New ids are unique across threads and restarts. They are not secret and can be guessed.

use std::sync::Arc;

use uuid::Uuid;

/// Maximum length of an id, in bytes.
const LONGEST: usize = 128;
/// Digits of the part that differs between threads and restarts.
const PREFIX: usize = 16;
/// Length of a new id.
const LENGTH: usize = 24;
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Creates new ids; one for each thread.
#[derive(Debug)]
pub(crate) struct IdSource {
    prefix: [u8; PREFIX],
    next: u64,
}

impl IdSource {
    /// Creates a source whose ids no other has.
    pub(crate) fn new() -> Self {
        let (random, _) = Uuid::new_v4().as_u64_pair();
        let mut prefix = [0; PREFIX];
        hex(random, &mut prefix);
        Self { prefix, next: 0 }
    }
}

/// The id of a request.
#[derive(Clone)]
pub(crate) enum RequestId {
    Ours([u8; LENGTH]),
    /// Visible ASCII only.
    Theirs(Arc<[u8]>),
}

impl RequestId {
    /// The client's id if it is 1 to 128 visible ASCII characters, else a new one. With several
    /// headers none is the client's: give none.
    pub(crate) fn of(incoming: Option<&[u8]>, source: &mut IdSource) -> Self {
        if let Some(id) = incoming.filter(|id| is_fit(id)) {
            return Self::Theirs(id.into());
        }
        let mut bytes = [0; LENGTH];
        bytes[..PREFIX].copy_from_slice(&source.prefix);
        hex(source.next, &mut bytes[PREFIX..]);
        source.next += 1;
        if source.next > 0xffff_ffff {
            *source = IdSource::new();
        }
        Self::Ours(bytes)
    }

    /// The id as it stands in a header.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Ours(id) => id,
            Self::Theirs(id) => id,
        }
    }
}

impl std::fmt::Debug for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

fn is_fit(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

/// The lowest digits of a number, as many as there is room for.
fn hex(mut number: u64, into: &mut [u8]) {
    for digit in into.iter_mut().rev() {
        *digit = DIGITS[(number & 15) as usize];
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_valid_id_of_the_client_is_kept() {
        let mut source = IdSource::new();
        let longest = "~".repeat(128);
        for fit in ["a", "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11", "{\"x\":1}", &longest] {
            assert_eq!(RequestId::of(Some(fit.as_bytes()), &mut source).as_bytes(), fit.as_bytes());
        }
        let too_long = "x".repeat(129);
        for unfit in ["", " ", "a b", "a\tb", "a\r\nb", "é", "\u{7f}", "\0", &too_long] {
            let ours = RequestId::of(Some(unfit.as_bytes()), &mut source);
            assert_eq!(ours.as_bytes().len(), 24, "{unfit:?}");
            assert!(ours.as_bytes().iter().all(u8::is_ascii_hexdigit), "{ours:?}");
        }
    }

    #[test]
    fn generated_ids_are_unique() {
        let mut sources: Vec<_> = (0..100).map(|_| IdSource::new()).collect();
        let mut seen = HashSet::new();
        for source in &mut sources {
            for _ in 0..100 {
                assert!(seen.insert(RequestId::of(None, source).as_bytes().to_owned()));
            }
        }
        // Also when a source has counted to the end.
        let mut source = IdSource { prefix: [b'0'; PREFIX], next: 0xffff_fffe };
        let ids: Vec<_> = (0..4).map(|_| RequestId::of(None, &mut source)).collect();
        assert_eq!(ids[1].as_bytes(), b"0000000000000000ffffffff");
        assert_ne!(&ids[2].as_bytes()[..16], b"0000000000000000");
        assert_eq!(&ids[3].as_bytes()[16..], b"00000001", "it goes on with another prefix");
    }
}
