//! Acknowledged changes survive SIGKILL, and partial ones do not.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};

use ovhai_emulator::state::StateDir;
use ovhai_test_support::blocking::Client;
use ovhai_test_support::foreground::Foreground;
use ovhai_test_support::processes::app_file;
use ovhai_test_support::raw::SOON;
use ovhai_test_support::{TestCli, eventually_now};
use serde_json::{Value, json};

use crate::OVHAI;

const ROUNDS: u64 = 50;

/// One call on a kept connection; none if the emulator is gone.
fn call(
    client: &mut Client,
    bearer: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Option<(u16, Value)> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {bearer}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    client.try_send(request).ok()?;
    let answer = client.whole_answer(method).ok()?;
    Some((answer.status(), serde_json::from_slice(&answer.body).unwrap()))
}

/// Creates tokens and apps until the emulator is gone; returns the ids that it acknowledged, and
/// reports each.
fn create(address: SocketAddr, bearer: &str, round: u64, done: &Sender<()>) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let Ok(mut client) = Client::try_to(address) else { return acknowledged };
    for n in 0.. {
        let name = format!("r{round}n{n}");
        let (path, spec) = if n % 3 == 0 {
            (
                "/v1/app",
                json!({"image": "infrastructureascode/hello-world", "name": name, "labels": {"round": name}}),
            )
        } else {
            ("/v1/token", json!({"name": name, "role": "read", "labelSelector": "a=b"}))
        };
        match call(&mut client, bearer, "POST", path, &spec.to_string()) {
            Some((200, made)) => {
                acknowledged.push(made["id"].as_str().unwrap().to_owned());
                // The test may have seen enough.
                let _ = done.send(());
            }
            Some((status, body)) => panic!("{status}: {body}"),
            None => break,
        }
    }
    acknowledged
}

fn listed(address: SocketAddr, bearer: &str, what: &str) -> BTreeSet<String> {
    let mut client = Client::to(address);
    let mut ids = BTreeSet::new();
    for page in 1.. {
        let path = format!("/v1/{what}?size=1000&page={page}");
        let (status, list) = call(&mut client, bearer, "GET", &path, "").unwrap();
        assert_eq!(status, 200);
        for item in list["items"].as_array().unwrap() {
            // Each record is complete.
            let spec = &item["spec"];
            let name = spec["name"].as_str().unwrap();
            assert!(name.starts_with('r'));
            if what == "app" {
                assert_eq!(spec["labels"]["round"], name);
                assert_eq!(spec["labels"]["ovh/id"], item["id"]);
                let history = item["status"]["history"].as_array().unwrap();
                assert_eq!(history.last().unwrap()["state"], item["status"]["state"]);
            } else {
                assert_eq!(
                    (&spec["labelSelector"], &item["status"]["version"]),
                    (&json!("a=b"), &json!(1))
                );
            }
            ids.insert(item["id"].as_str().unwrap().to_owned());
        }
        if page >= list["metadata"]["pageCount"].as_u64().unwrap() {
            return ids;
        }
    }
    ids
}

#[test]
fn acknowledged_changes_survive_sigkill() {
    let cli = TestCli::new(OVHAI);
    let mut acknowledged = BTreeSet::new();
    // One more round checks the changes of the last.
    for round in 0..=ROUNDS {
        let mut e = Foreground::start(&cli, &[]);
        let (address, bearer) = (e.running.address, e.running.administrator.clone());
        let bearer = bearer.as_str();
        let found: BTreeSet<String> = listed(address, bearer, "app")
            .union(&listed(address, bearer, "token"))
            .cloned()
            .collect();
        let lost: Vec<_> = acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        if round == ROUNDS {
            break;
        }
        let (done, acknowledgements) = channel();
        std::thread::scope(|scope| {
            let makers = [done.clone(), done]
                .map(|done| scope.spawn(move || create(address, bearer, round, &done)));
            // The number of changes before the kill differs by round; more are in flight.
            for _ in 0..=round * 7 % 40 {
                acknowledgements.recv_timeout(SOON).unwrap();
            }
            e.child.kill().unwrap();
            e.child.wait().unwrap();
            for maker in makers {
                acknowledged.extend(maker.join().unwrap());
            }
        });
    }
    assert!(acknowledged.len() > 100, "only {} were made", acknowledged.len());
}

#[test]
fn processes_of_a_killed_emulator_end_and_restart_with_the_next() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    let mark = format!("killed{}", std::process::id());
    let server = app_file("server");
    cli.ok(&[
        "app",
        "run",
        "--name",
        "p",
        "--unsecure-http",
        "--wait",
        "--runtime",
        "process",
        "python:3",
        "--",
        "python3",
        &server,
        "--mark",
        &mark,
    ]);
    let alive = || {
        let output =
            Command::new("ps").args(["-eo", "args", "-ww"]).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().filter(|l| l.contains(&mark)).count()
    };
    assert_eq!(alive(), 1);
    e.child.kill().unwrap();
    e.child.wait().unwrap();
    eventually_now("nothing is left of it", || (alive() == 0).then_some(()));
    assert!(StateDir::new(cli.state_dir()).running().is_none(), "what it left is not believed");

    let _again = Foreground::start(&cli, &[]);
    eventually_now("it runs again", || {
        (cli.json(&["app", "get", "p"])["status"]["state"] == "RUNNING").then_some(())
    });
    assert_eq!(alive(), 1);
    cli.ok(&["app", "curl", "--fail", "p"]);
}

/// As with `killall -9`, or when a control group runs out of memory.
#[cfg(target_os = "linux")]
#[test]
fn orphans_of_a_killed_emulator_and_supervisor_are_killed_at_the_next_start() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    let mark = format!("both{}", std::process::id());
    let server = app_file("server");
    let app = ["app", "run", "--name", "p", "--cpu", "1", "--wait", "--runtime", "process"];
    cli.ok(&[&app[..], &["python:3", "--", "python3", &server, "--relatives", &mark]].concat());
    let id = cli.json(&["app", "get", "p"])["id"].as_str().unwrap().to_owned();
    let alive = |word: &str| -> BTreeSet<u32> {
        let output = Command::new("ps").args(["-eo", "pid,args", "-ww"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter(|line| line.contains(word))
            .filter_map(|line| line.split_whitespace().next()?.parse().ok())
            .collect()
    };
    let before = eventually_now("the family is there", || {
        let all = alive(&mark);
        (all.len() == 3).then_some(all)
    });
    let records = cli.state_dir().join("processes");
    assert_eq!(std::fs::read_dir(&records).unwrap().count(), 1);
    let both: Vec<String> = alive(&format!("__supervise {id}"))
        .into_iter()
        .chain([e.child.id()])
        .map(|pid| pid.to_string())
        .collect();
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(Command::new("kill").arg("-9").args(&both).status().unwrap().success());
    e.child.wait().unwrap();

    let _again = Foreground::start(&cli, &[]);
    eventually_now("nothing is left of before", || alive(&mark).is_disjoint(&before).then_some(()));
    cli.ok(&["app", "delete", "p", "--force", "--yes"]);
    eventually_now("nothing is left", || alive(&mark).is_empty().then_some(()));
    eventually_now("nor recorded", || {
        (std::fs::read_dir(&records).unwrap().count() == 0).then_some(())
    });
}
