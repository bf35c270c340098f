//! The command line: exit codes, messages, formats.

use ovhai_test_support::TestCli;

use crate::OVHAI;

#[test]
fn failures_have_exit_codes_and_hints() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "infrastructureascode/hello-world", "--name", "twin"]);
    cli.ok(&["app", "run", "infrastructureascode/hello-world", "--name", "twin"]);
    for (arguments, code, says) in [
        (&["app", "get", "nothing"][..], 3, "there is no app \"nothing\""),
        (&["app", "get", "6f7c2f0e-4d0c-4a57-9f0a-3c1b6a0d2f11"], 3, "6f7c2f0e"),
        (&["app", "get", "twin"], 2, "\"twin\" matches 2 apps"),
        (&["token", "get", "nothing"], 3, "there is no token"),
        (&["token", "new", "x"], 2, "--role"),
        (&["token", "new", "x", "--role", "root"], 2, "read (ai_training_read)"),
        (&["token", "new", "x", "--role", "read", "--selector", "a b"], 2, "label selector"),
        (&["app", "run", "--label", "oops", "image"], 2, "KEY=VALUE"),
        (&["app", "run", "a b"], 2, "blanks"),
        (&["app", "run", "image", "--runtime", "process"], 2, "-- COMMAND"),
        (&["app", "run", "image", "--runtime", "magic"], 2, "builtin, process or container"),
        (&["app", "list", "--region", "XXX"], 3, "there is no region or endpoint XXX"),
        (&["app", "list", "--region", "a b"], 2, "is not a region"),
        (&["app", "list", "--state", "GONE"], 2, "RUNNING"),
        (&["app", "lisst"], 2, "list"),
        (&["--token", "x", "app", "list"], 4, "not authenticated"),
        (&["--token", "a b", "app", "list"], 2, "invalid characters"),
        (&["app", "run", "other/image", "--wait"], 1, "--runtime process"),
        (&["emulator", "start", "--regions", "a b"], 2, "region"),
    ] {
        let (got, said) = cli.fails(arguments);
        assert_eq!(got, code, "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
        assert!(said.starts_with("error: ") || said.contains("\nerror: "), "{arguments:?}: {said}");
    }
}

#[test]
fn an_empty_token_does_not_authenticate() {
    let cli = TestCli::new(OVHAI);
    let (code, said) = cli.fails(&["--token", "", "me"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("the token is empty"), "{said}");
}

#[test]
fn tokens_created_concurrently_are_all_stored() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["me"]);
    std::thread::scope(|scope| {
        for n in 0..8 {
            let cli = &cli;
            scope.spawn(move || cli.ok(&["token", "new", &format!("t{n}"), "--role", "read"]));
        }
    });
    let stored = std::fs::read_to_string(cli.state_dir().join("credentials.json")).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(stored["tokens"].as_array().map(Vec::len), Some(8));
}

#[test]
fn a_wait_that_times_out_has_its_own_exit_code() {
    let cli = TestCli::new(OVHAI);
    let (code, said) =
        cli.fails(&["app", "run", "x", "--runtime", "process", "--wait=0s", "--", "sleep", "60"]);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("hint: "), "{said}");
}

#[test]
fn a_failed_app_shows_the_reason_and_its_last_lines() {
    let cli = TestCli::new(OVHAI);
    let (code, said) = cli.fails(&[
        "app",
        "run",
        "x",
        "--runtime",
        "process",
        "--wait",
        "--",
        "sh",
        "-c",
        "echo line one; echo line two; exit 7",
    ]);
    assert_eq!(code, 1);
    for part in ["exited with status 7", "line one", "line two", "ovhai app logs"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn lists_and_details_have_every_output_format() {
    let cli = TestCli::new(OVHAI);
    assert_eq!(cli.ok(&["app", "list", "-o", "json"]), "[]\n");
    cli.ok(&[
        "app",
        "run",
        "infrastructureascode/hello-world",
        "--name",
        "one",
        "-l",
        "group=A",
        "--wait",
    ]);
    cli.ok(&[
        "app",
        "create",
        "infrastructureascode/hello-world",
        "--name",
        "two",
        "-l",
        "group=B",
        "--wait",
    ]);
    let names = |arguments: &[&str]| cli.ok(&[arguments, &["-o", "name"]].concat());
    assert_eq!(names(&["app", "list"]), "two\none\n");
    assert_eq!(names(&["app", "ls", "--label", "group=A"]), "one\n");
    assert_eq!(names(&["app", "ls", "--selector", "group notin (A)"]), "two\n");
    assert_eq!(names(&["app", "ls", "-s", "stopped,FAILED"]), "");
    assert_eq!(names(&["app", "ls", "-s", "RUNNING", "-a"]), "two\none\n");
    assert_eq!(cli.json(&["app", "list"]).as_array().map(Vec::len), Some(2));
    let yaml = cli.ok(&["app", "get", "one", "-o", "yaml"]);
    assert!(yaml.contains("state: RUNNING") && yaml.contains("group: A"), "{yaml}");
    let created = cli.json(&["token", "create", "-r", "read", "-l", "team=a", "name"]);
    assert_eq!(created["spec"]["name"], "name");
    assert!(created["status"]["value"].as_str().is_some_and(|value| value.starts_with("eyJ")));
    let me = cli.json(&["me"]);
    assert_eq!(
        (&me["quotas"]["resources"]["CPU"], &me["role"]),
        (&12.into(), &"administrator".into())
    );
}

#[test]
fn apps_are_changed_by_name_and_by_id_prefix() {
    let cli = TestCli::new(OVHAI);
    let app = cli.json(&["app", "run", "ovhai/echo", "--name", "e", "--unsecure-http", "--wait"]);
    let short = &app["id"].as_str().unwrap()[..8];
    cli.ok(&["app", "set-label", short, "team", "x"]);
    cli.ok(&["app", "scale", "e", "--replicas", "2", "--wait"]);
    cli.ok(&["app", "update", "e", "--env", "A=b"]);
    cli.ok(&["app", "set-image", "e", "infrastructureascode/hello-world", "--wait"]);
    let now = cli.json(&["app", "get", short]);
    assert_eq!(now["spec"]["labels"]["team"], "x");
    assert_eq!(now["spec"]["scalingStrategy"]["fixed"]["replicas"], 2);
    assert_eq!(now["spec"]["envVars"][0]["value"], "b");
    assert_eq!(
        cli.fails(&["app", "set-label", "e", "team"]).0,
        2,
        "an unset variable removes nothing"
    );
    cli.ok(&["app", "set-label", "e", "team", "--remove"]);
    assert!(cli.json(&["app", "get", "e"])["spec"]["labels"].get("team").is_none());
    assert_eq!(cli.ok(&["app", "curl", "e"]), "Hello, World!");
    assert!(cli.ok(&["app", "logs", "e", "--tail", "1"]).ends_with('\n'));
}

/// `--wait` waits for the requested change, not for an earlier one.
#[test]
fn a_failed_change_has_a_failing_exit_code() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&[
        "app",
        "run",
        "infrastructureascode/hello-world",
        "--name",
        "h",
        "--unsecure-http",
        "--wait",
    ]);
    let (code, said) = cli.fails(&["app", "set-image", "h", "no/such", "--wait"]);
    assert_eq!(code, 1);
    assert!(said.contains("continues as before") && said.contains("--runtime process"), "{said}");
    assert_eq!(cli.ok(&["app", "curl", "h"]), "Hello, World!");
    cli.ok(&["app", "set-image", "h", "ovhai/echo", "--wait"]);
    assert!(cli.ok(&["app", "curl", "h"]).contains("\"method\""));
}

#[test]
fn an_emulator_at_another_address_is_reached() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&[
        "emulator",
        "start",
        "--detach",
        "--port",
        "0",
        "--host",
        "127.0.0.2",
        "--regions",
        "SBG",
    ]);
    cli.ok(&[
        "app",
        "run",
        "infrastructureascode/hello-world",
        "--name",
        "h",
        "--unsecure-http",
        "--wait",
    ]);
    assert_eq!(cli.ok(&["app", "curl", "h"]), "Hello, World!");
    cli.ok(&["emulator", "stop"]);
    // Its region exists although it is not given this time.
    cli.ok(&["emulator", "start", "--detach"]);
    assert_eq!(cli.ok(&["app", "list", "--region", "SBG", "-o", "name"]), "h\n");
    assert_eq!(cli.ok(&["app", "list", "-o", "name"]), "");
}

#[test]
fn curl_sends_the_given_request() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--unsecure-http", "--wait"]);
    let text = cli.ok(&[
        "app",
        "curl",
        "e",
        "/p?q=1",
        "-X",
        "PUT",
        "-H",
        "X-A: b",
        "-d",
        "{\"a\":1}",
        "-i",
    ]);
    let (head, body) = text.split_once("\n\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\n"), "{head}");
    let seen: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&seen["method"], &seen["target"]), (&"PUT".into(), &"/p?q=1".into()));
    assert_eq!((&seen["headers"]["x-a"][0], &seen["body"]), (&"b".into(), &"{\"a\":1}".into()));
    let (code, said) = cli.fails(&["app", "curl", "e", "http://127.0.0.1:1/"]);
    assert_eq!(code, 2);
    assert!(said.contains("is not a path of the app"), "{said}");
}

#[test]
fn a_closed_pipe_is_silent() {
    let cli = TestCli::new(OVHAI);
    for n in 0..3 {
        cli.ok(&["app", "run", "infrastructureascode/hello-world", "--name", &format!("n{n}")]);
    }
    let script = format!("{OVHAI} app list -o json | head -c 1; exit ${{PIPESTATUS[0]}}");
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .output()
        .unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_damaged_file_of_tokens_is_named_and_left_alone() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "infrastructureascode/hello-world", "--name", "h", "--wait"]);
    let path = cli.state_dir().join("credentials.json");
    std::fs::write(&path, "{").unwrap();
    let (code, said) = cli.fails(&["app", "curl", "h"]);
    assert_eq!(code, 1);
    assert!(said.contains("credentials.json is damaged") && said.contains("hint: "), "{said}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{");
}

#[test]
fn committed_completions_are_current() {
    let cli = TestCli::new(OVHAI);
    for (shell, file) in [
        ("bash", "ovhai.bash"),
        ("zsh", "_ovhai"),
        ("fish", "ovhai.fish"),
        ("powershell", "_ovhai.ps1"),
        ("elvish", "ovhai.elv"),
    ] {
        let script = cli.ok(&["completion", shell]);
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(script == committed, "{file} is not up to date: cargo xtask gen");
    }
}

/// Ignoring one of them would widen the scope.
#[test]
fn repeated_selectors_are_combined_with_and() {
    let cli = TestCli::new(OVHAI);
    let new =
        ["token", "new", "both", "-r", "read", "-l", "group=A", "--selector", "team in (x,y)"];
    cli.ok(&new);
    let selector = cli.json(&["token", "get", "both"])["spec"]["labelSelector"].clone();
    assert_eq!(selector, "group=A,team in (x,y)");
}

#[test]
fn a_change_shows_its_result_in_the_requested_format() {
    let cli = TestCli::new(OVHAI);
    let image = "infrastructureascode/hello-world";
    for name in ["one", "two"] {
        cli.ok(&["app", "run", "-n", name, "--wait", image]);
    }
    let one = cli.json(&["app", "set-label", "one", "group", "A"]);
    assert_eq!(one["spec"]["labels"]["group"], "A");
    assert_eq!(cli.json(&["app", "scale", "one", "--replicas", "1"])["spec"]["name"], "one");
    let both = cli.json(&["app", "stop", "--wait", "one", "two"]);
    assert_eq!(both.as_array().map(Vec::len), Some(2));
    assert_eq!(both[1]["status"]["state"], "STOPPED");
    assert_eq!(cli.ok(&["app", "start", "one", "-o", "name"]), "one\n");
    assert_eq!(cli.ok(&["app", "delete", "--force", "one", "two", "-o", "name"]), "one\ntwo\n");
}

#[test]
fn mistaken_arguments_get_a_suggestion() {
    let cli = TestCli::new(OVHAI);
    for line in [
        &["app", "start", "x", "--wait", "30s"][..],
        &["app", "delete", "x", "--wait", "1m30s"],
        &["app", "run", "ovhai/echo", "--wait", "30s", "--cpu", "1"],
    ] {
        let (code, said) = cli.fails(line);
        assert!(code == 2 && said.contains("use an equals sign: --wait="), "{line:?}: {said}");
    }
    let (code, said) = cli.fails(&["app", "logs", "x", "-o", "json"]);
    assert!(code == 2 && said.contains("does not support --output"), "{said}");
    let (code, said) = cli.fails(&["app", "curl", "x", "-L"]);
    assert!(code == 2 && said.contains("redirects are not followed"), "{said}");
}

#[test]
fn start_fails_if_an_emulator_with_other_options_runs() {
    let cli = TestCli::new(OVHAI);
    let start = ["emulator", "start", "--detach"];
    cli.ok(&[&start[..], &["--port", "0"]].concat());
    cli.ok(&start);
    cli.ok(&[&start[..], &["--port", "0", "--regions", "GRA"]].concat());
    for other in ["--port=1", "--tls=0", "--regions=XX", "--access-log=off"] {
        let (code, said) = cli.fails(&[&start[..], &[other]].concat());
        assert!(code == 1 && said.contains("ovhai emulator stop"), "{other}: {said}");
    }
}

#[test]
fn global_options_without_effect_are_refused() {
    let cli = TestCli::new(OVHAI);
    for (arguments, option) in [
        (&["emulator", "stop", "--token", "x"][..], "--token"),
        (&["--token", "x", "emulator", "stop"], "--token"),
        (&["emulator", "status", "--region", "GRA"], "--region"),
        (&["app", "open", "x", "--url", "-o", "json"], "--output"),
        (&["app", "open", "x", "--json"], "--json"),
        (&["config", "set", "GRA", "-o", "json"], "--output"),
        (&["completion", "bash", "--token", "x"], "--token"),
        (&["logout", "-o", "yaml"], "--output"),
    ] {
        let (code, said) = cli.fails(arguments);
        let expected = format!(" does not take {option}");
        assert!(code == 2 && said.contains(&expected), "{arguments:?} {code} {said}");
        assert!(said.contains("leave it out"), "{said}");
    }
    assert!(cli.is_untouched(), "nothing was started");
    // Options with an effect are accepted, and so are variables, which apply to all commands.
    let mut stop: assert_cmd::Command = cli.command(&["emulator", "stop"]);
    let stop = stop.env("OVHAI_TOKEN", "x").output().unwrap();
    assert!(stop.status.success());
    cli.ok(&["config", "list", "--region", "GRA", "-o", "json"]);
}
