//! Images from scratch: busybox's httpd, and nginx with its libraries.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::super::gateway::config;
use super::super::process::{Scratch, output};
use super::super::tools;

/// Port of every image.
pub(super) const PORT: u16 = 8080;
/// What busybox's httpd answers.
pub(super) const PAGE: &str = "hello\n";
/// Image of a server that starts at once and is small.
pub(super) const HTTPD: &str = "localhost/ovhai-bench-httpd:1";
/// Image of a server that answers many requests.
pub(super) const NGINX: &str = "localhost/ovhai-bench-nginx:1";

/// An image as an archive of its files.
pub(super) struct Image {
    pub(super) name: &'static str,
    pub(super) archive: PathBuf,
    /// Lines of a Dockerfile.
    pub(super) changes: [String; 2],
}

impl Image {
    pub(super) const NAMES: [&str; 2] = [HTTPD, NGINX];

    /// busybox's httpd with one page.
    pub(super) fn httpd(scratch: &Scratch) -> Result<Self> {
        let root = scratch.join("httpd");
        let busybox = tools::program("busybox")?;
        copy(&busybox, &root.join("bin/busybox"))?;
        fs::create_dir(root.join("www"))?;
        fs::write(root.join("www/index.html"), PAGE)?;
        let port = PORT.to_string();
        Self::of(HTTPD, &root, &["/bin/busybox", "httpd", "-f", "-p", &port, "-h", "/www"])
    }

    /// nginx as the upstream of the benchmark of the gateway.
    pub(super) fn nginx(scratch: &Scratch) -> Result<Self> {
        let root = scratch.join("nginx-image");
        let nginx = tools::program("nginx")?;
        copy(&nginx, &root.join("nginx"))?;
        for library in libraries(&output(Command::new("ldd").arg(&nginx))?) {
            copy(Path::new(library), &root.join(library.trim_start_matches('/')))?;
        }
        fs::write(root.join("nginx.conf"), config::upstream(format_args!("0.0.0.0:{PORT}")))?;
        Self::of(NGINX, &root, &["/nginx", "-p", "/tmp", "-e", "stderr", "-c", "/nginx.conf"])
    }

    fn of(name: &'static str, root: &Path, command: &[&str]) -> Result<Self> {
        let temporary = root.join("tmp");
        fs::create_dir(&temporary)?;
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o1777))?;
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
        let archive = root.with_extension("tar");
        let mut tar = Command::new("tar");
        tar.args(["--owner=0", "--group=0", "--numeric-owner", "-C"]).arg(root).arg("-cf");
        output(tar.arg(&archive).arg("."))?;
        let changes = [format!("EXPOSE {PORT}"), format!("CMD {}", json!(command))];
        Ok(Self { name, archive, changes })
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::copy(from, to).with_context(|| format!("{} can't be copied", from.display()))?;
    Ok(())
}

/// The files that `ldd` names.
fn libraries(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let path = line.split_once("=>").map_or(line, |(_, path)| path).trim();
        path.starts_with('/').then(|| path.split_whitespace().next())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_a_program() {
        let text = "\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x2)\n\t/lib64/ld.so (0x3)\n";
        assert_eq!(libraries(text).collect::<Vec<_>>(), ["/lib/x/libc.so.6", "/lib64/ld.so"]);
    }
}
