//! The heads that the gateway writes: a client's request for the app, an app's answer for the
//! client. What is about one connection only ends here (RFC 9110 section 7.6.1).

use httparse::Header;
use hyper::header::{HeaderName, HeaderValue, SET_COOKIE};
use hyper::{HeaderMap, StatusCode};

use super::{Client, Pass, login};
use crate::ascii::{self, number};
use crate::edge::answer::AnswerHead;
use crate::edge::body::Framing;
use crate::edge::parse::{Head, Known, Version};
use crate::edge::pump::field;

/// Writes a request's head for the app. What the client says about who forwarded it is not
/// believed: nobody stands before this gateway.
///
/// Where a browser uses another host ([`Pass::forwarded_host`]), the app sees that one everywhere.
pub(crate) fn request(
    out: &mut Vec<u8>,
    head: &Head<'_>,
    pass: &Pass,
    client: Client,
    request_id: &[u8],
) {
    let forwarded = pass.forwarded_host.as_deref();
    let host = forwarded.unwrap_or(head.host).as_bytes();
    out.extend_from_slice(head.method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(head.target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    field(out, "host", host);
    let mut cookies = 0;
    for (known, each) in head.each() {
        match known {
            Known::Other if !head.is_named(each.name) => {
                match forwarded.filter(|_| each.name.eq_ignore_ascii_case("referer")) {
                    None => field(out, each.name, each.value),
                    Some(to) => moved_field(out, each, head.host, to),
                }
            }
            // By these a preflight was let in: the app has to see one too.
            Known::AccessControlRequestMethod => field(out, each.name, each.value),
            Known::Origin => match forwarded {
                None => field(out, each.name, each.value),
                Some(to) => moved_field(out, each, head.host, to),
            },
            Known::Authorization if pass.keeps_authorization => field(out, each.name, each.value),
            Known::Cookie if head.version == Version::Http2 => cookies += 1,
            Known::Cookie => {
                if let Some(left) = login::without_ours(each.value) {
                    field(out, each.name, &left);
                }
            }
            _ => {}
        }
    }
    if cookies > 0 {
        // HTTP/2 may send them one by one; HTTP/1.1 wants one field (RFC 9113 section 8.2.3).
        let mut start: &[u8] = b"cookie: ";
        for cookie in head.cookies().filter_map(login::without_ours) {
            out.extend_from_slice(start);
            out.extend_from_slice(&cookie);
            start = b"; ";
        }
        if start == b"; " {
            out.extend_from_slice(b"\r\n");
        }
    }
    if head.expects_continue {
        out.extend_from_slice(b"expect: 100-continue\r\n");
    }
    if head.wants_trailers {
        out.extend_from_slice(b"te: trailers\r\n");
    }
    if let Some(protocol) = head.upgrade {
        out.extend_from_slice(b"connection: upgrade\r\n");
        field(out, "upgrade", protocol);
    }
    match head.framing {
        Framing::Length(length) => {
            out.extend_from_slice(b"content-length: ");
            number(out, length);
            out.extend_from_slice(b"\r\n");
        }
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::None | Framing::UntilClose => {}
    }
    field(out, "x-forwarded-host", host);
    let proto = if client.secure && forwarded.is_none() { "https" } else { "http" };
    field(out, "x-forwarded-proto", proto.as_bytes());
    out.extend_from_slice(b"x-forwarded-for: ");
    ascii::ip(out, client.address.ip());
    out.extend_from_slice(b"\r\n");
    field(out, "x-request-id", request_id);
    out.extend_from_slice(b"\r\n");
}

/// Writes a field whose value is an address: one at `host` is one at the host that the browser uses.
fn moved_field(out: &mut Vec<u8>, each: &Header<'_>, host: &str, to: &str) {
    let rest = [&b"http://"[..], b"https://"].iter().find_map(|scheme| {
        let rest = each.value.strip_prefix(*scheme)?.strip_prefix(host.as_bytes())?;
        matches!(rest, [] | [b'/' | b'?' | b'#', ..]).then_some(rest)
    });
    match rest {
        Some(rest) => field(out, each.name, &[b"http://", to.as_bytes(), rest].concat()),
        None => field(out, each.name, each.value),
    }
}

/// How the connection to a client of HTTP/1 goes on after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// As is usual in HTTP/1.1.
    KeepAlive,
    /// As a client of HTTP/1.0 asked for.
    SayKeepAlive,
    Close,
}

impl After {
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::KeepAlive => {}
            Self::SayKeepAlive => out.extend_from_slice(b"connection: keep-alive\r\n"),
            Self::Close => out.extend_from_slice(b"connection: close\r\n"),
        }
    }
}

/// What the gateway adds to an app's answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Added<'a> {
    /// Stands in an answer that has none.
    pub(crate) request_id: &'a [u8],
    /// A cookie of the gateway's.
    pub(crate) set_cookie: Option<&'a HeaderValue>,
}

/// Writes an answer's head for a client of HTTP/1.
pub(crate) fn answer(
    out: &mut Vec<u8>,
    answer: &AnswerHead<'_>,
    chunked: bool,
    after: After,
    added: Added<'_>,
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    number(out, answer.status.into());
    out.push(b' ');
    out.extend_from_slice(answer.reason.as_bytes());
    out.extend_from_slice(b"\r\n");
    let mut has_id = false;
    for each in answer.passed {
        has_id |= each.name.eq_ignore_ascii_case("x-request-id");
        field(out, each.name, each.value);
    }
    if !has_id && answer.status >= 200 {
        field(out, "x-request-id", added.request_id);
    }
    if let Some(cookie) = added.set_cookie {
        field(out, "set-cookie", cookie.as_bytes());
    }
    if chunked {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    if let (101, Some(protocol)) = (answer.status, answer.upgrade) {
        out.extend_from_slice(b"connection: upgrade\r\n");
        field(out, "upgrade", protocol);
    } else {
        after.write(out);
    }
    out.extend_from_slice(b"\r\n");
}

/// The same for a client of HTTP/2.
pub(crate) fn answer_headers(answer: &AnswerHead<'_>, added: Added<'_>) -> HeaderMap {
    let mut headers = passed_headers(answer);
    let id = HeaderName::from_static("x-request-id");
    if let (false, Ok(value)) =
        (headers.contains_key(&id), HeaderValue::from_bytes(added.request_id))
    {
        headers.insert(id, value);
    }
    if let Some(cookie) = added.set_cookie {
        headers.append(SET_COOKIE, cookie.clone());
    }
    headers
}

/// What of an answer's fields is for the client.
pub(crate) fn passed_headers(answer: &AnswerHead<'_>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(answer.passed.len() + 1);
    for each in answer.passed {
        append(&mut headers, each.name, each.value);
    }
    headers
}

/// Adds a field that was checked when it was read.
pub(crate) fn append(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    if let (Ok(name), Ok(value)) =
        (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value))
    {
        headers.append(name, value);
    }
}

/// What stands behind a status in HTTP/1.
pub(crate) fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("")
}
