//! The machine whose stores are searched: a file system, a home, programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::context::Context;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    /// `/`, except in tests.
    pub(super) root: PathBuf,
    pub(super) home: Option<PathBuf>,
    pub(super) java_home: Option<PathBuf>,
    /// The directories of programs.
    pub(super) path: Vec<PathBuf>,
}

impl Machine {
    pub(super) fn of(context: &Context) -> Self {
        let directory = |name: &str| context.var(name).map(PathBuf::from);
        Self {
            root: "/".into(),
            home: directory("HOME"),
            java_home: directory("JAVA_HOME"),
            path: context.var("PATH").map(std::env::split_paths).into_iter().flatten().collect(),
        }
    }

    /// Finds a program, also in the administrator's directories, which are not on every user's
    /// PATH.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        let more = ["usr/sbin", "sbin"].map(|dir| self.root.join(dir));
        self.path.iter().chain(&more).map(|dir| dir.join(name)).find(|path| path.is_file())
    }
}

/// Runs a program; returns its output, or why it failed.
pub(super) fn run<S: AsRef<OsStr>>(program: &Path, arguments: &[S]) -> Result<Vec<u8>, String> {
    let output = Command::new(program)
        .args(arguments)
        // Its messages are parsed.
        .env("LC_ALL", "C")
        .env_remove("OVHAI_TOKEN")
        // It must not ask questions.
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("can't run {}: {error}", program.display()))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    // Some programs report errors on stdout.
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let line = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason");
    Err(format!("{} failed ({}): {line}", program.display(), output.status))
}

/// A command line to type.
pub(super) fn shown<S: AsRef<OsStr>>(words: &[S]) -> String {
    let words: Vec<String> =
        words.iter().map(|word| word.as_ref().to_string_lossy().into_owned()).collect();
    // A path can't contain NUL.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}
