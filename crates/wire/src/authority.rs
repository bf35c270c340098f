//! Hosts with ports, as they stand in `Host` and in absolute targets.

/// Whether a host, with or without a port, is one at all.
pub fn is_well_formed(host: &str) -> bool {
    // Written so that many bytes are checked at once, as there is one with every request.
    let odd = host.bytes().fold(0, |odd, byte| {
        let symbol = [b'-', b'.', b'_', b':', b'[', b']'].map(|known| u8::from(byte == known));
        let known = symbol.into_iter().fold(0, |known, one| known | one);
        odd | (1 ^ (known | u8::from(byte.is_ascii_alphanumeric())))
    });
    odd == 0 && strip_port(host).is_some()
}

/// The host without its port; none if that is malformed.
pub fn strip_port(host: &str) -> Option<&str> {
    let at = match host.strip_prefix('[') {
        Some(rest) => memchr::memchr(b']', rest.as_bytes())? + 2,
        None => memchr::memchr(b':', host.as_bytes()).unwrap_or(host.len()),
    };
    let (name, port) = host.split_at_checked(at)?;
    let well_formed = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()));
    (well_formed && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_validated() {
        for (host, name) in [
            ("h", Some("h")),
            ("a_b.c-d:80", Some("a_b.c-d")),
            ("h:", Some("h")),
            ("[::1]:80", Some("[::1]")),
            ("", None),
            (":80", None),
            ("h:123456", None),
            ("h:x", None),
            ("[::1", None),
        ] {
            assert_eq!(strip_port(host), name, "{host}");
            assert_eq!(is_well_formed(host), name.is_some(), "{host}");
        }
        assert!(!is_well_formed("a b") && !is_well_formed("a/b") && !is_well_formed("a@b"));
    }
}
