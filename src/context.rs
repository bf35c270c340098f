//! Everything that a command gets from outside.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;
use ovhai_api_types::Region;

use crate::error::{Failure, INTERRUPTED, Result};
use crate::line::global::{Format, Global};
use crate::secret::bare;
use crate::server::liveness::Found;
use crate::server::trace::Trace;
use crate::ui::terminal::Layout;
use crate::ui::terminal::{self, Colors, Paint, paint};
use crate::ui::text;

/// See the module.
pub struct Context {
    /// What was asked for.
    pub out: Box<dyn Write + Send>,
    /// What is said beside it.
    pub err: Box<dyn Write + Send>,
    /// Environment variables.
    pub env: HashMap<String, String>,
    /// Names of environment variables that are not UTF-8, as far as they can be shown.
    pub unreadable_variables: Vec<String>,
    /// The time.
    pub now: fn() -> Timestamp,
    /// The directory that the command was typed in.
    pub directory: PathBuf,
    /// This program, to start an emulator in the background with.
    pub executable: Option<PathBuf>,
    /// An emulator inside this process, instead of one found or started.
    pub embedded: Option<ovhai_emulator::state::Running>,
    /// Whether the result goes to a terminal.
    pub terminal: bool,
    /// Whether what is said beside it goes to a terminal.
    pub err_terminal: bool,
    /// How many columns that terminal has; none: nothing is cut, dropped or folded.
    pub columns: Option<usize>,
    /// Where colours may be.
    pub colors: Colors,
    /// Whether what was asked for and what is said beside it come out at one place.
    pub streams_are_one: bool,
    /// What came out there last has begun a line.
    begun: bool,
    /// The options that every command has.
    pub global: Global,
    /// Makes the whole tree of commands: what hints and help name is looked up there.
    pub(crate) tree: fn() -> clap::Command,
    /// Variables that hold a secret of this command, and are none of the emulator's business.
    pub(crate) secret_variables: Vec<String>,
    /// What this run said to servers.
    pub(crate) trace: Arc<Trace>,
    /// The local emulator that this run talks to.
    pub(crate) found: Arc<Found>,
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

    /// Takes the options that stand on the command line.
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

    /// Writes a line of what was asked for.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        writeln!(self.out, "{}", text.as_ref())?;
        Ok(())
    }

    /// Ends a line that was begun by somebody else, such as an app: on a terminal at once, in a
    /// pipe never, where it would change what was asked for. Where both streams are one, a message
    /// that follows begins on a line of its own.
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
            // Nobody may be listening there.
            let _ = self.err.write_all(b"\n");
        }
    }

    /// Shows why the command failed.
    pub(crate) fn show_failure(&mut self, failure: &Failure) {
        if failure.is_silent() {
            // The terminal shows ^C, and the shell's prompt would stand behind it.
            if failure.code() == INTERRUPTED && self.err_terminal {
                let _ = self.err.write_all(b"\n");
            }
            return;
        }
        self.begin_line();
        if self.format() == Some(Format::Json) {
            // As everywhere here: a closed stream is not worth failing for.
            let _ = writeln!(self.err, "{}", failure.json());
            return;
        }
        failure.show(&mut self.err, self.colors.err);
    }

    /// Says something beside it, unless `--quiet`.
    pub fn note(&mut self, text: impl AsRef<str>) {
        if !self.global.quiet {
            self.begin_line();
            // Nobody may be listening there.
            let _ = writeln!(self.err, "{}", self.said(text.as_ref()));
        }
    }

    /// A remark as it may be shown: names in it can't move the cursor.
    fn said(&self, text: &str) -> String {
        let text = self.addressed(text);
        let text = text::clean(&text);
        match text.strip_prefix("hint:") {
            Some(rest) => format!("{}{rest}", paint(Paint::Cyan, "hint:", self.colors.err)),
            None => text.into_owned(),
        }
    }

    /// Text with commands to copy, which go to the state directory that this one was given: else
    /// they would start, or stop, another emulator. A variable stays set.
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

    /// How much room there is for what was asked for, and whether it may be coloured.
    pub(crate) fn layout(&self) -> Layout {
        Layout { columns: self.columns, color: self.colors.out, now: (self.now)() }
    }

    /// The caller's token, when one was given.
    pub fn token(&self) -> Result<Option<&str>> {
        let given = self.global.token.as_deref().or_else(|| self.var("OVHAI_TOKEN"));
        let Some(token) = given.map(|given| bare(given).trim()) else { return Ok(None) };
        // Not silently somebody else: an unset variable must not make an administrator.
        if token.is_empty() {
            return Err(Failure::usage("the token is empty")
                .hint("is the variable set that --token takes it from?"));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::usage("the token has characters that no token has")
                .hint("copy it again, whole and without blanks"));
        }
        Ok(Some(token))
    }

    /// The region that was named.
    pub fn region(&self) -> Result<Option<Region>> {
        let named = self.global.region.as_deref().or_else(|| self.var("OVHAI_REGION"));
        named
            .map(|name| name.parse::<Region>().map_err(|error| Failure::usage(error.to_string())))
            .transpose()
    }

    /// How to show things.
    pub fn format(&self) -> Option<Format> {
        let named = self.global.output.as_deref();
        // What is not a format is an option of a command that has the same name.
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

/// Ready when somebody presses Ctrl-C or the program is asked to end. From the call on, not from
/// the first poll, nothing of that ends the program by itself.
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
