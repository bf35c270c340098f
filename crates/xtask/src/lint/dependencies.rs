//! Rules for dependencies: those of `deny.toml`, and that each one is used.
//!
//! `cargo deny` reads the same file. It is not part of CI, because it would have to be compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::collect;
use crate::run::{cargo, output, root};

pub(super) fn faults() -> Result<Vec<String>> {
    let metadata =
        output(cargo().args(["metadata", "--format-version", "1", "--locked", "--no-deps"]))?;
    let metadata: Value = serde_json::from_slice(&metadata)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut faults = Vec::new();
    let mut ours = BTreeSet::new();
    for package in packages {
        let name = package["name"].as_str().context("a package without a name")?;
        faults.extend(unused(name, package)?);
        ours.insert(name);
    }
    let deny = fs::read_to_string(root().join("deny.toml"))?;
    let rules = Rules::parse(&deny);
    // The packages that are compiled on any platform: the metadata also has optional packages that are off.
    let tree = output(
        cargo()
            .args(["tree", "--workspace", "--all-features", "--target=all", "--prefix=none"])
            .args(["--locked", "--edges=all", "--format={p}|{l}"]),
    )?;
    let lines: BTreeSet<&str> = std::str::from_utf8(&tree)?.lines().collect();
    for line in lines {
        let Some((package, license)) = line.trim_end_matches(" (*)").split_once('|') else {
            continue;
        };
        let name = package.split(' ').next().unwrap_or_default();
        if !ours.contains(name) {
            faults.extend(rules.check(name, package, license));
        }
    }
    Ok(faults)
}

/// What `deny.toml` says.
#[derive(Debug, Default)]
struct Rules {
    banned: BTreeSet<String>,
    licenses: BTreeSet<String>,
}

impl Rules {
    /// Reads the two lists. The file is ours: one entry a line.
    fn parse(text: &str) -> Self {
        let mut rules = Self::default();
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
            }
            let quoted = line.split('"').nth(1).map(str::to_owned);
            match (section, quoted) {
                ("[bans]", Some(name)) if line.starts_with('{') => rules.banned.insert(name),
                ("[licenses]", Some(name)) if line.starts_with('"') => rules.licenses.insert(name),
                _ => continue,
            };
        }
        rules
    }

    /// `package` is its name, version and, unless it comes from the registry, its source.
    fn check(&self, name: &str, package: &str, license: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if self.banned.contains(name) {
            faults.push(format!("{name} is banned by deny.toml: cargo tree -i {name}"));
        }
        if package.replace(" (proc-macro)", "").contains('(') {
            faults.push(format!("{package} does not come from the registry"));
        }
        if !self.allows(license) {
            faults.push(format!(
                "{package} has the license {license:?}, which deny.toml does not allow"
            ));
        }
        faults
    }

    /// Whether an SPDX expression can be satisfied. `/` is an older way to write OR.
    fn allows(&self, expression: &str) -> bool {
        let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut at = 0;
        self.any(&words, &mut at) && at == words.len()
    }

    fn any(&self, words: &[&str], at: &mut usize) -> bool {
        let mut is_allowed = self.all(words, at);
        while words.get(*at) == Some(&"OR") {
            *at += 1;
            is_allowed |= self.all(words, at);
        }
        is_allowed
    }

    fn all(&self, words: &[&str], at: &mut usize) -> bool {
        let mut is_allowed = self.one(words, at);
        while words.get(*at) == Some(&"AND") {
            *at += 1;
            is_allowed &= self.one(words, at);
        }
        is_allowed
    }

    fn one(&self, words: &[&str], at: &mut usize) -> bool {
        let Some(word) = words.get(*at) else { return false };
        *at += 1;
        if *word == "(" {
            let is_allowed = self.any(words, at);
            let is_closed = words.get(*at) == Some(&")");
            *at += 1;
            return is_allowed && is_closed;
        }
        // An exception only adds permissions.
        if words.get(*at) == Some(&"WITH") {
            *at += 2;
        }
        // `+` adds later versions.
        self.licenses.contains(word.trim_end_matches('+'))
    }
}

/// Dependencies that no source of one of our packages names.
fn unused(name: &str, package: &Value) -> Result<Vec<String>> {
    let manifest = package["manifest_path"].as_str().context("no manifest")?;
    let directory = Path::new(manifest).parent().context("no directory")?;
    let mut sources = Vec::new();
    for part in ["src", "tests", "fuzz_targets"] {
        let part = directory.join(part);
        if part.is_dir() {
            collect(&part, &mut sources)?;
        }
    }
    let mut words = BTreeSet::new();
    for path in sources {
        let text = fs::read_to_string(path)?;
        words.extend(text.split(|c: char| !(c.is_alphanumeric() || c == '_')).map(str::to_owned));
    }
    let dependencies = package["dependencies"].as_array().context("no dependencies")?;
    // A dependency may be declared for several platforms or kinds.
    let names: BTreeMap<String, &str> = dependencies
        .iter()
        .filter_map(|dependency| {
            let name = dependency["name"].as_str()?;
            let renamed = dependency["rename"].as_str().unwrap_or(name);
            Some((renamed.replace('-', "_"), name))
        })
        .collect();
    Ok(names
        .iter()
        .filter(|(identifier, _)| !words.contains(*identifier))
        .map(|(_, dependency)| format!("{name} does not use its dependency {dependency}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[bans]\ndeny = [\n  # why \"not\"\n  { crate = \"ring\" },\n]\n[licenses]\nallow = [\n  \"MIT\",\n  \"Zlib\",\n]\n";

    #[test]
    fn licenses() {
        let rules = Rules::parse(DENY);
        for (expression, is_allowed) in [
            ("MIT", true),
            ("MIT OR Apache-2.0", true),
            ("Apache-2.0/MIT", true),
            ("MIT AND Zlib", true),
            ("MIT AND Apache-2.0", false),
            ("(MIT OR Apache-2.0) AND Zlib", true),
            ("(MIT OR Apache-2.0) AND GPL-3.0", false),
            ("MIT WITH LLVM-exception", true),
            ("GPL-3.0", false),
            ("", false),
            ("(MIT", false),
        ] {
            assert_eq!(rules.allows(expression), is_allowed, "{expression}");
        }
    }

    #[test]
    fn a_package_that_breaks_every_rule() {
        let rules = Rules::parse(DENY);
        assert_eq!(rules.check("ring", "ring v1.0.0 (file:///x)", "").len(), 3);
        assert!(rules.check("good", "good v1.0.0 (proc-macro)", "MIT").is_empty());
    }
}
