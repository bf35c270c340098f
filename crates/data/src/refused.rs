//! Directories of this machine that may not be data stores: the emulator's own, and those whose files
//! open other doors.

use std::path::{Path, PathBuf};

use crate::error::DataError;

/// Files and directories in the home directory that are refused.
const IN_HOME: [&str; 5] = [".ssh", ".docker", ".gnupg", ".aws", ".config/containers"];
/// Sockets of engines, which are as good as root.
const SOCKETS: [&str; 4] =
    ["/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd"];

/// See the module.
#[derive(Debug, Clone)]
pub struct Refused(Vec<PathBuf>);

impl Refused {
    /// The usual ones, and these: the emulator's state and settings directories, and sockets of
    /// engines at other addresses.
    pub fn new(own: impl IntoIterator<Item = PathBuf>) -> Self {
        let home = std::env::home_dir();
        let in_home = home.into_iter().flat_map(|home| IN_HOME.map(|name| home.join(name)));
        let of_user = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let of_user = of_user
            .into_iter()
            .flat_map(|run| ["podman", "docker.sock", "docker", "bus"].map(|name| run.join(name)));
        let host = std::env::var("DOCKER_HOST").ok();
        let host = host.as_deref().and_then(|host| host.strip_prefix("unix://")).map(PathBuf::from);
        let named = SOCKETS.into_iter().map(PathBuf::from).chain(host);
        Self(own.into_iter().chain(in_home).chain(of_user).chain(named).collect())
    }

    /// The real path of a directory, if it is not refused: it neither contains nor lies in one of these.
    pub fn check(&self, directory: &Path) -> Result<PathBuf, DataError> {
        let shown = directory.display();
        let refuse = |why: String| Err(DataError::Refused(why));
        if !directory.is_absolute() {
            return refuse(format!("{shown} is not an absolute path"));
        }
        let real = match std::fs::canonicalize(directory) {
            Ok(real) => real,
            Err(error) => return refuse(format!("the directory {shown} can't be used: {error}")),
        };
        if !real.is_dir() {
            return refuse(format!("{shown} is not a directory"));
        }
        for kept in &self.0 {
            // What is missing now may come later.
            let of_links = std::fs::canonicalize(kept).ok();
            for kept in std::iter::once(kept).chain(&of_links) {
                if real.starts_with(kept) || kept.starts_with(&real) {
                    return refuse(format!(
                        "{shown} may not be a data store, because it contains or lies in {}: apps must not see that; name a directory of its own for the data",
                        kept.display()
                    ));
                }
            }
        }
        Ok(real)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contains_or_lies_in_a_refused_directory() {
        let all = tempfile::tempdir().unwrap();
        let all = all.path().canonicalize().unwrap();
        for name in ["state/inner", "data", "beside"] {
            std::fs::create_dir_all(all.join(name)).unwrap();
        }
        std::os::unix::fs::symlink(all.join("state"), all.join("beside/link")).unwrap();
        std::fs::write(all.join("file"), "").unwrap();
        let refused = Refused::new([all.join("state"), all.join("later/socket")]);
        assert_eq!(refused.check(&all.join("data")).unwrap(), all.join("data"));
        assert_eq!(refused.check(&all.join("data/../beside")).unwrap(), all.join("beside"));
        for bad in
            ["", "state", "state/inner", "beside/link", "beside/link/inner", "file", "missing"]
        {
            assert!(refused.check(&all.join(bad)).is_err(), "{bad}");
        }
        std::fs::create_dir(all.join("later")).unwrap();
        assert!(refused.check(&all.join("later")).is_err(), "a socket may come there");
        assert!(refused.check(Path::new("data")).is_err(), "relative");
        assert!(refused.check(Path::new("/")).is_err());
        if let Some(home) = std::env::home_dir().filter(|home| home.is_dir()) {
            assert!(refused.check(&home).is_err(), "~/.ssh is in there");
        }
    }
}
