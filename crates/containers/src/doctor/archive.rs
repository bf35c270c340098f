//! The files of an image, wherever they are read from.

use super::UID;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Link,
    Other,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    /// Its path, without links in it.
    pub(super) path: String,
    pub(super) kind: Kind,
    /// Permissions, with the sticky bit: 07777.
    pub(super) mode: u32,
    /// User and group; none: not asked yet.
    pub(super) owner: Option<(u64, u64)>,
}

/// Bits of a permission.
pub(super) const READ: u32 = 4;
pub(super) const WRITE: u32 = 2;
pub(super) const EXECUTE: u32 = 1;

impl Stat {
    /// Whether user and group 42420 have these permissions. An unknown owner counts as another user.
    pub(super) fn allows(&self, bits: u32) -> bool {
        let own = u64::from(UID);
        let shift = match self.owner {
            Some((user, _)) if user == own => 6,
            Some((_, group)) if group == own => 3,
            _ => 0,
        };
        self.mode >> shift & bits == bits
    }

    /// Mode and owner, for people.
    pub(super) fn shown(&self) -> String {
        let owner = match self.owner {
            Some((user, group)) => format!(", owner {user}:{group}"),
            None => String::new(),
        };
        format!("mode {:04o}{owner}", self.mode)
    }
}

/// Files below a directory, the directory itself first.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<Stat>,
}

/// How much of a directory is looked through, in bytes of an archive.
pub(super) const TREE: usize = 4 * 1024 * 1024;

/// A source of an image's files. Errors are sentences without a full stop.
pub(super) trait Archive {
    /// The file at a path, through links; none: it does not exist. The owner may be left out.
    async fn stat(&self, path: &str) -> Result<Option<Stat>, String>;

    /// The first `limit` bytes of a plain file; `path` has no links in it.
    async fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, String>;

    /// The files below a directory, with their owners, as many as `limit` bytes of an archive hold,
    /// of the first call for a path; `path` has no links in it.
    async fn tree(&self, path: &str, limit: usize) -> Result<Tree, String>;

    /// [`Self::stat`] with the owner.
    async fn owned(&self, path: &str) -> Result<Option<Stat>, String> {
        let Some(mut stat) = self.stat(path).await? else { return Ok(None) };
        if stat.owner.is_none() {
            let tree = self.tree(&stat.path, TREE).await?;
            stat.owner = tree.files.first().and_then(|first| first.owner);
        }
        Ok(Some(stat))
    }

    /// [`Self::stat`] with the owner if the permissions of other users do not include `bits`.
    async fn may(&self, path: &str, bits: u32) -> Result<Option<Stat>, String> {
        match self.stat(path).await? {
            Some(stat) if stat.owner.is_none() && !stat.allows(bits) => self.owned(path).await,
            other => Ok(other),
        }
    }
}

/// A path relative to a directory, without `.`, `..` and double slashes.
pub(super) fn join(directory: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_of_42420() {
        let stat = |mode, owner| Stat { path: "/x".into(), kind: Kind::File, mode, owner };
        assert!(stat(0o755, None).allows(READ | EXECUTE));
        assert!(!stat(0o755, None).allows(WRITE));
        assert!(stat(0o700, Some((42420, 0))).allows(WRITE));
        assert!(!stat(0o077, Some((42420, 0))).allows(READ), "the owner's bits count, no others");
        assert!(stat(0o770, Some((0, 42420))).allows(WRITE));
        assert!(!stat(0o770, Some((0, 0))).allows(READ));
    }

    #[test]
    fn paths() {
        assert_eq!(join("/a", "b/../c"), "/a/c");
        assert_eq!(join("/a", "/x//./y"), "/x/y");
        assert_eq!(join("/", "../../etc"), "/etc");
    }
}
