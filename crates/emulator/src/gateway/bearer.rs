//! The bearer in a request's headers, and the challenge for a better one. Whether a bearer is valid
//! is the domain's to say.

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use ovhai_wire::framing::AtMostOne;

/// The content of `Authorization`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bearer<'a> {
    /// There is no such header.
    None,
    /// It has something else, or came several times.
    Other,
    /// It has one bearer.
    Token(&'a str),
}

/// Finds the bearer of a request. Of two `Authorization` headers neither is believed.
pub(crate) fn bearer(headers: &HeaderMap) -> Bearer<'_> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    of(match (all.next(), all.next()) {
        (None, _) => AtMostOne::Never,
        (Some(value), None) => AtMostOne::One(value.as_bytes()),
        (Some(_), Some(_)) => AtMostOne::Several,
    })
}

/// Finds the bearer in a value of `Authorization`.
pub(crate) fn of(value: AtMostOne<'_>) -> Bearer<'_> {
    let value = match value {
        AtMostOne::Never => return Bearer::None,
        AtMostOne::One(value) => value,
        AtMostOne::Several => return Bearer::Other,
    };
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map_or(Bearer::Other, |(_, token)| Bearer::Token(token.trim_matches(' ')))
}

/// Finds the bearer, where only a bearer counts.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    match bearer(headers) {
        Bearer::Token(token) => Some(token),
        Bearer::None | Bearer::Other => None,
    }
}

/// Why a known caller has no access, as it stands in `WWW-Authenticate` (RFC 6750 section 3).
pub(crate) fn insufficient_scope(reason: &str) -> String {
    let quoted = reason.replace('\\', "\\\\").replace('"', "\\\"");
    format!("error=\"insufficient_scope\", error_description=\"{quoted}\"")
}
