//! Regions of the local emulator, and endpoints beside it.

use ovhai_test_support::{TestCli, TestEmulator};
use serde_json::json;

use crate::OVHAI;

#[test]
fn regions_are_separate() {
    let cli = TestCli::new(OVHAI);
    let hello = ["app", "run", "infrastructureascode/hello-world", "-l", "group=A"];
    cli.ok(&[&hello[..], &["--name", "there", "--wait"]].concat());
    let token = cli.json(&["token", "new", "reader", "--role", "read", "-l", "group=A"]);
    assert_eq!(cli.ok(&["config", "get", "-o", "name"]), "GRA\n");
    cli.ok(&["config", "set", "bhs"]);
    assert_eq!(cli.ok(&["config", "get", "-o", "name"]), "BHS\n");
    assert_eq!(cli.ok(&["app", "list", "-o", "name"]), "");
    assert_eq!(cli.ok(&["token", "list", "-o", "name"]), "");
    cli.ok(&[&hello[..], &["--name", "here", "--wait"]].concat());
    assert_eq!(cli.ok(&["app", "list", "-o", "name"]), "here\n");
    assert_eq!(cli.ok(&["app", "list", "-o", "name", "--region", "GRA"]), "there\n");
    let output = cli.command(&["app", "curl", "here"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("as the emulator's owner: no token is stored for region BHS"), "{said}");
    let value = token["status"]["value"].as_str().unwrap();
    let (code, _) = cli.fails(&["app", "curl", "here", "--fail", "--token", value]);
    assert_eq!(code, 22, "a token of another region is none");
    // The environment overrides the settings, and the command line the environment.
    let list = |arguments: &[&str]| {
        let output = cli.command(arguments).env("OVHAI_REGION", "gra").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(list(&["app", "list", "-o", "name"]), "there\n");
    assert_eq!(list(&["app", "list", "-o", "name", "--region", "BHS"]), "here\n");

    let all = cli.json(&["config", "list"]);
    let current: Vec<_> = all.as_array().unwrap().iter().map(|one| &one["current"]).collect();
    assert_eq!(current, [&json!(false), &json!(true)]);
    let (code, said) = cli.fails(&["config", "set", "XXX"]);
    assert!(code == 3 && said.contains("GRA, BHS"), "{said}");
}

#[test]
fn settings_need_no_emulator() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["config", "list"]);
    cli.ok(&["config", "set", "BHS"]);
    cli.ok(&["config", "add", "cloud", "https://gra.ai.cloud.ovh.net/v1/"]);
    let all = cli.ok(&["config", "list"]);
    assert!(all.contains("https://gra.ai.cloud.ovh.net\n"), "{all}");
    for (name, url, code, says) in [
        ("gra", "https://x", 2, "is a region of the local emulator"),
        ("Cloud", "https://x", 2, "cloud is the name of another endpoint"),
        ("a b", "https://x", 2, "is not a name for an endpoint"),
        ("other", "ftp://x", 2, "https://"),
        ("other", "https://me:secret@x", 2, "must not contain a name or a password"),
        ("other", "https://x?y", 2, "query"),
        ("other", "x", 2, "https://"),
        ("other", "https://x/#y", 2, "fragment"),
        ("other", "https://x:99999", 2, "65535"),
    ] {
        let (got, said) = cli.fails(&["config", "add", name, url]);
        assert_eq!(got, code, "{name} {url}: {said}");
        assert!(said.contains(says), "{name} {url}: {said}");
    }
    cli.ok(&["config", "set", "cloud"]);
    cli.ok(&["config", "remove", "cloud"]);
    assert_eq!(cli.ok(&["config", "get", "-o", "name"]), "GRA\n");
    assert_eq!(cli.fails(&["config", "rm", "cloud"]).0, 3);
    assert!(!cli.state_dir().join("emulator.json").exists(), "none was started");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_server_that_speaks_the_api_is_an_endpoint() {
    let e = TestEmulator::start().await;
    let cli = TestCli::new(OVHAI);
    tokio::task::block_in_place(|| {
        let url = format!("http://bhs.ai.localhost:{}", e.address().port());
        cli.ok(&["config", "add", "box", &url]);
        let administrator = e.emulator.administrator();
        let run = ["app", "run", "infrastructureascode/hello-world", "-n", "far", "--wait"];
        let remote = ["--region", "box", "--token", administrator];
        cli.ok(&[&run[..], &remote].concat());
        cli.ok(&[&["login"][..], &remote].concat());
        cli.ok(&["config", "set", "box"]);
        assert_eq!(cli.ok(&["app", "list", "-o", "name"]), "far\n");
        cli.ok(&["token", "new", "t", "--role", "read"]);
        assert_eq!(cli.ok(&["app", "curl", "far"]), "Hello, World!");
        // A token stored for one server is not sent to another.
        let (code, said) = cli.fails(&["app", "curl", "far", "--as", "t", "--region", "GRA"]);
        assert_eq!(code, 3, "{said}");
        let (code, said) = cli.fails(&["app", "access", "far"]);
        assert!(code == 1 && said.contains("not the local emulator"), "{said}");
    });
}

#[test]
fn changes_at_a_remote_endpoint_are_announced_or_refused() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["config", "add", "far", "http://far.invalid"]);
    let changes: [&[&str]; 10] = [
        &["app", "run", "x"],
        &["app", "stop", "x"],
        &["app", "delete", "x", "--yes"],
        &["app", "set-label", "x", "a", "b"],
        &["token", "new", "x", "--role", "read"],
        &["token", "delete", "x", "--yes"],
        &["registry", "add", "r.example.com", "-u", "x"],
        &["app", "scale", "x", "--replicas", "2"],
        &["app", "cp", ".", "x:/"],
        &["app", "exec", "x", "--", "true"],
    ];
    for change in changes {
        let (verb, rest) = change.split_at(2);
        let arguments = [verb, &["--region", "far", "--token", "x"], rest].concat();
        let (code, said) = cli.fails(&arguments);
        assert!(said.contains("Target: far (http://far.invalid)"), "{change:?}: {said}");
        assert_eq!(code, 1, "{said}");
        let refused = cli.command(&arguments).env("OVHAI_LOCAL_ONLY", "1").output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(4), "{change:?}: {said}");
        assert!(said.contains("refusing to change anything at far"), "{change:?}: {said}");
    }
    let allowed = cli
        .command(&["app", "run", "infrastructureascode/hello-world"])
        .env("OVHAI_LOCAL_ONLY", "1")
        .output()
        .unwrap();
    assert!(allowed.status.success(), "{}", String::from_utf8_lossy(&allowed.stderr));
}

/// A server that records requests, and answers each with 404.
fn listening() -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read, Write};

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let (sender, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 8192];
            let read = stream.read(&mut bytes).unwrap_or(0);
            let _ = sender.send(String::from_utf8_lossy(&bytes[..read]).into_owned());
            let _ = stream.write_all(
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        }
    });
    (url, heard)
}

/// A stored token belongs to a server, not to its name in the settings.
#[test]
fn stored_tokens_are_sent_only_to_their_server() {
    let cli = TestCli::new(OVHAI);
    let start = ["emulator", "start", "--detach", "--port", "0", "--regions"];
    cli.ok(&[&start[..], &["GRA,SBG"]].concat());
    let app = cli.json(&["app", "run", "ovhai/echo", "-n", "e", "-l", "a=b", "--region", "SBG"]);
    cli.ok(&["token", "new", "t", "--role", "read", "-l", "a=b", "--region", "SBG"]);
    cli.ok(&["app", "delete", "e", "--region", "SBG", "--force", "--wait"]);
    cli.ok(&["emulator", "stop"]);
    cli.ok(&[&start[..], &["GRA"]].concat());
    let (url, heard) = listening();
    cli.ok(&["config", "add", "SBG", &url]);
    let id = app["id"].as_str().unwrap();
    for arguments in [
        &["app", "curl", id, "--as", "t", "--region", "SBG"][..],
        &["app", "curl", id, "--region", "SBG"],
        &["app", "list", "--region", "SBG"],
        &["login", "--region", "SBG", "--token", "of-the-far-server"],
    ] {
        cli.fails(arguments);
    }
    let sent: Vec<String> = heard.try_iter().collect();
    assert!(!sent.is_empty());
    for request in &sent {
        let request = request.to_lowercase();
        assert!(!request.contains("bearer ey") && !request.contains("ovhs_"), "{request}");
    }
}

#[test]
fn local_only_refuses_remote_endpoints() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["config", "add", "far", "http://far.invalid"]);
    for arguments in [
        &["login", "-u", "x", "--password", "y"][..],
        &["login", "--token", "y"],
        &["auth", "login", "-u", "x", "--password", "y"],
    ] {
        let arguments = [arguments, &["--region", "far"]].concat();
        let refused = cli.command(&arguments).env("OVHAI_LOCAL_ONLY", "1").output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.contains("refusing to change anything at far"), "{arguments:?}: {said}");
    }
}

#[test]
fn settings_overridden_by_the_environment_are_shown() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["config", "set", "BHS"]);
    let with = |arguments: &[&str], name: &str, value: &str| {
        let output = cli.command(arguments).env(name, value).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let list = ["config", "list", "-o", "json"];
    let (_, shown, said) = with(&list, "OVHAI_REGION", "gra");
    let all: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let brief =
        |one: &serde_json::Value| json!([one["name"], one["current"], one["chosenBy"], one["set"]]);
    assert_eq!(brief(&all[0]), json!(["GRA", true, "OVHAI_REGION", false]));
    assert_eq!(brief(&all[1]), json!(["BHS", false, null, true]));
    assert!(said.contains("OVHAI_REGION=gra overrides the saved BHS"), "{said}");
    let (_, shown, _) = with(&["config", "list"], "OVHAI_REGION", "gra");
    assert!(shown.lines().any(|line| line.starts_with('*') && line.contains("OVHAI_REGION")));
    assert_eq!(brief(&cli.json(&["config", "get"])), json!(["BHS", true, "config set", true]));
    let (_, shown, _) = with(&["config", "get", "-o", "name"], "OVHAI_REGION", "gra");
    assert_eq!(shown, "GRA\n");
    let (code, _, said) = with(&["config", "get"], "OVHAI_REGION", "XX");
    assert!(code == Some(3) && said.contains("OVHAI_REGION is set to it"), "{said}");
    let (_, _, said) = with(&list, "OVHAI_REGION", "XX");
    assert!(said.contains("warning: OVHAI_REGION=XX"), "{said}");
    let (_, _, said) = with(&list, "OVHAI_TOKEN", "secret");
    assert!(said.contains("OVHAI_TOKEN is set") && !said.contains("secret"), "{said}");
}

#[test]
fn an_unknown_saved_region_is_reported_with_its_source() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["config", "set", "BHS"]);
    cli.ok(&["emulator", "start", "--detach", "--regions", "X,Y"]);
    let (code, said) = cli.fails(&["app", "list"]);
    assert!(code == 3 && said.contains("cause: ovhai config set saved it"), "{said}");
    assert!(said.contains("X, Y") && said.contains("ovhai config set REGION"), "{said}");
    let output = cli.command(&["config", "list"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("warning: the saved region BHS"), "{said}");
    let output = cli.command(&["app", "list"]).env("OVHAI_REGION", "GRA").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cause: OVHAI_REGION is set to it"), "{said}");
    let (_, said) = cli.fails(&["app", "list", "--region", "GRA"]);
    assert!(!said.contains("cause:"), "{said}");
}
