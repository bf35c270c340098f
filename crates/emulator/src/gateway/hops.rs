//! Loops: apps that call each other in a circle and pass on the header fields that they got.
//!
//! The gateway adds itself to the `Via` of a request that comes from an app (RFC 9110 section 7.6.3),
//! and refuses one that it has passed on too often.

use ovhai_wire::fields::words;
use ovhai_wire::request::{RequestHead, Version};

use super::refusal::Refusal;
use crate::telemetry::RefusalKind;

/// Maximum times that a request may pass the gateway from app to app.
const MAX: usize = 8;
/// The field.
const VIA: &str = "via";
/// The gateway's name in it.
const NAME: &[u8] = b"ovhai";

/// Refuses a request of an app that has passed the gateway too often.
pub(super) fn check(head: &RequestHead<'_>) -> Result<(), Refusal> {
    let vias = head.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(VIA));
    if vias.map(|field| passed(field.value)).sum::<usize>() < MAX {
        return Ok(());
    }
    let why = format!(
        "the request passed {MAX} times from app to app: they call each other, or one calls itself, in a loop"
    );
    Err(Refusal::new(RefusalKind::Loop, why))
}

/// How often a value names the gateway: as the second word of a member.
fn passed(value: &[u8]) -> usize {
    let is_ours = |member: &&[u8]| {
        let mut parts = member.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty());
        parts.nth(1).is_some_and(|by| by.eq_ignore_ascii_case(NAME))
    };
    words(value).filter(is_ours).count()
}

/// The member that the gateway adds to a request of an app.
pub(super) fn via(head: &RequestHead<'_>) -> (&'static str, &'static [u8]) {
    let value: &[u8] = match head.version {
        Version::Http10 => b"1.0 ovhai",
        Version::Http11 => b"1.1 ovhai",
        Version::Http2 => b"2.0 ovhai",
    };
    (VIA, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_name_the_gateway() {
        for (value, count) in [
            ("", 0),
            ("1.1 ovhai", 1),
            ("1.1 OVHAI, 1.0 fred,2.0  ovhai (nginx)", 2),
            ("ovhai", 0),
            ("1.1 ovhai.example", 0),
            ("1.1 fred (ovhai)", 0),
            ("HTTP/1.1 ovhai", 1),
        ] {
            assert_eq!(passed(value.as_bytes()), count, "{value}");
        }
    }
}
