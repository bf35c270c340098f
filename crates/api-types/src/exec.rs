//! Commands inside an app, and copies of its files: messages of the WebSocket that they run over.
//!
//! Every message is binary. Its first byte is the channel, as in Kubernetes' protocol
//! `v5.channel.k8s.io`; the remainder is bytes on the channels of the standard streams, and JSON on
//! the others. An extension of the emulator.

use serde::{Deserialize, Serialize};

/// Maximum bytes after the channel of one message.
pub const EXEC_CHUNK_MAX: usize = 32 * 1024;

/// Bytes of standard input that a client may send before the server grants more
/// ([`ExecChannel::Credit`]). They are what the server keeps for a command that does not read, so
/// that resizes and signals are never behind them.
pub const EXEC_INPUT_WINDOW: u32 = 256 * 1024;

/// The channel of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExecChannel {
    /// From the client: standard input.
    Stdin = 0,
    /// From the server: standard output; with a terminal, all output.
    Stdout = 1,
    /// From the server: standard error.
    Stderr = 2,
    /// From the server: an [`ExecStatus`].
    Status = 3,
    /// From the client: the terminal has another [`TerminalSize`].
    Resize = 4,
    /// From the client: a signal for the command, by its number on Linux.
    Signal = 5,
    /// From the server: number of further bytes of standard input that the client may send.
    Credit = 6,
    /// From the client: a channel that ends, by its number. Only standard input can.
    Close = 255,
}

impl ExecChannel {
    /// The channel with this number.
    pub fn of(number: u8) -> Option<Self> {
        let all = [
            Self::Stdin,
            Self::Stdout,
            Self::Stderr,
            Self::Status,
            Self::Resize,
            Self::Signal,
            Self::Credit,
            Self::Close,
        ];
        all.into_iter().find(|channel| *channel as u8 == number)
    }
}

/// Size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// News of a command. All but a notice end it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExecStatus {
    /// The command exited.
    Exited {
        /// Its status.
        code: i32,
    },
    /// A signal ended the command.
    Signalled {
        /// The signal's number on Linux.
        signal: i32,
    },
    /// The command could not be started, or its end is not known.
    Failed {
        /// Why.
        message: String,
        /// The exit code of a shell for this: 126 or 127, if one fits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<i32>,
    },
    /// Something was not possible, and the command goes on.
    Notice {
        /// What, and why.
        message: String,
    },
}

/// What a path inside an app leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathStatus {
    /// Whether there is anything.
    pub exists: bool,
    /// Whether it is a directory, or a link to one.
    #[serde(default)]
    pub is_directory: bool,
}

/// What to do with the files of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyDirection {
    /// Say what is at the path: a [`PathStatus`] on standard output.
    Look,
    /// Send the file or directory at the path as a tar, on standard output.
    Read,
    /// Unpack the tar on standard input into the directory at the path.
    Write,
}

impl CopyDirection {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl std::str::FromStr for CopyDirection {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Look, Self::Read, Self::Write];
        all.into_iter().find(|one| one.as_str() == text).ok_or("use look, read or write")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_on_the_wire() {
        for (status, json) in [
            (ExecStatus::Exited { code: 3 }, r#"{"exited":{"code":3}}"#),
            (ExecStatus::Signalled { signal: 9 }, r#"{"signalled":{"signal":9}}"#),
            (
                ExecStatus::Failed { message: "no".into(), code: Some(127) },
                r#"{"failed":{"message":"no","code":127}}"#,
            ),
            (ExecStatus::Notice { message: "so".into() }, r#"{"notice":{"message":"so"}}"#),
        ] {
            assert_eq!(serde_json::to_string(&status).expect("JSON"), json);
            assert_eq!(serde_json::from_str::<ExecStatus>(json).expect("a status"), status);
        }
    }

    #[test]
    fn channels_by_number() {
        assert_eq!(ExecChannel::of(5), Some(ExecChannel::Signal));
        assert_eq!(ExecChannel::of(255), Some(ExecChannel::Close));
        assert_eq!(ExecChannel::of(7), None);
    }
}
