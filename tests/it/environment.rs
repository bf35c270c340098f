//! The environment of a local process comes from the command line that asked for it, and stays private.

use std::path::PathBuf;
use std::process::Output;

use http_body_util::Full;
use hyper::Request;
use ovhai_emulator::state::StateDir;
use ovhai_test_support::processes::emulator;
use ovhai_test_support::{Answer, TestCli, eventually, send};
use serde_json::{Value, json};

use crate::OVHAI;

/// Part of every variable that must stay private.
const MARKER: &str = "hush-5d1f";

/// A process that writes its marker where the test looks, and listens nowhere.
const WRITES: [&str; 3] = ["sh", "-c", "printenv MARKER >>got; exec sleep 1000"];

struct Home {
    cli: TestCli,
}

impl Home {
    /// An emulator in the background with a secret in its own environment and the most verbose log.
    fn start(arguments: &[&str]) -> Self {
        let cli = TestCli::new(OVHAI);
        let home = Self { cli };
        home.start_again(arguments);
        home
    }

    fn start_again(&self, arguments: &[&str]) {
        let all = [&["emulator", "start", "--detach"], arguments].concat();
        let mut start = self.cli.command(&all);
        start.env("OVHAI_LOG", "trace").env("STARTER", format!("{MARKER}-starter"));
        start.assert().success();
    }

    /// Runs a command in an environment that has the marker.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.cli.command(arguments);
        command.env("MARKER", format!("{MARKER}-value")).env(format!("{MARKER}-name"), "x");
        command.output().unwrap()
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(output.status.success(), "{said}");
        said
    }

    /// The markers that processes have written, once there are `count` of them.
    async fn got(&self, count: usize) -> Vec<String> {
        let file = self.cli.home().join("got");
        eventually("the process writes", || async {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            (lines.len() >= count && text.ends_with('\n')).then_some(lines)
        })
        .await
    }

    async fn ask(&self, host: &str, bearer: &str, path: &str) -> Answer {
        let running = StateDir::new(self.cli.state_dir()).running().unwrap();
        let request = Request::get(path)
            .header("host", host)
            .header("authorization", format!("Bearer {bearer}"));
        send(running.address, request.body(Full::default()).unwrap()).await
    }

    /// Every file below the home except the database and the output of the test's processes.
    fn files(&self) -> Vec<PathBuf> {
        let (mut files, mut directories) = (Vec::new(), vec![self.cli.home().to_owned()]);
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_dir() {
                    directories.push(path);
                } else if path.is_file() && name != "got" && !name.starts_with("ovhai.db") {
                    files.push(path);
                }
            }
        }
        files
    }
}

fn has_marker(bytes: &[u8]) -> bool {
    bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes())
}

/// Searches every view and file except the database.
#[tokio::test]
async fn no_view_shows_the_environment_of_the_caller() {
    let home = Home::start(&[]);
    let process = ["--runtime", "process", "--cpu", "1"];
    let run = ["app", "run", "some/image", "--name", "it", "-o", "json"];
    let mut said = vec![home.ok(&[&run[..], &process, &["--"], &WRITES].concat())];
    assert_eq!(home.got(1).await, [format!("{MARKER}-value")]);
    // `ovhai debug` keeps refused requests.
    let refused = home.run(
        &[&["app", "run", "i", "--label", "bad key=x"], &process[..], &["--"], &WRITES].concat(),
    );
    assert!(!refused.status.success());
    said.push(String::from_utf8([refused.stdout, refused.stderr].concat()).unwrap());
    let map = ["emulator", "image", "map", "a/b", "-o", "json", "--"];
    said.push(home.ok(&[&map[..], &WRITES].concat()));

    let token = ["token", "new", "op", "--role", "operator", "-o", "json"];
    let token: Value = serde_json::from_str(&home.cli.ok(&token)).unwrap();
    let (bearer, id) =
        (token["status"]["value"].as_str().unwrap(), home.cli.json(&["app", "get", "it"]));
    let id = id["id"].as_str().unwrap();
    for path in [
        "/v1/app",
        "/v1/app?fields=row",
        &format!("/v1/app/{id}"),
        &format!("/v1/app/{id}/log?timestamps=true"),
        "/v1/token",
        "/v1/me",
        "/v1/registry",
        "/v1/capabilities/app/image",
        "/v1/capabilities/quota",
    ] {
        let answer = home.ask("gra.ai.localhost", bearer, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!has_marker(&answer.body), "{path}: {}", answer.text());
    }
    let administrator = StateDir::new(home.cli.state_dir()).running().unwrap().administrator;
    for path in [
        "/metrics",
        "/_emulator/health",
        "/_emulator/features",
        "/_emulator/images",
        "/openapi.json",
    ] {
        for bearer in [bearer, &administrator] {
            let answer = home.ask("localhost", bearer, path).await;
            assert!(!has_marker(&answer.body), "{path}: {}", answer.text());
        }
    }
    for arguments in [
        &["app", "list", "-o", "json"][..],
        &["app", "list", "-o", "yaml"],
        &["app", "get", "it"],
        &["app", "get", "it", "-o", "json"],
        &["app", "logs", "it"],
        &["app", "update", "it", "--env", "A=1", "-o", "json"],
        &["app", "restart", "it", "-o", "json"],
        &["emulator", "image", "list", "-o", "json"],
        &["emulator", "status", "-o", "json"],
        &["emulator", "logs"],
        &["debug"],
    ] {
        let output = home.cli.command(arguments).output().unwrap();
        said.push(String::from_utf8([output.stdout, output.stderr].concat()).unwrap());
    }
    for text in &said {
        assert!(!has_marker(text.as_bytes()), "{text}");
    }
    let debug = std::fs::read_to_string(home.cli.state_dir().join("debug.jsonl")).unwrap();
    assert!(debug.contains("/_emulator/apps") && debug.contains("bad key"), "{debug}");
    // A process list does not show it, and the supervisor does not have it.
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        assert!(!has_marker(&line), "{}", String::from_utf8_lossy(&line));
        let is_supervisor = |line: &[u8]| String::from_utf8_lossy(line).contains(id);
        if is_supervisor(&line) {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&environment).contains(&format!("{MARKER}-value")));
        }
    }
    home.cli.ok(&["emulator", "stop"]);
    for file in home.files() {
        assert!(!has_marker(&std::fs::read(&file).unwrap()), "{}", file.display());
    }
}

#[tokio::test]
async fn an_environment_outlives_the_emulator_and_a_restart_of_the_app() {
    let home = Home::start(&["--runtime", "process"]);
    let run = ["app", "run", "some/image", "--name", "it", "--cpu", "1", "--env", "A=1", "--"];
    home.ok(&[&run[..], &WRITES].concat());
    home.got(1).await;
    home.cli.ok(&["emulator", "stop"]);
    home.start_again(&["--runtime", "process"]);
    home.got(2).await;
    home.cli.ok(&["app", "restart", "it"]);
    let got = home.got(3).await;
    assert!(got.iter().all(|line| *line == format!("{MARKER}-value")), "{got:?}");
}

/// The path differs from that of the emulator's own shell.
#[tokio::test]
async fn commands_are_found_in_the_path_of_the_caller() {
    let home = Home::start(&[]);
    let directory = home.cli.home().join("venv/bin");
    std::fs::create_dir_all(&directory).unwrap();
    let program = directory.join("only-here");
    std::fs::write(&program, "#!/bin/sh\nprintenv MARKER >>got\nexec sleep 1000\n").unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let run = ["app", "run", "x", "--runtime", "process", "--cpu", "1", "--", "only-here"];
    home.cli.command(&run).env("PATH", path).env("MARKER", "there").assert().success();
    assert_eq!(home.got(1).await, ["there"]);
}

#[tokio::test]
async fn a_mapped_command_has_the_environment_of_its_owner() {
    let home = Home::start(&[]);
    let map = ["emulator", "image", "map", "a/b", "--"];
    home.ok(&[&map[..], &WRITES].concat());
    let token = home.cli.json(&["token", "new", "op", "--role", "operator"]);
    let token = token["status"]["value"].as_str().unwrap();
    let mut run = home.cli.command(&["app", "run", "a/b:1", "--cpu", "1", "--token", token]);
    run.env("MARKER", "the caller's").assert().success();
    assert_eq!(home.got(1).await, [format!("{MARKER}-value")]);
}

/// The names of the variables that a process printed before it ended.
fn names(log: &str) -> Vec<&str> {
    let mut names: Vec<&str> =
        log.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    names
}

/// Apps submitted through the API get the listed variables of the emulator's environment.
#[tokio::test]
async fn other_callers_pass_only_listed_variables() {
    let home = Home::start(&["--runtime", "process"]);
    let token = home.cli.json(&["token", "new", "op", "--role", "operator"]);
    let token = token["status"]["value"].as_str().unwrap();
    let run = ["app", "run", "x", "--name", "it", "--cpu", "1", "-e", "A=1", "--token", token];
    home.ok(&[&run[..], &["--", "env"]].concat());
    let log = eventually("it has written", || async {
        let log = home.cli.ok(&["app", "logs", "it"]);
        log.contains("PORT=").then_some(log)
    })
    .await;
    assert_eq!(names(&log), ["A", "HOME", "OVHAI_REPLICA", "PATH", "PORT", "USER"], "{log}");

    let e = emulator(OVHAI).await;
    let spec = json!({"image": "x", "runtime": "process", "command": ["env"]});
    let app = e.submit(&[], spec).await;
    e.wait(&app, "FAILED").await;
    let log = e.admin("GET", &format!("/v1/app/{}/log", app.id), None).await.text();
    // Those of the test itself.
    assert!(names(&log).contains(&"PATH") && !log.contains("CARGO_"), "{log}");
    e.emulator.shutdown().await;
}

#[tokio::test]
async fn only_the_owner_can_pass_an_environment() {
    let e = emulator(OVHAI).await;
    let spec = json!({"image": "x", "runtime": "process", "command": ["env"]});
    let body = json!({"region": "GRA", "spec": spec, "environment": {"MARKER": MARKER}});
    let token = e.token("GRA", "operator", None).await.status.value.unwrap();
    let ask = async |bearer: &str, body: &Value| {
        let request = Request::post("/_emulator/apps")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {bearer}"));
        e.send(request.body(Full::new(body.to_string().into())).unwrap()).await
    };
    let refused = ask(&token, &body).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("only the emulator's owner"), "{}", refused.text());
    assert_eq!(ask("nobody", &body).await.status, 401);
    let administrator = e.emulator.administrator();
    for (name, value, says) in [
        ("A=B", "x", "a name is empty"),
        ("A", &"x".repeat(300 * 1024), "at most 256 KiB"),
        ("A", "x\0", "has a NUL"),
    ] {
        let mut body = body.clone();
        body["environment"] = json!({ name: value });
        let refused = ask(administrator, &body).await;
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert!(refused.text().contains(says), "{}", refused.text());
    }
    let mut elsewhere = body.clone();
    elsewhere["region"] = json!("BHS9");
    assert_eq!(ask(administrator, &elsewhere).await.status, 404);
    let listed = e.admin("GET", "/v1/app", None).await.json();
    assert_eq!(listed["items"], json!([]), "nothing is left of what was refused");
    assert_eq!(ask(administrator, &body).await.status, 200);
    e.emulator.shutdown().await;
}

/// Even if the caller is an administrator of the endpoint.
#[tokio::test(flavor = "multi_thread")]
async fn no_environment_is_sent_to_endpoints() {
    let e = emulator(OVHAI).await;
    let cli = TestCli::new(OVHAI);
    let url = format!("http://gra.ai.localhost:{}", e.address().port());
    let remote = ["--region", "far", "--token", e.emulator.administrator()];
    tokio::task::block_in_place(|| {
        cli.ok(&["config", "add", "far", &url]);
        let run = ["app", "run", "x", "-n", "it", "--runtime", "process", "--cpu", "1"];
        let mut run = cli.command(&[&run[..], &remote, &["--", "env"]].concat());
        run.env("MARKER", MARKER).assert().success();
        for (arguments, what) in [
            (&["app", "restart", "it"][..], "app restart"),
            (&["app", "update", "it", "--unset-env", "A"], "app update --unset-env"),
            (&["app", "update", "it", "--gpu", "2"], "app update --gpu"),
        ] {
            let (code, said) = cli.fails(&[arguments, &remote].concat());
            let says = [what, "an extension of the local emulator", "hint:"];
            assert!(code == 2 && says.iter().all(|part| said.contains(part)), "{said}");
        }
    });
    let apps = e.admin("GET", "/v1/app", None).await.json();
    let app = serde_json::from_value(apps["items"][0].clone()).unwrap();
    e.wait(&app, "FAILED").await;
    let log = e.admin("GET", &format!("/v1/app/{}/log", app.id), None).await.text();
    assert!(names(&log).contains(&"PATH") && !has_marker(log.as_bytes()), "{log}");
    e.emulator.shutdown().await;
}

/// Variables that can't be sent are named, and too many are refused before an app is created.
#[test]
fn impossible_variables_are_refused_by_name() {
    use std::os::unix::ffi::OsStrExt;
    let cli = TestCli::new(OVHAI);
    let run = ["app", "run", "x", "-n", "it", "--runtime", "process", "--cpu", "1", "--", "env"];
    let raw = std::ffi::OsStr::from_bytes(b"\xff");
    let output = cli.command(&run).env("RAW", raw).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("RAW is not UTF-8"), "{said}");
    let mut run = cli.command(&run);
    for part in ["A", "B", "C"] {
        run.env(part, "x".repeat(100_000));
    }
    let output = run.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("at most 256 KiB"), "{said}");
    assert!(said.contains("env -u"), "{said}");
    assert_eq!(cli.json(&["app", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn variables_are_copied_set_and_removed() {
    let cli = TestCli::new(OVHAI);
    let echo = ["app", "run", "ovhai/echo", "--name", "e", "--cpu", "1", "--wait", "-o", "json"];
    let envs = ["-e", "HERE", "-e", "UNSET", "-e", "A=1", "-e", "A=2"];
    let mut run = cli.command(&[&echo[..], &envs].concat());
    let output = run.env("HERE", "of the caller").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("UNSET is not set here"), "{said}");
    let vars = |app: &Value| app["spec"]["envVars"].clone();
    let variable = |name: &str, value: &str| json!({"name": name, "value": value});
    let app: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(vars(&app), json!([variable("HERE", "of the caller"), variable("A", "2")]));

    let update = ["app", "update", "e", "--unset-env", "HERE", "--unset-env", "TYPO", "--cpu", "2"];
    let output =
        cli.command(&[&update[..], &["--env", "A=3", "--wait", "-o", "json"]].concat()).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("e has no variable TYPO"), "{said}");
    let app: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(vars(&app), json!([variable("A", "3")]));
    assert_eq!(app["spec"]["resources"]["cpu"], 2);
    assert_eq!(app["spec"]["resources"]["flavor"], "ai1-1-cpu");

    let states = || {
        let app = cli.json(&["app", "get", "e"]);
        app["status"]["history"].as_array().unwrap().len()
    };
    let before = states();
    cli.ok(&["app", "restart", "e", "--wait"]);
    assert_eq!(states(), before + 2, "SCALING and RUNNING");
    cli.ok(&["app", "stop", "e", "--wait"]);
    cli.ok(&["app", "restart", "e", "--wait"]);
    assert_eq!(cli.json(&["app", "get", "e"])["status"]["state"], "RUNNING");
}
