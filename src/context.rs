//! Everything that a command gets from its surroundings: streams, environment, time, terminal.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;
use ovhai_api_types::Region;

use crate::args::global::{Format, Global};
use crate::calls::liveness::FoundEmulator;
use crate::calls::trace::Trace;
use crate::error::{Failure, INTERRUPTED, Result};
use crate::secret::bare;
use crate::term::terminal::Layout;
use crate::term::terminal::{self, Colors, Paint, paint};
use crate::term::text;

/// See the module.
pub struct Context {
    /// The result.
    pub out: Box<dyn Write + Send>,
    /// Messages beside the result.
    pub err: Box<dyn Write + Send>,
    /// Environment variables.
    pub env: HashMap<String, String>,
    /// Names of environment variables that are not UTF-8, as far as they can be shown.
    pub unreadable_variables: Vec<String>,
    /// The time.
    pub now: fn() -> Timestamp,
    /// The directory that the command was typed in.
    pub directory: PathBuf,
    /// The executable of this program, which starts an emulator in the background.
    pub executable: Option<PathBuf>,
    /// An emulator inside this process, which is used instead of one that is found or started.
    pub embedded: Option<ovhai_emulator::state::Running>,
    /// Whether the result goes to a terminal.
    pub terminal: bool,
    /// Whether messages go to a terminal.
    pub err_terminal: bool,
    /// Width of the result's terminal in columns; without one nothing is cut, hidden or folded.
    pub columns: Option<usize>,
    /// The streams that may have colours.
    pub colors: Colors,
    /// Whether result and messages go to the same file or pipe.
    pub streams_are_one: bool,
    /// Whether the last output there ended within a line.
    begun: bool,
    /// The options that every command has.
    pub global: Global,
    /// Builds the whole command tree, in which hints and help look up commands.
    pub(crate) tree: fn() -> clap::Command,
    /// Variables that hold a secret of this command; the emulator must not inherit them.
    pub(crate) secret_variables: Vec<String>,
    /// The requests of this run, and their responses.
    pub(crate) trace: Arc<Trace>,
    /// The local emulator that this run talks to.
    pub(crate) found: Arc<FoundEmulator>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Context {
    /// The context of this process, with the tree of commands.
    pub fn from_process(tree: fn() -> clap::Command) -> Self {
        let (env, unreadable_variables) = variables_of_process();
        Self {
            out: Box::new(io::BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            env,
            unreadable_variables,
            now: Timestamp::now,
            directory: std::env::current_dir().unwrap_or_else(|_| "/".into()),
            executable: std::env::current_exe().ok(),
            embedded: None,
            terminal: io::stdout().is_terminal(),
            err_terminal: io::stderr().is_terminal(),
            columns: terminal::columns(),
            colors: Colors::of_process(),
            streams_are_one: streams_are_one(),
            begun: false,
            global: Global::default(),
            tree,
            secret_variables: Vec::new(),
            trace: Arc::default(),
            found: Arc::default(),
        }
    }

    /// Applies the options of the command line.
    pub(crate) fn apply(&mut self, global: &Global) {
        self.global = global.clone();
        self.trace = Arc::new(Trace::new(global.verbose > 0));
        if global.no_color {
            self.colors = Colors::NONE;
        }
    }

    /// A variable that is set and not empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Writes a line of the result.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        writeln!(self.out, "{}", text.as_ref())?;
        Ok(())
    }

    /// Ends a line that an app's output left open: on a terminal immediately, in a pipe never,
    /// because it would change the result. If both streams go to the same place, the next message
    /// starts on a new line.
    pub(crate) fn end_line(&mut self) -> io::Result<()> {
        if self.terminal {
            writeln!(self.out)?;
            return self.out.flush();
        }
        self.out.flush()?;
        self.begun = self.streams_are_one;
        Ok(())
    }

    fn begin_line(&mut self) {
        if std::mem::take(&mut self.begun) {
            // The reader may be gone.
            let _ = self.err.write_all(b"\n");
        }
    }

    /// Shows why the command failed.
    pub(crate) fn show_failure(&mut self, failure: &Failure) {
        if failure.is_silent() {
            // The terminal shows ^C; the shell's prompt belongs on the next line.
            if failure.code() == INTERRUPTED && self.err_terminal {
                let _ = self.err.write_all(b"\n");
            }
            return;
        }
        self.begin_line();
        if self.format() == Some(Format::Json) {
            // A closed stream is no reason to fail, here as elsewhere.
            let _ = writeln!(self.err, "{}", failure.json());
            return;
        }
        failure.show(&mut self.err, self.colors.err);
    }

    /// Writes a message, unless `--quiet`.
    pub fn note(&mut self, text: impl AsRef<str>) {
        if !self.global.quiet {
            self.begin_line();
            // The reader may be gone.
            let _ = writeln!(self.err, "{}", self.said(text.as_ref()));
        }
    }

    /// A message, cleaned: names in it can't move the cursor.
    fn said(&self, text: &str) -> String {
        let text = self.addressed(text);
        let text = text::clean(&text);
        match text.strip_prefix("hint:") {
            Some(rest) => format!("{}{rest}", paint(Paint::Cyan, "hint:", self.colors.err)),
            None => text.into_owned(),
        }
    }

    /// Text with commands to copy. Adds the `--state-dir` of this command to them, or they would
    /// start or stop another emulator. A variable needs no such addition: it stays set.
    pub(crate) fn addressed<'a>(&self, text: &'a str) -> Cow<'a, str> {
        const PROGRAM: &str = "ovhai ";
        let Some(directory) = &self.global.state_dir else { return text.into() };
        let option = format!("--state-dir {} ", text::quoted(&directory.to_string_lossy()));
        let tree = (self.tree)();
        let mut pieces = text.split(PROGRAM);
        let mut out = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            out += PROGRAM;
            let word = piece.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
            if tree.find_subcommand(word).is_some() {
                out += &option;
            }
            out += piece;
        }
        out.into()
    }

    /// Width and colours for the result.
    pub(crate) fn layout(&self) -> Layout {
        // Ages are of the server's time.
        let now = self.trace.domain_time().unwrap_or_else(self.now);
        Layout { columns: self.columns, color: self.colors.out, now }
    }

    /// The caller's token, when one was given.
    pub fn token(&self) -> Result<Option<&str>> {
        let given = self.global.token.as_deref().or_else(|| self.var("OVHAI_TOKEN"));
        let Some(token) = given.map(|given| bare(given).trim()) else { return Ok(None) };
        // An empty token must not silently turn the caller into the administrator.
        if token.is_empty() {
            return Err(Failure::usage("the token is empty")
                .hint("check the variable that --token takes it from"));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::usage("the token contains invalid characters")
                .hint("copy it again, completely and without blanks"));
        }
        Ok(Some(token))
    }

    /// The region of the option or the variable.
    pub fn region(&self) -> Result<Option<Region>> {
        let named = self.global.region.as_deref().or_else(|| self.var("OVHAI_REGION"));
        named
            .map(|name| name.parse::<Region>().map_err(|error| Failure::usage(error.to_string())))
            .transpose()
    }

    /// The output format.
    pub fn format(&self) -> Option<Format> {
        let named = self.global.output.as_deref();
        // Any other value belongs to a command's own option of the same name.
        let named = named.and_then(|name| Format::from_str(name, false).ok());
        named.or(self.global.json.as_ref().map(|_| Format::Json))
    }
}

/// The variables, and the names of those that are not UTF-8.
fn variables_of_process() -> (HashMap<String, String>, Vec<String>) {
    let (mut readable, mut unreadable) = (HashMap::new(), Vec::new());
    for (name, value) in std::env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => drop(readable.insert(name, value)),
            (Ok(name), Err(_)) => unreadable.push(name),
            (Err(name), _) => unreadable.push(name.to_string_lossy().into_owned()),
        }
    }
    (readable, unreadable)
}

/// Whether both output streams of the process lead to the same pipe or file.
fn streams_are_one() -> bool {
    let place = |file: rustix::io::Result<rustix::fs::Stat>| {
        file.ok().map(|file| (file.st_dev, file.st_ino))
    };
    let out = place(rustix::fs::fstat(io::stdout()));
    out.is_some() && out == place(rustix::fs::fstat(io::stderr()))
}

/// Ready after Ctrl-C or SIGTERM. From the call on, not from the first poll, these signals no
/// longer end the program.
pub(crate) fn interrupted() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
