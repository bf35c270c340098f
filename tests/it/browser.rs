//! What people see, in a real Chromium that a script in tests/browser drives.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ovhai_test_support::TestEmulator;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::OVHAI;

/// `cargo xtask test` makes the environment, installs the browser, and names its Python here.
const PYTHON: &str = "OVHAI_TEST_PYTHON";
/// `cargo xtask screenshots` names here where the documents' pictures go.
const SCREENSHOTS: &str = "OVHAI_TEST_SCREENSHOTS";
/// No script takes so long, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_mins(4);
/// What was ended is gone by then.
const SOON: Duration = Duration::from_secs(5);

/// A directory; processes that have it in their command lines end with it.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Processes that are its own by their words.
    pub(crate) fn left(&self) -> Vec<Pid> {
        let directory = self.path().to_str().unwrap();
        let is_ours = |pid: &Pid| {
            let words = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
            words.is_ok_and(|words| String::from_utf8_lossy(&words).contains(directory))
        };
        let processes = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?));
        processes.filter(is_ours).collect()
    }

    /// Parts of a browser that was ended may take a moment for it.
    pub(crate) async fn is_left_soon(&self, what: &str) {
        let none_left = || async { self.left().is_empty().then_some(()) };
        let waited = tokio::time::timeout(SOON, ovhai_test_support::eventually(what, none_left));
        assert!(waited.await.is_ok(), "{what}: {:?}", self.left());
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for _ in 0..50 {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            for pid in left {
                let _ = kill_process(pid, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A script that runs, in a home that all its browsers have in their command lines.
pub(crate) struct Script {
    child: Child,
    home: Home,
}

impl Script {
    fn start(e: &TestEmulator, name: &str, more: Value) -> Self {
        Self::start_in(Home::new(), e, name, more)
    }

    pub(crate) fn start_in(home: Home, e: &TestEmulator, name: &str, more: Value) -> Self {
        let python = std::env::var_os(PYTHON).unwrap_or_else(|| {
            panic!("{PYTHON} is not set: run the tests with `cargo xtask test`, which installs Chromium and what drives it")
        });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(name);
        let file = |name: &str| std::fs::File::create(home.path().join(name)).unwrap();
        let mut child = Command::new(python)
            // It imports its neighbours: nothing compiled is left beside them.
            .arg("-B")
            .arg(script)
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .stdin(Stdio::piped())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        let mut given = json!({
            "address": e.address().to_string(),
            "administrator": e.emulator.administrator(),
            "directory": home.path(),
            "screenshots": std::env::var_os(SCREENSHOTS).map(PathBuf::from),
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            given[name] = value.clone();
        }
        // Not in its arguments, which every user can see.
        child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
        Self { child, home }
    }

    fn said(&self, stream: &str) -> String {
        std::fs::read_to_string(self.home.path().join(stream)).unwrap_or_default()
    }

    pub(crate) async fn end(mut self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status);
            }
            if tokio::time::Instant::now() > deadline {
                break None;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let (said, complained) = (self.said("stdout"), self.said("stderr"));
        eprint!("{said}");
        assert!(status.is_some_and(|status| status.success()), "{status:?}\n{said}\n{complained}");
        assert!(
            said.lines().last().is_some_and(|line| line.ends_with(" passed, 0 failed")),
            "{said}"
        );
        self.home.is_left_soon("browsers that the script left").await;
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // A script that is at its end is no worse for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_login_page() {
    let emulator = TestEmulator::builder().supervisor(OVHAI).start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let app = e.run_app(&[("group", "A")], json!({"name": "hello"})).await;
    let open = e.run_app(&[], json!({"name": "open", "unsecureHttp": true})).await;
    let on = format!(
        "import http.server, sys\nclass H(http.server.BaseHTTPRequestHandler):\n  def do_GET(self):\n    self.send_response(302 if self.path == '/on' else 200); self.send_header('location', '{}/there'); self.end_headers()\nhttp.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()",
        open.status.url
    );
    let command = json!(["python3", "-c", on, "{port}"]);
    let leading = json!({"image": "python:3", "runtime": "process", "command": command});
    let leading = e.run_app(&[("group", "A")], leading).await;
    let ann = json!({"name": "ann", "password": "a long password"});
    assert_eq!(e.call_local("POST", "/_emulator/users", Some(ann)).await.status, 201);
    let more = json!({
        "app": app.status.url, "open": open.status.url, "leading": leading.status.url, "label": "A",
        "user": "ann", "password": "a long password",
    });
    Script::start(&e, "login.py", more).end().await;
    e.emulator.shutdown().await;
}

/// The browser sends such a navigation for the worker, with `Sec-Fetch-Dest: empty`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_login_page_of_an_app_with_a_service_worker() {
    let emulator = TestEmulator::builder().supervisor(OVHAI).start().await.unwrap();
    let e = TestEmulator { emulator, sim: None };
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps/service_worker/app.py");
    let command = json!(["python3", code, "{port}"]);
    let spec =
        json!({"name": "pwa", "image": "python:3", "runtime": "process", "command": command});
    let app = e.run_app(&[("group", "A")], spec).await;
    let more = json!({"app": app.status.url, "label": "A"});
    Script::start(&e, "service_worker.py", more).end().await;
    e.emulator.shutdown().await;
}
