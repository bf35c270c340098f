//! The processes that listen on TCP ports of this machine.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use std::ops::Range;
use std::os::unix::net::UnixDatagram;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use listeners::{Protocol, SocketState};
use rustix::process::{Pid, getpgid};

/// Below the ephemeral ports of Linux and macOS, so that no connection takes one before it is used.
const FREE: Range<u16> = 20_000..30_000;

/// A loopback port, reserved among all emulators of this machine until it is dropped.
#[derive(Debug)]
pub struct FreePort {
    /// The port's number.
    pub number: u16,
    /// A socket with a name made of the number. The kernel has one set of these names, and one of
    /// ports, per network namespace.
    _reservation: Option<UnixDatagram>,
}

/// Reserves a loopback port that is free at the moment, and that was not returned before.
///
/// A port that only looks free may be given to two replicas: between the look and the replica's
/// `bind` another emulator looks too.
pub fn free_port() -> io::Result<FreePort> {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let count = FREE.end - FREE.start;
    // Another process starts elsewhere in the range.
    let chance = RandomState::new().build_hasher().finish() % u64::from(count);
    let next = NEXT.get_or_init(|| AtomicU16::new(u16::try_from(chance).unwrap_or_default()));
    for _ in 0..count {
        let number = FREE.start + next.fetch_add(1, Ordering::Relaxed) % count;
        let reservation = match reserve(number) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue,
            reserved => reserved.ok(),
        };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
            return Ok(FreePort { number, _reservation: reservation });
        }
    }
    // Other programs hold the whole range.
    let number = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    Ok(FreePort { number, _reservation: reserve(number).ok() })
}

#[cfg(target_os = "linux")]
fn reserve(port: u16) -> io::Result<UnixDatagram> {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("ovhai-port-{port}");
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name.as_bytes())?;
    UnixDatagram::bind_addr(&address)
}

/// Other systems have no names that end with their socket.
#[cfg(not(target_os = "linux"))]
fn reserve(_port: u16) -> io::Result<UnixDatagram> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A listening socket and the process behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// The process; 0 if this user can't inspect it.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// The address that is bound.
    pub address: SocketAddr,
}

/// All listening TCP sockets of processes that this user can inspect. Blocks for some
/// milliseconds.
pub fn listening() -> Vec<Listening> {
    let all = listeners::get_all().unwrap_or_default();
    all.into_iter()
        .filter(|l| l.protocol == Protocol::TCP && l.state == SocketState::Listen)
        .map(|l| Listening { pid: l.process.pid, name: l.process.name, address: l.socket })
        .collect()
}

impl Listening {
    /// Whether the process belongs to a process group.
    pub fn is_in_group(&self, group: u32) -> bool {
        let pid = |pid: u32| i32::try_from(pid).ok().and_then(Pid::from_raw);
        pid(self.pid).is_some_and(|of| getpgid(Some(of)).ok() == pid(group))
    }

    /// The process, in words.
    pub fn who(&self) -> String {
        match self.pid {
            0 => "a process that you may not look into".into(),
            pid => format!("{} (pid {pid})", self.name),
        }
    }

    /// The address to connect to. A socket bound to `::` accepts `::1` whether it accepts IPv4 or not.
    pub fn reachable(&self) -> SocketAddr {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.address.port())
    }

    /// Whether connections to [`Self::reachable`] may end at `other` instead.
    pub fn is_rivalled_by(&self, other: &Self) -> bool {
        other.address == self.address || other.address == self.reachable()
    }
}

fn is_taken(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_err_and(|e| e.kind() == std::io::ErrorKind::AddrInUse)
}

/// The process that holds a TCP port, in words; none if the port is free.
pub fn holder(port: u16) -> Option<String> {
    holder_but(port, |_| false)
}

/// The same, except for processes for which `ours` is true.
pub fn holder_but(port: u16, ours: impl Fn(&Listening) -> bool) -> Option<String> {
    let all = listening();
    let mut on_port = all.iter().filter(|l| l.address.port() == port).peekable();
    if on_port.peek().is_some() {
        return on_port.find(|l| !ours(l)).map(Listening::who);
    }
    is_taken(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .then(|| "a process that you may not look into".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_free_and_differ() {
        let ports: std::collections::BTreeSet<u16> =
            (0..50).map(|_| free_port().expect("a port").number).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| FREE.contains(port)), "{ports:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_port_is_reserved_until_it_is_dropped() {
        let port = free_port().expect("a port");
        let number = port.number;
        let taken = reserve(number).expect_err("it is reserved");
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        drop(port);
        reserve(number).expect("it is free again");
    }

    #[test]
    fn finds_this_process() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let held = holder(port).expect("held");
        assert!(held.contains(&format!("(pid {})", std::process::id())), "{held}");
        assert_eq!(holder_but(port, |l| l.pid == std::process::id()), None);
        let group = rustix::process::getpgid(None).expect("a group").as_raw_nonzero().get();
        let group = u32::try_from(group).expect("positive");
        assert!(listening().iter().any(|l| l.address.port() == port && l.is_in_group(group)));
    }
}
