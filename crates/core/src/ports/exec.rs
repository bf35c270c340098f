//! Commands that run inside a replica, and copies of its files.
//!
//! A session is three channels of bounded size, so that each side waits for the other and nothing
//! piles up. Dropping a session ends its command.

use ovhai_api_types::{CopyDirection, TerminalSize};
use tokio::sync::mpsc;

use crate::replica::ExitStatus;

/// Messages that wait in a channel of a session.
const WAITING: usize = 4;
/// Resizes and signals that wait.
const CONTROLS: usize = 16;

/// What a session does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecTask {
    /// Runs a command.
    Command {
        /// Program and arguments; not empty.
        command: Vec<String>,
        /// The terminal that it runs in, if any: all its output is standard output then.
        terminal: Option<Terminal>,
        /// Whether it has an input; else that is empty.
        has_input: bool,
    },
    /// Copies files.
    Copy {
        /// In which direction; the form of its input and output.
        direction: CopyDirection,
        /// A file or a directory of the replica.
        path: String,
    },
}

/// A terminal that is made for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Its size; it may be changed later.
    pub size: TerminalSize,
    /// Its kind, as in the variable `TERM`.
    pub kind: String,
}

/// A change of a running command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecControl {
    /// The terminal has another size.
    Resize(TerminalSize),
    /// A signal, by its number on Linux.
    Signal(i32),
}

/// What a session reports. Only a notice is followed by anything after an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecOutput {
    /// Bytes of standard output.
    Stdout(Vec<u8>),
    /// Bytes of standard error.
    Stderr(Vec<u8>),
    /// Something was not possible, and the command goes on.
    Notice(String),
    /// The end of the command.
    Ended(ExitStatus),
    /// It could not be started, or its end is not known.
    Failed {
        /// Why.
        message: String,
        /// 127 if the program does not exist, 126 if it can't be run.
        code: Option<i32>,
    },
}

/// A session, as its user has it.
#[derive(Debug)]
pub struct ExecSession {
    /// The input. Dropping it is the end of the input.
    pub input: Option<mpsc::Sender<Vec<u8>>>,
    /// Resizes and signals.
    pub control: mpsc::Sender<ExecControl>,
    /// All that it reports. Dropping it ends the command.
    pub output: mpsc::Receiver<ExecOutput>,
}

/// The side of a session that runs the command.
#[derive(Debug)]
pub struct ExecBackend {
    /// The input; closed at its end.
    pub input: mpsc::Receiver<Vec<u8>>,
    /// Resizes and signals; closed when the session is dropped.
    pub control: mpsc::Receiver<ExecControl>,
    /// Where it reports; closed when the session is dropped.
    pub output: mpsc::Sender<ExecOutput>,
}

impl ExecSession {
    /// A session, and its other side.
    pub fn new() -> (Self, ExecBackend) {
        let (input, inputs) = mpsc::channel(WAITING);
        let (control, controls) = mpsc::channel(CONTROLS);
        let (outputs, output) = mpsc::channel(WAITING);
        let backend = ExecBackend { input: inputs, control: controls, output: outputs };
        (Self { input: Some(input), control, output }, backend)
    }
}
