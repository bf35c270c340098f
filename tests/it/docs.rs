//! The documents are true: the `console` blocks of the README and of docs/ run in order, each
//! document in a home of its own, and print what is shown there; a command of `ovhai` anywhere else
//! exists.

use ovhai_test_support::documents::{documents, read, spans};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use ovhai::cli::Cli;
use regex_lite::Regex;
use tempfile::TempDir;

use crate::OVHAI;

/// The documents that show sessions, in alphabetical order; each has a test of its own below.
const SESSIONS: [&str; 3] = ["README.md", "docs/how-to.md", "docs/tutorial.md"];

/// The variable with the program's path.
const INTERNAL: [&str; 3] = ["ovhai __supervise", "ovhai __launch", "ovhai __archive"];

#[test]
fn the_sessions_of_the_readme_run() {
    Session::of(SESSIONS[0]).run();
}

#[test]
fn the_sessions_of_the_how_to_run() {
    Session::of(SESSIONS[1]).run();
}

#[test]
fn the_sessions_of_the_tutorial_run() {
    Session::of(SESSIONS[2]).run();
}

#[test]
fn every_session_of_the_documents_is_run() {
    let showing: Vec<String> =
        documents().into_iter().filter(|name| shows_session(&read(name))).collect();
    assert_eq!(showing, SESSIONS);
    for name in SESSIONS {
        assert_eq!(not_run(&read(name)), Vec::<String>::new(), "{name}: these would not be run");
    }
}

#[test]
fn a_session_that_is_not_run_is_reported() {
    assert!(!shows_session("$ outside of a block\n```sh\novhai me\n```\n"));
    for block in ["```console\n$ ovhai me\n```\n", "  ```sh\n  $ ovhai me\n  ```\n"] {
        assert!(shows_session(block), "{block}");
    }
    assert!(not_run("```console\n$ ovhai me\nName: you\n```\n").is_empty());
    for block in
        ["```sh\n$ x\n```", "```\n$ x\n```", "  ```console\n  $ x\n  ```", "```console x\n$ x\n```"]
    {
        assert_eq!(not_run(block), ["$ x"], "{block}");
    }
}

#[test]
fn every_command_of_the_documents_parses() {
    let mut checked = 0;
    for name in documents() {
        let text = read(&name);
        for line in blocks_of(&text, "sh").iter().flat_map(|block| block.lines()) {
            for command in commands_in(line) {
                let words = shlex::split(&command).unwrap_or_default();
                if let Err(error) = Cli::try_parse_from(&words) {
                    assert!(!error.use_stderr(), "{name}: {command}\n{error}");
                }
                checked += 1;
            }
        }
        let is_command = |span: &String| span.starts_with("ovhai ") && !INTERNAL.contains(&&**span);
        for span in spans(&text).filter(is_command) {
            if let Err(why) = is_known(&span) {
                panic!("{name}: `{span}`: {why}");
            }
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} commands were found");
}

#[test]
fn unknown_commands_and_options_are_reported() {
    for unknown in [
        "ovhai app fly APP",
        "ovhai app curl APP --fly",
        "ovhai config list|fly",
        "ovhai app curl APP [--fly=FAST]",
        "ovhai app list -Z",
    ] {
        assert!(is_known(unknown).is_err(), "{unknown}");
    }
    for known in [
        "ovhai config list|get",
        "ovhai app curl APP [PATH]",
        "ovhai app wait APP --for STATE [--timeout=5m]",
        "ovhai -o json app list",
    ] {
        assert_eq!(is_known(known), Ok(()), "{known}");
    }
    assert_eq!(
        commands_in(
            "T=$(ovhai token list -l 'a in (b)' | jq .) && X=1 ovhai me 2> /dev/null # ovhai"
        ),
        ["ovhai token list -l 'a in (b)'", "ovhai me"]
    );
}

/// Whether a document shows commands after a `$`, in whatever kind of block.
fn shows_session(text: &str) -> bool {
    !commands_shown(text).is_empty()
}

/// The commands after a `$` that [`Session`] does not run: it runs `console` blocks
/// that are not indented.
fn not_run(text: &str) -> Vec<String> {
    let shown = commands_shown(text).into_iter();
    shown.filter(|(fence, _)| fence != "```console").map(|(_, command)| command).collect()
}

/// The commands after a `$` in fenced blocks, with the line that opens the block.
fn commands_shown(text: &str) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        match fence {
            Some(_) if is_fence => fence = None,
            None if is_fence => fence = Some(line),
            Some(open) if line.trim_start().starts_with("$ ") => {
                shown.push((open.to_owned(), line.trim_start().to_owned()));
            }
            _ => {}
        }
    }
    shown
}

/// The home of a document, in which its commands run; dropping it stops its emulator.
struct Session {
    document: &'static str,
    directory: TempDir,
}

/// Runs one line of a session in a shell with the environment that the lines before it left, and
/// with the port of the running emulator instead of the documents' port. The output is printed
/// without its last line end, so that a blank line after it is not part of it.
const LINE: &str = r#"
set -a
. "$1/environment"
line=$2
if [ -f "$OVHAI_STATE_DIR/emulator.json" ]; then
  port=$(sed -n 's/.*"address":.*:\([0-9]*\)".*/\1/p' "$OVHAI_STATE_DIR/emulator.json")
  line=$(printf %s "$line" | sed "s/:4480/:$port/g")
fi
eval "$line" >"$1/output" 2>&1 </dev/null
status=$?
export -p >"$1/environment"
printf %s "$(cat "$1/output")"
exit $status
"#;

impl Session {
    fn of(document: &'static str) -> Self {
        Self { document, directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap()
    }

    /// What trycmd reads.
    fn copy(&self) -> PathBuf {
        self.path().join(Path::new(self.document).file_name().unwrap())
    }

    fn home(&self) -> PathBuf {
        // Where trycmd runs the commands.
        self.copy().with_extension("in")
    }

    fn state_dir(&self) -> PathBuf {
        self.home().join(".local/share/ovhai")
    }

    fn run(&self) {
        fs::create_dir(self.home()).unwrap();
        ovhai_test_support::lose_log(&self.state_dir());
        fs::write(self.path().join("line.sh"), LINE).unwrap();
        fs::write(self.path().join("environment"), self.environment()).unwrap();
        fs::write(self.copy(), self.prepared(&read(self.document))).unwrap();
        trycmd::TestCases::new()
            .register_bin("env", Path::new("/usr/bin/env"))
            .timeout(Duration::from_mins(5))
            .case(self.copy())
            .run();
    }

    /// The initial environment of a session, without this process's own.
    fn environment(&self) -> String {
        let path = std::env::join_paths(
            std::iter::once(Path::new(OVHAI).parent().unwrap().to_path_buf())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        [
            ("PATH", path.unwrap().to_str().unwrap()),
            ("HOME", self.home().to_str().unwrap()),
            ("USER", "you"),
            ("OVHAI_STATE_DIR", self.state_dir().to_str().unwrap()),
            ("OVHAI_PORT", "0"),
            ("OVHAI_KEYRING", "0"),
            // All requests go to this machine.
            ("NO_PROXY", "*"),
        ]
        .map(|(name, value)| format!("export {name}={}\n", shlex::try_quote(value).unwrap()))
        .concat()
    }

    /// The document for trycmd, with patterns for parts that differ from run to run.
    fn prepared(&self, text: &str) -> String {
        let mut prepared = String::new();
        let mut fence = Fence::None;
        // Blank lines that may be part of the output, and those before a command or the end. The
        // latter are moved behind the block, so that trycmd's line numbers match the document's.
        let (mut blank, mut left_out) = (0, 0);
        for line in text.lines() {
            match (fence, line) {
                (Fence::None, "```console") => {
                    fence = Fence::Session;
                    prepared.push_str(line);
                }
                (Fence::None, _) if line.starts_with("```") => {
                    fence = Fence::Other;
                    // Without a language trycmd would run it.
                    prepared.push_str(if line == "```" { "```text" } else { line });
                }
                (Fence::Session, "") => {
                    blank += 1;
                    continue;
                }
                (Fence::Session, "```") => {
                    fence = Fence::None;
                    prepared.push_str(line);
                    prepared.push_str(&"\n".repeat(blank + left_out));
                    (blank, left_out) = (0, 0);
                }
                (Fence::Session, _) => {
                    if let Some(command) = line.strip_prefix("$ ") {
                        left_out += std::mem::take(&mut blank);
                        prepared.push_str(&self.command(command));
                    } else {
                        prepared.push_str(&"\n".repeat(std::mem::take(&mut blank)));
                        prepared.push_str(&any_of(line));
                    }
                }
                (Fence::Other, _) => {
                    if line == "```" {
                        fence = Fence::None;
                    }
                    prepared.push_str(line);
                }
                (Fence::None, _) => prepared.push_str(line),
            }
            prepared.push('\n');
        }
        prepared
    }

    fn command(&self, line: &str) -> String {
        let quoted = shlex::try_quote(line).unwrap();
        let path = self.path();
        format!("$ env -i sh {0}/line.sh {0} {quoted}", path.display())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // None may run.
        let _ = Command::new(OVHAI)
            .args(["emulator", "stop", "--quiet", "--state-dir"])
            .arg(self.state_dir())
            .env("HOME", self.home())
            .output();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fence {
    None,
    Session,
    Other,
}

/// A line of output, with trycmd's `[..]` for parts that differ from run to run.
fn any_of(line: &str) -> String {
    if line == "…" {
        return "...".into();
    }
    let changing = [
        // Ids, strings of tokens, passwords, sessions of `debug`.
        r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
        r"\beyJ[\w.-]*",
        r"\b[0-9a-f]{20}\b",
        r"\b[0-9a-f]{8}\b",
        // Ports and processes.
        r"\b4480\b",
        r"\b(pid|PID:) +\d+",
        r"\b127\.0\.0\.1:\d+",
        // Dates.
        r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC( \(\d+[smhd] ago\))?",
        r"\b\d{4}-\d\d-\d\dT[\d:.]+Z",
        r"\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT",
        // Times and ages, with the padding of their column.
        r"\b\d+(\.\d+)? ms\b",
        r"\b\d+[smhd]\b *",
        // Text that the document omits.
        "…",
    ];
    let any = Regex::new(&format!("({})+", changing.join("|"))).unwrap();
    // trycmd treats a backslash as a path separator.
    any.replace_all(line, "[..]").replace('\\', "/").replace("/home/you", "[CWD]")
}

/// The fenced blocks in this language.
fn blocks_of(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside: Option<(bool, String)> = None;
    for line in text.lines() {
        inside = match (inside, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => Some((info == language, String::new())),
            (None, None) => None,
            (Some((wanted, block)), Some(_)) => {
                blocks.extend(wanted.then_some(block));
                None
            }
            (Some((wanted, block)), None) => Some((wanted, block + line + "\n")),
        };
    }
    blocks
}

/// The commands of `ovhai` in a shell line, for the syntax that the documents use: `<app id>`
/// stands for an id, and nothing runs within double quotes.
fn commands_in(line: &str) -> Vec<String> {
    let line = Regex::new("<[a-z][a-z ]*>").unwrap().replace_all(line, "x");
    let mut parts = vec![String::new()];
    let mut quote = None;
    for c in line.trim_start_matches("$ ").chars() {
        let part = parts.last_mut().unwrap();
        match quote {
            None if c == '#' && part.ends_with(' ') => break,
            None if "|;&()<>".contains(c) => {
                // As in `2>`.
                if c == '>' && part.ends_with(|c: char| c.is_ascii_digit()) {
                    part.pop();
                }
                parts.push(String::new());
                continue;
            }
            None if "'\"".contains(c) => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        part.push(c);
    }
    let is_assignment = Regex::new(r"^[A-Z_]+=\S* *").unwrap();
    parts
        .iter()
        .map(|part| is_assignment.replace(part.trim(), "").into_owned())
        .filter(|command| command == "ovhai" || command.starts_with("ovhai "))
        .collect()
}

/// Checks that the commands and options of a command in prose exist; alternatives are written
/// `a|b`, optional parts in brackets.
fn is_known(span: &str) -> Result<(), String> {
    let cli = ovhai::cli::tree();
    let mut command = &cli;
    let text = span.replace(['[', ']', '"'], " ");
    let mut words = text.split_whitespace().skip(1).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word.starts_with('-') {
            for written in word.split('|').filter(|written| written.starts_with('-')) {
                let option = option(command, written)
                    .ok_or_else(|| format!("there is no option {written}"))?;
                let has_value = option.get_action().takes_values() && !written.contains('=');
                // The subcommand may follow.
                if has_value && command.has_subcommands() {
                    words.next();
                }
            }
        } else if command.has_subcommands() {
            let mut found = None;
            for name in word.split('|') {
                found = command.find_subcommand(name);
                if found.is_none() && name != "…" {
                    return Err(format!("there is no command {name}"));
                }
            }
            let Some(child) = found else { break };
            command = child;
        }
    }
    Ok(())
}

/// The option of a command with this spelling: `--long`, `--long=value`, `-s`.
fn option<'a>(command: &'a clap::Command, written: &str) -> Option<&'a clap::Arg> {
    let name = written.split('=').next().unwrap_or_default();
    command.get_arguments().find(|argument| match name.strip_prefix("--") {
        Some(long) => {
            argument.get_long_and_visible_aliases().is_some_and(|all| all.contains(&long))
        }
        None => name.chars().nth(1).is_some_and(|short| {
            argument.get_short_and_visible_aliases().is_some_and(|all| all.contains(&short))
        }),
    })
}
