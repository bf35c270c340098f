//! What a release is packed with, and what the action for GitHub installs it with: the same scripts that
//! the workflows call, with a directory in the place of GitHub.

use std::path::Path;
use std::process::{Command, Output};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/actions/setup");
const VERSION: &str = "v9.9.9";
const REPOSITORY: &str = "team/ovhai";

/// The name of this machine's platform in the names of archives.
fn target() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("x86_64-unknown-linux-gnu"),
        ("linux", "aarch64") => Some("aarch64-unknown-linux-gnu"),
        ("macos", "x86_64") => Some("x86_64-apple-darwin"),
        ("macos", "aarch64") => Some("aarch64-apple-darwin"),
        _ => None,
    }
}

/// Packs a program into a release below `site`; the directory of its archive.
fn release(site: &Path) -> std::path::PathBuf {
    let program = site.join("program");
    std::fs::write(&program, "#!/bin/sh\necho ovhai 9.9.9\n").unwrap();
    let directory = site.join(REPOSITORY).join("releases/download").join(VERSION);
    let status = Command::new(format!("{SCRIPTS}/pack.sh"))
        .arg(&program)
        .args([VERSION, target().unwrap()])
        .arg(&directory)
        .status();
    assert!(status.unwrap().success());
    directory
}

fn install(site: &Path, version: &str) -> Output {
    Command::new(format!("{SCRIPTS}/install.sh"))
        .args([REPOSITORY, version])
        .arg(site.join("bin"))
        .env("GITHUB_SERVER_URL", format!("file://{}", site.display()))
        .env("GITHUB_PATH", site.join("path"))
        .output()
        .unwrap()
}

#[test]
fn the_action_installs_what_the_release_packs() {
    if target().is_none() {
        eprintln!("left out: there is no release for this platform");
        return;
    }
    let site = tempfile::tempdir().unwrap();
    let directory = release(site.path());
    let output = install(site.path(), VERSION);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bin = site.path().join("bin");
    let said = Command::new(bin.join("ovhai")).output().unwrap();
    assert_eq!(said.stdout, b"ovhai 9.9.9\n");
    let path = std::fs::read_to_string(site.path().join("path")).unwrap();
    assert_eq!(path.trim(), bin.to_str().unwrap());

    // An archive that is not the one whose checksum was published.
    std::fs::remove_dir_all(&bin).unwrap();
    let archive = format!("ovhai-{VERSION}-{}.tar.gz", target().unwrap());
    let mut bytes = std::fs::read(directory.join(&archive)).unwrap();
    bytes.push(0);
    std::fs::write(directory.join(&archive), bytes).unwrap();
    assert!(!install(site.path(), VERSION).status.success());
    assert!(!bin.exists());

    assert!(!install(site.path(), "v0.0.0").status.success());
    assert!(!bin.exists());
}
