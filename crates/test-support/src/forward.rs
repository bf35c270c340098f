//! `app port-forward` in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::TestCli;
use crate::blocking::Client;

/// A running `app port-forward`, killed with the test.
#[derive(Debug)]
pub struct Forward {
    child: Child,
    /// The address that it listens on.
    pub address: String,
}

impl Forward {
    /// Starts it for the emulator of a command line.
    pub fn start(cli: &TestCli, arguments: &[&str]) -> Self {
        Self::start_in(cli.executable(), &cli.state_dir(), cli.home(), None, arguments)
    }

    /// Starts it for the emulator in a state directory; with a token, if one is given.
    pub fn start_in(
        executable: &Path,
        state: &Path,
        home: &Path,
        token: Option<&str>,
        arguments: &[&str],
    ) -> Self {
        let mut child = Command::new(executable)
            .args(["app", "port-forward"])
            .args(arguments)
            .env("HOME", home)
            .env("OVHAI_STATE_DIR", state)
            .env("OVHAI_KEYRING", "0")
            .envs(token.map(|token| ("OVHAI_TOKEN", token)))
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(home.join("said")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").expect("an address").to_owned();
        Self { child, address }
    }

    /// Sends bytes, and reads until the end of the connection.
    pub fn raw(&self, request: &str) -> String {
        let mut client = self.connect();
        client.send(request);
        String::from_utf8(client.rest()).unwrap()
    }

    /// Connects to it.
    pub fn connect(&self) -> Client {
        Client::to(self.address.parse().unwrap())
    }

    /// Sends a GET with more header lines, and reads until the end of the connection.
    pub fn get(&self, path: &str, more: &str) -> String {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}\r\n",
            self.address
        ))
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
