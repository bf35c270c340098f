//! The short form of a volume, as in `--volume`:
//! `container@alias/prefix:mount_path[:ro|rw|rwd][:cache|no-cache]`, or an address in place of the
//! container.
//!
//! [`Volume::short`] returns a text only if parsing it returns the same volume.

use std::fmt;
use std::str::FromStr;

use crate::{DataStoreVolumeSource, PublicGitVolumeSource, PublicSwiftVolumeSource, Volume};

/// Hosts whose addresses are Git repositories also without `.git` at the end.
const GIT_HOSTS: [&str; 4] = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"];
/// Begins the address of a repository of this machine.
const FILE: &str = "file://";
const PERMISSIONS: [&str; 3] = ["RO", "RW", "RWD"];

/// The text is not a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidVolume(&'static str);

impl fmt::Display for InvalidVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: use container@alias/prefix:mount_path[:ro|rw|rwd][:cache|no-cache] or url:mount_path…",
            self.0
        )
    }
}

impl std::error::Error for InvalidVolume {}

impl FromStr for Volume {
    type Err = InvalidVolume;

    /// The default permission is `RO`, without a cache. Permission and cache in any case.
    fn from_str(text: &str) -> Result<Self, InvalidVolume> {
        // From the right, because an address contains colons.
        let (rest, cache) = match text.rsplit_once(':') {
            Some((rest, word)) if word.eq_ignore_ascii_case("cache") => (rest, true),
            Some((rest, word)) if word.eq_ignore_ascii_case("no-cache") => (rest, false),
            _ => (text, false),
        };
        let (rest, permission) = rest
            .rsplit_once(':')
            .and_then(|(rest, word)| {
                let known = PERMISSIONS.into_iter().find(|p| p.eq_ignore_ascii_case(word))?;
                Some((rest, known))
            })
            .unwrap_or((rest, PERMISSIONS[0]));
        let (source, mount_path) =
            rest.rsplit_once(':').ok_or(InvalidVolume("the mount path is missing"))?;
        if !mount_path.starts_with('/') || mount_path.starts_with("//") {
            return Err(InvalidVolume("the mount path is not absolute"));
        }
        let mut volume = Self {
            mount_path: mount_path.into(),
            permission: permission.into(),
            cache,
            data_store: None,
            private_swift: None,
            public_git: None,
            public_swift: None,
            standalone: None,
            target_data_store: None,
            target_private_swift: None,
        };
        let address = source.strip_prefix("https://").or_else(|| source.strip_prefix("http://"));
        if let Some(address) = address {
            let host = address.split(['/', ':']).next().unwrap_or_default();
            if host.is_empty() {
                return Err(InvalidVolume("the address has no host"));
            }
            if is_git(source, host) {
                volume.public_git = Some(PublicGitVolumeSource { url: source.into() });
            } else {
                volume.public_swift = Some(PublicSwiftVolumeSource { url: source.into() });
            }
            return Ok(volume);
        }
        if source.starts_with(FILE) {
            volume.public_git = Some(PublicGitVolumeSource { url: source.into() });
            return Ok(volume);
        }
        if source.contains("://") {
            return Err(InvalidVolume("a Git repository has an http, https or file address"));
        }
        let (container, place) =
            source.split_once('@').ok_or(InvalidVolume("container@alias is missing"))?;
        let (alias, prefix) = place.split_once('/').unwrap_or((place, ""));
        if alias.contains(':') {
            return Err(InvalidVolume(
                "repositories are not fetched by SSH: use their https address",
            ));
        }
        if container.is_empty() || alias.is_empty() {
            return Err(InvalidVolume("container or alias is empty"));
        }
        volume.data_store = Some(DataStoreVolumeSource {
            alias: alias.into(),
            container: container.into(),
            archive: None,
            internal: None,
            prefix: Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()),
        });
        Ok(volume)
    }
}

fn is_git(address: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    address.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case("git"))
        || GIT_HOSTS.iter().any(|git| host == *git || host.strip_prefix("www.") == Some(git))
}

impl Volume {
    /// Begins every volume in JSON, and none in the short form.
    pub const JSON_START: &str = "{\"";

    /// The short form; none if it can't express the volume.
    pub fn short(&self) -> Option<String> {
        let source = match (&self.data_store, &self.public_git, &self.public_swift) {
            (Some(store), _, _) => {
                let prefix = store.prefix.as_ref().map(|prefix| format!("/{prefix}"));
                format!("{}@{}{}", store.container, store.alias, prefix.unwrap_or_default())
            }
            (None, Some(git), _) => git.url.clone(),
            (None, None, Some(swift)) => swift.url.clone(),
            (None, None, None) => return None,
        };
        let cache = if self.cache { ":cache" } else { "" };
        let text =
            format!("{source}:{}:{}{cache}", self.mount_path, self.permission.to_lowercase());
        let is_same = text.parse().is_ok_and(|read: Self| read == *self);
        (is_same && !text.starts_with(Self::JSON_START)).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Volume {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_written_form_is_parsed() {
        let volume = read("data@GRA/a/b:/workspace/data:RWd:cache");
        let store = volume.data_store.as_ref().expect("a data store");
        assert_eq!((store.container.as_str(), store.alias.as_str()), ("data", "GRA"));
        assert_eq!(store.prefix.as_deref(), Some("a/b"));
        assert_eq!((volume.permission.as_str(), volume.cache), ("RWD", true));
        assert_eq!(volume.mount_path, "/workspace/data");

        let volume = read("data@s3-gra:/data");
        assert_eq!((volume.permission.as_str(), volume.cache), ("RO", false));
        assert!(!read("data@s3-gra:/data:rw:no-cache").cache);

        for git in ["https://example.org:8443/a.git:/g:ro", "https://github.com/a/b:/g"] {
            assert!(read(git).public_git.is_some(), "{git}");
        }
        let local = read("file:///srv/my.git:/workspace/code:RO:Cache");
        assert_eq!(local.public_git.map(|git| git.url).as_deref(), Some("file:///srv/my.git"));
        assert!(local.cache);
        let swift = read("https://storage.example.org/v1/AUTH_x/c:/s");
        let url = swift.public_swift.map(|swift| swift.url);
        assert_eq!(url.as_deref(), Some("https://storage.example.org/v1/AUTH_x/c"));
    }

    #[test]
    fn malformed_volumes_are_refused() {
        for (bad, why) in [
            ("", "mount path"),
            ("data@GRA", "mount path"),
            ("data:/x", "container@alias"),
            ("@GRA:/x", "empty"),
            ("data@/p:/x", "empty"),
            ("data@GRA:x:ro", "absolute"),
            ("data@GRA:/x:wo", "absolute"),
            ("https://example.org/a", "absolute"),
            ("https:///a:/x", "no host"),
            ("ssh://git@example.org/a.git:/x", "https or file"),
            ("git@example.org:a/b.git:/x", "SSH"),
        ] {
            let error = bad.parse::<Volume>().expect_err(bad).to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn the_short_form_is_used_only_if_it_loses_nothing() {
        for text in ["a@b/c:/d:rw:cache", "a@b:/d:ro", "https://x/y.git:/g:rwd"] {
            assert_eq!(read(text).short().as_deref(), Some(text));
        }
        let mut volume = read("a@b/c:/d:rw");
        volume.mount_path = "/d:ro".into();
        assert_eq!(volume.short(), None);
        let volume = read("{port}@a:/data");
        assert_eq!(volume.short().as_deref(), Some("{port}@a:/data:ro"));
        let volume = read("{\"x@a:/data");
        assert_eq!(volume.short(), None, "it would be taken for JSON");
        let mut volume = read("https://x/y.git:/g:rwd");
        volume.public_swift =
            volume.public_git.take().map(|git| PublicSwiftVolumeSource { url: git.url });
        assert_eq!(volume.short(), None);
        let mut volume = read("a@b/c:/d:rw");
        volume.target_data_store = volume.data_store.clone();
        assert_eq!(volume.short(), None);
    }
}
