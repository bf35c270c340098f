//! The way from containers to other apps: a listener at the gateway of each network of containers.
//!
//! It is bound to the gateway's address only, and its owner serves only peers of the network
//! ([`AppPeers::admits`]): on Linux a packet for one address of a machine may arrive on any of its
//! interfaces.
//!
//! What must not be here: what is served.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::{mpsc, watch};

/// The name of the gateway in containers.
pub const GATEWAY_HOST: &str = "gateway.ovhai.internal";
/// The variable that has its address in containers.
pub const GATEWAY_VARIABLE: &str = "OVHAI_GATEWAY";

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// How often, and after which time, an address is tried again that is in use.
const TRIES: u32 = 50;
const AGAIN: Duration = Duration::from_millis(20);

/// The gateway's address for containers, as a URL.
pub(crate) fn url(port: u16) -> String {
    format!("http://{GATEWAY_HOST}:{port}")
}

/// An IPv4 subnet, and the gateway in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subnet {
    base: u32,
    mask: u32,
    gateway: Ipv4Addr,
}

impl Subnet {
    /// Parses a subnet such as `172.18.0.0/16`.
    pub(crate) fn new(subnet: &str, gateway: Ipv4Addr) -> Option<Self> {
        let (base, prefix) = subnet.split_once('/')?;
        let base = u32::from(base.parse::<Ipv4Addr>().ok()?);
        let prefix = prefix.parse::<u32>().ok().filter(|prefix| (1..=30).contains(prefix))?;
        let mask = u32::MAX << (32 - prefix);
        let found = Self { base: base & mask, mask, gateway };
        (u32::from(gateway) & mask == found.base).then_some(found)
    }

    /// Whether a container has the address. The gateway's own is this machine's.
    fn has_container(&self, address: IpAddr) -> bool {
        let IpAddr::V4(address) = address else { return false };
        u32::from(address) & self.mask == self.base && address != self.gateway
    }
}

/// A listener for the containers of one network.
#[derive(Debug)]
pub struct AppListener {
    /// It is bound to the network's gateway.
    pub listener: TcpListener,
    subnet: Subnet,
    open: watch::Receiver<()>,
}

impl AppListener {
    /// Splits it into the listener and its peers.
    pub fn into_parts(self) -> (TcpListener, AppPeers) {
        (self.listener, AppPeers { subnet: self.subnet, open: self.open })
    }
}

/// The peers of a listener for containers.
#[derive(Debug, Clone)]
pub struct AppPeers {
    subnet: Subnet,
    open: watch::Receiver<()>,
}

impl AppPeers {
    /// Whether the address is one of a container in the network.
    pub fn admits(&self, peer: SocketAddr) -> bool {
        self.subnet.has_container(peer.ip())
    }

    /// Waits until the network is removed.
    pub async fn closed(&self) {
        let mut open = self.open.clone();
        // Nothing is sent: it ends with the sender.
        while open.changed().await.is_ok() {}
    }
}

/// Opens listeners for containers.
#[derive(Debug)]
pub struct FromApps {
    port: u16,
    listeners: mpsc::UnboundedSender<AppListener>,
}

/// An open listener: it closes when this is dropped.
#[derive(Debug)]
pub(crate) struct OpenListener {
    /// Its address.
    pub(crate) at: SocketAddrV4,
    _open: watch::Sender<()>,
}

impl FromApps {
    /// Gives the listeners, which all have this port, to the receiver.
    pub fn new(port: u16) -> (Self, mpsc::UnboundedReceiver<AppListener>) {
        let (listeners, receiver) = mpsc::unbounded_channel();
        (Self { port, listeners }, receiver)
    }

    /// The gateway's address for containers.
    pub(crate) fn url(&self) -> String {
        url(self.port)
    }

    /// Listens at the gateway of a network, before its first container starts.
    pub(crate) async fn open(&self, subnet: &str, gateway: Ipv4Addr) -> io::Result<OpenListener> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "its subnet is not IPv4");
        let subnet = Subnet::new(subnet, gateway).ok_or_else(invalid)?;
        let at = SocketAddrV4::new(gateway, self.port);
        let mut tries = 0;
        let listener = loop {
            match listen(at) {
                // Its last user was the network before this one, whose listener is being closed.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(AGAIN).await;
                }
                outcome => break outcome?,
            }
        };
        let (sender, open) = watch::channel(());
        // The edge stops before the runtime of containers: what is left closes at once.
        let _ = self.listeners.send(AppListener { listener, subnet, open });
        Ok(OpenListener { at, _open: sender })
    }
}

/// Binds a listener to an address that this machine may not have yet: Podman gives it to a network
/// with the first container.
fn listen(at: SocketAddrV4) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_ip_freebind(&socket, true)?;
    socket.bind(at.into())?;
    socket.listen(BACKLOG)?.into_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_containers_are_peers() {
        let gateway = Ipv4Addr::new(172, 18, 0, 1);
        let subnet = Subnet::new("172.18.0.0/16", gateway).expect("a subnet");
        for (address, is_container) in [
            ("172.18.0.2", true),
            ("172.18.255.254", true),
            ("172.18.0.1", false),
            ("172.17.0.2", false),
            ("127.0.0.1", false),
            ("10.0.0.1", false),
            ("::ffff:172.18.0.2", false),
            ("::1", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(subnet.has_container(address), is_container, "{address}");
        }
        for bad in ["", "172.18.0.0", "x/16", "172.18.0.0/0", "172.18.0.0/31", "10.0.0.0/8"] {
            assert_eq!(Subnet::new(bad, gateway), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_listener_closes_with_its_network() {
        let (from_apps, mut listeners) = FromApps::new(0);
        let opened = from_apps.open("127.0.0.0/8", Ipv4Addr::LOCALHOST).await;
        let opened = opened.expect("it opens");
        let (_, peers) = listeners.recv().await.expect("a listener").into_parts();
        assert!(peers.admits(([127, 0, 0, 2], 1).into()));
        assert!(!peers.admits(([127, 0, 0, 1], 1).into()), "this machine");
        drop(opened);
        peers.closed().await;
    }
}
