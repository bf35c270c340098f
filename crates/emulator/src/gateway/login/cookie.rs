//! The gateway's own cookies beside those of the app: their names, and how apps never see them.
//!
//! Ports share a host's cookies, and so do HTTP and HTTPS. Over TLS the names have the prefix that
//! browsers let only the host itself set (`__Host-`), and the plain names are not read there.

use std::borrow::Cow;

use ovhai_api_types::AppId;

use crate::web::cookie::pair;

/// The cookie of a login.
const LOGIN: [&str; 2] = ["ovhai", "__Host-ovhai"];
/// The cookie that forms are bound to, before a login.
const FORM: [&str; 2] = ["ovhai-form", "__Host-ovhai-form"];

/// The cookie of a session of the console, which is on `localhost`, as apps reached through
/// `port-forward` are.
const CONSOLE: [&str; 2] = ["ovhai-console", "__Host-ovhai-console"];
/// Prefix of the cookies that pin a client to a replica, one for each app: reached through
/// `port-forward`, apps share a host.
const AFFINITY: [&str; 2] = ["ovhai-affinity", "__Host-ovhai-affinity"];

/// The name of the cookie that pins a client to a replica of this app.
pub(in crate::gateway) fn affinity(secure: bool, app: AppId) -> String {
    let id = app.0.as_fields().0;
    format!("{}-{id:08x}", AFFINITY[usize::from(secure)])
}

/// The name of the cookie that stands for a login.
pub(super) fn login(secure: bool) -> &'static str {
    LOGIN[usize::from(secure)]
}

/// The name of the cookie that forms are bound to.
pub(super) fn form(secure: bool) -> &'static str {
    FORM[usize::from(secure)]
}

fn is_ours(name: &[u8]) -> bool {
    LOGIN.iter().chain(&FORM).chain(&CONSOLE).any(|ours| name == ours.as_bytes())
        || AFFINITY.iter().any(|ours| name.starts_with(ours.as_bytes()))
}

/// A `Cookie` header's value without the gateway's cookies, the rest byte for byte; none if nothing
/// is left.
pub(super) fn without_ours(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let pairs = || value.split(|byte| *byte == b';');
    let is_of_app = |found: &&[u8]| !pair(found).is_some_and(|(name, _)| is_ours(name));
    if pairs().all(|found| is_of_app(&found)) {
        return Some(Cow::Borrowed(value));
    }
    let left = pairs().filter(is_of_app).collect::<Vec<_>>().join(&b';');
    let left = left.trim_ascii();
    (!left.is_empty()).then(|| Cow::Owned(left.to_vec()))
}

/// Whether a `Set-Cookie` would set one of the gateway's. A cookie without a name is sent back as
/// its value alone: `=ovhai=x` would come as `ovhai=x`.
pub(super) fn sets_ours(set_cookie: &[u8]) -> bool {
    let first = set_cookie.split(|byte| *byte == b';').next().unwrap_or_default();
    let start = first.iter().position(|byte| *byte != b'=' && !byte.is_ascii_whitespace());
    let Some(named) = start.and_then(|at| first.get(at..)) else { return false };
    let name = named.split(|byte| *byte == b'=').next().unwrap_or_default();
    is_ours(name.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(value: &str) -> Option<String> {
        without_ours(value.as_bytes()).map(|left| String::from_utf8(left.into()).expect("text"))
    }

    #[test]
    fn the_apps_cookies_stay_byte_for_byte() {
        for same in [
            "",
            "a=1",
            "a=1; b=2",
            " a = 1 ;b=\"x; y\";;c",
            "ovhai2=1; xovhai=2; a=ovhai=3",
            "ovhai",
            "OVHAI=1",
        ] {
            let same = same.as_bytes();
            assert!(matches!(without_ours(same), Some(Cow::Borrowed(left)) if left == same));
        }
        assert!(matches!(without_ours(b"a=\xff; b=1"), Some(Cow::Borrowed(_))));
        for (value, expected) in [
            ("ovhai=x", None),
            (" ovhai = x ; ovhai-form=y", None),
            ("ovhai=x; a=1; b=2", Some("a=1; b=2")),
            ("a=1; ovhai=x; b=2", Some("a=1; b=2")),
            ("a=1;b=\"2\"; __Host-ovhai=x", Some("a=1;b=\"2\"")),
            ("ovhai=x; ovhai=y;a=1;  c", Some("a=1;  c")),
            ("__Host-ovhai-form=x;a=ovhai", Some("a=ovhai")),
            ("ovhai-console=x; a=1; __Host-ovhai-console=y", Some("a=1")),
            ("ovhai-affinity-0011aabb=x; a=1", Some("a=1")),
            ("a=1; __Host-ovhai-affinity-0011aabb=x", Some("a=1")),
        ] {
            assert_eq!(left(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn apps_can_not_set_reserved_cookies() {
        for ours in [
            "ovhai=x",
            "ovhai=x; Domain=ai.localhost",
            " ovhai =x",
            "\tovhai=",
            "=ovhai=x",
            "= =ovhai=x",
            "ovhai",
            "__Host-ovhai=x; Secure; Path=/",
            "ovhai-form=x",
            "__Host-ovhai-form=x",
            "ovhai-console=x",
            "ovhai-affinity-0011aabb=x",
            "=__Host-ovhai-affinity=x",
        ] {
            assert!(sets_ours(ours.as_bytes()), "{ours}");
        }
        for of_app in ["a=ovhai", "ovhai2=x", "xovhai=x", "a=1; ovhai=x", "", "=", "ovhai-x=1"] {
            assert!(!sets_ours(of_app.as_bytes()), "{of_app}");
        }
    }
}
