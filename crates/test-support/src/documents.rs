//! The repository's documents.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The root of the repository.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
    });
    &ROOT
}

/// The text of a file, by its path in the repository.
pub fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The README and every page below docs/, by name.
pub fn documents() -> Vec<String> {
    let mut names = vec!["README.md".to_owned()];
    let mut directories = vec![PathBuf::from("docs")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(root().join(&directory)).unwrap() {
            let entry = entry.unwrap();
            let path = directory.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                names.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    names.sort();
    names
}

/// Text between single backticks outside of fenced blocks; it may span two lines.
pub fn spans(text: &str) -> impl Iterator<Item = String> {
    let mut fenced = false;
    let outside: Vec<&str> = text
        .lines()
        .filter(|line| {
            let is_fence = line.trim_start().starts_with("```");
            fenced ^= is_fence;
            !fenced && !is_fence
        })
        .collect();
    let text = outside.join("\n");
    let spans: Vec<String> = text
        .split("\n\n")
        .flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2))
        .map(|span| span.replace('\n', " "))
        .collect();
    spans.into_iter()
}
