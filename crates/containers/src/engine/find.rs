//! Finds an engine that answers, and asks what it is.

use std::io;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::net::{TcpStream, UnixStream};

use super::libpod;
use super::limits::Limits;
use super::settings::{Candidate, EngineAddress, EngineSettings};

/// Time that an engine has to answer when it is looked for.
const PING: Duration = Duration::from_secs(2);
/// Time that an engine has to begin an answer, in seconds. Creating a container may take long on a
/// busy machine.
const TIMEOUT: u64 = 60;

/// The kind of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// Docker, or one that says so.
    Docker,
    /// Podman.
    Podman,
}

impl std::fmt::Display for EngineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        })
    }
}

/// How the engine gives GPUs to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gpus {
    /// It has none.
    None,
    /// By NVIDIA's runtime.
    Runtime,
    /// By names of devices (CDI).
    Cdi,
}

/// What an engine says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Its kind.
    pub kind: EngineKind,
    /// Its version.
    pub version: String,
    /// The version of its API.
    pub api_version: String,
    /// Where it is.
    pub address: String,
    /// What named that place.
    pub source: String,
    /// Whether it runs without root's rights.
    pub is_rootless: bool,
    /// The operating system that it says it runs on.
    pub system: String,
    /// Architecture of its machine, as images name it.
    pub architecture: String,
    /// Number of its CPUs.
    pub cpus: u32,
    /// Its memory, in bytes.
    pub memory: u64,
    /// Which limits it can set.
    pub limits: Limits,
    /// What makes Podman's networks: `cni` or `netavark`.
    pub network_backend: Option<String>,
    /// How it gives GPUs.
    pub gpus: Gpus,
}

impl EngineInfo {
    /// What it can't isolate whatever it is asked for, in sentences without a full stop.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let products = ["Docker Desktop", "OrbStack", "Rancher Desktop"];
        let is_virtual = !cfg!(target_os = "linux")
            || products.iter().any(|product| self.system.contains(product));
        let virtual_machine = is_virtual.then(|| {
            "the engine runs in a virtual machine: its containers can reach programs on this machine at host.docker.internal or host.containers.internal, even those that listen on loopback only, such as the emulator's API, which still requires credentials".to_owned()
        });
        let untested = (self.network_backend.as_deref() == Some("netavark")).then(|| {
            "Podman's networks are made by netavark: that it separates apps was tested with CNI only".to_owned()
        });
        let lacks = [
            (self.limits.pids, "processes"),
            (self.limits.memory, "memory"),
            (self.limits.cpu, "CPU time"),
        ];
        let lacks = lacks.iter().filter(|(can, _)| !can);
        let lacks = lacks.map(|(_, what)| format!("the engine can't limit an app's {what}"));
        virtual_machine.into_iter().chain(untested).chain(lacks).collect()
    }
}

/// An engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    /// The connection to it.
    pub(crate) docker: Docker,
    /// What it is.
    pub info: EngineInfo,
    /// The places before it in which none answered.
    pub tried: Vec<Tried>,
}

/// A place that was tried, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The place.
    pub candidate: Candidate,
    /// Why no engine is there.
    pub said: String,
    /// Whether there is nothing at all in that place.
    pub is_absent: bool,
}

/// No engine answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEngine {
    /// In their order.
    pub tried: Vec<Tried>,
}

impl NoEngine {
    /// Whether none of the usual places has anything: no engine is installed, or none was started.
    pub fn is_there_none(&self) -> bool {
        self.tried.len() != 1 && self.tried.iter().all(|tried| tried.is_absent)
    }
}

impl std::fmt::Display for NoEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no container engine answers")?;
        for (i, tried) in self.tried.iter().enumerate() {
            let before = if i == 0 { ": " } else { "; " };
            let Candidate { source, address } = &tried.candidate;
            write!(f, "{before}{address} ({source}): {}", tried.said)?;
        }
        Ok(())
    }
}

/// The first engine that answers. All places are asked at the same time.
pub(crate) async fn find(settings: &EngineSettings) -> Result<Engine, NoEngine> {
    let mut answers: FuturesOrdered<_> = settings.candidates.iter().map(try_one).collect();
    let mut tried = Vec::new();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(engine) => return Ok(Engine { tried, ..engine }),
            Err(failure) => tried.push(failure),
        }
    }
    Err(NoEngine { tried })
}

async fn try_one(candidate: &Candidate) -> Result<Engine, Tried> {
    let failed = |said: String, is_absent| Tried { candidate: candidate.clone(), said, is_absent };
    let address = EngineAddress::parse(&candidate.address).map_err(|why| failed(why, false))?;
    let answer = tokio::time::timeout(PING, async {
        reach(&address).await.map_err(|error| {
            let is_absent = error.kind() == io::ErrorKind::NotFound;
            failed(io_text(&error), is_absent)
        })?;
        let docker = connect(&address).map_err(|why| failed(why, false))?;
        docker.ping().await.map_err(|error| failed(text(&error), false))?;
        Ok(docker)
    });
    let docker =
        answer.await.map_err(|_| failed("it does not answer within 2 seconds".into(), false))??;
    let limit = tokio::time::timeout(PING * 5, describe(docker, &address, candidate));
    match limit.await {
        Ok(Ok(engine)) => Ok(engine),
        Ok(Err(error)) => Err(failed(text(&error), false)),
        Err(_) => Err(failed("it does not describe itself within 10 seconds".into(), false)),
    }
}

/// Whether something accepts connections there: its error says more than the client's.
async fn reach(address: &EngineAddress) -> io::Result<()> {
    match address {
        EngineAddress::Unix(path) => UnixStream::connect(path).await.map(drop),
        EngineAddress::Tcp(at) => TcpStream::connect(at.as_str()).await.map(drop),
    }
}

fn io_text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such socket".into(),
        io::ErrorKind::ConnectionRefused => "nothing listens there".into(),
        io::ErrorKind::PermissionDenied => {
            "permission denied: your user may not use this engine".into()
        }
        _ => error.to_string(),
    }
}

/// A client for this address; connects when it is used.
pub(crate) fn connect(address: &EngineAddress) -> Result<Docker, String> {
    let docker = match address {
        EngineAddress::Unix(path) => {
            Docker::connect_with_unix(&path.to_string_lossy(), TIMEOUT, API_DEFAULT_VERSION)
        }
        EngineAddress::Tcp(at) => {
            Docker::connect_with_http(&format!("http://{at}"), TIMEOUT, API_DEFAULT_VERSION)
        }
    };
    docker.map(|docker| docker.with_request_modifier(url_safe)).map_err(|error| text(&error))
}

/// Engines read credentials in the alphabet for URLs; the client writes the other one.
fn url_safe(mut request: BollardRequest) -> BollardRequest {
    if let Some(value) = request.headers_mut().get_mut("X-Registry-Auth") {
        let safe: Vec<u8> = value
            .as_bytes()
            .iter()
            .map(|byte| match byte {
                b'+' => b'-',
                b'/' => b'_',
                byte => *byte,
            })
            .collect();
        if let Ok(mut safe) = safe.as_slice().try_into() {
            std::mem::swap(value, &mut safe);
        }
    }
    request
}

async fn describe(
    docker: Docker,
    address: &EngineAddress,
    candidate: &Candidate,
) -> Result<Engine, bollard::errors::Error> {
    let docker = docker.negotiate_version().await?;
    let (version, info) = tokio::try_join!(docker.version(), docker.info())?;
    let components = version.components.unwrap_or_default();
    let is_podman = components.iter().any(|part| part.name.contains("Podman"));
    let options = info.security_options.unwrap_or_default();
    let has_nvidia = info.runtimes.is_some_and(|all| all.contains_key("nvidia"));
    let devices = info.discovered_devices.unwrap_or_default();
    let has_cdi = devices
        .iter()
        .any(|device| device.id.as_deref().is_some_and(|id| id.starts_with("nvidia.com/gpu")));
    let architecture = match info.architecture.or(version.arch).unwrap_or_default().as_str() {
        "x86_64" => "amd64".into(),
        "aarch64" => "arm64".into(),
        other => other.to_owned(),
    };
    let podman = if is_podman { libpod::info(address).await } else { None };
    let said = Limits {
        memory: info.memory_limit.unwrap_or(true),
        cpu: info.cpu_cfs_quota.unwrap_or(true),
        pids: info.pids_limit.unwrap_or(true),
    };
    let info = EngineInfo {
        kind: if is_podman { EngineKind::Podman } else { EngineKind::Docker },
        version: version.version.unwrap_or_default(),
        api_version: version.api_version.unwrap_or_default(),
        address: address.to_string(),
        source: candidate.source.clone(),
        is_rootless: podman.as_ref().is_some_and(|podman| podman.is_rootless)
            || options.iter().any(|option| option.contains("rootless")),
        system: info.operating_system.unwrap_or_default(),
        architecture,
        cpus: info.ncpu.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1),
        memory: info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
        limits: podman.as_ref().map_or(said, |podman| podman.limits.and(said)),
        network_backend: podman.and_then(|podman| podman.network_backend),
        gpus: match (has_nvidia, has_cdi) {
            (true, _) => Gpus::Runtime,
            (false, true) => Gpus::Cdi,
            (false, false) => Gpus::None,
        },
    };
    Ok(Engine { docker, info, tried: Vec::new() })
}

/// What a call to an engine failed with: the engine's own words, or those of the connection.
pub(crate) fn text(error: &bollard::errors::Error) -> String {
    use bollard::errors::Error;

    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } => error.trim().to_owned(),
        Error::RequestTimeoutError => "the engine does not answer".into(),
        other => {
            // The innermost one has the reason.
            let mut innermost: &dyn std::error::Error = other;
            while let Some(source) = innermost.source() {
                innermost = source;
            }
            innermost.to_string()
        }
    }
}

/// The status of an engine's answer; none: it did not answer.
pub(crate) fn status(error: &bollard::errors::Error) -> Option<u16> {
    match error {
        bollard::errors::Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    /// An engine that answers to a ping and to questions about itself.
    fn pretend(socket: &std::path::Path, version: &'static str, info: &'static str) {
        let listener = UnixListener::bind(socket).expect("a socket");
        tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                tokio::spawn(async move {
                    let mut head = [0; 4096];
                    while let Ok(count @ 1..) = stream.read(&mut head).await {
                        let head = String::from_utf8_lossy(&head[..count]);
                        let body = match head.split(' ').nth(1) {
                            Some(path) if path.ends_with("/version") => version,
                            Some(path) if path.ends_with("/libpod/info") => {
                                r#"{"host":{"security":{"rootless":true},"cgroupControllers":["memory"],"networkBackend":"netavark"}}"#
                            }
                            Some(path) if path.ends_with("/info") => info,
                            _ => "OK",
                        };
                        let answer = format!(
                            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
                            body.len()
                        );
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
    }

    fn at(path: &std::path::Path) -> Candidate {
        Candidate { source: "test".into(), address: path.display().to_string() }
    }

    const DOCKER: &str = r#"{"Version":"29.0.1","ApiVersion":"1.52","Arch":"amd64","Components":[{"Name":"Engine","Version":"29.0.1"}]}"#;
    const PODMAN: &str = r#"{"Version":"4.3.1","ApiVersion":"1.41","Components":[{"Name":"Podman Engine","Version":"4.3.1"}]}"#;

    #[tokio::test]
    async fn the_first_one_that_answers() {
        let directory = tempfile::tempdir().expect("a directory");
        let [missing, refusing, docker, podman] =
            ["missing", "refusing", "docker", "podman"].map(|name| directory.path().join(name));
        drop(UnixListener::bind(&refusing).expect("a socket"));
        std::os::unix::fs::symlink(directory.path().join("nowhere"), directory.path().join("link"))
            .expect("a link");
        pretend(&docker, DOCKER, r#"{"NCPU":8,"MemTotal":1024,"Architecture":"x86_64"}"#);
        // Podman's answers in Docker's way do not tell that it is rootless.
        let rootless = r#"{"NCPU":4,"MemoryLimit":false,"Architecture":"aarch64"}"#;
        pretend(&podman, PODMAN, rootless);

        let dangling = directory.path().join("link");
        let places = [&missing, &dangling, &refusing, &docker, &podman];
        let settings =
            EngineSettings { candidates: places.iter().map(|place| at(place)).collect() };
        let found = find(&settings).await.expect("an engine");
        assert_eq!(found.tried.len(), 3);
        let found = found.info;
        assert_eq!((found.kind, found.version.as_str()), (EngineKind::Docker, "29.0.1"));
        assert_eq!((found.cpus, found.memory, found.is_rootless), (8, 1024, false));
        assert_eq!(found.architecture, "amd64");

        let found = find(&EngineSettings { candidates: vec![at(&podman)] }).await;
        let found = found.expect("an engine").info;
        assert_eq!((found.kind, found.is_rootless), (EngineKind::Podman, true));
        assert_eq!((found.architecture.as_str(), found.limits.memory), ("arm64", false));
        assert!(!found.limits.pids && found.gaps().iter().any(|gap| gap.contains("netavark")));

        let settings =
            EngineSettings { candidates: places[..3].iter().map(|place| at(place)).collect() };
        let none = find(&settings).await.expect_err("no engine");
        let said: Vec<&str> = none.tried.iter().map(|tried| tried.said.as_str()).collect();
        assert_eq!(said, ["no such socket", "no such socket", "nothing listens there"]);
        assert!(!none.is_there_none(), "one may come back");
        let text = none.to_string();
        assert!(text.contains("missing (test): no such socket; "), "{text}");
    }

    #[tokio::test]
    async fn one_that_hangs_is_given_two_seconds() {
        let directory = tempfile::tempdir().expect("a directory");
        let hangs = directory.path().join("hangs");
        let _listener = UnixListener::bind(&hangs).expect("a socket");
        let none = find(&EngineSettings { candidates: vec![at(&hangs)] }).await;
        let none = none.expect_err("no engine");
        assert_eq!(none.tried[0].said, "it does not answer within 2 seconds");
    }

    #[test]
    fn credentials_in_the_alphabet_for_urls() {
        let request = |value: &str| {
            let body = bollard::body_full(bytes::Bytes::new());
            let mut request = BollardRequest::new(body);
            request.headers_mut().insert("X-Registry-Auth", value.parse().expect("a value"));
            request
        };
        let changed = url_safe(request("a+b/c=="));
        assert_eq!(changed.headers()["X-Registry-Auth"], "a-b_c==");
    }
}
