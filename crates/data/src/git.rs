//! Git repositories as volumes.
//!
//! Only what is public is fetched, unless the emulator's owner asked: by http or https, from a public
//! address, without credentials. Git gets an empty home and no settings of this machine, so that no
//! helper, hook, filter or submodule runs; it does not ask, and does not follow redirects, which could
//! lead to a private address.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use ovhai_core::ports::{Blame, VolumeFailure};
use ovhai_core::volume::{host_of, is_public};
use ovhai_runtime::launch::LaunchSpec;
use ovhai_runtime::tool::{ToolError, Tools};

/// Maximum time for one repository.
const LIMIT: Duration = Duration::from_mins(10);
/// Maximum size of one repository with its files, in bytes.
const LARGEST: u64 = 4 << 30;

/// Settings of git that no other can override.
const SETTINGS: [&str; 10] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "credential.helper=",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "advice.detachedHead=false",
];

fn user(message: String) -> VolumeFailure {
    VolumeFailure { fault: Blame::User, message }
}

/// Fetches the newest commit of a repository into a directory that does not exist yet. `home` is an
/// empty directory. `held` is kept until git has ended, also if this future is dropped.
pub(crate) async fn fetch(
    tools: &Tools,
    url: &str,
    is_owners: bool,
    to: &Path,
    home: &Path,
    held: impl Send + Sync + 'static,
) -> Result<(), VolumeFailure> {
    let resolved = match host_of(url) {
        Some(host) => addresses(url, &host, is_owners).await?,
        None => None,
    };
    let path = to.to_path_buf();
    let check = move || {
        let _held = &held;
        if size(&path) > LARGEST {
            return Err(format!("it is larger than {} GiB", LARGEST >> 30));
        }
        Ok(())
    };
    let outcome = tools.run(command(url, resolved, to, home), LIMIT, check).await;
    outcome.map_err(|error| match error {
        ToolError::NotStarted(why) => VolumeFailure {
            fault: Blame::Platform,
            message: format!("The repository {url} can't be fetched, because git can't be started: {why}; install git on this machine"),
        },
        ToolError::Ended(why) => user(format!("Fetching the repository {url} was ended: {why}")),
        ToolError::Failed(why) => user(format!(
            "The repository {url} can't be fetched: {}; only public repositories are, by the address that git clone takes without a login",
            why.trim().replace('\n', "; ")
        )),
    })
}

fn command(url: &str, resolved: Option<String>, to: &Path, home: &Path) -> LaunchSpec {
    let mut command = vec!["git".to_owned()];
    for setting in SETTINGS.map(str::to_owned).into_iter().chain(resolved) {
        command.extend(["-c".to_owned(), setting]);
    }
    let words = [
        "clone",
        "--quiet",
        "--depth=1",
        "--single-branch",
        "--no-tags",
        "--no-recurse-submodules",
        "--template=",
        "--",
        url,
    ];
    command.extend(words.map(str::to_owned));
    command.push(to.to_string_lossy().into_owned());
    let home = home.to_string_lossy();
    let is_local = host_of(url).is_none();
    let env = [
        ("PATH", std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into())),
        ("HOME", home.clone().into_owned()),
        ("XDG_CONFIG_HOME", home.into_owned()),
        ("LC_ALL", "C".into()),
        ("GIT_ALLOW_PROTOCOL", if is_local { "file" } else { "https:http" }.into()),
        ("GIT_ASKPASS", "/bin/false".into()),
        ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ("GIT_LFS_SKIP_SMUDGE", "1".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
        ("SSH_ASKPASS", "/bin/false".into()),
    ];
    LaunchSpec {
        command,
        inherits: false,
        env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        directory: None,
        terminal: false,
    }
}

/// Looks up a host, refuses private addresses unless the owner asked, and returns the setting that has
/// git use these addresses: another answer could follow.
async fn addresses(
    url: &str,
    host: &str,
    is_owners: bool,
) -> Result<Option<String>, VolumeFailure> {
    if is_owners {
        return Ok(None);
    }
    let port = port_of(url);
    let found: Vec<IpAddr> = match tokio::net::lookup_host((host, port)).await {
        Ok(found) => found.map(|address| address.ip()).collect(),
        Err(error) => {
            return Err(user(format!("The host of {url} can't be looked up: {error}")));
        }
    };
    if let Some(private) = found.iter().find(|address| !is_public(**address)) {
        return Err(user(format!(
            "The repository {url} is not fetched: its address {private} is a private one, which only the emulator's owner may name"
        )));
    }
    if host.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    let shown = |address: &IpAddr| match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    let list = found.iter().map(shown).collect::<Vec<_>>().join(",");
    Ok(Some(format!("http.curloptResolve={host}:{port}:{list}")))
}

fn port_of(url: &str) -> u16 {
    let default = if url.to_ascii_lowercase().starts_with("http://") { 80 } else { 443 };
    let authority = url.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    port.and_then(|port| port.parse().ok()).unwrap_or(default)
}

/// The size of what is in a directory so far, without following links.
fn size(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => size(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        for (url, port) in [
            ("https://a/b", 443),
            ("http://a/b:1", 80),
            ("https://a:8443/b", 8443),
            ("http://[::1]:3000/x", 3000),
            ("https://[::1]/x", 443),
        ] {
            assert_eq!(port_of(url), port, "{url}");
        }
    }

    #[test]
    fn git_gets_nothing_of_this_machine() {
        let made = command("https://a/b", None, Path::new("/to"), Path::new("/home"));
        let at = made.command.iter().position(|word| word == "--").unwrap();
        assert_eq!(made.command[at + 1..], ["https://a/b", "/to"]);
        assert!(!made.inherits);
        let value =
            |name: &str| made.env.iter().find(|(known, _)| known == name).unwrap().1.clone();
        assert_eq!(value("GIT_ALLOW_PROTOCOL"), "https:http");
        let local = command("file:///a", None, Path::new("/to"), Path::new("/home"));
        assert!(local.env.contains(&("GIT_ALLOW_PROTOCOL".into(), "file".into())));
    }

    #[tokio::test]
    async fn names_of_private_addresses_are_refused() {
        let refused = addresses("http://localhost:9/x", "localhost", false).await;
        assert!(refused.unwrap_err().message.contains("private"));
        assert_eq!(addresses("http://localhost:9/x", "localhost", true).await, Ok(None));
    }
}
