//! Header fields: which ones mean something to a gateway, and which may come after a body.

use crate::framing::{Malformed, bad};

/// Maximum number of field names in [`Reserved`].
pub const RESERVED_MAX: usize = 2;

/// Names of fields, in lower case, that have a meaning of the gateway's own. Their values are in
/// [`RequestHead::reserved`](crate::request::RequestHead::reserved), in this order. They do not come as trailers.
#[derive(Debug, Clone, Copy)]
pub struct Reserved(pub [&'static str; RESERVED_MAX]);

impl Reserved {
    /// No names.
    pub const NONE: Self = Self([""; RESERVED_MAX]);

    #[inline]
    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|reserved| name.eq_ignore_ascii_case(reserved))
    }
}

/// What a field is to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it passes.
    Other,
    /// `Access-Control-Request-Method`.
    AccessControlRequestMethod,
    /// `Authorization`.
    Authorization,
    /// `Connection`.
    Connection,
    /// `Content-Length`.
    ContentLength,
    /// `Cookie`.
    Cookie,
    /// `Expect`.
    Expect,
    /// What only a proxy can know, said by a client, or a name that servers take for a known one:
    /// not believed.
    Forwarding,
    /// About one connection only: `Keep-Alive`, `Proxy-Connection`, `Proxy-Authorization`.
    Hop,
    /// `Host`.
    Host,
    /// `Origin`.
    Origin,
    /// `X-Request-Id`.
    RequestId,
    /// One of the names in [`Reserved`], by its position there.
    Reserved(u8),
    /// `TE`.
    Te,
    /// `Transfer-Encoding`.
    TransferEncoding,
    /// `Upgrade`.
    Upgrade,
}

impl Known {
    /// Looks a field's name up, in any case.
    pub fn of(name: &str, reserved: &Reserved) -> Self {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            2 if is("te") => Self::Te,
            4 if is("host") => Self::Host,
            6 if is("cookie") => Self::Cookie,
            6 if is("expect") => Self::Expect,
            6 if is("origin") => Self::Origin,
            7 if is("upgrade") => Self::Upgrade,
            9 if is("forwarded") => Self::Forwarding,
            10 if is("connection") => Self::Connection,
            10 if is("keep-alive") => Self::Hop,
            12 if is("x-request-id") => Self::RequestId,
            13 if is("authorization") => Self::Authorization,
            14 if is("content-length") => Self::ContentLength,
            16 if is("proxy-connection") => Self::Hop,
            17 if is("transfer-encoding") => Self::TransferEncoding,
            19 if is("proxy-authorization") => Self::Hop,
            29 if is("access-control-request-method") => Self::AccessControlRequestMethod,
            9 if is("x-real-ip") => Self::Forwarding,
            12.. if is_forwarding(name) => Self::Forwarding,
            _ => match reserved.position(name) {
                // There are no more than `RESERVED_MAX`.
                Some(at) => Self::Reserved(u8::try_from(at).unwrap_or(u8::MAX)),
                None if imitates(name, reserved) => Self::Forwarding,
                None => Self::Other,
            },
        }
    }
}

fn is_forwarding(name: &str) -> bool {
    const START: &str = "x-forwarded-";
    name.get(..START.len()).is_some_and(|start| start.eq_ignore_ascii_case(START))
}

/// Whether it is another known name but for underscores or other symbols, which are as good as
/// hyphens where servers hand names on as variables (RFC 3875 section 4.1.18).
fn imitates(name: &str, reserved: &Reserved) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let plain = || name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    !name.bytes().all(is_plain) && Known::of(&plain(), reserved) != Known::Other
}

/// Whether a byte may stand in a token, such as a method or a field's name (RFC 9110 section
/// 5.6.2).
pub(crate) fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Iterates over the members of a comma-separated list.
#[inline]
pub fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
}

/// Whether a field may be passed on that comes after the body: none that frames or routes a
/// message, or says who sends it (RFC 9110 section 6.5.1).
pub fn may_trail(name: &str, reserved: &Reserved) -> bool {
    Known::of(name, reserved) == Known::Other
        && !["trailer", "content-encoding", "content-type", "content-range", "set-cookie"]
            .iter()
            .any(|never| name.eq_ignore_ascii_case(never))
}

/// Checks a trailer section, its empty line included, and gives each field to `each`.
pub(crate) fn parse_trailers<'b>(
    bytes: &'b [u8],
    mut each: impl FnMut(&'b str, &'b [u8]),
) -> Result<(), Malformed> {
    let mut room = [httparse::EMPTY_HEADER; 64];
    let parsed = httparse::parse_headers(bytes, &mut room);
    let Ok(httparse::Status::Complete((end, fields))) = parsed else {
        return Err(bad("the trailers are malformed"));
    };
    if end != bytes.len() {
        return Err(bad("the trailers are malformed"));
    }
    for field in fields {
        each(field.name, field.value);
    }
    Ok(())
}

/// The same for a section that is passed on: returns its permitted fields.
pub fn passing_trailers<'b>(
    bytes: &'b [u8],
    reserved: &Reserved,
    mut each: impl FnMut(&'b str, &'b [u8]),
) -> Result<(), Malformed> {
    parse_trailers(bytes, |name, value| {
        if may_trail(name, reserved) {
            each(name, value);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ambiguous_names_are_recognized() {
        let reserved = Reserved(["x-own-token", "x-own-host"]);
        for (name, known) in [
            ("X-Forwarded-For", Known::Forwarding),
            ("x_forwarded_for", Known::Forwarding),
            ("X-Own-Token", Known::Reserved(0)),
            ("x-own-host", Known::Reserved(1)),
            ("x_own_host", Known::Forwarding),
            ("x.forwarded.proto", Known::Forwarding),
            ("x~real'ip", Known::Forwarding),
            ("content.length", Known::Forwarding),
            ("x.forward", Known::Other),
            ("own_name", Known::Other),
            ("Sec-CH-UA", Known::Other),
        ] {
            assert_eq!(Known::of(name, &reserved), known, "{name}");
        }
        assert_eq!(Known::of("x-own-token", &Reserved::NONE), Known::Other);
    }

    #[test]
    fn trailers() {
        let section = b"x-sum: 1\r\nContent-Length: 1\r\nX-Own-Token: t\r\nset-cookie: a\r\n\r\n";
        let mut passed = Vec::new();
        let reserved = Reserved(["x-own-token", ""]);
        let outcome = passing_trailers(section, &reserved, |name, _| passed.push(name));
        assert_eq!((outcome, passed), (Ok(()), vec!["x-sum"]));
        assert!(passing_trailers(b"x : 1\r\n\r\n", &reserved, |_, _| {}).is_err());
    }
}
