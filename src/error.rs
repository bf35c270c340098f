//! Failures as users see them (`error:`, `cause:`, `hint:`), and exit codes.
//!
//! 0 success, 1 failed, 2 usage, 3 not found, 4 not authenticated or forbidden, 5 timed out, 7 not
//! decided (`app check`), 22 the app answered with an error (`app curl --fail`), 130 interrupted (silent for commands that have
//! no other end). A closed pipe is silent success.

use std::io::{self, Write};
use std::path::Path;

use ovhai_client::Error as ClientError;
use ovhai_emulator::{OpenError, StartError};
use serde::{Deserialize, Serialize};

use crate::term::terminal::{Paint, paint};
use crate::term::text::clean_lines;

/// The result of every command.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// It failed.
pub const FAILED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// Something named on the command line does not exist.
pub const NOT_FOUND: u8 = 3;
/// Not authenticated, or forbidden.
pub const DENIED: u8 = 4;
/// Timed out.
pub const TIMEOUT: u8 = 5;
/// Not decided: a check lacked what it needs.
pub const UNDECIDED: u8 = 7;
/// The app answered with an error; curl's code for it.
pub const HTTP_ERROR: u8 = 22;
/// Interrupted.
pub const INTERRUPTED: u8 = 130;

const LOOK_INTO_LOG: &str =
    "see the requests and responses: ovhai debug; a local emulator's log: ovhai emulator logs";
/// Maximum length of a server's message, in characters.
const MESSAGE_MAX: usize = 500;

/// Why a command failed, for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    message: String,
    cause: Option<String>,
    /// One step each.
    hints: Vec<String>,
    code: u8,
}

impl Failure {
    /// A failure with exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None, hints: Vec::new(), code: FAILED }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, ..Self::new(message) }
    }

    /// Something named on the command line does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { code: NOT_FOUND, ..Self::new(message) }
    }

    /// Ctrl-C.
    pub(crate) fn interrupted() -> Self {
        Self { code: INTERRUPTED, ..Self::new("interrupted") }
    }

    /// A login that can't continue. The command does not silently act as another caller.
    pub(crate) fn session_ended() -> Self {
        Self::new("the session has ended")
            .because("it is too long ago, or the password was changed")
            .hint("log in again: ovhai login; or forget it: ovhai logout")
            .exit_code(DENIED)
    }

    /// A silent failure: everything was reported already.
    pub(crate) fn silent(code: u8) -> Self {
        Self { code, ..Self::new("") }
    }

    /// Whether the failure is silent.
    pub(crate) fn is_silent(&self) -> bool {
        self.message.is_empty()
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Says what to do next; may be called several times.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Rewrites the hints.
    #[must_use]
    pub(crate) fn with_hint(mut self, other: impl Fn(&str) -> String) -> Self {
        self.hints = self.hints.iter().map(|hint| other(hint)).collect();
        self
    }

    /// Sets the exit code.
    #[must_use]
    pub fn exit_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Message and cause in one line.
    pub(crate) fn brief(&self) -> String {
        match &self.cause {
            Some(cause) => format!("{}: {cause}", self.message),
            None => self.message.clone(),
        }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The failure for programs, as one line of JSON.
    pub(crate) fn json(&self) -> String {
        let error = serde_json::json!({
            "message": self.message,
            "cause": self.cause,
            "hints": self.hints,
            "exitCode": self.code,
        });
        serde_json::json!({ "error": error }).to_string()
    }

    /// Writes it. Foreign text, such as an app's output, is cleaned and can't move the cursor.
    pub fn show(&self, to: &mut dyn Write, color: bool) {
        if self.is_silent() {
            return;
        }
        let head = paint(Paint::Red, "error:", color);
        let mut text = format!("{head} {}\n", clean_lines(&self.message));
        if let Some(cause) = &self.cause {
            text += &format!("  cause: {}\n", clean_lines(cause));
        }
        for hint in &self.hints {
            let head = paint(Paint::Cyan, "hint:", color);
            for hint in hint.lines() {
                text += &format!("{head} {}\n", clean_lines(hint));
            }
        }
        // There is no other place to report this.
        let _ = to.write_all(text.as_bytes());
    }
}

/// A server's error with a message of bounded length.
fn shortened(error: ClientError) -> ClientError {
    match error {
        ClientError::Api { status, message } if message.chars().count() > MESSAGE_MAX => {
            let message = message.chars().take(MESSAGE_MAX).collect::<String>() + "…";
            ClientError::Api { status, message }
        }
        other => other,
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let error = shortened(error);
        match &error {
            ClientError::Api { status: 401, .. } => Self::new("not authenticated")
                .because("the server answered 401")
                .hint("a token must be complete, current and of this region; if a login has ended: ovhai login, or ovhai logout")
                .exit_code(DENIED),
            ClientError::Api { status: 403, message } => {
                let failure = Self::new("request error: 403").because(message).exit_code(DENIED);
                failure.hint("see who the caller is: ovhai me; use another token, or none (--token, OVHAI_TOKEN); to act as the emulator's owner again after a login: ovhai logout")
            }
            ClientError::Api { status: 402, message } => Self::new(format!("request error: 402: {message}"))
                .hint("see what is running: ovhai app list")
                .hint("see the quota: ovhai capabilities quota")
                .hint("raise it at a local emulator: ovhai emulator stop && ovhai emulator start --detach --quota CPU=48,GPU=16"),
            ClientError::Api { status: 404, message } => Self::not_found(message.clone()),
            ClientError::Api { status: 400, message } => {
                Self::usage("the server rejects a value").because(message)
            }
            ClientError::Api { status: 501, message } => Self::new(message.clone())
                .because("the service supports this, the emulator does not yet")
                .hint("see its features: ovhai feature list"),
            ClientError::Api { status: 507, message } => Self::new("request error: 507: the emulator's disk is full")
                .because(message)
                .hint("free space there and run the command again; the emulator continues without a restart"),
            // The object exists already, or its state does not allow the operation. The message
            // says which; the log has nothing to add.
            ClientError::Api { status: 409, message } => {
                Self::new("request error: 409").because(message)
            }
            ClientError::Api { status, message } => {
                Self::new(format!("request error: {status}")).because(message).hint(LOOK_INTO_LOG)
            }
            ClientError::Connect(why) => Self::new("the server can't be reached")
                .because(why)
                .hint("see the current region or endpoint: ovhai config list")
                .hint("if it is the local emulator: ovhai emulator status"),
            ClientError::Timeout => {
                Self::new(error.to_string()).exit_code(TIMEOUT).hint(LOOK_INTO_LOG)
            }
            ClientError::Broken(_) | ClientError::Answer(_) | ClientError::NotRenewed(_) => {
                Self::new(error.to_string()).hint(LOOK_INTO_LOG)
            }
            ClientError::Login { code, why } => Self::new("not logged in")
                .because(format!("{why} ({code})"))
                .hint("see who can log in to a local emulator: ovhai emulator user list; the first user's password: ovhai emulator status --show-password")
                .exit_code(DENIED),
            ClientError::Ended => Self::session_ended(),
            ClientError::ReadOnly(server) => Self::new(format!("refusing to change anything at {server}"))
                .because("OVHAI_LOCAL_ONLY allows changes on this machine only")
                .hint("unset OVHAI_LOCAL_ONLY, or choose a local region: --region REGION")
                .exit_code(DENIED),
            ClientError::Request(_) => Self::usage(error.to_string()),
        }
    }
}

/// The command that moves a file away.
fn moved_away(path: &Path) -> String {
    let words = ["mv".to_owned(), path.display().to_string(), format!("{}.old", path.display())];
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let failure = Self::new("the emulator can't start").because(&error);
        match &error {
            StartError::AlreadyRunning { .. } => failure.hint(
                "see it: ovhai emulator status; stop it: ovhai emulator stop; or use another directory for this one: --state-dir DIR",
            ),
            StartError::PortTaken { tls: true, .. } => failure.hint("choose another port for HTTPS: --tls=N, or OVHAI_TLS=N (0 lets the system choose), or stop the program that uses it"),
            StartError::PortTaken { .. } => failure
                .hint("choose another port: ovhai emulator start --detach --port N, or OVHAI_PORT=N (0 lets the system choose), or stop the program that uses it"),
            _ if error.is_about_room() => failure.hint("free space there, or use another directory: --state-dir DIR or OVHAI_STATE_DIR, or none: --ephemeral"),
            StartError::Store(OpenError::Foreign(path)) => failure.hint(format!(
                "if it is damaged, restore a backup, or start again without its apps and tokens: {}; or use another directory: --state-dir DIR or OVHAI_STATE_DIR, or none: --ephemeral",
                moved_away(path)
            )),
            StartError::Store(OpenError::LogAlone { log, .. }) => failure.hint(format!(
                "restore a backup of the database, or start again without the changes in the log: {}; or use another directory: --state-dir DIR",
                moved_away(log)
            )),
            StartError::Store(_) => failure.hint("use another directory: --state-dir DIR or OVHAI_STATE_DIR, or none: --ephemeral"),
            StartError::State { source, .. } if source.kind() == io::ErrorKind::StorageFull => failure
                .hint("free space on its disk, or use another directory: --state-dir DIR, or none: --ephemeral"),
            StartError::State { .. } => failure.hint("check the directory's permissions, or use another: --state-dir DIR, or none: --ephemeral"),
            StartError::Platform(_) => failure.hint(
                "the database may be damaged: keep a copy, and use another directory: --state-dir DIR",
            ),
            StartError::Listen { .. } => failure.hint("choose an address of this machine: --host IP"),
            StartError::Tls(_) => failure.hint("start without --tls, or with another directory: --state-dir DIR"),
            StartError::AccessLog { .. } => {
                failure.hint("use another file: --access-log FILE; or none: --access-log off")
            }
            StartError::Region(_) | StartError::System(_) => failure,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(0);
        }
        Self::new(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form() {
        let mut out = Vec::new();
        Failure::new("no").because("of this").hint("do that").show(&mut out, false);
        assert_eq!(
            String::from_utf8(out).as_deref(),
            Ok("error: no\n  cause: of this\nhint: do that\n")
        );
    }

    #[test]
    fn the_form_for_programs() {
        let failure = Failure::not_found("no\nsuch \"app\"").hint("a").hint("b");
        assert_eq!(
            failure.json(),
            r#"{"error":{"cause":null,"exitCode":3,"hints":["a","b"],"message":"no\nsuch \"app\""}}"#
        );
    }

    #[test]
    fn control_characters_are_escaped() {
        let mut out = Vec::new();
        Failure::new("no").because("said\n  \x1b[2Jthis").show(&mut out, true);
        let shown = String::from_utf8(out).unwrap();
        assert_eq!(shown, "\x1b[1;31merror:\x1b[0m no\n  cause: said\n  \\u{1b}[2Jthis\n");
    }

    #[test]
    fn a_closed_pipe_is_success() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        let mut out = Vec::new();
        failure.show(&mut out, true);
        assert_eq!((failure.code(), out.len()), (0, 0));
    }
}
