//! Links, anchors and contents of the documents, and the names that the reference lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ovhai_test_support::TestCli;
use ovhai_test_support::documents::{documents, read, root, spans};
use regex_lite::Regex;
use serde_json::json;

use crate::OVHAI;

#[test]
fn every_link_of_the_documents_has_a_target() {
    let mut checked = 0;
    for name in documents() {
        for link in links(&read(&name)) {
            if let Err(why) = follow(&name, &link) {
                panic!("{name}: {link}: {why}");
            }
            checked += 1;
        }
    }
    assert!(checked > 80, "only {checked} links were found");
}

#[test]
fn a_broken_link_is_reported() {
    for broken in
        ["no_such_thing.md", "#no_such_thing", "selectors.md#no_such_thing", "../README.md#instal"]
    {
        assert!(follow("docs/tutorial.md", broken).is_err(), "{broken}");
    }
    for good in ["#run-an-app", "../README.md#install", "images/login-dark.png", "https://x.y"] {
        assert_eq!(follow("docs/tutorial.md", good), Ok(()), "{good}");
    }
    assert_eq!(
        links("[a](b.md#c) `[no](no)`\n```\n[no](no)\n```\n<img src=\"d.png\">"),
        ["b.md#c", "d.png"]
    );
}

#[test]
fn anchors_are_computed_as_by_github() {
    let anchors = anchors("# `a` B: c, d\n## Twice\n```\n# not\n```\n## Twice\n## x-y_z [k](l)\n");
    assert_eq!(anchors, ["a-b-c-d", "twice", "twice-1", "x-y_z-k"].map(str::to_owned));
}

/// A document that has a table of contents lists every section there.
#[test]
fn contents_are_complete() {
    let mut checked = BTreeSet::new();
    for name in documents() {
        let text = read(&name);
        let listed: BTreeSet<String> = links(&text)
            .iter()
            .filter_map(|link| link.strip_prefix('#'))
            .map(str::to_owned)
            .collect();
        if listed.is_empty() {
            continue;
        }
        let sections = headings(&text).into_iter().filter(|(level, _)| *level == 2);
        for (_, title) in sections {
            assert!(listed.contains(&anchor(&title)), "{name}: {title:?} is not in the contents");
        }
        checked.insert(name);
    }
    for name in ["README.md", "docs/tutorial.md", "docs/how-to.md", "docs/reference.md"] {
        assert!(checked.contains(name), "{name} has no contents");
    }
}

#[test]
fn the_reference_lists_every_metric() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["me"]);
    let page = cli.ok(&["emulator", "metrics"]);
    let metrics = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let metrics: BTreeMap<&str, &str> =
        metrics.filter_map(|metric| metric.split_once(' ')).collect();
    let rows = table("docs/reference.md", "Metrics");
    let listed: BTreeMap<&str, &str> =
        rows.iter().map(|row| (row[0].trim_matches('`'), row[1].as_str())).collect();
    assert_eq!(listed, metrics);

    let kind = Regex::new(r#"ovhai_gateway_refusals_total\{reason="(\w+)"\}"#).unwrap();
    let kinds: BTreeSet<&str> =
        kind.captures_iter(&page).map(|found| found.get(1).unwrap().as_str()).collect();
    let rows = table("docs/reference.md", "Error messages");
    let listed: BTreeSet<&str> = rows.iter().map(|row| row[1].trim_matches('`')).collect();
    assert_eq!(listed, kinds);
}

#[test]
fn every_message_of_the_reference_is_in_the_code() {
    let sources: String = ["emulator", "wire"].map(sources_of).concat();
    let mut checked = 0;
    for row in table("docs/reference.md", "Error messages") {
        // Messages that the code composes are not found as a whole.
        let messages = row[2].split('`').skip(1).step_by(2).filter(|text| !text.contains('='));
        for message in messages {
            let begin = message.split('…').next().unwrap().trim_end();
            assert!(sources.contains(begin), "no message contains {begin:?}");
            checked += 1;
        }
    }
    assert!(checked > 12, "only {checked} messages were found");
}

/// All sources of a crate.
fn sources_of(name: &str) -> String {
    fn read_below(directory: &Path, into: &mut String) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read_below(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    read_below(&root().join("crates").join(name).join("src"), &mut text);
    text
}

#[test]
fn the_reference_lists_every_field_of_the_access_log() {
    let id = uuid::Uuid::nil();
    let record = json!({
        "time": "2026-11-29T15:00:00Z", "id": "x", "client": "127.0.0.1:1", "door": "app",
        "app": id, "appName": "a", "region": "GRA", "port": 1, "protocol": "HTTP/2", "tls": true,
        "method": "GET", "path": "/", "status": 200, "bytesIn": 0, "bytesOut": 0,
        "decision": "allowed", "token": id, "tokenName": "t", "user": "u", "withheld": true,
        "refused": "slow", "reason": "r", "aborted": "app", "micros": 1, "upstreamMicros": 1,
        "heldMicros": 1, "replica": 1,
    });
    // The sample has every field that the type knows, and no other.
    let typed: ovhai_api_types::RequestRecord = serde_json::from_value(record.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), record);
    let debug = format!("{typed:?}");
    assert!(!debug.contains("None") && !debug.contains("false"), "{debug}");

    let fields: BTreeSet<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
    let rows = table("docs/reference.md", "Access log");
    let mut listed: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row[0].split(", "))
        .map(|field| field.trim_matches('`'))
        .collect();
    // Records have these, lines do not.
    for field in ["appName", "region", "withheld"] {
        assert!(read("docs/reference.md").contains(&format!("`{field}`")), "{field}");
        assert!(listed.insert(field), "{field}");
    }
    // Lines have this, records do not.
    assert!(listed.remove("domainTime"));
    assert_eq!(listed, fields);
}

#[test]
fn every_path_of_the_architecture_exists() {
    let mut checked = 0;
    for span in spans(&prose(&read("docs/ARCHITECTURE.md"))) {
        match exists(&span) {
            Some(true) => checked += 1,
            Some(false) => panic!("docs/ARCHITECTURE.md: {span} does not exist"),
            None => {}
        }
    }
    assert!(checked > 70, "only {checked} paths were found");
}

#[test]
fn a_missing_path_is_reported() {
    for missing in [
        "src/no_such_thing",
        "edge/no_such_thing",
        "crates/core/src/no_such_thing.rs",
        "core::no_such_thing",
        "core::policy::no_such_thing",
        "no_such_thing::policy",
    ] {
        assert_eq!(exists(missing), Some(false), "{missing}");
    }
    for present in
        ["src/cmd", ".cargo/config.toml", "edge/doors", "core::policy::decide", "term::text"]
    {
        assert_eq!(exists(present), Some(true), "{present}");
    }
    for other in ["ovh/id", "processes/", "/_emulator/apps", "fields=row", "serde_yaml", "a b/c"] {
        assert_eq!(exists(other), None, "{other}");
    }
}

/// Whether a path of the architecture exists: of a file or directory, from the project's root or
/// from the sources of a crate, or of a Rust module or item. None if it is not a path.
fn exists(span: &str) -> Option<bool> {
    const OTHERS: [&str; 3] = ["ovh/id", "ovh/type", "processes/"];
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | ':' | '_' | '-' | '.' | '(' | ')');
    if !span.chars().all(is_plain) || span.starts_with('/') || OTHERS.contains(&span) {
        return None;
    }
    let sources: Vec<PathBuf> = std::iter::once(root().join("src"))
        .chain(fs::read_dir(root().join("crates")).unwrap().map(|c| c.unwrap().path().join("src")))
        .collect();
    if span.contains("::") {
        let path = span.trim_end_matches("()").replace("::", "/");
        let (first, inside) = path.split_once('/').unwrap_or((&path, ""));
        // A type and its function, such as `Emulator::builder`.
        if first.starts_with(|c: char| c.is_ascii_uppercase()) {
            let names: Vec<_> = path.split('/').collect();
            return Some(sources.iter().any(|source| names_all(source, &names)));
        }
        let of_crate = root().join("crates").join(first.replace('_', "-")).join("src");
        let is_inside = sources.iter().any(|source| {
            let is_module =
                source.join(first).is_dir() || source.join(format!("{first}.rs")).is_file();
            is_module && is_item(source, &path)
        });
        return Some(is_inside || is_item(&of_crate, inside));
    }
    if !span.contains('/') {
        return None;
    }
    let in_sources = || {
        let mut sources = sources.iter();
        sources
            .any(|source| source.join(span).is_dir() || source.join(format!("{span}.rs")).is_file())
    };
    Some(root().join(span).exists() || in_sources())
}

/// Whether `path` leads from a directory of modules to a module, or to an item named in it.
fn is_item(directory: &Path, path: &str) -> bool {
    let Some((name, inside)) = path.split_once('/').or((!path.is_empty()).then_some((path, "")))
    else {
        return directory.is_dir();
    };
    let (file, child) = (directory.join(format!("{name}.rs")), directory.join(name));
    if !file.is_file() && !child.is_dir() {
        // An item of the module that the directory is, which may re-export it.
        let names: Vec<_> = path.split('/').collect();
        return directory.is_dir() && names_all(directory, &names);
    }
    if child.is_dir() && is_item(&child, inside) {
        return true;
    }
    let names: Vec<_> = inside.split('/').filter(|name| !name.is_empty()).collect();
    file.is_file() && names_all(&file, &names)
}

/// Whether a file, or one below a directory, has all these words.
fn names_all(path: &Path, names: &[&str]) -> bool {
    if path.is_dir() {
        let mut entries = fs::read_dir(path).unwrap();
        return entries.any(|entry| names_all(&entry.unwrap().path(), names));
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let words: BTreeSet<&str> =
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    names.iter().all(|name| words.contains(name))
}

/// The targets of links and images outside of code.
fn links(text: &str) -> Vec<String> {
    let link = Regex::new(r#"(?:\]\(|\bsrc(?:set)?=")([^)"\s]+)[)"]"#).unwrap();
    let span = Regex::new("`[^`]*`").unwrap();
    let text = prose(text);
    let text = span.replace_all(&text, "");
    link.captures_iter(&text).map(|found| found[1].to_owned()).collect()
}

/// Whether the target of a link in this document exists, with its anchor.
fn follow(document: &str, link: &str) -> Result<(), String> {
    if link.contains("://") {
        return Ok(());
    }
    let (file, wanted) = link.split_once('#').unwrap_or((link, ""));
    let directory = Path::new(document).parent().unwrap();
    let target = if file.is_empty() { document.into() } else { directory.join(file) };
    if !root().join(&target).exists() {
        return Err("the file is missing".into());
    }
    if wanted.is_empty() || anchors(&read(target.to_str().unwrap())).iter().any(|a| a == wanted) {
        return Ok(());
    }
    Err("the file has no such heading".into())
}

/// A document without its fenced blocks.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let outside = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    });
    outside.collect::<Vec<_>>().join("\n")
}

/// Level and text of each heading.
fn headings(text: &str) -> Vec<(usize, String)> {
    let prose = prose(text);
    let headings = prose.lines().filter_map(|line| {
        let title = line.trim_start_matches('#');
        let level = line.len() - title.len();
        title.strip_prefix(' ').filter(|_| level > 0).map(|title| (level, title.to_owned()))
    });
    headings.collect()
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let anchors = headings(text).into_iter().map(|(_, title)| {
        let anchor = anchor(&title);
        let before = seen.entry(anchor.clone()).or_default();
        *before += 1;
        if *before == 1 { anchor } else { format!("{anchor}-{}", *before - 1) }
    });
    anchors.collect()
}

fn anchor(title: &str) -> String {
    let link = Regex::new(r"\[([^\]]*)\]\([^)]*\)").unwrap();
    let title = link.replace_all(title, "$1").to_lowercase();
    title
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The cells of the first table below a heading, without its head.
fn table(document: &str, section: &str) -> Vec<Vec<String>> {
    let text = read(document);
    let below = text.lines().skip_while(|line| *line != format!("## {section}"));
    let rows =
        below.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2)
        .map(|row| {
            let row = row.replace("\\|", "¦");
            row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}
