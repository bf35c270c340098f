//! Numbers and addresses as text, for lines and heads of every request: formatting them costs
//! several times as much.

use std::io::Write;
use std::net::IpAddr;

/// Adds a number in decimal digits.
pub fn number(out: &mut Vec<u8>, number: u64) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(digits.format(number).as_bytes());
}

/// Adds an address, without brackets.
pub fn ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            for (at, octet) in ip.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push(b'.');
                }
                number(out, octet.into());
            }
        }
        // Writing to memory does not fail.
        IpAddr::V6(ip) => drop(write!(out, "{ip}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_the_standard_library_writes_them(address: IpAddr, count: u64) {
            let mut out = Vec::new();
            ip(&mut out, address);
            out.push(b' ');
            number(&mut out, count);
            prop_assert_eq!(String::from_utf8_lossy(&out), format!("{address} {count}"));
        }
    }
}
