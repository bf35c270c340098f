//! Whose fault an end is.

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The image, the command or the program: the app is FAILED.
    User,
    /// The emulator or the machine: the app is in ERROR.
    Platform,
}
