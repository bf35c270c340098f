//! Heads of requests, read strictly: what another reader of the same bytes might take for something
//! else is refused (RFC 9112 section 11.2). Pure functions of bytes.

use std::mem::MaybeUninit;

use http::StatusCode;
use httparse::Header;

use crate::authority::is_well_formed;
use crate::expect::Expectations;
use crate::fields::{Known, RESERVED_MAX, Reserved, is_token_char, words};
use crate::framing::{AskedWith, AtMostOne, Framing, Malformed, bad, number};
use crate::scan::TOO_MANY;

/// Maximum header fields of a request.
pub const FIELDS: usize = 256;

/// Maximum fields that `Connection` names: each of the others is compared with all of them.
pub(crate) const NAMED: usize = 32;

/// Room for the fields of one head.
pub type FieldRoom<'b> = [MaybeUninit<Header<'b>>; FIELDS];

/// Room for the fields of one head, of which nothing is known yet.
#[inline]
pub const fn no_fields<'b>() -> FieldRoom<'b> {
    [const { MaybeUninit::uninit() }; FIELDS]
}

/// A request's head.
#[derive(Debug)]
pub struct RequestHead<'b> {
    /// The method.
    pub method: &'b str,
    /// Path and query as they came, or `*`.
    pub target: &'b str,
    /// The host that is asked for, with its port if it was given.
    pub host: &'b str,
    /// The version.
    pub version: Version,
    /// All fields, in their order.
    pub fields: &'b [Header<'b>],
    /// What each field is.
    pub known: Vec<Known>,
    /// How the body's end is known.
    pub framing: Framing,
    /// `Authorization`.
    pub authorization: AtMostOne<'b>,
    /// `Origin`.
    pub origin: AtMostOne<'b>,
    /// `X-Request-Id`.
    pub request_id: AtMostOne<'b>,
    /// Values of the fields that the gateway reserves ([`Reserved`]).
    pub reserved: [AtMostOne<'b>; RESERVED_MAX],
    /// Whether there is a `Cookie`.
    pub has_cookies: bool,
    /// Whether there is an `Access-Control-Request-Method`.
    pub has_preflight_method: bool,
    /// Whether there is an `Upgrade`, understood or not.
    pub has_upgrade: bool,
    /// Whether the client waits for 100 (Continue).
    pub expects_continue: bool,
    /// Whether the client goes on using the connection.
    pub keep_alive: bool,
    /// Whether the client takes trailers.
    pub wants_trailers: bool,
    /// The protocol that the client wants to leave HTTP for.
    pub upgrade: Option<&'b [u8]>,
    /// Whether `Connection` names fields besides the usual.
    pub names_fields: bool,
}

/// The client's version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl<'b> RequestHead<'b> {
    /// Parses a whole head of HTTP/1; `known` is room that is used again.
    pub fn parse(
        bytes: &'b [u8],
        fields: &'b mut FieldRoom<'b>,
        known: Vec<Known>,
        reserved: &Reserved,
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
        let mut head = Self::of_fields(method, target, version, request.headers, known, reserved)?;
        head.find_host()?;
        Ok(head)
    }

    /// Reads the fields of a head of any version; `known` is room that is used again.
    pub fn of_fields(
        method: &'b str,
        target: &'b str,
        version: Version,
        fields: &'b [Header<'b>],
        mut known: Vec<Known>,
        reserved: &Reserved,
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
            authorization: AtMostOne::Never,
            origin: AtMostOne::Never,
            request_id: AtMostOne::Never,
            reserved: [AtMostOne::Never; RESERVED_MAX],
            has_cookies: false,
            has_preflight_method: false,
            has_upgrade: false,
            expects_continue: false,
            keep_alive: version != Version::Http10,
            wants_trailers: false,
            upgrade: None,
            names_fields: false,
        };
        let (mut length, mut coding, mut host) =
            (AtMostOne::Never, AtMostOne::Never, AtMostOne::Never);
        let (mut expected, mut upgrades) = (Expectations::default(), AtMostOne::Never);
        let (mut wants_upgrade, mut wants_close, mut wants_keep) = (false, false, false);
        let mut named = 0;
        for field in fields {
            let (known, value) = (Known::of(field.name, reserved), field.value);
            head.known.push(known);
            match known {
                Known::Host => host.add(value),
                Known::ContentLength => length.add(value),
                Known::TransferEncoding => coding.add(value),
                Known::Authorization => head.authorization.add(value),
                Known::Origin => head.origin.add(value),
                Known::RequestId => head.request_id.add(value),
                Known::Reserved(at) => head.reserved[usize::from(at)].add(value),
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
        if let AtMostOne::One(protocol) = upgrades
            && wants_upgrade
            && version == Version::Http11
            && leaves_http(protocol)
        {
            head.upgrade = Some(protocol);
        }
        head.host = match host {
            AtMostOne::One(host) => std::str::from_utf8(host).map_err(|_| HOST)?,
            AtMostOne::Never => return Err(bad("a Host header is required")),
            AtMostOne::Several => return Err(bad("more than one Host header")),
        };
        Ok(head)
    }

    /// Takes the target apart. An absolute one names the host, whatever the header says (RFC 9112
    /// section 3.2.2).
    fn find_host(&mut self) -> Result<(), Malformed> {
        if self.method == "CONNECT" || self.method == "TRACE" {
            return Err(NOT_PASSED);
        }
        let (host, target) = split_target(self.method, self.target)?;
        self.target = target;
        if let Some(host) = host {
            self.host = host;
        }
        if is_well_formed(self.host) { Ok(()) } else { Err(HOST) }
    }

    /// Iterates over the fields with what they are.
    #[inline]
    pub fn each(&self) -> impl Iterator<Item = (Known, &Header<'b>)> {
        self.known.iter().copied().zip(self.fields)
    }

    /// Whether `Connection` says that this field is about the connection only. The field that
    /// says which trailers come can't be named.
    pub fn is_named(&self, name: &str) -> bool {
        self.names_fields
            && !name.eq_ignore_ascii_case("trailer")
            && self
                .each()
                .filter(|(known, _)| *known == Known::Connection)
                .flat_map(|(_, field)| words(field.value))
                .any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Finds the first value of a field, by its name in any case.
    pub fn first(&self, name: &str) -> Option<&'b [u8]> {
        let mut fields = self.fields.iter();
        fields.find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// Iterates over the values of the `Cookie` fields.
    #[inline]
    pub fn cookies(&self) -> impl Iterator<Item = &'b [u8]> {
        let cookies = self.has_cookies.then(|| self.known.iter().zip(self.fields));
        cookies
            .into_iter()
            .flatten()
            .filter(|(known, _)| **known == Known::Cookie)
            .map(|c| c.1.value)
    }

    /// Whether it may be sent twice (RFC 9110 section 9.2.2), with nothing of it missing.
    pub fn is_repeatable(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS")
            && matches!(self.framing, Framing::None | Framing::Length(0))
            && self.upgrade.is_none()
    }

    /// The method's share in the framing of the response.
    #[inline]
    pub fn asked_with(&self) -> AskedWith {
        if self.method == "HEAD" { AskedWith::Head } else { AskedWith::Other }
    }

    /// The target without its query.
    #[inline]
    pub fn path(&self) -> &'b str {
        self.target.split('?').next().unwrap_or(self.target)
    }
}

const HOST: Malformed = bad("the Host header is malformed");

/// The method is one that is not passed on.
pub const NOT_PASSED: Malformed =
    Malformed::new(StatusCode::METHOD_NOT_ALLOWED, "CONNECT and TRACE are not passed on");

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

/// How the body of a request is framed. A length or coding that is given twice, or in two ways, is
/// refused.
fn framing(
    length: AtMostOne<'_>,
    coding: AtMostOne<'_>,
    version: Version,
) -> Result<Framing, Malformed> {
    match (length, coding) {
        (AtMostOne::Never, AtMostOne::Never) => Ok(Framing::None),
        (AtMostOne::One(value), AtMostOne::Never) => match number(value) {
            Some(length) => Ok(Framing::Length(length)),
            None => Err(bad("the Content-Length is not a number")),
        },
        (AtMostOne::Several, AtMostOne::Never) => Err(bad("more than one Content-Length")),
        (AtMostOne::Never, AtMostOne::One(value)) => {
            if version == Version::Http10 {
                Err(bad("this version of HTTP has no Transfer-Encoding"))
            } else if value.eq_ignore_ascii_case(b"chunked") {
                Ok(Framing::Chunked)
            } else {
                Err(bad("the only Transfer-Encoding understood here is chunked"))
            }
        }
        (AtMostOne::Never, AtMostOne::Several) => Err(bad("more than one Transfer-Encoding")),
        (_, AtMostOne::One(_) | AtMostOne::Several) => {
            Err(bad("Content-Length and Transfer-Encoding in one request"))
        }
    }
}

/// Whether an `Upgrade` names other protocols only. Another version of HTTP is none: through `h2c`
/// requests would pass that the gateway has not checked. An app might also take something for a
/// protocol that is no name of one (RFC 9110 section 7.8).
fn leaves_http(protocol: &[u8]) -> bool {
    let is_token = |part: &[u8]| !part.is_empty() && part.iter().all(|byte| is_token_char(*byte));
    words(protocol).all(|word| {
        let mut parts = word.splitn(2, |byte| *byte == b'/');
        let name = parts.next().unwrap_or_default();
        let is_http = |http: &&[u8]| name.eq_ignore_ascii_case(http);
        is_token(name)
            && parts.next().is_none_or(is_token)
            && ![&b"h2c"[..], b"h2", b"http", b"tls"].iter().any(is_http)
    })
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
                Malformed::new(
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

/// Whether a target is a path with its query, or an asterisk, in the characters of one.
pub fn is_plain_target(method: &str, target: &str) -> bool {
    target.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'#')
        && (target.starts_with('/') || (target == "*" && method == "OPTIONS"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scan::{HeadLimits, Scanner};

    const LIMITS: HeadLimits = HeadLimits { line: 1000, fields: 4000 };

    fn status(bytes: &[u8]) -> Result<(String, String, Framing), u16> {
        let mut scanner = Scanner::default();
        let range = scanner.find(bytes, LIMITS).map_err(|bad| bad.status.as_u16())?.ok_or(0_u16)?;
        let mut fields = no_fields();
        let head = RequestHead::parse(&bytes[range], &mut fields, Vec::new(), &Reserved::NONE)
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
        let mut fields = no_fields();
        let got = RequestHead::parse(request.as_bytes(), &mut fields, Vec::new(), &Reserved::NONE);
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
    fn upgrades_are_recognized() {
        let asked = |version: &str, connection: &str, upgrade: &str| {
            let request = format!(
                "GET / HTTP/{version}\r\nHost: h\r\nConnection: {connection}\r\nUpgrade: {upgrade}\r\n\r\n"
            );
            let mut fields = no_fields();
            let head =
                RequestHead::parse(request.as_bytes(), &mut fields, Vec::new(), &Reserved::NONE)
                    .expect("a head");
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
