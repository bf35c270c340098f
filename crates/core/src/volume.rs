//! Volumes of apps: where their files come from, and what may become of them.
//!
//! A volume is checked when the app is submitted. Whether its source exists is seen when the app starts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ovhai_api_types::{
    DataStoreVolumeSource, PrivateSwiftVolumeSource, PublicGitVolumeSource, StandaloneVolumeSource,
    Volume,
};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Maximum number of volumes of an app.
const MOST: usize = 10;
const LONGEST_PATH: usize = 1024;
/// Directories of a container that belong to the system: nothing is mounted over them or in them.
const SYSTEM: [&str; 3] = ["/proc", "/sys", "/dev"];

/// What an app may do with a volume, and what is written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Permission {
    /// Read; nothing is written back.
    Ro,
    /// Read and write; files that were added or changed are written back, none is deleted.
    Rw,
    /// Read, write and delete; files that were deleted are deleted in the store, too.
    Rwd,
}

impl Permission {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ro => "RO",
            Self::Rw => "RW",
            Self::Rwd => "RWD",
        }
    }

    /// Whether the app may write.
    pub fn writes(self) -> bool {
        self != Self::Ro
    }
}

/// Where a volume's files come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VolumeSource {
    /// A container of a data store.
    DataStore {
        /// The data store's alias.
        alias: String,
        /// The container.
        container: String,
        /// Only what is below this directory of the container.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix: Option<String>,
    },
    /// A container of the data store that has the region's name.
    PrivateSwift {
        /// The region.
        region: String,
        /// The container.
        container: String,
        /// Only what is below this directory of the container.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prefix: Option<String>,
    },
    /// A Git repository.
    Git {
        /// Its address.
        url: String,
    },
    /// Nothing: the volume is empty at first, and kept with the app.
    Standalone,
}

impl VolumeSource {
    /// Alias, container and prefix, if it is a container.
    pub fn container(&self) -> Option<(&str, &str, &str)> {
        match self {
            Self::DataStore { alias: store, container, prefix }
            | Self::PrivateSwift { region: store, container, prefix } => {
                Some((store, container, prefix.as_deref().unwrap_or_default()))
            }
            Self::Git { .. } | Self::Standalone => None,
        }
    }

    /// Whether only the emulator's owner may fetch it, as far as its address tells. The address of a
    /// name is looked up when the app starts.
    pub fn is_private(&self) -> bool {
        let Self::Git { url } = self else { return false };
        match host_of(url) {
            Some(host) => is_private_host(&host),
            None => true,
        }
    }
}

/// A checked volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeSpec {
    /// Where it is mounted: an absolute path without `..`.
    pub mount_path: String,
    /// What may become of it.
    pub permission: Permission,
    /// Whether one copy serves all apps with the same source.
    pub cache: bool,
    /// Where its files come from.
    pub source: VolumeSource,
}

impl VolumeSpec {
    /// The volume as clients see it.
    pub fn wire(&self) -> Volume {
        let mut wire = Volume {
            mount_path: self.mount_path.clone(),
            permission: self.permission.as_str().into(),
            cache: self.cache,
            data_store: None,
            private_swift: None,
            public_git: None,
            public_swift: None,
            standalone: None,
            target_data_store: None,
            target_private_swift: None,
        };
        match self.source.clone() {
            VolumeSource::DataStore { alias, container, prefix } => {
                let (archive, internal) = (None, None);
                wire.data_store =
                    Some(DataStoreVolumeSource { alias, container, archive, internal, prefix });
            }
            VolumeSource::PrivateSwift { region, container, prefix } => {
                let (archive, internal) = (None, None);
                wire.private_swift =
                    Some(PrivateSwiftVolumeSource { container, region, archive, internal, prefix });
            }
            VolumeSource::Git { url } => wire.public_git = Some(PublicGitVolumeSource { url }),
            VolumeSource::Standalone => wire.standalone = Some(StandaloneVolumeSource {}),
        }
        wire
    }

    /// Its source in one line, for people.
    pub fn shown_source(&self) -> String {
        match &self.source {
            VolumeSource::Git { url } => url.clone(),
            VolumeSource::Standalone => "an empty directory".into(),
            other => {
                let (alias, container, prefix) = other.container().unwrap_or_default();
                let slash = if prefix.is_empty() { "" } else { "/" };
                format!("{container}@{alias}{slash}{prefix}")
            }
        }
    }
}

fn unsupported(operation: &str) -> Error {
    Error::Unsupported { operation: operation.into() }
}

/// Checks the volumes of an app.
pub(crate) fn volumes(given: &[Volume]) -> Result<Vec<VolumeSpec>> {
    if given.len() > MOST {
        return Err(Error::invalid("volumes", format!("an app has at most {MOST} volumes")));
    }
    let mut checked: Vec<VolumeSpec> = Vec::with_capacity(given.len());
    for (at, volume) in given.iter().enumerate() {
        let field = format!("volumes[{at}]");
        let one = check(&field, volume)?;
        let path = |of: &VolumeSpec| format!("{}/", of.mount_path);
        let overlaps = |other: &&VolumeSpec| {
            path(other).starts_with(&path(&one)) || path(&one).starts_with(&path(other))
        };
        if let Some(other) = checked.iter().find(overlaps) {
            let why = format!(
                "{} overlaps with {}, where another volume is mounted",
                one.mount_path, other.mount_path
            );
            return Err(Error::invalid(format!("{field}.mountPath"), why));
        }
        checked.push(one);
    }
    Ok(checked)
}

fn check(field: &str, volume: &Volume) -> Result<VolumeSpec> {
    let known = [Permission::Ro, Permission::Rw, Permission::Rwd];
    let permission = known
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(&volume.permission))
        .ok_or_else(|| {
            let why = format!("{:?} is not a permission: use RO, RW or RWD", volume.permission);
            Error::invalid(format!("{field}.permission"), why)
        })?;
    Ok(VolumeSpec {
        mount_path: mount_path(&format!("{field}.mountPath"), &volume.mount_path)?,
        permission,
        cache: volume.cache,
        source: source(field, volume)?,
    })
}

fn mount_path(field: &str, given: &str) -> Result<String> {
    let fault = |why: &str| Err(Error::invalid(field, format!("{given:?}: {why}")));
    if !given.starts_with('/') || given.len() > LONGEST_PATH {
        return fault("use an absolute path such as /workspace/data");
    }
    if given.contains(':') || given.chars().any(char::is_control) {
        return fault("a colon or a control character is not allowed");
    }
    let parts: Vec<&str> =
        given.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() || parts.contains(&"..") {
        return fault("use a path below / without '..'");
    }
    let path = format!("/{}", parts.join("/"));
    let is_system = |of: &&str| path == **of || path.starts_with(&format!("{of}/"));
    if SYSTEM.iter().any(is_system) {
        return fault("the directory belongs to the system");
    }
    Ok(path)
}

fn source(field: &str, volume: &Volume) -> Result<VolumeSource> {
    if volume.target_data_store.is_some() || volume.target_private_swift.is_some() {
        return Err(unsupported(
            "writing a volume to another place than it came from (targetDataStore, targetPrivateSwift)",
        ));
    }
    if volume.public_swift.is_some() {
        return Err(unsupported(
            "a volume from a public container; download it into a container of a data store (ovhai bucket object upload)",
        ));
    }
    let mut sources = Vec::new();
    if let Some(given) = &volume.data_store {
        no_archive(given.archive.as_ref())?;
        let (alias, container) = (given.alias.clone(), given.container.clone());
        let at = format!("{field}.dataStore");
        let prefix = checked_prefix(&at, &container, given.prefix.as_deref())?;
        sources.push(VolumeSource::DataStore { alias, container, prefix });
    }
    if let Some(given) = &volume.private_swift {
        no_archive(given.archive.as_ref())?;
        let (region, container) = (given.region.clone(), given.container.clone());
        let at = format!("{field}.privateSwift");
        let prefix = checked_prefix(&at, &container, given.prefix.as_deref())?;
        sources.push(VolumeSource::PrivateSwift { region, container, prefix });
    }
    if let Some(given) = &volume.public_git {
        let url = repository(&format!("{field}.publicGit.url"), &given.url)?;
        sources.push(VolumeSource::Git { url });
    }
    if volume.standalone.is_some() {
        sources.push(VolumeSource::Standalone);
    }
    let count = sources.len();
    match sources.pop() {
        Some(source) if count == 1 => Ok(source),
        _ => Err(Error::invalid(
            field,
            "a volume has one source: dataStore, privateSwift, publicGit or standalone",
        )),
    }
}

fn no_archive(archive: Option<&String>) -> Result<()> {
    match archive.filter(|archive| !archive.is_empty()) {
        Some(_) => {
            Err(unsupported("unpacking an archive into a volume; upload the unpacked files"))
        }
        None => Ok(()),
    }
}

/// Checks the names as they are given: how a path is resolved is not for this module.
fn checked_prefix(field: &str, container: &str, prefix: Option<&str>) -> Result<Option<String>> {
    let is_name = !container.is_empty()
        && container.len() <= 255
        && !container.starts_with(['.', '-'])
        && !container.contains(['/', '\\'])
        && !container.chars().any(char::is_control);
    if !is_name {
        let why = format!("{container:?} is not the name of a container");
        return Err(Error::invalid(format!("{field}.container"), why));
    }
    let Some(prefix) = prefix.map(|prefix| prefix.trim_matches('/')) else { return Ok(None) };
    if prefix.len() > LONGEST_PATH
        || prefix.split('/').any(|part| part == "..")
        || prefix.chars().any(char::is_control)
    {
        let why = format!("{prefix:?} is not a directory of the container: '..' is not allowed");
        return Err(Error::invalid(format!("{field}.prefix"), why));
    }
    Ok(Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()))
}

/// Checks the address of a repository.
fn repository(field: &str, url: &str) -> Result<String> {
    let fault = |why: &str| Err(Error::invalid(field, why.to_owned()));
    if url.is_empty() || url.len() > LONGEST_PATH {
        return fault("an address has 1 to 1024 characters");
    }
    if url.starts_with('-') || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return fault("an address does not begin with '-', and has no blanks");
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return fault("use the https address of the repository");
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            // The address is stored, listed and logged.
            if authority.contains('@') {
                return fault(
                    "an address has no credentials in it: only public repositories are fetched; upload the files of a private one to a data store",
                );
            }
            if authority.is_empty() || authority.starts_with(['-', ':']) {
                return fault("the address has no host");
            }
            // Git and the check of addresses must take it for the same host.
            let is_name = host_of(url).is_some_and(|host| {
                let is_part = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
                !host.is_empty() && host.chars().all(is_part)
            });
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            if !is_name || host.ends_with('.') || authority.ends_with('.') {
                return fault(
                    "a host has letters, digits, '-' and '.', and does not end with '.': write names in other scripts as xn--…",
                );
            }
        }
        "file" if rest.starts_with('/') => {}
        "file" => return fault("use file:// and an absolute path"),
        _ => return fault("use the https address of the repository"),
    }
    Ok(url.to_owned())
}

/// The host of an http or https address, in lower case and without brackets; none for others.
pub fn host_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(inner) => inner.split(']').next()?,
        None => authority.split(':').next()?,
    };
    Some(host.trim_end_matches('.').to_ascii_lowercase())
}

/// Whether a host is this machine or a private address by its spelling.
fn is_private_host(host: &str) -> bool {
    if host == "localhost" || host.ends_with(".localhost") || host.ends_with(".internal") {
        return true;
    }
    // Also spellings that resolvers take for numbers, such as 127.1 and 0x7f000001.
    let last = host.rsplit('.').next().unwrap_or_default();
    match host.parse::<IpAddr>() {
        Ok(address) => !is_public(address),
        Err(_) => last.starts_with(|c: char| c.is_ascii_digit()),
    }
}

/// Whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Shared by carriers, tests of devices, and protocols.
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
        || (a == 192 && b == 0 && c == 0))
}

/// Global unicast, without documentation, and without what carries another address inside.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    (0x2000..0x4000).contains(&a)
        && a != 0x2002
        && !(a == 0x2001 && (b == 0x0db8 || b < 0x0200))
        && a != 0x3fff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<VolumeSpec> {
        let volume: Volume = text.parse().expect(text);
        volumes(&[volume]).map(|mut all| all.remove(0))
    }

    #[test]
    fn what_is_given_is_shown() {
        for text in [
            "data@GRA/a/b:/workspace/data:rwd:cache",
            "data@s3:/data:ro",
            "https://example.org/a.git:/workspace/code:ro",
            "file:///srv/a.git:/workspace/code:ro",
        ] {
            let volume: Volume = text.parse().expect(text);
            assert_eq!(checked(text).expect(text).wire(), volume);
        }
        assert_eq!(checked("data@GRA//:/a//b/:ro").expect("valid").mount_path, "/a/b");
        let json = r#"{"mountPath":"/s","permission":"rw","standalone":{}}"#;
        let volume: Volume = serde_json::from_str(json).expect("a volume");
        let checked = volumes(&[volume]).expect("valid");
        assert_eq!(checked[0].source, VolumeSource::Standalone);
        assert_eq!(checked[0].permission, Permission::Rw);
    }

    #[test]
    fn refusals() {
        for (text, field) in [
            ("a@b:/", "mountPath"),
            ("a@b:/../x", "mountPath"),
            ("a@b:/proc/x", "mountPath"),
            ("a@b:/x/../../y", "mountPath"),
            ("..@b:/x", "container"),
            ("-a@b:/x", "container"),
            ("a@b/../c:/x", "prefix"),
            ("https://user:pw@example.org/a.git:/x", "url"),
            ("https://-o@example.org/a.git:/x", "url"),
            ("file://host/a.git:/x", "url"),
        ] {
            let error = checked(text).expect_err(text).to_string();
            assert!(error.contains(field), "{text}: {error}");
        }
        for url in
            ["--upload-pack=x", "ext::sh -c x", "ssh://a/b", "/srv/x", "https://", "http://:80"]
        {
            let volume = Volume {
                public_git: Some(PublicGitVolumeSource { url: url.into() }),
                data_store: None,
                ..checked("a@b:/x").expect("valid").wire()
            };
            assert!(volumes(&[volume]).is_err(), "{url}");
        }
        let twice = ["a@b:/x", "c@d:/x/y"].map(|text| text.parse().expect(text));
        assert!(volumes(&twice).is_err(), "one in the other");
        let beside = ["a@b:/x", "c@d:/xy"].map(|text| text.parse().expect(text));
        assert!(volumes(&beside).is_ok());
        for json in [
            r#"{"mountPath":"/s","permission":"RO"}"#,
            r#"{"mountPath":"/s","permission":"RO","standalone":{},"publicGit":{"url":"https://a/b"}}"#,
            r#"{"mountPath":"/s","permission":"XX","standalone":{}}"#,
            r#"{"mountPath":"/s","permission":"RO","publicSwift":{"url":"https://a/b"}}"#,
            r#"{"mountPath":"/s","permission":"RO","dataStore":{"alias":"a","container":"b","archive":"x.zip"}}"#,
            r#"{"mountPath":"/s","permission":"RW","standalone":{},"targetDataStore":{"alias":"a","container":"b"}}"#,
        ] {
            let volume: Volume = serde_json::from_str(json).expect(json);
            assert!(volumes(&[volume]).is_err(), "{json}");
        }
    }

    #[test]
    fn private_addresses() {
        let is_private = |url: &str| VolumeSource::Git { url: url.into() }.is_private();
        for url in [
            "file:///srv/x",
            "http://localhost/x",
            "https://LOCALHOST./x",
            "https://a.localhost:8443/x",
            "http://127.0.0.1:3000/x",
            "http://127.1/x",
            "http://0x7f000001/x",
            "http://2130706433/x",
            "http://10.0.0.1/x",
            "http://169.254.169.254/latest",
            "http://192.168.1.1/x",
            "http://100.64.0.1/x",
            "http://[::1]/x",
            "http://[::ffff:10.0.0.1]/x",
            "http://[fd00::1]/x",
            "http://[2002:7f00:1::]/x",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in ["https://github.com/a/b", "http://8.8.8.8/x", "https://[2606:4700::1]:8443/x"] {
            assert!(!is_private(url), "{url}");
        }
    }
}
