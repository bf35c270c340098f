//! The emulator as a library and as a process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ovhai_emulator::state::{Running, StateDir};
use ovhai_emulator::{Emulator, StartError};
use ovhai_test_support::{TestCli, TestEmulator, eventually_now};
use serde_json::json;

use crate::{OVHAI, taken_port};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_in_one_process() {
    let mut all = Vec::new();
    for _ in 0..100 {
        all.push(TestEmulator::start().await);
    }
    for e in &all {
        let app = e.run_app(&[("group", "A")], json!({})).await;
        let token = e.token("GRA", "read", Some("group=A")).await.status.value.unwrap();
        assert_eq!(e.query(&app, Some(&token)).await.text(), "Hello, World!");
    }
    let foreign = all[1].token("GRA", "read", None).await.status.value.unwrap();
    let app = all[0].run_app(&[], json!({})).await;
    assert_eq!(all[0].query(&app, Some(&foreign)).await.status, 401, "each has its own key");
    for e in all {
        e.emulator.shutdown().await;
    }
}

#[tokio::test]
async fn start_fails_clearly_and_leaves_nothing() {
    let (_held, port) = taken_port();
    let error =
        Emulator::builder().address(([127, 0, 0, 1], port).into()).start().await.unwrap_err();
    assert!(error.to_string().contains(&format!("(pid {})", std::process::id())), "{error}");

    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let first = Emulator::builder().state_dir(&state).start().await.unwrap();
    let error = Emulator::builder().state_dir(&state).start().await.unwrap_err();
    assert!(matches!(error, StartError::AlreadyRunning { pid: Some(_), .. }), "{error}");
    first.shutdown().await;
    assert!(!state.join("emulator.json").exists());

    std::fs::write(state.join("signing.key"), "rubbish").unwrap();
    let error = Emulator::builder().state_dir(&state).start().await.unwrap_err();
    assert!(error.to_string().contains("signing.key"), "{error}");
    assert!(!StateDir::new(&state).is_locked());

    let error = Emulator::builder().regions(["a b"]).start().await.unwrap_err();
    assert!(matches!(error, StartError::Region(_)), "{error}");
    std::fs::write(dir.path().join("file"), "").unwrap();
    let error = Emulator::builder().state_dir(dir.path().join("file")).start().await.unwrap_err();
    assert!(matches!(error, StartError::State { .. }), "{error}");
}

/// `ovhai emulator start` in the foreground, ended with the test.
pub(crate) struct Foreground {
    pub(crate) child: Child,
    pub(crate) running: Running,
}

impl Foreground {
    pub(crate) fn start(cli: &TestCli, arguments: &[&str]) -> Self {
        Self::start_by(Command::new(OVHAI), cli, arguments)
    }

    /// By a command that becomes the emulator.
    pub(crate) fn start_by(mut command: Command, cli: &TestCli, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["emulator", "start", "--port", "0", "--quota", "unlimited"])
            .args(arguments)
            .env("OVHAI_STATE_DIR", cli.state_dir())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let state = StateDir::new(cli.state_dir());
        let pid = child.id();
        let running = eventually_now("it runs", || {
            assert!(child.try_wait().unwrap().is_none(), "it ended");
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

fn terminate(pid: u32) {
    let status = Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn sigterm_ends_it_within_two_seconds_with_open_streams() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    let code = "import http.server, os, time\nclass H(http.server.BaseHTTPRequestHandler):\n  def do_GET(self):\n    self.send_response(200); self.end_headers()\n    if self.path == '/endless':\n      while True:\n        self.wfile.write(b'data: x\\n\\n'); self.wfile.flush(); time.sleep(0.05)\nhttp.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()";
    cli.ok(&[
        "app",
        "run",
        "--name",
        "stream",
        "--unsecure-http",
        "--wait",
        "--runtime",
        "process",
        "python:3",
        "--",
        "python3",
        "-c",
        code,
    ]);
    let spawn = |arguments: &[&str]| {
        Command::new(OVHAI)
            .args(arguments)
            .env("OVHAI_STATE_DIR", cli.state_dir())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut stream = spawn(&["app", "curl", "stream", "/endless"]);
    let mut out = BufReader::new(stream.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    let mut logs = spawn(&["app", "logs", "-f", "stream"]);
    let begun = Instant::now();
    terminate(e.child.id());
    let status = e.child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // Those who were connected end too.
    out.read_to_end(&mut Vec::new()).unwrap();
    stream.wait().unwrap();
    logs.wait().unwrap();
    assert!(!StateDir::new(cli.state_dir()).is_locked());
    assert!(!cli.state_dir().join("emulator.json").exists());
}

#[test]
fn background_status_logs_stop() {
    let cli = TestCli::new(OVHAI);
    let (code, _) = cli.fails(&["emulator", "status"]);
    assert_eq!(code, 1);
    cli.ok(&["emulator", "start", "--detach", "--port", "0"]);
    let status = cli.json(&["emulator", "status"]);
    assert_eq!(status["running"], true);
    assert!(status.get("administrator").is_none(), "no secret is shown");
    // It says so right after others can find it.
    let says = || cli.ok(&["emulator", "logs"]).contains("the emulator runs");
    assert!((0..200).any(|_| says()), "{}", cli.ok(&["emulator", "logs"]));
    cli.ok(&["emulator", "start", "--detach", "--port", "0"]);
    assert_eq!(cli.json(&["emulator", "status"])["pid"], status["pid"], "it is the same one");
    cli.ok(&["emulator", "stop"]);
    cli.ok(&["emulator", "stop"]);
    assert!(!StateDir::new(cli.state_dir()).is_locked());
}

#[test]
fn the_first_command_starts_one_and_says_so_once() {
    let cli = TestCli::new(OVHAI);
    let first = cli.command(&["app", "list"]).output().unwrap();
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("in the background"), "{said}");
    let second = cli.command(&["app", "list"]).output().unwrap();
    assert!(second.stderr.is_empty(), "{}", String::from_utf8_lossy(&second.stderr));

    let other = TestCli::new(OVHAI);
    let output = other.command(&["app", "list"]).env("OVHAI_AUTOSTART", "0").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!StateDir::new(other.state_dir()).is_locked());
}

#[test]
fn one_whose_announcement_is_damaged_can_be_stopped() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    std::fs::write(cli.state_dir().join("emulator.json"), "{").unwrap();
    let (_, said) = cli.fails(&["emulator", "status"]);
    assert!(
        said.contains(&format!("(pid {})", e.child.id())) && said.contains("ovhai emulator stop"),
        "{said}"
    );
    cli.ok(&["emulator", "stop"]);
    assert!(e.child.wait().unwrap().success());
}

#[test]
fn many_first_commands_at_once_start_one() {
    let cli = TestCli::new(OVHAI);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| cli.json(&["me"]))).collect();
        let tenants: Vec<_> =
            all.into_iter().map(|one| one.join().unwrap()["tenant"].clone()).collect();
        assert!(tenants.iter().all(|tenant| *tenant == tenants[0]), "{tenants:?}");
    });
    cli.ok(&["emulator", "stop"]);
    // None of those that were started for nothing comes up now.
    let output = Command::new("ps").args(["-eo", "args", "-ww"]).output().unwrap();
    let state = cli.state_dir().display().to_string();
    let all = String::from_utf8_lossy(&output.stdout).into_owned();
    let left: Vec<_> = all.lines().filter(|line| line.contains(&state)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_taken_port_names_its_holder() {
    let cli = TestCli::new(OVHAI);
    let (_held, port) = taken_port();
    let port = port.to_string();
    for arguments in [
        &["emulator", "start", "--port", &port][..],
        &["emulator", "start", "--detach", "--port", &port],
    ] {
        let (code, said) = cli.fails(arguments);
        assert_eq!(code, 1);
        assert!(said.contains(&format!("port {port} is taken by")), "{said}");
        assert!(said.contains(&format!("(pid {})", std::process::id())), "{said}");
        assert!(said.contains("hint: "), "{said}");
    }
    let output = cli.command(&["app", "list"]).env("OVHAI_PORT", &port).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("is taken by"));
}

#[test]
fn what_is_kept_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let cli = TestCli::new(OVHAI);
    cli.ok(&["token", "new", "t", "--role", "read"]);
    let token = cli.json(&["token", "new", "u", "--role", "read"]);
    let value = token["status"]["value"].as_str().unwrap();
    for entry in std::fs::read_dir(cli.state_dir()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} {mode:o}", entry.path());
        if entry.file_name() != "credentials.json" {
            let bytes = std::fs::read(entry.path()).unwrap();
            let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
            assert!(!found, "{:?} has the token", entry.path());
        }
    }
}
