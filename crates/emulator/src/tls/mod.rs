//! HTTPS: a local certificate authority, a certificate per host, and the handshake.
//!
//! Nothing of this is loaded without `--tls`. `Strict-Transport-Security` is never sent, also not
//! for an app: a browser would refuse plain HTTP to that host from then on.

mod authority;
mod leaves;

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::NoServerSessionStorage;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use authority::{Authority, NAME};
use leaves::Leaves;

/// Time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The response to plain HTTP on the port for HTTPS.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 52\r\nConnection: close\r\n\r\n{\"message\":\"this port speaks HTTPS: use https://\"}\r\n";

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[error("{}{source}", path.as_deref().map(|path| format!("{} can't be used: ", path.display())).unwrap_or_default())]
pub struct TlsError {
    /// The file, if it is about one.
    pub path: Option<PathBuf>,
    /// The fault.
    pub source: io::Error,
}

impl TlsError {
    fn of(why: impl Display) -> Self {
        Self { path: None, source: io::Error::other(format!("TLS can't be set up: {why}")) }
    }
}

/// Whether the two sides agreed on HTTP/2; otherwise they speak HTTP/1.1.
pub type AlpnIsH2 = bool;

/// The configuration for HTTPS.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    /// The authority's certificate.
    authority: Arc<str>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Creates it with the authority of this state directory, which is created if there is none;
    /// without a directory, with one that is not kept.
    pub fn load_or_create(dir: Option<&Path>) -> Result<Self, TlsError> {
        let authority = match dir {
            Some(dir) => Authority::load_or_create(dir)?,
            None => Authority::ephemeral()?,
        };
        let pem = authority.pem().into();
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(rustls::ALL_VERSIONS)
                .map_err(TlsError::of)?
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(Leaves::new(authority)?));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // A client resumes with its ticket: the server keeps nothing.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::of)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority: pem })
    }

    /// The configuration: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(self.acceptor.config())
    }

    /// The authority's certificate, as PEM.
    pub fn authority(&self) -> &Arc<str> {
        &self.authority
    }

    /// Runs the handshake, within ten seconds.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<(TlsStream<TcpStream>, AlpnIsH2)> {
        let handshake = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
                refuse_plain(stream).await;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it speaks plain HTTP"));
            }
            self.acceptor.accept(stream).await
        };
        let stream = tokio::time::timeout(HANDSHAKE, handshake).await??;
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((stream, is_h2))
    }
}

/// Tells a client that speaks plain HTTP to use HTTPS.
async fn refuse_plain(mut stream: TcpStream) {
    // Unread bytes would reset the connection before the response is read.
    let mut asked = [0; 4096];
    let _ = stream.try_read(&mut asked);
    // The client may have gone.
    let _ = stream.write_all(SPEAK_TLS).await;
    let _ = stream.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silent_clients_time_out() {
        let tls = Tls::load_or_create(None).expect("made");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, _) = accepted.expect("accepted");
        let begun = tokio::time::Instant::now();
        let error = tls.accept(stream).await.expect_err("it said nothing");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= HANDSHAKE, "{:?}", begun.elapsed());
        drop(client);
    }
}
