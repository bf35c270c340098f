//! The line of a request in the access log: JSON, written by hand into a buffer that is used again,
//! since there is one for every request.

use std::net::SocketAddr;
use std::time::Duration;

use ovhai_api_types::{AppId, Timestamp, TokenId};

use ovhai_core::policy::{self, Effect, Principal, Reason};

use super::refusal_kind::RefusalKind;
use super::stamp::Stamp;
use crate::json::{quoted_target, text};
use ovhai_wire::ascii;
use ovhai_wire::request::Version;

/// Maximum bytes of a path in a line.
const PATH_MAX: usize = 2048;
/// Maximum bytes of a method, a name or a reason in a line.
const TEXT_MAX: usize = 512;

/// Where a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To an app.
    App {
        /// The app that the host names.
        id: AppId,
        /// Whether the app exists: only then is it counted apart, or made-up ids would fill the
        /// memory.
        known: bool,
        /// Another port than the app's own.
        port: Option<u16>,
    },
    /// To the API of a region.
    Api,
    /// To the control endpoints.
    Local,
    /// Nowhere: the request was refused before its host was known.
    Nowhere,
}

/// The policy's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Decision {
    /// There is none: the policy was not asked.
    Unasked,
    /// The caller has access.
    Allowed,
    /// The app is public.
    Public,
    /// The request is a CORS preflight.
    Preflight,
    /// The caller is unknown.
    Unauthenticated,
    /// The caller is known, and has no access.
    Forbidden,
    /// The app is outside the token's scope.
    OutOfScope,
}

impl Decision {
    /// The short form of a decision of the policy.
    pub(crate) fn of(decision: &policy::Decision) -> Self {
        match (decision.effect, &decision.reason) {
            (Effect::Allow, Reason::Public) => Self::Public,
            (Effect::Allow, Reason::Preflight) => Self::Preflight,
            (Effect::Allow, _) => Self::Allowed,
            (Effect::Unauthenticated, _) => Self::Unauthenticated,
            (Effect::Forbidden, _) => Self::Forbidden,
            (Effect::OutOfScope, _) => Self::OutOfScope,
        }
    }

    /// Whether the gateway or the API rejected a request with this status; responses of apps do not
    /// count.
    pub(super) fn is_denial(self, is_of_app: bool, status: u16) -> bool {
        match self {
            Self::Unauthenticated | Self::Forbidden | Self::OutOfScope => true,
            Self::Allowed | Self::Public | Self::Preflight => false,
            Self::Unasked => {
                // Without a decision an app's 429 is that of its login page.
                let statuses: &[u16] = if is_of_app { &[429] } else { &[401, 403] };
                statuses.contains(&status)
            }
        }
    }

    pub(super) fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unasked => None,
            Self::Allowed => Some("allowed"),
            Self::Public => Some("public"),
            Self::Preflight => Some("preflight"),
            Self::Unauthenticated => Some("unauthenticated"),
            Self::Forbidden => Some("forbidden"),
            Self::OutOfScope => Some("out_of_scope"),
        }
    }
}

/// The caller, as far as it is known. Never a token string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who<'a> {
    /// The caller is unknown.
    Anonymous,
    /// A token.
    Token {
        /// Its id.
        id: TokenId,
        /// Its name.
        name: &'a str,
    },
    /// The administrator, or a user who logged in.
    User(&'a str),
}

impl<'a> Who<'a> {
    /// The name of a principal in the log.
    pub(crate) fn of(principal: &'a Principal) -> Self {
        match principal {
            Principal::Anonymous => Self::Anonymous,
            Principal::Token(token) => Self::Token { id: token.id, name: &token.name },
            Principal::Administrator { user } => Self::User(user),
            Principal::User { name, .. } => Self::User(name),
        }
    }
}

/// The side that broke a request off before its response was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aborted {
    /// The client has closed.
    Client,
    /// The app has closed; the client's connection was broken off, too.
    App,
    /// The caller's access was revoked.
    Access,
}

impl Aborted {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::App => "app",
            Self::Access => "access",
        }
    }
}

/// The client's version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// The version that a head was sent in.
    pub(crate) fn of(version: Version) -> Self {
        match version {
            Version::Http10 => Self::Http10,
            Version::Http11 => Self::Http11,
            Version::Http2 => Self::Http2,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// A request that has ended; a tunnel has when it is closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// The client's address.
    pub(crate) client: SocketAddr,
    /// Its destination.
    pub(crate) destination: Destination,
    /// The method; empty when none could be read.
    pub(crate) method: &'a [u8],
    /// The path. What follows a `?` or `#` is left out here: it may hold secrets.
    pub(crate) path: &'a [u8],
    /// The response's status; 0 when there was none.
    pub(crate) status: u16,
    /// Bytes of the request's body (of a tunnel: those that the client sent).
    pub(crate) bytes_in: u64,
    /// Bytes of the response's body (of a tunnel: those that the app sent).
    pub(crate) bytes_out: u64,
    /// The policy's decision.
    pub(crate) decision: Decision,
    /// The caller.
    pub(crate) who: Who<'a>,
    /// Why the gateway answered by itself, if it did.
    pub(crate) refused: Option<RefusalKind>,
    /// The reason in words, without a token string; empty for none.
    pub(crate) reason: &'a str,
    /// The side that broke it off, if one did.
    pub(crate) aborted: Option<Aborted>,
    /// Time from the request's whole head to the end of the response.
    pub(crate) total: Duration,
    /// Time from connecting to the app to the end of its response; none if the app was not asked.
    pub(crate) upstream: Option<Duration>,
    /// Time that it waited for the app to wake up.
    pub(crate) held: Duration,
    /// The ordinal of the replica that was asked last; 0 if none was.
    pub(crate) replica: u32,
    /// Its id.
    pub(crate) id: &'a [u8],
    /// The version that the client spoke.
    pub(crate) protocol: Protocol,
    /// Whether it came through TLS.
    pub(crate) tls: bool,
}

impl Line<'_> {
    /// The path without what may hold secrets.
    pub(super) fn path_alone(&self) -> &[u8] {
        let end = self.path.iter().position(|b| matches!(b, b'?' | b'#'));
        &self.path[..end.unwrap_or(self.path.len())]
    }

    /// Writes the line, with its line feed, and with domain time where that was moved.
    pub(crate) fn write(&self, stamp: &Stamp, moved: Option<Timestamp>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"time\":\"");
        out.extend_from_slice(stamp.as_bytes());
        if let Some(moved) = moved {
            word("\",\"domainTime\":\"", &format!("{moved:.3}"), out);
            out.extend_from_slice(b",\"id\":");
        } else {
            out.extend_from_slice(b"\",\"id\":");
        }
        text(self.id, TEXT_MAX, out);
        out.extend_from_slice(b",\"client\":\"");
        address(self.client, out);
        out.extend_from_slice(b"\",\"door\":\"");
        match self.destination {
            Destination::App { id, port, .. } => {
                out.extend_from_slice(b"app\",\"app\":\"");
                uuid(id.0, out);
                out.push(b'"');
                if let Some(port) = port {
                    number(",\"port\":", u64::from(port), out);
                }
            }
            Destination::Api => out.extend_from_slice(b"api\""),
            Destination::Local => out.extend_from_slice(b"local\""),
            Destination::Nowhere => out.extend_from_slice(b"none\""),
        }
        out.extend_from_slice(b",\"protocol\":\"");
        out.extend_from_slice(self.protocol.as_str().as_bytes());
        out.push(b'"');
        if self.tls {
            out.extend_from_slice(b",\"tls\":true");
        }
        out.extend_from_slice(b",\"method\":");
        quoted_target(self.method, TEXT_MAX, out);
        out.extend_from_slice(b",\"path\":");
        quoted_target(self.path_alone(), PATH_MAX, out);
        number(",\"status\":", u64::from(self.status), out);
        number(",\"bytesIn\":", self.bytes_in, out);
        number(",\"bytesOut\":", self.bytes_out, out);
        if let Some(decision) = self.decision.as_str() {
            word(",\"decision\":\"", decision, out);
        }
        match self.who {
            Who::Anonymous => {}
            Who::Token { id, name } => {
                out.extend_from_slice(b",\"token\":\"");
                uuid(id.0, out);
                out.extend_from_slice(b"\",\"tokenName\":");
                text(name.as_bytes(), TEXT_MAX, out);
            }
            Who::User(name) => {
                out.extend_from_slice(b",\"user\":");
                text(name.as_bytes(), TEXT_MAX, out);
            }
        }
        if let Some(refused) = self.refused {
            word(",\"refused\":\"", refused.label(), out);
        }
        if !self.reason.is_empty() {
            out.extend_from_slice(b",\"reason\":");
            text(self.reason.as_bytes(), TEXT_MAX, out);
        }
        if let Some(aborted) = self.aborted {
            word(",\"aborted\":\"", aborted.as_str(), out);
        }
        number(",\"micros\":", micros(self.total), out);
        if let Some(upstream) = self.upstream {
            number(",\"upstreamMicros\":", micros(upstream), out);
        }
        if !self.held.is_zero() {
            number(",\"heldMicros\":", micros(self.held), out);
        }
        if self.replica > 0 {
            number(",\"replica\":", self.replica.into(), out);
        }
        out.extend_from_slice(b"}\n");
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn number(name: &str, value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    ascii::number(out, value);
}

/// Writes a word that needs no escaping.
fn word(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn uuid(id: uuid::Uuid, out: &mut Vec<u8>) {
    let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
    out.extend_from_slice(id.hyphenated().encode_lower(&mut buffer).as_bytes());
}

pub(super) fn address(address: SocketAddr, out: &mut Vec<u8>) {
    let ip = address.ip();
    if ip.is_ipv6() {
        out.push(b'[');
    }
    ascii::ip(out, ip);
    if ip.is_ipv6() {
        out.push(b']');
    }
    out.push(b':');
    ascii::number(out, address.port().into());
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    pub(in crate::telemetry) fn line<'a>() -> Line<'a> {
        Line {
            client: "127.0.0.1:4711".parse().expect("an address"),
            destination: Destination::App { id: AppId(Uuid::nil()), known: true, port: None },
            method: b"GET",
            path: b"/",
            status: 200,
            bytes_in: 0,
            bytes_out: 13,
            decision: Decision::Allowed,
            who: Who::Token { id: TokenId(Uuid::max()), name: "reader" },
            refused: None,
            reason: "",
            aborted: None,
            total: Duration::from_micros(1234),
            upstream: Some(Duration::from_millis(1)),
            held: Duration::ZERO,
            replica: 2,
            id: b"abc",
            protocol: Protocol::Http11,
            tls: false,
        }
    }

    fn written(line: &Line<'_>) -> Value {
        let mut out = b"before".to_vec();
        line.write(&Stamp::of(SystemTime::UNIX_EPOCH), None, &mut out);
        let text = std::str::from_utf8(&out[b"before".len()..]).expect("UTF-8");
        assert!(text.ends_with("}\n") && text.matches('\n').count() == 1, "{text:?}");
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    #[test]
    fn a_line_has_every_field() {
        assert_eq!(
            written(&line()),
            json!({
                "time": "1970-01-01T00:00:00.000Z", "id": "abc", "client": "127.0.0.1:4711",
                "door": "app", "app": Uuid::nil(), "protocol": "HTTP/1.1", "method": "GET",
                "path": "/", "status": 200, "bytesIn": 0, "bytesOut": 13, "decision": "allowed",
                "token": Uuid::max(), "tokenName": "reader", "micros": 1234, "upstreamMicros": 1000,
                "replica": 2,
            })
        );
        let refused = Line {
            client: "[::1]:80".parse().expect("an address"),
            destination: Destination::App {
                id: AppId(Uuid::nil()),
                known: false,
                port: Some(8501),
            },
            decision: Decision::OutOfScope,
            who: Who::User("J\"ürgen\u{1b}[2J"),
            refused: Some(RefusalKind::Forbidden),
            reason: "a\nb",
            aborted: Some(Aborted::App),
            upstream: None,
            held: Duration::from_micros(7),
            replica: 0,
            protocol: Protocol::Http2,
            tls: true,
            ..line()
        };
        let refused = written(&refused);
        for (name, value) in [
            ("client", json!("[::1]:80")),
            ("port", json!(8501)),
            ("decision", json!("out_of_scope")),
            ("user", json!("J\"ürgen\u{1b}[2J")),
            ("refused", json!("forbidden")),
            ("reason", json!("a\nb")),
            ("aborted", json!("app")),
            ("tls", json!(true)),
            ("protocol", json!("HTTP/2")),
            ("upstreamMicros", json!(null)),
            ("heldMicros", json!(7)),
            ("replica", json!(null)),
        ] {
            assert_eq!(refused[name], value, "{name}");
        }
    }

    #[test]
    fn a_line_has_no_secrets_or_control_characters() {
        for (path, shown) in [
            ("/a?token=secret", "/a"),
            ("/a#secret", "/a"),
            ("/a%3Fb", "/a%3Fb"),
            ("/\u{1b}[2J\u{7f}é\\\"", "/%1B[2J%7F%C3%A9\\\""),
            ("*", "*"),
        ] {
            assert_eq!(written(&Line { path: path.as_bytes(), ..line() })["path"], shown);
        }
        let long = "/".repeat(70_000);
        let shown = written(&Line { path: long.as_bytes(), ..line() });
        assert_eq!(shown["path"].as_str().map(str::len), Some(PATH_MAX + 3));
        let reason = "é".repeat(400);
        let shown = written(&Line { reason: &reason, ..line() })["reason"].clone();
        assert_eq!(shown, json!(format!("{}...", "é".repeat(256))));
    }

    proptest! {
        /// Whatever comes: one line, one JSON object, the path visible ASCII, the rest as it was.
        #[test]
        fn any_line_is_json(
            path in proptest::collection::vec(any::<u8>(), 0..300),
            method in proptest::collection::vec(any::<u8>(), 0..40),
            reason in "\\PC{0,60}|[\\x00-\\x7f]{0,60}",
            user in any::<String>(),
            status in any::<u16>(), bytes in any::<u64>(), micros in any::<u64>(),
        ) {
            let line = Line {
                path: &path, method: &method, reason: &reason, who: Who::User(&user), status,
                bytes_in: bytes, total: Duration::from_micros(micros), ..line()
            };
            let shown = written(&line);
            let text = shown["path"].as_str().expect("text");
            prop_assert!(text.bytes().all(|b| (0x20..0x7f).contains(&b)), "{text:?}");
            prop_assert!(!text.contains(['?', '#']));
            let cut = path.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(path.len());
            prop_assert_eq!(encoded(&path[..cut]), text);
            prop_assert_eq!(shown["reason"].as_str().unwrap_or_default(), reason.as_str());
            if user.len() <= TEXT_MAX {
                prop_assert_eq!(shown["user"].as_str(), Some(user.as_str()));
            }
            prop_assert_eq!(shown["bytesIn"].as_u64(), Some(bytes));
            prop_assert_eq!(shown["micros"].as_u64(), Some(micros));
        }
    }

    fn encoded(bytes: &[u8]) -> String {
        let one = |&b: &u8| match b {
            0x20..0x7f => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        };
        bytes.iter().map(one).collect()
    }
}
