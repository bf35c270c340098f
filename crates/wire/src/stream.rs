//! Connections with clients.

use std::net::SocketAddr;

use rustix::event::{PollFd, PollFlags, Timespec};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// The sender of a request, as far as its connection tells.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Where the connection comes from.
    pub address: SocketAddr,
    /// Whether it came over TLS.
    pub secure: bool,
    /// Whether it is an app's, at a listener that serves apps only.
    pub is_app: bool,
}

impl Peer {
    /// Whether it is on this machine: its connection came over loopback.
    pub fn is_here(&self) -> bool {
        !self.is_app && self.address.ip().to_canonical().is_loopback()
    }
}

/// A connection with a client.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Makes closing it visible as breaking off, where the end of the bytes would not tell.
    fn abort(&self);

    /// Whether the client has closed; bytes that it sent before are perhaps still unread.
    fn is_closed(&self) -> bool;
}

#[cfg(feature = "tls")]
impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn abort(&self) {
        self.get_ref().0.abort();
    }

    fn is_closed(&self) -> bool {
        self.get_ref().0.is_closed()
    }
}

impl Stream for TcpStream {
    fn abort(&self) {
        // If it is closed already, there is nothing to break off.
        let _ = self.set_zero_linger();
    }

    fn is_closed(&self) -> bool {
        let closed = PollFlags::HUP | PollFlags::ERR;
        #[cfg(target_os = "linux")]
        let closed = closed | PollFlags::RDHUP;
        let mut polled = [PollFd::new(self, closed)];
        let looked = rustix::event::poll(&mut polled, Some(&Timespec::default()));
        looked.is_ok() && polled[0].revents().intersects(closed)
    }
}
