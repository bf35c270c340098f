//! `cargo xtask gen`: files that are made from the code, committed, and checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, output, root};

/// Arguments of `ovhai`, and the file that has what it prints.
const FILES: [(&[&str], &str); 11] = [
    (&["completion", "bash"], "completions/ovhai.bash"),
    (&["completion", "zsh"], "completions/_ovhai"),
    (&["completion", "fish"], "completions/ovhai.fish"),
    (&["completion", "powershell"], "completions/_ovhai.ps1"),
    (&["completion", "elvish"], "completions/ovhai.elv"),
    (&["reference", "commands"], "docs/commands.json"),
    (&["reference", "environment"], "docs/environment.md"),
    (&["reference", "exit-codes"], "docs/exit-codes.md"),
    (&["reference", "limits"], "docs/limits.md"),
    (&["reference", "selectors"], "docs/selectors.md"),
    (&["emulator", "openapi"], "docs/openapi.json"),
];
/// The man pages.
const MAN: &str = "docs/man";
/// Directories in which nothing else may be.
const OWN: [&str; 2] = ["completions", MAN];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("gen takes --check or nothing"),
    };
    let made = make(&build()?)?;
    let mut stale = Vec::new();
    for (file, content) in &made {
        let path = root().join(file);
        if fs::read(&path).is_ok_and(|there| there == *content) {
            continue;
        }
        stale.push(file.clone());
        if !check {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, content)?;
            println!("wrote {file}");
        }
    }
    for file in left_over(&made)? {
        if !check {
            fs::remove_file(root().join(&file))?;
            println!("removed {file}");
        }
        stale.push(file);
    }
    if check && !stale.is_empty() {
        bail!("not up to date: {}; run cargo xtask gen and commit", stale.join(", "));
    }
    Ok(())
}

/// Builds `ovhai`; its executable.
fn build() -> Result<PathBuf> {
    let said = output(cargo().args([
        "build",
        "--quiet",
        "--package",
        "ovhai",
        "--bin",
        "ovhai",
        "--message-format",
        "json-render-diagnostics",
    ]))?;
    let executable = said.split(|byte| *byte == b'\n').find_map(|line| {
        let message: serde_json::Value = serde_json::from_slice(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executable.context("cargo does not tell where it has built ovhai")
}

/// Every generated file, by its path in the project.
fn make(ovhai: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut made = BTreeMap::new();
    for (arguments, file) in FILES {
        // Whatever the developer has set is not part of the files.
        let content = output(plain(ovhai).args(arguments))?;
        made.insert(file.to_owned(), content);
    }
    let scratch = root().join("target/xtask-man");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    output(plain(ovhai).args(["reference", "man"]).arg(&scratch))?;
    for name in names(&scratch)? {
        let content = fs::read(scratch.join(&name))?;
        made.insert(format!("{MAN}/{name}"), content);
    }
    Ok(made)
}

fn plain(ovhai: &Path) -> Command {
    let mut command = Command::new(ovhai);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name == "COMPLETE" || name.to_string_lossy().starts_with("OVHAI_") {
            command.env_remove(name);
        }
    }
    command
}

/// Files that nothing makes any more.
fn left_over(made: &BTreeMap<String, Vec<u8>>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for directory in OWN {
        let files = names(&root().join(directory))?.into_iter();
        found.extend(
            files.map(|name| format!("{directory}/{name}")).filter(|file| !made.contains_key(file)),
        );
    }
    Ok(found)
}

/// The names in a directory, in order; none when it is not there.
fn names(directory: &Path) -> Result<Vec<String>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
