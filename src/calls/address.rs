//! The addresses of an emulator, and the keys that logins and tokens are stored under.

use std::net::SocketAddr;

use ovhai_client::Endpoint;
use ovhai_emulator::state::Running;

/// The endpoint of an emulator, with the administrator's bearer. It uses the one host name that the
/// emulator serves on every address.
pub(crate) fn endpoint(running: &Running) -> Endpoint {
    Endpoint {
        base: format!("http://localhost:{}", running.address.port()),
        bearer: Some(running.administrator.clone()),
        connect: Some(near(running.address)),
    }
}

/// The address of an emulator, as it is shown.
pub(crate) fn root(running: &Running) -> String {
    format!("http://{}", reachable(running.address))
}

/// The same with TLS, if the emulator serves it.
pub(crate) fn secure_root(running: &Running) -> Option<String> {
    running.tls.map(|address| format!("https://{}", reachable(address)))
}

/// Where its owner's commands connect: over loopback, since only there the owner's bearer counts.
pub(crate) fn near(address: SocketAddr) -> SocketAddr {
    if address.ip().is_loopback() {
        address
    } else {
        (std::net::Ipv4Addr::LOCALHOST, address.port()).into()
    }
}

/// Where to connect to reach a listener.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        (std::net::Ipv4Addr::LOCALHOST, address.port()).into()
    } else {
        address
    }
}

/// Prefix of the key of every local project.
pub(crate) const LOCAL: &str = "local:";

/// See `Server::key`.
pub(crate) fn local_key(running: &Running) -> String {
    format!("{LOCAL}{}", running.project)
}

/// See `Server::key`.
pub(crate) fn endpoint_key(name: &str, url: &str) -> String {
    format!("endpoint:{name} {url}")
}
