//! The addresses of an emulator, and the keys that logins and tokens are stored under.

use std::net::SocketAddr;

use ovhai_client::Endpoint;
use ovhai_emulator::state::Running;

/// How to call an emulator as its administrator. It is called by the one name that it answers to
/// wherever it listens.
pub(crate) fn endpoint(running: &Running) -> Endpoint {
    Endpoint {
        base: format!("http://localhost:{}", running.address.port()),
        bearer: Some(running.administrator.clone()),
        connect: Some(reachable(running.address)),
    }
}

/// The address of an emulator, for people.
pub(crate) fn root(running: &Running) -> String {
    format!("http://{}", reachable(running.address))
}

/// The same with TLS, where that is served.
pub(crate) fn secure_root(running: &Running) -> Option<String> {
    running.tls.map(|address| format!("https://{}", reachable(address)))
}

/// Where to connect to reach a listener.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        (std::net::Ipv4Addr::LOCALHOST, address.port()).into()
    } else {
        address
    }
}

/// Begins the key of every local project.
pub(crate) const LOCAL: &str = "local:";

/// See `Server::key`.
pub(crate) fn local_key(running: &Running) -> String {
    format!("{LOCAL}{}", running.project)
}

/// See `Server::key`.
pub(crate) fn endpoint_key(name: &str, url: &str) -> String {
    format!("endpoint:{name} {url}")
}
