//! The bytes of a terminal in a container. The library that makes the other calls takes them for
//! frames, which an engine sends only where there is no terminal.

use bollard::Docker;
use bollard::errors::Error;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::find::Engine;
use super::settings::EngineAddress;

/// Bytes of an answer that are read.
const ANSWER_MAX: usize = 64 * 1024;

/// An engine's reason.
#[derive(Debug, Deserialize)]
struct Refusal {
    message: String,
}

/// Starts a command that was created with a terminal, and returns what is typed and shown.
pub(crate) async fn start_terminal(engine: &Engine, id: &str) -> Result<TokioIo<Upgraded>, Error> {
    let address = EngineAddress::parse(&engine.info.address);
    match address.map_err(|why| refused(StatusCode::BAD_REQUEST, why))? {
        EngineAddress::Unix(path) => start(UnixStream::connect(path).await?, engine, id).await,
        EngineAddress::Tcp(at) => start(TcpStream::connect(at.as_str()).await?, engine, id).await,
    }
}

fn refused(status: StatusCode, message: String) -> Error {
    Error::DockerResponseServerError { status_code: status.as_u16(), message }
}

async fn start(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    engine: &Engine,
    id: &str,
) -> Result<TokioIo<Upgraded>, Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender, or hands the connection on.
    tokio::spawn(connection.with_upgrades());
    let request = Request::post(path(&engine.docker, id))
        .header(HOST, "engine")
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "tcp")
        .body(Full::new(Bytes::from_static(br#"{"Detach":false,"Tty":true}"#)))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(TokioIo::new(hyper::upgrade::on(answer).await?));
    }
    let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let message = serde_json::from_slice(&body).map(|Refusal { message }| message);
    let message = message.unwrap_or_else(|_| format!("it starts no command: {status}"));
    Err(refused(status, message))
}

fn path(docker: &Docker, id: &str) -> String {
    let version = docker.client_version();
    format!("/v{}.{}/exec/{id}/start", version.major_version, version.minor_version)
}
