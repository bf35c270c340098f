//! `ovhai emulator start` in the foreground.

use std::process::{Child, Command, Stdio};

use ovhai_emulator::state::{Running, StateDir};

use crate::{TestCli, eventually_now};

/// An emulator in the foreground, killed with the test.
#[derive(Debug)]
pub struct Foreground {
    /// Its process.
    pub child: Child,
    /// What it announces in its state directory.
    pub running: Running,
}

impl Foreground {
    /// Starts it in the command line's state directory, and waits until it listens.
    pub fn start(cli: &TestCli, arguments: &[&str]) -> Self {
        Self::start_by(Command::new(cli.executable()), cli, arguments)
    }

    /// Starts it by a command that becomes the emulator.
    pub fn start_by(command: Command, cli: &TestCli, arguments: &[&str]) -> Self {
        Self::start_into(command, cli, arguments, crate::stderr())
    }

    /// Starts it with this standard error.
    pub fn start_into(
        mut command: Command,
        cli: &TestCli,
        arguments: &[&str],
        stderr: Stdio,
    ) -> Self {
        let mut child = command
            .args(["emulator", "start", "--port", "0", "--quota", "unlimited"])
            .args(arguments)
            .env("OVHAI_STATE_DIR", cli.state_dir())
            .stdin(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let state = StateDir::new(cli.state_dir());
        let pid = child.id();
        let running = eventually_now("the emulator runs", || {
            assert!(child.try_wait().unwrap().is_none(), "the emulator ended");
            state.running().filter(|running| running.pid == pid)
        });
        Self { child, running }
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
