//! The sockets that the emulator listens on: `[::1]` beside 127.0.0.1, since some programs take no
//! other address for `localhost`; and 127.0.0.1 beside an address of this machine that other machines
//! reach, since its owner's bearer counts over loopback only.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use tokio::net::TcpListener;

use crate::start_error::StartError;

/// Attempts to find a port that is free in IPv4 and IPv6.
const TRIES: usize = 8;

/// Listens on an address, and on IPv6's loopback address if it is IPv4's; the first listener is the
/// one that was asked for.
pub(crate) fn listen(address: SocketAddr, tls: bool) -> Result<Vec<TcpListener>, StartError> {
    for _ in 1..TRIES {
        let listeners = bind_both(address, tls)?;
        if listeners.len() == 2 || address.port() != 0 || beside(address.ip()).is_none() {
            return adopted(listeners);
        }
        if address.ip() == Ipv4Addr::LOCALHOST && !has_ipv6() {
            return adopted(listeners);
        }
    }
    let listeners = bind_both(address, tls)?;
    if listeners.len() < 2 && !address.ip().is_loopback() && beside(address.ip()).is_some() {
        let taken = io::Error::from(io::ErrorKind::AddrInUse);
        return Err(StartError::Listen { address: (Ipv4Addr::LOCALHOST, 0).into(), source: taken });
    }
    adopted(listeners)
}

/// Registers a bound listener with this runtime.
pub(crate) fn adopt(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn adopted(listeners: Vec<std::net::TcpListener>) -> Result<Vec<TcpListener>, StartError> {
    listeners.into_iter().map(adopt).collect::<io::Result<_>>().map_err(StartError::System)
}

fn bind_both(address: SocketAddr, tls: bool) -> Result<Vec<std::net::TcpListener>, StartError> {
    let first =
        std::net::TcpListener::bind(address).map_err(|source| taken(address, tls, source))?;
    let port = first.local_addr().map_err(StartError::System)?.port();
    let mut listeners = vec![first];
    if let Some(ip) = beside(address.ip()) {
        let beside = SocketAddr::from((ip, port));
        match std::net::TcpListener::bind(beside) {
            Ok(second) => listeners.push(second),
            // The owner's commands would send the owner's bearer to another program.
            Err(error) if address.port() != 0 && !address.ip().is_loopback() => {
                return Err(taken(beside, tls, error));
            }
            // A program that connects there reaches another server.
            Err(error) if address.port() != 0 && error.kind() == io::ErrorKind::AddrInUse => {
                tracing::warn!(address = %beside, "another program listens there: programs that use this address reach that one");
            }
            Err(error) => tracing::debug!(address = %beside, %error, "it is not served"),
        }
    }
    Ok(listeners)
}

/// Why an address can't be listened on.
fn taken(address: SocketAddr, tls: bool, source: io::Error) -> StartError {
    match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken {
            port: address.port(),
            tls,
            holder: ovhai_runtime::sockets::holder(address.port()),
        },
        _ => StartError::Listen { address, source },
    }
}

/// The address to listen on beside another one.
fn beside(ip: IpAddr) -> Option<IpAddr> {
    if ip == Ipv4Addr::LOCALHOST {
        Some(Ipv6Addr::LOCALHOST.into())
    } else if ip.is_loopback() || ip.is_unspecified() {
        None
    } else {
        Some(Ipv4Addr::LOCALHOST.into())
    }
}

/// Whether this machine has IPv6's loopback address.
fn has_ipv6() -> bool {
    let bound = std::net::TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, 0)));
    let lacks = |error: &io::Error| {
        let errno = error.raw_os_error().map(Errno::from_raw_os_error);
        matches!(errno, Some(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT))
    };
    !bound.is_err_and(|error| lacks(&error))
}
