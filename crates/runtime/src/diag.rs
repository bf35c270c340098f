//! The listening TCP sockets of this machine, by the kernel's own interface (`sock_diag`).
//!
//! That costs some microseconds. `/proc/net/tcp` costs milliseconds, since the kernel looks through
//! its whole table of connections for it. The answer has no process, but an inode, which
//! `/proc/PID/fd` has too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

/// A listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listener {
    pub(crate) inode: u64,
    pub(crate) address: SocketAddr,
}

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
/// `1 << TCP_LISTEN`.
const LISTEN: u32 = 1 << 10;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// Lengths of `nlmsghdr`, `inet_diag_req_v2` and `inet_diag_msg`.
const HEADER: usize = 16;
const REQUEST: usize = 56;
const MESSAGE: usize = 72;
/// Maximum piece that the kernel sends, in bytes.
const ROOM: usize = 32 * 1024;

/// All listening sockets, sorted; none where the kernel does not support this.
pub(crate) fn listeners() -> Option<Vec<Listener>> {
    let mut all = Vec::new();
    let flags = SocketFlags::CLOEXEC;
    let diag = Some(netlink::SOCK_DIAG);
    let socket = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, diag).ok()?;
    let mut room = vec![0; ROOM];
    for family in [AF_INET, AF_INET6] {
        send(&socket, &request(family), SendFlags::empty()).ok()?;
        loop {
            // The answer is there as soon as the request was sent.
            let (count, _) = match recv(&socket, &mut room[..], RecvFlags::DONTWAIT) {
                Err(Errno::INTR) => continue,
                received => received.ok()?,
            };
            match parse(room.get(..count)?, &mut all) {
                Piece::More => {}
                Piece::Done => break,
                // A kernel without IPv6 has none.
                Piece::Failed if family == AF_INET6 => break,
                Piece::Failed => return None,
            }
        }
    }
    all.sort_unstable();
    Some(all)
}

fn request(family: u8) -> [u8; HEADER + REQUEST] {
    let mut request = [0; HEADER + REQUEST];
    request[..4].copy_from_slice(&72_u32.to_ne_bytes());
    request[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    request[16] = family;
    request[17] = IPPROTO_TCP;
    request[20..24].copy_from_slice(&LISTEN.to_ne_bytes());
    request
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    More,
    Done,
    Failed,
}

/// Takes the sockets out of one piece of the kernel's answer.
fn parse(mut bytes: &[u8], all: &mut Vec<Listener>) -> Piece {
    let word =
        |at: usize, bytes: &[u8]| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    while !bytes.is_empty() {
        let Some(length) = word(0, bytes).and_then(|length| usize::try_from(length).ok()) else {
            return Piece::Failed;
        };
        let Some(message) = bytes.get(..length).filter(|_| length >= HEADER) else {
            return Piece::Failed;
        };
        match u16::from_ne_bytes([message[4], message[5]]) {
            NLMSG_DONE => return Piece::Done,
            NLMSG_ERROR => return Piece::Failed,
            SOCK_DIAG_BY_FAMILY => match listener(&message[HEADER..]) {
                Some(listener) => all.push(listener),
                None => return Piece::Failed,
            },
            _ => {}
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Piece::More
}

fn listener(message: &[u8]) -> Option<Listener> {
    let message: &[u8; MESSAGE] = message.get(..MESSAGE)?.try_into().ok()?;
    let ip: IpAddr = match message[0] {
        AF_INET => Ipv4Addr::new(message[8], message[9], message[10], message[11]).into(),
        AF_INET6 => <[u8; 16]>::try_from(&message[8..24]).map(Ipv6Addr::from).ok()?.into(),
        _ => return None,
    };
    let port = u16::from_be_bytes([message[4], message[5]]);
    let inode = u32::from_ne_bytes([message[68], message[69], message[70], message[71]]);
    Some(Listener { inode: inode.into(), address: SocketAddr::new(ip, port) })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn the_holder_of_a_port_is_named() {
        for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let address = listener.local_addr().expect("bound");
            let link = format!("/proc/self/fd/{}", listener.as_raw_fd());
            let link = std::fs::read_link(link).expect("a link");
            let all = listeners().expect("an answer of the kernel");
            let found = all.iter().find(|one| one.address == address).expect("it listens");
            assert_eq!(link.to_str(), Some(&*format!("socket:[{}]", found.inode)));
            drop(listener);
            // A child that another test is starting has it too, until it becomes its program.
            let is_gone = (0..10_000).any(|_| {
                std::thread::yield_now();
                let all = listeners().expect("a list");
                !all.iter().any(|one| one.inode == found.inode && one.address == address)
            });
            assert!(is_gone, "{address}");
        }
    }

    #[test]
    fn malformed_lists_are_ignored() {
        let mut all = Vec::new();
        let message = |length: u32, kind: u16, rest: usize| {
            let mut bytes = length.to_ne_bytes().to_vec();
            bytes.extend_from_slice(&kind.to_ne_bytes());
            bytes.resize(HEADER + rest, 0);
            bytes
        };
        for (bytes, expected) in [
            (message(16, NLMSG_DONE, 0), Piece::Done),
            (message(20, NLMSG_ERROR, 4), Piece::Failed),
            (message(16, 99, 0), Piece::More),
            (message(15, 99, 0), Piece::Failed),
            (message(17, 99, 0), Piece::Failed),
            (message(u32::MAX, 99, 0), Piece::Failed),
            (message(88, SOCK_DIAG_BY_FAMILY, 72), Piece::Failed),
            (message(80, SOCK_DIAG_BY_FAMILY, 64), Piece::Failed),
            (vec![1], Piece::Failed),
            (Vec::new(), Piece::More),
        ] {
            assert_eq!(parse(&bytes, &mut all), expected, "{bytes:?}");
        }
        assert_eq!(all, []);
    }
}
