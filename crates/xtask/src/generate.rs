//! `cargo xtask gen`: files that are made from the code, committed, and checked.

use std::fs;

use anyhow::{Result, bail};

use crate::run::{cargo, output, root};

/// Arguments of `ovhai`, and the file that has what it prints.
const FILES: [(&[&str], &str); 6] = [
    (&["completion", "bash"], "completions/ovhai.bash"),
    (&["completion", "zsh"], "completions/_ovhai"),
    (&["completion", "fish"], "completions/ovhai.fish"),
    (&["completion", "powershell"], "completions/_ovhai.ps1"),
    (&["completion", "elvish"], "completions/ovhai.elv"),
    (&["emulator", "openapi"], "docs/openapi.json"),
];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("gen takes --check or nothing"),
    };
    let mut stale = Vec::new();
    for (arguments, file) in FILES {
        let made =
            output(cargo().args(["run", "--quiet", "--package", "ovhai", "--"]).args(arguments))?;
        let path = root().join(file);
        if fs::read(&path).is_ok_and(|there| there == made) {
            continue;
        }
        if check {
            stale.push(file);
        } else {
            fs::write(&path, made)?;
            println!("wrote {file}");
        }
    }
    if !stale.is_empty() {
        bail!("not up to date: {}; run cargo xtask gen and commit", stale.join(", "));
    }
    Ok(())
}
