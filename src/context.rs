//! Everything that a command gets from outside.

use std::collections::HashMap;
use std::future::Future;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;
use ovhai_api_types::Region;

use crate::cli::{Format, Global};
use crate::error::{Failure, Result};

/// Asks the person at the terminal.
pub trait Prompter: Send {
    /// A yes or no; none when there is nobody to ask.
    fn confirm(&mut self, question: &str) -> io::Result<Option<bool>>;
}

struct Terminal;

impl Prompter for Terminal {
    fn confirm(&mut self, question: &str) -> io::Result<Option<bool>> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(None);
        }
        let answer = dialoguer::Confirm::new()
            .with_prompt(question)
            .default(false)
            .wait_for_newline(true)
            .interact_opt()?;
        Ok(Some(answer.unwrap_or(false)))
    }
}

/// See the module.
pub struct Context {
    /// What was asked for.
    pub out: Box<dyn Write + Send>,
    /// What is said beside it.
    pub err: Box<dyn Write + Send>,
    /// Environment variables.
    pub env: HashMap<String, String>,
    /// Asks questions.
    pub prompter: Box<dyn Prompter>,
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
    /// The options that every command has.
    pub global: Global,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Context {
    /// The context of this process.
    pub fn from_process() -> Self {
        Self {
            out: Box::new(io::BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            env: std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
            prompter: Box::new(Terminal),
            now: Timestamp::now,
            directory: std::env::current_dir().unwrap_or_else(|_| "/".into()),
            executable: std::env::current_exe().ok(),
            embedded: None,
            terminal: io::stdout().is_terminal(),
            global: Global::default(),
        }
    }

    /// Takes the options that stand on the command line.
    pub(crate) fn apply(&mut self, global: &Global) {
        self.global = global.clone();
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

    /// Says something beside it, unless `--quiet`.
    pub fn note(&mut self, text: impl AsRef<str>) {
        if !self.global.quiet {
            // Nobody may be listening there.
            let _ = writeln!(self.err, "{}", text.as_ref());
        }
    }

    /// Whether the result goes to a terminal.
    pub(crate) fn out_is_terminal(&self) -> bool {
        self.terminal
    }

    /// The caller's token, when one was given.
    pub fn token(&self) -> Result<Option<&str>> {
        let given = self.global.token.as_deref().or_else(|| self.var("OVHAI_TOKEN"));
        let Some(token) = given.map(str::trim) else { return Ok(None) };
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
        // Clap has checked it, but for the file of app curl.
        self.global.output.as_deref().and_then(|name| Format::from_str(name, false).ok())
    }

    /// Asks before something that can't be undone. Where nobody can be asked it goes on, as
    /// scripts expect; `yes` goes on anyway.
    pub(crate) fn confirm(&mut self, question: &str, yes: bool) -> Result<()> {
        if yes {
            return Ok(());
        }
        let answer = self.prompter.confirm(question).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => {
                // The prompt hid it.
                let _ = self.err.write_all(b"\x1b[?25h\n");
                Failure::interrupted()
            }
            _ => error.into(),
        })?;
        if answer.unwrap_or(true) {
            Ok(())
        } else {
            Err(Failure::new("cancelled, nothing was changed"))
        }
    }
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
