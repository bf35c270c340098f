//! Asks an app whether it answers.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_secs(5);

/// One `GET`; the error says what was seen instead of an answer that will do.
///
/// With a path of its own the probe wants a 2xx or 3xx, as Kubernetes does. Without one any
/// answer but a server error will do: an API need not have a page at `/`.
pub(crate) async fn http(address: SocketAddr, path: Option<&str>) -> Result<(), String> {
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
    tokio::select! {
        biased;
        status = answer => status.map_err(|error| text(&error)),
        _ = connection => Err("the connection was closed before an answer came".into()),
    }
}
