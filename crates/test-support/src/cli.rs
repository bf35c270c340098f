//! The command line in an environment of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A home, a state directory and an executable. The emulator that commands start by themselves
/// ends with it.
#[derive(Debug)]
pub struct TestCli {
    home: TempDir,
    executable: PathBuf,
}

impl TestCli {
    /// `executable` is `ovhai`.
    pub fn new(executable: impl Into<PathBuf>) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        crate::stderr::lose_log(&home.path().join("state"));
        Self { home, executable: executable.into() }
    }

    /// One with an emulator that runs `e`, an app that shows requests and needs no token.
    pub fn with_echo(executable: impl Into<PathBuf>) -> Self {
        let cli = Self::new(executable);
        cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--unsecure-http", "--wait"]);
        cli
    }

    /// The request that `app curl e` with these arguments sends.
    pub fn curl(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[&["app", "curl", "e"], arguments].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The executable.
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The state directory.
    pub fn state_dir(&self) -> PathBuf {
        self.home().join("state")
    }

    /// Whether no command wrote to the state directory.
    pub fn is_untouched(&self) -> bool {
        let log = std::ffi::OsStr::new("emulator.log");
        let is_lost_log = |name: std::ffi::OsString| crate::is_stderr_lost() && name == log;
        std::fs::read_dir(self.state_dir()).map_or(true, |mut entries| {
            crate::is_stderr_lost()
                && entries.all(|entry| entry.is_ok_and(|entry| is_lost_log(entry.file_name())))
        })
    }

    /// The environment of its commands.
    pub fn environment(&self) -> [(&'static str, OsString); 6] {
        [
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", self.home().into()),
            ("USER", "tester".into()),
            ("OVHAI_STATE_DIR", self.state_dir().into()),
            ("OVHAI_PORT", "0".into()),
            ("OVHAI_KEYRING", "0".into()),
        ]
    }

    /// `ovhai` with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(arguments).env_clear().envs(self.environment()).current_dir(self.home());
        command
    }

    /// Runs it, and panics unless it succeeds; returns its output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs it with `-o json`.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Runs it, and panics if it succeeds; returns exit code and stderr.
    pub fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.command(arguments).output().expect("it runs");
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(!output.status.success(), "{arguments:?} succeeded: {said}");
        assert!(!said.contains("panicked"), "{said}");
        (output.status.code().unwrap_or(-1), said)
    }
}

impl Drop for TestCli {
    fn drop(&mut self) {
        // There may be none, or it may hang.
        let stop = ["emulator", "stop", "--quiet"];
        let stopped = self.command(&stop).output();
        if !stopped.is_ok_and(|output| output.status.success()) {
            let _ = self.command(&[&stop[..], &["--force"]].concat()).output();
        }
    }
}
