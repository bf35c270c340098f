//! Heads of HTTP/1.1 messages, read strictly: what another reader of the same bytes might take
//! for something else is refused (RFC 9112 section 11.2). Pure functions of bytes.

use std::mem::MaybeUninit;

use httparse::Header;
use hyper::StatusCode;

use super::answer::AskedWith;
use super::body::Framing;
use super::expect::Expectations;
use crate::host;

/// Most header fields of a message.
pub(crate) const FIELDS: usize = 256;

/// Most fields that `Connection` names: each of the others is compared with all of them.
pub(super) const NAMED: usize = 32;

/// Room for the fields of one head.
pub(crate) type Fields<'b> = [MaybeUninit<Header<'b>>; FIELDS];

/// A message that can't be understood, or only in more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) status: StatusCode,
    pub(crate) why: &'static str,
}

pub(crate) const fn bad(why: &'static str) -> Malformed {
    Malformed { status: StatusCode::BAD_REQUEST, why }
}

const fn with(status: StatusCode, why: &'static str) -> Malformed {
    Malformed { status, why }
}

/// Looks for the end of a head while it arrives; every byte is looked at once.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    seen: usize,
    line: usize,
    /// Where the head begins: one empty line before it is let pass (RFC 9112 section 2.2).
    begin: usize,
    /// Where its fields begin, when its first line is whole.
    fields: usize,
}

impl Scanner {
    /// The range of a whole head, its empty line included; none when more has to come.
    pub(crate) fn find(
        &mut self,
        bytes: &[u8],
        limits: HeadLimits,
    ) -> Result<Option<std::ops::Range<usize>>, Malformed> {
        for at in memchr::memchr_iter(b'\n', &bytes[self.seen..]) {
            let at = self.seen + at;
            if at == 0 || bytes[at - 1] != b'\r' {
                return Err(bad("a line ends without a carriage return"));
            }
            if self.fields > 0 && at + 1 - self.fields > limits.fields + 2 {
                return Err(TOO_LARGE);
            }
            let first = self.line == self.begin;
            if at == self.line + 1 {
                if !first {
                    return Ok(Some(self.begin..at + 1));
                }
                if self.begin > 0 {
                    return Err(bad("there are empty lines where a request should be"));
                }
                self.begin = 2;
            } else if first {
                if at - self.line > limits.line {
                    return Err(TOO_LONG);
                }
                // A client of HTTP/0.9 sends nothing more, and would wait for its time-out.
                if !names_version(&bytes[self.line..at - 1]) {
                    return Err(bad("the request line names no version of HTTP"));
                }
                self.fields = at + 1;
            }
            self.line = at + 1;
        }
        self.seen = bytes.len();
        let in_line = self.fields == 0;
        if in_line && bytes.len().saturating_sub(self.begin) > limits.line {
            return Err(TOO_LONG);
        }
        if !in_line && bytes.len() - self.fields > limits.fields + 2 {
            return Err(TOO_LARGE);
        }
        let first = bytes.get(self.begin).copied();
        let possible = first.is_none_or(|byte| byte.is_ascii_alphanumeric() || is_symbol(byte))
            || first == Some(b'\r');
        if possible { Ok(None) } else { Err(bad("this is not HTTP")) }
    }
}

pub(super) const TOO_LONG: Malformed =
    with(StatusCode::URI_TOO_LONG, "the request line is too long");
pub(super) const TOO_LARGE: Malformed =
    with(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's headers are too large");
pub(super) const TOO_MANY: Malformed =
    with(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request has too many headers");

/// Whether the last word of a request line is a version of HTTP; which one, the parser tells.
fn names_version(line: &[u8]) -> bool {
    let last = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    last.len() < line.len() && last.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"HTTP/"))
}

fn is_symbol(byte: u8) -> bool {
    b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// How long a head may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadLimits {
    /// Its first line.
    pub(crate) line: usize,
    /// All of its fields.
    pub(crate) fields: usize,
}

/// The fields that this gateway does something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Known {
    Other,
    AccessControlRequestMethod,
    Authorization,
    Connection,
    ContentLength,
    Cookie,
    Expect,
    /// Said by clients of what only a proxy can know, or under a name that servers take for one of
    /// these: not believed.
    Forwarding,
    /// The host that a browser uses, as `ovhai app port-forward` tells it.
    ForwardedHost,
    /// About one connection only: `Keep-Alive`, `Proxy-Connection`, `Proxy-Authorization`.
    Hop,
    Host,
    Origin,
    OwnToken,
    RequestId,
    Te,
    TransferEncoding,
    Upgrade,
}

impl Known {
    pub(crate) fn of(name: &str) -> Self {
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
            13 if is(OWN_TOKEN) => Self::OwnToken,
            14 if is("content-length") => Self::ContentLength,
            16 if is("proxy-connection") => Self::Hop,
            17 if is("transfer-encoding") => Self::TransferEncoding,
            19 if is("proxy-authorization") => Self::Hop,
            22 if is(FORWARDED_HOST) => Self::ForwardedHost,
            29 if is("access-control-request-method") => Self::AccessControlRequestMethod,
            9 if is("x-real-ip") => Self::Forwarding,
            12.. if is_forwarding(name) => Self::Forwarding,
            _ if imitates(name) => Self::Forwarding,
            _ => Self::Other,
        }
    }
}

/// Carries a token apart from `Authorization`, which is the app's then.
pub const OWN_TOKEN: &str = "x-ovhai-token";

/// Tells the gateway the host that a browser uses. Only an authenticated caller is believed, and
/// only a name of this machine.
pub const FORWARDED_HOST: &str = "x-ovhai-forwarded-host";

fn is_forwarding(name: &str) -> bool {
    const START: &str = "x-forwarded-";
    name.get(..START.len()).is_some_and(|start| start.eq_ignore_ascii_case(START))
}

/// Whether it is another known name but for underscores or other symbols, which are as good as
/// hyphens where servers hand names on as variables (RFC 3875 section 4.1.18).
fn imitates(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let plain = || name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    !name.bytes().all(is_plain) && Known::of(&plain()) != Known::Other
}

/// A value that must come at most once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Once<'b> {
    #[default]
    Never,
    One(&'b [u8]),
    Several,
}

impl<'b> Once<'b> {
    pub(super) fn add(&mut self, value: &'b [u8]) {
        *self = if *self == Self::Never { Self::One(value) } else { Self::Several };
    }

    pub(crate) fn is_there(self) -> bool {
        self != Self::Never
    }
}

/// A request's head.
#[derive(Debug)]
pub(crate) struct Head<'b> {
    pub(crate) method: &'b str,
    /// Path and query as they came, or `*`.
    pub(crate) target: &'b str,
    /// The host that is asked for, with its port if it was given.
    pub(crate) host: &'b str,
    pub(crate) version: Version,
    pub(crate) fields: &'b [Header<'b>],
    pub(crate) known: Vec<Known>,
    pub(crate) framing: Framing,
    pub(crate) authorization: Once<'b>,
    pub(crate) own_token: Once<'b>,
    pub(crate) origin: Once<'b>,
    pub(crate) request_id: Once<'b>,
    pub(crate) forwarded_host: Once<'b>,
    pub(crate) has_cookies: bool,
    pub(crate) has_preflight_method: bool,
    pub(crate) has_upgrade: bool,
    pub(crate) expects_continue: bool,
    /// Whether the client goes on using the connection.
    pub(crate) keep_alive: bool,
    pub(crate) wants_trailers: bool,
    /// The protocol that the client wants to leave HTTP for.
    pub(crate) upgrade: Option<&'b [u8]>,
    /// Whether `Connection` names fields besides the usual.
    pub(crate) names_fields: bool,
}

/// The client's version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http10,
    Http11,
    Http2,
}

impl<'b> Head<'b> {
    /// Parses a whole head of HTTP/1; `known` is room that is used again.
    pub(crate) fn parse(
        bytes: &'b [u8],
        fields: &'b mut Fields<'b>,
        known: Vec<Known>,
    ) -> Result<Self, Malformed> {
        let mut request = httparse::Request::new(&mut []);
        let parsed = httparse::ParserConfig::default()
            .parse_request_with_uninit_headers(&mut request, bytes, fields)
            .map_err(|error| malformed(error, bytes))?;
        if !matches!(parsed, httparse::Status::Complete(end) if end == bytes.len()) {
            return Err(bad("the request's head is malformed"));
        }
        let version = if request.version == Some(1) { Version::Http11 } else { Version::Http10 };
        let (Some(method), Some(target)) = (request.method, request.path) else {
            return Err(bad("the request line is malformed"));
        };
        let mut head = Self::of_fields(method, target, version, request.headers, known)?;
        head.find_host()?;
        Ok(head)
    }

    /// What the fields say, of whatever version.
    pub(crate) fn of_fields(
        method: &'b str,
        target: &'b str,
        version: Version,
        fields: &'b [Header<'b>],
        mut known: Vec<Known>,
    ) -> Result<Self, Malformed> {
        known.clear();
        let mut head = Self {
            method,
            target,
            host: "",
            version,
            fields,
            known,
            framing: Framing::None,
            authorization: Once::Never,
            own_token: Once::Never,
            origin: Once::Never,
            request_id: Once::Never,
            forwarded_host: Once::Never,
            has_cookies: false,
            has_preflight_method: false,
            has_upgrade: false,
            expects_continue: false,
            keep_alive: version != Version::Http10,
            wants_trailers: false,
            upgrade: None,
            names_fields: false,
        };
        let (mut length, mut coding, mut host) = (Once::Never, Once::Never, Once::Never);
        let (mut expected, mut upgrades) = (Expectations::default(), Once::Never);
        let (mut wants_upgrade, mut wants_close, mut wants_keep) = (false, false, false);
        let mut named = 0;
        for field in fields {
            let (known, value) = (Known::of(field.name), field.value);
            head.known.push(known);
            match known {
                Known::Host => host.add(value),
                Known::ContentLength => length.add(value),
                Known::TransferEncoding => coding.add(value),
                Known::Authorization => head.authorization.add(value),
                Known::OwnToken => head.own_token.add(value),
                Known::Origin => head.origin.add(value),
                Known::RequestId => head.request_id.add(value),
                Known::ForwardedHost => head.forwarded_host.add(value),
                Known::Cookie => head.has_cookies = true,
                Known::AccessControlRequestMethod => head.has_preflight_method = true,
                Known::Expect => expected.add(value),
                Known::Upgrade => {
                    head.has_upgrade = true;
                    upgrades.add(value);
                }
                Known::Te => {
                    head.wants_trailers |=
                        words(value).any(|word| word.eq_ignore_ascii_case(b"trailers"));
                }
                Known::Connection => {
                    for word in words(value) {
                        match word {
                            word if word.eq_ignore_ascii_case(b"close") => wants_close = true,
                            word if word.eq_ignore_ascii_case(b"keep-alive") => wants_keep = true,
                            word if word.eq_ignore_ascii_case(b"upgrade") => wants_upgrade = true,
                            _ => named += 1,
                        }
                    }
                }
                Known::Other | Known::Forwarding | Known::Hop => {}
            }
        }
        if named > NAMED {
            return Err(TOO_MANY);
        }
        head.names_fields = named > 0;
        head.keep_alive = !wants_close && (head.keep_alive || wants_keep);
        if version == Version::Http2 {
            head.expects_continue = expected.continues()?;
            return Ok(head);
        }
        head.framing = framing(length, coding, version)?;
        head.expects_continue = expected.continues()? && version == Version::Http11;
        if let Once::One(protocol) = upgrades
            && wants_upgrade
            && version == Version::Http11
            && leaves_http(protocol)
        {
            head.upgrade = Some(protocol);
        }
        head.host = match host {
            Once::One(host) => std::str::from_utf8(host).map_err(|_| HOST)?,
            Once::Never => return Err(bad("a Host header is required")),
            Once::Several => return Err(bad("more than one Host header")),
        };
        Ok(head)
    }

    /// Takes the target apart. An absolute one names the host, whatever the header says (RFC 9112
    /// section 3.2.2).
    fn find_host(&mut self) -> Result<(), Malformed> {
        if self.method == "CONNECT" || self.method == "TRACE" {
            return Err(with(
                StatusCode::METHOD_NOT_ALLOWED,
                "CONNECT and TRACE are not passed on",
            ));
        }
        let (host, target) = split_target(self.method, self.target)?;
        self.target = target;
        if let Some(host) = host {
            self.host = host;
        }
        if host::is_well_formed(self.host) { Ok(()) } else { Err(HOST) }
    }

    /// The fields with what they are.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Known, &Header<'b>)> {
        self.known.iter().copied().zip(self.fields)
    }

    /// Whether `Connection` says that this field is about the connection only. The field that
    /// says which trailers come can't be named.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.names_fields
            && !name.eq_ignore_ascii_case("trailer")
            && self
                .each()
                .filter(|(known, _)| *known == Known::Connection)
                .flat_map(|(_, field)| words(field.value))
                .any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The first value of a field, by its name in lower case.
    pub(crate) fn first(&self, name: &str) -> Option<&'b [u8]> {
        let mut fields = self.fields.iter();
        fields.find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// Values of the `Cookie` fields.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &'b [u8]> {
        let cookies = self.has_cookies.then(|| self.known.iter().zip(self.fields));
        cookies
            .into_iter()
            .flatten()
            .filter(|(known, _)| **known == Known::Cookie)
            .map(|c| c.1.value)
    }

    /// Whether it may be sent twice (RFC 9110 section 9.2.2), and nothing of it would be missing.
    pub(crate) fn is_repeatable(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS")
            && matches!(self.framing, Framing::None | Framing::Length(0))
            && self.upgrade.is_none()
    }

    /// What its answer's framing depends on.
    pub(crate) fn asked_with(&self) -> AskedWith {
        if self.method == "HEAD" { AskedWith::Head } else { AskedWith::Other }
    }

    /// The target without its query.
    pub(crate) fn path(&self) -> &'b str {
        self.target.split('?').next().unwrap_or(self.target)
    }
}

const HOST: Malformed = bad("the Host header is malformed");

/// The host that an absolute target names, and path and query.
fn split_target<'b>(
    method: &str,
    target: &'b str,
) -> Result<(Option<&'b str>, &'b str), Malformed> {
    const TARGET: Malformed = bad("the request's target is malformed");
    if !target.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'#') {
        return Err(TARGET);
    }
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok((None, target));
    }
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let rest = rest.ok_or(TARGET)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_empty() || authority.contains('@') || path.starts_with('?') {
        return Err(TARGET);
    }
    let path = match (path, method) {
        ("", "OPTIONS") => "*",
        ("", _) => "/",
        (path, _) => path,
    };
    Ok((Some(authority), path))
}

/// How the body of a request is framed. Of what is said twice, or in two ways, nothing is
/// believed.
fn framing(length: Once<'_>, coding: Once<'_>, version: Version) -> Result<Framing, Malformed> {
    match (length, coding) {
        (Once::Never, Once::Never) => Ok(Framing::None),
        (Once::One(value), Once::Never) => match number(value) {
            Some(length) => Ok(Framing::Length(length)),
            None => Err(bad("the Content-Length is not a number")),
        },
        (Once::Several, Once::Never) => Err(bad("more than one Content-Length")),
        (Once::Never, Once::One(value)) => {
            if version == Version::Http10 {
                Err(bad("this version of HTTP has no Transfer-Encoding"))
            } else if value.eq_ignore_ascii_case(b"chunked") {
                Ok(Framing::Chunked)
            } else {
                Err(bad("no Transfer-Encoding but chunked is understood"))
            }
        }
        (Once::Never, Once::Several) => Err(bad("more than one Transfer-Encoding")),
        (_, Once::One(_) | Once::Several) => {
            Err(bad("Content-Length and Transfer-Encoding in one request"))
        }
    }
}

pub(super) fn number(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// Another version of HTTP is no other protocol: through `h2c` requests would pass that nobody
/// has checked. What is no name at all (RFC 9110 section 7.8) an app might take for one.
fn leaves_http(protocol: &[u8]) -> bool {
    let is_token = |part: &[u8]| {
        !part.is_empty() && part.iter().all(|byte| byte.is_ascii_alphanumeric() || is_symbol(*byte))
    };
    words(protocol).all(|word| {
        let mut parts = word.splitn(2, |byte| *byte == b'/');
        let name = parts.next().unwrap_or_default();
        let is_http = |http: &&[u8]| name.eq_ignore_ascii_case(http);
        is_token(name)
            && parts.next().is_none_or(is_token)
            && ![&b"h2c"[..], b"h2", b"http", b"tls"].iter().any(is_http)
    })
}

/// The members of a comma-separated list.
pub(crate) fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
}

fn malformed(error: httparse::Error, bytes: &[u8]) -> Malformed {
    match error {
        httparse::Error::TooManyHeaders => TOO_MANY,
        httparse::Error::Version => {
            let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
            let mut words = line.split(|byte| *byte == b' ');
            let (version, end) = (words.nth(2).unwrap_or_default(), words.next());
            let is_other = matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
                if major.is_ascii_digit() && minor.is_ascii_digit());
            if is_other && end.is_none() {
                with(
                    StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                    "versions 1.0, 1.1 and 2 of HTTP are spoken here",
                )
            } else {
                bad("the request line is malformed")
            }
        }
        httparse::Error::Token => bad("the request's method is malformed"),
        httparse::Error::HeaderName => bad("a header's name is malformed"),
        httparse::Error::HeaderValue => bad("a header's value is malformed"),
        _ => bad("the request's head is malformed"),
    }
}

/// Whether a field may be passed on that comes after the body.
pub(crate) fn may_trail(name: &str) -> bool {
    Known::of(name) == Known::Other
        && !["trailer", "content-encoding", "content-type", "content-range", "set-cookie"]
            .iter()
            .any(|never| name.eq_ignore_ascii_case(never))
}

/// Whether a target is a path with its query, or an asterisk, in the characters of one.
pub(crate) fn is_plain_target(method: &str, target: &str) -> bool {
    target.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'#')
        && (target.starts_with('/') || (target == "*" && method == "OPTIONS"))
}

/// Checks a trailer section, its empty line included, and tells the fields that may be passed
/// on: none that frames or routes a message, or says who sends it (RFC 9110 section 6.5.1).
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
        if may_trail(field.name) {
            each(field.name, field.value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: HeadLimits = HeadLimits { line: 1000, fields: 4000 };

    fn status(bytes: &[u8]) -> Result<(String, String, Framing), u16> {
        let mut scanner = Scanner::default();
        let range = scanner.find(bytes, LIMITS).map_err(|bad| bad.status.as_u16())?.ok_or(0_u16)?;
        let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
        let head = Head::parse(&bytes[range], &mut fields, Vec::new())
            .map_err(|bad| bad.status.as_u16())?;
        Ok((head.host.to_owned(), head.target.to_owned(), head.framing))
    }

    fn ok(request: &str) -> (String, String, Framing) {
        status(request.as_bytes()).unwrap_or_else(|status| panic!("{status}: {request:?}"))
    }

    #[test]
    fn well_formed() {
        let got = ok("GET /a//b/../c;d?%zz&=+\"|{} HTTP/1.1\r\nHost: h:1\r\n\r\n");
        assert_eq!(got, ("h:1".into(), "/a//b/../c;d?%zz&=+\"|{}".into(), Framing::None));
        let got = ok("\r\nPURGE http://x/y HTTP/1.1\r\nHost: h\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(got, ("x".into(), "/y".into(), Framing::Length(0)));
        let got = ok("OPTIONS HTTP://x HTTP/1.0\r\nHost: h\r\n\r\n");
        assert_eq!(got.1, "*");
        let got = ok("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\tChunked \r\n\r\n");
        assert_eq!(got.2, Framing::Chunked);
    }

    #[test]
    fn malformed() {
        for (request, expected) in [
            ("GET / HTTP/1.1\nHost: h\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\n\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nx: a\rb\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nx: a\0b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nx: a\r\n b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nx : a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n", 400),
            ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /\u{e9} HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /#x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET http://u@x/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("GET /\r\nHost: h\r\n\r\n", 400),
            ("GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505),
            ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
            ("GET / http/1.1\r\nHost: h\r\n\r\n", 400),
            ("G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("\x16\x03\x01", 400),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.0\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            ("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            ("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            ("GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417),
            ("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue, x\r\n\r\n", 417),
            // At once: no more has to come.
            ("GET /\r\n", 400),
            ("GET\r\n", 400),
            ("GET / \r\n", 400),
            ("HTTP/1.1\r\n", 400),
            ("GET / HTTPS\r\n", 400),
        ] {
            assert_eq!(status(request.as_bytes()), Err(expected), "{request:?}");
        }
        let many = "x: y\r\n".repeat(FIELDS + 1);
        let limits = HeadLimits { line: 1000, fields: 1_000_000 };
        let request = format!("GET / HTTP/1.1\r\nHost: h\r\n{many}\r\n");
        assert!(Scanner::default().find(request.as_bytes(), limits).is_ok_and(|r| r.is_some()));
        let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
        let got = Head::parse(request.as_bytes(), &mut fields, Vec::new());
        assert_eq!(got.err().map(|bad| bad.status.as_u16()), Some(431));
        assert_eq!(status(format!("GET /{} HTTP/1.1\r\n", "x".repeat(1000)).as_bytes()), Err(414));
        assert_eq!(status("GET /".repeat(1000).as_bytes()), Err(414));
        let long = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(5000));
        assert_eq!(status(long.as_bytes()), Err(431));
        assert_eq!(status(b"GET / HTTP/1.1\r\nHost: h\r\n"), Err(0), "more has to come");
    }

    #[test]
    fn framings() {
        let post = |fields: &str| {
            status(format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n").as_bytes())
                .map(|head| head.2)
        };
        assert_eq!(post("Content-Length: 18446744073709551615"), Ok(Framing::Length(u64::MAX)));
        for wrong in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 1",
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1\r\nContent-Length: 2",
            "Content-Length: 1, 1",
            "Content-Length: +1",
            "Content-Length: -1",
            "Content-Length: 0x1",
            "Content-Length: 1 1",
            "Content-Length:",
            "Content-Length: 18446744073709551616",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: \x0bchunked",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding:",
        ] {
            assert_eq!(post(wrong), Err(400), "{wrong:?}");
        }
        let old = b"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(status(old), Err(400));
    }

    #[test]
    fn names_that_some_servers_take_for_others() {
        for (name, known) in [
            ("X-Forwarded-For", Known::Forwarding),
            ("x_forwarded_for", Known::Forwarding),
            ("X-OVHAI-Forwarded-Host", Known::ForwardedHost),
            ("x_ovhai_forwarded_host", Known::Forwarding),
            ("x.forwarded.proto", Known::Forwarding),
            ("x~real'ip", Known::Forwarding),
            ("content.length", Known::Forwarding),
            ("x.forward", Known::Other),
            ("own_name", Known::Other),
            ("Sec-CH-UA", Known::Other),
        ] {
            assert_eq!(Known::of(name), known, "{name}");
        }
    }

    #[test]
    fn what_is_an_upgrade() {
        let asked = |version: &str, connection: &str, upgrade: &str| {
            let request = format!(
                "GET / HTTP/{version}\r\nHost: h\r\nConnection: {connection}\r\nUpgrade: {upgrade}\r\n\r\n"
            );
            let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
            let head = Head::parse(request.as_bytes(), &mut fields, Vec::new()).expect("a head");
            head.upgrade.is_some()
        };
        assert!(asked("1.1", "keep-alive, Upgrade", "websocket") && asked("1.1", "upgrade", "x/1"));
        assert!(!asked("1.1", "keep-alive", "websocket") && !asked("1.0", "upgrade", "websocket"));
        for http in ["h2c", "HTTP/2.0", "websocket, h2c", "TLS/1.2"] {
            assert!(!asked("1.1", "upgrade", http), "{http}");
        }
        for none in ["h2c\u{a0}", "\u{85}h2c", "h2c;x", "\"h2c\"", "h2c h2c", "/h2c", "x/", "a/b/c"]
        {
            assert!(!asked("1.1", "upgrade", none), "{none}");
        }
        assert!(asked("1.1", "upgrade", "a/1 , b,,c/2.0"));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = status(&bytes);
        }

        #[test]
        fn near_misses_never_panic(target in "[/a-z:@?*#%\u{e9} ]{0,40}", field in "[A-Za-z-]{0,20}[: \t]{0,3}[a-z0-9,; \r\n]{0,30}") {
            let _ = status(format!("GET {target} HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n").as_bytes());
        }
    }
}
