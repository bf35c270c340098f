//! Arrows between the modules of a crate: its layers, and circles of files.
//!
//! A module is a file. What it imports is read from its `use` declarations and from paths that begin
//! with `crate::` or `super::`; a name that a module re-exports counts as an import of the module
//! that has it. Tests may reach further, and are not read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::run::root;

/// Path of a module, from the crate's root on.
type Module = Vec<String>;

/// The layers of a crate, the highest first: a module imports modules of its own layer and of lower
/// ones only. The names are those of the crate's top-level modules.
pub(super) struct Layers {
    /// Directory of the crate's sources.
    pub(super) sources: &'static str,
    pub(super) layers: &'static [&'static [&'static str]],
    /// Whether no circle of files is left, but of a module with the modules inside it.
    pub(super) has_no_circles: bool,
}

/// What goes against the layers of a crate.
pub(super) fn faults(of: &Layers) -> Result<Vec<String>> {
    let sources = root().join(of.sources);
    let mut files = Vec::new();
    super::collect(&sources, &mut files)?;
    let (mut texts, mut skipped) = (BTreeMap::new(), Vec::new());
    for path in files {
        let module = module_of(path.strip_prefix(&sources).unwrap_or(&path));
        let (text, names) = without_test_files(&fs::read_to_string(&path)?);
        skipped.extend(names.into_iter().map(|name| [&module[..], &[name]].concat()));
        texts.insert(module, code(&text));
    }
    texts.retain(|module, _| !skipped.contains(module));
    Ok(check(&texts, of))
}

fn check(texts: &BTreeMap<Module, String>, of: &Layers) -> Vec<String> {
    let modules: BTreeSet<&Module> = texts.keys().collect();
    let imports: BTreeMap<&Module, BTreeSet<(Module, String)>> =
        texts.iter().map(|(module, text)| (module, paths(module, text))).collect();
    let resolve = |module: &Module, name: &str| resolve(&modules, &imports, module, name, 0);
    let mut arrows: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, names) in &imports {
        let targets = names.iter().map(|(path, name)| resolve(path, name));
        let targets = targets.filter(|target| target != *module && !target.is_empty());
        arrows.insert(module, targets.collect());
    }
    let mut faults = Vec::new();
    let layer = |module: &Module| {
        let top = module.first()?;
        of.layers.iter().position(|layer| layer.contains(&top.as_str()))
    };
    for (module, targets) in &arrows {
        // The root only says what there is.
        let Some(own) = layer(module) else {
            if module.len() == 1 && module[0] != "main" {
                faults.push(format!("{}: {} is in no layer", of.sources, module.join("::")));
            }
            continue;
        };
        for target in targets.iter().filter(|target| layer(target).is_some_and(|at| at < own)) {
            faults.push(format!(
                "{}: {} must not use {}: the arrow goes the other way",
                of.sources,
                module.join("::"),
                target.join("::")
            ));
        }
    }
    if of.has_no_circles {
        faults.extend(circle(&arrows).map(|circle| {
            let names: Vec<_> = circle.iter().map(|module| module.join("::")).collect();
            format!("{}: these use each other: {}", of.sources, names.join(" -> "))
        }));
    }
    faults
}

/// A circle of modules of which none is inside the other, if there is one.
fn circle<'m>(arrows: &BTreeMap<&'m Module, BTreeSet<Module>>) -> Option<Vec<&'m Module>> {
    let mut done = BTreeSet::new();
    let mut way = Vec::new();
    arrows.keys().find_map(|module| visit(module, arrows, &mut way, &mut done))
}

fn visit<'m>(
    module: &'m Module,
    arrows: &BTreeMap<&'m Module, BTreeSet<Module>>,
    way: &mut Vec<&'m Module>,
    done: &mut BTreeSet<&'m Module>,
) -> Option<Vec<&'m Module>> {
    if let Some(at) = way.iter().position(|one| *one == module) {
        return Some(way[at..].iter().copied().chain([module]).collect());
    }
    if !done.insert(module) {
        return None;
    }
    way.push(module);
    for target in arrows.get(module).into_iter().flatten() {
        let is_kin = target.starts_with(module) || module.starts_with(target);
        let Some((target, _)) = arrows.get_key_value(target).filter(|_| !is_kin) else { continue };
        if let Some(circle) = visit(target, arrows, way, done) {
            return Some(circle);
        }
    }
    way.pop();
    None
}

/// The module that has a name: the one that is named, or a module that it re-exports it from.
fn resolve(
    modules: &BTreeSet<&Module>,
    imports: &BTreeMap<&Module, BTreeSet<(Module, String)>>,
    path: &Module,
    name: &str,
    depth: u32,
) -> Module {
    let child: Module = path.iter().cloned().chain([name.to_owned()]).collect();
    if modules.contains(&child) {
        return child;
    }
    if !modules.contains(path) {
        // An item inside an item, such as a variant of an enumeration.
        return match path.split_last() {
            Some((last, rest)) => resolve(modules, imports, &rest.to_vec(), last, depth),
            None => Module::new(),
        };
    }
    let names = imports.get(path).into_iter().flatten();
    let exported = names.filter(|(from, of)| of == name && from != path).find(|(from, _)| {
        // Only a re-export of an inner module's item: else the item would be the module's own.
        from.starts_with(path) && modules.contains(from)
    });
    match exported.filter(|_| depth < 4) {
        Some((from, name)) => resolve(modules, imports, from, name, depth + 1),
        None => path.clone(),
    }
}

/// The module in a file, by its path inside the sources.
fn module_of(path: &Path) -> Module {
    let mut module: Module =
        path.iter().map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned()).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

/// A source without its declarations of modules that are test files, and the names of these.
fn without_test_files(text: &str) -> (String, Vec<String>) {
    const START: &str = "#[cfg(test)]\nmod ";
    let (mut kept, mut names) = (String::new(), Vec::new());
    let mut parts = text.split(START);
    kept += parts.next().unwrap_or_default();
    for part in parts {
        let end = part.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(part.len());
        match part[end..].strip_prefix(';') {
            Some(rest) => {
                names.push(part[..end].to_owned());
                kept += rest;
            }
            None => kept.extend([START, part]),
        }
    }
    (kept, names)
}

/// A source without comments and tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let text = text.split("#[cfg(test)]\npub(super) mod ").next().unwrap_or_default();
    let lines = text.lines().map(|line| {
        let line = line.trim_start();
        if line.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or_default() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What a module names of its crate: the path of a module, and a name in it.
fn paths(module: &Module, text: &str) -> BTreeSet<(Module, String)> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    // Declarations, with their groups.
    while let Some(at) = rest.find("use ") {
        let before = rest[..at].chars().next_back();
        rest = &rest[at + 4..];
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '<' || c == '+') {
            continue;
        }
        let Some(end) = rest.find(';') else { break };
        let tree: String = rest[..end].split_whitespace().collect::<Vec<_>>().join(" ");
        expand("", &tree, &mut |path| add(module, path, true, &mut found));
    }
    // Paths in the code.
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                continue;
            }
            let end = text[at..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let path = &text[at..end.map_or(text.len(), |end| at + end)];
            add(module, path.trim_end_matches(':'), false, &mut found);
        }
    }
    found
}

/// Expands the groups of a `use` declaration.
fn expand(start: &str, tree: &str, each: &mut impl FnMut(&str)) {
    let Some(open) = tree.find('{') else {
        let path = format!("{start}{}", tree.split(" as ").next().unwrap_or_default().trim());
        return each(&path);
    };
    let start = format!("{start}{}", tree[..open].trim());
    let inner = tree[open + 1..].trim_end().trim_end_matches('}');
    let (mut depth, mut from) = (0, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&start, inner[from..at].trim(), each);
                from = at + 1;
            }
            _ => {}
        }
    }
    let last = inner[from..].trim();
    if !last.is_empty() {
        expand(&start, last, each);
    }
}

fn add(module: &Module, path: &str, is_use: bool, found: &mut BTreeSet<(Module, String)>) {
    let mut parts: Vec<&str> = path.split("::").map(str::trim).collect();
    let mut base = match parts.first() {
        Some(&"crate") => Module::new(),
        Some(&"super") => module[..module.len().saturating_sub(1)].to_vec(),
        Some(&"self") => module.clone(),
        // A child of the module, or another crate.
        Some(_) if is_use => {
            parts.insert(0, "self");
            module.clone()
        }
        _ => return,
    };
    parts.remove(0);
    while parts.first() == Some(&"super") {
        parts.remove(0);
        base.pop();
    }
    // `use a::b::{self}` is the module itself.
    if parts.last() == Some(&"self") {
        parts.pop();
    }
    let Some(name) = parts.pop() else { return };
    base.extend(parts.into_iter().map(str::to_owned));
    found.insert((base, name.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_files_are_left_out() {
        let text =
            "use crate::a;\n#[cfg(test)]\nmod more;\nuse crate::b;\n#[cfg(test)]\nmod tests {\n}\n";
        let (kept, names) = without_test_files(text);
        assert_eq!(names, ["more"]);
        assert_eq!(code(&kept), "use crate::a;\n\nuse crate::b;");
    }

    fn check_files(files: &[(&str, &str)]) -> Vec<String> {
        let texts = files.iter().map(|(path, text)| (module_of(Path::new(path)), code(text)));
        let layers: &[&[&str]] = &[&["top"], &["low", "lowest"]];
        let of = Layers { sources: "x", layers, has_no_circles: true };
        check(&texts.collect(), &of)
    }

    #[test]
    fn arrows_that_go_up() {
        let top = ("top.rs", "use crate::low::{self, Thing};\nfn f() {}");
        assert!(check_files(&[("lib.rs", "mod top;"), top, ("low.rs", "")]).is_empty());
        for low in [
            "use crate::top::Thing;",
            "use crate::{a, top::{b, c}};",
            "use super::top;",
            "fn f() { crate::top::g() }",
            "pub(crate) use crate::top::Thing as Other;",
        ] {
            let faults = check_files(&[("top.rs", ""), ("low/mod.rs", low)]);
            assert_eq!(faults, ["x: low must not use top: the arrow goes the other way"], "{low}");
        }
        for fine in [
            "// use crate::top::Thing;",
            "use other::top::Thing;",
            "#[cfg(test)]\nmod tests { use crate::top; }",
        ] {
            assert!(check_files(&[("top.rs", ""), ("low.rs", fine)]).is_empty(), "{fine}");
        }
        let exported = ("lib.rs", "pub use top::Thing;");
        let faults = check_files(&[exported, ("top.rs", ""), ("low.rs", "use crate::Thing;")]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(check_files(&[("other.rs", "")]), ["x: other is in no layer"]);
    }

    #[test]
    fn circles() {
        let files = [
            ("low/mod.rs", "pub use a::One;\nuse b::Two;"),
            ("low/a.rs", "use super::b::Two;"),
            ("low/b.rs", "use super::One;"),
        ];
        assert_eq!(check_files(&files), ["x: these use each other: low::a -> low::b -> low::a"]);
        // A module and its inner modules may.
        let files =
            [("low/mod.rs", "use a::One;\npub struct Own;"), ("low/a.rs", "use super::Own;")];
        assert!(check_files(&files).is_empty());
        let files = [("low.rs", "use crate::lowest::A;"), ("lowest.rs", "use crate::low::B;")];
        assert_eq!(check_files(&files).len(), 1);
    }
}
