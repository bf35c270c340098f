//! Cookies: how they are read and set.

use std::time::Duration;

use http::HeaderValue;

/// Splits a pair into name and value, as servers read it.
pub(crate) fn pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = pair.split_at_checked(at)?;
    Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
}

/// Iterates over the values of a name in a `Cookie` header.
pub(crate) fn values<'a>(header: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    header
        .split(|byte| *byte == b';')
        .filter_map(pair)
        .filter(move |(found, _)| *found == name.as_bytes())
        .map(|(_, value)| value)
}

/// Builds a `Set-Cookie` for the whole host; none if the value can't stand in one. Without a time it
/// lasts until the browser ends.
pub(crate) fn set(
    name: &str,
    value: &str,
    lasts: Option<Duration>,
    secure: bool,
) -> Option<HeaderValue> {
    build(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax"), lasts, secure)
}

/// Builds a `Set-Cookie` for a path, which browsers send with requests of the site's own pages only.
pub(crate) fn set_strict(
    name: &str,
    value: &str,
    lasts: Option<Duration>,
    secure: bool,
    path: &str,
) -> Option<HeaderValue> {
    build(format!("{name}={value}; Path={path}; HttpOnly; SameSite=Strict"), lasts, secure)
}

fn build(mut cookie: String, lasts: Option<Duration>, secure: bool) -> Option<HeaderValue> {
    if let Some(lasts) = lasts {
        cookie += &format!("; Max-Age={}", lasts.as_secs());
    }
    if secure {
        cookie += "; Secure";
    }
    let mut cookie = HeaderValue::try_from(cookie).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_name_is_found() {
        let all = |header: &'static str| values(header.as_bytes(), "ovhai").collect::<Vec<_>>();
        assert_eq!(all("a=1; ovhai=x; ovhai=y=z;ovhai-form=f"), [&b"x"[..], b"y=z"]);
        assert!(all("aovhai=1; ovhai").is_empty() && all("").is_empty());
    }

    #[test]
    fn cookies_are_set_with_their_attributes() {
        let of = |secure| {
            set(
                if secure { "__Host-ovhai" } else { "ovhai" },
                "v",
                Some(Duration::from_hours(12)),
                secure,
            )
        };
        assert_eq!(
            of(false).expect("a cookie"),
            "ovhai=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200"
        );
        assert_eq!(
            of(true).expect("a cookie"),
            "__Host-ovhai=v; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200; Secure"
        );
    }
}
