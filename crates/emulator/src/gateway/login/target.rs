//! Where a browser goes after the login: the very path and query that were asked for, and never
//! another host.

/// The target if the wanted one is not safe.
pub(super) const HOME: &str = "/";

/// The target if it is one of this host, byte for byte; else the app's first page.
///
/// Browsers read `//x`, `/\x` and, since they drop tabs and line ends, `/<tab>/x` as another host:
/// a second byte that could begin one is refused, and so is everything that is not visible ASCII.
/// Browsers send nothing else in a target.
pub(super) fn safe(wanted: &[u8]) -> &str {
    let is_path = wanted.first() == Some(&b'/')
        && !matches!(wanted.get(1), Some(b'/' | b'\\'))
        && wanted.iter().all(u8::is_ascii_graphic);
    let Some(target) = std::str::from_utf8(wanted).ok().filter(|_| is_path) else { return HOME };
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if super::is_reserved(path) { HOME } else { target }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn targets_are_kept_byte_for_byte() {
        for same in [
            "/",
            "/a%2Fb//c/../d?x=%20&y=%C3%BC&&z",
            "/?",
            "/a?b=//evil.example",
            "/a?b=https://evil.example",
            "/a//evil.example",
            "/a\\b",
            "/a?q=\"<'>&{|}^`",
            "/@evil.example",
            "/%2F/evil.example",
            "/%5Cevil.example",
            "/%09/evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/.ovhaix",
            "/%2eovhai/login",
            "/https://evil.example",
        ] {
            assert_eq!(safe(same.as_bytes()), same);
        }
    }

    #[test]
    fn targets_never_lead_to_another_host() {
        for other in [
            &b""[..],
            b"//evil.example",
            b"///evil.example",
            b"/\\evil.example",
            b"\\/evil.example",
            b"\\\\evil.example",
            b"/\t/evil.example",
            b"/\n/evil.example",
            b"/\r/evil.example",
            b"\t//evil.example",
            b" //evil.example",
            b" /a",
            b"/a b",
            b"/a\0",
            b"/\x7f",
            b"/\x0b/evil.example",
            b"/\xc3\xbc",
            b"/\xff",
            b"https://evil.example/",
            b"https:evil.example",
            b"http:/evil.example",
            b"javascript:alert(1)",
            b"data:text/html,x",
            b"evil.example",
            b"@evil.example",
            b".evil.example",
            b"?x",
            b"#x",
            b"*",
            b"/.ovhai",
            b"/.ovhai/",
            b"/.ovhai/logout",
            b"/.ovhai/login?to=/x",
            b"/.ovhai?x",
            b"/.ovhai#x",
            b"/a\r\nset-cookie: x=1",
        ] {
            assert_eq!(safe(other), HOME, "{:?}", String::from_utf8_lossy(other));
        }
    }

    proptest! {
        #[test]
        fn every_input_becomes_a_path_of_this_host(wanted in "[/\\\\\\t\\n .@:a?#-]{0,12}") {
            let target = safe(wanted.as_bytes());
            prop_assert!(target == HOME || target == wanted);
            prop_assert!(target.starts_with('/'));
            prop_assert!(!target[1..].starts_with(['/', '\\']));
            prop_assert!(target.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
}
