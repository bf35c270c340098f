//! `ovhai` in a terminal of its own, for tests that type.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::TestCli;

/// The master and the terminal itself, of this width.
fn open(columns: u16) -> (File, OwnedFd) {
    // A child that kept it open would keep the terminal open.
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal =
        rustix::fs::open(ptsname(&master, Vec::new()).unwrap(), flags, Mode::empty()).unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    (File::from(master), terminal)
}

/// `ovhai` as the terminal's controlling process; without one, Ctrl-C would signal no process.
fn command(cli: &TestCli, arguments: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new("setsid");
    command
        .arg("--ctty")
        .arg(cli.executable())
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", cli.home())
        .env("TERM", "xterm")
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .env("OVHAI_PORT", "0")
        .env("OVHAI_KEYRING", "0")
        .envs(env.iter().copied());
    command
}

/// The output of a command in a terminal of this width; 0: one that does not report its width.
pub fn shown(cli: &TestCli, columns: u16, arguments: &[&str], env: &[(&str, &str)]) -> String {
    let (mut screen, terminal) = open(columns);
    let mut child = command(cli, arguments, env)
        .stdin(terminal.try_clone().unwrap())
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal)
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    // Fails with EIO once no process has the terminal open.
    let _ = screen.read_to_end(&mut said);
    child.wait().unwrap();
    String::from_utf8(said).unwrap().replace("\r\n", "\n")
}

/// An interactive command.
#[derive(Debug)]
pub struct Talk {
    child: Child,
    screen: File,
    terminal: OwnedFd,
    said: String,
}

impl Talk {
    /// Starts it.
    pub fn begin(cli: &TestCli, arguments: &[&str]) -> Self {
        Self::with(cli, arguments, |_| {})
    }

    /// Starts it after `first` has typed.
    pub fn with(cli: &TestCli, arguments: &[&str], first: impl FnOnce(&mut File)) -> Self {
        let (mut screen, terminal) = open(120);
        first(&mut screen);
        let child = command(cli, arguments, &[("NO_COLOR", "1")])
            .stdin(terminal.try_clone().unwrap())
            .stdout(terminal.try_clone().unwrap())
            .stderr(Stdio::from(terminal.try_clone().unwrap()))
            .spawn()
            .unwrap();
        Self { child, screen, terminal, said: String::new() }
    }

    /// Waits until this is shown after what was expected last.
    pub fn expect(&mut self, text: &str) {
        let mut piece = [0; 1024];
        loop {
            if let Some(at) = self.said.find(text) {
                self.said.drain(..at + text.len());
                return;
            }
            let length = self.screen.read(&mut piece).unwrap();
            self.said += std::str::from_utf8(&piece[..length]).unwrap();
        }
    }

    /// Types this.
    pub fn types(&mut self, text: &str) {
        self.screen.write_all(text.as_bytes()).unwrap();
    }

    /// Gives the terminal another width.
    pub fn resize(&self, columns: u16) {
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.terminal, size).unwrap();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for its end; returns the exit code and the output after what was expected last. The
    /// terminal's modes have to be as before.
    pub fn end(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let mode = tcgetattr(&self.terminal).unwrap().local_modes;
        assert!(
            mode.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG),
            "{mode:?}"
        );
        drop(self.terminal);
        let mut rest = Vec::new();
        let _ = self.screen.read_to_end(&mut rest);
        let said = self.said + std::str::from_utf8(&rest).unwrap();
        (code, said.replace("\r\n", "\n"))
    }
}
