//! The HTTP probe of an app.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Sends one `GET`; the error says why the response is not good.
///
/// With a path the probe needs a 2xx or 3xx, as in Kubernetes. Without one any response but a server
/// error is good: an API need not have a page at `/`.
pub async fn http(address: SocketAddr, path: Option<&str>) -> Result<(), String> {
    let status = tokio::time::timeout(TIMEOUT, get(address, path.unwrap_or("/")))
        .await
        .map_err(|_| format!("port {} accepts connections but does not answer", address.port()))?
        .map_err(|why| format!("port {} does not answer: {why}", address.port()))?;
    let will_do = match path {
        Some(_) => status.is_success() || status.is_redirection(),
        None => !status.is_server_error(),
    };
    if will_do {
        Ok(())
    } else {
        Err(format!(
            "the probe of {} on port {} is answered with {status}",
            path.unwrap_or("/"),
            address.port()
        ))
    }
}

async fn get(address: SocketAddr, path: &str) -> Result<StatusCode, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let stream = TcpStream::connect(address).await.map_err(|error| text(&error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| text(&e))?;
    let request = Request::get(path)
        .header(HOST, address.to_string())
        .header(USER_AGENT, "ovhai-probe")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| text(&error))?;
    let answer = async { sender.send_request(request).await.map(|response| response.status()) };
    let mut answer = std::pin::pin!(answer);
    let status = tokio::select! {
        biased;
        status = &mut answer => status,
        // A short response and the end of the connection may come together.
        _ = connection => answer.await,
    };
    status.map_err(|error| text(&error))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn probe(answer: &'static [u8], path: Option<&str>) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let server = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 1024]).await;
            // Head, body and end in one go.
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        };
        tokio::join!(http(address, path), server).0
    }

    #[tokio::test]
    async fn answers() {
        for good in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi",
            b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhi",
            b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.0 404 Not Found\r\n\r\n",
        ] {
            assert_eq!(probe(good, None).await, Ok(()), "{}", String::from_utf8_lossy(good));
        }
        for bad in [&b""[..], b"rubbish", b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"] {
            assert!(probe(bad, None).await.is_err(), "{}", String::from_utf8_lossy(bad));
        }
        let missing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        let why = probe(missing, Some("/health")).await.expect_err("it has to be there");
        assert!(why.contains("/health") && why.contains("404"), "{why}");
    }
}
