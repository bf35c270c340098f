//! Where an engine is looked for.
//!
//! The command that starts the emulator resolves this from its own environment, and keeps it with the
//! emulator's options: an emulator in the background has another environment.
//!
//! In this order: what the user gave (`--engine`, `OVHAI_ENGINE`); `DOCKER_HOST`; the context of the
//! docker CLI; `CONTAINER_HOST`; the usual sockets, of which the first one that answers is taken. A
//! place that was named is the only one: an engine that its user did not mean is never used.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hex::sha256;

/// A place where an engine may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// What names it, such as `DOCKER_HOST`.
    pub source: String,
    /// The address as it was given.
    pub address: String,
}

/// Where an engine is looked for; see the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineSettings {
    /// In this order.
    pub candidates: Vec<Candidate>,
}

/// The address of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineAddress {
    /// A socket in the file system.
    Unix(PathBuf),
    /// Host and port on this machine.
    Tcp(String),
}

impl std::fmt::Display for EngineAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(at) => write!(f, "tcp://{at}"),
        }
    }
}

impl EngineAddress {
    /// Parses an address in any of the forms of `DOCKER_HOST`, or a bare path. The error says what
    /// is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unix = |path: &str| {
            if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(format!("{text:?} is no address: use unix:///PATH or tcp://HOST:PORT"))
            }
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return unix(text.strip_prefix("unix:").unwrap_or(text));
        };
        match scheme {
            "unix" => unix(rest),
            "tcp" | "http" => tcp(rest.trim_end_matches('/')),
            "https" => Err("connections to an engine through TLS are not supported".into()),
            "ssh" => Err(
                "an engine on another machine is not supported: its containers can't be reached from here"
                    .into(),
            ),
            "npipe" => Err("named pipes are not supported: use a socket or tcp://".into()),
            _ => Err(format!("{text:?} is no address: use unix:///PATH or tcp://HOST:PORT")),
        }
    }
}

fn tcp(at: &str) -> Result<EngineAddress, String> {
    let (host, port) = match at.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        // The docker CLI's default.
        _ => (at, "2375"),
    };
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(format!("{at:?} is no address: use tcp://HOST:PORT"));
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = bare == "localhost"
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if !is_here {
        return Err(
            "an engine on another machine is not supported: its containers can't be reached from here"
                .into(),
        );
    }
    Ok(EngineAddress::Tcp(format!("{host}:{port}")))
}

impl EngineSettings {
    /// Only this address.
    pub fn only(source: impl Into<String>, address: impl Into<String>) -> Self {
        Self { candidates: vec![Candidate { source: source.into(), address: address.into() }] }
    }

    /// Resolves the places. `given` is an address, or `docker` or `podman` for the usual sockets of
    /// that engine; `environment` reads a variable.
    pub fn resolve(given: Option<&str>, environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        match given.map(str::trim).filter(|given| !given.is_empty()) {
            Some("docker") => return Self::usual(&variable, Some(false)),
            Some("podman") => return Self::usual(&variable, Some(true)),
            Some(address) => return Self::only("--engine", address),
            None => {}
        }
        if let Some(address) = variable("DOCKER_HOST") {
            let is_tls = variable("DOCKER_TLS_VERIFY").is_some() && address.starts_with("tcp://");
            let address = match address.strip_prefix("tcp://") {
                Some(rest) if is_tls => format!("https://{rest}"),
                _ => address,
            };
            return Self::only("DOCKER_HOST", address);
        }
        if let Some(context) = context(&variable) {
            return Self { candidates: vec![context] };
        }
        if let Some(address) = variable("CONTAINER_HOST") {
            return Self::only("CONTAINER_HOST", address);
        }
        Self::usual(&variable, None)
    }

    /// The usual sockets: Podman's, the others, or all.
    fn usual(variable: &dyn Fn(&str) -> Option<String>, is_podman: Option<bool>) -> Self {
        let home = variable("HOME").map(PathBuf::from);
        let runtime = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
        let under = |base: &Option<PathBuf>, rest: &str| base.as_ref().map(|base| base.join(rest));
        let mut paths: Vec<(bool, Option<PathBuf>)> = vec![
            (false, Some("/var/run/docker.sock".into())),
            (false, under(&home, ".docker/run/docker.sock")),
            (false, under(&home, ".docker/desktop/docker.sock")),
            (false, under(&runtime, "docker.sock")),
            (true, under(&runtime, "podman/podman.sock")),
            (true, Some("/run/podman/podman.sock".into())),
        ];
        for (directory, socket) in [(".colima", "docker.sock"), (".lima", "sock/docker.sock")] {
            let profiles = under(&home, directory).map(|all| profiles(&all)).unwrap_or_default();
            paths.extend(profiles.into_iter().map(|profile| (false, Some(profile.join(socket)))));
        }
        paths.push((false, under(&home, ".colima/docker.sock")));
        paths.push((false, under(&home, ".rd/docker.sock")));
        paths.push((false, under(&home, ".orbstack/run/docker.sock")));
        let candidates = paths
            .into_iter()
            .filter(|(of_podman, _)| is_podman.is_none_or(|wanted| wanted == *of_podman))
            .filter_map(|(_, path)| path)
            .map(|path| Candidate {
                source: "a usual socket".into(),
                address: format!("unix://{}", path.display()),
            })
            .collect();
        Self { candidates }
    }
}

/// The directories in a directory, by name; the profile `default` first.
fn profiles(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort_by_key(|path| (!path.ends_with("default"), path.clone()));
    found
}

/// The endpoint of the docker CLI's context; none: the default one, which is the usual sockets.
fn context(variable: &dyn Fn(&str) -> Option<String>) -> Option<Candidate> {
    let directory = docker_config(variable)?;
    let name = variable("DOCKER_CONTEXT").or_else(|| {
        let config = json(&directory.join("config.json"))?;
        config.get("currentContext")?.as_str().map(str::to_owned)
    });
    let name = name.filter(|name| !name.is_empty() && name != "default")?;
    let hash = sha256(name.as_bytes(), 32);
    let file = directory.join("contexts/meta").join(hash).join("meta.json");
    let host = json(&file).and_then(|meta| {
        meta.get("Endpoints")?.get("docker")?.get("Host")?.as_str().map(str::to_owned)
    });
    let source = format!("the docker context {name:?}");
    // A context that can't be read is no reason to use another engine.
    let address = host.unwrap_or_else(|| format!("{} (no such context)", file.display()));
    Some(Candidate { source, address })
}

/// The directory of the docker CLI's configuration.
pub(crate) fn docker_config(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let given = variable("DOCKER_CONFIG").map(PathBuf::from);
    given.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".docker")))
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn resolve(given: Option<&str>, variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        let read = |name: &str| variables.get(name).map(|value| (*value).to_owned());
        let found = EngineSettings::resolve(given, &read);
        found.candidates.into_iter().map(|c| (c.source, c.address)).collect()
    }

    fn one(source: &str, address: &str) -> Vec<(String, String)> {
        vec![(source.into(), address.into())]
    }

    #[test]
    fn the_first_place_that_is_named_is_the_only_one() {
        let all = [
            ("DOCKER_HOST", "unix:///d.sock"),
            ("CONTAINER_HOST", "unix:///c.sock"),
            ("HOME", "/nowhere"),
        ];
        assert_eq!(resolve(Some("/given.sock"), &all), one("--engine", "/given.sock"));
        assert_eq!(resolve(None, &all), one("DOCKER_HOST", "unix:///d.sock"));
        assert_eq!(resolve(None, &all[1..]), one("CONTAINER_HOST", "unix:///c.sock"));
        let empty = [("DOCKER_HOST", ""), ("CONTAINER_HOST", " "), ("HOME", "/nowhere")];
        let usual = resolve(None, &empty);
        assert_eq!(usual[0].1, "unix:///var/run/docker.sock");
        assert!(usual.iter().any(|(_, address)| address == "unix:///nowhere/.rd/docker.sock"));
        let podman = resolve(Some("podman"), &[("XDG_RUNTIME_DIR", "/run/user/7")]);
        let addresses: Vec<&str> = podman.iter().map(|(_, address)| address.as_str()).collect();
        assert_eq!(
            addresses,
            ["unix:///run/user/7/podman/podman.sock", "unix:///run/podman/podman.sock"]
        );
    }

    #[test]
    fn contexts_of_the_docker_command() {
        let home = tempfile::tempdir().expect("a directory");
        let docker = home.path().join(".docker");
        // printf desktop-linux | sha256sum
        let meta = docker
            .join("contexts/meta/fe9c6bd7a66301f49ca9b6a70b217107cd1284598bfc254700c989b916da791e");
        std::fs::create_dir_all(&meta).expect("made");
        let write = |file: PathBuf, text: &str| std::fs::write(file, text).expect("written");
        write(
            meta.join("meta.json"),
            r#"{"Name":"desktop-linux","Endpoints":{"docker":{"Host":"unix:///x/docker.sock"}}}"#,
        );
        let home_text = home.path().to_str().expect("text").to_owned();
        let home_is = ("HOME", home_text.as_str());
        let expected = one("the docker context \"desktop-linux\"", "unix:///x/docker.sock");
        let named = [home_is, ("DOCKER_CONTEXT", "desktop-linux"), ("CONTAINER_HOST", "/c.sock")];
        assert_eq!(resolve(None, &named), expected);
        write(docker.join("config.json"), r#"{"currentContext":"desktop-linux"}"#);
        assert_eq!(resolve(None, &[home_is]), expected);
        assert!(resolve(None, &[home_is, ("DOCKER_CONTEXT", "default")]).len() > 1);
        let missing = resolve(None, &[home_is, ("DOCKER_CONTEXT", "gone")]);
        assert_eq!(missing.len(), 1, "no other engine takes its place: {missing:?}");
        assert!(EngineAddress::parse(&missing[0].1).is_ok(), "it is tried, and said to be missing");
    }

    #[test]
    fn addresses_in_all_forms() {
        for (text, expected) in [
            ("unix:///run/d.sock", "unix:///run/d.sock"),
            ("/run/d.sock", "unix:///run/d.sock"),
            ("unix:/run/d.sock", "unix:///run/d.sock"),
            ("tcp://localhost:2375", "tcp://localhost:2375"),
            ("tcp://127.0.0.1", "tcp://127.0.0.1:2375"),
            ("http://[::1]:99/", "tcp://[::1]:99"),
        ] {
            let parsed = EngineAddress::parse(text).map(|address| address.to_string());
            assert_eq!(parsed.as_deref(), Ok(expected), "{text}");
        }
        for bad in ["", "docker.sock", "unix://", "tcp://", "tcp://localhost:x", "what://x"] {
            assert!(EngineAddress::parse(bad).is_err(), "{bad}");
        }
        for elsewhere in ["ssh://me@host", "tcp://10.0.0.1:2375", "tcp://docker:2375"] {
            let why = EngineAddress::parse(elsewhere).expect_err("elsewhere");
            assert!(why.contains("another machine"), "{why}");
        }
        assert!(EngineAddress::parse("https://localhost:2376").expect_err("TLS").contains("TLS"));
        let tls = [("DOCKER_HOST", "tcp://localhost:2376"), ("DOCKER_TLS_VERIFY", "1")];
        assert_eq!(resolve(None, &tls), one("DOCKER_HOST", "https://localhost:2376"));
    }
}
