//! No bytes make the parser of heads panic; what it understands has a host and a target that mean
//! one thing only, and is understood in the same way when it is written plainly.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ovhai_wire::scan::HeadLimits;

/// The limits that the emulator has by default.
const LIMITS: HeadLimits = HeadLimits { line: 62 * 1024, fields: 64 * 1024 };

fuzz_target!(|bytes: &[u8]| {
    let Ok(Some(head)) = ovhai_wire::understand(bytes, LIMITS) else { return };
    assert!(head.length <= bytes.len());
    assert!(head.target.starts_with('/') || head.target == "*", "{head:?}");
    assert!(head.target.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b'#'), "{head:?}");
    assert!(!head.host.contains(['@', '/', ' ', '\t']), "{head:?}");
    let text = String::from_utf8_lossy(&bytes[..head.length]);
    assert!(text.contains(&head.target) || matches!(head.target.as_str(), "/" | "*"), "{head:?}");
    let plain = format!("{} {} HTTP/1.1\r\nhost: {}\r\n\r\n", head.method, head.target, head.host);
    let again = ovhai_wire::understand(plain.as_bytes(), LIMITS).ok().flatten();
    assert_eq!(
        again.map(|again| (again.method, again.host, again.target)),
        Some((head.method, head.host, head.target))
    );
});
