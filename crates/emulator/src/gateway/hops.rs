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
    let vias = head.fields.iter().filter(|field| is_via(field.name));
    if vias.map(|field| passed(field.value)).sum::<usize>() < MAX {
        return Ok(());
    }
    let why = format!(
        "the request passed {MAX} times from app to app: an app calls itself, or apps call each other, in a loop"
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

/// The field of a request of an app that goes on, with the gateway at its end. One field only: apps
/// may see just one of several.
pub(super) fn via(head: &RequestHead<'_>) -> (&'static str, Vec<u8>) {
    let mut value = Vec::new();
    let fields = head.fields.iter().filter(|field| is_via(field.name));
    for member in fields.flat_map(|field| words(field.value)) {
        value.extend_from_slice(member);
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(match head.version {
        Version::Http10 => b"1.0 ",
        Version::Http11 => b"1.1 ",
        Version::Http2 => b"2.0 ",
    });
    value.extend_from_slice(NAME);
    (VIA, value)
}

/// Whether it is the field's name.
pub(super) fn is_via(name: &str) -> bool {
    name.eq_ignore_ascii_case(VIA)
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_n;

    use ovhai_wire::fields::Reserved;
    use ovhai_wire::request::no_fields;

    use super::*;

    #[test]
    fn a_request_ends_after_eight_passes() {
        let mut via = "Via: \r\n".to_owned();
        for passes in 0..=MAX {
            let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{via}\r\n");
            let mut fields = no_fields();
            let head =
                RequestHead::parse(head.as_bytes(), &mut fields, Vec::new(), &Reserved::NONE);
            let head = head.expect("a head");
            assert_eq!(check(&head).is_ok(), passes < MAX, "{passes}");
            let (_, value) = super::via(&head);
            let value = String::from_utf8(value).expect("text");
            let all: Vec<&str> = repeat_n("1.1 ovhai", passes + 1).collect();
            assert_eq!(value, all.join(", "));
            // Two fields are as good as one.
            via = match value.rsplit_once(", ") {
                Some((first, last)) => format!("Via: {first}\r\nvia: {last}\r\n"),
                None => format!("Via: {value}\r\n"),
            };
        }
    }

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
