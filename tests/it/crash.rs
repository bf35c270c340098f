//! What was acknowledged survives SIGKILL, and nothing half-written does.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use ovhai_emulator::state::StateDir;
use ovhai_test_support::{TestCli, eventually_now};
use serde_json::{Value, json};

use crate::OVHAI;
use crate::emulator::Foreground;
use crate::process::with_relatives;

const ROUNDS: u64 = 50;

/// One call on a kept connection; none when the emulator is gone.
fn call(
    stream: &mut TcpStream,
    bearer: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Option<(u16, Value)> {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {bearer}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let n = stream.read(&mut piece).ok().filter(|n| *n > 0)?;
        answer.extend_from_slice(&piece[..n]);
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let body = &answer[end + 4..];
        let whole = match head.split("content-length: ").nth(1) {
            Some(rest) => {
                let length = rest.split("\r\n").next()?.parse().ok()?;
                (body.len() >= length).then(|| body.to_vec())
            }
            // A long list.
            None => chunks(body),
        };
        if let Some(body) = whole {
            let status = head.split(' ').nth(1)?.parse().ok()?;
            return Some((status, serde_json::from_slice(&body).ok()?));
        }
    }
}

/// A chunked body; none if it is not whole yet.
fn chunks(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let at = body.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&body[..at]).ok()?, 16).ok()?;
        let chunk = body.get(at + 2..at + 2 + size)?;
        body = body.get(at + 4 + size..)?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(chunk);
    }
}

/// Creates tokens and apps until the emulator is gone; the ids that it acknowledged.
fn create(address: SocketAddr, bearer: &str, round: u64) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let Ok(mut stream) = TcpStream::connect(address) else { return acknowledged };
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
        match call(&mut stream, bearer, "POST", path, &spec.to_string()) {
            Some((200, made)) => acknowledged.push(made["id"].as_str().unwrap().to_owned()),
            Some((status, body)) => panic!("{status}: {body}"),
            None => break,
        }
    }
    acknowledged
}

fn listed(address: SocketAddr, bearer: &str, what: &str) -> BTreeSet<String> {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut ids = BTreeSet::new();
    for page in 1.. {
        let path = format!("/v1/{what}?size=1000&page={page}");
        let (status, list) = call(&mut stream, bearer, "GET", &path, "").unwrap();
        assert_eq!(status, 200);
        for item in list["items"].as_array().unwrap() {
            // Whole, or not at all.
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
    // One more, to look for what the last one acknowledged.
    for round in 0..=ROUNDS {
        let mut e = Foreground::start(&cli, &[]);
        let (address, bearer) = (e.running.address, e.running.administrator.clone());
        let found: BTreeSet<String> = listed(address, &bearer, "app")
            .union(&listed(address, &bearer, "token"))
            .cloned()
            .collect();
        let lost: Vec<_> = acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        if round == ROUNDS {
            break;
        }
        std::thread::scope(|scope| {
            let makers: Vec<_> =
                (0..2).map(|_| scope.spawn(|| create(address, &bearer, round))).collect();
            // A random moment; here the sleep is intended.
            let chance = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
            std::thread::sleep(Duration::from_micros(2000 + u64::from(chance) % 60_000));
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
fn processes_end_with_an_emulator_that_is_killed_and_come_back_with_the_next() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    let mark = format!("killed{}", std::process::id());
    let script = format!(
        "'{mark}'; import http.server, os; http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()"
    );
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
        "-c",
        &script,
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

/// As `killall -9` does it, and a group that runs out of memory.
#[cfg(target_os = "linux")]
#[test]
fn what_emulator_and_supervisor_leave_that_are_killed_at_once_ends_with_the_next_start() {
    let cli = TestCli::new(OVHAI);
    let mut e = Foreground::start(&cli, &[]);
    let mark = format!("both{}", std::process::id());
    let script = with_relatives(
        &mark,
        "import http.server, os; http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()",
    );
    let app = ["app", "run", "--name", "p", "--cpu", "1", "--wait", "--runtime", "process"];
    cli.ok(&[&app[..], &["python:3", "--", "python3", "-c", &script]].concat());
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
