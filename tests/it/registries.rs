//! Passwords of registries: stored encrypted, usable after a restart, and never shown.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use http_body_util::Full;
use hyper::Request;
use ovhai_emulator::state::StateDir;
use ovhai_test_support::{Answer, TestCli, is_stderr_lost, send};
use serde_json::{Value, json};

use crate::OVHAI;

/// Part of every password here.
const MARKER: &str = "hush-7c2e";

/// Runs a command that reads a password from its standard input; what it said, and whether it failed.
fn with_password(cli: &TestCli, arguments: &[&str], password: &str) -> (String, bool) {
    let arguments = [arguments, &["--password-from-stdin"]].concat();
    let output = cli.command(&arguments).write_stdin(password).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (said, output.status.success())
}

async fn call(cli: &TestCli, bearer: &str, method: &str, path: &str, body: Value) -> Answer {
    let running = StateDir::new(cli.state_dir()).running().unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "gra.ai.localhost")
        .header("authorization", format!("Bearer {bearer}"));
    send(running.address, request.body(Full::new(body.into())).unwrap()).await
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let (mut files, mut directories) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    files
}

/// Searches every view and every file, the database too.
#[tokio::test]
async fn no_view_and_no_file_shows_the_password_of_a_registry() {
    let cli = TestCli::new(OVHAI);
    let mut start = cli.command(&["emulator", "start", "--detach"]);
    start.env("OVHAI_LOG", "trace").assert().success();
    let mut said = Vec::new();
    let add = ["registry", "add", "registry.example.com/team", "--username", "bot"];
    for (arguments, is_done) in [
        (&[&add[..], &["-o", "json"]].concat()[..], true),
        // `ovhai debug` keeps refused requests.
        (&add, false),
        (&["registry", "add", "registry.example.com:5000", "--username", "bot"], false),
        (&["registry", "update", "registry.example.com/team", "-o", "json"], true),
    ] {
        let (text, success) = with_password(&cli, arguments, &format!("{MARKER}-cli"));
        assert_eq!(success, is_done, "{text}");
        said.push(text);
    }

    let token = cli.json(&["token", "new", "op", "--role", "operator"]);
    let bearer = token["status"]["value"].as_str().unwrap();
    let given =
        json!({"url": "other.example.com", "username": "u", "password": format!("{MARKER}-api")});
    let added = call(&cli, bearer, "POST", "/v1/registry", given).await;
    assert_eq!((added.status.as_u16(), &added.json()["passwordState"]), (200, &json!("stored")));
    let one = format!("/v1/registry/{}", added.json()["id"].as_str().unwrap());
    let change = |password: Value| json!({"password": password});
    let long = MARKER.repeat(2000);
    for (method, path, body, status) in [
        ("PUT", one.as_str(), change(json!(format!("{MARKER}-new"))), 204),
        ("PUT", &one, change(json!(long)), 400),
        ("PUT", &one, change(json!([MARKER])), 400),
        ("POST", "/v1/registry", json!({"url": MARKER, "password": MARKER, "username": 1}), 400),
        ("GET", &one, Value::Null, 200),
        ("GET", "/v1/registry", Value::Null, 200),
    ] {
        let answer = call(&cli, bearer, method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        said.push(answer.text());
    }
    for arguments in [
        &["registry", "list"][..],
        &["registry", "list", "-o", "json"],
        &["registry", "get", "other.example.com"],
        &["registry", "get", "other.example.com", "-o", "yaml"],
        &["emulator", "status", "-o", "json"],
        &["debug"],
    ] {
        said.push(cli.ok(arguments));
    }
    if !is_stderr_lost() {
        said.push(cli.ok(&["emulator", "logs"]));
    }
    for text in &said {
        assert!(!text.contains(MARKER), "{text}");
    }
    cli.ok(&["emulator", "stop"]);
    for file in files(cli.home()) {
        let bytes = std::fs::read(&file).unwrap();
        let has_marker = bytes.windows(MARKER.len()).any(|part| part == MARKER.as_bytes());
        assert!(!has_marker, "{}", file.display());
    }
}

#[test]
fn a_password_outlives_the_emulator_but_not_its_key() {
    let cli = TestCli::new(OVHAI);
    let key = cli.state_dir().join("registry.key");
    let state = || cli.json(&["registry", "get", "registry.example.com"])["passwordState"].clone();
    let url = ["registry.example.com", "--username", "bot"];
    let said = cli.ok(&[&["registry", "add"], &url[..], &["-o", "json"]].concat());
    assert!(said.contains("\"passwordState\": \"missing\""), "{said}");
    assert!(!key.exists(), "there is no password");
    let output =
        cli.command(&["registry", "add", "other.example.com", "-u", "x"]).output().unwrap();
    let noted = String::from_utf8(output.stderr).unwrap();
    assert!(
        noted.contains("No password is stored") && noted.contains("registry update"),
        "{noted}"
    );

    let update = ["registry", "update", "registry.example.com"];
    let (said, success) = with_password(&cli, &update, MARKER);
    assert!(success && said.contains("stored"), "{said}");
    let mode = std::fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    cli.ok(&["emulator", "stop"]);
    assert_eq!(state(), "stored");

    // Without its key, with another one, and with a file that is none.
    cli.ok(&["emulator", "stop"]);
    let own = std::fs::read(&key).unwrap();
    for content in [None, Some(vec![7; 32]), Some(b"rubbish".to_vec())] {
        match &content {
            None => std::fs::remove_file(&key).unwrap(),
            Some(bytes) => std::fs::write(&key, bytes).unwrap(),
        }
        assert_eq!(state(), "unreadable", "{content:?}");
        let list = cli.ok(&["registry", "list"]);
        assert!(list.contains("unreadable") && list.contains("missing"), "{list}");
        cli.ok(&["emulator", "stop"]);
    }
    let (said, success) = with_password(&cli, &update, MARKER);
    let log = if is_stderr_lost() { String::new() } else { cli.ok(&["emulator", "logs"]) };
    assert!(!success && said.contains("nothing was changed"), "{said}");
    assert!(is_stderr_lost() || log.contains("registry.key does not hold a key"), "{log}");
    assert!(!said.contains(MARKER) && !log.contains(MARKER), "{said}{log}");
    cli.ok(&["emulator", "stop"]);
    std::fs::write(&key, own).unwrap();
    assert_eq!(state(), "stored", "the key is back");
    cli.ok(&["emulator", "stop"]);
    std::fs::remove_file(&key).unwrap();
    let (said, success) = with_password(&cli, &update, MARKER);
    assert!(success, "{said}");
    assert_eq!(state(), "stored", "with a new key");
}

#[test]
fn a_new_host_needs_the_password_again() {
    let cli = TestCli::new(OVHAI);
    let add = ["registry", "add", "localhost:5000", "--username", "bot"];
    let (said, success) = with_password(&cli, &add, MARKER);
    assert!(success, "{said}");
    let update = |url: &str, to: &str| {
        let output = cli.command(&["registry", "update", url, "--url", to]).output().unwrap();
        assert!(output.status.success());
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let said = update("localhost:5000", "localhost:5000/team");
    assert!(said.contains("stored") && !said.contains("old host"), "{said}");
    let said = update("localhost:5000/team", "127.0.0.1:5000");
    assert!(said.contains("missing") && said.contains("was for the old host"), "{said}");
}

/// It runs here without a push, which surprises.
#[test]
fn the_list_says_what_the_shared_registry_is_for() {
    let cli = TestCli::new(OVHAI);
    let noted = |arguments: &[&str]| {
        let output = cli.command(arguments).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    noted(&["me"]);
    let said = noted(&["registry", "list"]);
    assert!(said.contains("SHARED registry runs without a push"), "{said}");
    for quiet in [&["registry", "list", "-o", "json"][..], &["registry", "list", "--quiet"]] {
        assert_eq!(noted(quiet), "");
    }
}
