//! The disk is full or does not sync, the database is missing, the log is not writable: the emulator
//! reports it, and refused changes have no effect.
//!
//! A preloaded library makes writes to the state directory fail while a file names
//! the failure: `full` or `sync`.

use std::io::PipeWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ovhai_test_support::foreground::Foreground;
use ovhai_test_support::{Answer, TestCli, eventually_now, send};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::OVHAI;

/// The library, which is compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broken_disk.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/broken_disk.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-o"]).arg(&path).arg(source).arg("-ldl");
        assert!(cc.status().unwrap().success());
        (directory, path)
    });
    path
}

struct Disk {
    cli: TestCli,
}

impl Disk {
    fn new() -> Self {
        Self { cli: TestCli::new(OVHAI) }
    }

    fn control(&self) -> PathBuf {
        self.cli.home().join("control")
    }

    fn fails(&self, how: &str) {
        std::fs::write(self.control(), how).unwrap();
    }

    fn works(&self) {
        std::fs::remove_file(self.control()).unwrap();
    }

    fn command(&self, command: &str) -> Command {
        let mut command = Command::new(command);
        command
            .env("LD_PRELOAD", library())
            .env("TEST_DISK", self.cli.state_dir())
            .env("TEST_DISK_CONTROL", self.control());
        command
    }

    fn start(&self) -> Foreground {
        Foreground::start_by(self.command(OVHAI), &self.cli, &[])
    }
}

async fn call(e: &Foreground, bearer: &str, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("authorization", format!("Bearer {bearer}"));
    send(e.running.address, request.body(Full::new(body)).unwrap()).await
}

/// As the administrator.
async fn admin(e: &Foreground, method: &str, path: &str, body: Value) -> Answer {
    call(e, &e.running.administrator, method, path, body).await
}

fn token(name: &str) -> Value {
    json!({"name": name, "role": "read"})
}

async fn names(e: &Foreground) -> Vec<String> {
    let list = admin(e, "GET", "/v1/token", Value::Null).await.json();
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["spec"]["name"].as_str().unwrap().to_owned()).collect()
}

/// Frames of a commit stand in the log when syncing it fails, and would be found at the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_refused_for_a_failed_sync_does_not_reappear() {
    let disk = Disk::new();
    let mut e = disk.start();
    let made = admin(&e, "POST", "/v1/token", token("kept")).await.json();
    let value = made["status"]["value"].as_str().unwrap();
    let app = json!({"image": "ovhai/echo", "name": "e", "resources": {"cpu": 1}});
    let app = admin(&e, "POST", "/v1/app", app).await.json();
    let app = format!("/v1/app/{}", app["id"].as_str().unwrap());
    let renew = format!("/v1/token/{}/renew", made["id"].as_str().unwrap());
    disk.fails("sync");
    for (method, path, body) in [
        ("POST", "/v1/token", token("ghost")),
        ("DELETE", &format!("{app}?force=true"), Value::Null),
        ("POST", &renew, Value::Null),
    ] {
        let answer = admin(&e, method, path, body).await;
        assert_eq!(answer.status, 500, "{method} {path}: {}", answer.text());
        assert!(answer.text().contains("the emulator's log has the details"), "{}", answer.text());
    }
    let health = admin(&e, "GET", "/_emulator/health", Value::Null).await.json();
    assert_eq!(
        (&health["status"], &health["faults"][0]["component"]),
        (&json!("degraded"), &json!("storage"))
    );
    e.child.kill().unwrap();
    e.child.wait().unwrap();
    disk.works();

    let e = disk.start();
    assert_eq!(names(&e).await, ["kept"]);
    assert_eq!(admin(&e, "GET", &app, Value::Null).await.status, 200);
    assert_eq!(
        call(&e, value, "GET", "/v1/me", Value::Null).await.status,
        200,
        "it is not renewed"
    );
    // It also recovers without a restart.
    disk.fails("sync");
    assert_eq!(admin(&e, "POST", "/v1/token", token("ghost")).await.status, 500);
    disk.works();
    assert_eq!(admin(&e, "POST", "/v1/token", token("next")).await.status, 200);
    assert_eq!(names(&e).await, ["next", "kept"]);
    let health = admin(&e, "GET", "/_emulator/health", Value::Null).await.json();
    if !ovhai_test_support::is_stderr_lost() {
        assert_eq!((&health["status"], health.get("faults")), (&json!("ok"), None));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_reported_with_its_directory() {
    let disk = Disk::new();
    let directory = disk.cli.state_dir().display().to_string();
    let e = disk.start();
    disk.fails("full");
    let answer = admin(&e, "POST", "/v1/token", token("t")).await;
    assert_eq!(answer.status, 507, "{}", answer.text());
    let full = format!("no space is left in {directory}");
    assert!(answer.text().contains(&full), "{}", answer.text());
    // The client's own files are on another disk here.
    let (code, said) = disk.cli.fails(&["app", "run", "ovhai/echo", "--cpu", "1"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("507") && said.contains(&full) && said.contains("hint: free space"),
        "{said}"
    );
    // Only the owner sees reasons.
    let health = call(&e, "nobody", "GET", "/_emulator/health", Value::Null).await.json();
    assert_eq!(health["status"], "degraded");
    assert!(!health.to_string().contains(&directory), "{health}");
    let status = disk.cli.ok(&["emulator", "status"]);
    assert!(status.contains("storage:") && status.contains(&full), "{status}");
    disk.works();
    disk.cli.ok(&["token", "new", "t", "--role", "read"]);
    assert!(!disk.cli.ok(&["emulator", "status"]).contains("storage:"));
    assert_eq!(names(&e).await, ["t"]);
}

#[test]
fn a_first_start_on_a_full_disk_reports_it() {
    let disk = Disk::new();
    disk.fails("full");
    let output = disk
        .command(OVHAI)
        .args(["emulator", "start", "--port", "0"])
        .env("OVHAI_STATE_DIR", disk.cli.state_dir())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let directory = disk.cli.state_dir().display().to_string();
    assert!(said.contains("cause: ") && said.contains(&directory), "{said}");
    assert!(
        said.to_lowercase().contains("no space") && said.contains("hint: free space"),
        "{said}"
    );
}

/// Streams that accept no line: a full disk, a pipe without a reader, and a full pipe.
fn streams() -> Vec<(&'static str, Stdio, Option<std::io::PipeReader>)> {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    let (unread, mut writer) = std::io::pipe().unwrap();
    fill(&mut writer);
    vec![
        ("full", full.into(), None),
        ("closed", closed.into(), None),
        ("unread", writer.into(), Some(unread)),
    ]
}

/// Writes until the pipe is full.
fn fill(pipe: &mut PipeWriter) {
    use std::io::Write;
    use std::os::fd::AsFd;
    let flags = rustix::fs::fcntl_getfl(pipe.as_fd()).unwrap();
    rustix::fs::fcntl_setfl(pipe.as_fd(), flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    while pipe.write(&[0; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(pipe.as_fd(), flags).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_continue_after_a_failed_commit_without_a_log() {
    for (name, stderr, _unread) in streams() {
        let disk = Disk::new();
        let mut command = disk.command("env");
        // The level is such that its start is logged too.
        command.args(["OVHAI_LOG=trace", OVHAI]);
        let e = Foreground::start_into(command, &disk.cli, &[], stderr);
        assert_eq!(admin(&e, "POST", "/v1/token", token("a")).await.status, 200, "{name}");
        disk.fails("sync");
        let answer = admin(&e, "POST", "/v1/token", token("b")).await;
        assert_eq!(answer.status, 500, "{name}: {}", answer.text());
        disk.works();
        for _ in 0..3 {
            let answer = admin(&e, "POST", "/v1/token", token("c")).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        }
        let health = admin(&e, "GET", "/_emulator/health", Value::Null).await.json();
        let fault = &health["faults"][0];
        assert_eq!(
            (&fault["component"], &fault["failing"]),
            (&json!("log"), &json!(true)),
            "{name}"
        );
        assert!(fault["reason"].as_str().unwrap().contains("lines lost"), "{name}: {health}");
        disk.cli.ok(&["emulator", "stop"]);
    }
}

#[test]
fn a_missing_database_beside_its_log_is_not_recreated() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    cli.ok(&["token", "new", "t", "--role", "read"]);
    e.child.kill().unwrap();
    e.child.wait().unwrap();
    let at = |name: &str| cli.state_dir().join(name);
    let log = std::fs::read(at("ovhai.db-wal")).unwrap();
    let aside = cli.home().join("aside");
    std::fs::rename(at("ovhai.db"), &aside).unwrap();
    for arguments in [&["emulator", "start", "--port", "0"][..], &["app", "list"]] {
        let (code, said) = cli.fails(arguments);
        assert_eq!(code, 1);
        assert!(said.contains("ovhai.db is missing, but its write-ahead log"), "{said}");
        assert!(said.contains("mv ") && said.contains("ovhai.db-wal.old"), "{said}");
        assert!(std::fs::read(at("ovhai.db-wal")).unwrap() == log);
    }
    std::fs::rename(&aside, at("ovhai.db")).unwrap();
    eventually_now("it is not held", || {
        (!ovhai_emulator::state::StateDir::new(cli.state_dir()).is_locked()).then_some(())
    });
    assert!(cli.ok(&["token", "list"]).contains(" t "));
}
