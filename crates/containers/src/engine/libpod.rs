//! What Podman says about itself through its own API. The API that it shares with Docker does not
//! tell whether it runs without root's rights, nor which limits it can set then.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::limits::Limits;
use super::settings::EngineAddress;

/// Bytes of an answer that are read.
const ANSWER_MAX: usize = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize)]
struct Info {
    host: Host,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Host {
    security: Security,
    #[serde(default)]
    cgroup_controllers: Vec<String>,
    network_backend: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Security {
    rootless: bool,
}

/// What the API shared with Docker leaves out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PodmanInfo {
    /// Whether it runs without root's rights.
    pub(super) is_rootless: bool,
    /// Which limits it can set.
    pub(super) limits: Limits,
    /// `cni` or `netavark`, if it says so.
    pub(super) network_backend: Option<String>,
}

impl From<Info> for PodmanInfo {
    fn from(Info { host }: Info) -> Self {
        // Root has all controllers; other users have those that the system delegates to them.
        let can = |controller: &str| {
            !host.security.rootless || host.cgroup_controllers.iter().any(|one| one == controller)
        };
        Self {
            is_rootless: host.security.rootless,
            limits: Limits { memory: can("memory"), cpu: can("cpu"), pids: can("pids") },
            network_backend: host.network_backend.filter(|name| !name.is_empty()),
        }
    }
}

/// Asks the Podman at this address; none if it has no such API.
pub(super) async fn info(address: &EngineAddress) -> Option<PodmanInfo> {
    let asked = async {
        match address {
            EngineAddress::Unix(path) => get(UnixStream::connect(path).await.ok()?).await,
            EngineAddress::Tcp(at) => get(TcpStream::connect(at.as_str()).await.ok()?).await,
        }
    };
    let body = tokio::time::timeout(TIMEOUT, asked).await.ok()??;
    serde_json::from_slice::<Info>(&body).ok().map(PodmanInfo::from)
}

async fn get(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Option<Bytes> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    // It ends with the sender.
    tokio::spawn(connection);
    let request = Request::get("/libpod/info").header("host", "podman");
    let answer = sender.send_request(request.body(Empty::<Bytes>::new()).ok()?).await.ok()?;
    if answer.status() != StatusCode::OK {
        return None;
    }
    Some(Limited::new(answer.into_body(), ANSWER_MAX).collect().await.ok()?.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(host: &str) -> PodmanInfo {
        serde_json::from_str::<Info>(&format!(r#"{{"host":{{{host}}}}}"#)).expect("JSON").into()
    }

    #[test]
    fn without_root_only_delegated_limits_can_be_set() {
        let rootless = read(
            r#""security":{"rootless":true},"cgroupControllers":["memory","pids"],"networkBackend":"netavark""#,
        );
        assert!(rootless.is_rootless);
        assert_eq!(rootless.limits, Limits { memory: true, cpu: false, pids: true });
        assert_eq!(rootless.network_backend.as_deref(), Some("netavark"));
        let root = read(r#""security":{"rootless":false}"#);
        assert_eq!(root.limits, Limits { memory: true, cpu: true, pids: true });
        assert_eq!((root.is_rootless, root.network_backend), (false, None));
    }
}
