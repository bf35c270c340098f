//! The emulator as a library and as a process.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::Arc;

use ovhai_emulator::state::StateDir;
use ovhai_emulator::{AccessLog, Emulator, StartError};
use ovhai_test_support::foreground::Foreground;
use ovhai_test_support::processes::app_file;
use ovhai_test_support::stores::GatedStore;
use ovhai_test_support::{
    TestCli, TestEmulator, eventually, eventually_now, is_stderr_lost, taken_port,
};
use serde_json::json;
use tokio::sync::watch;

use crate::OVHAI;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_emulators_run_in_one_process() {
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
async fn a_failed_start_names_its_cause_and_leaves_nothing() {
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

fn terminate(pid: u32) {
    let status = Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn sigterm_ends_the_emulator_and_its_open_streams() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    let server = app_file("server");
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
        &server,
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
    terminate(e.child.id());
    let status = eventually_now("the emulator ends", || e.child.try_wait().unwrap());
    assert!(status.success(), "{status}");
    // Its clients end, too.
    out.read_to_end(&mut Vec::new()).unwrap();
    stream.wait().unwrap();
    logs.wait().unwrap();
    assert!(!StateDir::new(cli.state_dir()).is_locked());
    assert!(!cli.state_dir().join("emulator.json").exists());
}

#[test]
fn an_emulator_in_the_background_has_status_logs_and_stop() {
    let cli = TestCli::new(OVHAI);
    let (code, _) = cli.fails(&["emulator", "status"]);
    assert_eq!(code, 1);
    cli.ok(&["emulator", "start", "--detach", "--port", "0"]);
    let status = cli.json(&["emulator", "status"]);
    assert_eq!(status["running"], true);
    assert!(status.get("administrator").is_none(), "no secret is shown");
    // It reports its start just after others can find it.
    let says = || cli.ok(&["emulator", "logs"]).contains("the emulator runs");
    if !is_stderr_lost() {
        assert!((0..200).any(|_| says()), "{}", cli.ok(&["emulator", "logs"]));
    }
    cli.ok(&["emulator", "start", "--detach", "--port", "0"]);
    assert_eq!(cli.json(&["emulator", "status"])["pid"], status["pid"], "it is the same one");
    cli.ok(&["emulator", "stop"]);
    cli.ok(&["emulator", "stop"]);
    assert!(!StateDir::new(cli.state_dir()).is_locked());
}

#[test]
fn the_first_command_starts_an_emulator_and_reports_it_once() {
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
fn an_emulator_with_a_damaged_announcement_can_be_stopped() {
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
fn concurrent_first_commands_start_one_emulator() {
    let cli = TestCli::new(OVHAI);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| cli.json(&["me"]))).collect();
        let tenants: Vec<_> =
            all.into_iter().map(|one| one.join().unwrap()["tenant"].clone()).collect();
        assert!(tenants.iter().all(|tenant| *tenant == tenants[0]), "{tenants:?}");
    });
    cli.ok(&["emulator", "stop"]);
    // None of the superfluous starts comes up now.
    // It unlocks its directory just before it exits.
    let state = cli.state_dir().display().to_string();
    eventually_now("none is left", || {
        let output = Command::new("ps").args(["-eo", "args", "-ww"]).output().unwrap();
        let all = String::from_utf8_lossy(&output.stdout).into_owned();
        (!all.lines().any(|line| line.contains(&state))).then_some(())
    });
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
fn the_state_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let cli = TestCli::new(OVHAI);
    cli.ok(&["token", "new", "t", "--role", "read"]);
    let token = cli.json(&["token", "new", "u", "--role", "read"]);
    let value = token["status"]["value"].as_str().unwrap();
    for entry in std::fs::read_dir(cli.state_dir()).unwrap() {
        let entry = entry.unwrap();
        if is_stderr_lost() && entry.file_name() == "emulator.log" {
            continue;
        }
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} {mode:o}", entry.path());
        if entry.file_name() != "credentials.json" {
            let bytes = std::fs::read(entry.path()).unwrap();
            let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
            assert!(!found, "{:?} has the token", entry.path());
        }
    }
}

fn send_signal(signal: &str, pid: u64) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_automatic_start_uses_the_options_of_the_last_start() {
    use std::os::unix::fs::PermissionsExt;
    let cli = TestCli::new(OVHAI);
    let start = ["emulator", "start", "--detach", "--tls=0", "--regions", "ONE,TWO"];
    cli.ok(&[&start[..], &["--quota", "CPU=3", "--host", "127.0.0.77"]].concat());
    let status = cli.json(&["emulator", "status"]);
    let kept = json!(["--port=0", "--tls=0", "--regions=ONE,TWO", "--quota=CPU=3,GPU=4"]);
    assert_eq!(status["options"], kept);
    let mode = std::fs::metadata(cli.state_dir().join("options.json")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    send_signal("-KILL", status["pid"].as_u64().unwrap());
    eventually_now("it is gone", || (!StateDir::new(cli.state_dir()).is_locked()).then_some(()));
    let none = cli.command(&["emulator", "status", "-o", "json"]).output().unwrap();
    let none: serde_json::Value = serde_json::from_slice(&none.stdout).unwrap();
    assert_eq!((&none["running"], &none["options"]), (&json!(false), &kept));

    // After a kill, and after a regular stop.
    for _ in 0..2 {
        let first = cli.command(&["capabilities", "quota"]).output().unwrap();
        assert!(said(&first).contains("--tls=0 --regions=ONE,TWO"), "{first:?}");
        assert!(String::from_utf8_lossy(&first.stdout).contains("CPU: 3"), "{first:?}");
        let status = cli.json(&["emulator", "status"]);
        assert_eq!(status["regions"], json!(["ONE", "TWO"]));
        // Other addresses are not saved.
        assert!(status["https"].as_str().unwrap().starts_with("https://127.0.0.1:"), "{status}");
        assert_eq!(status["options"], kept);
        cli.ok(&["emulator", "stop"]);
    }
    // A variable overrides the saved options, and is not saved itself.
    let other = cli.command(&["capabilities", "quota"]).env("OVHAI_QUOTA", "CPU=5").output();
    let other = other.unwrap();
    assert!(String::from_utf8_lossy(&other.stdout).contains("CPU: 5"), "{other:?}");
    assert!(!said(&other).contains("--quota"), "{other:?}");
    cli.ok(&["emulator", "stop"]);
    // An explicit start replaces the saved options.
    let restarted = cli.command(&["emulator", "start", "--detach"]).output().unwrap();
    assert!(said(&restarted).contains("drops --tls=0 --regions"), "{restarted:?}");
    let status = cli.json(&["emulator", "status"]);
    assert_eq!(status["options"], json!(["--port=0"]));
    assert_eq!(status["https"], json!(null));
}

#[test]
fn a_restart_uses_the_previous_port() {
    let cli = TestCli::new(OVHAI);
    let without_port = |arguments: &[&str]| {
        let output = cli.command(arguments).env_remove("OVHAI_PORT").output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    let port = ovhai_test_support::free_port().to_string();
    without_port(&["emulator", "start", "-d", "--port", &port]);
    without_port(&["emulator", "stop"]);
    without_port(&["app", "list"]);
    let address = cli.json(&["emulator", "status"])["address"].clone();
    assert_eq!(address, json!(format!("http://127.0.0.1:{port}")));
}

#[test]
fn commands_report_an_emulator_that_hangs() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["app", "run", "ovhai/echo", "--name", "e", "--cpu", "1", "--wait"]);
    let pid = cli.json(&["emulator", "status"])["pid"].as_u64().unwrap();
    let mut logs = Command::new(OVHAI)
        .args(["app", "logs", "--follow", "e"])
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(logs.stdout.take().unwrap());
    lines.read_line(&mut String::new()).unwrap();
    // It has received answers, and requests more.
    let mut watch = Command::new(OVHAI)
        .args(["app", "list", "--watch", "--verbose"])
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut watched = BufReader::new(watch.stderr.take().unwrap());
    for _ in 0..2 {
        let mut line = String::new();
        watched.read_line(&mut line).unwrap();
        assert!(line.contains(" -> 200 "), "{line}");
    }

    send_signal("-STOP", pid);
    let who = format!("the emulator (pid {pid}) does not answer");
    std::thread::scope(|scope| {
        for (arguments, code) in [
            (&["app", "list"][..], 5),
            (&["emulator", "user", "list"], 5),
            (&["emulator", "start", "--detach"], 5),
            (&["emulator", "status", "-o", "json"], 1),
            // The signal takes effect once the process continues; here it is killed before.
            (&["emulator", "stop"], 5),
        ] {
            let (cli, who) = (&cli, &who);
            scope.spawn(move || {
                // Each ends although the emulator never answers.
                let output = cli.command(arguments).output().unwrap();
                assert_eq!(output.status.code(), Some(code), "{arguments:?} {output:?}");
                let said = said(&output);
                assert!(
                    said.contains(who) && said.contains("ovhai emulator stop --force"),
                    "{said}"
                );
                if arguments[1] == "status" {
                    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                    assert_eq!(
                        (&shown["running"], &shown["answers"]),
                        (&json!(true), &json!(false))
                    );
                }
            });
        }
    });
    assert!(logs.try_wait().unwrap().is_none(), "what has begun goes on");
    let mut said = String::new();
    watched.read_to_string(&mut said).unwrap();
    assert_eq!(watch.wait().unwrap().code(), Some(5), "{said}");
    assert!(said.contains(&who), "{said}");

    let forced = cli.command(&["emulator", "stop", "--force"]).output().unwrap();
    assert!(forced.status.success() && self::said(&forced).contains("Killed"), "{forced:?}");
    lines.read_to_end(&mut Vec::new()).unwrap();
    logs.wait().unwrap();
    assert_eq!(cli.ok(&["app", "list", "-o", "name"]), "e\n", "what was answered is there");
}

/// An emulator that reports its health does not hang.
#[tokio::test]
async fn a_slow_response_is_not_reported_as_a_hang() {
    let cli = TestCli::new(OVHAI);
    let log = cli.home().join("access.log");
    let (gate, gated) = watch::channel(true);
    let builder = TestEmulator::builder()
        .state_dir(cli.state_dir())
        .store(Arc::new(GatedStore(gated)))
        .access_log(AccessLog::Path(log.clone()));
    let e = TestEmulator { emulator: builder.start().await.unwrap(), sim: None };
    let app = e.run_app(&[], json!({"image": "ovhai/echo", "name": "e"})).await;
    gate.send(false).unwrap();
    let mut stop = Command::new(OVHAI)
        .args(["app", "stop", "e"])
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it is asked how it is, again and again", || async {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        (log.matches("/_emulator/health").count() >= 2).then_some(())
    })
    .await;
    assert!(stop.try_wait().unwrap().is_none(), "it waits");
    gate.send(true).unwrap();
    let status = tokio::task::spawn_blocking(move || stop.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    e.wait(&app, "STOPPED").await;
    e.emulator.shutdown().await;
}

#[test]
fn an_ephemeral_emulator_prints_its_variables() {
    let cli = TestCli::new(OVHAI);
    let mut child = Command::new(OVHAI)
        .args(["emulator", "start", "--ephemeral", "--port", "0"])
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .env("XDG_RUNTIME_DIR", cli.home())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.find_map(|line| Some(line.unwrap().split_once("export ")?.1.to_owned()));
    let line = line.unwrap();
    let (directory, rest) = line.split_once(' ').unwrap();
    let directory = directory.strip_prefix("OVHAI_STATE_DIR=").unwrap();
    assert_eq!(rest, "OVHAI_AUTOSTART=0");
    let there = |arguments: &[&str]| {
        cli.command(arguments)
            .env("OVHAI_STATE_DIR", directory)
            .env("OVHAI_AUTOSTART", "0")
            .output()
            .unwrap()
    };
    for arguments in [
        &["app", "run", "ovhai/echo", "-n", "e", "-l", "a=b", "--wait"][..],
        &["token", "new", "t", "--role", "read", "-l", "a=b"],
        &["app", "curl", "e", "--fail"],
        &["emulator", "status"],
    ] {
        let output = there(arguments);
        assert!(output.status.success(), "{arguments:?} {output:?}");
    }
    let ca = there(&["emulator", "ca", "path"]);
    assert!(said(&ca).contains("/_emulator/ca.pem"), "no authority is made: {ca:?}");
    assert!(there(&["emulator", "stop"]).status.success());
    assert!(child.wait().unwrap().success());
    let mut more = String::new();
    lines.for_each(|line| more += &line.unwrap());
    assert!(more.contains("emulator.json") && !more.contains("earer: "), "{more}");
    assert!(!std::path::Path::new(directory).exists(), "nothing is left");
    assert!(cli.is_untouched(), "nothing was written");
    assert_eq!(there(&["app", "list"]).status.code(), Some(1), "none is started in its place");
}

#[test]
fn the_printed_commands_use_the_same_directory() {
    let cli = TestCli::new(OVHAI);
    let other = cli.home().join("an other");
    let to = ["--state-dir", other.to_str().unwrap()];
    let named = format!("ovhai --state-dir '{}' emulator stop", other.display());
    let first = cli.command(&[&to[..], &["app", "list"]].concat()).output().unwrap();
    assert!(said(&first).trim_end().ends_with(&named), "{first:?}");
    // So does the hint of a failure.
    let start = ["emulator", "start", "--detach", "--regions", "OTHER"];
    let (_, refused) = cli.fails(&[&to[..], &start].concat());
    assert!(refused.contains(&named), "{refused}");
    cli.ok(&[&to[..], &["emulator", "stop"]].concat());
    // A variable stays set.
    let first = cli.command(&["app", "list"]).output().unwrap();
    assert!(said(&first).trim_end().ends_with("stop it: ovhai emulator stop"), "{first:?}");
}

#[test]
fn a_variable_without_effect_on_a_running_emulator_is_reported() {
    let cli = TestCli::new(OVHAI);
    let start = || cli.command(&["emulator", "start", "--detach"]);
    let few = || start().env("OVHAI_QUOTA", "CPU=1").output().unwrap();
    cli.ok(&["emulator", "start", "--detach"]);
    let late = few();
    assert!(late.status.success() && said(&late).contains("keeps the options"), "{late:?}");
    let same = start().output().unwrap();
    assert!(!said(&same).contains("keeps the options"), "{same:?}");
    cli.ok(&["emulator", "stop"]);
    few();
    assert!(!said(&few()).contains("keeps the options"));
}
