//! The heads that the gateway writes: a request for the app, a response for the client. Fields
//! about one connection only end here (RFC 9110 section 7.6.1).

use httparse::Header;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, SET_COOKIE};

use super::hops;
use super::login;
use super::route::Route;
use ovhai_wire::ascii::{self, number};
use ovhai_wire::fields::Known;
use ovhai_wire::framing::Framing;
use ovhai_wire::request::{RequestHead, Version};
use ovhai_wire::response::ResponseHead;
use ovhai_wire::stream::Peer;
use ovhai_wire::write::{After, append, field};

/// Writes a request's head for the app. What the client says about forwarding is not believed:
/// there is no proxy before this gateway.
///
/// Where a browser uses another host ([`Route::forwarded_host`]), the app sees that one everywhere.
pub(crate) fn request(
    out: &mut Vec<u8>,
    head: &RequestHead<'_>,
    route: &Route,
    client: Peer,
    request_id: &[u8],
) {
    let forwarded = route.forwarded_host.as_deref();
    let host = forwarded.unwrap_or(head.host).as_bytes();
    out.extend_from_slice(head.method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(head.target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    field(out, "host", host);
    let mut cookies = 0;
    for (known, each) in head.each() {
        match known {
            // It is written with the gateway in it.
            Known::Other if client.is_app && hops::is_via(each.name) => {}
            Known::Other if !head.is_named(each.name) => {
                match forwarded.filter(|_| each.name.eq_ignore_ascii_case("referer")) {
                    None => field(out, each.name, each.value),
                    Some(to) => moved_field(out, each, head.host, to),
                }
            }
            // The app has to see a preflight as one, since it was let pass as one.
            Known::AccessControlRequestMethod => field(out, each.name, each.value),
            Known::Origin => match forwarded {
                None => field(out, each.name, each.value),
                Some(to) => moved_field(out, each, head.host, to),
            },
            Known::Authorization if route.keeps_authorization => field(out, each.name, each.value),
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
    if client.is_app {
        let (name, value) = hops::via(head);
        field(out, name, &value);
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

/// What the gateway adds to an app's response.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Added<'a> {
    /// The request's id, for a response that has none.
    pub(crate) request_id: &'a [u8],
    /// A cookie of the gateway's own.
    pub(crate) set_cookie: Option<&'a HeaderValue>,
}

/// Writes a response's head for a client of HTTP/1.
pub(crate) fn answer(
    out: &mut Vec<u8>,
    answer: &ResponseHead<'_>,
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

/// Converts a response's head for a client of HTTP/2.
pub(crate) fn answer_headers(answer: &ResponseHead<'_>, added: Added<'_>) -> HeaderMap {
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

/// Converts the fields of a response that are for the client.
pub(crate) fn passed_headers(answer: &ResponseHead<'_>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(answer.passed.len() + 1);
    for each in answer.passed {
        append(&mut headers, each.name, each.value);
    }
    headers
}

/// Whether a field of an app's response is the gateway's to set.
pub(crate) fn is_withheld(field: &Header<'_>) -> bool {
    let is = |name: &str| field.name.eq_ignore_ascii_case(name);
    // Over HTTP on a loopback host HSTS would lock browsers out of every app's plain port.
    is("strict-transport-security") || (is("set-cookie") && login::sets_ours(field.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_fields_do_not_pass() {
        for (name, value, is_ours) in [
            ("set-cookie", "a=ovhai", false),
            ("set-cookie", "ovhai=x; Path=/", true),
            ("Set-Cookie", "=__Host-ovhai=x", true),
            ("grpc-status", "0", false),
            ("strict-transport-security", "max-age=1", true),
        ] {
            let field = Header { name, value: value.as_bytes() };
            assert_eq!(is_withheld(&field), is_ours, "{name}: {value}");
        }
    }
}
