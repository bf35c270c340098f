//! Crashes, as a user of the command line sees them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use ovhai_core::replica::ExitStatus;
use ovhai_runtime::SimRuntime;
use ovhai_test_support::stores::GatedStore;
use ovhai_test_support::{TestCli, TestEmulator, eventually, eventually_now, processes};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::OVHAI;

/// Two replicas that end with status 3 at a request for /die, after some last words.
fn mortal() -> TestCli {
    let cli = TestCli::new(OVHAI);
    let run = ["app", "run", "x", "--name", "mortal", "--cpu", "1", "--unsecure-http", "--wait"];
    let server = processes::app_file("server");
    let process = ["--replicas", "2", "--runtime", "process", "--", "python3", &server];
    cli.ok(&[&run[..], &process].concat());
    cli
}

fn status(cli: &TestCli) -> Value {
    cli.json(&["app", "get", "mortal"])["status"].clone()
}

/// Whether this number of replicas is ready. The number of those that get requests alone may still
/// count one that has just ended.
fn are_ready(status: &Value, count: usize) -> bool {
    let replicas = status["replicas"].as_array().unwrap();
    status["availableReplicas"] == count
        && replicas.len() == count
        && replicas.iter().all(|replica| replica["state"] == "READY")
}

/// Makes a replica exit, and waits until both answer again.
fn die(cli: &TestCli, restarts: u64) {
    // The request fails with its replica. A GET would be retried on the other replica.
    cli.command(&["app", "curl", "mortal", "/die", "-X", "POST"]).output().unwrap();
    eventually_now("the replica answers again", || {
        let status = status(cli);
        (status["restarts"] == restarts && are_ready(&status, 2)).then_some(())
    });
}

#[test]
fn every_view_shows_a_crash() {
    let cli = mortal();
    assert_eq!(status(&cli)["restarts"], 0);
    let (code, said) = cli.fails(&["app", "logs", "mortal", "--previous"]);
    assert!(code == 3 && said.contains("no replica of the app"), "{said}");
    die(&cli, 1);

    let now = status(&cli);
    assert_eq!(now["lastExit"]["status"], 3, "{now}");
    let replicas = now["replicas"].as_array().unwrap();
    let crashed = replicas.iter().find(|replica| replica["restarts"] == 1).unwrap();
    let ordinal = crashed["ordinal"].as_u64().unwrap();
    assert!((1..=2).contains(&ordinal) && crashed["attempt"] == 2, "{crashed}");
    assert_eq!(
        (&crashed["state"], &crashed["lastExit"]["reason"]),
        (&"READY".into(), &"exit status 3".into())
    );
    let app = cli.ok(&["app", "get", "mortal"]);
    let shows = |line: &str| {
        app.lines().any(|l| l.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(line))
    };
    assert!(shows("Restarts: 1") && shows("Last Exit: exit status 3 at "), "{app}");
    assert!(shows(&format!("{ordinal} READY ")), "{app}");
    let list = cli.ok(&["app", "list"]);
    let row = list.lines().nth(1).unwrap();
    assert!(row.ends_with("1         exit status 3"), "{list}");
    assert_eq!(cli.json(&["app", "list"])[0]["status"]["restarts"], 1);

    let line = format!("-- replica {ordinal} exited with status 3; restarting --");
    let number = ordinal.to_string();
    let logs = |arguments: &[&str]| cli.ok(&[&["app", "logs", "mortal"], arguments].concat());
    let ending = format!("last words\n{line}\n");
    for arguments in
        [&[][..], &["--previous"], &["--replica", &number], &["--previous", "--replica", &number]]
    {
        assert_eq!(logs(arguments), ending, "{arguments:?}");
    }
    let other = (3 - ordinal).to_string();
    assert_eq!(logs(&["--replica", &other]), "");
    let (_, said) = cli.fails(&["app", "logs", "mortal", "--previous", "--replica", &other]);
    assert!(said.contains(&format!("no run of replica {other} of the app")), "{said}");
    let (_, said) = cli.fails(&["app", "logs", "mortal", "--replica", "3"]);
    assert!(said.contains("has no replica 3: those so far are 1 to 2"), "{said}");
    let (code, _) = cli.fails(&["app", "logs", "mortal", "--previous", "--follow"]);
    assert_eq!(code, 2);
}

/// The delay after the second crash in a row; saved with the emulator's options.
#[test]
fn restart_delay_is_the_first_delay() {
    let cli = TestCli::new(OVHAI);
    cli.ok(&["emulator", "start", "--detach", "--restart-delay", "1h"]);
    let run = ["app", "run", "x", "--name", "mortal", "--cpu", "1", "--unsecure-http", "--wait"];
    let server = processes::app_file("server");
    cli.ok(&[&run[..], &["--runtime", "process", "--", "python3", &server]].concat());
    let answers = |restarts: u64| {
        eventually_now("the replica answers again", || {
            let status = status(&cli);
            (status["restarts"] == restarts && are_ready(&status, 1)).then_some(())
        });
    };
    let dies = || {
        cli.command(&["app", "curl", "mortal", "/die", "-X", "POST"]).output().unwrap();
    };
    let waits = || {
        eventually_now("the replica waits", || {
            (status(&cli)["replicas"][0]["state"] == "BACK_OFF").then_some(())
        });
        let log = cli.ok(&["app", "logs", "mortal"]);
        assert!(log.contains("exited with status 3; restarting in 3600s --"), "{log}");
    };
    dies();
    answers(1);
    dies();
    waits();
    // It is saved: an emulator that a command starts has it, too.
    cli.ok(&["emulator", "stop"]);
    answers(0);
    dies();
    answers(1);
    dies();
    waits();
    cli.ok(&["emulator", "stop"]);
    cli.ok(&["emulator", "start", "--detach", "--restart-delay", "1ms"]);
    answers(0);
    for restarts in 1..=4 {
        dies();
        answers(restarts);
    }
}

#[test]
fn events_are_listed_and_followed() {
    let cli = mortal();
    die(&cli, 1);
    let events = cli.json(&["app", "events", "mortal"]);
    let crashed = events.as_array().unwrap().iter().find(|event| event["kind"] == "crashed");
    let crashed = crashed.unwrap_or_else(|| panic!("{events}"));
    assert_eq!((&crashed["reason"], &crashed["name"]), (&"exit status 3".into(), &"mortal".into()));
    assert!(crashed["message"].as_str().unwrap().contains("last words"), "{crashed}");
    assert_eq!(cli.json(&["app", "events", "--tail", "1"]).as_array().unwrap().len(), 1);
    let table = cli.ok(&["app", "events"]);
    assert!(table.starts_with("AGE") && table.contains("crashed  exit status 3  "), "{table}");
    let (code, said) = cli.fails(&["app", "events", "nope"]);
    assert!(code == 3 && said.contains("nope"), "{said}");
    let (code, _) = cli.fails(&["app", "events", "-f", "-o", "yaml"]);
    assert_eq!(code, 2);

    // Following continues with new events, here from the last one.
    let mut child = Command::new(OVHAI)
        .args(["app", "events", "mortal", "-f", "-n", "1", "-o", "json"])
        .env("OVHAI_STATE_DIR", cli.state_dir())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let before = next()["seq"].as_u64().unwrap();
    die(&cli, 2);
    let event = loop {
        let event = next();
        if event["kind"] == "crashed" {
            break event;
        }
    };
    assert!(event["seq"].as_u64().unwrap() > before);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Between a crash and the resulting change of state, the app is still RUNNING; the gateway names
/// the crash.
#[tokio::test]
async fn a_503_says_which_replica_crashed() {
    let (gate, gated) = watch::channel(true);
    let sim = SimRuntime::step_by_step();
    let builder = TestEmulator::builder().store(Arc::new(GatedStore(gated)));
    let emulator = builder.runtime(Arc::new(sim.clone())).start().await.unwrap();
    let e = TestEmulator { emulator, sim: Some(sim.clone()) };
    let app = e.submit(&[], json!({"unsecureHttp": true})).await;
    e.wait(&app, "INITIALIZING").await;
    sim.ready(1);
    e.wait(&app, "RUNNING").await;
    gate.send(false).unwrap();
    sim.crash(1, ExitStatus::Code(3));
    let answer = eventually("the replica is out", || async {
        let answer = e.query(&app, None).await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    let says = "is RUNNING: Replica 1 crashed (exit status 3) and is restarting";
    assert!(answer.text().contains(says), "{}", answer.text());
    gate.send(true).unwrap();
    e.wait(&app, "SCALING").await;
    sim.ready(2);
    e.wait(&app, "RUNNING").await;
}
