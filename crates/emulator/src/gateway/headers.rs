//! Headers that end at the gateway, and those that it adds.

use std::net::IpAddr;

use super::Peer;
use hyper::HeaderMap;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, STRICT_TRANSPORT_SECURITY, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What clients say of addresses that only a proxy can know, and this one does not say itself.
const UNVERIFIED: [HeaderName; 4] = [
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-server"),
];

/// Removes what is about one connection only (RFC 9110 section 7.6.1). `Transfer-Encoding` goes
/// too: each side frames its own messages. `Trailer` stays, as trailers are passed on.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            // These say where a message goes and how it is framed: no option may remove them.
            .filter(|name| *name != HOST && *name != TRAILER)
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    for name in [KEEP_ALIVE, PROXY_CONNECTION, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
}

/// Makes a client's headers ready for the app. What the client says about who forwarded it is
/// not believed: nobody stands before this gateway.
pub(crate) fn prepare_request(headers: &mut HeaderMap, client: Peer) {
    let wants_trailers = headers.get_all(TE).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|v| v.split(',').any(|t| t.trim().eq_ignore_ascii_case("trailers")))
    });
    remove_hop_by_hop(headers);
    headers.remove(PROXY_AUTHORIZATION);
    headers.remove(FORWARDED);
    headers.remove(TE);
    if wants_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    headers.remove(X_FORWARDED_HOST);
    if let Some(host) = headers.get(HOST).cloned() {
        headers.insert(X_FORWARDED_HOST, host);
    }
    for name in UNVERIFIED {
        headers.remove(name);
    }
    headers.insert(
        X_FORWARDED_PROTO,
        HeaderValue::from_static(if client.secure { "https" } else { "http" }),
    );
    headers.insert(X_FORWARDED_FOR, address(client.ip));
}

fn address(client: IpAddr) -> HeaderValue {
    if client == IpAddr::V4(std::net::Ipv4Addr::LOCALHOST) {
        return HeaderValue::from_static("127.0.0.1");
    }
    HeaderValue::try_from(client.to_string())
        .unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

/// Makes an app's headers ready for the client.
pub(crate) fn prepare_response(headers: &mut HeaderMap) {
    if headers.contains_key(TRANSFER_ENCODING) {
        // Of the two the encoding counts (RFC 9112 section 6.3), and the length is wrong.
        headers.remove(CONTENT_LENGTH);
    }
    remove_hop_by_hop(headers);
    headers.remove(PROXY_AUTHENTICATE);
    // A browser would refuse plain HTTP to the app from then on.
    headers.remove(STRICT_TRANSPORT_SECURITY);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn a_length_beside_an_encoding_goes() {
        let mut map = headers(&[("content-length", "3"), ("transfer-encoding", "chunked")]);
        prepare_response(&mut map);
        assert!(map.is_empty(), "{map:?}");
    }

    #[test]
    fn what_is_about_one_connection_goes() {
        let mut map = headers(&[
            ("host", "a"),
            ("connection", "close, X-Private"),
            ("connection", "host"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "x"),
            ("proxy-authorization", "Basic x"),
            ("te", "gzip, trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("x-forwarded-for", "6.6.6.6"),
            ("forwarded", "for=6.6.6.6"),
            ("accept", "*/*"),
            ("x-real-ip", "6.6.6.6"),
            ("x-forwarded-host", "evil.example"),
        ]);
        prepare_request(
            &mut map,
            Peer { ip: "10.0.0.1".parse().expect("an address"), secure: false },
        );
        assert_eq!(
            map,
            headers(&[
                ("host", "a"),
                ("accept", "*/*"),
                ("te", "trailers"),
                ("x-forwarded-host", "a"),
                ("x-forwarded-proto", "http"),
                ("x-forwarded-for", "10.0.0.1"),
            ])
        );
    }
}
