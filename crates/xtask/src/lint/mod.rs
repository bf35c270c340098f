//! `cargo xtask lint`: rules of the design that compilers do not know.

mod dependencies;
mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run::{cargo, output, root};
use modules::Layers;

/// The allowed dependencies between our own crates (see docs/ARCHITECTURE.md).
const ARROWS: [(&str, &[&str]); 13] = [
    ("ovhai-api-types", &[]),
    ("ovhai-client", &["ovhai-api-types"]),
    ("ovhai-core", &["ovhai-api-types"]),
    ("ovhai-store", &["ovhai-api-types", "ovhai-core"]),
    ("ovhai-runtime", &["ovhai-api-types", "ovhai-core"]),
    ("ovhai-containers", &["ovhai-api-types", "ovhai-core", "ovhai-runtime"]),
    ("ovhai-data", &["ovhai-api-types", "ovhai-core", "ovhai-runtime"]),
    ("ovhai-wire", &[]),
    (
        "ovhai-emulator",
        &[
            "ovhai-api-types",
            "ovhai-core",
            "ovhai-store",
            "ovhai-runtime",
            "ovhai-containers",
            "ovhai-data",
            "ovhai-wire",
        ],
    ),
    (
        "ovhai",
        &[
            "ovhai-api-types",
            "ovhai-client",
            "ovhai-containers",
            "ovhai-data",
            "ovhai-emulator",
            "ovhai-runtime",
        ],
    ),
    ("ovhai-test-support", &["ovhai-api-types", "ovhai-core", "ovhai-emulator", "ovhai-runtime"]),
    ("ovhai-fuzz", &["ovhai-api-types", "ovhai-emulator", "ovhai-wire"]),
    ("xtask", &[]),
];

/// The layers inside our crates (see docs/ARCHITECTURE.md).
const LAYERS: [Layers; 6] = [
    Layers {
        sources: "crates/containers/src",
        layers: &[
            &["runtime", "doctor"],
            &["replica"],
            &["shared", "create", "output"],
            &["hub", "images", "network", "kindness"],
            &["watcher", "pull", "credentials"],
            &["exec", "archive"],
            &["reap", "usage"],
            &["exit", "reference", "labels", "from_apps"],
            &["engine"],
        ],
        has_no_circles: true,
    },
    Layers {
        sources: "crates/data/src",
        layers: &[
            &["volumes", "objects"],
            &["roots", "tree", "git", "modes"],
            &["names", "refused"],
            &["error"],
        ],
        has_no_circles: true,
    },
    Layers {
        sources: "crates/wire/src",
        layers: &[
            &["tunnel", "pump", "prefixed", "understand", "websocket"],
            &["request", "response", "scan", "body", "buffer", "deadline", "stream"],
            &["expect"],
            &["fields", "framing", "ascii", "authority", "write"],
        ],
        has_no_circles: true,
    },
    Layers {
        sources: "crates/emulator/src",
        layers: &[
            &["emulator"],
            &["listen"],
            &["start_error"],
            &["edge"],
            &["console"],
            &["control"],
            &["api"],
            &["gateway"],
            &["telemetry"],
            &["tls", "signer", "state"],
            &[
                "domain_time",
                "host",
                "json",
                "limits",
                "origin",
                "passwords",
                "pieces",
                "random",
                "seal",
                "secret",
                "vault",
                "web",
            ],
        ],
        has_no_circles: true,
    },
    Layers {
        sources: "crates/core/src",
        layers: &[
            &["platform"],
            &["reconcile"],
            &["transition", "sync_log"],
            &["ledger"],
            &["subscriptions", "recorder", "auth", "placement", "image_access", "data_stores"],
            &["directory"],
            &["records", "quota", "virtual_clock"],
            &["ports", "model", "policy", "spec", "scaling", "check", "error", "input", "volume"],
            &["sync", "logs", "replica", "lifecycle", "events", "components", "catalog"],
        ],
        has_no_circles: true,
    },
    Layers {
        sources: "src",
        layers: &[
            &["line"],
            &["cmd"],
            &["reference"],
            &["server"],
            &["ui"],
            &["settings"],
            &["context"],
            &["calls"],
            &["private_file"],
            &["error"],
            &["args", "term", "secret", "log_writer"],
        ],
        has_no_circles: true,
    },
];

/// External crates that some workspace crates must not use.
const BANNED: [(&str, &[&str]); 4] = [
    ("ovhai-api-types", &["tokio", "hyper", "reqwest", "axum", "rusqlite"]),
    ("ovhai-core", &["axum", "hyper", "reqwest", "rusqlite", "bollard", "http"]),
    ("ovhai-client", &["axum", "rusqlite"]),
    ("ovhai-wire", &["axum", "hyper", "h2", "bytes"]),
];

/// What the names of our programs begin with.
const OWN_PROGRAMS: [&str; 3] = ["ovhai", "xtask", "fuzz-"];

/// Where what serves is.
const SERVES: [&str; 9] = [
    "crates/api-types/",
    "crates/containers/",
    "crates/core/",
    "crates/data/",
    "crates/store/",
    "crates/runtime/",
    "crates/emulator/",
    "crates/wire/",
    "src/cmd/emulator/start.rs",
];
/// Ways to print.
const PRINTS: [&str; 7] =
    ["println!", "eprintln!", "print!(", "eprint!(", "dbg!(", "clippy::print_", "io::stdout()"];

/// A file longer than this holds several things.
const LONGEST: usize = 800;

pub(crate) fn run() -> Result<()> {
    let mut faults = arrows()?;
    faults.extend(dependencies::faults()?);
    faults.extend(files()?);
    faults.extend(shared_helpers()?);
    for layers in &LAYERS {
        faults.extend(modules::faults(layers)?);
    }
    if faults.is_empty() {
        println!("lint: arrows, dependencies and files follow the rules");
        return Ok(());
    }
    bail!("{}", faults.join("\n"))
}

fn arrows() -> Result<Vec<String>> {
    let metadata = output(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_slice(&metadata)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let ours: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        let Some(allowed) = allowed.get(name) else {
            faults.push(format!("{name}: it is in no room of the design; add it to ARROWS"));
            continue;
        };
        let targets = package["targets"].as_array().context("no targets")?;
        for target in targets.iter().filter(|target| target["kind"][0] == "bin") {
            let program = target["name"].as_str().unwrap_or_default();
            let is_own = OWN_PROGRAMS.iter().any(|own| program.starts_with(own));
            if !is_own {
                faults.push(format!(
                    "{name}: the program {program} could shadow another one for a person who has target/release in PATH"
                ));
            }
        }
        let banned =
            BANNED.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, banned)| banned);
        let dependencies = package["dependencies"].as_array().context("no dependencies")?;
        // Tests may reach further.
        for dependency in dependencies.iter().filter(|d| d["kind"] != "dev") {
            let to = dependency["name"].as_str().unwrap_or_default();
            if ours.contains(to) && !allowed.contains(&to) {
                faults.push(format!("{name} must not use {to}: the arrow goes the other way"));
            }
            if banned.contains(&to) {
                faults.push(format!("{name} must not use {to}"));
            }
        }
    }
    Ok(faults)
}

fn files() -> Result<Vec<String>> {
    let mut sources = Vec::new();
    for start in ["src", "crates", "tests"] {
        collect(&root().join(start), &mut sources)?;
    }
    let mut faults = Vec::new();
    for path in sources {
        let text = fs::read_to_string(&path)?;
        let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        let lines = text.lines().count();
        if lines > LONGEST {
            faults.push(format!("{shown}: {lines} lines; which rooms does it hold?"));
        }
        let is_module = !shown.starts_with("tests") && !shown.contains("/tests/");
        faults.extend(prints(&shown, &text));
        if is_module && !text.starts_with("//!") {
            faults.push(format!("{shown}: it does not begin with what it is for (//!)"));
        }
    }
    Ok(faults)
}

/// Modules of tests/it share helpers through ovhai-test-support, and import nothing of each other.
fn shared_helpers() -> Result<Vec<String>> {
    let mut sources = Vec::new();
    collect(&root().join("tests/it"), &mut sources)?;
    let modules: Vec<_> = sources.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
    let mut faults = Vec::new();
    for path in &sources {
        faults.extend(siblings(&modules, &fs::read_to_string(path)?).map(|module| {
            format!(
                "{}: it uses {module}, another test module; move what they share to crates/test-support",
                path.strip_prefix(root()).unwrap_or(path).display()
            )
        }));
    }
    Ok(faults)
}

/// The modules that this text imports by `crate::` or `super::`.
fn siblings<'a>(modules: &'a [&str], text: &str) -> impl Iterator<Item = &'a str> {
    let imports = |module: &str| {
        ["crate", "super"].iter().any(|root| {
            text.match_indices(&format!("{root}::")).any(|(at, found)| {
                let rest = &text[at + found.len()..];
                let end = rest.find([';', '(', ')']).unwrap_or(rest.len());
                let list = rest[..end].strip_prefix('{');
                let words =
                    list.unwrap_or(&rest[..end]).split(|c: char| !c.is_alphanumeric() && c != '_');
                let mut words = words.filter(|word| !word.is_empty());
                if list.is_some() {
                    words.any(|word| word == module)
                } else {
                    words.next() == Some(module)
                }
            })
        })
    };
    modules.iter().copied().filter(move |module| imports(module)).collect::<Vec<_>>().into_iter()
}

/// What may serve must not print: a write that fails would panic, and end what it was in. clippy
/// knows the macros; that they are not allowed here or there, and other ways, it does not.
fn prints(shown: &str, text: &str) -> Option<String> {
    let serves = SERVES.iter().any(|start| shown.starts_with(start));
    if !serves || shown.contains("/tests/") {
        return None;
    }
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let line = code.lines().position(|line| {
        let code = line.split("//").next().unwrap_or_default();
        PRINTS.iter().any(|print| code.contains(print))
    })?;
    Some(format!("{shown}:{}: what serves must not print; log it with tracing", line + 1))
}

fn collect(directory: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_of_sibling_test_modules_are_found() {
        let modules = ["edge", "wire", "main"];
        let of = |text: &str| siblings(&modules, text).collect::<Vec<_>>();
        assert_eq!(of("use crate::wire::Client;"), ["wire"]);
        assert_eq!(of("use crate::{OVHAI, edge, wire};"), ["edge", "wire"]);
        assert_eq!(of("    crate::edge::get(&host, 1)"), ["edge"]);
        assert!(of("use crate::OVHAI;\nuse ovhai_test_support::wire;\nlet edge = 1;").is_empty());
    }
}
