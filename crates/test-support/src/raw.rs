//! HTTP/1 as bytes: a client that sends exactly what a test gives it, and reads what comes.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::TestEmulator;

/// A watchdog: a test fails if something that has to happen takes longer.
pub const SOON: Duration = Duration::from_mins(2);

/// The value of a header in a head; the case of its name does not matter.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// One answer.
#[derive(Debug)]
pub struct Got {
    /// Status line and headers, with all line ends.
    pub head: String,
    /// Body, as far as it was read.
    pub body: Vec<u8>,
}

impl Got {
    /// The status code; 0 if there is none.
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection to the emulator.
#[derive(Debug)]
pub struct Client(pub TcpStream);

impl Client {
    /// Connects to an emulator.
    pub async fn connect(e: &TestEmulator) -> Self {
        Self::to(e.address()).await
    }

    /// Connects to any server.
    pub async fn to(address: SocketAddr) -> Self {
        Self::try_to(address).await.unwrap()
    }

    /// Connects to a server that may be gone.
    pub async fn try_to(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    /// Sends bytes to a server that may be gone.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.write_all(bytes.as_ref()).await
    }

    async fn head(&mut self) -> String {
        String::from_utf8(self.until(b"\r\n\r\n").await).unwrap()
    }

    /// The next answer, with the body that its `Content-Length` announces. Not for answers to HEAD.
    pub async fn answer(&mut self) -> Got {
        let head = self.head().await;
        let status = head.split(' ').nth(1).unwrap_or_default();
        let has_none = status.starts_with('1') || matches!(status, "204" | "304");
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; if has_none { 0 } else { length }];
        let read = tokio::time::timeout(SOON, self.0.read_exact(&mut body)).await;
        read.expect("a body").unwrap();
        Got { head, body }
    }

    /// The head of the next answer; its body is left unread.
    pub async fn answer_head(&mut self) -> Got {
        Got { head: self.head().await, body: Vec::new() }
    }

    /// The next answer, to a request of this method, with its whole body, of which chunks are decoded.
    /// Fails if the connection ends before the answer does.
    pub async fn whole_answer(&mut self, method: &str) -> io::Result<Got> {
        let read = async {
            let mut head = Vec::new();
            self.read_through(b"\r\n\r\n", &mut head).await?;
            let head = String::from_utf8(head).map_err(io::Error::other)?;
            let status = head.split(' ').nth(1).unwrap_or_default();
            let mut body = Vec::new();
            if method == "HEAD" || status.starts_with('1') || matches!(status, "204" | "304") {
                // Without a body, whatever its headers say.
            } else if header(&head, "transfer-encoding").is_some() {
                body = self.chunks().await?;
            } else if let Some(length) = header(&head, "content-length") {
                body.resize(length.parse().map_err(io::Error::other)?, 0);
                self.0.read_exact(&mut body).await?;
            } else {
                self.0.read_to_end(&mut body).await?;
            }
            Ok(Got { head, body })
        };
        tokio::time::timeout(SOON, read).await.expect("an answer in time")
    }

    /// The chunks of a body, with its trailers read and dropped.
    async fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut line = Vec::new();
            self.read_through(b"\r\n", &mut line).await?;
            let line = String::from_utf8_lossy(&line);
            let size = line.trim().split(';').next().unwrap_or_default();
            let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
            if size == 0 {
                break;
            }
            let from = body.len();
            body.resize(from + size + 2, 0);
            self.0.read_exact(&mut body[from..]).await?;
            body.truncate(from + size);
        }
        loop {
            let mut line = Vec::new();
            self.read_through(b"\r\n", &mut line).await?;
            if line == b"\r\n" {
                return Ok(body);
            }
        }
    }

    /// Reads until everything read ends with this, and nothing of what follows.
    async fn read_through(&mut self, end: &[u8], read: &mut Vec<u8>) -> io::Result<()> {
        let mut room = vec![0; 16 * 1024];
        loop {
            let available = self.0.peek(&mut room).await?;
            if available == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut taken = 0;
            while taken < available && !read.ends_with(end) {
                read.push(room[taken]);
                taken += 1;
            }
            self.0.read_exact(&mut room[..taken]).await?;
            if read.ends_with(end) {
                return Ok(());
            }
        }
    }

    /// Everything until the other side closes or resets the connection.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let read = tokio::time::timeout(SOON, self.0.read_to_end(&mut all)).await;
        // What came before a reset counts.
        let _ = read.unwrap_or_else(|_| panic!("not closed: {}", String::from_utf8_lossy(&all)));
        all
    }

    /// Reads until these bytes arrive, and returns everything read.
    pub async fn until(&mut self, end: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        let read = tokio::time::timeout(SOON, self.read_through(end, &mut all)).await;
        if let Err(error) = read.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            panic!("{error}: {}", String::from_utf8_lossy(&all));
        }
        all
    }
}

/// A connection with TLS, of a client that trusts only the authority in the emulator's directory.
pub async fn secure(e: &TestEmulator, host: &str, dir: &Path) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.join("ca.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = host.split(':').next().unwrap().to_owned();
    let stream = TcpStream::connect(e.emulator.running().tls.unwrap()).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(ServerName::try_from(name).unwrap(), stream).await.unwrap()
}

/// A whole GET.
pub fn get(host: &str, target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n")
}

/// Request targets that HTTP libraries would normalise or refuse to send.
pub const TARGETS: [&str; 14] = [
    "//a/../b;x?%zz&=+",
    "/?",
    "/??",
    "/a?b?c",
    "/%",
    "/%2e%2e/%2F",
    "/a%00b",
    "/./..//.",
    "/a+b%20c",
    "/x?a[]=1|2&b=~!$'()*,;:@",
    "/%C3%BC?q=%ff",
    "/a=b&c",
    "///",
    "/?a=http://x.example/?y",
];
