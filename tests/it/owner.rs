//! The owner and logged-in users have access to apps without a token; and the hint that ends `app run`.

use ovhai_test_support::TestCli;
use serde_json::Value;

use crate::OVHAI;

/// Standard output and standard error of a command.
fn both(cli: &TestCli, arguments: &[&str]) -> (String, String) {
    let output = cli.command(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, said) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{arguments:?}: {said}");
    (out, said)
}

fn log_in(cli: &TestCli, arguments: &[&str]) {
    let mut command = cli.command(arguments);
    command.args(["--password-from-env", "PASSWORD"]).env("PASSWORD", "a long password");
    command.assert().success();
}

#[test]
fn the_owner_has_access_to_all_apps() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "-l", "g=a", "--cpu", "1", "--wait"]);
    let (out, said) = both(&cli, &["app", "curl", "e"]);
    assert!(!out.contains("\"authorization\"") && out.contains("target"), "{out}");
    assert_eq!(said, "Entering e as the emulator's owner: no token is stored for region GRA.\n");
    assert_eq!(both(&cli, &["-q", "app", "curl", "e"]).1, "");
    assert_eq!(both(&cli, &["app", "curl", "e", "-s"]).1, "");
    // Tokens belong to a region.
    cli.ok(&["--region", "BHS", "token", "new", "there", "--role", "read"]);
    cli.ok(&["app", "curl", "e", "--fail"]);

    // Tokens without access are an answer, not a reason to use other credentials.
    cli.ok(&["token", "new", "other", "--selector", "g=b", "--role", "read"]);
    let (code, said) = cli.fails(&["app", "curl", "e"]);
    assert_eq!(code, 4);
    for part in [
        "no stored token gives access to the app e",
        "hint: create one: ovhai token new NAME --selector g=a --role read --region GRA",
        "hint: enter without a token: ovhai app curl e --as owner",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (_, said) = both(&cli, &["app", "curl", "e", "--as", "owner", "--fail"]);
    assert_eq!(said, "Entering e as the emulator's owner.\n");
    // An explicit choice takes precedence.
    let (code, _) = cli.fails(&["app", "curl", "e", "--as", "other", "--fail"]);
    assert_eq!(code, 22);
    let output = cli
        .command(&["app", "curl", "e", "--as", "owner", "--fail"])
        .env("OVHAI_TOKEN", "x")
        .output()
        .unwrap();
    assert!(output.status.success());

    cli.ok(&["token", "new", "fits", "--selector", "g=a", "--role", "read"]);
    assert_eq!(both(&cli, &["app", "curl", "e", "--fail"]).1, "", "a token that fits is used");
    // A token may have the name `owner`.
    cli.ok(&["token", "new", "owner", "--selector", "g=b", "--role", "read"]);
    assert_eq!(cli.fails(&["app", "curl", "e", "--as", "owner", "--fail"]).0, 22);
}

#[test]
fn a_login_is_sent_as_the_user_and_never_to_endpoints() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--cpu", "1", "--wait"]);
    log_in(&cli, &["emulator", "user", "add", "ann"]);
    log_in(&cli, &["login", "--username", "ann"]);
    let (_, said) = both(&cli, &["app", "curl", "e", "--fail"]);
    assert!(said.starts_with("Entering e as the user ann: "), "{said}");
    let requests = cli.json(&["app", "requests", "e"]);
    assert!(requests.as_array().unwrap().iter().all(|one| one["user"] == "ann"), "{requests}");

    let address = cli.json(&["emulator", "status"])["address"].as_str().unwrap().to_owned();
    cli.ok(&["config", "add", "far", &format!("{address}/regions/GRA")]);
    log_in(&cli, &["login", "--region", "far", "--username", "ann"]);
    let (code, said) = cli.fails(&["--region", "far", "app", "curl", "e"]);
    assert_eq!(code, 4);
    assert!(said.contains("no token is stored") && !said.contains("--as owner"), "{said}");
    for command in ["curl", "port-forward"] {
        let (code, said) = cli.fails(&["--region", "far", "app", command, "e", "--as", "owner"]);
        assert_eq!(code, 4);
        assert!(said.contains("for the local emulator only"), "{said}");
    }

    // An expired login does not fall back to the owner.
    log_in(&cli, &["emulator", "user", "passwd", "ann"]);
    let (code, said) = cli.fails(&["app", "curl", "e", "--as", "owner"]);
    assert!(code == 4 && said.contains("ovhai login"), "{said}");
}

#[test]
fn run_ends_with_the_next_command() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["me"]);
    let run = ["app", "run", "ovhai/echo", "--name", "e", "--cpu", "1", "--wait"];
    let (out, said) = both(&cli, &run);
    assert!(out.lines().count() + said.lines().count() <= 8, "{out}{said}");
    for part in ["Name:  e\n", "State: RUNNING\n", "URL:   http://"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let next = said.lines().next().unwrap();
    assert_eq!(next, "hint: reach it: ovhai app curl e; details: ovhai app get e");
    cli.ok(&["app", "curl", "e", "--fail"]);
    // The warning that names do not resolve appears once.
    let here = cli.json(&["app", "get", "e"])["status"]["url"].as_str().unwrap().to_owned();
    let host = here.strip_prefix("http://").unwrap();
    let resolves = std::net::ToSocketAddrs::to_socket_addrs(host).is_ok();
    let unresolved = "hint: this machine does not resolve *.localhost";
    assert!(resolves || said.contains(unresolved), "{said}");
    // An ambiguous name is not used in hints.
    let (out, said) = both(&cli, &run);
    assert!(!said.contains(unresolved), "{said}");
    let id = out.lines().find_map(|line| line.strip_prefix("ID:")).unwrap().trim();
    assert!(said.contains(&format!("ovhai app curl {id}")), "{said}");
    assert_eq!(both(&cli, &[&run[..], &["-q"]].concat()).1, "");

    // If a token is needed, the hint names one.
    cli.ok(&["token", "new", "other", "--selector", "g=b", "--role", "read"]);
    let waits = ["app", "run", "ovhai/echo", "--name", "f", "-l", "g=a", "--cpu", "1", "--wait"];
    let (_, said) = both(&cli, &waits);
    assert!(
        said.contains("ovhai token new NAME --selector g=a --role read --region GRA"),
        "{said}"
    );
    let (_, said) = both(&cli, &["app", "run", "no/such:1", "--name", "n", "--cpu", "1"]);
    assert!(said.contains("ovhai app"), "{said}");
    // Programs get the complete record.
    let whole: Value = cli.json(&["app", "run", "ovhai/echo", "--name", "g", "--cpu", "1"]);
    assert!(whole["spec"]["image"].is_string() && whole["status"]["history"].is_array());
}

#[test]
fn the_detail_view_shows_recent_states() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--cpu", "1", "--wait"]);
    cli.ok(&["app", "stop", "e", "--wait"]);
    cli.ok(&["app", "start", "e", "--wait"]);
    let all = cli.json(&["app", "get", "e"])["status"]["history"].as_array().unwrap().len();
    assert!(all > 5, "{all}");
    let shown = cli.ok(&["app", "get", "e"]);
    let history = shown.split_once("History:\n").unwrap().1;
    assert_eq!(history.lines().count(), 1 + 5, "{shown}");
}
