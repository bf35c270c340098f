//! `app logs`, `app wait`, `app open`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use ovhai_test_support::{TestCli, eventually_now};

use crate::OVHAI;

#[test]
fn logs_are_filtered_by_time_pattern_and_replica() {
    let cli = TestCli::with_echo(OVHAI);
    for path in ["/one", "/two", "/Three"] {
        cli.curl(&[path]);
    }
    let logs = |arguments: &[&str]| cli.ok(&[&["app", "logs", "e"], arguments].concat());
    assert_eq!(logs(&["--grep", "^GET /t"]), "GET /two\n");
    assert_eq!(logs(&["--grep", "^get /T", "-i"]), "GET /two\nGET /Three\n");
    assert_eq!(logs(&["--tail", "1", "--since", "1h"]), "GET /Three\n");
    assert_eq!(logs(&["--since", "2999-01-01T00:00:00Z"]), "");
    let line = logs(&["-t", "--grep", "^GET /two"]);
    let (moment, text) = line.trim_end().split_once(' ').unwrap();
    let at: ovhai_api_types::Timestamp = moment.parse().expect("a moment");
    assert_eq!((text, moment.len()), ("GET /two", "2026-01-01T00:00:00.000Z".len()));
    assert!(
        logs(&["--since", moment]).starts_with("GET /two\n")
            || logs(&["--since", moment]).contains("GET /two\n")
    );
    let later = at.checked_add(std::time::Duration::from_mins(1)).unwrap().to_string();
    assert_eq!(logs(&["--since", &later]), "");
    assert!(logs(&["--replica", "1"]).contains("GET /one\n"));
    let (code, said) = cli.fails(&["app", "logs", "e", "--replica", "77"]);
    assert!(code == 3 && said.contains("has no replica 77: the only one so far is 1"), "{said}");
    for (arguments, says) in [
        (&["--grep", "("][..], "not a regular expression"),
        (&["--since", "x"], "10m"),
        (&["-i"], "--grep"),
    ] {
        let (code, said) = cli.fails(&[&["app", "logs", "e"], arguments].concat());
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(says), "{said}");
    }
    // The filters also apply while following.
    let mut child = Command::new(OVHAI)
        .args(["app", "logs", "-f", "e", "-t", "--grep", "later$", "--since", "1h"])
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    cli.curl(&["/not"]);
    cli.curl(&["/later"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let (moment, text) = line.trim_end().split_once(' ').unwrap();
    assert!(moment.parse::<ovhai_api_types::Timestamp>().is_ok(), "{line}");
    assert_eq!(text, "GET /later");
}

#[test]
fn wait_returns_when_the_app_reaches_the_state() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e"]);
    assert_eq!(cli.ok(&["app", "wait", "e"]), "");
    assert_eq!(cli.json(&["app", "wait", "e"])["status"]["state"], "RUNNING");
    let (code, said) = cli.fails(&["app", "wait", "e", "--for", "stopped", "--timeout", "0"]);
    assert_eq!(code, 5, "{said}");
    let (code, said) = cli.fails(&["app", "wait", "e", "--for", "sleeping"]);
    assert_eq!(code, 2, "{said}");
    // One command waits for the state while another causes it.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| cli.ok(&["app", "wait", "e", "--for", "deleted"]));
        cli.ok(&["app", "delete", "e", "--force"]);
        waiting.join().unwrap();
    });
    assert_eq!(cli.fails(&["app", "wait", "e"]).0, 3);
    cli.ok(&["app", "wait", "e", "--for", "deleted"]);
    cli.ok(&["app", "run", "--name", "bad", "--runtime", "process", "python:3", "--", "false"]);
    let (code, said) = cli.fails(&["app", "wait", "bad"]);
    assert_eq!(code, 1);
    assert!(said.contains("is FAILED"), "{said}");
    cli.ok(&["app", "wait", "bad", "--for", "failed"]);
}

#[test]
fn open_starts_the_browser_at_the_address_of_the_app() {
    let cli = TestCli::with_echo(OVHAI);
    let url = cli.json(&["app", "get", "e"])["status"]["url"].as_str().unwrap().to_owned();
    assert_eq!(cli.ok(&["app", "open", "e", "--url"]).trim(), url);
    assert_eq!(cli.ok(&["app", "open", "e", "--print"]).trim(), url);
    let seen = cli.home().join("seen");
    let script = cli.home().join("browser");
    std::fs::write(&script, format!("#!/bin/sh\necho \"$1\" > {}\n", seen.display())).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&script, mode).unwrap();
    let open = |browser: &str| {
        let output = cli.command(&["app", "open", "e"]).env("BROWSER", browser).output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("not found"), "its own complaints: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(open(script.to_str().unwrap()), "");
    let opened = eventually_now("it is opened", || std::fs::read_to_string(&seen).ok());
    assert_eq!(opened.trim(), url);
    let noisy = cli.home().join("noisy");
    std::fs::write(&noisy, "#!/bin/sh\necho w3m: not found >&2\nexit 1\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&noisy, mode).unwrap();
    assert_eq!(open(noisy.to_str().unwrap()).trim(), url);
    assert_eq!(open("no-such-browser:false").trim(), url, "printed when there is no browser");
}

/// The reader may close the pipe before the next line, and Ctrl-C is the usual end.
#[test]
fn following_ends_quietly_with_the_reader() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--cpu", "1", "--wait"]);
    cli.ok(&["token", "new", "t", "--role", "read"]);
    cli.ok(&["app", "curl", "e", "/first"]);
    for (arguments, reader_counts) in [
        (&["app", "logs", "-f", "e"][..], true),
        (&["emulator", "logs", "-f", "--access"], true),
        (&["app", "list", "--watch"], true),
        (&["token", "list", "--watch"], true),
        (&["app", "port-forward", "e"], false),
    ] {
        let start = || {
            let mut child = Command::new(OVHAI)
                .args(arguments)
                .env("HOME", cli.home())
                .env("OVHAI_STATE_DIR", cli.state_dir())
                .env("OVHAI_KEYRING", "0")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap());
            lines.read_line(&mut String::new()).unwrap();
            (child, lines)
        };
        let ended = |child: Child| {
            let output = child.wait_with_output().unwrap();
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        if reader_counts {
            let (child, lines) = start();
            drop(lines);
            assert_eq!(ended(child), (Some(0), String::new()), "{arguments:?}");
        }
        let (child, _lines) = start();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let (code, said) = ended(child);
        assert_eq!(code, Some(130), "{arguments:?}: {said}");
        assert!(!said.contains("error"), "{arguments:?}: {said}");
    }
}
