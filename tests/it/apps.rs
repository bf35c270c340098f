//! Apps as people make them, from their frameworks' own packages, behind the gateway: processes
//! that a real Chromium and real clients talk to (tests/apps, tests/browser).

use std::path::Path;

use ovhai_api_types::App;
use ovhai_test_support::browser::{Home, Script};
use ovhai_test_support::forward::Forward;
use ovhai_test_support::{TestCli, TestEmulator, eventually};
use serde_json::{Value, json};

use crate::OVHAI;

/// `cargo xtask test` makes the environment with the frameworks, and names its Python here.
const PYTHON: &str = "OVHAI_TEST_APPS_PYTHON";
fn python() -> String {
    std::env::var(PYTHON).unwrap_or_else(|_| {
        panic!("{PYTHON} is not set: run the tests with `cargo xtask test`, which installs the frameworks")
    })
}

/// Two replicas with session affinity.
fn two_with_affinity() -> Value {
    json!({"scalingStrategy": {"fixed": {"replicas": 2}}, "sessionAffinity": "cookie"})
}

/// An emulator with HTTPS, and an app that runs in it.
struct Running {
    e: TestEmulator,
    app: App,
    token: String,
    home: Home,
}

impl Running {
    /// Starts the app in tests/apps/`name`; `{home}` in its command stands for its directory.
    async fn start(name: &str, command: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_with(name, command, environment, json!({})).await
    }

    /// Starts it with more fields in its spec.
    async fn start_with(
        name: &str,
        command: &[&str],
        environment: &[(&str, &str)],
        more: Value,
    ) -> Self {
        let python = python();
        let home = Home::default();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps").join(name);
        std::fs::copy(source.join("app.py"), home.path().join("app.py")).unwrap();
        let directory = home.path().to_str().unwrap();
        let command: Vec<String> = std::iter::once(python)
            .chain(command.iter().map(|word| word.replace("{home}", directory)))
            .collect();
        let environment: Vec<Value> = [("HOME", directory), ("TMPDIR", directory)]
            .iter()
            .chain(environment)
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        let builder = TestEmulator::builder()
            .supervisor(OVHAI)
            .state_dir(home.path().join("state"))
            .tls(([127, 0, 0, 1], 0).into());
        let e = TestEmulator { emulator: builder.start().await.unwrap(), sim: None };
        let mut spec = json!({
            "name": name, "image": "python:3", "runtime": "process", "command": command,
            "workingDirectory": directory, "envVars": environment,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            spec[name] = value.clone();
        }
        let app = e.submit(&[("framework", name)], spec).await;
        let app = runs(&e, &app).await;
        let selector = format!("framework={name}");
        let token = e.token("GRA", "read", Some(&selector)).await.status.value.unwrap();
        Self { e, app, token, home }
    }

    /// The app's address over HTTPS.
    fn secure(&self) -> String {
        let host = TestEmulator::host(&self.app);
        let port = self.e.emulator.running().tls.unwrap().port();
        format!("https://{}:{port}", host.split(':').next().unwrap())
    }

    /// A home whose browsers trust the emulator.
    fn home_that_trusts(&self) -> Home {
        let home = Home::default();
        let state = self.home.path().join("state");
        let cli = TestCli::new(OVHAI);
        let arguments =
            ["emulator", "ca", "install", "--nss", "--state-dir", state.to_str().unwrap()];
        let output = cli.command(&arguments).env("HOME", home.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        home
    }

    async fn script(&self, name: &str, more: Value) {
        let home = self.home_that_trusts();
        let mut given = json!({
            "app": self.app.status.url, "secure": self.secure(), "token": self.token,
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            given[name] = value.clone();
        }
        Script::start_in(home, &self.e, name, given).end().await;
    }

    async fn end(self) {
        self.e.emulator.shutdown().await;
        self.home.wait_until_left("processes that the app left").await;
    }
}

/// Waits until the app runs; panics with its log if it fails.
async fn runs(e: &TestEmulator, app: &App) -> App {
    let now = eventually("the app runs or fails", || async {
        let now = e.app(app).await;
        matches!(now.status.state.as_str(), "RUNNING" | "FAILED" | "ERROR").then_some(now)
    })
    .await;
    if now.status.state.as_str() == "RUNNING" {
        return now;
    }
    let log = e.admin("GET", &format!("/v1/app/{}/log", app.id), None).await;
    panic!("{:?}\n{}", now.status, log.text());
}

const STREAMLIT: [&str; 9] = [
    "-m",
    "streamlit",
    "run",
    "{home}/app.py",
    "--server.address=127.0.0.1",
    "--server.port={port}",
    "--server.headless=true",
    "--server.fileWatcherType=none",
    "--browser.gatherUsageStats=false",
];
/// The library that its server reads WebSockets with takes lines of 8 KiB by itself, and all
/// cookies are in one.
const STREAMLIT_ENVIRONMENT: [(&str, &str); 1] = [("WEBSOCKETS_MAX_LINE_LENGTH", "65536")];
const GRADIO: [&str; 2] = ["{home}/app.py", "{port}"];
const GRADIO_ENVIRONMENT: [(&str, &str); 2] =
    [("GRADIO_ANALYTICS_ENABLED", "False"), ("HF_HUB_OFFLINE", "1")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streamlit_works_behind_the_gateway() {
    let running = Running::start("streamlit", &STREAMLIT, &STREAMLIT_ENVIRONMENT).await;
    running.script("streamlit_app.py", json!({})).await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gradio_works_behind_the_gateway() {
    let running = Running::start("gradio", &GRADIO, &GRADIO_ENVIRONMENT).await;
    // Its pages contain the address that the browser uses.
    let state = running.home.path().join("state");
    let id = running.app.id.to_string();
    let home = tempfile::tempdir().unwrap();
    let forward =
        Forward::start_in(OVHAI.as_ref(), &state, home.path(), Some(&running.token), &[&id, "0"]);
    let port = forward.address.rsplit(':').next().unwrap();
    let forwarded = format!("http://localhost:{port}");
    running.script("gradio_app.py", json!({"forwarded": forwarded})).await;
    drop(forward);
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fastapi_works_behind_the_gateway() {
    let command = ["-m", "uvicorn", "app:app", "--app-dir={home}", "--port={port}"];
    let running = Running::start("fastapi", &command, &[]).await;
    let other = running.e.run_app(&[], json!({"unsecureHttp": true})).await;
    running.script("fastapi_app.py", json!({"other": other.status.url})).await;
    running.end().await;
}

/// Uploads and downloads are stored by the replica that has the page's session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streamlit_works_with_two_replicas() {
    let two = two_with_affinity();
    let running = Running::start_with("streamlit", &STREAMLIT, &STREAMLIT_ENVIRONMENT, two).await;
    running.script("streamlit_app.py", json!({})).await;
    running.end().await;
}

/// A call and its events have to reach the same replica.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gradio_works_with_two_replicas() {
    let two = two_with_affinity();
    let running = Running::start_with("gradio", &GRADIO, &GRADIO_ENVIRONMENT, two).await;
    running.script("gradio_app.py", json!({})).await;
    running.end().await;
}

/// Clients of socket.io begin with long polling: requests that belong together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn socketio_works_with_two_replicas() {
    let command = ["-m", "uvicorn", "app:app", "--app-dir={home}", "--port={port}"];
    let running = Running::start_with("socketio", &command, &[], two_with_affinity()).await;
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps/socketio/client.py");
    let arguments = [running.app.status.url.clone(), running.token.clone()];
    let client = tokio::process::Command::new(python()).arg(client).args(arguments).output();
    let output = client.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(said.ends_with("5 of 5\n"), "{said}{errors}");
    running.end().await;
}
