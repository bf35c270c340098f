//! Apps as local processes.

use std::process::Command;

use ovhai_emulator::Emulator;
use serde_json::{Value, json};

use crate::{TestEmulator, documents};

/// An emulator that runs processes; `supervisor` is `ovhai`.
pub async fn emulator(supervisor: &str) -> TestEmulator {
    let emulator = Emulator::builder().supervisor(supervisor).start().await.unwrap();
    TestEmulator { emulator, sim: None }
}

/// The file of an app in tests/apps.
pub fn app_file(name: &str) -> String {
    let file = documents::root().join("tests/apps").join(name).join("app.py");
    file.into_os_string().into_string().expect("text")
}

/// The command of tests/apps/server with these options.
pub fn server(options: &[&str]) -> Value {
    json!([&["python3", &app_file("server")], options].concat())
}

/// The spec of an app that runs this command and needs no token.
pub fn process(command: &Value, more: Value) -> Value {
    let mut spec = json!({
        "image": "python:3", "runtime": "process", "command": command, "unsecureHttp": true,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        spec[name] = value.clone();
    }
    spec
}

/// Process id and command line of each process whose command line contains this.
pub fn processes(word: &str) -> Vec<String> {
    let output = Command::new("ps").args(["-eo", "pid,args", "-ww"]).output().unwrap();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.contains(word))
        .map(str::to_owned)
        .collect()
}
